"""The most likely cause of a denied AssumeRole, as one sentence.

If AWS names no policy, our own policies are read and evaluated, to find out which side denied the call. If AWS names
one of ours, they are read too, to find the statement.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from valetkey.account.calls import AccessKeys, Call, CallError, Perform
from valetkey.account.denial import Denial
from valetkey.credentials.doctor.caller_policies import context_of, read_own_side
from valetkey.credentials.profiles.identity import identify
from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.sessions.refusal_sides import RefusingSide, says, side_of
from valetkey.credentials.sessions.refusals import owner_side, unknown_side
from valetkey.credentials.sessions.roles import role_call
from valetkey.errors import ValetkeyError

_SECONDS = 8.0
"""Time for reading our own policies: a caller that waits for credentials has no more time for a cause."""


def reason(
    profile: Profile,
    *,
    keys: AccessKeys,
    mfa: bool,
    region: str,
    perform: Perform,
    clock: Callable[[], datetime],
    denial: Denial | None = None,
) -> str:
    """Return the most likely cause why AWS denied this profile's role to these keys; `denial` is the parsed message.
    `perform` makes calls with these keys, or with others of the same identity. Raises nothing; takes at most some
    seconds."""
    end = clock().timestamp() + _SECONDS

    def in_time(call: Call, /) -> dict[str, object]:
        if clock().timestamp() > end:
            raise CallError(call, "TimedOut", "the time for this check is used up")
        return perform(call)

    try:
        own = read_own_side(in_time, identify(in_time))
        context = context_of(role_call(profile, keys).params, mfa=mfa, region=region, now=clock())
    except ValetkeyError:
        return sentence(profile, None, "", denial)
    return sentence(profile, *own.judge(context, profile.role_arn), denial)


def sentence(profile: Profile, allowed: bool | None, why: str, denial: Denial | None = None) -> str:
    """Return the cause: from AWS's message, or if that names no policy, from the result of `OwnSide.judge` for our own
    account."""
    side = side_of(denial)
    if denial is not None and side is RefusingSide.OWNER:
        return f"{owner_side(profile, denial)}: {says(denial)}"
    if denial is not None and side is RefusingSide.NETWORK:
        return says(denial)
    if allowed is False:
        return f"your own account does not allow you this call: {why}"
    if denial is not None and side is RefusingSide.CALLER:
        doubt = "; what can be read of them allows the call, so they may have changed just now" if allowed else ""
        return f"your own account does not allow you this call: {says(denial)}{doubt}"
    if allowed is None or side is RefusingSide.UNKNOWN:
        return unknown_side(profile)
    return f"{owner_side(profile)}: your own account allows the call"
