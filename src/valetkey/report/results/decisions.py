"""A decision as JSON (docs/reference/decide.md)."""

from __future__ import annotations

from valetkey.policy import decision as policy
from valetkey.policy.decision import Outcome, Side
from valetkey.report.results.shape import Shape, shaped


class Test(Shape, frozen=True):
    where: str
    text: str


class DecidedBy(Shape, frozen=True):
    policy: Side
    number: int
    statement: int
    sid: str | None
    tests: list[Test]


class RestsOn(Shape, frozen=True):
    policy: Side
    number: int
    statement: int
    sid: str | None
    where: str
    what: str


class Decision(Shape, frozen=True):
    outcome: Outcome
    allowed: bool
    action: str
    reason: str
    note: str | None
    decided_by: list[DecidedBy]
    rests_on: list[RestsOn]


def decided(decision: policy.Decision) -> Decision:
    """Return the decision on one request."""
    return shaped(
        Decision,
        decision,
        note=decision.note or None,
        decided_by=[shaped(DecidedBy, part, policy=part.side, tests=part.findings) for part in decision.parts],
        rests_on=[shaped(RestsOn, item, policy=item.side) for item in decision.rests_on],
    )
