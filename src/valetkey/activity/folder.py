"""A local folder or file as the source of a trail."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from valetkey.activity.layout import TimeSpan, TrailFile, is_digest, named
from valetkey.errors import ValetkeyError


class Folder:
    """The files below a folder, or one file. Symbolic links to folders are not followed; they are reported as not
    read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._unread: list[str] = []
        self._found: list[TrailFile] | None = None
        self._others: list[str] = []

    @property
    def unread(self) -> tuple[str, ...]:
        return tuple(self._unread)

    @property
    def limits(self) -> tuple[str, ...]:
        if not self._others:
            return ()
        more = f" and {len(self._others) - 3} more" if len(self._others) > 3 else ""
        return (f"Not files of events by their names, and not read: {', '.join(sorted(self._others)[:3])}{more}.",)

    def files(self, accounts: frozenset[str] | None, span: TimeSpan) -> Sequence[TrailFile]:
        """Return the files, without those whose names show another account or period. Raises ValetkeyError."""
        path = self._path
        if path.is_file():
            return (TrailFile(path, str(path), size=path.stat().st_size),)
        if not path.is_dir():
            raise ValetkeyError(
                f"there is no file or folder {path}", do="name the folder of a trail's files", where=str(path)
            )
        if self._found is None:
            self._found = sorted(self._below(str(path)), key=lambda file: file.name)
        result = self._found
        if not result:
            raise ValetkeyError(
                f"{path} holds no files of a trail (.json, .json.gz, .ndjson)",
                do="name the folder that AWSLogs is in",
                where=str(path),
            )
        return [
            file
            for file in result
            if (not accounts or not file.account or file.account in accounts)
            and (file.at is None or span.may_hold(file.at))
        ]

    def _below(self, top: str) -> Iterator[TrailFile]:
        """Yield every file. A trail has hundreds of thousands: listing them with pathlib would take longer than reading
        them."""
        folders = [top]
        while folders:
            folder = folders.pop()
            try:
                entries = list(os.scandir(folder))
            except OSError as error:
                self._refused(error)
                continue
            for entry in entries:
                name = entry.path[len(top) + 1 :]
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.is_file():
                    file = named(Path(entry.path), name, entry.stat().st_size)
                    if file is not None:
                        yield file
                    elif not is_digest(name):
                        self._others.append(name)
                elif entry.is_dir():
                    self._unread.append(f"{name}: a symbolic link to a folder")

    def _refused(self, error: OSError) -> None:
        said = f"{error.filename}: {error.strerror}"
        if said not in self._unread:
            self._unread.append(said)
