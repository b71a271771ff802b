"""What was changed on a role since it was agreed, in words."""

from __future__ import annotations

from collections.abc import Iterable

from valetkey.trust.drift import PINNED, TRUST, Difference

MANAGED, INLINE, BOUNDARY, SESSION = "managed policy", "inline policy", "boundary", "session limit (s)"
END, RECORDED = "end in the trust policy", "the recorded terms"
RESTORABLE = frozenset({MANAGED, INLINE, BOUNDARY, SESSION})
"""The differences that the record is enough to correct: `valetkey change` corrects them."""


def changes(drift: Iterable[Difference]) -> tuple[str, ...]:
    """A sentence for each difference, without the full stop."""
    return tuple(map(_sentence, drift))


def is_restorable(drift: Iterable[Difference]) -> bool:
    """Whether `valetkey change` corrects all differences: the trust policy still has the agreed terms."""
    return all(each.what in RESTORABLE or each.what == PINNED for each in drift)


def is_readable(drift: Iterable[Difference]) -> bool:
    """Whether the trust policy still is one that valetkey writes, for the contractor that was agreed."""
    readable = RESTORABLE | {PINNED, END}
    return all(each.what in readable or (each.what == TRUST and each.agreed == RECORDED) for each in drift)


def _sentence(each: Difference) -> str:
    what, agreed, found = each.what, each.agreed, each.found
    if what == TRUST and agreed == RECORDED:
        return "the trust policy was changed: it has other conditions or principals than were agreed"
    if what == TRUST:
        return "the trust policy was replaced by one that valetkey does not write"
    if what == PINNED:
        return f"pinned principals were {found}"
    if what == END:
        return f"the end in the trust policy was changed from {agreed} to {found}"
    if what == "contractor":
        return f"the contractor changed: {agreed} is recorded, and the trust policy names {found}"
    if what in (MANAGED, INLINE):
        policy = f"the {what}"
        if each.missing:
            return f"{policy} {agreed} is missing"
        if agreed == "none":
            return f"{policy} {found} was added"
        return f"{policy} {agreed} was changed"
    if what == BOUNDARY and found == "none":
        return f"the permissions boundary {agreed} was removed"
    if what == BOUNDARY and agreed == "none":
        return f"the permissions boundary {found} was set"
    if what == SESSION:
        return f"the longest session was changed from {agreed} s to {found} s"
    return f"{what}: recorded {agreed}, now {found}"
