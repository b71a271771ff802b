"""Results of `--json` as msgspec structs: a struct declares the shape, and produces the JSON and its JSON Schema.

`results` lists those that are printed on their own; docs/reference/schemas/ has the schema of each (`make schemas`).
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from valetkey.report.results.shape import Shape

_HOMES: Mapping[str, str] = {
    "accepted": "contractor:Accepted",
    "adoption": "adopting:Adoption",
    "activity": "activity:Activity",
    "audit": "audit:Audit",
    "can": "permissions:Can",
    "change-plan": "changes:PlannedChange",
    "changed": "changes:Changed",
    "command": "texts:GrantCommand",
    "candidates": "adopting:Candidates",
    "customers": "contractor:Customers",
    "decision": "decisions:Decision",
    "absent": "grants:Absent",
    "differs": "grants:Differs",
    "doctor": "doctor:Diagnosis",
    "evidence-written": "evidence:EvidenceWritten",
    "forgotten": "profiles:Forgotten",
    "from-use": "permissions:FromUse",
    "grant": "grants:Granted",
    "grants": "grants:Grants",
    "handed-over": "grants:HandedOver",
    "handover-text": "texts:HandoverText",
    "imported": "profiles:Imported",
    "key-kept": "login:KeyKept",
    "key-rotated": "login:KeyRotated",
    "logged-out": "profiles:LoggedOut",
    "login": "login:Login",
    "permissions": "permissions:Permissions",
    "plan": "grants:Planned",
    "problem": "problem:Problem",
    "proof": "proofs:Proof",
    "reach": "proofs:Reach",
    "receipt": "grants:Receipt",
    "request": "contractor:Request",
    "request-text": "texts:RequestText",
    "resumed": "changes:Resumed",
    "review-applied": "evidence:ReviewApplied",
    "review-written": "evidence:ReviewWritten",
    "sandbox-seeded": "sandbox:Seeded",
    "sandbox-status": "sandbox:Status",
    "sandbox-stopped": "sandbox:Stopped",
    "sandbox-totp": "sandbox:Code",
    "served": "serving:Served",
    "show": "grants:Shown",
    "shut": "grants:Shut",
    "suspended": "changes:Suspended",
    "unmanaged": "adopting:Unmanaged",
    "verified": "evidence:Verified",
    "verification": "contractor:Verification",
    "verifications": "contractor:Verifications",
}


def results() -> Mapping[str, type[Shape]]:
    """Return every result by the name of its schema."""
    result: dict[str, type[Shape]] = {}
    for name, home in _HOMES.items():
        module, _, attribute = home.partition(":")
        result[name] = getattr(import_module(f"{__name__}.{module}"), attribute)
    return result
