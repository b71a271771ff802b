"""Prompt for a code only after AWS has accepted a call with the base identity's key.

The owner of a key may be cached from an earlier day, so the call with the code would be the first. A wrong clock or a
deactivated key would then be found only after the person entered a code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from valetkey.account.calls import AccessKeys, Call, CallError, Perform
from valetkey.credentials.sessions.protocols import Base, Connect
from valetkey.credentials.sessions.refusals import explain


def call_first(base: Base, connect: Connect) -> tuple[Connect, Callable[[], None]]:
    """Return a `connect` that works the same, and a function to call before a prompt: it makes a call unless `connect`
    has made a successful one.

    The call is GetCallerIdentity, which needs no permission. It raises Refused.
    """
    went_well = False

    def connected(keys: AccessKeys) -> Perform:
        perform = connect(keys)

        def performed(call: Call, /) -> dict[str, Any]:
            nonlocal went_well
            answer = perform(call)
            went_well = True
            return answer

        return performed

    def before() -> None:
        if not went_well:
            try:
                connected(base)(Call("sts", "get_caller_identity"))
            except CallError as error:
                raise explain(error) from None

    return connected, before
