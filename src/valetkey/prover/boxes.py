"""Sets of requests as boxes. A box has, for every dimension, a subset of the dimension's finitely many cells.

A statement is a conjunction of tests, each on one dimension, so it is a box. A policy is a union of boxes minus a union
of boxes. A side of a box is an int bit mask: bit i is cell i.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

Box = tuple[int, ...]
"""One mask for each dimension. A box with a mask 0 is empty."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a proof. When a limit is reached the result is `Unknown`, never a partial result."""

    seconds: float = 10.0
    steps: int = 200_000
    """Number of boxes that are split and pairs that are compared."""
    states: int = 20_000
    """Number of states of the automaton of one key's patterns, and of cells of one dimension."""
    regions: int = 5_000


class TooLong(Exception):
    """A limit was reached; its text says which."""


@dataclass(slots=True)
class Budget:
    """The work that one proof has done, and its limits."""

    limits: Limits
    steps: int = 0
    known: dict[Any, list[str]] = field(default_factory=dict, repr=False)
    """Cache of `key_partition.samples`: each account's callers need the same samples."""
    until: float = field(init=False)

    def __post_init__(self) -> None:
        self.until = time.monotonic() + self.limits.seconds

    def spend(self, steps: int = 1) -> None:
        """Count steps: boxes that are split, pairs that are compared. Raises TooLong at a limit."""
        before = self.steps
        self.steps += steps
        if self.steps > self.limits.steps:
            raise TooLong(f"it takes more than {self.limits.steps:,} steps")
        if before >> 8 != self.steps >> 8:
            self.check()

    def check(self) -> None:
        """Raise TooLong when the time limit has passed."""
        if time.monotonic() > self.until:
            raise TooLong(f"it took more than {self.limits.seconds:g} seconds")


def meet(one: Box, other: Box) -> Box | None:
    """The intersection of two boxes, or None when it is empty."""
    both = tuple(a & b for a, b in zip(one, other, strict=True))
    return both if all(both) else None


def within(one: Box, other: Box) -> bool:
    """Whether `one` is a subset of `other`."""
    return not any(a & ~b for a, b in zip(one, other, strict=True))


def rest(box: Box, taken: Sequence[Box], budget: Budget) -> Iterator[Box]:
    """Subtract boxes from a box. Yields boxes that do not overlap, depth first: the first is available before the work
    for the others is done. Raises TooLong."""
    taken = [item for item in taken if meet(box, item)]
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
    """Yield the pieces of a box outside another box that overlaps it."""
    for place, (have, out) in enumerate(zip(box, cut, strict=True)):
        if beyond := have & ~out:
            yield (*box[:place], beyond, *box[place + 1 :])
            box = (*box[:place], have & out, *box[place + 1 :])
