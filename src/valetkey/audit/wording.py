"""Words that several checks and reports share: outsiders, statements, and the place of a finding."""

from __future__ import annotations

from collections.abc import Collection

from valetkey.audit.exposure import Outsider, Way
from valetkey.audit.issuers import host_of
from valetkey.audit.subjects import Trust


def shown(outsider: Outsider) -> str:
    """An outsider in words."""
    label = f" ({outsider.label})" if outsider.label else ""
    match outsider.kind:
        case "account":
            return f"account {outsider.name}{label}"
        case "organisation":
            return f"organisation {outsider.name}"
        case "unique id":
            kind = "user" if outsider.name.startswith("AIDA") else "role"
            return f"{kind} {outsider.name} of an unknown account"
        case "provider":
            return f"identities of {outsider.label or host_of(outsider.name) or 'any identity provider'}"
    return "anybody with an AWS account"


def place_of(trust: Trust, statements: Collection[int]) -> str:
    return trust.policy.statements[min(statements)].where if statements else ""


def numbered(statements: Collection[int]) -> str:
    listed = ", ".join(str(each + 1) for each in sorted(statements))
    return f"statement{'s' if len(statements) > 1 else ''} {listed}"


def statements_of(ways: Collection[Way]) -> set[int]:
    return {each.statement for each in ways}
