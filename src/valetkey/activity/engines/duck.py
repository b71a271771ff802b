"""DuckDB: the report over the files of a folder, in this process. Extra `duckdb` (or `sql`).

Every file is read as whole JSON documents: DuckDB's typed reader for `{"Records": [...]}` is up to 25 times slower in
2.0 than in 1.5, and infers types from the first files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from valetkey.activity.engines.files import FileEngine, UnreadableError, culprit
from valetkey.activity.engines.text import FIELDS, RAW, Row, report
from valetkey.activity.layout import TrailFile
from valetkey.activity.wanted import Wanted
from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    import duckdb

_DOCUMENT = 64 << 20
"""Maximum size of a document in an ordinary file, in uncompressed bytes; DuckDB reserves as much for every thread."""
_LARGEST = 1 << 30
_LARGE = 1 << 20
"""Stored bytes above which a gzip file may hold a larger document, and is read separately."""

_PATTERN = re.compile(r"[\[*?]")
"""Characters that DuckDB treats as a pattern in a file name."""

VIEW = (
    "SELECT\n  file,\n  CAST(NULL AS VARCHAR) AS broken,\n"
    + "".join(f"  r ->> '$.{path}' AS {name},\n" for name, path in FIELDS.items())
    + "".join(f"  CAST(r -> '$.{path}' AS VARCHAR) AS {name},\n" for name, path in RAW.items())
    + """  array_to_string(r ->> '$.resources[*].ARN', chr(10)) AS resources,
  r ->> '$.requestParameters.roleArn' AS target_role
FROM (
  SELECT filename AS file, unnest(CASE
    WHEN json_exists(json, '$.Records') THEN json -> '$.Records[*]'
    WHEN json_exists(json, '$.Events') THEN CAST(json ->> '$.Events[*].CloudTrailEvent' AS JSON[])
    WHEN json_type(json) = 'ARRAY' THEN json -> '$[*]'
    ELSE [json] END) AS r
  FROM read_json_objects($files, format = 'unstructured', filename = true, maximum_object_size = $largest)
)"""
)
"""The view. The files and the maximum document size are parameters."""


def duck(*, cores: int) -> FileEngine:
    """Return the engine. Raises ValetkeyError if DuckDB is not installed."""
    try:
        import duckdb
    except ImportError:
        raise ValetkeyError(
            "--engine duckdb needs the package duckdb", do="install it: pip install 'valetkey[sql]'"
        ) from None
    connection = duckdb.connect(config={"threads": cores, "preserve_insertion_order": False})

    def ask(files: Sequence[TrailFile], wanted: Wanted) -> Iterator[Row]:
        large = [file for file in files if _is_large(file)]
        small = [file for file in files if not _is_large(file)]
        text = f"WITH trail_events AS (\n{VIEW}\n)\n{report(wanted)}"
        for some, largest in ((small, _DOCUMENT), *(([file], _LARGEST) for file in large)):
            if some:
                yield from _rows(connection, text, some, largest)

    return FileEngine(ask)


def _is_large(file: TrailFile) -> bool:
    return file.size > (_LARGE if file.path.suffix == ".gz" else _DOCUMENT)


def _rows(connection: duckdb.DuckDBPyConnection, text: str, files: Sequence[TrailFile], largest: int) -> Iterator[Row]:
    import duckdb

    # INVARIANT: file names are passed as values, never as SQL text or as patterns.
    names = [_PATTERN.sub(r"[\g<0>]", str(file.path)) for file in files]
    try:
        answer = connection.execute(text, {"files": names, "largest": largest})
        columns = [item[0] for item in answer.description or ()]
        while some := answer.fetchmany(10_000):
            for values in some:
                yield dict(zip(columns, values, strict=True))
    except (duckdb.InvalidInputException, duckdb.IOException, duckdb.ConversionException) as error:
        why = str(error).partition("\n")[0]
        named = culprit(why, files)
        if named is not None:
            why = why.replace(str(named.path), "it")
        raise UnreadableError(f"cannot be read by DuckDB: {why}", named) from None
    except duckdb.Error as error:
        why = str(error).partition("\n")[0]
        raise ValetkeyError(
            f"DuckDB failed: {why}", do="ask about a shorter time, or leave --engine out", exit_code=3
        ) from None
