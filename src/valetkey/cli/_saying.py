"""What commands that hand out a session say of it on standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from valetkey.cli._entry import Entry
    from valetkey.credentials.profiles.profile import Profile
    from valetkey.credentials.sessions.cache import Session


def say_long(entry: Entry, session: Session) -> None:
    """With --long, say on stderr until when the session lasts and which limit applies; of a grant whose recorded end
    has passed, that it has."""
    from valetkey.report.text import say

    if entry.is_long:
        say(f"until {session.credentials.expires:%Y-%m-%d %H:%M} UTC ({entry.limit})", stderr=True)
    say_end(entry.root.profile)


def say_end(profile: Profile) -> None:
    """Warn on stderr of a grant whose recorded end has passed."""
    from valetkey.cli._entry import clock
    from valetkey.credentials.sessions.broker import has_ended
    from valetkey.report.text import say

    if has_ended(profile, clock()):
        say(
            f"warning: by the handoff the grant {profile.name} ended on {profile.until:%Y-%m-%d %H:%M} UTC.",
            "AWS decides. If the owner has extended it, accept the new handoff.",
            stderr=True,
        )
