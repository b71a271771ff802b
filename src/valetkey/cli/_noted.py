"""Notes made when a profile was opened: with them `exec` and `env` hand out a cached session without opening it."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from valetkey import hot_head
from valetkey.credentials.profiles.names import ProfileError, file_id
from valetkey.credentials.sessions import reopened

if TYPE_CHECKING:
    from valetkey.credentials.sessions.cache import Session
    from valetkey.credentials.sessions.opener import Entry
    from valetkey.credentials.sessions.reopened import SessionNote
    from valetkey.credentials.sessions.ways import Way


def say_kept(name: str, note: SessionNote, session: Session, *, long: bool) -> None:
    """Print the same messages for a cached session as the usual path does."""
    from valetkey.cli._saying import say_ended, say_until

    if long:
        say_until(session, note.limit)
    say_ended(name, note.until)


def recall(name: str, way: Way) -> tuple[SessionNote, Session] | None:
    """Return the cached session of a profile and its note, or None."""
    head = head_of(name)
    if head is None:
        return None
    by = reopened.way_name(long=way.long, read_only=way.read_only)
    return reopened.recall(name, by, head=head, env=os.environ, now=datetime.now(UTC))


def head_of(name: str) -> bytes | None:
    """Return what a note of this profile depends on, in its present state; None: no note can be written."""
    try:
        return hot_head(file_id(name))
    except (OSError, KeyError, ValueError, ProfileError):
        return None


def remember(entry: Entry, head: bytes | None, config: Callable[[], str]) -> None:
    """Write a note of how a profile was opened. `head` was computed before opening it; `config` returns the AWS config
    of a command."""
    from valetkey.credentials.profiles.awsconfig import is_profile
    from valetkey.credentials.sessions.base_binding import elsewhere

    way, profile = entry.way, entry.profile
    # The head covers the AWS files that the environment names; a change of other files would not invalidate the note.
    if head is None or not way.is_kept or entry.through is not None or elsewhere(profile.base_files, os.environ):
        return
    note = reopened.SessionNote(
        session_key=entry.key,
        account=profile.account,
        region=entry.region,
        config=config(),
        limit=entry.limit,
        until=profile.until,
        customer=profile.customer,
        is_in_config=is_profile(profile.name, os.environ),
    )
    name = reopened.way_name(long=way.long, read_only=way.read_only)
    reopened.remember(profile.name, name, note, head=head, env=os.environ)
