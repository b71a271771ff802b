"""Adapter for engines that read many files per query. A file that the engine cannot read is found, named and left
out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from valetkey.activity.engines.text import Row, record_of
from valetkey.activity.layout import TrailFile
from valetkey.activity.records import SkippedRecordError
from valetkey.activity.scanning import Scanned
from valetkey.activity.wanted import Wanted

_AT_ONCE = 4_000
"""Files per query."""
_NAMED = 3
"""Broken files that are left out one by one. With more of them, the files are halved until each one is found."""

ReadRows = Callable[[Sequence[TrailFile], Wanted], Iterable[Row]]
"""Returns the rows of files. Raises UnreadableError."""


class UnreadableError(Exception):
    """The engine failed on one of the files. The message is worded to follow a file name; `file` is set if the engine
    names it."""

    def __init__(self, why: str, file: TrailFile | None = None) -> None:
        super().__init__(why)
        self.file = file


def culprit(said: str, files: Iterable[TrailFile]) -> TrailFile | None:
    """Return the file that an engine's message names, or None."""
    return next((file for file in files if str(file.path) in said), None)


class FileEngine:
    """An engine for `reading.read`, made of a function that returns rows."""

    def __init__(self, ask: ReadRows) -> None:
        self._ask = ask

    def scanned(self, files: Sequence[TrailFile], wanted: Wanted) -> Iterator[tuple[TrailFile, Scanned]]:
        """Yield every file with its result. Files that cannot be read are out of order."""
        for start in range(0, len(files), _AT_ONCE):
            yield from self._some(files[start : start + _AT_ONCE], wanted)

    def _some(self, files: Sequence[TrailFile], wanted: Wanted, named: int = 0) -> Iterator[tuple[TrailFile, Scanned]]:
        """`named`: how many broken files the engine has named so far."""
        try:
            result = sorted_out(files, self._ask(files, wanted), wanted)
        except UnreadableError as error:
            broken = Scanned(broken=str(error))
            if len(files) == 1:
                yield files[0], broken
                return
            if error.file is not None and named < _NAMED:
                yield error.file, broken
                yield from self._some([file for file in files if file is not error.file], wanted, named + 1)
                return
            middle = len(files) // 2
            yield from self._some(files[:middle], wanted)
            yield from self._some(files[middle:], wanted)
            return
        yield from zip(files, result, strict=True)


def sorted_out(files: Sequence[TrailFile], rows: Iterable[Row], wanted: Wanted) -> list[Scanned]:
    """Return the result of each file. Rows of an unknown file count for the first. Raises UnreadableError if a file is
    broken and the engine does not name it."""
    result = [Scanned() for _ in files]
    by_name = {
        name: number for number, trail_file in enumerate(files) for name in (str(trail_file.path), trail_file.name)
    }
    for row in rows:
        name = _path(row.get("file") or "")
        file = result[by_name.get(name, 0)]
        broken = row.get("broken")
        if broken is not None:
            if len(files) > 1 and name not in by_name:
                raise UnreadableError(broken)
            file.broken = broken
            continue
        file.mentions = True
        file.records += 1
        try:
            event = wanted.event(record_of(row))
        except SkippedRecordError as error:
            file.skipped[str(error)] = file.skipped.get(str(error), 0) + 1
            continue
        if event is not None:
            file.events.append(event)
    return result


def _path(name: str) -> str:
    """Normalize a file name as Spark ("file:///tmp/a%20b.json", "s3a://bucket/key") or another engine writes it."""
    if name.startswith("s3a://"):
        return "s3" + unquote(name.removeprefix("s3a"))
    return str(Path(unquote(urlsplit(name).path))) if name.startswith("file:") else name
