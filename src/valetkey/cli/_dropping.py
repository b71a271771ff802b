"""Shared by `logout` and `forget`: drop all cached sessions of one profile."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from valetkey.credentials.profiles.profile import Profile
    from valetkey.credentials.sessions.dropping import Dropped


def drop_sessions(profile: Profile, *, mfa: bool) -> Dropped:
    """Drop a profile's role sessions, those of roles behind it, and with `mfa` also the MFA session that it uses. Makes
    no prompt. Raises ConfigError."""
    from valetkey.awsfiles import config_path
    from valetkey.credentials.profiles.awsconfig import profiles_in
    from valetkey.credentials.sessions.dropping import Dropped, drop_mfa, drop_profile

    accounts = {profile.account, *behind(profile.name, profiles_in(config_path(os.environ))).values()}
    roles = drop_profile(profile.name, accounts, os.environ)
    if not mfa or not profile.mfa or profile.mfa_serial is None:
        return Dropped(roles)
    from valetkey.cli._machine import machine
    from valetkey.credentials.sessions.mfa import mfa_key
    from valetkey.credentials.sessions.opener import entry_of

    try:
        base = entry_of(machine(), profile, quiet=True).base
    except ValetkeyError as problem:
        return Dropped(roles, 0, f"the MFA session was not looked for, since {problem.what}")
    count, keyring = drop_mfa([mfa_key(base, profile.mfa_serial)], os.environ, machine().vault)
    return Dropped(roles, count, keyring)


def behind(name: str, sections: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return the AWS profiles that are reached through this one, and the account of each."""
    result: dict[str, str] = {}
    sources = {name}
    while True:
        new = {
            item: own["role_arn"].split(":")[4] if own["role_arn"].count(":") >= 5 else ""
            for item, own in sections.items()
            if item not in result and own.get("source_profile", "").strip() in sources and "role_arn" in own
        }
        if not new:
            return result
        result |= new
        sources |= set(new)
