"""All customers, from data on this computer: needs no MFA code.

The cache file of a session does not name its customer without the base identity, which may take a call to find. So each
customer's last session is noted in `$XDG_CACHE_HOME/valetkey/last/NAME.json`: its end, and its cache entry. The note
contains no secret.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from valetkey import awsfiles, files
from valetkey.credentials.profiles.last_use import last_file
from valetkey.credentials.profiles.names import ProfileError
from valetkey.credentials.profiles.profile import Profile, load, names
from valetkey.errors import ValetkeyError

_KIND = "last/v1"


@dataclass(frozen=True)
class Customer:
    """A customer: a profile with its current state."""

    profile: Profile
    region: str | None
    """The region that tools use: that of the AWS profile now, else the one at acceptance."""
    session_until: datetime | None
    """End of the last role session (aware, UTC); None if no session is valid."""
    has_ended: bool
    """Whether the recorded end of the grant has passed. The owner may have changed it: AWS decides."""
    session_key: str = ""
    """The cache entry of that session; empty if it was not cached."""
    session_realm: str = ""
    """Where that session is valid, see Base.realm."""


@dataclass(frozen=True)
class Damaged:
    """A profile that cannot be used, and why."""

    name: str
    problem: ProfileError


def all_customers(env: Mapping[str, str], now: datetime) -> tuple[tuple[Customer, ...], tuple[Damaged, ...]]:
    """Return the customers and the damaged profiles, sorted by name. Raises ValetkeyError without a home directory;
    ConfigError for a damaged AWS config."""
    customers: list[Customer] = []
    profiles, damaged = all_profiles(env)
    for profile in profiles:
        has_ended = profile.until is not None and profile.until <= now
        until, session_key, realm = _noted(profile, env)
        is_live = until is not None and until > now
        customers.append(
            Customer(
                profile=profile,
                region=awsfiles.region(profile.name, env) or profile.region,
                session_until=until if is_live else None,
                has_ended=has_ended,
                session_key=session_key if is_live else "",
                session_realm=realm,
            )
        )
    return tuple(customers), damaged


def all_profiles(env: Mapping[str, str]) -> tuple[tuple[Profile, ...], tuple[Damaged, ...]]:
    """Return the profiles and the damaged ones, sorted by name. Raises ValetkeyError without a home directory."""
    profiles: list[Profile] = []
    damaged: list[Damaged] = []
    for name in names(env):
        try:
            profiles.append(load(name, env))
        except ProfileError as problem:
            damaged.append(Damaged(name, problem))
    return tuple(profiles), tuple(damaged)


def note(
    profile: Profile, expires: datetime, env: Mapping[str, str], *, session_key: str = "", realm: str = ""
) -> None:
    """Note a session's end, its cache entry and its realm. An error on writing is ignored."""
    path = last_file(profile.name, env)
    plain = {"valetkey": _KIND, "role_arn": profile.role_arn, "expires": expires.isoformat()}
    plain |= {"session": session_key, "realm": realm}
    text = json.dumps(plain)
    if files.read(path) == text.encode():
        return
    with contextlib.suppress(ValetkeyError, OSError):
        files.make_dir(path.parent.parent)
        files.write(path, text.encode())


def by_last_use(env: Mapping[str, str]) -> tuple[Profile, ...]:
    """Return the readable profiles: most recently used first, then by name."""

    def when(profile: Profile) -> float:
        with contextlib.suppress(OSError):
            return last_file(profile.name, env).stat().st_mtime
        return 0.0

    result = []
    for name in names(env):
        with contextlib.suppress(ProfileError):
            result.append(load(name, env))
    return tuple(sorted(result, key=lambda item: (-when(item), item.name)))


def forget(profile: Profile, env: Mapping[str, str]) -> None:
    """Delete the note after the session was removed."""
    with contextlib.suppress(OSError):
        last_file(profile.name, env).unlink(missing_ok=True)


def _noted(profile: Profile, env: Mapping[str, str]) -> tuple[datetime | None, str, str]:
    data = files.read(last_file(profile.name, env))
    try:
        plain = json.loads(data or b"null")
        # The note is for another role: the profile was accepted again since.
        if plain["valetkey"] != _KIND or plain["role_arn"] != profile.role_arn:
            return None, "", ""
        when = datetime.fromisoformat(plain["expires"])
        session_key, realm = plain.get("session", ""), str(plain.get("realm", ""))
        is_key = isinstance(session_key, str) and re.fullmatch("[a-z]+-[0-9a-f]{40}", session_key)
        return (when.astimezone(UTC) if when.tzinfo else None), session_key if is_key else "", realm
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None, "", ""
