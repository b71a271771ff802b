"""All requests that a policy allows, as regions, each with a witness.

A region is a box (`space`): every combination of its values is allowed. The regions of one Allow statement do not
overlap; two statements may allow the same request.

INVARIANT: `decide` has allowed the witness of every region before it is returned.
INVARIANT: a Reach holds for every behaviour of AWS where it documents nothing (`undocumented`); if the result depends
on that, it is Bounds, which is an Unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from valetkey.catalog import key_names
from valetkey.catalog.condition_keys import key_of
from valetkey.policy.evaluation import could_allow, decide
from valetkey.policy.globs import ANY, STAR
from valetkey.policy.legible import Unjudged, legible
from valetkey.policy.operands import read_address, read_network
from valetkey.policy.operators import Family
from valetkey.policy.origin import Origin
from valetkey.policy.requests import Request
from valetkey.policy.role_actions import ROLE_ACTIONS
from valetkey.policy.undecided import NotDecided
from valetkey.prover.automata import Glob, TooMany
from valetkey.prover.boxes import Box, Limits, TooLong, meet, rest
from valetkey.prover.caller_classes import CALLER_KEYS
from valetkey.prover.effective_boxes import Opened, Sets, SidePolicies, sides, statements
from valetkey.prover.key_tests import KeyTest, TextSpan, patterns
from valetkey.prover.parties import Party, Person
from valetkey.prover.proof import TRUST_ASSUMPTIONS, InternalError, Question, Search, SideSets, Unknown, beyond, resting
from valetkey.prover.space import ACTION, CALLER, Dimension, Point, Space

_VARIABLES = "the policy compares a key with a string that contains a policy variable, which valetkey does not decide"


@dataclass(frozen=True, slots=True)
class RegionValues:
    """The possible values of one condition key in a region. `Region.values` has only keys that a document tests."""

    absent: bool = False
    """The key may be missing."""
    free: bool = False
    """It may be a value that the documents do not name and that matches none of their patterns except a bare `*`."""
    exact: tuple[str, ...] = ()
    """The possible values that the documents name ("true", an ExternalId)."""
    patterns: tuple[str, ...] = ()
    """Patterns and address ranges of the documents, as spelled, that match some other value in the region."""
    span: tuple[TextSpan, ...] = ()
    """For numbers and dates: the intervals (low, high). None is an open end; two equal ends are a single value."""

    @property
    def binds(self) -> bool:
        """Whether the caller must send a value that the documents name."""
        return not self.absent and not self.free


@dataclass(frozen=True, slots=True)
class Region:
    """A set of requests that are allowed."""

    party: Party
    kinds: frozenset[str]
    """Kinds of callers: "user", "session", "root", "federated user", "service", "provider", "anonymous"."""
    everybody: bool
    """Whether it contains callers of the party that no document names."""
    callers: tuple[str, ...]
    """Its named callers: ARNs, patterns as spelled, unique ids, services, providers."""
    actions: tuple[str, ...]
    """The actions, in AWS's spelling."""
    values: Mapping[str, RegionValues]
    """By lower-cased condition key. For keys of the caller (aws:PrincipalArn, ...) see `party` and `callers`."""
    statement: int
    """The index of the Allow statement in its document, from 0."""
    witness: Request
    """The simplest request of the region: optional keys are absent."""


@dataclass(frozen=True, slots=True)
class Reach:
    """All requests that a policy allows."""

    regions: tuple[Region, ...]
    unjudged: tuple[Unjudged, ...] = ()
    """Entries of trust policies whose principals are not known. In an Allow they may admit callers that are in no
    region; in a Deny they exclude no caller from a region."""
    assumed: tuple[str, ...] = field(default=TRUST_ASSUMPTIONS, repr=False)


@dataclass(frozen=True, slots=True)
class Bounds(Unknown):
    """The result depends on what AWS does where it documents nothing. At least `least` and at most `most` is
    allowed."""

    least: Reach = field(default=Reach(()), repr=False)
    most: Reach = field(default=Reach(()), repr=False)
    """Its witnesses are allowed by `could_allow`, not by `decide`: they are not findings."""


def who(
    policy: SidePolicies,
    *,
    origin: Origin,
    resource: str | None = None,
    owner: str | None = None,
    now: datetime | None = None,
    limits: Limits = Limits(),  # noqa: B008
) -> Reach | Unknown:
    """Compute which callers a policy admits under which conditions; Bounds if that depends on what AWS does not
    document. `origin` says what a unique id in a Principal element means; the other parameters are those of `prove`.
    Raises PolicyError, InternalError."""
    left, unjudged = legible(sides(policy))
    try:
        search = Search(Question(left, {}, resource, owner, now=now, limits=limits))
        return _Finder(search, left, origin, unjudged).reach()
    except (NotDecided, TooMany, TooLong) as reason:
        return Unknown(str(reason))


class _Finder:
    def __init__(self, search: Search, side: Mapping[str, Any], origin: Origin, unjudged: tuple[Unjudged, ...]) -> None:
        self.search, self.side, self.origin, self.unjudged = search, side, origin, unjudged
        self.space: Space = search.space
        self.asked: dict[str, list[KeyTest]] = {}
        for statement in statements(side):
            for condition in statement.conditions:
                one = KeyTest(condition, statement.variables, statement.effect == "Deny")
                self.asked.setdefault(condition.key.lower(), []).append(one)
        if "aws:multifactorauthage" in self.asked:  # aws:MultiFactorAuthAge implies MFA
            self.asked.setdefault(key_names.MFA_PRESENT_LOWER, [])
        self.spells = {key: _Spells(key, several) for key, several in self.asked.items()}
        self.ids = list(_named_ids(self.asked.get("aws:userid", ())))

    def reach(self) -> Reach | Unknown:
        most = SideSets(Sets(self.space, self.side, wide=True))
        if not self.space.silent:
            return self._regions(most, certain=True)
        least = SideSets(Sets(self.space, self.side, wide=False))
        why = self._between(least, most)
        result = self._regions(least, certain=True)
        if not why or isinstance(result, Unknown):
            return result
        widest = self._regions(most, certain=False)
        return widest if isinstance(widest, Unknown) else Bounds(why, least=result, most=widest)

    def _between(self, least: SideSets, most: SideSets) -> str:
        """Why more than `least` may be allowed; "" when no more is."""
        granted, budget = [item.box for item in least.opened], self.search.budget
        for element in most.opened:
            for calls in self.search.can:
                if inside := meet(element.box, calls):
                    for left in beyond(inside, most.denied, granted, least.denied, budget):
                        request = self.space.request(left)
                        decision = decide(request, **self.side)
                        if not decision.allowed and could_allow(request, **self.side):
                            return resting(decision.rests_on)
                        # INVARIANT: a request between the bounds has a definite result only if every test was decided;
                        # `least` leaves out requests with undecided tests.
                        if self.space.inexact:
                            raise NotDecided(_VARIABLES)
                        raise InternalError(f"it is undecided whether this is admitted: {request}")
        return ""

    def _regions(self, sets: SideSets, *, certain: bool) -> Reach | Unknown:
        parties = self._parties()
        regions: list[Region] = []
        for item in sets.opened:
            for calls in self.search.can:
                inside = meet(item.box, calls)
                if inside is None:
                    continue
                for party, mask in parties.items():
                    if not inside[CALLER] & mask:
                        continue
                    box = (*inside[:CALLER], inside[CALLER] & mask, *inside[CALLER + 1 :])
                    for left in rest(box, sets.denied, self.search.budget):
                        region = self._region(left, party, item, certain=certain)
                        if region is None:
                            return Unknown(_VARIABLES)
                        regions.append(region)
                        if len(regions) > self.search.budget.limits.regions:
                            raise TooLong(f"more than {self.search.budget.limits.regions:,} regions are admitted")
        return Reach(tuple(regions), self.unjudged)

    def _parties(self) -> dict[Party, int]:
        masks: dict[Party, int] = {}
        for place, point in enumerate(self.space.dimensions[CALLER].points):
            if point.person is not None:
                party = self._party(point.person)
                masks[party] = masks.get(party, 0) | 1 << place
        return masks

    def _party(self, person: Person) -> Party:
        if not person.unique:
            named = self._named_id(person) if person.party.kind == "any account" else ""
            return Party("unique id", named, person.party.partition) if named else person.party
        if self.origin is Origin.RETURNED:
            return Party("deleted", person.unique, person.party.partition)
        tied = self.asked.keys() & {"aws:principalaccount", "aws:principalarn"}
        if tied and person.party.kind == "account":  # a condition may require this account
            return person.party
        return Party("unique id", person.unique, person.party.partition)

    def _named_id(self, person: Person) -> str:
        """The unique id of this user or role if a condition on aws:userid names it, otherwise "". The id is unique in
        all of AWS (reference_identifiers) and does not reveal the account."""
        have = person.keys.get("aws:userid", "")
        return next((named for named, glob in self.ids if glob.fits(have)), "")

    def _region(self, box: Box, party: Party, opened: Opened, *, certain: bool) -> Region | None:
        witness = self.space.request(box)
        if not (decide(witness, **self.side).allowed if certain else could_allow(witness, **self.side)):
            if self.space.inexact:
                return None
            raise InternalError(f"a witness is not admitted: {witness}")
        people = [point.person for point in _points(self.space.dimensions[CALLER], box[CALLER]) if point.person]
        actions = {point.action for point in _points(self.space.dimensions[ACTION], box[ACTION])}
        names = dict.fromkeys(person.named or self._named_id(person) for person in people)
        return Region(
            party,
            frozenset(person.kind for person in people),
            "" in names,
            tuple(filter(None, names)),
            tuple(action for action in ROLE_ACTIONS if action in actions) or tuple(sorted(actions)),
            dict(self._values(box)),
            opened.statement.index if opened.statement else 0,
            witness,
        )

    def _values(self, box: Box) -> Iterator[tuple[str, RegionValues]]:
        for dimension, mask in zip(self.space.dimensions, box, strict=True):
            for key in sorted(dimension.keys & self.asked.keys() - CALLER_KEYS):
                yield key, self._value(key, dimension, mask)

    def _value(self, key: str, dimension: Dimension, mask: int) -> RegionValues:
        absent = free = False
        exact: dict[str, None] = {}
        under: dict[str, None] = {}
        spans: dict[TextSpan, None] = {}
        spells = self.spells[key]
        for point in _points(dimension, mask):
            value, span = point.keys.get(key), point.spans.get(key)
            if value is None:
                absent = True
            elif span is not None:
                spans[span] = None
            else:
                for text in (value,) if isinstance(value, str) else value:
                    named, like = spells.of(text)
                    exact |= dict.fromkeys(named)
                    under |= dict.fromkeys(like)
                    free = free or not (named or like)
        joined = tuple(_joined(list(spans)))
        free = free or any(low is None and high is None for low, high in joined)
        return RegionValues(absent, free, tuple(exact), tuple(under), joined)


def _points(dimension: Dimension, mask: int) -> Iterator[Point]:
    while mask:
        low = mask & -mask
        yield dimension.points[low.bit_length() - 1]
        mask ^= low


class _Spells:
    """The values, patterns and ranges by which the documents name the values of a key."""

    def __init__(self, key: str, asked: Sequence[KeyTest]) -> None:
        globs = [glob for test in asked for glob in patterns(test)]
        self.plain = {glob.text for glob in globs if glob.plain}
        self.open = [glob for glob in globs if not glob.plain and glob.text.strip(STAR)]
        self.truths = key_of(key).type == "bool" or any(test.condition.operator.family is Family.BOOL for test in asked)
        addresses = any(test.condition.operator.family is Family.ADDRESS for test in asked)
        ranges = [value for test in asked for value in test.condition.values] if addresses else []
        self.ranges = [(text, network) for text in dict.fromkeys(ranges) if (network := read_network(text)) is not None]

    def of(self, text: str) -> tuple[list[str], list[str]]:
        """The value itself if the documents name it, otherwise the patterns and ranges that match it."""
        if text in self.plain or (self.truths and text in ("true", "false")):
            return [text], []
        like = [glob.text.replace(STAR, "*").replace(ANY, "?") for glob in self.open if glob.fits(text)]
        if self.ranges and (have := read_address(text)) is not None:
            like += [
                spelt for spelt, (version, base, mask) in self.ranges if have[0] == version and have[1] & mask == base
            ]
        return [], like


_UNIQUE_ID = re.compile(r"((?:AIDA|AROA)[A-Z0-9]{12,124})(:|$)")


def _named_ids(asked: Sequence[KeyTest]) -> Iterator[tuple[str, Glob]]:
    """Yield the unique ids that conditions on aws:userid name in full, each with its pattern."""
    for glob in dict.fromkeys(glob for test in asked for glob in patterns(test)):
        literal = re.split(f"[{STAR}{ANY}]", glob.text, maxsplit=1)[0]
        match = _UNIQUE_ID.match(literal)
        if match is not None and (match[2] or literal == glob.text):
            yield match[1], glob


def _joined(spans: list[TextSpan]) -> Iterator[TextSpan]:
    """Merge adjacent intervals."""
    current: TextSpan | None = None
    for low, high in spans:
        if current is not None and current[1] is not None and current[1] == low:
            current = (current[0], high)
        else:
            if current is not None:
                yield current
            current = (low, high)
    if current is not None:
        yield current
