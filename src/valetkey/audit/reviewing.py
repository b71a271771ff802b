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
    roles = {each.arn: each for each in account.roles}
    known = set(but)
    orphans = {each.role for each in answer.findings if each.check == ORPHANS}
    return tuple(
        _entry(each, roles[each.arn], answer)
        for each in answer.roles
        if each.arn not in known and (each.outsiders or each.exposure == "unknown" or each.arn in orphans)
    )


def not_read(answer: Audit) -> tuple[str, ...]:
    """The parts of the account that could not be read, which may hide an entry or details of one."""
    return answer.incomplete


def _entry(judged: Judged, role: Role, answer: Audit) -> ReviewEntry:
    return ReviewEntry(
        role_arn=judged.arn,
        kind="outside trust",
        who=tuple(_who(each) for each in judged.outsiders) or ("nobody",),
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
    if parties and all(each.external_ids for each in parties):
        yield "ExternalId"
    if parties and all(each.mfa for each in parties):
        yield "MFA"


def _notes(judged: Judged, answer: Audit) -> Iterator[str]:
    if judged.reason:
        yield judged.reason
    if not judged.last_use_known:
        yield "last use is not known"
    yield from (f"not known: {each}" for each in judged.unknown)
    for each in answer.findings:
        if each.role == judged.arn:
            yield f"{each.check} {each.severity}: {each.text}"


def _digest(text: str | None) -> str | None:
    try:
        found: Any = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    return digest(found) if isinstance(found, dict) else None
