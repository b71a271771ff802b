"""What a grant's sessions may do, as JSON (docs/reference/{can,show}.md)."""

from __future__ import annotations

from typing import Any, Literal

from valetkey.catalog.actions import listed
from valetkey.grants import can, compared, consolidated, effective, from_use
from valetkey.prover import comparison
from valetkey.report.results.shape import Shape, shaped


class Deciding(Shape, frozen=True):
    """A statement that decides, or the Allow that comes nearest."""

    policy: str
    side: Literal["identity", "boundary"]
    statement: int
    """Counted from 1."""
    sid: str | None
    tests: list[str]


class Example(Shape, frozen=True):
    """A request and its decision."""

    resource: str
    context: dict[str, str | list[str]]
    outcome: Literal["allowed", "explicit_deny", "implicit_deny"]
    decided_by: list[Deciding]


class Can(Shape, frozen=True):
    valetkey: Literal["can/v1"]
    name: str
    role_arn: str
    action: str
    listed: bool
    """Whether AWS lists this action."""
    resource: str
    verdict: Literal["allowed", "denied", "depends", "unknown"]
    reason: str | None
    depends_on: list[str]
    allowed: Example | None
    denied: Example | None
    known: dict[str, str]
    unread: list[str]
    assumed: list[str]


class Witness(Shape, frozen=True):
    """A request that one side allows and the other does not."""

    action: str
    resource: str
    context: dict[str, str | list[str]]
    reason: str


class Undecided(Shape, frozen=True):
    action: str
    why: str


class Within(Shape, frozen=True):
    """Whether one side allows nothing that the other does not."""

    holds: bool
    beyond: list[Witness]
    undecided: list[Undecided]

    @classmethod
    def of(cls, result: comparison.Within) -> Within:
        return cls(
            holds=result.holds,
            beyond=[
                Witness(
                    action=str(counterexample.request.action),
                    resource=counterexample.request.resource,
                    context={
                        key: value if isinstance(value, str) else list(value)
                        for key, value in counterexample.request.context.items()
                    },
                    reason=counterexample.reference.reason,
                )
                for counterexample in result.beyond
            ],
            undecided=[Undecided(action=action, why=why) for action, why in result.undecided],
        )


Services = dict[str, dict[str, list[str]]]
"""Actions by service and kind of access."""


class Compared(Shape, frozen=True):
    other: str
    relation: Literal["the same", "less", "more", "neither", "unknown"]
    only_one: Services
    only_other: Services
    within: Within
    """Whether the grant allows nothing that the other does not."""
    other_within: Within
    unread: list[str]


class Permissions(Shape, frozen=True):
    valetkey: Literal["permissions/v1"]
    name: str
    role_arn: str
    boundary: str | None
    counts: dict[str, int]
    services: Services
    undecided: str | None
    policy: dict[str, Any]
    covers: Within
    """Whether `policy` allows everything that the role's policies allow."""
    exact: Within
    """Whether `policy` allows nothing else."""
    compared: Compared | None
    unread: list[str]
    assumed: list[str]


class FromUse(Shape, frozen=True):
    valetkey: Literal["from-use/v1"]
    name: str
    role_arn: str
    source: str
    notes: list[str]
    used: list[str]
    kept_unseen: int
    not_allowed: list[str]
    lost: Services
    policy: dict[str, Any]
    characters: int
    smaller: Within
    """Whether `policy` allows nothing that the grant's policies do not."""
    rest: Within
    """Whether the grant's policies allow nothing that `policy` does not: what would be lost."""
    assumed: list[str]


def decided(answer: can.ActionAnswer) -> Can:
    """Return the answer to one question."""
    return shaped(
        Can,
        answer,
        valetkey="can/v1",
        listed=listed(answer.action) is not None,
        reason=answer.reason or None,
        assumed=effective.ROLE_ASSUMPTIONS,
    )


def permissions(
    of: effective.Effective,
    summary: consolidated.Summary,
    policy: consolidated.Consolidated,
    against: compared.Compared | None,
) -> Permissions:
    """Return what a grant's sessions may do."""
    return shaped(
        Permissions,
        of,
        valetkey="permissions/v1",
        boundary=None if of.boundary is None else of.boundary.name,
        counts=summary.counts(),
        services=summary.services,
        undecided=summary.undecided or None,
        policy=policy.document,
        covers=Within.of(policy.covers),
        exact=Within.of(policy.exact),
        compared=None if against is None else _compared(against),
        unread=list(map(str, of.unread)),
        assumed=effective.ROLE_ASSUMPTIONS,
    )


def _compared(against: compared.Compared) -> Compared:
    mine, theirs = Within.of(against.one_within), Within.of(against.other_within)
    return shaped(Compared, against, within=mine, other_within=theirs)


def proposed(of: effective.Effective, proposal: from_use.Proposal) -> FromUse:
    """Return a smaller policy."""
    return shaped(
        FromUse,
        proposal,
        valetkey="from-use/v1",
        name=of.name,
        role_arn=of.role_arn,
        source=proposal.use.source,
        notes=proposal.use.notes,
        policy=proposal.document,
        smaller=Within.of(proposal.smaller),
        rest=Within.of(proposal.rest),
        assumed=effective.ROLE_ASSUMPTIONS,
    )
