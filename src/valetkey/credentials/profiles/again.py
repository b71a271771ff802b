"""Advice on how to set up a profile again: from a handoff, from a typed role, or by import, as the first time."""

from __future__ import annotations

from typing import assert_never

from valetkey.commandline import command, option
from valetkey.credentials.profiles.profile import Profile, TermsOrigin

SET_UP_AGAIN = (
    "set up the profile again as you did first (`valetkey accept`, or `valetkey forget NAME --restore` and `import`)"
)
"""The advice if the profile is not known."""


def set_up_again(profile: Profile, *, then: str = "", change: str = "") -> str:
    """Return the advice, without a full stop. `then` are further options of `accept`; `change` describes the same
    change for a section of the AWS config, such as "with another mfa_serial"."""
    name = profile.name
    match profile.origin:
        case TermsOrigin.HANDOFF:
            handoff = ("valetkey accept FILE", option("--name", name), then)
            return f"accept the handoff again: `{' '.join(filter(None, handoff))}`"
        case TermsOrigin.TYPED:
            external_id = "--external-id ID" if profile.external_id is not None else ""
            role = option("--role", profile.role_arn)
            words = ("valetkey accept", role, external_id, option("--name", name), then)
            return f"accept the role again: `{' '.join(filter(None, words))}`"
        case TermsOrigin.IMPORTED:
            edit = f"set the section right{f' ({change})' if change else ''}"
            return (
                f"put the section back (`{command('valetkey forget', name, then='--restore')}`), {edit}, and import it "
                f"again (`{command('valetkey import', name)}`)"
            )
        case _:
            assert_never(profile.origin)
