"""How this room says no to a document, a request or an ARN."""

from __future__ import annotations

from valetkey.policy.problem import Problem


class PolicyError(Problem, ValueError):
    """A policy, request or ARN cannot be read, or AWS would refuse it.

    `where` is the place in the document as a JSON path ("$.Statement[1].Condition.StringEqualz"), or empty for a
    text that is no document. It never holds more than a short piece of the refused text.
    """


def shown(value: object, limit: int = 60) -> str:
    """A refused value, short enough for one sentence; control characters stay escaped."""
    text = ascii(value) if isinstance(value, str) else type(value).__name__
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"
