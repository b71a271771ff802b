"""Drift as sentences: what was changed on a role."""

from __future__ import annotations

from collections.abc import Iterable

from valetkey.trust import drift as names
from valetkey.trust.drift import BOUNDARY, END, INLINE, MANAGED, PINNED, RECORDED, SESSION, TRUST, Difference

RESTORABLE = frozenset({MANAGED, INLINE, BOUNDARY, SESSION})
"""The differences that the record is sufficient to correct: `valetkey change` corrects them."""


def changes(drift: Iterable[Difference]) -> tuple[str, ...]:
    """One sentence for each difference, without a full stop."""
    return tuple(map(_sentence, drift))


def is_restorable(drift: Iterable[Difference]) -> bool:
    """Whether `valetkey change` corrects all differences: the trust policy still has the agreed terms."""
    return all(difference.what in RESTORABLE | {PINNED} for difference in drift)


def is_readable(drift: Iterable[Difference]) -> bool:
    """Whether the trust policy is still in a form that valetkey writes, for the recorded contractor."""
    readable = RESTORABLE | {PINNED, END}
    return all(
        difference.what in readable or (difference.what, difference.agreed) == (TRUST, RECORDED) for difference in drift
    )


def _sentence(difference: Difference) -> str:
    agreed, result = difference.agreed, difference.found
    match difference:
        case Difference(names.TRUST, names.RECORDED):
            return "the trust policy was changed: it has other conditions or principals than were agreed"
        case Difference(names.TRUST):
            return "the trust policy was replaced by one that valetkey does not write"
        case Difference(names.PINNED):
            return f"pinned principals were {result}"
        case Difference(names.END):
            return f"the end in the trust policy was changed from {agreed} to {result}"
        case Difference(names.CONTRACTOR):
            return f"the contractor changed: {agreed} is recorded, and the trust policy names {result}"
        case Difference(names.MANAGED | names.INLINE, missing=True):
            return f"the {difference.what} {agreed} is missing"
        case Difference(names.MANAGED | names.INLINE, "none"):
            return f"the {difference.what} {result} was added"
        case Difference(names.MANAGED | names.INLINE):
            return f"the {difference.what} {agreed} was changed"
        case Difference(names.BOUNDARY, found="none"):
            return f"the permissions boundary {agreed} was removed"
        case Difference(names.BOUNDARY, "none"):
            return f"the permissions boundary {result} was set"
        case Difference(names.SESSION):
            return f"the longest session was changed from {agreed} s to {result} s"
        case _:
            return f"{difference.what}: recorded {agreed}, now {result}"
