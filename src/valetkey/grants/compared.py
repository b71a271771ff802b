"""Compare two sets of permissions: by proof in both directions, and as lists of actions.

The denies that valetkey puts on a role are left out on both sides: they belong to the grant and are not part of the
chosen permissions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from valetkey.grants.consolidated import AccessKind, by_service, opened_by
from valetkey.grants.effective import Effective
from valetkey.prover.comparison import Within, within

Relation = Literal["the same", "less", "more", "neither", "unknown"]


@dataclass(frozen=True)
class Compared:
    """What each side allows and the other does not."""

    one: str
    other: str
    only_one: Mapping[str, Mapping[AccessKind, tuple[str, ...]]]
    """Actions that the first allows and the other never allows, by service and kind."""
    only_other: Mapping[str, Mapping[AccessKind, tuple[str, ...]]]
    one_within: Within
    """Whether the first allows nothing that the other does not."""
    other_within: Within
    unread: tuple[str, ...]
    """Policies of either side that could not be read; then nothing is proved."""

    @property
    def relation(self) -> Relation:
        """The relation of the first to the other. "less" and "more" are proved in one direction and refuted in the
        other."""
        mine, theirs = self.one_within, self.other_within
        if self.unread:
            return "unknown"
        if mine.holds and theirs.holds:
            return "the same"
        if mine.beyond and theirs.beyond:
            return "neither"
        if mine.holds and theirs.beyond:
            return "less"
        if theirs.holds and mine.beyond:
            return "more"
        return "unknown"


def compare(one: Effective, other: Effective) -> Compared:
    """Compare what two sets of policies allow to the role of the first. Raises InternalError."""
    mine, theirs = one.without_own(), other.without_own()
    had, has = opened_by(mine.sides)[0], opened_by(theirs.sides)[0]
    return Compared(
        one=one.name,
        other=other.name,
        only_one=by_service(had - has),
        only_other=by_service(has - had),
        one_within=within(mine.sides, theirs.sides, caller=one.role_arn),
        other_within=within(theirs.sides, mine.sides, caller=one.role_arn),
        unread=tuple(f"{item.name}: {unread}" for item in (one, other) for unread in item.unread),
    )
