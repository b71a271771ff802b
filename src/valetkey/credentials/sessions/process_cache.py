"""Leave the answer of `credential-process` where `valetkey.__main__` prints it from without importing anything."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from valetkey import files
from valetkey.credentials.profiles.names import file_id
from valetkey.credentials.sessions.broker import stale_at
from valetkey.credentials.sessions.cache import Session
from valetkey.errors import ValetkeyError


def store(path: Path, head: bytes, session: Session, answer: bytes) -> None:
    """Store the exact bytes to print, until the session is stale.

    `head` must have been made before the profile was read: what changed in between then makes a difference.
    A file that cannot be written only costs time.
    """
    end = stale_at(session)
    # A clock that is set back further than this tells nothing about the session's age.
    begin = session.issued - timedelta(minutes=5)
    times = f"{math.ceil(_seconds(begin))} {math.floor(_seconds(end))}\n{len(answer)}\n".encode("ascii")
    with contextlib.suppress(ValetkeyError, OSError):
        files.make_dir(path.parent.parent)
        files.write(path, head + times + answer)


def drop(name: str, env: Mapping[str, str]) -> None:
    """Forget the stored answer of a profile."""
    with contextlib.suppress(OSError):
        (files.cache_dir(env) / "hot" / file_id(name)).unlink(missing_ok=True)


def _seconds(when: datetime) -> float:
    return when.astimezone(UTC).timestamp()
