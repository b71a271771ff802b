"""An audit as SARIF 2.1.0, for code scanning and other collectors of findings.

Source: OASIS, Static Analysis Results Interchange Format Version 2.1.0; GitHub, "SARIF support for code scanning" (a
physical location is wanted there, and `security-severity` on each rule).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from valetkey.audit.checks import TABLE
from valetkey.report.audit import witness_json
from valetkey.report.text import say_json

if TYPE_CHECKING:
    from valetkey.audit.findings import Audit, Finding, Severity

_LEVELS: dict[Severity, str] = {
    "critical": "error",
    "high": "error",
    "medium": "warning",
    "low": "note",
    "info": "note",
}
_SCORES: dict[Severity, str] = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0", "info": "0.0"}


def say_sarif(audit: Audit, *, version: str, show_ids: bool) -> None:
    """One SARIF log on stdout."""
    say_json(sarif(audit, version=version, show_ids=show_ids))


def sarif(audit: Audit, *, version: str, show_ids: bool) -> dict[str, Any]:
    """The log: one run, a rule for each check, a result for each finding; accepted findings are suppressed."""
    checks = list(TABLE.values())
    rules = [
        {
            "id": each.id,
            "name": "".join(word.capitalize() for word in each.title.replace("'", "").replace(",", "").split()),
            "shortDescription": {"text": each.title},
            "fullDescription": {"text": each.why},
            "help": {"text": f"{each.why}\n\nFix: {each.fix}."},
            "helpUri": each.page,
            "defaultConfiguration": {"level": _LEVELS[each.severity]},
            "properties": {"security-severity": _SCORES[each.severity], "tags": ["security", "iam"]},
        }
        for each in checks
    ]
    places = {each.id: number for number, each in enumerate(checks)}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "valetkey",
                        "semanticVersion": version,
                        "rules": rules,
                    }
                },
                "results": [_result(each, audit, places, show_ids) for each in audit.findings],
                "columnKind": "unicodeCodePoints",
            }
        ],
    }


def _result(finding: Finding, audit: Audit, places: dict[str, int], show_ids: bool) -> dict[str, Any]:
    suppressions = []
    if finding.accepted is not None:
        suppressions = [{"kind": "external", "status": "accepted", "justification": finding.accepted.reason}]
    same = f"{finding.check}\n{finding.role}\n{finding.where}\n{finding.text}"
    return {
        "ruleId": finding.check,
        "ruleIndex": places[finding.check],
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.text}. Fix: {finding.fix}."},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": _uri(finding, audit)}, "region": {"startLine": 1}},
                "logicalLocations": [
                    {
                        "name": finding.role.rsplit("/", 1)[-1],
                        "fullyQualifiedName": f"{finding.role}{finding.where.removeprefix('$')}",
                        "kind": "resource",
                    }
                ],
            }
        ],
        "partialFingerprints": {"valetkey/v1": hashlib.sha256(same.encode()).hexdigest()},
        "suppressions": suppressions,
        "properties": {
            "severity": finding.severity,
            "security-severity": _SCORES[finding.severity],
            "witness": witness_json(finding.witness, show_ids),
        },
    }


def _uri(finding: Finding, audit: Audit) -> str:
    """The file that the role stands in; for a live account a path made of the role's ARN."""
    for name in audit.sources:
        if finding.source == name or finding.source.startswith(f"{name}:"):
            return quote(name)
    return quote("aws/" + finding.role.split("::", 1)[-1].replace(":", "/"))
