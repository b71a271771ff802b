"""A person is asked for a code only after AWS has taken a call with the base identity's key.

Whose a key is may be known from an earlier day, so that the call with the code would be the first: a clock that is
wrong, or a key that was deactivated, would be found only after a code was typed for nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from valetkey.account.calls import Call, CallError, Keys, Perform
from valetkey.credentials.sessions.protocols import Base, Connect
from valetkey.credentials.sessions.refusals import explain


def call_first(base: Base, connect: Connect) -> tuple[Connect, Callable[[], None]]:
    """The same `connect`, and what to do before a person is asked: a call, when `connect` has made none that went well.

    The call is GetCallerIdentity, which needs no permission. It raises Refused.
    """
    went_well = False

    def connected(keys: Keys) -> Perform:
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
