"""Roles that outsiders can assume, as entries of an access review's population."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from valetkey.account.values import Account, Role
from valetkey.audit.exposure import Outsider
from valetkey.audit.findings import Audit, Judged
from valetkey.evidence.review import ReviewEntry
from valetkey.trust.record import digest, instant

ORPHANS = "T13"
"""The check of trust policies that name a deleted principal."""


def entries(answer: Audit, account: Account, *, but: Iterable[str]) -> tuple[ReviewEntry, ...]:
    """An entry for every role with an outsider, an orphan or an unknown exposure, except the ARNs in `but` (grants,
    which are in the population already)."""
    roles = {role.arn: role for role in account.roles}
    known = set(but)
    orphans = {finding.role for finding in answer.findings if finding.check == ORPHANS}
    return tuple(
        _entry(role, roles[role.arn], answer)
        for role in answer.roles
        if role.arn not in known and (role.outsiders or role.exposure == "unknown" or role.arn in orphans)
    )


def not_read(answer: Audit) -> tuple[str, ...]:
    """The parts of the account that could not be read, which may hide an entry or details of one."""
    return answer.incomplete


def _entry(judged: Judged, role: Role, answer: Audit) -> ReviewEntry:
    return ReviewEntry(
        role_arn=judged.arn,
        kind="outside trust",
        who=tuple(_who(outsider) for outsider in judged.outsiders) or ("nobody",),
        state=judged.exposure,
        guards=tuple(_guards(judged.outsiders)),
        policies=(*sorted(role.attached), *sorted(f"inline {name}" for name in role.inline)),
        until=None,
        created=instant(role.created),
        last_used=instant(judged.last_used),
        trust_sha256=_digest(role.trust),
        notes=tuple(_notes(judged, answer)),
    )


def _who(outsider: Outsider) -> str:
    label = f" ({outsider.label})" if outsider.label else ""
    return f"{outsider.kind} {outsider.name}{label}" if outsider.name else "anybody"


def _guards(outsiders: Iterable[Outsider]) -> Iterator[str]:
    """The guards that every outsider must pass."""
    parties = tuple(outsiders)
    if parties and all(outsider.external_ids for outsider in parties):
        yield "ExternalId"
    if parties and all(outsider.mfa for outsider in parties):
        yield "MFA"


def _notes(judged: Judged, answer: Audit) -> Iterator[str]:
    if judged.reason:
        yield judged.reason
    if not judged.last_use_known:
        yield "last use is not known"
    yield from (f"not known: {item}" for item in judged.unknown)
    for finding in answer.findings:
        if finding.role == judged.arn:
            yield f"{finding.check} {finding.severity}: {finding.text}"


def _digest(text: str | None) -> str | None:
    try:
        result: Any = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    return digest(result) if isinstance(result, dict) else None
