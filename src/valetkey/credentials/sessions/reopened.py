"""What opening a profile found, kept for the next `exec` or `env`: `$XDG_CACHE_HOME/valetkey/opened/NAME:WAY`.

Opening a profile resolves its base identity, which takes botocore and the AWS files. Only then is the name of its
session in the cache known. So that it is noted, with all else that a command hands out. Nothing secret is in the note.

INVARIANT: a note begins with a head that says what it depends on (valetkey.hot_head: version, environment, the
stamps of the profile and the AWS files). It is compared whole with a new one; any difference, doubt or error takes
the long way.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from valetkey import INSIDE, files
from valetkey.credentials.profiles.names import file_id
from valetkey.credentials.sessions.cache import Cache, Session
from valetkey.errors import ValetkeyError


@dataclass(frozen=True)
class Note:
    """What a command returns beside the session."""

    session_key: str
    """The name of the session in the cache."""
    account: str
    region: str | None
    """Where tools work."""
    config: str
    """The AWS config of a command that is run."""
    limit: str
    """How long a session may last, and what says so."""
    until: datetime | None
    """The recorded end of the grant (aware, UTC)."""
    customer: str
    is_in_config: bool
    """Whether tools find the profile in the AWS config."""


def way_name(*, long: bool, read_only: bool) -> str:
    """The name of a way into the role: its session is another one."""
    return f"{'long' if long else 'usual'}{'-read-only' if read_only else ''}"


def remember(name: str, way: str, note: Note, *, head: bytes, env: Mapping[str, str]) -> None:
    """Keep a note. `head` must have been made before the profile was read. One that cannot be written only costs
    time."""
    plain = {
        "session": note.session_key,
        "account": note.account,
        "region": note.region,
        "config": note.config,
        "limit": note.limit,
        "until": note.until and note.until.isoformat(),
        "customer": note.customer,
        "is_in_config": note.is_in_config,
    }
    with contextlib.suppress(ValetkeyError, OSError):
        path = _path(name, way, env)
        files.make_dir(path.parent.parent)
        files.write(path, head + json.dumps(plain).encode("ascii"))


def recall(name: str, way: str, *, head: bytes, env: Mapping[str, str], now: datetime) -> tuple[Note, Session] | None:
    """The note and its kept session, with at least three quarters of it left; None: the long way. Makes no call."""
    if INSIDE in env:
        return None
    try:
        data = files.read(_path(name, way, env))
        if data is None or not data.startswith(head):
            return None
        plain = json.loads(data[len(head) :])
        until = plain["until"]
        note = Note(
            session_key=plain["session"],
            account=plain["account"],
            region=plain["region"],
            config=plain["config"],
            limit=plain["limit"],
            until=None if until is None else datetime.fromisoformat(until),
            customer=plain["customer"],
            is_in_config=plain["is_in_config"],
        )
        session = Cache(env).get(note.session_key)
        if session is None or not session.lasts(now):
            return None
        return (note, session) if session.credentials.account == note.account else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError, ValetkeyError):
        return None


def _path(name: str, way: str, env: Mapping[str, str]) -> Path:
    return files.cache_dir(env) / "opened" / f"{file_id(name)}:{way}"
