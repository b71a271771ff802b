"""Spark: the report over files, in a local Spark or the one that SPARK_REMOTE names. Extra `spark`.

Every file is read as one text and parsed with the types of the needed fields: Spark's JSON reader silently drops what
it cannot parse.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from valetkey.activity.engines.files import FileEngine, UnreadableError, culprit
from valetkey.activity.engines.text import FIELDS, RAW, Row, report
from valetkey.activity.layout import TrailFile
from valetkey.activity.wanted import Wanted
from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_Tree = dict[str, Any]
_PATTERN = re.compile(r"[\[\]{}*?\\]")
"""Characters that Spark treats as a pattern in a file name."""


def _type(tree: Mapping[str, Any]) -> str:
    """ "struct<eventName: string, ...>" """
    parts = (f"{name}: {_type(inner) if inner else 'string'}" for name, inner in tree.items())
    return f"struct<{', '.join(parts)}>"


def _schema() -> str:
    tree: _Tree = {}
    for path in (*FIELDS.values(), *RAW.values()):
        here = tree
        for part in path.split("."):
            here = here.setdefault(part, {})
    record = _type(tree).removesuffix(">") + ", resources: array<struct<ARN: string>>>"
    return f"Records array<{record}>"


VIEW = (
    "SELECT\n  file,\n"
    "  CASE WHEN r IS NULL AND size < 0 THEN 'is cut off, or is not a file of a trail' END AS broken,\n"
    + "".join(f"  r.{path} AS {name},\n" for name, path in (*FIELDS.items(), *RAW.items()))
    + f"""  array_join(r.resources.ARN, chr(10)) AS resources,
  get_json_object(r.requestParameters, '$.roleArn') AS target_role
FROM (
  SELECT file, coalesce(size(records), -1) AS size, explode_outer(records) AS r
  FROM (
    SELECT %s AS file, from_json(value, '{_schema()}').Records AS records
    FROM trail_files
  )
)"""
)
"""The view over the table `trail_files`, with one text per file. The placeholder is the source of the file name."""
_NAMES = ("input_file_name()", "CAST(NULL AS STRING)")
"""Spark's source of the file name, and one for engines with Spark's SQL but without that function: a broken file is
then searched for."""


def spark(session: SparkSession | None = None) -> FileEngine:
    """Return the engine. Raises ValetkeyError if Spark is not installed or does not start."""
    core = session or _started()
    view = _view(core)

    def ask(files: Sequence[TrailFile], wanted: Wanted) -> Iterator[Row]:
        from pyspark.errors import PySparkException

        places = [_place(file) for file in files]
        text = f"WITH trail_events AS (\n{view}\n)\n{report(wanted)}"
        try:
            core.read.text(places, wholetext=True).createOrReplaceTempView("trail_files")
            rows = [item.asDict() for item in core.sql(text).collect()]
        except Exception as error:
            # Java's errors are raised by py4j, which is there only with a Spark on Java.
            if not isinstance(error, PySparkException) and not type(error).__module__.startswith("py4j"):
                raise
            why = f"cannot be read by Spark: {_reason(error)}"
            raise UnreadableError(why, culprit(unquote(str(error)), files)) from None
        yield from rows

    return FileEngine(ask)


def _started() -> SparkSession:
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise ValetkeyError(
            "--engine spark needs the package pyspark", do="install it: pip install 'valetkey[spark]'"
        ) from None
    try:
        quiet = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}
        result: SparkSession = SparkSession.builder.config(map=quiet).getOrCreate()
        with contextlib.suppress(Exception):  # a Spark Connect server has no sparkContext, and logs elsewhere
            result.sparkContext.setLogLevel("OFF")
    except Exception as error:
        raise ValetkeyError(
            f"Spark does not start: {_reason(error)}",
            do="install Java 17 or later (Debian: default-jre-headless), or set SPARK_REMOTE to a Spark Connect server",
            exit_code=3,
        ) from None
    return result


def _view(core: SparkSession) -> str:
    """Return the view that this Spark supports. It is tried without files, so that an error in the SQL is not mistaken
    for broken files. Raises ValetkeyError."""
    from pyspark.errors import PySparkException

    why = ""
    for name in _NAMES:
        view = VIEW % name
        try:
            core.sql("SELECT CAST(NULL AS STRING) AS value WHERE 1 = 0").createOrReplaceTempView("trail_files")
            core.sql(f"WITH trail_events AS (\n{view}\n)\n{report(Wanted())}").collect()
        except PySparkException as error:
            why = _reason(error)
            continue
        return view
    raise ValetkeyError(
        f"this Spark does not take the report: {why}", do="use Spark 4 or later, or another --engine", exit_code=3
    )


def _place(file: TrailFile) -> str:
    if file.name.startswith("s3://"):
        return "s3a" + file.name.removeprefix("s3")
    path = str(file.path.absolute())
    if _PATTERN.search(path):
        raise UnreadableError("has a name that Spark takes for a pattern", file)
    return path


def _reason(error: Exception) -> str:
    """First line of an error message, without Java's stack trace."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:200] if lines else type(error).__name__
