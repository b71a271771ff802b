"""Run the audit of an account: a verdict for every role, and the findings of all checks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from valetkey.account.values import Account, Role, UnknownPart
from valetkey.audit.advice import advice, fix_for
from valetkey.audit.baseline import apply
from valetkey.audit.checks import ROLE_CHECKS, TABLE
from valetkey.audit.external_ids import shared_as
from valetkey.audit.findings import INCOMPLETE, NOT_READ, SEVERITIES, Accepted, Audit, Finding, Hit, Judged
from valetkey.audit.open_trusts import judge_open
from valetkey.audit.permissions import Library, Powers
from valetkey.audit.scope import Scope
from valetkey.audit.subjects import Subject, TrustVerdict
from valetkey.audit.trusts import FindReach, judge, unknown
from valetkey.catalog import limits
from valetkey.policy.arns import NOBODY
from valetkey.policy.origin import Origin
from valetkey.trust.drift import Difference, differences, terms_in
from valetkey.trust.record import PREFIX, ForeignRole, Record, read_record
from valetkey.trust.terms import Terms

VerdictKey = tuple[str, str, str, Origin]
"""What a verdict depends on: the document's text, the owner's account and partition, and the origin."""


def audit(
    account: Account,
    *,
    scope: Scope,
    now: datetime,
    baseline: Sequence[Accepted] = (),
    verdicts: Mapping[VerdictKey, TrustVerdict] | None = None,
    who: FindReach | None = None,
    progress: Callable[[int, int], None] | None = None,
    line_of: Callable[[str], int | None] = lambda place: None,
) -> Audit:
    """Audit an account. `who` is the prover (default: prover.who); `verdicts` are precomputed (`workers.verdicts`);
    `progress` receives the number of finished roles and the total; `line_of` returns the line of a place
    ("app.yaml: $.Resources.Auditor"). A role's content never makes it raise."""
    known: dict[VerdictKey, TrustVerdict] = dict(verdicts or {})
    judged = []
    for number, role in enumerate(account.roles, 1):
        judged.append(_verdict(role, known, scope, now, who))
        if progress is not None and (not number % 100 or number == len(account.roles)):
            progress(number, len(account.roles))
    shared = _shared_ids(account.roles, judged)
    library = Library(account.policies)
    quota = account.quotas.get(limits.TRUST_POLICY_QUOTA, limits.TRUST_POLICY_MAX)
    roles: list[Judged] = []
    findings: list[Finding] = []
    for role, verdict in zip(account.roles, judged, strict=True):
        powers = library.powers(role) if verdict.found.outsiders else None
        advised = advice(role, verdict.found.outsiders)
        roles.append(_judged(role, verdict, powers, advised, line_of))
        record, damaged, drift = _record(role)
        subject = Subject(role, verdict, powers, record, damaged, drift, quota, shared, scope, now)
        findings.extend(_findings(subject, advised, line_of))
    findings.extend(_not_read(account, part, line_of) for part in account.unknown if _hides(part))
    findings.sort(key=lambda finding: (-SEVERITIES.index(finding.severity), finding.role, _order(finding.check)))
    marked, stale = apply(findings, baseline, now=now)
    return Audit(
        account=account.id,
        accounts=account.ids,
        sources=account.sources,
        at=now,
        roles=tuple(roles),
        findings=marked,
        stale=stale,
        incomplete=tuple(f"{part.part}: {part.reason} ({part.where})" for part in account.unknown),
        skipped=account.skipped,
    )


def key_of(role: Role) -> VerdictKey | None:
    """The key of a role's verdict; None for a role whose trust policy is not known."""
    return None if role.trust is None else (role.trust, role.account or NOBODY, role.partition, role.origin)


def _verdict(
    role: Role, known: dict[VerdictKey, TrustVerdict], scope: Scope, now: datetime, who: FindReach | None
) -> TrustVerdict:
    key = key_of(role)
    if key is None and role.open_trust is not None:
        return judge_open(
            role.open_trust,
            origin=role.origin,
            account=role.account or NOBODY,
            partition=role.partition,
            scope=scope,
            now=now,
            who=who,
        )
    if key is None:
        why = role.why_unknown("trust")
        return unknown(
            f"the trust policy is not known: {why.reason} ({why.where})" if why else "it has no trust policy"
        )
    if key not in known:
        text, account, partition, origin = key
        known[key] = judge(text, origin=origin, account=account, partition=partition, scope=scope, now=now, who=who)
    return known[key]


def _shared_ids(roles: Sequence[Role], verdicts: Sequence[TrustVerdict]) -> dict[str, set[str]]:
    """The outside parties from which each ExternalId is required."""
    shared: dict[str, set[str]] = {}
    for role, verdict in {
        id(trust_verdict): (role, trust_verdict) for role, trust_verdict in zip(roles, verdicts, strict=True)
    }.values():
        for outsider in verdict.found.outsiders:
            if outsider.kind in ("account", "organisation"):
                for value in outsider.external_ids:
                    shared.setdefault(shared_as(role, value), set()).add(outsider.name)
    return shared


def _hides(unknown: UnknownPart) -> bool:
    """Whether an unread part of the account may hide a way in. An unread managed policy is reported at the roles that
    have it (`checks.reading`)."""
    return unknown.hides and not unknown.part.startswith("policy ")


def _not_read(account: Account, unknown: UnknownPart, line_of: Callable[[str], int | None]) -> Finding:
    row = TABLE[INCOMPLETE]
    return Finding(
        check=INCOMPLETE,
        severity=row.severity,
        role=f"arn:{account.partition}:iam::{account.id or NOBODY}:root",
        source=unknown.where,
        place=unknown.where,
        line=line_of(unknown.where),
        text=f"{NOT_READ}{unknown.part}: {unknown.reason}",
        where="",
        witness=None,
        fix=row.fix,
        document=None,
    )


def _judged(
    role: Role, verdict: TrustVerdict, powers: Powers | None, advised: str, line_of: Callable[[str], int | None]
) -> Judged:
    return Judged(
        arn=role.arn,
        source=role.where,
        line=line_of(role.where),
        exposure=verdict.exposure,
        reason=verdict.reason,
        outsiders=verdict.found.outsiders,
        notes=verdict.found.notes,
        assumed=role.assumed + verdict.assumed,
        unknown=(
            *(f"{part.part}: {part.reason} ({part.where})" for part in role.unknown),
            *(f"actions: {item}" for item in (powers.unlisted if powers else ())),
        ),
        powers=powers,
        last_used=role.last_used,
        last_use_known=role.last_use_known,
        advice=advised,
    )


def _record(role: Role) -> tuple[Record | None, str, tuple[Difference, ...]]:
    """The record of a valetkey grant on this role, why it cannot be read, and the drift of the role from it."""
    if not role.tags or f"{PREFIX}version" not in role.tags:
        return None, "", ()
    try:
        record = read_record(role.tags, name=role.name, arn=role.arn)
    except ForeignRole as error:
        return None, error.what, ()
    trust = _plain(role.trust)
    inline = {name: result for name, text in role.inline.items() if (result := _plain(text)) is not None}
    terms = None if trust is None else _terms(trust, record, role.partition)
    if terms is not None and terms.orphans and role.origin is Origin.SENT:
        terms = None  # valetkey writes no unique ids, and it is not known whether these principals were deleted
    drift = differences(
        record,
        terms,
        role_arn=role.arn,
        boundary=role.boundary,
        max_session=role.max_session,
        managed=role.attached,
        inline=inline,
        trust=trust,
    )
    return record, "", tuple(drift)


def _terms(trust: dict[str, Any], record: Record, partition: str) -> Terms | None:
    """The terms in a trust policy; for an adopted role, the recorded terms if the trust policy can mean them."""
    if not record.is_adopted:
        return terms_in(trust, partition=partition, contractor=record.contractor)
    from valetkey.trust.adopting import recognized

    return recognized(trust, record, partition=partition)


def _plain(text: str | None) -> dict[str, Any] | None:
    try:
        result = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    return result if isinstance(result, dict) else None


def _findings(subject: Subject, advised: str, line_of: Callable[[str], int | None]) -> Iterator[Finding]:
    role, verdict = subject.role, subject.verdict
    for number, hit in verdict.hits:
        yield _finding(role, number, hit, advised, line_of)
    for check in ROLE_CHECKS.values():
        for hit in check.find(subject):
            yield _finding(role, check.id, hit, advised, line_of)


def _finding(role: Role, check: str, hit: Hit, advised: str, line_of: Callable[[str], int | None]) -> Finding:
    row = TABLE[check]
    witness = hit.witness
    if witness is not None and witness.resource != role.arn and ":role/" in witness.resource:
        # All roles with this document share the verdict; the request must name this role.
        witness = replace(witness, resource=role.arn)
    place = f"{role.trust_where}{hit.where.removeprefix('$')}" if hit.where and role.trust_where else role.where
    return Finding(
        check=check,
        severity=hit.severity or row.severity,
        role=role.arn,
        source=role.where,
        place=place,
        line=line_of(place),
        text=hit.text,
        where=hit.where,
        witness=witness,
        fix=fix_for(check, row.fix, advised),
        document=hit.document,
    )


def _order(check: str) -> int:
    return int(check[1:]) if check[1:].isdigit() else 0
