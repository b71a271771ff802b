"""An audit: as a table, and as JSON (docs/reference/audit.md)."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from valetkey.audit.checks import TABLE
from valetkey.audit.fixes import PLACEHOLDER
from valetkey.audit.wording import shown
from valetkey.report.openings import outlives_json
from valetkey.report.text import mask, say, say_json, say_table

if TYPE_CHECKING:
    from valetkey.audit.exposure import Exposure, Outsider
    from valetkey.audit.findings import Accepted, Audit, Finding, Judged, Severity
    from valetkey.policy.requests import Request

EXPOSURES: tuple[Exposure, ...] = ("unguarded", "unknown", "guarded", "unreachable", "internal")
"""From the one to look at first."""
_ROWS = 200
"""Roles and findings shown in a table; the rest is counted."""


def say_audit(audit: Audit, *, fail_on: Severity, show_ids: bool) -> None:
    """The audit as tables: who gets in, what is wrong, what to do."""
    exposures = Counter(each.exposure for each in audit.roles)
    counted = ", ".join(f"{exposures[each]} {each}" for each in EXPOSURES if exposures[each])
    whose = f"Account {audit.account}" if audit.account else "No account named"
    say(f"{whose}: {len(audit.roles)} role{'' if len(audit.roles) == 1 else 's'} ({counted or 'none'})")
    for each in audit.incomplete:
        say(f"Not read: {each}")
    looked = sorted(
        (each for each in audit.roles if each.exposure != "internal"),
        key=lambda each: (EXPOSURES.index(each.exposure), each.arn),
    )
    if looked:
        rows = [row for each in looked[:_ROWS] for row in _role_rows(each, show_ids)]
        say_table(["exposure", "role", "who gets in", "ExternalId", "MFA", "until", "permissions"], rows)
        _say_rest(len(looked), "roles")
    open_ = [each for each in audit.findings if each.accepted is None]
    if open_:
        rows = [row for each in open_[:_ROWS] for row in _finding_rows(each, show_ids)]
        say_table(["severity", "check", "role", "what is wrong"], rows)
        _say_rest(len(open_), "findings")
        for check in sorted({each.check for each in open_}, key=lambda each: (len(each), each)):
            row = TABLE[check]
            say(f"{check}  {row.title}", f"    {row.why}", f"    Fix: {row.fix}", f"    {row.page}")
    accepted = len(audit.findings) - len(open_)
    failing = len(audit.failing(fail_on))
    say(
        f"{len(open_)} finding{'' if len(open_) == 1 else 's'}, {failing} of them {fail_on} or graver, or undecided"
        + (f"; {accepted} accepted by the baseline" if accepted else "")
    )
    for line in audit.stale:
        why = "has ended" if line.until <= audit.at else "accepts nothing"
        say(f"Baseline: {line.check} on {line.role} {why} ({line.reason})", stderr=True)


def _say_rest(number: int, what: str) -> None:
    if number > _ROWS:
        say(f"... and {number - _ROWS} {what} more: see --format json")


def _name(arn: str) -> str:
    return arn.split(":role/", 1)[-1]


def _role_rows(role: Judged, show_ids: bool) -> Sequence[tuple[str, ...]]:
    name = _name(role.arn)
    if not role.outsiders:
        return [(role.exposure, name, role.reason, "", "", "", "")]
    undecided = [("", "", role.reason, "", "", "", "")] if role.exposure == "unknown" else []
    powers = role.powers
    gets = ""
    if powers is not None:
        kinds = [
            "everything" if powers.admin else "",
            "changes itself" if powers.itself and not powers.admin else "",
            "can widen itself" if powers.opening.escalations and not (powers.admin or powers.itself) else "",
            "reads data" if powers.opening.reads_data and not powers.admin else "",
            "outlives a deny" if powers.opening.outlives and not powers.admin else "",
            "not all known" if powers.unread else "",
        ]
        gets = ", ".join(filter(None, kinds)) or "no data, no escalation"
    return [
        (
            role.exposure if not number else "",
            name if not number else "",
            shown(each),
            ", ".join(_id(value, show_ids) for value in each.external_ids) or "-",
            "required" if each.mfa else "-",
            each.until or "-",
            gets if not number else "",
        )
        for number, each in enumerate(role.outsiders)
    ] + undecided


def _finding_rows(finding: Finding, show_ids: bool) -> Iterator[tuple[str, ...]]:
    yield finding.severity, finding.check, _name(finding.role), finding.text
    if finding.witness is not None:
        yield "", "", "", f"let in: {_request(finding.witness, show_ids)}"


def _request(request: Request, show_ids: bool) -> str:
    keys = ", ".join(
        f"{key}={_id(str(value), show_ids) if _names_id(key) else value}" for key, value in request.context.items()
    )
    actions = request.action if isinstance(request.action, str) else " + ".join(request.action)
    return f"{request.principal} calls {actions}" + (f" with {keys}" if keys else "")


def _id(value: str, show_ids: bool) -> str:
    return value if show_ids or value == PLACEHOLDER else mask(value)


def say_audit_json(audit: Audit, *, show_ids: bool) -> None:
    """One JSON document of kind "audit/v1"."""
    say_json(audit_json(audit, show_ids=show_ids))


def audit_json(audit: Audit, *, show_ids: bool) -> dict[str, Any]:
    """The documented shape; ExternalIds are masked unless `show_ids`."""
    return {
        "valetkey": "audit/v1",
        "account": audit.account,
        "at": moment(audit.at),
        "sources": list(audit.sources),
        "incomplete": list(audit.incomplete),
        "exposures": dict(Counter(each.exposure for each in audit.roles)),
        "roles": [_role_json(each, show_ids) for each in audit.roles],
        "findings": [_finding_json(each, show_ids) for each in audit.findings],
        "stale": [_accepted_json(each) for each in audit.stale],
    }


def _role_json(role: Judged, show_ids: bool) -> dict[str, Any]:
    powers = role.powers
    return {
        "arn": role.arn,
        "source": role.source,
        "exposure": role.exposure,
        "reason": role.reason or None,
        "outsiders": [_outsider_json(each, show_ids) for each in role.outsiders],
        "notes": list(role.notes),
        "assumed": list(role.assumed),
        "unknown": list(role.unknown),
        "permissions": None
        if powers is None
        else {
            "admin": powers.admin,
            "changes_itself": [str(each.action) for each in powers.itself],
            "escalations": [str(each) for each in powers.opening.escalations],
            "reads_data": [{"what": each.what, "actions": list(each.actions)} for each in powers.opening.reads_data],
            "outlives": [outlives_json(each) for each in powers.opening.outlives],
            "levels": dict(powers.opening.levels),
            "not_known": list(powers.unread),
        },
        "last_used": moment(role.last_used) if role.last_used else None,
        "last_use_known": role.last_use_known,
    }


def _outsider_json(outsider: Outsider, show_ids: bool) -> dict[str, Any]:
    return {
        "kind": outsider.kind,
        "name": outsider.name or None,
        "partition": outsider.partition,
        "label": outsider.label or None,
        "guarded": outsider.guarded,
        "external_id": bool(outsider.external_ids),
        "mfa": outsider.mfa,
        "until": outsider.until,
        "sources": list(outsider.sources),
        "ways": [
            {
                "statement": way.statement + 1,
                "guarded": way.guarded,
                "external_ids": [_id(value, show_ids) for value in way.external_ids],
                "mfa": way.mfa,
                "until": way.until,
                "sources": list(way.sources),
                "subjects": list(way.subjects),
                "everybody": way.everybody,
                "callers": list(way.callers),
                "witness": witness_json(way.witness, show_ids),
            }
            for way in outsider.ways
        ],
        "witness": witness_json(outsider.witness, show_ids),
    }


def witness_json(request: Request | None, show_ids: bool) -> dict[str, Any] | None:
    """A request in the shape that `valetkey decide` takes; with its ExternalId only when ids are shown."""
    if request is None:
        return None
    return {
        "principal": request.principal,
        "action": request.action if isinstance(request.action, str) else list(request.action),
        "resource": request.resource,
        "context": _masked(dict(request.context), show_ids),
    }


def _finding_json(finding: Finding, show_ids: bool) -> dict[str, Any]:
    row = TABLE[finding.check]
    return {
        "check": finding.check,
        "title": row.title,
        "severity": finding.severity,
        "role": finding.role,
        "source": finding.source,
        "text": finding.text,
        "where": finding.where or None,
        "why": row.why,
        "witness": witness_json(finding.witness, show_ids),
        "fix": finding.fix,
        "document": None if finding.document is None else _masked(finding.document, show_ids),
        "page": row.page,
        "accepted": None if finding.accepted is None else _accepted_json(finding.accepted),
    }


def _accepted_json(accepted: Accepted) -> dict[str, str]:
    return {
        "check": accepted.check,
        "role": accepted.role,
        "reason": accepted.reason,
        "until": moment(accepted.until),
    }


def _masked(value: Any, show_ids: bool, is_id: bool = False) -> Any:
    """A document or context with every ExternalId in it masked, in whatever place and spelling it was put."""
    if isinstance(value, Mapping):
        return {name: _masked(inner, show_ids, is_id or _names_id(name)) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(each, show_ids, is_id) for each in value]
    return _id(str(value), show_ids) if is_id else value


def _names_id(key: str) -> bool:
    """Whether a key is sts:ExternalId, or somebody took it for that ("ExternalId", "sts:External-Id")."""
    return key.lower().replace("-", "").replace("_", "").endswith("externalid")


def reading(done: int, of: int | None) -> None:
    """On stderr, and on a terminal only: how far reading an account has come."""
    _progress("roles read", done, of)


def proving(done: int, of: int) -> None:
    """On stderr, and on a terminal only: how far proving has come; nothing for few roles."""
    if of > 500:
        _progress("trust policies proved", done, of)


def _progress(what: str, done: int, of: int | None) -> None:
    if sys.stderr.isatty():
        text = f"{done}{f' of {of}' if of else ''} {what}"
        sys.stderr.write(f"\r{text}" if done != of else f"\r{' ' * len(text)}\r")  # what is done is wiped away
        sys.stderr.flush()


def moment(when: datetime) -> str:
    """A time as ISO 8601, UTC."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
