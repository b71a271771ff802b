"""Access reviews and evidence as JSON (docs/reference/{review,show}.md)."""

from __future__ import annotations

from typing import Literal

from valetkey.report.results.shape import Shape


class ReviewWritten(Shape, frozen=True):
    """A review whose population was read."""

    valetkey: Literal["review-written/v1"]
    file: str
    csv: str | None
    account: str
    population_sha256: str
    grants: int
    outside_trusts: int
    incomplete: list[str]


class ReviewResult(Shape, frozen=True):
    role_arn: str
    decision: str
    outcome: str
    at: str
    note: str


class ReviewApplied(Shape, frozen=True):
    """A review whose decisions were carried out."""

    valetkey: Literal["review-applied/v1"]
    file: str
    signature: str | None
    key: str | None
    account: str
    population_sha256: str
    finished_at: str | None
    results: list[ReviewResult]
    not_reviewed: list[str]
    incomplete: list[str]


class Verified(Shape, frozen=True):
    """A valid signature."""

    valetkey: Literal["verified/v1"]
    file: str
    kind: Literal["review/v1", "evidence/v1"]
    account: str
    about: str
    """The hash of the population, or the role's ARN."""
    claimed_at: str
    """The signer's claim."""
    signer: str
    key: str
    decisions: dict[str, int]
    outcomes: dict[str, int]
    open: list[str]
    """What the file itself reports as not done, not read or not as agreed."""


class EvidenceWritten(Shape, frozen=True):
    """Evidence of a grant."""

    valetkey: Literal["evidence-written/v1"]
    file: str
    signature: str | None
    key: str | None
    role_arn: str
    documents_sha256: str
    holds: bool
    unread: list[str]
