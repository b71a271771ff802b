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
INCOMPLETE = "incomplete"
"""The check of what was not read and may hide a way in; it fails whatever the threshold is, unless that is accepted."""

NOT_READ = "not read: "
"""How the text of a finding begins that is about the account as a whole."""


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
    """ "T1" to "T31", "unknown" or "incomplete"."""
    severity: Severity
    role: str
    """ARN; that of the account (`…:root`) where it is about the account as a whole."""
    source: str
    """Where the role was read from: file and JSON path, or the call."""
    place: str
    """Where it is: file and JSON path as far as they are known."""
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
    """One role, judged."""

    arn: str
    source: str
    line: int | None
    """Its line in the file, from 1."""
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
    advice: str
    """What a name like this one usually means, and what to do then; empty where it means nothing."""


@dataclass(frozen=True, slots=True)
class Block:
    """One role with its findings."""

    role: Judged | None
    """None for what is about the account as a whole."""
    findings: tuple[Finding, ...]
    """Those that no baseline accepts, the gravest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The whole answer."""

    account: str | None
    """None where no source says it, or there are several."""
    sources: tuple[str, ...]
    at: datetime
    roles: tuple[Judged, ...]
    """By ARN."""
    findings: tuple[Finding, ...]
    """The gravest first, then by role and check. Accepted ones are among them, and say so."""
    stale: tuple[Accepted, ...]
    """Lines of the baseline that accept nothing (any more): ended, or the finding is gone."""
    incomplete: tuple[str, ...]
    """What could not be read of the account as a whole, also what only makes the answer more precise."""
    skipped: tuple[str, ...]
    """Files that were of another kind and not read."""
    accounts: tuple[str, ...] = ()
    """Every account that was audited, as far as the sources say."""

    def failing(self, threshold: Severity, *, allow_incomplete: bool = False) -> tuple[Finding, ...]:
        """The findings that make a run fail: not accepted, and at or over the threshold, of an unknown role, or of
        what was not read (unless `allow_incomplete`)."""

        def fails(each: Finding) -> bool:
            if each.check == INCOMPLETE:
                return not allow_incomplete
            return each.check == UNKNOWN or at_least(each.severity, threshold)

        return tuple(each for each in self.findings if each.accepted is None and fails(each))

    def blocks(self) -> tuple[Block, ...]:
        """By role: the role with the gravest finding first. First of all the account as a whole, if there is
        something to say of it; roles without findings last."""
        of: dict[tuple[str, str], list[Finding]] = {(each.arn, each.source): [] for each in self.roles}
        whole: list[Finding] = []
        for finding in self.findings:
            if finding.accepted is None:
                of.get((finding.role, finding.source), whole).append(finding)
        blocks = [Block(each, tuple(of[each.arn, each.source])) for each in self.roles]
        blocks.sort(key=_gravest)
        return (*([Block(None, tuple(whole))] if whole else []), *blocks)


EXPOSURES: tuple[Exposure, ...] = ("unguarded", "unknown", "guarded", "unreachable", "internal")
"""From the one to look at first."""


def _gravest(block: Block) -> tuple[int, int, str]:
    assert block.role is not None
    gravest = max((SEVERITIES.index(each.severity) for each in block.findings), default=-1)
    return -gravest, EXPOSURES.index(block.role.exposure), block.role.arn
