"""What an audit says: the values that are handed to whoever prints them."""

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
"""From the least to the gravest."""

UNKNOWN = "unknown"
"""The check of a role that could not be decided; it fails whatever the threshold is."""


def at_least(severity: Severity, threshold: Severity) -> bool:
    """Whether a severity is the threshold or graver."""
    return SEVERITIES.index(severity) >= SEVERITIES.index(threshold)


@dataclass(frozen=True, slots=True)
class Hit:
    """What one check found on one role; the check itself says why that matters."""

    text: str
    """One sentence. It never holds an ExternalId."""
    where: str = ""
    """JSON path in the trust policy, or empty."""
    witness: Request | None = None
    """A request that gets in although it should not; None where nobody gets in, or it is not about getting in."""
    severity: Severity | None = None
    """In place of the check's own."""
    document: Mapping[str, Any] | None = None
    """The corrected trust policy."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """One line of a baseline: a finding that was looked at and accepted for a time."""

    check: str
    role: str
    """A role's ARN; `*` and `?` are wildcards."""
    reason: str
    until: datetime
    """Aware. From then on it is a finding again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check that one role does not pass."""

    check: str
    """ "T1" to "T31", or "unknown"."""
    severity: Severity
    role: str
    """ARN."""
    source: str
    """Where the role was read from: file and JSON path, or the call."""
    text: str
    where: str
    witness: Request | None
    fix: str
    document: Mapping[str, Any] | None
    accepted: Accepted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One role, judged."""

    arn: str
    source: str
    exposure: Exposure
    reason: str
    """Why it is unknown or unreachable; empty otherwise."""
    outsiders: tuple[Outsider, ...]
    notes: tuple[str, ...]
    """Who comes in and is no outsider although it may look like one: own SAML providers, single-tenant issuers."""
    assumed: tuple[str, ...]
    """What was taken for granted, one sentence each."""
    unknown: tuple[str, ...]
    """What the source does not say of the role, or what could not be resolved, each with its place."""
    powers: Powers | None
    """What outsiders get; None where no outsider gets in."""
    last_used: datetime | None
    last_use_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The whole answer."""

    account: str | None
    sources: tuple[str, ...]
    at: datetime
    roles: tuple[Judged, ...]
    """By ARN."""
    findings: tuple[Finding, ...]
    """The gravest first, then by role and check. Accepted ones are among them, and say so."""
    stale: tuple[Accepted, ...]
    """Lines of the baseline that accept nothing (any more): ended, or the finding is gone."""
    incomplete: tuple[str, ...]
    """What could not be read of the account as a whole."""

    def failing(self, threshold: Severity) -> tuple[Finding, ...]:
        """The findings that make a run fail: not accepted, and at or over the threshold, or of an unknown role."""
        return tuple(
            each
            for each in self.findings
            if each.accepted is None and (each.check == UNKNOWN or at_least(each.severity, threshold))
        )
