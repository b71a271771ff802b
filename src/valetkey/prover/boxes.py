"""Sets of requests as boxes: for every dimension, a subset of its finitely many cells.

A statement is a conjunction of tests, each of one dimension, hence a box; a policy is a union of boxes less a union of
boxes. A side of a box is an int, bit i for cell i.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

Box = tuple[int, ...]
"""One mask for each dimension; a box with a 0 in it is empty."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a proof. At a limit the answer is `Unknown`, never a partial result."""

    seconds: float = 10.0
    steps: int = 200_000
    """Boxes that are cut, pairs that are compared."""
    states: int = 20_000
    """States of the automaton of one key's patterns, and cells of one dimension."""
    regions: int = 5_000


class TooLong(Exception):
    """A limit was reached; its text says which."""


@dataclass(slots=True)
class Budget:
    """What is left of the limits of one proof."""

    limits: Limits
    steps: int = 0
    known: dict[Any, list[str]] = field(default_factory=dict, repr=False)
    """Samples of patterns that were asked for before: of one account's callers, then of the next one's."""
    until: float = field(init=False)

    def __post_init__(self) -> None:
        self.until = time.monotonic() + self.limits.seconds

    def spend(self, steps: int = 1) -> None:
        """Steps of work: boxes that are cut, pairs that are compared. Raises TooLong."""
        before = self.steps
        self.steps += steps
        if self.steps > self.limits.steps:
            raise TooLong(f"it takes more than {self.limits.steps:,} steps")
        if before >> 8 != self.steps >> 8:
            self.check()

    def check(self) -> None:
        """Raises TooLong when the time is over."""
        if time.monotonic() > self.until:
            raise TooLong(f"it took more than {self.limits.seconds:g} seconds")


def meet(one: Box, other: Box) -> Box | None:
    """What is in both; None when that is nothing."""
    both = tuple(a & b for a, b in zip(one, other, strict=True))
    return both if all(both) else None


def within(one: Box, other: Box) -> bool:
    """Whether all of one is in the other."""
    return not any(a & ~b for a, b in zip(one, other, strict=True))


def rest(box: Box, taken: Sequence[Box], budget: Budget) -> Iterator[Box]:
    """What is left of a box when others are taken out, as boxes that do not overlap. Depth first: the first comes
    before the work for the others is done. Raises TooLong."""
    taken = [each for each in taken if meet(box, each)]
    todo: list[tuple[Box, int]] = [(box, 0)]
    while todo:
        left, at = todo.pop()
        while at < len(taken):
            cut = taken[at]
            at += 1
            if all(a & b for a, b in zip(left, cut, strict=True)):
                budget.spend()
                todo.extend((piece, at) for piece in _without(left, cut))
                break
        else:
            yield left


def _without(box: Box, cut: Box) -> Iterator[Box]:
    """The pieces of a box outside another that overlaps it."""
    for place, (have, out) in enumerate(zip(box, cut, strict=True)):
        if beyond := have & ~out:
            yield (*box[:place], beyond, *box[place + 1 :])
            box = (*box[:place], have & out, *box[place + 1 :])
