"""Roles assumed from a grant's role, in the notation of the AWS config:

    [profile acme-prod]
    role_arn = arn:aws:iam::333333333333:role/Work
    source_profile = acme
    external_id = ...

`acme` is a profile that `accept` wrote. SDKs read this section without valetkey and ask valetkey for acme's credentials
only; `exec`, `env` and `console` assume the role in valetkey and cache its session.

Rules (id_roles_use, role chaining): an hour at most. A role's session carries no MFA, so a role that requires MFA
cannot be assumed this way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from valetkey.catalog import limits
from valetkey.credentials.profiles.profile import Profile, ProfileError

_ROLE = re.compile(r"arn:aws[a-z-]{0,20}:iam::[0-9]{12}:role/[\x21-\x7e]{1,600}", re.ASCII)
_MOST = 10
"""The maximum length of a chain of roles."""


def path_to(
    name: str, sections: Callable[[str], Mapping[str, Any]], *, is_grant: Callable[[str], bool]
) -> tuple[str, ...]:
    """Return the AWS profiles from the grant's profile to this one, the grant's first; empty if `name` is not in such a
    chain.

    `sections(name)` returns a profile's section of the AWS config. A circular chain, or one longer than _MOST, is empty
    too.
    """
    result = [name]
    while not is_grant(result[-1]):
        section = sections(result[-1])
        source = section.get("source_profile")
        if "role_arn" not in section or not isinstance(source, str):
            return ()
        if source in result or len(result) > _MOST:
            return ()
        result.append(source)
    return tuple(reversed(result)) if len(result) > 1 else ()


def further_role(name: str, section: Mapping[str, Any], *, source: Profile) -> Profile:
    """Return a profile for the role of this section, to be assumed from `source`'s session. Raises ProfileError."""
    role_arn, external_id = str(section.get("role_arn", "")), section.get("external_id")
    if not _ROLE.fullmatch(role_arn):
        raise _wrong(name, "role_arn", "is not the ARN of a role")
    if role_arn.split(":")[1] != source.partition:
        raise _wrong(name, "role_arn", f"is of another partition than the role of {source.name}")
    if "mfa_serial" in section:
        raise _wrong(name, "mfa_serial", "cannot be used: a role's session carries no MFA, so a code does not help")
    if external_id is not None:
        limits.check("external id", str(external_id))
    seconds = duration_of(name, section) or limits.CHAINED_SESSION_MAX
    return Profile(
        name=name,
        role_arn=role_arn,
        external_id=None if external_id is None else str(external_id),
        contractor=source.account,
        source_profile=source.source_profile,
        mfa=False,
        max_session=min(seconds, limits.CHAINED_SESSION_MAX),
        until=source.until,
        # What this role admits is not known: AWS decides.
        source_identity=True,
        session_tags=True,
        user_name=source.user_name,
        region=str(section.get("region") or "") or source.region,
        customer=source.customer,
    )


def duration_of(name: str, section: Mapping[str, Any]) -> int | None:
    """Return the session duration in seconds from the section of an AWS profile; None if it has none. Raises
    ProfileError."""
    if "duration_seconds" not in section:
        return None
    text = str(section["duration_seconds"])
    if not re.fullmatch("[0-9]{3,5}", text) or not limits.SESSION_MIN <= int(text) <= limits.SESSION_MAX:
        raise _wrong(name, "duration_seconds", "is not between 900 and 43200")
    return int(text)


def _wrong(name: str, setting: str, why: str) -> ProfileError:
    return ProfileError(
        f"{setting} of the profile {name} {why}",
        do="correct it in your AWS config",
        where=f"AWS config: [profile {json.dumps(name)[1:-1]}] {setting}",
    )
