"""The result of `decide` as a formula: the rules of `valetkey.policy.evaluation`, written a second time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.referee import conditions, texts
from tests.referee.callers import Caller, Levels, reaches
from tests.referee.fields import Fields
from tests.referee.formulas import Formula, Term, Terms
from tests.referee.values import Text

from valetkey.policy.globs import STAR, wild
from valetkey.policy.role_actions import ROLE_ACTIONS, UNSIGNED, lowered
from valetkey.policy.statements import Policy, Statement
from valetkey.policy.undecided import not_known
from valetkey.policy.variables import broken, template

Policies = Policy | Sequence[Policy]
OWN = ("trust", "resource", "identity", "boundary", "session")
LEVELS = ("scps", "rcps")


@dataclass(frozen=True)
class Sides:
    """The policies of `decide`; None for a side that is not given."""

    trust: tuple[Policy, ...] | None = None
    resource: tuple[Policy, ...] | None = None
    identity: tuple[Policy, ...] | None = None
    boundary: tuple[Policy, ...] | None = None
    session: tuple[Policy, ...] | None = None
    scps: tuple[tuple[Policy, ...], ...] = ()
    rcps: tuple[tuple[Policy, ...], ...] = ()

    def statements(self) -> Iterator[Statement]:
        for side in OWN:
            for policy in getattr(self, side) or ():
                yield from policy.statements
        for level in (*self.scps, *self.rcps):
            for policy in level:
                yield from policy.statements

    def given(self) -> dict[str, object]:
        """As `decide`'s keywords."""
        return {side: getattr(self, side) for side in (*OWN, *LEVELS)}


def read_sides(given: Policies | Mapping[str, object]) -> Sides:
    """Build Sides. A single policy becomes the side of its kind."""
    if isinstance(given, Policy):
        return read_sides((given,))
    if isinstance(given, Mapping):
        made: dict[str, object] = {}
        for side, policies in given.items():
            if side in LEVELS:
                assert isinstance(policies, Sequence)
                made[side] = tuple(_tuple(level) for level in policies)
            elif policies is not None:
                made[side] = _tuple(policies)
        return Sides(**made)  # type: ignore[arg-type]
    result: dict[str, tuple[Policy, ...]] = {}
    levels: dict[str, tuple[tuple[Policy, ...], ...]] = {}
    for policy in given:
        match policy.kind:
            case "scp" | "rcp":
                side = f"{policy.kind}s"
                levels[side] = ((*levels.get(side, ((),))[0], policy),)
            case "identity" | "trust" | "boundary" | "session" | "resource":
                result[policy.kind] = (*result.get(policy.kind, ()), policy)
            case never:
                raise not_known(never)
    return Sides(**result, **levels)  # type: ignore[arg-type]


def _tuple(policies: object) -> tuple[Policy, ...]:
    if isinstance(policies, Policy):
        return (policies,)
    assert isinstance(policies, Sequence)
    return tuple(policies)


@dataclass(frozen=True)
class Target:
    """The resource: its text, its parts, and its account if it has one."""

    text: Text
    account: Term | None


@dataclass(frozen=True)
class Call:
    """A request as terms."""

    terms: Terms
    caller: Caller
    action: Term
    """Lower-cased."""
    target: Target
    keys: Fields

    def allowed(self, sides: Sides, *, wide: bool) -> Formula:
        """The formula that `decide` allows the request; with `wide`, that `could_allow` does."""
        return _Reading(self.terms, self.caller, self.action, self.target, self.keys, wide).decided(sides)


@dataclass(frozen=True)
class _Reading(Call):
    """A request, and how policies are read where AWS's behavior is undocumented (`silence`)."""

    wide: bool

    def decided(self, sides: Sides) -> Formula:
        terms = self.terms
        granted = self._most(
            self._reach(statement, False)
            for policies in (sides.trust, sides.resource)
            for statement in _allows(policies)
        )
        return terms.and_((terms.not_(self._denied(sides)), self._agreed(sides, granted)))

    def _agreed(self, sides: Sides, granted: Levels) -> Formula:
        terms, grant = self.terms, granted[0]
        kms = self._is_action(["kms:*"])
        must = True if sides.trust is not None else kms if sides.resource is not None else False
        unsigned = self.caller.unsigned or self._is_action(sorted(UNSIGNED))
        home = self._same_account()
        levels = [self._some(level) for level in sides.scps]
        concerned = terms.or_((self._service_linked(), terms.and_(levels))) if levels else True
        direct = terms.or_((terms.and_((home, granted[2])), self._callers_side(sides, granted, home)))
        signed = terms.and_((concerned, direct))
        return terms.and_((terms.or_((grant, terms.not_(must))), terms.if_(unsigned, grant, signed)))

    def _callers_side(self, sides: Sides, granted: Levels, home: Formula) -> Formula:
        terms, grant = self.terms, granted[0]
        open_ = sides.trust is None and sides.resource is None
        assume = self._is_action(sorted(lowered(ROLE_ACTIONS))) if open_ else False
        reached = terms.or_((grant, home, assume))
        if self.caller.kind == "root":
            return reached
        by_role = terms.and_((home, granted[1], terms.not_(granted[2])))
        own = grant if sides.identity is None else self._some(sides.identity)
        limits = [self._some(item) for item in (sides.boundary, sides.session) if item is not None]
        return terms.and_((reached, terms.or_((by_role, own)), *limits))

    def _some(self, policies: Iterable[Policy]) -> Formula:
        return self.terms.or_([self._reach(statement, False)[0] for statement in _allows(policies)])

    def _denied(self, sides: Sides) -> Formula:
        bounded = sides.boundary is not None
        own = [s for side in OWN for policy in getattr(sides, side) or () for s in policy.denies]
        result = [self._reach(item, bounded)[0] for item in own]
        concerned = () if self.caller.unsigned else sides.scps
        levels = [s for level in (*concerned, *sides.rcps) for policy in level for s in policy.denies]
        above = self.terms.or_([self._reach(statement, bounded)[0] for statement in levels])
        if above is not False:
            above = self.terms.and_((above, self.terms.not_(self._service_linked())))
        return self.terms.or_([*result, above])

    def _most(self, result: Iterable[Levels]) -> Levels:
        some, role, direct = zip(*result, strict=True) if (result := list(result)) else ((), (), ())
        return self.terms.or_(some), self.terms.or_(role), self.terms.or_(direct)

    def _same_account(self) -> Formula:
        account = self.caller.account
        if account is None:
            return False
        return True if self.target.account is None else self.terms.same(account, self.target.account)

    def _service_linked(self) -> Formula:
        match self.caller.kind:
            case "session" | "user":
                pass
            case "role" | "root" | "federated user" | "service" | "provider" | "anonymous" | "canonical user":
                return False
            case never:
                raise not_known(never)
        arn = self.keys["aws:principalarn"].values[0][1]
        assert isinstance(arn, Text)
        return self.terms.fits(arn.term, self.terms.pattern([f"{STAR}:role/aws-service-role/{STAR}"]))

    def _reach(self, statement: Statement, bounded: bool) -> Levels:
        """The formulas that a statement applies, at its three levels."""
        terms, deny = self.terms, statement.effect == "Deny"
        unsure = self.wide is not deny
        covers = self._covers_action(statement, unsure)
        if covers is False:
            return False, False, False
        levels = reaches(
            terms,
            self.caller,
            statement.principals,
            negated=statement.not_principal,
            deny=deny,
            bounded=bounded,
            unsure=unsure,
        )
        if levels[0] is False:
            return levels
        rest = [covers, self._covers_target(statement, unsure)]
        if rest[1] is not False:
            for condition in statement.conditions:
                rest.append(conditions.encode(condition, self.keys, unsure=unsure, variables=statement.variables))
                if rest[-1] is False:
                    break
        whole = terms.and_(rest)
        some, role, direct = (terms.and_((level, whole)) for level in levels)
        return some, role, direct

    def _covers_action(self, statement: Statement, unsure: bool) -> Formula:
        if not statement.actions:
            return statement.not_action and unsure
        result = self._is_action([pattern.lower() for pattern in statement.actions])
        return self.terms.not_(result) if statement.not_action else result

    def _is_action(self, patterns: Iterable[str]) -> Formula:
        terms = self.terms
        return terms.or_([texts.glob(terms, self.action, [wild(pattern)]) for pattern in patterns])

    def _covers_target(self, statement: Statement, unsure: bool) -> Formula:
        """A variable without a value matches no Resource; its effect in NotResource is undocumented."""
        patterns, negated = statement.resources, statement.not_resource
        if patterns is None:
            return True
        if not patterns:
            return negated and unsure
        if "*" in patterns:
            return not negated
        terms = self.terms
        result: list[Formula] = []
        doubt: list[Formula] = []
        for pattern in patterns:
            if statement.variables and "${" in pattern and broken(pattern):
                doubt.append(True)
                continue
            read = template(pattern, variables=statement.variables, wildcards=True)
            result.append(texts.resource_like(read, self.target.text, self.keys))
            if negated and not isinstance(read, str):
                doubt.append(terms.not_(texts.resolve(read, self.keys)[0]))
        fits, open_ = terms.or_(result), terms.or_(doubt)
        if negated:
            return terms.not_(fits) if unsure else terms.not_(terms.or_((fits, open_)))
        return terms.or_((fits, open_)) if unsure else fits


def _allows(policies: Iterable[Policy] | None) -> list[Statement]:
    return [statement for policy in policies or () for statement in policy.allows]
