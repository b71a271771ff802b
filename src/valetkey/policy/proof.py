"""Prove that a policy allows nothing that a reference does not, or show a request that it does.

`prove(policy, within=reference)` cuts the boxes of one out of the boxes of the other (`space`, `boxes`); what is left
over is the answer. It is exact: a counterexample is found whenever there is one, unless the documents ask something
that is not decided here or a limit is reached; then the answer is `Unknown`, which is no proof.

Rules:
- Both sides take `decide`'s keywords, and mean what they mean there. Requests are well-formed and possible (`keys`,
  `space`); `Proof.assumed` says what that rests on.
- A request of several actions is allowed when each of them is, with the same condition keys; so a proof for single
  actions holds for those too.
- INVARIANT: every counterexample has been decided by `decide` on both sides before anybody sees it. One that does not
  come out the same is an InternalError, unless something had been left undecided: then it is `Unknown`.
- INVARIANT: what is not decided is taken wide for what `policy` allows and `within` denies, narrow for the rest; so
  it never makes a proof.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from valetkey.policy.arns import parse_arn
from valetkey.policy.automata import TooMany
from valetkey.policy.boxes import Box, Budget, Limits, TooLong, meet, rest
from valetkey.policy.cells import NotDecided
from valetkey.policy.decision import Decision
from valetkey.policy.errors import PolicyError
from valetkey.policy.evaluation import Policies, decide
from valetkey.policy.principals import Grant
from valetkey.policy.requests import Request
from valetkey.policy.space import ACTION, CALLER, ENTRY, ROLE_ACTIONS, Reading, Space, build, possible
from valetkey.policy.statements import Policy, Statement

Side = Policy | Sequence[Policy] | Mapping[str, Any]
"""A policy, which stands under its own kind; identity policies; or `decide`'s keywords: {"trust": ..., "rcps": ...}."""

NOBODY = "000000000000"
"""The owner's account where none is named: nobody's."""

ASSUMED = (
    "requests are well-formed (STS API reference), and callers are of the resource's partition",
    "a service, an identity provider and an unsigned caller carry no MFA, and no age of MFA comes without MFA",
    "an ExternalId comes with AssumeRole only, which users, role sessions and services call",
    "policies that were not given (the caller's own, SCPs, RCPs) can only take away",
)
"""What every proof rests on."""


_ASSUMES = frozenset(ROLE_ACTIONS) - {"sts:SetContext"}


class InternalError(Exception):
    """The prover and the evaluator do not agree: a defect of valetkey."""


@dataclass(frozen=True, slots=True)
class Proof:
    """It holds: every request that the policy allows, the reference allows."""

    witness: Request | None
    """A request that the policy allows (into a role: by an action that enters it); None when there is none."""
    regions: int
    """Boxes that were looked at."""
    seconds: float
    assumed: tuple[str, ...] = ASSUMED


@dataclass(frozen=True, slots=True)
class Counterexample:
    """It does not hold: a request that the policy allows and the reference does not."""

    request: Request
    decision: Decision
    """The policy's."""
    reference: Decision
    """The reference's."""
    statement: int
    """The Allow statement that opens it: its place in its document, from 0."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Not decided. Never to be taken for a proof."""

    reason: str


def prove(
    policy: Side,
    *,
    within: Side,
    resource: str | None = None,
    owner: str | None = None,
    caller: str | None = None,
    now: datetime | None = None,
    limits: Limits = Limits(),  # noqa: B008
) -> Proof | Counterexample | Unknown:
    """Does `policy` allow nothing that `within` does not?

    `resource` is the ARN acted on (of a trust policy: its role); None: any. `owner` is the account of the resource;
    default: the one in `resource`, else the caller's. `caller` is the ARN of the role (any session of it) or user who
    calls; None: anybody (for identity policies: a user or session of the owner's account). `now` (aware): only requests
    from then on. Raises PolicyError for sides that are none, InternalError.
    """
    begun = time.monotonic()
    left, right = sides(policy), sides(within)
    found = by_boxes(left, right, resource, owner, caller, now, limits)
    if not isinstance(found, Unknown):
        return found
    from valetkey.policy.smt.proving import second_opinion

    seconds = limits.seconds - (time.monotonic() - begun)
    given: dict[str, Any] = {"resource": resource, "owner": owner, "caller": caller, "now": now}
    return second_opinion(left, right, seconds=max(seconds, 1.0), why=found.reason, **given)


def by_boxes(
    left: Mapping[str, Any],
    right: Mapping[str, Any],
    resource: str | None,
    owner: str | None,
    caller: str | None,
    now: datetime | None,
    limits: Limits,
) -> Proof | Counterexample | Unknown:
    """`prove` without cvc5."""
    begun = time.monotonic()
    try:
        return Question(left, right, resource, owner, caller, now, limits).answer(begun)
    except (NotDecided, TooMany, TooLong) as reason:
        return Unknown(str(reason))


def sides(given: Side) -> dict[str, Any]:
    """`decide`'s keywords. Raises PolicyError."""
    if isinstance(given, Policy):
        kind = given.kind
        return {f"{kind}s": [[given]]} if kind in ("scp", "rcp") else {kind: [given]}
    if isinstance(given, Mapping):
        known = {"trust", "identity", "boundary", "session", "scps", "rcps", "resource"}
        for name in given:
            if name not in known:
                raise PolicyError(f"{name!r} is no side of a decision", do=f"known: {', '.join(sorted(known))}")
        return {
            name: [_list(level) for level in value] if name in ("scps", "rcps") else _list(value)
            for name, value in given.items()
            if value is not None
        }
    if isinstance(given, Sequence) and all(isinstance(each, Policy) for each in given):
        return {"identity": list(given)}
    raise PolicyError("this is no policy to prove something of", do="give what parse_policy returned")


def _list(value: Policies) -> list[Policy]:
    return [value] if isinstance(value, Policy) else list(value)


def statements(side: Mapping[str, Any]) -> Iterator[Statement]:
    """All statements of a side."""
    for name, value in side.items():
        for policy in (p for level in value for p in level) if name in ("scps", "rcps") else value:
            yield from policy.statements


class Opened(NamedTuple):
    """A box that a side allows (its Denies not taken out), and the statement that opens it."""

    box: Box
    statement: Statement | None


@dataclass(frozen=True)
class Sets:
    """One side of a question in a space: what it opens, and what its Denies take away."""

    space: Space
    side: Mapping[str, Any]
    wide: bool
    """Whether what is not decided is allowed."""

    def opened(self) -> Iterator[Opened]:
        """The rules of `valetkey.policy.evaluation`, on boxes."""
        trust = self.side.get("trust")
        for reading in self._readings([*(trust or ()), *self.side.get("resource", ())], "Allow"):
            for box, grant in reading.boxes:
                yield from self._granted(box, grant, reading.statement)
        if trust is None:
            yield from self._own()

    def _granted(self, box: Box, grant: Grant, statement: Statement) -> Iterator[Opened]:
        """What a resource's statement opens: for the unsigned as it is, for the others with what must agree."""
        unsigned, signed = self._callers(box, lambda person: person.unsigned)
        if unsigned:
            yield Opened(unsigned, statement)
        if signed is None:
            return
        for inside in self._each_level(signed):
            same, other = self._callers(inside, lambda person: person.account == self.space.owner)
            if same and grant is Grant.DIRECT:
                yield Opened(same, statement)
            elif same:
                yield from self._callers_side(same, statement, identity=grant is not Grant.ROLE)
            if other:
                yield from self._callers_side(other, statement, identity=True)

    def _own(self) -> Iterator[Opened]:
        """What opens where no resource's statement has to: the caller's own policies; to the root user, itself."""
        _, signed = self._callers(self.space.full, lambda person: person.unsigned)
        if signed is None:
            return
        for inside in self._each_level(signed):
            same, other = self._callers(inside, lambda person: person.account == self.space.owner)
            if same and "resource" in self.side:
                same = self._actions(same, lambda action: not action.startswith("kms:"))
            if same:
                yield from self._callers_side(same, None, identity=True)
            if other and "resource" not in self.side and (other := self._actions(other, _ASSUMES.__contains__)):
                yield from self._callers_side(other, None, identity=True)

    def _actions(self, box: Box, which: Callable[[str], bool]) -> Box | None:
        mask = self.space.dimensions[ACTION].where(lambda point: which(point.action)) & box[ACTION]
        return (mask, *box[1:]) if mask else None

    def _callers_side(self, box: Box, statement: Statement | None, *, identity: bool) -> Iterator[Opened]:
        root, rest_ = self._callers(box, lambda person: person.kind == "root")
        if root:
            yield Opened(root, statement)
        found = [Opened(rest_, statement)] if rest_ else []
        if statement is None and self.side.get("identity") is None:
            return
        wanted = [name for name in ("boundary", "session") if self.side.get(name) is not None]
        if identity and self.side.get("identity") is not None:
            wanted.insert(0, "identity")
        for name in wanted:
            found = [
                Opened(both, each.statement or reading.statement)
                for each in found
                for reading in self._readings(self.side[name], "Allow")
                for inside, _ in reading.boxes
                if (both := meet(each.box, inside))
            ]
        yield from found

    def _each_level(self, box: Box) -> Iterator[Box]:
        """What the SCPs let through: each level must allow."""
        found = [box]
        for level in self.side.get("scps", ()):
            inside = [piece for reading in self._readings(level, "Allow") for piece, _ in reading.boxes]
            spared, concerned = _split(found, self._linked)
            found = [*spared, *(both for each in concerned for piece in inside if (both := meet(each, piece)))]
        yield from found

    def denied(self) -> list[Box]:
        """What the Denies of every policy take away."""
        bounded = self.side.get("boundary") is not None
        own = [
            policy
            for name in ("trust", "resource", "identity", "boundary", "session")
            for policy in self.side.get(name, ())
        ]
        found = [box for reading in self._readings(own, "Deny", bounded) for box, _ in reading.boxes]
        for name in ("scps", "rcps"):
            for level in self.side.get(name, ()):
                for reading in self._readings(level, "Deny", bounded):
                    for box, _ in reading.boxes:
                        _, concerned = _split([box], self._linked)
                        if name == "scps":
                            concerned = [
                                signed
                                for each in concerned
                                if (signed := self._callers(each, lambda person: person.unsigned)[1])
                            ]
                        found += concerned
        return found

    @property
    def _linked(self) -> int:
        """Service-linked roles, whom SCPs and RCPs do not concern."""
        return self.space.dimensions[CALLER].where(
            lambda point: ":role/aws-service-role/" in str(point.keys.get("aws:principalarn", ""))
        )

    def _readings(self, policies: Iterable[Policy], effect: str, bounded: bool = False) -> Iterator[Reading]:
        unsure = self.wide if effect == "Allow" else not self.wide
        for policy in policies:
            for statement in policy.allows if effect == "Allow" else policy.denies:
                yield self.space.read(statement, unsure=unsure, bounded=bounded)

    def _callers(self, box: Box, which: Any) -> tuple[Box | None, Box | None]:
        """The part of a box with such callers, and the part with the others."""
        mask = self.space.dimensions[CALLER].where(lambda point: point.person is not None and which(point.person))
        yes, no = box[CALLER] & mask, box[CALLER] & ~mask
        return (
            (*box[:CALLER], yes, *box[CALLER + 1 :]) if yes else None,
            (*box[:CALLER], no, *box[CALLER + 1 :]) if no else None,
        )


def _split(boxes: Iterable[Box], mask: int) -> tuple[list[Box], list[Box]]:
    yes, no = [], []
    for box in boxes:
        if box[CALLER] & mask:
            yes.append((*box[:CALLER], box[CALLER] & mask, *box[CALLER + 1 :]))
        if box[CALLER] & ~mask:
            no.append((*box[:CALLER], box[CALLER] & ~mask, *box[CALLER + 1 :]))
    return yes, no


_VARIABLES = "the documents compare a key with a text in which a policy variable stands, which is not decided here"


class Question:
    """One question: two sides in their space."""

    def __init__(
        self,
        left: Mapping[str, Any],
        right: Mapping[str, Any],
        resource: str | None,
        owner: str | None,
        caller: str | None,
        now: datetime | None,
        limits: Limits,
    ) -> None:
        self.left, self.right = left, right
        partition, account = "aws", owner
        for arn in (resource, caller):
            if arn is not None and arn.startswith("arn:"):
                read = parse_arn(arn)
                partition, account = read.partition, account or read.account
                break
        self.owner = account or NOBODY
        self.budget = Budget(limits)
        trust = "trust" in left or "trust" in right
        if trust and resource is None:
            resource = f"arn:{partition}:iam::{self.owner}:role/role"
        with_principal = trust or "resource" in left or "resource" in right
        self.space = build(
            [*statements(left), *statements(right)],
            resource=resource,
            owner=self.owner,
            partition=partition,
            caller=caller,
            now=now,
            limits=limits,
            trust=trust,
            own=not with_principal,
        )

    def answer(self, begun: float) -> Proof | Counterexample | Unknown:
        space, looked = self.space, 0
        mine = Sets(space, self.left, wide=True)
        allowed, denied = list(mine.opened()), mine.denied()
        other = Sets(space, self.right, wide=False)
        granted, refused = [each.box for each in other.opened()], other.denied()
        witness: Request | None = None
        doubt, unshown = "", False
        can = possible(space)
        for opened in allowed:
            for calls in can:
                box = meet(opened.box, calls)
                if box is None:
                    continue
                looked += 1
                if witness is None:
                    witness, missed = self._witness(box, denied)
                    unshown = unshown or missed
                wrong = self._beyond(box, denied, granted, refused)
                for left in wrong:
                    found = self._shown(left, opened)
                    if isinstance(found, Counterexample):
                        return found
                    doubt = doubt or found
                    if not space.inexact:
                        raise InternalError(found)
        if witness is None and unshown:
            doubt = doubt or f"whether anybody gets in: {_VARIABLES}"
        if doubt:
            return Unknown(doubt)
        return Proof(witness, looked, time.monotonic() - begun)

    def _beyond(self, box: Box, denied: list[Box], granted: list[Box], refused: list[Box]) -> Iterator[Box]:
        """What is in the box, is not denied, and is not allowed on the other side."""
        yield from rest(box, [*denied, *granted], self.budget)
        for each in refused:
            if both := meet(box, each):
                yield from rest(both, denied, self.budget)

    def _witness(self, box: Box, denied: list[Box]) -> tuple[Request | None, bool]:
        """Somebody who gets in: into a role, by an action that enters it, and nobody who has been deleted.
        With none, whether there may be one that was not found."""
        people, actions = self.space.dimensions[CALLER], self.space.dimensions[ACTION]
        alive = people.where(lambda point: point.person is not None and point.person.party.kind != "deleted")
        entering = actions.where(lambda point: point.action in ENTRY or point.action not in ROLE_ACTIONS)
        box = (box[ACTION] & entering, box[CALLER] & alive, *box[CALLER + 1 :])
        inside = next(rest(box, denied, self.budget), None) if all(box) else None
        if inside is None:
            return None, False
        request = self.space.request(inside)
        if decide(request, **self.left).allowed:
            return request, False
        if not self.space.inexact:
            raise InternalError(f"a witness is not let in: {request}")
        return None, True

    def _shown(self, box: Box, opened: Opened) -> Counterexample | str:
        request = self.space.request(box)
        decision, reference = decide(request, **self.left), decide(request, **self.right)
        if decision.allowed and not reference.allowed:
            return Counterexample(request, decision, reference, opened.statement.index if opened.statement else 0)
        return (
            _VARIABLES
            if self.space.inexact
            else f"a counterexample does not come out so: {request} is {decision.outcome} and {reference.outcome}"
        )
