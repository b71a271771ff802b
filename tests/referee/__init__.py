"""A second prover, on the SMT solver cvc5: the referee of the campaign for proofs (docs/differential.md).

It is 20 to 60 times slower than `prove`, and can relate two keys. It is not part of the product.

It encodes the rules of the evaluator as formulas of strings, numbers and bit vectors, directly from the parsed
statements, and asks for one request that `policy` allows and `within` does not. It shares only the parser with the
evaluator, and only the table of condition keys with the prover, so each of the three checks the others.

Rules:
- The requests are those of `prove`: well-formed, and possible (`_can_call`, `_impossible`).
- INVARIANT: an answer is `holds` only if the solver refuted every kind of caller and action. If something cannot be
  encoded exactly, or takes too long, the answer is `unknown`.
- INVARIANT: the evaluator replays every found request before it is returned.
- INVARIANT: where AWS's behavior is undocumented (`undocumented`), `policy` is read so that it allows the most, and
  `within` so that it allows the least. A request that is found only this way makes the answer `unknown`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from tests.referee import callers
from tests.referee.fields import TIME, Fields, free_arn
from tests.referee.formulas import Beyond, Formula, Term, Terms
from tests.referee.sides import Call, Policies, Sides, Target, read_sides
from tests.referee.values import ABSENT, Key, Moment, Text, read

from valetkey.catalog import key_names
from valetkey.catalog.actions import expand
from valetkey.errors import PolicyError
from valetkey.policy.arns import NOBODY, parse_arn
from valetkey.policy.evaluation import could_allow, decide
from valetkey.policy.globs import has_wildcard, matches
from valetkey.policy.principals import PrincipalKind
from valetkey.policy.requests import Request
from valetkey.policy.role_actions import ASSUME_ROLE, ROLE_ACTIONS, WITH_SAML, WITH_WEB_IDENTITY
from valetkey.policy.statements import Statement
from valetkey.policy.undecided import NotDecided, not_known
from valetkey.prover.caller_classes import caller_of
from valetkey.prover.proof import partition_of, resting


class _Silent(Exception):
    """The solver's request depends on undocumented behavior of AWS; the text names the place."""


class NotReplayed(Exception):
    """The evaluator contradicts the solver's request: a fault in valetkey, not in a policy."""


@dataclass(frozen=True)
class Answer:
    """The solver's answer to one question."""

    verdict: Literal["holds", "violated", "unknown"]
    request: Request | None = None
    """For "violated": a request that the policy allows and the reference does not."""
    reason: str = ""
    """For "unknown": why."""
    checks: int = 0
    """The number of solver calls."""
    silent: bool = False
    """For "unknown": whether it depends on undocumented behavior of AWS."""


def solve(
    policy: Policies | Mapping[str, Any],
    within: Policies | Mapping[str, Any],
    *,
    resource: str | None = None,
    owner: str | None = None,
    caller: str | None = None,
    now: datetime | None = None,
    seconds: float = 10.0,
) -> Answer:
    """Whether `policy` allows only requests that `within` allows. The arguments are those of `prove`; `seconds` is the
    limit for the whole question.

    Raises ValetkeyError without cvc5, PolicyError for an invalid ARN, NotReplayed.
    """
    until = time.monotonic() + seconds
    try:
        sides = read_sides(policy), read_sides(within)
        answer = _Question(Terms(), *sides, resource, owner, caller, now).answer(until)
        if not answer.silent:
            return answer
        # A request that is allowed and not allowed regardless of AWS's undocumented behavior.
        certain = _Question(Terms(), *sides, resource, owner, caller, now, wide=False).answer(until)
        return certain if certain.verdict == "violated" else answer
    except NotDecided as beyond:
        return Answer("unknown", reason=str(beyond))
    except RecursionError:
        return Answer("unknown", reason="the documents are too large for the solver")


class _Question:
    """One question, split by kind of caller and action."""

    def __init__(
        self,
        terms: Terms,
        ours: Sides,
        theirs: Sides,
        resource: str | None,
        owner: str | None,
        caller: str | None,
        now: datetime | None,
        *,
        wide: bool = True,
    ) -> None:
        self.wide = wide
        self.terms, self.ours, self.theirs, self.now = terms, ours, theirs, now
        self.statements = [*ours.statements(), *theirs.statements()]
        self.elements = [statement.principals for statement in self.statements if statement.principals is not None]
        self.trust = ours.trust is not None or theirs.trust is not None
        arns = [parse_arn(arn) for arn in (resource, caller) if arn is not None and arn.startswith("arn:")]
        self.partition = arns[0].partition if arns else _partition(self.statements)
        owner = owner or (arns[0].account if arns else None)
        self.owner = owner or NOBODY
        named = self.trust or ours.resource is not None or theirs.resource is not None
        role = f"arn:{self.partition}:iam::{self.owner}:role/role"
        self.resource = role if self.trust and resource is None else resource
        self.caller = caller_of(caller)
        self.own = not named

    def answer(self, until: float) -> Answer:
        checks, unsure, silent = 0, "", ""
        for kind, action, anywhere in self.cases():
            try:
                call, question = self.call(kind, action, anywhere)
            except NotDecided as beyond:
                unsure = str(beyond)
                continue
            if question is False:
                continue
            left = until - time.monotonic()
            if left <= 0:
                return Answer("unknown", reason="the time was over", checks=checks)
            solver = self.terms.solver(int(left * 1000))
            for rule in (question, *call.caller.rules, *call.keys.rules):
                if rule is not True:
                    solver.assertFormula(rule if rule is not False else self.terms.tm.mkFalse())
            checks += 1
            try:
                result = solver.checkSat()
                if result.isSat() and (short := self.cut(solver)):
                    for rule in short:
                        solver.assertFormula(rule)
                    checks += 1
                    result = solver.checkSat()
                if result.isSat():
                    return Answer("violated", self.replayed(call, action, solver), checks=checks)
            except _Silent as place:
                silent = silent or str(place)
                continue
            except (RuntimeError, PolicyError) as odd:  # cvc5 gives up on a term, or returns half a character
                unsure = f"cvc5 found no answer for {action} by a {kind}: {str(odd)[:200]}"
                continue
            if not result.isUnsat():
                unsure = f"cvc5 found no answer for {action} by a {kind} within the time"
        if silent:
            return Answer("unknown", reason=silent, checks=checks, silent=True)
        return Answer("unknown", reason=unsure, checks=checks) if unsure else Answer("holds", checks=checks)

    def cut(self, solver: Any) -> list[Formula]:
        """All length limits, if the model exceeds one of them; else none."""
        terms = self.terms
        over = any(len(solver.getValue(text).getStringValue()) > most for text, most in terms.longest)
        limits = terms.longest if over else []
        return [terms.compare(terms.kind.LEQ, terms.length(text), terms.number(most)) for text, most in limits]

    def cases(self) -> Iterator[tuple[PrincipalKind, str, bool]]:
        """Yield the kind of caller, the action, and whether the resource is any ARN (else the given one, or none)."""
        kinds: Sequence[PrincipalKind] = callers.KINDS
        if self.caller is not None:
            kinds = ("user",) if self.caller.kind == "user" else ("session",)
        elif self.own:
            kinds = ("user", "session")
        for action in self.actions():
            for kind in kinds:
                if _can_call(kind, action):
                    yield kind, action, False
                    if self.resource is None and any(statement.resources is not None for statement in self.statements):
                        yield kind, action, True

    def actions(self) -> list[str]:
        if self.trust:
            return [*ROLE_ACTIONS]
        patterns = sorted({pattern.lower() for statement in self.statements for pattern in statement.actions})
        covered: dict[str, list[str]] = {}
        for pattern in patterns:
            for action in expand(pattern) if has_wildcard(pattern) else (*expand(pattern), pattern)[:1]:
                covered.setdefault(action, [])
        for action in covered:
            covered[action] = [pattern for pattern in patterns if matches(pattern, action.lower())]
        other = next((action for action in expand("*") if action not in covered), None)
        kinds = {tuple(row): action for action, row in covered.items()}
        return [*kinds.values(), *([other] if other else [])]

    def call(self, kind: PrincipalKind, action: str, anywhere: bool) -> tuple[Call, Formula]:
        """The request of one case, and the formula that it is allowed by the policy and not by the reference."""
        terms = self.terms
        caller = callers.make(terms, kind, self.partition, self.elements)
        keys = Fields(terms, self.statements, {**caller.keys, **_impossible(caller, action)})
        if anywhere:
            value, rules = free_arn(terms, self.partition)
            keys.rules += rules
        else:
            text = self.resource or "*"
            parts = text.split(":", 5)
            value = Text(terms.text(text), tuple(map(terms.text, parts)) if len(parts) == 6 else None, ascii=True)
        call = Call(terms, caller, terms.text(action.lower()), Target(value, terms.text(self.owner)), keys)
        ours, theirs = call.allowed(self.ours, wide=self.wide), call.allowed(self.theirs, wide=not self.wide)
        result = terms.and_((ours, terms.not_(theirs)))
        return call, terms.and_((result, *self.narrowed(call, action)))

    def narrowed(self, call: Call, action: str) -> Iterator[Formula]:
        """Constraints for the given caller and time, and for the keys that a call has or lacks."""
        terms, keys = self.terms, call.keys
        if self.caller is not None:
            arn = keys["aws:principalarn"].values[0][1]
            assert isinstance(arn, Text)
            yield terms.same(arn.term, str(self.caller))
        elif self.own:
            yield terms.same(call.caller.account, self.owner)
        if self.now is not None and keys.time is not ABSENT:
            moment = keys.time.values[0][1]
            assert isinstance(moment, Moment)
            since = (self.now - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
            yield terms.compare(terms.kind.GEQ, moment.term, terms.number(since))
        if "aws:multifactorauthage" in keys.made:
            mfa = keys[key_names.MFA_PRESENT_LOWER]
            if mfa is not ABSENT:
                value = mfa.values[0][1]
                assert isinstance(value, Text)
                used = terms.and_((mfa.present, terms.same(value.term, "true")))
                yield terms.or_((terms.not_(keys["aws:multifactorauthage"].present), used))
        if call.caller.kind == "provider" and action in (WITH_SAML, WITH_WEB_IDENTITY):
            saml = [name for name in call.caller.names if ":saml-provider/" in name]
            wanted = saml if action == WITH_SAML else [name for name in call.caller.names if name not in saml]
            assert call.caller.name is not None
            yield terms.or_([terms.same(call.caller.name, name) for name in wanted])

    def replayed(self, call: Call, action: str, solver: Any) -> Request:
        """The model as a request, confirmed by the evaluator. Raises NotReplayed or _Silent."""

        def value_of(term: Term) -> Any:
            return solver.getValue(term)

        context: dict[str, str | list[str]] = {}
        for name, key in call.keys.made.items():
            if name in call.keys.own and not (name in call.caller.given and self.shown(name, call)):
                continue
            if (result := read(key, value_of)) is not None:
                context[name] = result
        if call.keys.time is not ABSENT:
            context |= {name: str(read(call.keys[name], value_of)) for name in TIME}
        resource = str(value_of(call.target.text.term).getStringValue())
        request = Request(call.caller.text(value_of), action, resource, self.owner, context)
        mine, other = self.ours.given(), self.theirs.given()
        ours, theirs = decide(request, **mine), decide(request, **other)  # type: ignore[arg-type]
        if theirs.allowed or not could_allow(request, **mine):  # type: ignore[arg-type]
            raise NotReplayed(f"{request}: {ours.outcome} by the policy, {theirs.outcome} by the reference")
        if not ours.allowed or could_allow(request, **other):  # type: ignore[arg-type]
            if self.wide:
                raise _Silent(resting((*ours.rests_on, *theirs.rests_on)))
            raise NotReplayed(f"{request}: {ours.outcome} by the policy, {theirs.outcome} by the reference")
        return request

    def shown(self, key: str, call: Call) -> bool:
        """Whether a statement tests a key that a Request does not derive from its caller."""
        ids = key == "aws:userid" and any(
            entry[:4] in ("AIDA", "AROA") for principals in self.elements for entry in principals.aws
        )
        return ids or key in call.keys.touched


def _partition(statements: Sequence[Statement]) -> str:
    """The partition of the documents. Raises Beyond if they name several."""
    try:
        return partition_of(statements)
    except NotDecided as several:
        raise Beyond(str(several)) from None


def _can_call(kind: PrincipalKind, action: str) -> bool:
    """Whether such a caller can make such a call at all (STS API reference, id_credentials_temp_request)."""
    if action not in ROLE_ACTIONS:
        return True
    match kind:
        case "user" | "role" | "session" | "service":
            return action not in (WITH_SAML, WITH_WEB_IDENTITY)
        case "provider":
            return action != ASSUME_ROLE
        case "root" | "federated user" | "anonymous" | "canonical user":
            return False
        case never:
            raise not_known(never)


def _impossible(caller: callers.Caller, action: str) -> dict[str, Key]:
    """Keys that this call cannot have."""
    none = []
    if caller.unsigned:
        none += [key_names.MFA_PRESENT_LOWER, "aws:multifactorauthage"]
    if caller.kind == "provider" and action in ROLE_ACTIONS:
        none.append(key_names.EXTERNAL_ID_LOWER)
    return dict.fromkeys(none, ABSENT)
