"""What an engine answers to something that it does not know: that it is not decided, never a default.

Operators, kinds of callers and kinds of policies are closed sets. An engine takes them apart with `match`, and ends in
`not_known`: a member that it does not name fails in mypy, and at run time the question is not decided.
"""

from __future__ import annotations

from typing import Never


class NotDecided(Exception):
    """The documents ask something that is not decided here; the text says what."""


def not_known(value: Never, /) -> NotDecided:
    """For the last case of a `match` over a closed set, as `typing.assert_never`: `case never: raise not_known(never)`.
    mypy refuses it where a member of the set is left."""
    return NotDecided(f"valetkey does not know {str(value)!r}")
