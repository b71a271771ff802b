"""Results of `login`, as lines and as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from valetkey.report.results.login import KeyKept, KeyRotated, Login
from valetkey.report.text import say, say_json

if TYPE_CHECKING:
    from datetime import datetime

    from valetkey.credentials.profiles.profile import Profile
    from valetkey.credentials.sessions.cache import Session

_KEPT = {"keyring": "in the OS keyring", "file": "in a file that only you can read"}


def say_login(
    source: str | None,
    device: str,
    session: Session,
    kept_in: str,
    profile: Profile | None,
    role: Session | None,
    limit: str | None,
    *,
    as_json: bool,
) -> None:
    """Print the MFA session, and the role session that was created with it."""
    ends = session.credentials.expires
    if as_json:
        say_json(
            Login(
                base=source,
                mfa_serial=device,
                until=_stamp(ends),
                kept_in=kept_in,
                profile=profile.name if profile else None,
                account=profile.account if profile else None,
                role_until=_stamp(role.credentials.expires) if role else None,
                limit=limit,
            )
        )
        return
    say(f"MFA session of {source or 'the base identity'} until {_words(ends)}, {_KEPT[kept_in]}.")
    if profile and role:
        say(
            f"In {profile.role_arn} until {_words(role.credentials.expires)}; it is renewed without a code.",
            f"Each session lasts {limit}.",
        )
        if profile.mfa_max_age:
            say(
                f"The owner accepts a code that is {profile.mfa_max_age} s old at most: valetkey asks again after that."
            )


def say_stored(access_key_id: str, user: str, path: Path | None, *, as_json: bool) -> None:
    """Print where the key is now: in the keyring. `path` is the file that it was removed from, None for a typed key."""
    if as_json:
        removed = None if path is None else str(path)
        say_json(KeyKept(access_key_id=access_key_id, user=user, kept_in="keyring", removed_from=removed))
        return
    if path is None:
        say(
            f"The access key {access_key_id} of {user} is in the OS keyring, and in no file.",
            "Your customers' profiles use it from there; a tool that uses the base profile itself finds no key.",
        )
        return
    say(
        f"The access key {access_key_id} of {user} is in the OS keyring, and no longer in {path}.",
        "Your customers' profiles use it from there; a tool that uses the base profile itself now finds no key.",
        "It has been in a file: change it for a new one with `valetkey login --rotate-key`.",
    )


def say_rotated(old: str, new: str, *, as_json: bool) -> None:
    """Print the result of a key rotation."""
    if as_json:
        say_json(KeyRotated(access_key_id=new, deleted=old, kept_in="keyring"))
        return
    say(f"The access key {new} is in the OS keyring; {old} is deleted.")


def _stamp(when: datetime) -> str:
    return when.isoformat(timespec="seconds").replace("+00:00", "Z")


def _words(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC"
