"""An audit as JSON: kind "audit/v1" (docs/reference/audit.md). ExternalIds are masked by default."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from valetkey.account.symbols import STANDS_FOR
from valetkey.audit import exposure, findings
from valetkey.audit.checks import TABLE
from valetkey.audit.exposure import Exposure, OutsiderKind
from valetkey.audit.findings import Severity
from valetkey.audit.fixes import PLACEHOLDER
from valetkey.audit.permissions import Powers
from valetkey.policy import requests
from valetkey.report.results.openings import Outlives
from valetkey.report.results.shape import Shape, filled, shaped
from valetkey.report.text import mask
from valetkey.times import moment


class Request(Shape, frozen=True):
    """A request in the format that `valetkey decide` reads."""

    principal: str
    action: str | list[str]
    resource: str
    context: dict[str, Any]


class Way(Shape, frozen=True):
    statement: int
    """Counted from 1."""
    guarded: bool
    external_ids: list[str]
    mfa: bool
    until: str | None
    sources: list[str]
    subjects: list[str]
    everybody: bool
    callers: list[str]
    witness: Request | None


class Outsider(Shape, frozen=True):
    kind: OutsiderKind
    name: str | None
    partition: str
    label: str | None
    guarded: bool
    external_id: bool
    mfa: bool
    until: str | None
    sources: list[str]
    ways: list[Way]
    witness: Request | None


class Reads(Shape, frozen=True):
    what: str
    actions: list[str]


class Permissions(Shape, frozen=True):
    admin: bool
    changes_itself: list[str]
    escalations: list[str]
    reads_data: list[Reads]
    outlives: list[Outlives]
    levels: dict[str, int]
    not_known: list[str]


class Role(Shape, frozen=True):
    arn: str
    source: str
    line: int | None
    exposure: Exposure
    reason: str | None
    outsiders: list[Outsider]
    notes: list[str]
    assumed: list[str]
    unknown: list[str]
    permissions: Permissions | None
    last_used: str | None
    last_use_known: bool
    advice: str | None
    findings: list[int]
    """Indexes into the list of findings, from 0."""


class Accepted(Shape, frozen=True):
    check: str
    role: str
    reason: str
    until: str


class Finding(Shape, frozen=True):
    check: str
    title: str
    severity: Severity
    role: str
    source: str
    place: str
    line: int | None
    text: str
    where: str | None
    why: str
    witness: Request | None
    fix: str
    document: dict[str, Any] | None
    page: str
    accepted: Accepted | None


class Audit(Shape, frozen=True):
    valetkey: Literal["audit/v1"]
    account: str | None
    accounts: list[str]
    at: str
    sources: list[str]
    incomplete: list[str]
    skipped: list[str]
    exposures: dict[str, int]
    roles: list[Role]
    findings: list[Finding]
    stale: list[Accepted]


def audited(audit: findings.Audit, *, show_ids: bool) -> Audit:
    """Return the complete audit."""
    of: dict[tuple[str, str], list[int]] = {}
    for number, finding in enumerate(audit.findings):
        of.setdefault((finding.role, finding.source), []).append(number)
    return filled(
        Audit,
        audit,
        valetkey="audit/v1",
        at=moment(audit.at),
        exposures=Counter(role.exposure for role in audit.roles),
        roles=[_role(role, of.get((role.arn, role.source), ()), show_ids) for role in audit.roles],
        findings=[_finding(finding, show_ids) for finding in audit.findings],
        stale=[_accepted(item) for item in audit.stale],
    )


def _role(role: findings.Judged, numbers: Sequence[int], show_ids: bool) -> Role:
    return filled(
        Role,
        role,
        reason=role.reason or None,
        outsiders=[_outsider(outsider, show_ids) for outsider in role.outsiders],
        permissions=None if role.powers is None else _permissions(role.powers),
        last_used=moment(role.last_used) if role.last_used else None,
        advice=role.advice or None,
        findings=numbers,
    )


def _outsider(outsider: exposure.Outsider, show_ids: bool) -> Outsider:
    return filled(
        Outsider,
        outsider,
        name=outsider.name or None,
        label=outsider.label or None,
        external_id=bool(outsider.external_ids),
        ways=[_way(way_in, show_ids) for way_in in outsider.ways],
        witness=request(outsider.witness, show_ids),
    )


def _way(way: exposure.WayIn, show_ids: bool) -> Way:
    ids = [masked_id(id_, show_ids) for id_ in way.external_ids]
    witness = request(way.witness, show_ids)
    return filled(Way, way, statement=way.statement + 1, external_ids=ids, witness=witness)


def _permissions(powers: Powers) -> Permissions:
    opening = powers.opening
    return shaped(
        Permissions,
        opening,
        admin=powers.admin,
        changes_itself=[str(item.action) for item in powers.itself],
        escalations=[str(escalation) for escalation in opening.escalations],
        outlives=[Outlives.of(item) for item in opening.outlives],
        not_known=[*powers.unread, *powers.unlisted],
    )


def request(witness: requests.Request | None, show_ids: bool) -> Request | None:
    """Return a request; its ExternalId is masked unless `show_ids`."""
    return None if witness is None else filled(Request, witness, context=_masked(witness.context, show_ids))


def _finding(finding: findings.Finding, show_ids: bool) -> Finding:
    row = TABLE[finding.check]
    return filled(
        Finding,
        finding,
        title=row.title,
        where=finding.where or None,
        why=row.why,
        witness=request(finding.witness, show_ids),
        document=None if finding.document is None else _masked(finding.document, show_ids),
        page=row.page,
        accepted=None if finding.accepted is None else _accepted(finding.accepted),
    )


def _accepted(accepted: findings.Accepted) -> Accepted:
    return shaped(Accepted, accepted, until=moment(accepted.until))


def masked_id(value: str, show_ids: bool) -> str:
    """Return an ExternalId, masked unless `show_ids`. A placeholder to be filled in is returned unchanged."""
    return value if show_ids or value == PLACEHOLDER or value.startswith(STANDS_FOR) else mask(value)


def _masked(value: Any, show_ids: bool, is_id: bool = False) -> Any:
    """Return a document or context with every ExternalId masked, wherever it is and however its key is spelt."""
    if isinstance(value, Mapping):
        return {name: _masked(inner, show_ids, is_id or names_id(name)) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item, show_ids, is_id) for item in value]
    return masked_id(str(value), show_ids) if is_id else value


def names_id(key: str) -> bool:
    """Return whether a key is sts:ExternalId, or a mistaken spelling of it ("ExternalId", "sts:External-Id")."""
    return key.lower().replace("-", "").replace("_", "").endswith("externalid")
