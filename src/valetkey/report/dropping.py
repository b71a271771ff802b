"""Results of `logout` and `forget`, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from valetkey.report.results.profiles import Forgotten, LoggedOut
from valetkey.report.text import say, say_json

if TYPE_CHECKING:
    from valetkey.credentials.profiles.profile import Profile
    from valetkey.credentials.sessions.dropping import Dropped


def say_logged_out(dropped: Dropped, profile: Profile | None, *, as_json: bool) -> None:
    """Print the dropped sessions. `profile` is None for all profiles."""
    if as_json:
        say_json(
            LoggedOut(
                profile=profile.name if profile else None,
                role_sessions=dropped.roles,
                mfa_sessions=dropped.mfa,
                keyring=dropped.keyring or None,
            )
        )
    else:
        whose = f" of {profile.name}" if profile else ""
        say(
            f"Dropped {_count(dropped.roles, 'role session')} and {_count(dropped.mfa, 'MFA session')}{whose}.",
            "A session that a program has copied lasts until its end: AWS cannot take it back.",
        )
        if profile is not None and dropped.mfa:
            say("The MFA session was that of your user: your other customers ask for a code too.")
    if dropped.keyring:
        say(
            f"valetkey: an MFA session may be left: {dropped.keyring}",
            "  do: unlock the keyring and run it again"
            + ("" if profile is None else "; `valetkey logout --all` drops every MFA session that was made here"),
            stderr=True,
        )


def say_forgotten(
    name: str,
    profile: Profile | None,
    damage: str,
    path: Path,
    backup: Path | None,
    *,
    restored: bool,
    foreign: bool,
    broken: Sequence[str],
    as_json: bool,
) -> None:
    """Print the result of `forget`. `profile` is None if its file was damaged (`damage`). `broken` are profiles that
    used this one."""
    if as_json:
        say_json(
            Forgotten(
                profile=name,
                role_arn=profile.role_arn if profile else None,
                restored=restored,
                config=str(path),
                backup=str(backup) if backup else None,
                behind=list(broken),
            )
        )
    else:
        if restored:
            say(f"{name} is in {path} as it was before the import. The file until now: {backup}")
        elif backup is not None:
            say(f"Removed {name} from {path}. The file until now: {backup}")
        else:
            say(f"Removed {name}.")
        if profile is not None:
            say(
                f"The role {profile.role_arn} still trusts your account {profile.contractor}. If you are done, ask the "
                "customer to remove it."
            )
    if damage:
        say(f"note: its file could not be read: {damage}", stderr=True)
    if foreign:
        say(f"note: the section of {name} in {path} is not valetkey's, and stays", stderr=True)
    if broken:
        say(
            f"warning: {', '.join(broken)} got credentials from {name}, and no longer {'do' if broken[1:] else 'does'}",
            stderr=True,
        )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
