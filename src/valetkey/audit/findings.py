"""The results of an audit, as frozen values for reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from valetkey.audit.exposure import Exposure, Outsider
from valetkey.audit.permissions import Powers
from valetkey.policy.requests import Request

Severity = Literal["info", "low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""In ascending order."""

UNKNOWN = "unknown"
"""The check for an undecided role; it fails at every threshold."""
INCOMPLETE = "incomplete"
"""The check for unread parts that may hide a way in; it fails at every threshold, unless this is allowed."""

NOT_READ = "not read: "
"""The prefix of the text of a finding about the account as a whole."""


def at_least(severity: Severity, threshold: Severity) -> bool:
    """Whether a severity is at or above the threshold."""
    return SEVERITIES.index(severity) >= SEVERITIES.index(threshold)


@dataclass(frozen=True, slots=True)
class Hit:
    """The result of one check on one role; the check itself says why it matters."""

    text: str
    """One sentence. It never contains an ExternalId."""
    where: str = ""
    """JSON path in the trust policy, or empty."""
    witness: Request | None = None
    """A request that gets in although it should not; None where there is none."""
    severity: Severity | None = None
    """Overrides the check's severity."""
    document: Mapping[str, Any] | None = None
    """The corrected trust policy."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """One entry of a baseline: a finding that was reviewed and accepted until a given time."""

    check: str
    role: str
    """A role's ARN; `*` and `?` are wildcards."""
    reason: str
    until: datetime
    """Aware. From this time on, the finding is reported again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check that one role fails."""

    check: str
    """ "T1" to "T31", "unknown" or "incomplete"."""
    severity: Severity
    role: str
    """ARN; `…:root` of the account for a finding about the account as a whole."""
    source: str
    """Where the role was read from: file and JSON path, or the call."""
    place: str
    """The place of the finding: file and JSON path, as far as they are known."""
    line: int | None
    """The line of `place`, from 1, where the file has lines."""
    text: str
    where: str
    witness: Request | None
    fix: str
    document: Mapping[str, Any] | None
    accepted: Accepted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One role with its verdict."""

    arn: str
    source: str
    line: int | None
    """Its line in the file, from 1."""
    exposure: Exposure
    reason: str
    """Why the exposure is unknown or unreachable, or under which conditions it holds; may be empty."""
    outsiders: tuple[Outsider, ...]
    notes: tuple[str, ...]
    """Callers that get in and look like outsiders but are not: own SAML providers, single-tenant issuers."""
    assumed: tuple[str, ...]
    """The assumptions, one sentence each."""
    unknown: tuple[str, ...]
    """Parts of the role that the source does not contain, or that could not be resolved, each with its place."""
    powers: Powers | None
    """The permissions of outsiders; None where no outsider gets in."""
    last_used: datetime | None
    last_use_known: bool
    advice: str
    """What the role's name usually means, and what to do in that case; empty where it means nothing."""


@dataclass(frozen=True, slots=True)
class RoleFindings:
    """One role with its findings."""

    role: Judged | None
    """None for findings about the account as a whole."""
    findings: tuple[Finding, ...]
    """Findings that no baseline accepts, by descending severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The result of an audit."""

    account: str | None
    """None where no source names it, or there are several."""
    sources: tuple[str, ...]
    at: datetime
    roles: tuple[Judged, ...]
    """Sorted by ARN."""
    findings: tuple[Finding, ...]
    """By descending severity, then by role and check. Includes accepted findings (`accepted` is set)."""
    stale: tuple[Accepted, ...]
    """Baseline entries that accept nothing: they expired, or the finding no longer exists."""
    incomplete: tuple[str, ...]
    """Parts of the account that could not be read, including those that would only make the answer more precise."""
    skipped: tuple[str, ...]
    """Files of another kind, which were not read."""
    accounts: tuple[str, ...] = ()
    """Every audited account, as far as the sources name them."""

    def failing(self, threshold: Severity, *, allow_incomplete: bool = False) -> tuple[Finding, ...]:
        """The findings that make a run fail. They are not accepted, and are at or above the threshold, of the check
        "unknown", or of the check "incomplete" (unless `allow_incomplete`)."""

        def fails(finding: Finding) -> bool:
            if finding.check == INCOMPLETE:
                return not allow_incomplete
            return finding.check == UNKNOWN or at_least(finding.severity, threshold)

        return tuple(finding for finding in self.findings if finding.accepted is None and fails(finding))

    def blocks(self) -> tuple[RoleFindings, ...]:
        """The findings grouped by role. The account as a whole comes first, if it has findings; then roles by their
        most severe finding, in descending order; then roles without findings."""
        of: dict[tuple[str, str], list[Finding]] = {(role.arn, role.source): [] for role in self.roles}
        whole: list[Finding] = []
        for finding in self.findings:
            if finding.accepted is None:
                of.get((finding.role, finding.source), whole).append(finding)
        blocks = [RoleFindings(role, tuple(of[role.arn, role.source])) for role in self.roles]
        blocks.sort(key=_gravest)
        return (*([RoleFindings(None, tuple(whole))] if whole else []), *blocks)


EXPOSURES: tuple[Exposure, ...] = ("unguarded", "unknown", "guarded", "unreachable", "internal")
"""By descending urgency."""


def _gravest(block: RoleFindings) -> tuple[int, int, str]:
    assert block.role is not None
    gravest = max((SEVERITIES.index(finding.severity) for finding in block.findings), default=-1)
    return -gravest, EXPOSURES.index(block.role.exposure), block.role.arn
