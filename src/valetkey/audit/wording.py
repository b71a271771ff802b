"""Texts that several checks and reports share: outsiders, statements, and the place of a finding."""

from __future__ import annotations

from collections.abc import Collection

from valetkey.audit.exposure import Outsider, WayIn
from valetkey.audit.issuers import host_of
from valetkey.audit.subjects import Trust

_NAMED = 3
"""The number of principals that are listed; the rest are counted."""


def shown(outsider: Outsider, ways: Collection[WayIn] | None = None) -> str:
    """Describe an outsider by the principals that get in by `ways` (default: all of its ways), or as the whole account
    where other principals get in too."""
    label = f" ({outsider.label})" if outsider.label else ""
    names = _named(outsider.ways if ways is None else ways)
    match outsider.kind:
        case "account":
            return (f"{names} of " if names else "") + f"account {outsider.name}{label}"
        case "organisation":
            return f"organisation {outsider.name}"
        case "unique id":
            kind = "user" if outsider.name.startswith("AIDA") else "role"
            return f"{kind} {outsider.name} of an unknown account"
        case "provider":
            return f"an identity of {outsider.label or host_of(outsider.name) or 'any identity provider'}"
    return "anybody with an AWS account" + (f" who calls as {names}" if names else "")


def _named(ways: Collection[WayIn]) -> str:
    """The principals that get in, as text; empty where others get in too."""
    names = list(dict.fromkeys(caller for way in ways for caller in way.callers))
    if not names or any(way.everybody for way in ways):
        return ""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(map(_short, names[:_NAMED])) + more


def _short(caller: str) -> str:
    """A principal's ARN without the part up to the account: "role/auditor"."""
    return caller.split(":", 5)[5] if caller.startswith("arn:") and caller.count(":") >= 5 else caller


def place_of(trust: Trust, statements: Collection[int]) -> str:
    return trust.policy.statements[min(statements)].where if statements else ""


def numbered(statements: Collection[int]) -> str:
    listed = ", ".join(str(statement + 1) for statement in sorted(statements))
    return f"statement{'s' if len(statements) > 1 else ''} {listed}"


def statements_of(ways: Collection[WayIn]) -> set[int]:
    return {way_in.statement for way_in in ways}
