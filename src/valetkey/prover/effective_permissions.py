"""The effective permissions of a role: what its policies allow after its boundary and its explicit denies.

Rules:
- An explicit deny overrides every Allow (IAM User Guide, reference_policies_evaluation-logic).
- An action is open when the documents may allow it under some condition on some resource. `opening` overestimates: a
  Deny with a condition is ignored, the conditions of an Allow are taken as met, a policy variable in a resource matches
  anything. The same holds where AWS documents nothing (an empty NotAction or NotResource covers everything in an Allow
  and nothing in a Deny). SCPs and RCPs are not considered; they can only deny more.
- INVARIANT: the number of steps is limited. What was not evaluated then counts as open, and `undecided` says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from valetkey.catalog.actions import expand
from valetkey.catalog.outliving_credentials import OUTLIVES, Outliving
from valetkey.catalog.risky_actions import ESCALATES, HARMLESS, READS
from valetkey.policy.statements import Policy, Statement
from valetkey.prover.action_sets import LEVELS, covered, everything, index, levels, listed_by_aws, numbered
from valetkey.prover.boxes import Budget, Limits, TooLong
from valetkey.prover.pattern_pairs import covers, overlap


@dataclass(frozen=True)
class DataRead:
    """One kind of customer data that the role may read."""

    what: str
    actions: tuple[str, ...]
    policies: tuple[str, ...]
    """The names of the policies that allow it."""
    resources: tuple[tuple[str, ...], ...] = ()
    """The resources of each action, after the boundary."""
    conditions: tuple[str, ...] = ()
    """The condition keys of the statements that allow it; empty if one of them has no condition."""


@dataclass(frozen=True)
class Escalation:
    """One action that can give more permissions than the role has (privilege escalation)."""

    action: str
    way: str
    """The effect of the action, as a verb phrase."""
    policy: str
    statement: str
    """JSON path of the statement in the policy that allows it."""
    resources: tuple[str, ...]
    """The resources, after the boundary."""

    def __str__(self) -> str:
        return f"{self.action} on {', '.join(self.resources)} {self.way} ({self.policy}, {self.statement})"


@dataclass(frozen=True)
class Outlives:
    """One kind of credentials or sessions that the role may create and that a deny on the role does not end."""

    kind: Outliving
    actions: tuple[str, ...]
    """The open actions of this kind."""
    policies: tuple[str, ...]
    """The names of the policies that allow them."""


@dataclass(frozen=True)
class Opening:
    """What a role's policies allow, limited by its boundary and by unconditional denies."""

    levels: Mapping[str, int]
    """Number of open actions by AWS's access level: "List", "Read", "Tagging", "Write", "Permissions management"."""
    reads_data: tuple[DataRead, ...]
    escalations: tuple[Escalation, ...]
    outlives: tuple[Outlives, ...] = ()
    """Credentials and sessions that outlive a deny on the role, in the order of the catalogue."""
    undecided: str = ""
    """Why the evaluation is incomplete; empty when it is complete. What was not evaluated counts as open."""


def opening(
    policies: Sequence[tuple[str, Policy]],
    *,
    boundary: Policy | None,
    role_arn: str,
    own_denies: Sequence[Policy] = (),
    limits: Limits = Limits(),  # noqa: B008
) -> Opening:
    """Compute what these policies (name and document of kind identity) allow the role, under boundary and own denies.
    When `limits` are reached, the rest counts as open, and `undecided` says so."""
    cut = _Cut(policies, boundary, own_denies, Budget(limits))
    counts = dict.fromkeys(LEVELS, 0)
    for actions in cut.actions():
        for name, count in levels(actions).items():
            counts[name] += count
    reads = [read for what, patterns in READS.items() if (read := _reading(cut, what, patterns)) is not None]
    escalations = [
        Escalation(action, way, name, statement.where, resources)
        for way, patterns in ESCALATES.items()
        for action, opened in cut.open(_listed(patterns)).items()
        if action not in HARMLESS
        for name, statement, resources in opened
        if resources != (role_arn,) or action not in _ON_ITSELF
    ]
    return Opening(counts, tuple(reads), tuple(escalations), tuple(_outliving(cut)), cut.undecided)


def _reading(cut: _Cut, what: str, patterns: tuple[str, ...]) -> DataRead | None:
    result = cut.open(_listed(patterns))
    if not result:
        return None
    opened = [element for item in result.values() for element in item]
    keys = dict.fromkeys(condition.key for _, statement, _ in opened for condition in statement.conditions)
    return DataRead(
        what,
        tuple(result),
        tuple(dict.fromkeys(name for name, _, _ in opened)),
        tuple(tuple(dict.fromkeys(text for _, _, on in item for text in on)) for item in result.values()),
        tuple(keys) if all(statement.conditions for _, statement, _ in opened) else (),
    )


def open_actions(
    policies: Sequence[tuple[str, Policy]],
    *,
    boundary: Policy | None,
    limits: Limits = Limits(),  # noqa: B008
) -> tuple[frozenset[str], str]:
    """Every action that these policies may allow on some resource, lower-cased; and why the evaluation is incomplete
    ("" when it is complete). Only actions that AWS lists."""
    cut = _Cut(policies, boundary, (), Budget(limits))
    bits = 0
    for actions in cut.actions():
        bits |= actions
    return frozenset(action for action, number in index().items() if bits >> number & 1), cut.undecided


def _outliving(cut: _Cut) -> Iterator[Outlives]:
    for kind in OUTLIVES:
        result = cut.open(kind.actions)
        if result and len(cut.open(kind.needs)) == len(kind.needs):
            names = dict.fromkeys(name for item in result.values() for name, _, _ in item)
            yield Outlives(kind, tuple(result), tuple(names))


# A role that only itself may assume gains no permissions by it.
_ON_ITSELF = frozenset({"sts:AssumeRole"})


@lru_cache(maxsize=64)
def _listed(patterns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(action for pattern in patterns for action in expand(pattern)))


@dataclass(frozen=True)
class _Region:
    """A set of resources: those that `pattern` covers, minus those that `less` covers."""

    pattern: str
    less: tuple[str, ...] = ()


class _Row(NamedTuple):
    """The statements that cover an action, as bit masks."""

    allows: int = 0
    bounds: int = 0
    denies: int = 0


_Open = list[tuple[str, Statement, tuple[str, ...]]]


class _Cut:
    """Policies limited by a boundary and denies, evaluated action by action. Actions that the same statements cover
    form one class."""

    def __init__(
        self,
        policies: Sequence[tuple[str, Policy]],
        boundary: Policy | None,
        own_denies: Sequence[Policy],
        budget: Budget,
    ) -> None:
        self._budget, self.undecided = budget, ""
        self._allows = [(name, statement) for name, policy in policies for statement in policy.allows]
        self._bounds = list(boundary.allows) if boundary else None
        every = [policy for _, policy in policies] + list(own_denies) + ([boundary] if boundary else [])
        self._denies = [statement for policy in every for statement in policy.denies if not statement.conditions]
        try:
            self._covers = (
                _by_actions((statement for _, statement in self._allows), budget),
                _by_actions(self._bounds or (), budget),
                _by_actions(self._denies, budget),
            )
        except TooLong as reason:
            # Nothing was evaluated: all that the Allows may name counts as open.
            self.undecided = str(reason)
            self._covers = ([(everything(), (1 << len(self._allows)) - 1)], [], [])
            self._bounds, self._denies = None, []
        self._may = _union(self._covers[0])
        self._cases: dict[_Row, _Open] = {}

    def actions(self) -> Iterator[int]:
        """Yield the open actions that AWS lists, as disjoint bit masks."""
        for actions, row in self._classes():
            if row.allows and self._case(row):
                yield actions & listed_by_aws()

    def _classes(self) -> list[tuple[int, _Row]]:
        """The equivalence classes of actions that the same statements cover, as bit masks. At the limit of steps, one
        class with all actions, which count as open."""
        result = [(everything(), _Row())]
        for place, sets in enumerate(self._covers):
            for those, bits in sets:
                try:
                    self._budget.spend(1 + len(result) // 8)
                except TooLong as reason:
                    self.undecided = self.undecided or str(reason)
                    return [(self._may, _Row((1 << len(self._allows)) - 1))]
                both = [(actions & those, _with(row, place, bits)) for actions, row in result]
                result = [(actions & ~those, row) for actions, row in result] + both
                result = [item for item in result if item[0]]
        return result

    def open(self, actions: tuple[str, ...]) -> dict[str, _Open]:
        """The open ones of these actions. For each: policy name, statement and resources of every statement that
        allows it."""
        mask, numbers = numbered(actions)
        if not mask & self._may:
            return {}
        return {action: result for action, number in numbers.items() if (result := self._opened(number))}

    def _opened(self, number: int) -> _Open:
        if not self._may >> number & 1:
            return []
        row = [0, 0, 0]
        for place, sets in enumerate(self._covers):
            for those, bits in sets:
                if those >> number & 1:
                    row[place] |= bits
        return self._case(_Row(*row))

    def _case(self, row: _Row) -> _Open:
        if row not in self._cases:
            bounds = None if self._bounds is None else [self._bounds[n] for n in _ones(row.bounds)]
            denies = [self._denies[n] for n in _ones(row.denies)]
            result: _Open = []
            for number in _ones(row.allows):
                name, statement = self._allows[number]
                if left := self._left(statement, bounds, denies):
                    result.append((name, statement, left))
            self._cases[row] = result
        return self._cases[row]

    def _left(
        self, statement: Statement, bounds: Sequence[Statement] | None, denies: Sequence[Statement]
    ) -> tuple[str, ...]:
        """The resources of a statement after boundary and denies."""
        regions = _regions(statement)
        whole = tuple(dict.fromkeys(item.pattern for item in regions))
        if self.undecided:
            return whole
        try:
            if bounds is not None:
                limits = list(dict.fromkeys(region for bound in bounds for region in _regions(bound)))
                regions = list(dict.fromkeys(self._common(regions, limits)))
            left = [region.pattern for region in regions if not self._closed(region, denies)]
        except TooLong as reason:
            self.undecided = str(reason)
            return whole
        return tuple(dict.fromkeys(left))

    def _common(self, regions: Sequence[_Region], limits: Sequence[_Region]) -> Iterator[_Region]:
        for region in regions:
            for limit in limits:
                self._budget.spend(1 + len(region.less) + len(limit.less))
                if (common := _common(region, limit)) is not None:
                    yield common

    def _closed(self, region: _Region, denies: Sequence[Statement]) -> bool:
        self._budget.spend(1 + len(region.less))
        if any(covers(item, region.pattern) for item in region.less):
            return True
        for deny in denies:
            self._budget.spend(1 + len(deny.resources or ()))
            if _closes(deny, region.pattern):
                return True
        return False


def _with(row: _Row, place: int, bits: int) -> _Row:
    return _Row(*(item | bits if at == place else item for at, item in enumerate(row)))


def _by_actions(given: Iterable[Statement], budget: Budget) -> list[tuple[int, int]]:
    """Group statements by the actions that they cover: bit masks of actions, each with the mask of its statements."""
    masks: dict[tuple[tuple[str, ...], bool], int] = {}
    for number, statement in enumerate(given):
        key = (statement.actions, statement.not_action)
        masks[key] = masks.get(key, 0) | 1 << number
    result: dict[int, int] = {}
    for (patterns, negated), mask in masks.items():
        actions = _covered(patterns, negated, budget)
        result[actions] = result.get(actions, 0) | mask
    return list(result.items())


def _union(sets: Iterable[tuple[int, int]]) -> int:
    """The union of the first masks of the pairs whose second is not 0."""
    result = 0
    for bits, counts in sets:
        if counts:
            result |= bits
    return result


def _ones(mask: int) -> list[int]:
    return [match.start() for match in re.finditer("1", f"{mask:b}"[::-1])]


_VARIABLE = re.compile(r"\$\{[^}]*\}")


def _covered(patterns: tuple[str, ...], negated: bool, budget: Budget) -> int:
    """The actions that an Action or NotAction element covers. Raises TooLong."""
    for pattern in patterns:
        budget.spend(_PER_WIDE if pattern[:1] in "*?" or "*" in pattern.partition(":")[0] else _PER_SERVICE)
    return covered(patterns, negated)


# Steps for a pattern without a fixed service, which is compared with every action, and for any other.
_PER_WIDE, _PER_SERVICE = 2_000, 20


def _regions(statement: Statement) -> list[_Region]:
    resources = statement.resources or ()
    if statement.not_resource:
        return [_Region("*", tuple(resource for resource in resources if "${" not in resource))]
    # A variable may have any value, so it becomes a star.
    return [_Region(_VARIABLE.sub("*", resource)) for resource in resources]


def _common(one: _Region, other: _Region) -> _Region | None:
    """The intersection of two regions, or a superset of it if one pattern cannot express it. None when it is empty."""
    less = one.less + other.less
    if covers(other.pattern, one.pattern):
        return _Region(one.pattern, less)
    if covers(one.pattern, other.pattern):
        return _Region(other.pattern, less)
    return _Region(one.pattern, less) if overlap(one.pattern, other.pattern) else None


def _closes(deny: Statement, pattern: str) -> bool:
    """Whether an unconditional Deny denies everything that the pattern covers."""
    if deny.not_action and not deny.actions:
        return False
    resources = deny.resources or ()
    if deny.not_resource:
        return bool(resources) and not any(overlap(_VARIABLE.sub("*", resource), pattern) for resource in resources)
    return any(covers(resource, pattern) for resource in resources)
