"""A sorted index of one condition key's values along a dimension. A pattern is compared only with the values that have
its prefix. `key_partition` defines the meaning of a test; for the usual tests the index has the same result faster."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping

from valetkey.policy import operands
from valetkey.policy.conditions import silent
from valetkey.policy.globs import ANY, STAR
from valetkey.policy.operators import Comparison, Family
from valetkey.policy.variables import Keys
from valetkey.prover.automata import Glob
from valetkey.prover.key_tests import KeyTest, patterns


class ValueIndex:
    """The values of one key, each with the mask of the points that have it."""

    def __init__(self, key: str, points: Iterable[Keys]) -> None:
        self.absent = self.full = 0
        self.single = self.arns = True
        masks: dict[str, int] = {}
        for place, keys in enumerate(points):
            self.full |= 1 << place
            value = keys.get(key)
            if value is None:
                self.absent |= 1 << place
            elif isinstance(value, str):
                masks[value] = masks.get(value, 0) | 1 << place
            else:
                self.single = False
        self.masks: Mapping[str, int] = masks
        self.arns = all(map(operands.is_arn, masks))
        self.order = sorted(masks)

    def answer(self, asked: KeyTest) -> int | None:
        """The mask of the points for which a condition holds; None for a condition that the index does not support."""
        row = asked.condition.operator
        arn = row.family is Family.ARN
        usual = (arn or row.family is Family.TEXT) and row.comparison in (Comparison.EQUAL, Comparison.LIKE)
        if not (usual and self.single) or asked.condition.set_operator is not None:
            return None
        if asked.variables and any("${" in value for value in asked.condition.values):
            return None
        if silent(asked.condition, variables=asked.variables):
            return None
        globs = patterns(asked)
        if arn and not (self.arns and all(glob.text.count(":") >= 5 for glob in globs)):
            return None
        fits = 0
        for glob in globs:
            if glob.plain and glob.scope == "whole":
                fits |= self.masks.get(glob.text, 0)
            else:
                for value in self._beginning(_head(glob)):
                    if glob.fits(value):
                        fits |= self.masks[value]
        result = self.full & ~self.absent & ~fits if row.negated else fits
        return result | self.absent if asked.condition.if_exists or row.negated else result

    def _beginning(self, head: str) -> Iterator[str]:
        for place in range(bisect_left(self.order, head), len(self.order)):
            if not self.order[place].startswith(head):
                return
            yield self.order[place]


def _head(glob: Glob) -> str:
    """The text before the first wildcard."""
    ends = [place for sign in (STAR, ANY) if (place := glob.text.find(sign)) >= 0]
    return glob.text[: min(ends)] if ends else glob.text
