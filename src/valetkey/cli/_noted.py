"""What was noted when a profile was opened, so that `exec` and `env` hand out a kept session without opening it."""

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
    from valetkey.credentials.sessions.reopened import Note
    from valetkey.credentials.sessions.ways import Way


def say_kept(name: str, note: Note, session: Session, *, long: bool) -> None:
    """Say of a kept session what the usual way says of one."""
    from valetkey.cli._saying import say_ended, say_until

    if long:
        say_until(session, note.limit)
    say_ended(name, note.until)


def recall(name: str, way: Way) -> tuple[Note, Session] | None:
    """The kept session of a profile and what was noted of it, or None."""
    head = head_of(name)
    if head is None:
        return None
    by = reopened.way_name(long=way.long, read_only=way.read_only)
    return reopened.recall(name, by, head=head, env=os.environ, now=datetime.now(UTC))


def head_of(name: str) -> bytes | None:
    """What a note of this profile depends on, as it is now; None: no note can be kept."""
    try:
        return hot_head(file_id(name))
    except (OSError, KeyError, ValueError, ProfileError):
        return None


def remember(entry: Entry, head: bytes | None, config: Callable[[], str]) -> None:
    """Note how a profile was opened, for the next time. `head` was made before; `config` makes the AWS config of a
    command."""
    from valetkey.credentials.profiles.awsconfig import is_profile
    from valetkey.credentials.sessions.base_binding import elsewhere

    way, profile = entry.way, entry.profile
    # The head knows the AWS files that the environment names; others would not make the note stale.
    if head is None or not way.is_kept or entry.through is not None or elsewhere(profile.base_files, os.environ):
        return
    note = reopened.Note(
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
