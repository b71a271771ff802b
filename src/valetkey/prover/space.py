"""The space of all requests that two sets of policies can distinguish, and their statements as boxes in it.

One dimension each for the action, the caller (`caller_classes`) and every other condition key that a document tests
(`key_partition`). Dependent keys share one dimension: aws:CurrentTime and aws:EpochTime; the two MFA keys; keys that
a policy variable compares with each other, or with the caller.

Some of these requests are not possible: see `possible_calls`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from valetkey.catalog import key_names
from valetkey.catalog.condition_keys import key_of
from valetkey.policy.principals import NamedBy, Principals
from valetkey.policy.requests import Request
from valetkey.policy.role_actions import ROLE_ACTIONS
from valetkey.policy.statements import Statement
from valetkey.policy.undecided import NotDecided
from valetkey.policy.variables import Keys
from valetkey.prover.action_classes import classes
from valetkey.prover.automata import Glob, TooMany
from valetkey.prover.boxes import Box, Budget
from valetkey.prover.caller_classes import CALLER_KEYS, Mentioned, everybody, session_of
from valetkey.prover.intervals import epoch, iso, moments
from valetkey.prover.key_partition import cells
from valetkey.prover.key_partition import test as prepared
from valetkey.prover.key_tests import Cell, KeyTest, TextSpan, lone_variables, patterns
from valetkey.prover.parties import Person
from valetkey.prover.principal_match import CallerIndex, listed, reached
from valetkey.prover.resources import resource_globs, resources
from valetkey.prover.value_index import ValueIndex
from valetkey.prover.witnesses import request_of

MFA_PRESENT, _AGE = key_names.MFA_PRESENT_LOWER, "aws:multifactorauthage"
_NOW, _EPOCH = "aws:currenttime", "aws:epochtime"
_FIRST_CALL = datetime(1970, 1, 1, tzinfo=UTC)
"""aws:EpochTime counts from then; no request came before."""
_TOGETHER = ((MFA_PRESENT, _AGE), (_NOW, _EPOCH))
ACTION, CALLER = 0, 1


class Point(NamedTuple):
    """One cell of a dimension: the condition keys that it sets, and its caller, action or resource."""

    keys: Keys
    spans: Mapping[str, TextSpan] = {}
    person: Person | None = None
    action: str = ""
    resource: str = ""


@dataclass
class Dimension:
    """One dimension of the space."""

    name: str
    keys: frozenset[str]
    points: list[Point]
    full: int = field(init=False)

    def __post_init__(self) -> None:
        self.full = (1 << len(self.points)) - 1

    def where(self, holds: Callable[[Point], bool]) -> int:
        """The mask of the points for which `holds` is true."""
        mask = 0
        for place, point in enumerate(self.points):
            if holds(point):
                mask |= 1 << place
        return mask


class StatementBoxes(NamedTuple):
    """A statement as boxes: one for each way in which it names its callers."""

    statement: Statement
    boxes: tuple[tuple[Box, NamedBy], ...]


@dataclass
class Space:
    """See the module. `inexact` is set when a test could not be decided, `silent` when AWS does not document what one
    means (`undocumented`). The argument `unsure` of `read` says how such tests are read."""

    dimensions: list[Dimension]
    resource: str | None
    owner: str
    covered: Mapping[tuple[str, ...], int]
    """By Action (or NotAction) element: the mask of the action cells that its patterns cover."""
    budget: Budget
    inexact: bool = False
    silent: bool = False
    _masks: dict[tuple[str, bool, str, tuple[str, ...]], tuple[int, int, bool]] = field(default_factory=dict)
    _indexes: dict[str, ValueIndex] = field(default_factory=dict)
    _reached: dict[tuple[Principals | None, bool, bool, bool, bool], Mapping[NamedBy, int]] = field(
        default_factory=dict
    )
    _people: CallerIndex | None = None

    @property
    def full(self) -> Box:
        return tuple(dimension.full for dimension in self.dimensions)

    def place_of(self, key: str) -> int:
        """The index of a condition key's dimension."""
        return next(place for place, dimension in enumerate(self.dimensions) if key in dimension.keys)

    def read(self, statement: Statement, *, unsure: bool, bounded: bool = False) -> StatementBoxes:
        """The boxes of one statement. `unsure` is the result of tests that are not decided here or not documented by
        AWS."""
        self.budget.check()
        box = list(self.full)
        deny = statement.effect == "Deny"
        box[ACTION] = self._action(statement, unsure=unsure)
        if statement.resources is not None:
            self._resource(statement, box, unsure=unsure)
        for condition in statement.conditions:
            place = self.place_of(condition.key.lower())
            box[place] &= self._mask(KeyTest(condition, statement.variables, deny), self.dimensions[place], unsure)
            if not box[place]:
                return StatementBoxes(statement, ())
        self.silent |= statement.principals is not None and statement.not_principal and statement.principals.empty
        if not all(box):
            return StatementBoxes(statement, ())
        by_grant = self._callers(statement.principals, statement.not_principal, deny, bounded, unsure)
        return StatementBoxes(
            statement,
            tuple(
                ((*box[:CALLER], inside, *box[CALLER + 1 :]), grant)
                for grant, mask in by_grant.items()
                if (inside := mask & box[CALLER])
            ),
        )

    def _callers(
        self, element: Principals | None, negated: bool, deny: bool, bounded: bool, unsure: bool
    ) -> Mapping[NamedBy, int]:
        """The callers that a Principal or NotPrincipal element matches, as masks by how it names them."""
        key = (element, negated, deny, bounded, unsure)
        if key not in self._reached:
            names = listed(element) if element else frozenset()
            if element is not None and not (negated or element.empty or element.everyone):
                if self._people is None:
                    self._people = CallerIndex(point.person for point in self.dimensions[CALLER].points)
                self._reached[key] = self._people.reached(names)
                return self._reached[key]
            result: dict[NamedBy, int] = {}
            for place, point in enumerate(self.dimensions[CALLER].points):
                if point.person is not None:
                    grant = reached(
                        point.person, element, names, negated=negated, deny=deny, bounded=bounded, unsure=unsure
                    )
                    if grant:
                        result[grant] = result.get(grant, 0) | 1 << place
            self._reached[key] = result
        return self._reached[key]

    def _action(self, statement: Statement, *, unsure: bool) -> int:
        full = self.dimensions[ACTION].full
        if not statement.actions:
            self.silent |= statement.not_action
            return full if statement.not_action and unsure else 0
        covered = self.covered[statement.actions]
        return full & ~covered if statement.not_action else covered

    def _mask(self, asked: KeyTest, dimension: Dimension, unsure: bool) -> int:
        condition = asked.condition
        known = (condition.name, asked.variables, condition.key.lower(), condition.values)
        result = self._masks.get(known)
        if result is None and (sooner := self._index(condition.key.lower(), dimension).answer(asked)) is not None:
            result = self._masks[known] = sooner, 0, True
        if result is None:
            holds, exact = prepared(asked, dimension.keys)
            answers = [holds(point.keys) for point in dimension.points]
            yes = sum(1 << place for place, answer in enumerate(answers) if answer)
            undecided = sum(1 << place for place, answer in enumerate(answers) if answer is None)
            result = self._masks[known] = yes, undecided, exact
        yes, undecided, exact = result
        self.inexact |= not exact
        self.silent |= exact and undecided != 0
        return yes | undecided if unsure else yes

    def _index(self, key: str, dimension: Dimension) -> ValueIndex:
        if key not in self._indexes:
            self._indexes[key] = ValueIndex(key, (point.keys for point in dimension.points))
        return self._indexes[key]

    def _resource(self, statement: Statement, box: list[int], *, unsure: bool) -> None:
        globs, exact = resource_globs(statement)
        self.inexact |= not exact
        if not statement.resources:
            self.silent |= statement.not_resource
            covered: Callable[[str], bool] = lambda text: statement.not_resource and unsure  # noqa: E731
        elif not exact:
            covered = lambda text: unsure  # noqa: E731
        else:
            covered = lambda text: any(glob.fits(text) for glob in globs) is not statement.not_resource  # noqa: E731
        if self.resource is not None:
            if not covered(self.resource):
                box[ACTION] = 0
            return
        place = self.place_of("resource")
        box[place] &= self.dimensions[place].where(lambda point: covered(point.resource))

    def request(self, box: Box) -> Request:
        """The simplest request of a box: it has the first cell of the box in each dimension."""
        keys: dict[str, str | tuple[str, ...]] = {}
        person, action, resource = None, "", self.resource
        for dimension, mask in zip(self.dimensions, box, strict=True):
            point = dimension.points[(mask & -mask).bit_length() - 1]
            keys.update(point.keys)
            person, action = person or point.person, action or point.action
            resource = point.resource or resource
        assert person is not None
        return request_of(person, action, resource or "*", self.owner, keys)


def build(
    alone: Sequence[Statement],
    others: Sequence[Statement],
    *,
    resource: str | None,
    owner: str,
    partition: str,
    caller: str | None,
    now: datetime | None,
    budget: Budget,
    trust: bool,
    own: bool,
    linked: bool,
) -> Space:
    """Build the space for some statements. If `alone` is not empty, only its statements can allow a request.
    Raises NotDecided, TooMany."""
    statements = [*alone, *others]
    tested = _tested(statements)
    said = _mentioned(statements, tested, linked=linked)
    if caller is not None:
        people = session_of(caller, said, budget=budget)
    else:
        people = everybody(said, partition=partition, owner=owner, role=trust, budget=budget)
        if own:  # identity policies belong to a user or role of the account
            people = [item for item in people if item.account == owner and item.kind in ("user", "session")]
    actions, covered = classes([statement.actions for statement in statements], ROLE_ACTIONS, only=trust)
    dimensions = [
        Dimension("action", frozenset(), [Point({}, action=action) for action in actions]),
        Dimension("caller", CALLER_KEYS, [Point(person.keys, person=person) for person in people]),
    ]
    if resource is None:
        points = [Point({}, resource=item) for item in resources(alone, others, covered, partition, budget)]
        dimensions.append(Dimension("resource", frozenset({"resource"}), points))
    for group in tested.groups:
        if group <= CALLER_KEYS:
            continue
        points = _points(sorted(group - CALLER_KEYS), tested, now, budget, compared=len(group))
        if group & CALLER_KEYS:
            dimensions[CALLER] = _joined(dimensions[CALLER], points, group, budget)
        else:
            dimensions.append(Dimension(" ".join(sorted(group)), group, points))
    return Space(dimensions, resource, owner, covered, budget)


class Tested(NamedTuple):
    """The conditions of the statements."""

    asked: Mapping[str, Sequence[KeyTest]]
    """By key, lower-cased."""
    related: Mapping[str, Sequence[Glob]]
    """Patterns of other keys that a variable compares with this one."""
    groups: Sequence[frozenset[str]]
    """Sets of dependent keys, which share a dimension."""


def _tested(statements: Sequence[Statement]) -> Tested:
    asked: dict[str, list[KeyTest]] = {}
    for statement in statements:
        for condition in statement.conditions:
            one = KeyTest(condition, statement.variables, statement.effect == "Deny")
            asked.setdefault(condition.key.lower(), []).append(one)
    bonds = [
        (key, variable.key)
        for key, several in asked.items()
        for test in several
        for variable in lone_variables(test)[0]
    ]
    related: dict[str, list[Glob]] = {}
    for group in _groups(asked, bonds):
        if len(group) > 1:
            related |= dict.fromkeys(group, _shared([test for key in group for test in asked.get(key, ())]))
    bonds += [pair for pair in _TOGETHER if asked.keys() & {*pair}]
    of_callers = [key for key in CALLER_KEYS if key in asked or key in related]
    bonds += [(of_callers[0], key) for key in of_callers[1:]]
    return Tested(asked, related, _groups(asked, bonds))


def _shared(asked: Sequence[KeyTest]) -> list[Glob]:
    """The patterns of all keys of a group, and the defaults of its variables."""
    shared = [glob for test in asked for glob in patterns(test)]
    defaults = [variable.default for test in asked for variable in lone_variables(test)[0]]
    return [*shared, *(Glob(default) for default in defaults if default is not None)]


def _mentioned(statements: Sequence[Statement], tested: Tested, *, linked: bool) -> Mentioned:
    """The parts of the statements that depend on the caller."""
    strangers = any(
        item.effect == "Allow" and (item.principals is None or item.principals.everyone or item.not_principal)
        for item in statements
    )
    return Mentioned(
        [statement.principals for statement in statements if statement.principals is not None],
        {key: tested.asked[key] for key in CALLER_KEYS if key in tested.asked},
        {key: tested.related[key] for key in CALLER_KEYS if key in tested.related},
        strangers,
        linked,
    )


def _groups(keys: Iterable[str], bonds: Iterable[tuple[str, str]]) -> list[frozenset[str]]:
    """Group keys that are bonded, directly or through other keys."""
    home = {key: frozenset({key}) for key in keys}
    for bond, item in bonds:
        both = home.get(bond, frozenset({bond})) | home.get(item, frozenset({item}))
        home |= dict.fromkeys(both, both)
    return list(dict.fromkeys(home.values()))


def _points(keys: Sequence[str], tested: Tested, now: datetime | None, budget: Budget, *, compared: int) -> list[Point]:
    """The cells of dependent keys. `compared` is the number of keys, those of the caller included: as many values of
    each class are needed so that all of them can differ. Raises NotDecided, TooMany."""
    asked = tested.asked
    if set(keys) <= {MFA_PRESENT, _AGE}:
        return list(_mfa(asked, budget))
    if set(keys) <= {_NOW, _EPOCH}:
        return list(_times([*asked.get(_NOW, ()), *asked.get(_EPOCH, ())], now, budget))

    def cells_of(key: str) -> list[Cell]:
        return cells(key, asked.get(key, ()), budget=budget, related=tested.related.get(key, ()), count=compared)

    points = [Point({})]
    several = compared > 1
    for key in keys:
        own = cells_of(key)
        if several and any(isinstance(cell.value, tuple) for cell in own):
            raise NotDecided(f"{key} may have several values, and is compared with another key")
        if several and key not in (MFA_PRESENT, _AGE, _NOW, _EPOCH):
            # Values that the other keys can have as well.
            known, form = {cell.value for cell in own}, key_of(key).form
            more = {cell.value for item in keys if item != key for cell in cells_of(item)}
            own += [Cell(value) for value in sorted(map(str, more - known - {None})) if form.holds(value)]
        points = [_with(point, key, cell) for point in points for cell in own]
        if len(points) > budget.limits.states:
            raise TooMany(f"{' and '.join(keys)} together fall into more than {budget.limits.states:,} classes")
    return points


def _with(point: Point, key: str, cell: Cell) -> Point:
    if cell.value is None:
        return point
    spans = {**point.spans, key: cell.span} if cell.span else point.spans
    return Point({**point.keys, key: cell.value}, spans, point.person)


def _mfa(asked: Mapping[str, Sequence[KeyTest]], budget: Budget) -> Iterator[Point]:
    cells(MFA_PRESENT, asked.get(MFA_PRESENT, ()), budget=budget)  # raises NotDecided unless booleans are compared
    yield Point({})
    yield Point({MFA_PRESENT: "false"})
    if _AGE not in asked:
        yield Point({MFA_PRESENT: "true"})
        return
    for cell in cells(_AGE, asked[_AGE], budget=budget):
        yield _with(Point({MFA_PRESENT: "true"}), _AGE, cell)


def _times(asked: Sequence[KeyTest], now: datetime | None, budget: Budget) -> Iterator[Point]:
    for key in (_NOW, _EPOCH):
        cells(key, [test for test in asked if test.condition.key.lower() == key], budget=budget)
    for moment, span in moments(asked, now, earliest=_FIRST_CALL):
        yield Point({_NOW: iso(moment), _EPOCH: epoch(moment)}, {_NOW: span, _EPOCH: span})


def _joined(people: Dimension, points: Sequence[Point], group: frozenset[str], budget: Budget) -> Dimension:
    """Combine callers with the keys that a variable compares with caller keys. Raises TooMany."""
    if len(people.points) * len(points) > budget.limits.states:
        raise TooMany("callers and the keys that are compared with them fall into too many classes")
    result: list[Point] = []
    keys = sorted(group - CALLER_KEYS)
    for caller in people.points:
        own = list(points)
        for key in keys:
            form = key_of(key).form
            for text in {str(caller.keys[item]): None for item in sorted(group & CALLER_KEYS) if item in caller.keys}:
                if form.holds(text):
                    own += [
                        Point({**point.keys, key: text}, point.spans) for point in own if point.keys.get(key) != text
                    ]
        unique = {tuple(sorted(point.keys.items())): point for point in own}
        result += [Point({**caller.keys, **point.keys}, point.spans, caller.person) for point in unique.values()]
    return Dimension("caller", people.keys | group, result)
