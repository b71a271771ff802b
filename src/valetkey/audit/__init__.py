"""Audit an account: prove which outsiders get in, and run the checks.

from valetkey.audit import Scope, audit

answer = audit(account, scope=Scope(own=frozenset({"333333333333"})), now=now)
answer.roles[0].exposure, answer.findings[0].check, answer.failing("medium")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from valetkey._lazy import lazy

if TYPE_CHECKING:
    from valetkey.audit.baseline import read_baseline
    from valetkey.audit.checks import TABLE
    from valetkey.audit.exposure import Exposure, Outsider, WayIn
    from valetkey.audit.findings import Accepted, Audit, Finding, Judged, Severity
    from valetkey.audit.permissions import Powers
    from valetkey.audit.registry import Check
    from valetkey.audit.run import audit
    from valetkey.audit.scope import KnownVendor, Scope, own_accounts, read_known

__all__ = [
    "TABLE",
    "Accepted",
    "Audit",
    "Check",
    "Exposure",
    "Finding",
    "Judged",
    "KnownVendor",
    "Outsider",
    "Powers",
    "Scope",
    "Severity",
    "WayIn",
    "audit",
    "own_accounts",
    "read_baseline",
    "read_known",
]

# The prover and the action lists are loaded when used (PEP 562).
_HOMES = {
    "read_baseline": "baseline",
    "Exposure": "exposure",
    "Outsider": "exposure",
    "WayIn": "exposure",
    "Accepted": "findings",
    "Audit": "findings",
    "Finding": "findings",
    "Judged": "findings",
    "Severity": "findings",
    "Powers": "permissions",
    "audit": "run",
    "KnownVendor": "scope",
    "Scope": "scope",
    "own_accounts": "scope",
    "read_known": "scope",
    "TABLE": "checks",
    "Check": "registry",
}

__getattr__ = lazy(__name__, _HOMES)
