"""Every refusal of a role ends with its most likely reason, whichever command met it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from valetkey.cli._entry import Entry
    from valetkey.credentials.sessions.broker import Keys


def quiet_keys(entry: Entry) -> Keys:
    """Keys for reading one's own account: an MFA session's when one is there, else the base identity's. Asks nobody."""
    from valetkey.credentials.sessions.broker import NoTerminal, mfa_session

    profile = entry.profile
    if not profile.mfa or profile.mfa_serial is None or entry.base.session_token is not None:
        return entry.base

    def nobody(_: str, /, *, seconds: float, again: str = "") -> str:
        raise NoTerminal("nobody is asked")

    with contextlib.suppress(ValetkeyError):
        tools = {**entry.tools(), "ask": nobody}
        return mfa_session(serial=profile.mfa_serial, max_age=profile.mfa_max_age, seconds=1.0, **tools).credentials
    return entry.base


@contextlib.contextmanager
def explained(entry: Entry) -> Iterator[None]:
    """Give a refusal that passes through its most likely reason. Makes calls only then."""
    from valetkey.credentials.sessions.refusal_sides import Side, side_of
    from valetkey.credentials.sessions.refusals import UNKNOWN_SIDE, Refused, WrongCaller

    try:
        yield
    except Refused as refused:
        is_ours = side_of(refused.denial) is Side.CALLER and not isinstance(refused, WrongCaller)
        if is_ours or refused.likely == UNKNOWN_SIDE:
            from valetkey.cli._entry import clock
            from valetkey.credentials.doctor.likely_cause import reason

            keys = quiet_keys(entry)
            refused.likely = reason(
                entry.profile,
                keys=keys,
                mfa=keys is not entry.base,
                region=entry.base.region,
                perform=entry.base.connect(keys),
                clock=clock,
                denial=refused.denial,
            )
        raise
