"""What a role's policies open once boundary and denies have cut them.

Rules:
- An explicit Deny wins over every Allow (IAM User Guide, reference_policies_evaluation-logic).
- `opening` answers from the documents alone what may be done at all: under some condition, on some resource. Where it
  is unsure it says "open": a Deny with a condition closes nothing, an Allow with one opens, a policy variable in a
  resource stands for anything. So it does where AWS documents nothing (an empty NotAction or NotResource opens
  everything in an Allow and closes nothing in a Deny). SCPs and RCPs are not seen; they could only close more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from valetkey.catalog.actions import expand, level
from valetkey.catalog.outliving_credentials import OUTLIVES, UNLISTED, Outliving
from valetkey.catalog.risky_actions import ESCALATES, HARMLESS, READS
from valetkey.policy.globs import compiled, matches, wild
from valetkey.policy.statements import Policy, Statement


@dataclass(frozen=True)
class Reading:
    """One kind of customers' data that can be read."""

    what: str
    actions: tuple[str, ...]
    policies: tuple[str, ...]
    """The names of the policies that open it."""


@dataclass(frozen=True)
class Escalation:
    """One action that reaches past the role."""

    action: str
    way: str
    """What it does, as a verb phrase."""
    policy: str
    statement: str
    """JSON path of the statement in the policy that allows it."""
    resources: tuple[str, ...]
    """On what, after the boundary."""

    def __str__(self) -> str:
        return f"{self.action} on {', '.join(self.resources)} {self.way} ({self.policy}, {self.statement})"


@dataclass(frozen=True)
class Outlives:
    """One kind of credentials or sessions that can be taken out, and that a deny on the role does not end."""

    kind: Outliving
    actions: tuple[str, ...]
    """Those of the kind's actions that are open."""
    policies: tuple[str, ...]
    """The names of the policies that open them."""


@dataclass(frozen=True)
class Opening:
    """What a role's policies open, cut by its boundary and by unconditional denies."""

    levels: Mapping[str, int]
    """Number of actions by AWS's access level: "List", "Read", "Tagging", "Write", "Permissions management"."""
    reads_data: tuple[Reading, ...]
    escalations: tuple[Escalation, ...]
    outlives: tuple[Outlives, ...] = ()
    """What can be taken out and outlives a deny on the role, in the order of the catalogue."""


def opening(
    policies: Sequence[tuple[str, Policy]],
    *,
    boundary: Policy | None,
    role_arn: str,
    own_denies: Sequence[Policy] = (),
) -> Opening:
    """What these policies (name and document of kind identity) open for the role, under boundary and own denies."""
    cut = _Cut(policies, boundary, own_denies)
    levels = dict.fromkeys(("List", "Read", "Tagging", "Write", "Permissions management"), 0)
    for action in cut.actions():
        levels[level(action) or "Write"] += 1
    reads = []
    for what, patterns in READS.items():
        found = {action: cut.open(action) for action in _listed(patterns)}
        if any(found.values()):
            names = dict.fromkeys(name for each in found.values() for name, _, _ in each)
            reads.append(Reading(what, tuple(action for action, each in found.items() if each), tuple(names)))
    escalations = [
        Escalation(action, way, name, statement.where, resources)
        for way, patterns in ESCALATES.items()
        for action in _listed(patterns)
        if action not in HARMLESS
        for name, statement, resources in cut.open(action)
        if resources != (role_arn,) or action not in _ON_ITSELF
    ]
    return Opening(levels, tuple(reads), tuple(escalations), tuple(_outliving(cut)))


def _outliving(cut: _Cut) -> Iterator[Outlives]:
    for kind in OUTLIVES:
        found = {action: cut.open(action) for action in kind.actions}
        actions = tuple(action for action, each in found.items() if each)
        if actions and all(cut.open(action) for action in kind.needs):
            names = dict.fromkeys(name for each in found.values() for name, _, _ in each)
            yield Outlives(kind, actions, tuple(names))


# A role that may be entered, or passed, by itself alone gains nothing that it has not.
_ON_ITSELF = frozenset({"sts:AssumeRole"})


@lru_cache(maxsize=64)
def _listed(patterns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(action for pattern in patterns for action in expand(pattern)))


@dataclass(frozen=True)
class _Region:
    """Resources: what the pattern covers, less what the others cover."""

    pattern: str
    less: tuple[str, ...] = ()


class _Cut:
    """Policies under a boundary and denies, asked action by action."""

    def __init__(
        self, policies: Sequence[tuple[str, Policy]], boundary: Policy | None, own_denies: Sequence[Policy]
    ) -> None:
        self._allows = [(name, each, _covered(each)) for name, policy in policies for each in policy.allows]
        self._open = frozenset[str]().union(*(covered for _, _, covered in self._allows))
        self._bounds = [(each, _covered(each)) for each in boundary.allows] if boundary else None
        every = [policy for _, policy in policies] + list(own_denies) + ([boundary] if boundary else [])
        self._denies = [(each, _covered(each)) for policy in every for each in policy.denies if not each.conditions]
        self._known: dict[tuple[Any, ...], tuple[str, ...]] = {}

    def actions(self) -> Iterator[str]:
        """Every action that AWS lists and these policies open on anything, lower-cased."""
        listed = self._open - _UNLISTED
        if self._bounds is None and not self._denies and all(each.resources for _, each, _ in self._allows):
            return iter(listed)  # nothing cuts
        return (action for action in listed if self.open(action))

    def open(self, action: str) -> list[tuple[str, Statement, tuple[str, ...]]]:
        """The statements that allow the action (with the policy's name), and on which resources."""
        lowered = action.lower()
        if lowered not in self._open:
            return []
        reaching = [
            (number, name, each) for number, (name, each, covered) in enumerate(self._allows) if lowered in covered
        ]
        bounds = tuple(number for number, (_, covered) in enumerate(self._bounds or ()) if lowered in covered)
        denies = tuple(number for number, (_, covered) in enumerate(self._denies) if lowered in covered)
        found = []
        for number, name, statement in reaching:
            key = (number, bounds, denies)
            if key not in self._known:
                self._known[key] = self._left(statement, bounds, denies)
            if self._known[key]:
                found.append((name, statement, self._known[key]))
        return found

    def _left(self, statement: Statement, bounds: Sequence[int], denies: Sequence[int]) -> tuple[str, ...]:
        """What is left of a statement's resources."""
        regions = _regions(statement)
        if self._bounds is not None:
            limits = [region for number in bounds for region in _regions(self._bounds[number][0])]
            regions = [common for one in regions for other in limits if (common := _common(one, other)) is not None]
        left = [
            region.pattern
            for region in regions
            if not any(_covers(each, region.pattern) for each in region.less)
            and not any(_closes(self._denies[number][0], region.pattern) for number in denies)
        ]
        return tuple(dict.fromkeys(left))


_UNLISTED = frozenset(action.lower() for action in UNLISTED)


def _covered(statement: Statement) -> frozenset[str]:
    """The listed actions that a statement covers, lower-cased, and those of `UNLISTED`."""
    return _actions(statement.actions, statement.not_action)


@lru_cache(maxsize=1024)
def _actions(patterns: tuple[str, ...], negated: bool) -> frozenset[str]:
    if not patterns:
        return _every() if negated else frozenset()
    named = frozenset(action.lower() for pattern in patterns for action in expand(pattern))
    fits = [compiled(wild(pattern.lower())) for pattern in patterns]
    named |= {action for action in _UNLISTED if any(fit(action) for fit in fits)}
    return _every() - named if negated else named


@lru_cache(maxsize=1)
def _every() -> frozenset[str]:
    return frozenset(action.lower() for action in expand("*")) | _UNLISTED


def _regions(statement: Statement) -> list[_Region]:
    resources = statement.resources or ()
    if statement.not_resource:
        return [_Region("*", tuple(each for each in resources if "${" not in each))]
    # A variable may stand for anything, hence a star.
    return [_Region(re.sub(r"\$\{[^}]*\}", "*", each)) for each in resources]


def _common(one: _Region, other: _Region) -> _Region | None:
    """What two regions share, or more than that where it cannot be said with one pattern."""
    less = one.less + other.less
    if _covers(other.pattern, one.pattern):
        return _Region(one.pattern, less)
    if _covers(one.pattern, other.pattern):
        return _Region(other.pattern, less)
    return _Region(one.pattern, less) if _overlap(one.pattern, other.pattern) else None


def _closes(deny: Statement, pattern: str) -> bool:
    """Whether an unconditional Deny denies everything that the pattern covers."""
    if deny.not_action and not deny.actions:
        return False
    resources = deny.resources or ()
    if deny.not_resource:
        return bool(resources) and not any(_overlap(re.sub(r"\$\{[^}]*\}", "*", each), pattern) for each in resources)
    return any(_covers(each, pattern) for each in resources)


_LITERAL = re.compile(r"\$\{([*?$])\}")


def _covers(wide: str, narrow: str) -> bool:
    """Whether every ARN that `narrow` covers is covered by `wide` for sure. False is always a safe answer."""
    if wide == "*" or wide == narrow:
        return True
    if "${" in _LITERAL.sub("", wide):
        return False
    if "?" in wide and "*" in narrow:
        return False
    one, other = wide.split(":", 5), narrow.split(":", 5)
    if len(one) == len(other) == 6 and all(_piece(a, b) for a, b in zip(one, other, strict=True)):
        return True
    # A star at the very end also reaches beyond colons.
    head = wide[:-1]
    return wide.endswith("*") and not set("*?$") & set(head) and narrow.startswith(head)


def _piece(wide: str, narrow: str) -> bool:
    """`matches`, the wildcards of `narrow` being characters like others: only a star of `wide` can take them."""
    if _LITERAL.search(wide):
        return _LITERAL.sub(r"\1", wide) == narrow
    return matches(wide, narrow)


def _overlap(one: str, other: str) -> bool:
    """Whether some text fits both patterns."""
    reached = {0}
    for char in one:
        following: set[int] = set()
        if char == "*":
            following = set(range(min(reached), len(other) + 1)) if reached else set()
        else:
            for at in _past_stars(other, reached):
                if at < len(other) and (other[at] == "*" or char == "?" or other[at] in ("?", char)):
                    following.add(at if other[at] == "*" else at + 1)
        reached = following
    return len(other) in _past_stars(other, reached)


def _past_stars(pattern: str, places: set[int]) -> set[int]:
    found = set(places)
    for at in sorted(places):
        while at < len(pattern) and pattern[at] == "*":
            at += 1
            found.add(at)
    return found
