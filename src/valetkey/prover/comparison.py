"""Compares permissions action by action: `prove` for each equivalence class of actions under the documents.

Two documents with a thousand actions are too large for one proof but easy in parts: for one class of actions a few
statements remain, usually the same ones on both sides.

INVARIANT: `holds` is True only when every class is proved; a class that is not decided is in `undecided`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from valetkey.policy.evaluation import could_allow, decide
from valetkey.policy.requests import Request
from valetkey.policy.role_actions import ROLE_ACTIONS
from valetkey.policy.statements import Policy, Statement
from valetkey.prover.action_classes import classes
from valetkey.prover.boxes import Limits
from valetkey.prover.proof import ASSUMED_OF_PERMISSIONS, Counterexample, Proof, Unknown
from valetkey.prover.proving import prove
from valetkey.prover.specialized import VARIABLE, Sides, always, of_action, on_resources, only, without_covered

_EACH = Limits(seconds=3.0)


@dataclass(frozen=True)
class Within:
    """The result of a comparison: whether one side allows only what the other allows."""

    beyond: tuple[Counterexample, ...]
    """Requests that the side allows and the other does not, at most one for each class of actions."""
    undecided: tuple[tuple[str, str], ...]
    """An action of each class that is not decided, and the reason."""
    assumed: tuple[str, ...] = ASSUMED_OF_PERMISSIONS

    @property
    def holds(self) -> bool:
        """Whether the containment is proved."""
        return not (self.beyond or self.undecided)


def within(one: Sides, other: Sides, *, caller: str, limits: Limits = _EACH) -> Within:
    """Compare whether `one` gives a role only the permissions that `other` gives it. `caller` is the role's ARN;
    `limits` apply to each class of actions. Raises PolicyError, InternalError."""
    beyond: list[Counterexample] = []
    undecided: list[tuple[str, str]] = []
    elements = [statement.actions for statement in (*one.statements, *other.statements)]
    for action in classes(elements, ROLE_ACTIONS, only=False)[0]:
        mine, theirs = (without_covered(of_action(sides, action), "*") for sides in (one, other))
        result = _of_class(mine, theirs, caller, limits)
        if isinstance(result, Counterexample):
            beyond.append(result)
        elif isinstance(result, Unknown):
            undecided.append((action, result.reason))
    return Within(tuple(beyond), tuple(undecided))


def _of_class(mine: Sides, theirs: Sides, caller: str, limits: Limits) -> Proof | Counterexample | Unknown | None:
    """The result for one action; None where it holds trivially. A question too large for one proof is split into one
    proof for each resource pattern that may be allowed: together they cover all resources."""
    if _plainly(mine, theirs):
        return None
    result = prove(mine.keywords, within=theirs.keywords, caller=caller, limits=limits)
    if not isinstance(result, Unknown):
        return result
    pieces = list(_pieces(mine))
    if (shown := _tried(mine, theirs, caller, [pattern for pattern, _ in pieces])) is not None:
        return shown
    if len(pieces) < 2:
        return result
    end = time.monotonic() + limits.seconds
    doubt: Unknown | None = None
    for pattern, piece in pieces:
        one, other = (without_covered(on_resources(sides, pattern), pattern) for sides in (piece, theirs))
        if _plainly(one, other) or (always(other, pattern) and _denies(other) <= _denies(one)):
            continue
        left = replace(limits, seconds=max(end - time.monotonic(), 0.01))
        answer = prove(one.keywords, within=other.keywords, caller=caller, limits=left)
        if isinstance(answer, Counterexample):
            return answer
        doubt = doubt or (answer if isinstance(answer, Unknown) else None)
    return doubt


def _tried(mine: Sides, theirs: Sides, caller: str, patterns: Iterable[str]) -> Counterexample | None:
    """Search for a counterexample without condition keys, with one resource of each pattern."""
    parts, name = caller.split(":"), caller.rpartition("/")[2]
    session = f"arn:{parts[1]}:sts::{parts[4]}:assumed-role/{name}/session"
    action = next(statement.actions[0] for policy in mine.identity for statement in policy.allows if statement.actions)
    for pattern in patterns:
        resource = pattern if pattern == "*" else pattern.replace("*", "x").replace("?", "x")
        request = Request(principal=session, action=action, resource=resource)
        if not request.same_account:
            continue
        decision, other = decide(request, **mine.keywords), decide(request, **theirs.keywords)
        if decision.allowed and not could_allow(request, **theirs.keywords):
            return Counterexample(request, decision, other, decision.parts[0].statement - 1)
    return None


def _pieces(sides: Sides) -> Iterator[tuple[str, Sides]]:
    """Yield the side reduced to one Allow and one of its resource patterns, for each of them. Yields nothing if some
    Allow has NotResource or no resources."""
    allows = [(at, allow) for at, policy in enumerate(sides.identity) for allow in policy.allows]
    if any(allow.not_resource or not allow.resources for _, allow in allows):
        return
    for at, statement in allows:
        for pattern in statement.resources or ():
            yield VARIABLE.sub("*", pattern), only(sides, at, statement, pattern)


def _plainly(mine: Sides, theirs: Sides) -> bool:
    """Whether `mine` allows nothing, or `theirs` has all its Allows and no further Denies."""
    allowed = set(_keys(mine.identity, "Allow"))
    if not allowed or (mine.boundary is not None and not mine.boundary.allows):
        return True
    if not allowed <= set(_keys(theirs.identity, "Allow")):
        return False
    if theirs.boundary is not None and (
        mine.boundary is None or not set(_keys((mine.boundary,), "Allow")) <= set(_keys((theirs.boundary,), "Allow"))
    ):
        return False
    return _denies(theirs) <= _denies(mine)


def _denies(sides: Sides) -> set[object]:
    return set(_keys((*sides.identity, *((sides.boundary,) if sides.boundary is not None else ())), "Deny"))


def _keys(policies: tuple[Policy, ...], effect: str) -> Iterator[object]:
    for policy in policies:
        for statement in policy.allows if effect == "Allow" else policy.denies:
            yield _key(statement)


def _key(statement: Statement) -> object:
    """The content of a statement about one action, for comparison: equal texts mean the same, also where AWS documents
    nothing."""
    tests = frozenset(
        (
            condition.operator.name,
            condition.set_operator,
            condition.if_exists,
            condition.key.lower(),
            frozenset(condition.values),
        )
        for condition in statement.conditions
    )
    actions = statement.actions, statement.not_action
    resources = frozenset(statement.resources or ())
    return actions, resources, statement.not_resource, tests, statement.variables
