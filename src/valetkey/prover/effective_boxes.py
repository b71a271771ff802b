"""One side of a question as sets of boxes: what its policies allow, and what their Denies subtract.

A second implementation of the rules of `valetkey.policy.evaluation`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from valetkey.errors import PolicyError
from valetkey.policy.evaluation import Policies
from valetkey.policy.principals import NamedBy
from valetkey.policy.role_actions import ROLE_ACTIONS
from valetkey.policy.statements import Policy, Statement
from valetkey.policy.undecided import not_known
from valetkey.prover.boxes import Box, meet
from valetkey.prover.parties import Person
from valetkey.prover.space import ACTION, CALLER, Space, StatementBoxes

SidePolicies = Policy | Sequence[Policy] | Mapping[str, Any]
"""A policy, used as its own kind; identity policies; or `decide`'s keywords: {"trust": ..., "rcps": ...}."""

_ASSUMES = frozenset(ROLE_ACTIONS)


def sides(given: SidePolicies) -> dict[str, Any]:
    """Convert a Side to `decide`'s keywords. Raises PolicyError."""
    if isinstance(given, Policy):
        match given.kind:
            case "scp":
                return {"scps": [[given]]}
            case "rcp":
                return {"rcps": [[given]]}
            case "identity" | "trust" | "boundary" | "session" | "resource":
                return {given.kind: [given]}
            case never:
                raise not_known(never)
    if isinstance(given, Mapping):
        known = {"trust", "identity", "boundary", "session", "scps", "rcps", "resource"}
        for name in given:
            if name not in known:
                raise PolicyError(f"{name!r} is not a side of a decision", do=f"known: {', '.join(sorted(known))}")
        return {
            name: [_list(level) for level in value] if name in ("scps", "rcps") else _list(value)
            for name, value in given.items()
            if value is not None
        }
    if isinstance(given, Sequence) and all(isinstance(policy, Policy) for policy in given):
        return {"identity": list(given)}
    raise PolicyError("this is not a policy that can be proved", do="give what parse_policy returned")


def _list(value: Policies) -> list[Policy]:
    return [value] if isinstance(value, Policy) else list(value)


def statements(side: Mapping[str, Any]) -> Iterator[Statement]:
    """Yield all statements of a side."""
    for name, value in side.items():
        for policy in (p for level in value for p in level) if name in ("scps", "rcps") else value:
            yield from policy.statements


class Opened(NamedTuple):
    """A box that a side allows before its Denies are subtracted, and the statement that allows it."""

    box: Box
    statement: Statement | None


Which = Literal["unsigned", "same account", "root"]
_WHICH: dict[Which, Callable[[Person, str], bool]] = {
    "unsigned": lambda person, owner: person.unsigned,
    "same account": lambda person, owner: person.account == owner,
    "root": lambda person, owner: person.kind == "root",
}
"""Groups of callers that the evaluation treats differently; `owner` is the account of the resource."""


@dataclass(frozen=True)
class Sets:
    """One side of a question in a space: the boxes that it allows, and those that its Denies subtract."""

    space: Space
    side: Mapping[str, Any]
    wide: bool
    """Whether undecided tests count as allowed (the wide reading)."""
    _known: dict[Which, int] = field(default_factory=dict, repr=False, compare=False)

    def opened(self) -> Iterator[Opened]:
        """Yield the allowed boxes, by the rules of `valetkey.policy.evaluation`."""
        trust = self.side.get("trust")
        for reading in self._readings([*(trust or ()), *self.side.get("resource", ())], "Allow"):
            for box, grant in reading.boxes:
                yield from self._granted(box, grant, reading.statement)
        if trust is None:
            yield from self._own()

    def _granted(self, box: Box, grant: NamedBy, statement: Statement) -> Iterator[Opened]:
        """Yield what a resource's statement allows: all of it to unsigned callers; to the others what SCPs and the
        caller's own policies allow too."""
        unsigned, signed = self._callers(box, "unsigned")
        if unsigned:
            yield Opened(unsigned, statement)
        if signed is None:
            return
        for inside in self._each_level(signed):
            same, other = self._callers(inside, "same account")
            if same and grant is NamedBy.DIRECT:
                yield Opened(same, statement)
            elif same:
                yield from self._callers_side(same, statement, identity=grant is not NamedBy.ROLE)
            if other:
                yield from self._callers_side(other, statement, identity=True)

    def _own(self) -> Iterator[Opened]:
        """Yield what is allowed without a resource's statement: what the caller's own policies allow; for the root
        user, everything that the SCPs allow."""
        _, signed = self._callers(self.space.full, "unsigned")
        if signed is None:
            return
        for inside in self._each_level(signed):
            same, other = self._callers(inside, "same account")
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
        root, rest_ = self._callers(box, "root")
        if root:
            yield Opened(root, statement)
        result = [Opened(rest_, statement)] if rest_ else []
        if statement is None and self.side.get("identity") is None:
            return
        wanted = [name for name in ("boundary", "session") if self.side.get(name) is not None]
        if identity and self.side.get("identity") is not None:
            wanted.insert(0, "identity")
        for name in wanted:
            result = [
                Opened(both, item.statement or reading.statement)
                for item in result
                for reading in self._readings(self.side[name], "Allow")
                for inside, _ in reading.boxes
                if (both := meet(item.box, inside))
            ]
        yield from result

    def _each_level(self, box: Box) -> Iterator[Box]:
        """Yield the parts of a box that the SCPs allow: every level must allow."""
        result = [box]
        for level in self.side.get("scps", ()):
            inside = [piece for reading in self._readings(level, "Allow") for piece, _ in reading.boxes]
            spared, concerned = _split(result, self._linked)
            result = [*spared, *(both for item in concerned for piece in inside if (both := meet(item, piece)))]
        yield from result

    def denied(self) -> list[Box]:
        """The boxes that the Denies of all policies subtract."""
        bounded = self.side.get("boundary") is not None
        own = [
            policy
            for name in ("trust", "resource", "identity", "boundary", "session")
            for policy in self.side.get(name, ())
        ]
        result = [box for reading in self._readings(own, "Deny", bounded) for box, _ in reading.boxes]
        for name in ("scps", "rcps"):
            for level in self.side.get(name, ()):
                for reading in self._readings(level, "Deny", bounded):
                    for box, _ in reading.boxes:
                        _, concerned = _split([box], self._linked)
                        if name == "scps":
                            concerned = [signed for item in concerned if (signed := self._callers(item, "unsigned")[1])]
                        result += concerned
        return result

    @property
    def _linked(self) -> int:
        """The mask of service-linked roles: SCPs and RCPs do not apply to them."""
        return self.space.dimensions[CALLER].where(
            lambda point: ":role/aws-service-role/" in str(point.keys.get("aws:principalarn", ""))
        )

    def _readings(self, policies: Iterable[Policy], effect: str, bounded: bool = False) -> Iterator[StatementBoxes]:
        unsure = self.wide if effect == "Allow" else not self.wide
        for policy in policies:
            for statement in policy.allows if effect == "Allow" else policy.denies:
                yield self.space.read(statement, unsure=unsure, bounded=bounded)

    def _callers(self, box: Box, which: Which) -> tuple[Box | None, Box | None]:
        """Split a box into the part with such callers and the part with the others."""
        if which not in self._known:
            holds = _WHICH[which]
            self._known[which] = self.space.dimensions[CALLER].where(
                lambda point: point.person is not None and holds(point.person, self.space.owner)
            )
        mask = self._known[which]
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
