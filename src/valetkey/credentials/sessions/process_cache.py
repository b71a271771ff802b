"""Store the response of `credential-process` where `valetkey.__main__` can print it without any import."""

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

    `head` must be made before the profile is read, so that a change in between invalidates it. A file that cannot be
    written only costs time.
    """
    end = stale_at(session)
    # If the clock is set back further than this, the session's age is unknown.
    begin = session.issued - timedelta(minutes=5)
    times = f"{math.ceil(_seconds(begin))} {math.floor(_seconds(end))}\n{len(answer)}\n".encode("ascii")
    with contextlib.suppress(ValetkeyError, OSError):
        files.make_dir(path.parent.parent)
        files.write(path, head + times + answer)


def drop(name: str, env: Mapping[str, str]) -> None:
    """Remove the stored response of a profile."""
    with contextlib.suppress(OSError):
        (files.cache_dir(env) / "hot" / file_id(name)).unlink()


def _seconds(when: datetime) -> float:
    return when.astimezone(UTC).timestamp()
