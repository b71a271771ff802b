"""The decision on a request, with its reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from valetkey.policy.reasons import TestResult, conditions, nearest, spelt, title
from valetkey.policy.requests import Request
from valetkey.policy.role_actions import refused_by_sts
from valetkey.policy.statements import Policy, Statement

Outcome = Literal["allowed", "explicit_deny", "implicit_deny"]
Side = Literal["trust", "resource", "identity", "boundary", "session", "scp", "rcp"]

_NAMES: dict[Side, str] = {
    "trust": "the trust policy",
    "resource": "the resource policy",
    "identity": "the caller's policies",
    "boundary": "the permissions boundary",
    "session": "the session policy",
    "scp": "the SCPs",
    "rcp": "the RCPs",
}


class Applied(NamedTuple):
    """A statement that applied. `number` is its policy (of SCPs and RCPs: its level) on that side, from 1."""

    side: Side
    number: int
    statement: Statement


class Lacking(NamedTuple):
    """A side whose Allow was required and missing. `number` is the level of SCPs, otherwise 0."""

    side: Side
    number: int
    policies: tuple[Policy, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One statement that took part in a decision, or the nearest one that did not match."""

    side: Side
    number: int
    """Which of the policies given for that side (of SCPs and RCPs: which level), from 1."""
    statement: int
    """The statement's number, from 1."""
    sid: str | None
    findings: tuple[TestResult, ...]
    """The tests that decided: the failed ones, or the conditions of a statement that applied. Empty when that
    statement has no conditions."""


@dataclass(frozen=True, slots=True)
class Open:
    """A place in a policy whose meaning AWS does not document (`undocumented`) and on which a decision depends."""

    side: Side
    number: int
    """As in Part."""
    statement: int
    """The statement's number, from 1."""
    sid: str | None
    where: str
    """JSON path in the policy."""
    what: str
    """What the place contains, as a predicate: "has no values"."""

    def __str__(self) -> str:
        place = f"{_NAMES[self.side]}{_numbered(self.side, self.number)}, statement {self.statement}"
        return f"{place}: {self.where} {self.what}"


Rests = Callable[[Request], tuple[Open, ...]]


class Decision:
    """Allowed, explicitly denied or implicitly denied. The text of the reason is built only when it is read."""

    __slots__ = ("_action", "_applied", "_lacking", "_note", "_request", "_rests", "outcome")

    outcome: Outcome
    """ "allowed", "explicit_deny" (a Deny applied) or "implicit_deny" (a required Allow is missing)."""

    def __init__(
        self,
        outcome: Outcome,
        request: Request,
        action: str,
        applied: tuple[Applied, ...] = (),
        lacking: Lacking | None = None,
        note: str = "",
        rests: Rests | None = None,
    ) -> None:
        self.outcome = outcome
        self._action = action
        self._request = request
        self._applied = applied
        self._lacking = lacking
        self._note = note
        self._rests = rests

    @property
    def allowed(self) -> bool:
        """Whether the outcome is "allowed"."""
        return self.outcome == "allowed"

    @property
    def action(self) -> str:
        """The action that decided, as spelled in the request. Of several actions: the first that is not allowed."""
        return spelt(self._request, self._action)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The statements that decided: the Deny that applied, the Allows that applied, or the nearest Allow."""
        request = self._request
        if self._lacking is None:
            return tuple(
                Part(
                    item.side,
                    item.number,
                    item.statement.index + 1,
                    item.statement.sid,
                    conditions(item.statement, request),
                )
                for item in self._applied
            )
        near = nearest(self._lacking.policies, request, self._action)
        if near is None:
            return ()
        place, statement, findings = near
        number = self._lacking.number or place + 1
        return (Part(self._lacking.side, number, statement.index + 1, statement.sid, findings),)

    @property
    def rests_on(self) -> tuple[Open, ...]:
        """The undocumented places on which the outcome depends. The strict reading decided: there, an Allow does not
        match and a Deny does. Always empty when the outcome is "allowed"."""
        return () if self._rests is None else self._rests(self._request)

    @property
    def note(self) -> str:
        """What AWS does independently of the policies and outside the outcome: STS refuses AssumeRole by the root user
        and by federated users. "" for other calls."""
        return refused_by_sts(self._request.caller.kind, self._request.actions)

    @property
    def reason(self) -> str:
        """Which policy decided and why, in one line. Contains values of the policies and the request, such as an
        ExternalId: mask them where that matters."""
        rests = self.rests_on
        silent = f"; AWS does not document what it does where {rests[0]}" if rests else ""
        beside = f"; {self.note}" if self.note else ""
        return f"{self._why()}{silent}{beside}"

    def _why(self) -> str:
        if self.outcome == "explicit_deny":
            text = f"{self._place(self._applied[0])} denies {self.action}"
            facts = conditions(self._applied[0].statement, self._request)
            return text + (": " + "; ".join(fact.text for fact in facts) if facts else " without a condition")
        if self.outcome == "allowed":
            who = " and ".join(self._place(item) for item in self._applied)
            return "; ".join(
                filter(None, (who and f"{who} allow{'s' * (len(self._applied) == 1)} {self.action}", self._note))
            )
        return "; ".join(filter(None, (self._lack(), self._note)))

    def _place(self, applied: Applied) -> str:
        return f"{_NAMES[applied.side]}{_numbered(applied.side, applied.number)}, {title(applied.statement)},"

    def _lack(self) -> str:
        if self._lacking is None:
            return ""
        side, number, policies = self._lacking
        name = _NAMES[side] + (_numbered(side, number) if number else "")
        near = nearest(policies, self._request, self._action)
        if near is None:
            return f"{name}: no statement allows anything" if policies else f"{name}: there are none"
        place, statement, findings = near
        which = "" if number or len(policies) == 1 else _numbered(side, place + 1)
        return f"{name}{which}: {title(statement)} {'; and it '.join(result.text for result in findings)}"

    def __repr__(self) -> str:
        return f"<Decision {self.outcome}>"


def _numbered(side: Side, number: int) -> str:
    if side in ("scp", "rcp"):
        return f" of level {number}"
    return f" (policy {number})" if side == "identity" else ""
