"""Messages on standard error about a session that a command hands out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from valetkey.credentials.profiles.profile import Profile
    from valetkey.credentials.sessions.cache import Session
    from valetkey.credentials.sessions.opener import Entry


def say_long(entry: Entry, session: Session) -> None:
    """With --long, print the expiry of the session and the limit that applies. Warn if the recorded end of the grant
    has passed."""
    if entry.way.long:
        say_until(session, entry.limit)
    say_end(entry.root.profile)


def say_until(session: Session, limit: str) -> None:
    """Print the expiry of a session on stderr, with the limit that applies."""
    from valetkey.report.text import say

    say(f"until {session.credentials.expires:%Y-%m-%d %H:%M} UTC ({limit})", stderr=True)


def say_end(profile: Profile) -> None:
    """Warn on stderr if the recorded end of the grant has passed."""
    say_ended(profile.name, profile.until)


def say_ended(name: str, until: datetime | None) -> None:
    """Same as `say_end`, for a recorded end (None: none is recorded)."""
    from valetkey.report.text import say

    if until is not None and datetime.now(UTC) >= until:
        say(
            f"warning: according to the handoff, the grant {name} ended on {until:%Y-%m-%d %H:%M} UTC.",
            "AWS decides. If the owner has extended it, accept the new handoff.",
            stderr=True,
        )
