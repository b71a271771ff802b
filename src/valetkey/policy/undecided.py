"""The exception of an engine for a value that it does not know. It never uses a default.

Operators, kinds of callers and kinds of policies are closed sets. An engine handles them with `match`, whose last case
raises `not_known`: mypy reports a member without a case, and at run time the result is NotDecided.
"""

from __future__ import annotations

from typing import Never


class NotDecided(Exception):
    """The documents contain something that valetkey does not decide; the text says what."""


def not_known(value: Never, /) -> NotDecided:
    """For the last case of a `match` over a closed set, as `typing.assert_never`: `case never: raise not_known(never)`.
    mypy reports it when a member of the set has no case."""
    return NotDecided(f"valetkey does not know {str(value)!r}")
