"""Decide whether a session of a grant may perform an action: from the documents alone, for every such request.

`can` covers all requests with one action, on every resource that a pattern matches, with every value of the condition
keys that are not known. Two proofs decide: that none of them is allowed, or that all of them are.

Rules:
- "allowed" and "denied" are proved for every such request. "depends" means that one request is allowed and another one
  is denied; both are shown.
- Any resource means those that AWS lists for the action (Service Authorization Reference), and `*` if none of its
  resource types is required.
- What cannot be decided is `unknown`, with the reason. The same applies to requests that a policy that could not be
  read may decide. A denial that holds whatever that policy contains is a denial.
- INVARIANT: every request that is shown was decided by `decide` on the complete documents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from valetkey.catalog.actions import resources
from valetkey.catalog.condition_keys import Type, key_of
from valetkey.errors import ValetkeyError, shown
from valetkey.grants.effective import Effective
from valetkey.policy import Decision, Policy, Request, decide, parse_policy
from valetkey.policy.arns import is_account
from valetkey.policy.decision import Part
from valetkey.policy.evaluation import could_allow
from valetkey.policy.globs import compiled, has_wildcard, wild
from valetkey.policy.operands import read_address, read_bool, read_date, read_number
from valetkey.policy.statements import Statement
from valetkey.prover import Counterexample, Limits, Proof, Unknown, prove
from valetkey.prover.pattern_pairs import covers
from valetkey.prover.proof import InternalError
from valetkey.prover.specialized import (
    VARIABLE,
    Sides,
    always,
    of_action,
    on_bare,
    on_resources,
    with_known,
    without_covered,
)
from valetkey.trust.record import instant

ActionVerdict = Literal["allowed", "denied", "depends", "unknown"]
_TYPES = 6
"""The number of resource types of an action that are analyzed separately; if there are more, they are grouped by
service."""
RESOURCE = "the resource"
"""In `ActionAnswer.depends_on`: resources that match the pattern are decided differently."""


@dataclass(frozen=True)
class Deciding:
    """One statement that decides, or the Allow that matches most closely."""

    policy: str
    """The policy's name on the role."""
    side: Literal["identity", "boundary"]
    statement: int
    """From 1."""
    sid: str | None
    tests: tuple[str, ...]
    """The tests that decided; empty if the statement applies to every request."""

    def __str__(self) -> str:
        boundary = "the boundary " * (self.side == "boundary")
        return f"{boundary}{self.policy}, statement {self.statement}{f' ({self.sid})' if self.sid else ''}"


@dataclass(frozen=True)
class Example:
    """One request and its decision."""

    resource: str
    context: Mapping[str, str | tuple[str, ...]]
    """Its condition keys, without the known ones."""
    outcome: Literal["allowed", "explicit_deny", "implicit_deny"]
    decided_by: tuple[Deciding, ...]


@dataclass(frozen=True, kw_only=True)
class ActionAnswer:
    """Whether a session of a role may perform an action."""

    name: str
    role_arn: str
    action: str
    resource: str
    """An ARN, a pattern of ARNs, or `*`: any resource."""
    verdict: ActionVerdict
    reason: str
    """Why it is unknown; empty for all other verdicts."""
    allowed: Example | None
    """A request that is allowed; None if there is none, or none is known."""
    denied: Example | None
    """A request that is denied; None if there is none, or none is known."""
    depends_on: tuple[str, ...]
    """Condition keys on which the decision may depend, as the documents spell them, and RESOURCE."""
    known: Mapping[str, str]
    """The known condition keys with their values."""
    unread: tuple[str, ...]


def can(
    effective: Effective,
    action: str,
    resource: str = "*",
    *,
    known: Mapping[str, str],
    now: datetime,
    limits: Limits = Limits(),  # noqa: B008
) -> ActionAnswer:
    """Decide whether a session that starts at `now` (aware) may perform the action at that time.

    `known` are condition keys with their values; a time in it replaces `now`. Raises ValetkeyError for an invalid
    action or resource, InternalError.
    """
    for key, value in known.items():
        _check(key, value)
    given = {key: str(instant(now)) for key in ("aws:CurrentTime", "aws:TokenIssueTime")}
    given = {key: value for key, value in given.items() if key.lower() not in {item.lower() for item in known}}
    if "aws:CurrentTime" in given:
        given["aws:EpochTime"] = str(int(now.timestamp()))
    return _Question(effective, action, resource, {**given, **known}, limits).answer()


_READERS: Mapping[Type, Callable[[str], object]] = {
    "date": read_date,
    "number": read_number,
    "bool": read_bool,
    "address": read_address,
}


def _check(key: str, value: str) -> None:
    """Raise ValetkeyError for a value that the operators of such a key cannot parse: it would match no condition."""
    kind = key_of(key.lower()).type
    read = _READERS.get(kind)
    if read is not None and read(value) is None:
        what = {"bool": "true or false", "address": "an IP address", "date": "a time like 2027-01-01T00:00:00Z"}
        raise ValetkeyError(f"{shown(value)} is not a value of {key}", do=f"write {what.get(kind, 'a number')}")


@dataclass(frozen=True)
class _Case:
    """Resources that are analyzed together, and the relevant parts of the policies."""

    patterns: tuple[str, ...]
    one: str | None
    """The resource if there is only one; None: all that match the patterns."""
    sides: Sides


class _Question:
    def __init__(
        self, effective: Effective, action: str, resource: str, known: Mapping[str, str], limits: Limits
    ) -> None:
        if has_wildcard(action):
            raise ValetkeyError(
                f"{shown(action)} is a pattern of actions", do="ask about one action, like s3:GetObject"
            )
        Request(principal=effective.role_arn, action=action, context=dict(known))  # raises if it is invalid
        self.effective, self.action, self.resource, self.limits = effective, action, resource, limits
        self.known = dict(known)
        self.keys = {key.lower(): value for key, value in known.items()}
        self._asked((resource,), "identity")  # raises if it is not a resource
        self.cases = [self._case(patterns, item) for patterns, item in self._resources()]

    def answer(self) -> ActionAnswer:
        hidden = tuple(map(str, self.effective.unread))
        some = _first(self._anything(case) for case in self.cases)
        every = _first(self._everything(case) for case in self.cases)
        allowed = denied = None
        verdict: ActionVerdict = "unknown"
        reason = ""
        if some is None:
            verdict = "denied"
            denied = self._example(every) if isinstance(every, Request) else self._denied_for_sure()
        elif hidden:
            reason = f"policies could not be read: {', '.join(hidden)}"
        else:
            allowed = self._example(some) if isinstance(some, Request) else None
            denied = self._example(every) if isinstance(every, Request) else None
            if every is None:
                verdict = "allowed"
            elif allowed is not None and denied is not None:
                verdict = "depends"
            else:
                reason = next(item for item in (some, every) if isinstance(item, str))
        return ActionAnswer(
            name=self.effective.name,
            role_arn=self.effective.role_arn,
            action=self.action,
            resource=self.resource,
            verdict=verdict,
            reason=reason,
            allowed=allowed,
            denied=denied,
            depends_on=tuple(self._depends()) if verdict in ("depends", "unknown") and not hidden else (),
            known=self.known,
            unread=hidden,
        )

    def _resources(self) -> Iterator[tuple[tuple[str, ...], str | None]]:
        """Yield the resources to analyze: the resource, those that its pattern matches, or for any resource those that
        AWS lists for the action."""
        if self.resource != "*":
            yield (self.resource,), None if has_wildcard(self.resource) else self.resource
            return
        known = resources(self.action, self.effective.role_arn.split(":")[1])
        if known is None:
            yield ("*",), None
            return
        arns, bare = known
        if len(arns) > _TYPES:
            arns = tuple(dict.fromkeys(f"{':'.join(arn.split(':')[:3])}:*" for arn in arns))
        if arns:
            yield arns, None
        if bare:
            yield ("*",), "*"

    def _case(self, patterns: tuple[str, ...], one: str | None) -> _Case:
        sides = of_action(self.effective.sides, self.action)
        if one == "*":
            sides = on_bare(sides)
        sides = with_known(on_resources(sides, *patterns), self.keys)
        return _Case(patterns, one, without_covered(sides, *patterns))

    def _asked(self, patterns: tuple[str, ...], kind: Literal["identity", "session"]) -> Policy:
        asked = {"Effect": "Allow", "Action": self.action, "Resource": list(patterns)}
        # In this policy version, `${` does not begin a variable.
        return parse_policy({"Version": "2008-10-17", "Statement": [asked]}, kind=kind)

    def _anything(self, case: _Case) -> Request | str | None:
        """Return a request that is allowed; None: proved that there is none; or why it is not decided. Everything that
        a policy that could not be read may allow counts as allowed."""
        identity = case.sides.identity
        if any(not policy.boundary for policy in self.effective.unread):
            identity = (*identity, self._asked(case.patterns, "identity"))
        mine = {**case.sides.keywords, "identity": identity, "session": (self._asked(case.patterns, "session"),)}
        result = prove(
            mine,
            within={"identity": ()},
            caller=self.effective.role_arn,
            resource=case.one,
            owner=self._owner,
            limits=self.limits,
        )
        return self._said(result, case, is_allowed=True)

    def _everything(self, case: _Case) -> Request | str | None:
        """Return a request that is denied; None: proved that there is none; or why it is not decided."""
        denies = any(statement.effect == "Deny" for statement in case.sides.statements)
        if always(case.sides, *case.patterns) and not denies and self._owner == self._account:
            return None
        result = prove(
            {"identity": (self._asked(case.patterns, "identity"),)},
            within=case.sides.keywords,
            caller=self.effective.role_arn,
            resource=case.one,
            owner=self._owner,
            limits=self.limits,
        )
        return self._said(result, case, is_allowed=False)

    def _said(self, result: Proof | Counterexample | Unknown, case: _Case, *, is_allowed: bool) -> Request | str | None:
        if isinstance(result, Proof):
            return None
        if isinstance(result, Unknown):
            return self._tried(case, is_allowed) or result.reason
        if self.effective.unread or self._whole(result.request)[1].allowed is is_allowed:
            return result.request
        if not any(VARIABLE.search(text) for statement in case.sides.statements for text in _texts(statement)):
            raise InternalError(f"prover and evaluator disagree about {result.request}")
        return self._tried(case, is_allowed) or "a policy variable stands for a key whose value is known"

    def _tried(self, case: _Case, is_allowed: bool) -> Request | None:
        """Search for a request that is certainly allowed, or certainly denied, by trying some. Used if a proof is too
        expensive."""
        named = [VARIABLE.sub("x", text) for statement in case.sides.statements for text in statement.resources or ()]
        fits = [compiled(wild(pattern)) for pattern in case.patterns]
        for text in dict.fromkeys([*case.patterns, *named] if case.one is None else [case.one]):
            resource = _plain_resource(text)
            if not any(fit(resource) for fit in fits):
                continue
            request, sides = self._request(resource), case.sides.keywords
            if decide(request, **sides).allowed if is_allowed else not could_allow(request, **sides):
                return request
        return None

    def _denied_for_sure(self) -> Example | None:
        """Return one request of those that are proved to be denied."""
        case = self.cases[0]
        request = self._request(case.one or _plain_resource(case.patterns[0]))
        return None if decide(request, **self.effective.sides.keywords).allowed else self._example(request)

    def _request(self, resource: str) -> Request:
        return Request(
            principal=self._session,
            action=self.action,
            resource=resource,
            resource_account=self._owner,
            context=self.known,
        )

    @property
    def _owner(self) -> str:
        """The account of the resource: the one in its ARN, else the role's own."""
        parts = self.resource.split(":", 5)
        return parts[4] if len(parts) == 6 and is_account(parts[4]) else self._account

    @property
    def _account(self) -> str:
        return self.effective.role_arn.split(":")[4]

    @property
    def _session(self) -> str:
        partition = self.effective.role_arn.split(":")[1]
        return f"arn:{partition}:sts::{self._account}:assumed-role/{self.effective.name}/session"

    def _whole(self, request: Request) -> tuple[Mapping[str, object], Decision]:
        """Decide a request on the complete documents, with the known condition keys. Returns its other condition keys
        and the decision."""
        context = {key: value for key, value in request.context.items() if key.lower() not in self.keys}
        whole = replace(request, context={**context, **self.known})
        return context, decide(whole, **self.effective.sides.keywords)

    def _example(self, request: Request) -> Example:
        context, decision = self._whole(request)
        return Example(request.resource, _plain(context), decision.outcome, tuple(self._deciding(decision)))

    def _deciding(self, decision: Decision) -> Iterator[Deciding]:
        for part in decision.parts:
            yield Deciding(
                policy=self._name(part),
                side="boundary" if part.side == "boundary" else "identity",
                statement=part.statement,
                sid=part.sid,
                tests=tuple(result.text for result in part.findings),
            )

    def _name(self, part: Part) -> str:
        boundary = self.effective.boundary
        if part.side == "boundary" and boundary is not None:
            return boundary.name
        return self.effective.policies[part.number - 1].name

    def _depends(self) -> Iterator[str]:
        """Yield what the decision may depend on: the condition keys of the remaining statements, and RESOURCE."""
        seen: set[str] = set()
        statements = [statement for case in self.cases for statement in case.sides.statements]
        for condition in (condition for statement in statements for condition in statement.conditions):
            if condition.key.lower() not in seen:
                seen.add(condition.key.lower())
                yield condition.key
        if len(self.cases) > 1 or any(_tells_apart(case) for case in self.cases):
            yield RESOURCE


def _tells_apart(case: _Case) -> bool:
    """Return whether a statement applies to some of the resources and not to others."""
    return case.one is None and any(
        statement.not_resource
        or not all(any(covers(text, on) for text in statement.resources or ()) for on in case.patterns)
        for statement in case.sides.statements
    )


def _texts(statement: Statement) -> Iterator[str]:
    yield from statement.resources or ()
    for condition in statement.conditions:
        yield from condition.values


def _first(answers: Iterable[Request | str | None]) -> Request | str | None:
    """Return a request if there is one, else why it is not decided, else None."""
    given = list(answers)
    for item in given:
        if isinstance(item, Request):
            return item
    return next((item for item in given if item is not None), None)


def _plain_resource(pattern: str) -> str:
    return pattern if pattern == "*" else pattern.replace("*", "x").replace("?", "x")


def _plain(context: Mapping[str, object]) -> dict[str, str | tuple[str, ...]]:
    return {key: value if isinstance(value, str) else tuple(value) for key, value in context.items()}  # type: ignore[arg-type]
