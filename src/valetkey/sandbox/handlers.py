"""Wrappers around the emulator's IAM operations.

Replaces: entries of ministack's `services.iam._IAM_HANDLERS`, each by a wrapper that is given here.
"""

from __future__ import annotations

from collections.abc import Callable
from xml.sax.saxutils import escape

Params = dict[str, list[str]]
Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[Params], Answer]


def around(operation: str, rule: Callable[[Handler, Params], Answer]) -> None:
    """Let `rule(handler, params)` answer `operation`. It may call the previous handler."""
    from ministack.services import iam

    handler: Handler = iam._IAM_HANDLERS[operation]
    iam._IAM_HANDLERS[operation] = lambda params: rule(handler, params)


def param(params: Params, name: str) -> str:
    """A parameter, "" if it was not sent."""
    values = params.get(name) or [""]
    return values[0] if isinstance(values, list) else values


def refuse(status: int, code: str, message: str) -> Answer:
    """Return an IAM error response."""
    from ministack.services import iam

    answer: Answer = iam._error(status, code, escape(message), ns="iam")
    return answer
