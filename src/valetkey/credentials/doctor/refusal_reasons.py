"""Adds the most likely cause to every denial of a role, for all commands."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from valetkey.account.calls import AccessKeys
    from valetkey.credentials.profiles.profile import Profile
    from valetkey.credentials.sessions.tools import Tools


def quiet_keys(profile: Profile, tools: Tools) -> AccessKeys:
    """Return keys for reading our own account: those of an existing MFA session, else the base identity's. Makes no
    prompt."""
    from valetkey.credentials.sessions.protocols import NoTerminal

    if not profile.mfa or profile.mfa_serial is None or tools.base.session_token is not None:
        return tools.base

    def nobody(_: str, /, *, seconds: float, again: str = "") -> str:
        raise NoTerminal("nobody is asked")

    with contextlib.suppress(ValetkeyError):
        quiet = tools.asking(nobody)
        return quiet.mfa_session(profile.mfa_serial, max_age=profile.mfa_max_age, seconds=1.0).credentials
    return tools.base


@contextlib.contextmanager
def explained(profile: Profile, tools: Tools, region: str) -> Iterator[None]:
    """Add the most likely cause to a Refused that passes through. Makes calls only in that case, in `region`."""
    from valetkey.credentials.sessions.refusal_sides import RefusingSide, side_of
    from valetkey.credentials.sessions.refusals import OWNER_SIDE, UNKNOWN_SIDE, Refused, WrongCaller, owner_side

    try:
        yield
    except Refused as refused:
        is_ours = side_of(refused.denial) is RefusingSide.CALLER and not isinstance(refused, WrongCaller)
        if is_ours or refused.likely == UNKNOWN_SIDE:
            from valetkey.credentials.doctor.likely_cause import reason

            keys = quiet_keys(profile, tools)
            refused.likely = reason(
                profile,
                keys=keys,
                mfa=keys is not tools.base,
                region=region,
                perform=tools.connect(keys),
                clock=tools.clock,
                denial=refused.denial,
            )
        elif refused.likely == OWNER_SIDE:
            refused.likely = owner_side(profile, refused.denial)
        raise
