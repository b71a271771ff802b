"""Adoptions, and revocations of roles that are not grants, as JSON (docs/reference/{adopt,revoke}.md)."""

from __future__ import annotations

from typing import Literal

from valetkey.grants import adopt_prepare as prepared
from valetkey.report.results import grants
from valetkey.report.results.grants import Call, Proof, Receipt, Terms
from valetkey.report.results.shape import Shape, shaped
from valetkey.times import moment
from valetkey.trust.term_rows import as_json


class Adoption(Shape, frozen=True):
    """A role that was adopted, or would be."""

    valetkey: Literal["adoption/v1"]
    name: str
    role_arn: str
    account: str
    contractor: str
    others: list[str]
    terms: Terms  # type: ignore[valid-type]
    until: str | None
    weak: list[str]
    tightened: Terms | None  # type: ignore[valid-type]
    stack: str | None
    stack_unread: str | None
    proof: Proof
    calls: list[Call]


class Candidate(Shape, frozen=True):
    name: str
    role_arn: str
    contractor: str | None
    weak: list[str]
    why_not: str | None
    last_used: str | None


class Candidates(Shape, frozen=True):
    """The roles that admit an outside party and are not grants."""

    valetkey: Literal["candidates/v1"]
    account: str
    candidates: list[Candidate]


class Unmanaged(Shape, frozen=True):
    """A role that was revoked without a record."""

    valetkey: Literal["unmanaged/v1"]
    name: str
    role_arn: str
    used_by: list[str]
    saved: str
    shut: grants.Shut | None
    receipt: Receipt | None


def adoption(made: prepared.Adoption, calls: list[Call]) -> Adoption:
    """Return an adoption; `calls` were performed, or would be."""
    return shaped(
        Adoption,
        made,
        valetkey="adoption/v1",
        name=made.role.name,
        role_arn=made.role.arn,
        account=made.owner.account,
        terms=as_json(made.terms),
        until=made.until and moment(made.until),
        tightened=None if made.tightened is None else as_json(made.tightened.terms),
        stack=made.stack.name or None,
        stack_unread=made.stack.unread or None,
        calls=calls,
    )


def candidate(result: prepared.Candidate) -> Candidate:
    """Return a role that could be adopted, or why not."""
    return shaped(
        Candidate,
        result,
        name=result.role.name,
        role_arn=result.role.arn,
        contractor=result.contractor or None,
        why_not=result.why_not or None,
        last_used=result.role.last_used and moment(result.role.last_used),
    )
