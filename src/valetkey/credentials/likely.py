"""The most likely reason of a refused AssumeRole, in one sentence: AWS gives none.

AWS answers the same AccessDenied for our own account and for the owner's; so our own policies are read, and decided.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from valetkey.account.calls import Call, CallError, Perform
from valetkey.credentials.broker import Keys, role_call
from valetkey.credentials.identity import identify
from valetkey.credentials.ownside import context_of, read_own_side
from valetkey.credentials.profiles import Profile
from valetkey.credentials.refusals import UNKNOWN_SIDE
from valetkey.policy.problem import Problem

_SECONDS = 8.0
"""For reading our own policies: who waits for credentials has no more time for a reason."""


def reason(
    profile: Profile, *, keys: Keys, mfa: bool, region: str, perform: Perform, clock: Callable[[], datetime]
) -> str:
    """Why AWS refused this profile's role to these keys, most likely. `perform` makes calls with them, or with others
    of the same identity. Raises nothing; calls for some seconds at most."""
    end = clock().timestamp() + _SECONDS

    def in_time(call: Call, /) -> dict[str, object]:
        if clock().timestamp() > end:
            raise CallError(call, "TimedOut", "there is no time left")
        return perform(call)

    try:
        own = read_own_side(in_time, identify(in_time))
        context = context_of(role_call(profile, keys).params, mfa=mfa, region=region, now=clock())
    except Problem:
        return UNKNOWN_SIDE
    return sentence(*own.judge(context, profile.role_arn))


def sentence(allowed: bool | None, why: str) -> str:
    """The reason, by what `OwnSide.judge` says of our own account."""
    if allowed is None:
        return UNKNOWN_SIDE
    if not allowed:
        return f"your own account does not allow you this call: {why}"
    return (
        "the owner has changed or ended the grant, or the role is too new to be visible yet: your own account allows "
        "the call"
    )
