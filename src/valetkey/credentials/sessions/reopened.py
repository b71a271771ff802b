"""The result of opening a profile, stored for the next `exec` or `env`: `$XDG_CACHE_HOME/valetkey/opened/NAME:WAY`.

Opening a profile resolves its base identity, which needs botocore and the AWS files. Only then is the name of its
session in the cache known. The note stores that name and everything else that a command returns. It holds no secret.

INVARIANT: a note begins with a head that contains everything it depends on (valetkey.hot_head: version, environment,
the stamps of the profile and the AWS files). The whole head is compared with a new one; on any difference, doubt or
error the profile is opened again.
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
class SessionNote:
    """What a command returns beside the session."""

    session_key: str
    """The name of the session in the cache."""
    account: str
    region: str | None
    """The AWS region for tools."""
    config: str
    """The path of the AWS config for a child process."""
    limit: str
    """How long a session may last, and what sets the limit, as text."""
    until: datetime | None
    """The recorded end of the grant (aware, UTC)."""
    customer: str
    is_in_config: bool
    """Whether the profile is in the AWS config that tools read."""


def way_name(*, long: bool, read_only: bool) -> str:
    """Return the name of a way to assume the role. Each way has its own session."""
    return f"{'long' if long else 'usual'}{'-read-only' if read_only else ''}"


def remember(name: str, way: str, note: SessionNote, *, head: bytes, env: Mapping[str, str]) -> None:
    """Store a note. `head` must be made before the profile is read. A note that cannot be written only costs time."""
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


def recall(
    name: str, way: str, *, head: bytes, env: Mapping[str, str], now: datetime
) -> tuple[SessionNote, Session] | None:
    """Return the note and its cached session, if at least three quarters of its life are left. None: open the profile
    again. Makes no call."""
    if INSIDE in env:
        return None
    try:
        data = files.read(_path(name, way, env))
        if data is None or not data.startswith(head):
            return None
        plain = json.loads(data[len(head) :])
        until = plain["until"]
        note = SessionNote(
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
