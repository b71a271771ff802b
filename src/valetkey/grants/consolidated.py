"""A role's policies and its boundary as one policy, and the actions that they allow, by service and kind of access.

Rules:
- `consolidated` combines Allows with the same resources and conditions, and intersects them with the boundary. The
  document is for people; `prover.comparison.within` proves in both directions how exact it is.
- What cannot be expressed in one statement (two tests of one key with one operator, patterns that only overlap) is
  written wider, never narrower.
- The kinds are AWS's access levels (Service Authorization Reference), with two differences: Tagging is write, and
  `catalog.risky_actions.READS` splits Read into customers' data and metadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import product
from typing import Any, Literal, get_args

from valetkey.catalog.actions import expand, level, listed
from valetkey.catalog.risky_actions import READS
from valetkey.grants.effective import Effective
from valetkey.policy import parse_policy
from valetkey.policy.globs import compiled, has_wildcard, wild
from valetkey.policy.statements import Statement
from valetkey.prover.comparison import Within, within
from valetkey.prover.effective_permissions import open_actions
from valetkey.prover.pattern_pairs import covers, overlap
from valetkey.prover.specialized import Sides, with_known
from valetkey.trust.record import instant

AccessKind = Literal["list", "read metadata", "read data", "write", "permissions"]
ACCESS_KINDS: tuple[AccessKind, ...] = get_args(AccessKind)
_Tests = tuple[tuple[str, str, tuple[str, ...]], ...]
"""Operator, key and values of each condition."""


@dataclass(frozen=True)
class Summary:
    """The actions that are allowed on some resource under some condition."""

    services: Mapping[str, Mapping[AccessKind, tuple[str, ...]]]
    """Actions by service (its prefix in IAM) and kind, in AWS's spelling."""
    undecided: str = ""
    """Why the policies were not fully analyzed; actions that were not analyzed count as allowed."""

    def counts(self) -> dict[AccessKind, int]:
        """Return the number of actions of each kind."""
        return {kind: sum(len(service.get(kind, ())) for service in self.services.values()) for kind in ACCESS_KINDS}


def summary(effective: Effective, *, now: datetime) -> Summary:
    """Return all actions that a session of the role may perform, if it starts at `now` (aware) and acts at that
    time."""
    known = dict.fromkeys(("aws:currenttime", "aws:tokenissuetime"), str(instant(now)))
    opened, undecided = opened_by(with_known(effective.sides, known))
    return Summary(by_service(opened), undecided)


def opened_by(sides: Sides) -> tuple[frozenset[str], str]:
    """Return every listed action, lower-cased, that is allowed on some resource under some condition; and why that was
    not fully analyzed, or empty."""
    return open_actions([("", policy) for policy in sides.identity], boundary=sides.boundary)


def by_service(actions: Iterable[str]) -> dict[str, dict[AccessKind, tuple[str, ...]]]:
    """Group actions by service and kind, in order."""
    result: dict[str, dict[AccessKind, list[str]]] = {}
    for action in sorted(actions):
        service = result.setdefault(action.partition(":")[0], {})
        service.setdefault(kind_of(action), []).append(listed(action) or action)
    return {
        service: {kind: tuple(kinds[kind]) for kind in ACCESS_KINDS if kind in kinds}
        for service, kinds in result.items()
    }


def kind_of(action: str) -> AccessKind:
    """Return the kind of access of an action. An action without an AWS access level is write."""
    match level(action):
        case "Permissions management":
            return "permissions"
        case _ if action.lower() in _data():
            return "read data"
        case "List":
            return "list"
        case "Read":
            return "read metadata"
        case "Write" | "Tagging" | None:
            return "write"


@lru_cache(maxsize=1)
def _data() -> frozenset[str]:
    return frozenset(
        action.lower() for patterns in READS.values() for pattern in patterns for action in expand(pattern)
    )


@dataclass(frozen=True)
class Rule:
    """One Allow or Deny statement, as values."""

    actions: tuple[str, ...]
    not_action: bool
    resources: tuple[str, ...]
    not_resource: bool
    tests: _Tests


@dataclass(frozen=True)
class Consolidated:
    """One policy, and how it compares to the role's policies, by proof."""

    document: dict[str, Any]
    covers: Within
    """Whether it allows everything that the role's policies allow."""
    exact: Within
    """Whether it allows nothing that they do not allow."""


def consolidate(effective: Effective) -> Consolidated:
    """Return the role's policies as one, proved in both directions. Raises InternalError."""
    document = consolidated(effective)
    alone = Sides((parse_policy(document, kind="identity"),))
    return Consolidated(
        document,
        covers=within(effective.sides, alone, caller=effective.role_arn),
        exact=within(alone, effective.sides, caller=effective.role_arn),
    )


def consolidated(effective: Effective) -> dict[str, Any]:
    """Return one identity policy that allows what the role's policies allow under its boundary, or more according to
    the module's rules."""
    boundary = effective.boundary
    policies = [item.policy for item in effective.policies]
    allows = [taken_apart(statement) for policy in policies for statement in policy.allows]
    if boundary is not None:
        limits = [taken_apart(statement) for statement in boundary.policy.allows]
        allows = [both for rule, element in product(allows, limits) if (both := _both(rule, element)) is not None]
    denies = [
        statement for policy in (*policies, *([boundary.policy] if boundary else [])) for statement in policy.denies
    ]
    return as_document(merged(allows), map(taken_apart, denies))


def as_document(allows: Iterable[Rule], denies: Iterable[Rule]) -> dict[str, Any]:
    """Return a policy with these rules. Without rules it denies everything, because AWS accepts no policy without a
    statement."""
    statements = [statement_json("Allow", rule) for rule in allows]
    statements += [statement_json("Deny", rule) for rule in dict.fromkeys(denies)]
    nothing = [{"Effect": "Deny", "Action": "*", "Resource": "*"}]
    return {"Version": "2012-10-17", "Statement": statements or nothing}


def merged(allows: Iterable[Rule]) -> Iterator[Rule]:
    """Combine Allows with the same resources and conditions; their actions are sorted and unique."""
    groups: dict[tuple[Any, ...], list[str]] = {}
    for rule in allows:
        key = (rule.not_action and rule.actions, rule.resources, rule.not_resource, rule.tests)
        groups.setdefault(key, []).extend(rule.actions)
    for (negated, resources, not_resource, tests), actions in groups.items():
        plain = actions if negated else least(actions)
        yield Rule(tuple(dict.fromkeys(plain)), bool(negated), resources, not_resource, tests)


def least(patterns: Sequence[str]) -> list[str]:
    """Return the patterns of actions without those that another one covers, sorted."""
    given = {pattern.lower(): pattern for pattern in patterns}
    wide = {item: compiled(wild(item)) for item in given if has_wildcard(item)}
    kept = [
        spelt
        for text, spelt in given.items()
        if not any(item != text and _takes(item, text) and fits(text) for item, fits in wide.items())
    ]
    return sorted(kept, key=str.lower)


def _takes(wide: str, narrow: str) -> bool:
    """Whether a match of the narrow pattern as text means that the wide one covers it. To the wide pattern a wildcard
    of the other is a plain character, and only a `*` can match it."""
    return "?" not in wide or not has_wildcard(narrow)


def taken_apart(statement: Statement) -> Rule:
    def escaped(texts: Iterable[str]) -> tuple[str, ...]:
        return tuple(text if statement.variables else text.replace("${", "${$}{") for text in texts)

    tests = tuple((condition.name, condition.key, escaped(condition.values)) for condition in statement.conditions)
    resources = tuple(sorted(set(escaped(statement.resources or ()))))
    return Rule(statement.actions, statement.not_action, resources, statement.not_resource, tests)


def _both(one: Rule, other: Rule) -> Rule | None:
    """Intersect two Allows; wider if the intersection cannot be expressed in one statement; None if it is empty."""
    actions, negated = _both_actions(one, other)
    resources, not_resource = _both_resources(one, other)
    if (not actions and not negated) or not resources:
        return None
    tests = {(name, key): values for name, key, values in one.tests}
    taken = {(name, key.lower()) for name, key in tests}
    more = [test for test in other.tests if (test[0], test[1].lower()) not in taken]
    return Rule(actions, negated, resources, not_resource, (*one.tests, *more))


def _both_actions(one: Rule, other: Rule) -> tuple[tuple[str, ...], bool]:
    for own, limit in ((one, other), (other, one)):
        if not limit.not_action and "*" in limit.actions:
            return own.actions, own.not_action
    if one.not_action and other.not_action:
        return tuple(dict.fromkeys((*one.actions, *other.actions))), True
    if one.not_action or other.not_action:
        wide, narrow = (one, other) if one.not_action else (other, one)
        out = [compiled(wild(action.lower())) for action in wide.actions]
        kept = [item for pattern in narrow.actions for item in _apart(pattern, wide.actions)]
        return tuple(item for item in kept if not any(fits(item.lower()) for fits in out)), False
    result: dict[str, None] = {}
    tests = {item: compiled(wild(item.lower())) for item in (*one.actions, *other.actions) if has_wildcard(item)}
    for mine, theirs in _of_one_service(one.actions, other.actions):
        low, high = mine.lower(), theirs.lower()
        if low == high or (theirs in tests and _takes(theirs, mine) and tests[theirs](low)):
            result[mine] = None
        elif mine in tests and _takes(mine, theirs) and tests[mine](high):
            result[theirs] = None
        elif mine in tests and theirs in tests and overlap(low, high):
            result |= dict.fromkeys(item for item in expand(mine) if tests[theirs](item.lower()))
    return tuple(result), False


def _of_one_service(some: Sequence[str], others: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the pairs of patterns that may match actions of the same service."""
    homes: dict[str, list[str]] = {}
    for item in others:
        homes.setdefault(_service(item), []).append(item)
    for mine in some:
        own = _service(mine)
        near = homes if not own else {"", own}
        yield from ((mine, theirs) for home in near for theirs in homes.get(home, ()))


def _service(pattern: str) -> str:
    """Return the service of a pattern of actions; empty if it contains a wildcard."""
    service = pattern.lower().partition(":")[0]
    return "" if has_wildcard(service) else service


def _apart(pattern: str, others: Sequence[str]) -> tuple[str, ...]:
    """Return a pattern of actions unchanged if none of the others overlaps it, else the actions that it matches."""
    touched = any(overlap(pattern.lower(), item.lower()) for item in others)
    return expand(pattern) if touched and has_wildcard(pattern) else (pattern,)


def _both_resources(one: Rule, other: Rule) -> tuple[tuple[str, ...], bool]:
    for own, limit in ((one, other), (other, one)):
        if not limit.not_resource and "*" in limit.resources:
            return own.resources, own.not_resource
    if one.not_resource and other.not_resource:
        return tuple(sorted({*one.resources, *other.resources})), True
    if one.not_resource or other.not_resource:
        return (one.resources, False) if other.not_resource else (other.resources, False)
    result: dict[str, None] = {}
    for narrow, wide in product(one.resources, other.resources):
        if covers(narrow, wide) and not covers(wide, narrow):
            result[wide] = None
        elif covers(wide, narrow) or "${" in narrow + wide or overlap(narrow, wide):
            result[narrow] = None
    return tuple(result), False


def statement_json(effect: str, rule: Rule) -> dict[str, Any]:
    block: dict[str, dict[str, list[str]]] = {}
    for name, key, values in rule.tests:
        block.setdefault(name, {})[key] = list(values)
    return {
        "Effect": effect,
        "NotAction" if rule.not_action else "Action": list(rule.actions),
        "NotResource" if rule.not_resource else "Resource": list(rule.resources),
        **({"Condition": block} if block else {}),
    }
