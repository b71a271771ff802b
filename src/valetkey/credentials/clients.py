"""All customers at a glance, from what is on this computer: nobody is asked and nothing is called.

A session's own file does not say whose it is without the base identity, which may take a call to find. So that the
end of each customer's last session is noted in `$XDG_CACHE_HOME/valetkey/last/NAME.json`; nothing secret is in it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from valetkey.credentials import private
from valetkey.credentials.awsconfig import region_of
from valetkey.credentials.profiles import Profile, ProfileProblem, check_name, load, names
from valetkey.policy.problem import Problem

_KIND = "last/v1"


@dataclass(frozen=True)
class Client:
    """A customer as a person thinks of one."""

    profile: Profile
    region: str | None
    """Where tools work: the AWS profile's region as it is now, else the one it was accepted with."""
    session_until: datetime | None
    """End of the last role session (aware, UTC), while it lasts; None: there is none."""
    has_ended: bool
    """Whether the grant's end has passed."""


@dataclass(frozen=True)
class Damaged:
    """A profile that cannot be used, and why."""

    name: str
    problem: ProfileProblem


def all_clients(env: Mapping[str, str], now: datetime) -> tuple[tuple[Client, ...], tuple[Damaged, ...]]:
    """The customers and the damaged profiles, each by name. Raises Problem without a home directory."""
    found: list[Client] = []
    damaged: list[Damaged] = []
    for name in names(env):
        try:
            profile = load(name, env)
        except ProfileProblem as problem:
            damaged.append(Damaged(name, problem))
            continue
        has_ended = profile.until is not None and profile.until <= now
        until = None if has_ended else _noted(profile, env)
        found.append(
            Client(
                profile=profile,
                region=region_of(name, env) or profile.region,
                session_until=until if until is not None and until > now else None,
                has_ended=has_ended,
            )
        )
    return tuple(found), tuple(damaged)


def note(profile: Profile, expires: datetime, env: Mapping[str, str]) -> None:
    """Note the end of a session that was handed out. A note that cannot be written is not missed."""
    path = _path(profile.name, env)
    text = json.dumps({"valetkey": _KIND, "role_arn": profile.role_arn, "expires": expires.isoformat()})
    if private.read(path) == text.encode():
        return
    with contextlib.suppress(Problem, OSError):
        private.make_dir(path.parent.parent)
        private.write(path, text.encode())


def _noted(profile: Profile, env: Mapping[str, str]) -> datetime | None:
    data = private.read(_path(profile.name, env))
    try:
        plain = json.loads(data or b"null")
        # Of another role: the profile has been accepted anew since.
        if plain["valetkey"] != _KIND or plain["role_arn"] != profile.role_arn:
            return None
        when = datetime.fromisoformat(plain["expires"])
        return when.astimezone(UTC) if when.tzinfo else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _path(name: str, env: Mapping[str, str]) -> Path:
    return private.cache_dir(env) / "last" / f"{check_name(name)}.json"
