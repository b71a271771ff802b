"""An audit as SARIF 2.1.0, for code scanning and other collectors of findings.

Sources: OASIS, Static Analysis Results Interchange Format Version 2.1.0; GitHub, "SARIF support for code scanning"
(read 2026-11-29). For a rule GitHub requires `help.text` and uses `security-severity`; for a result it requires a
message and a location with a file and a region. It tells alerts apart by `partialFingerprints.primaryLocationLineHash`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from valetkey.audit.checks import TABLE
from valetkey.audit.findings import INCOMPLETE, NOT_READ
from valetkey.report.results.audit import request
from valetkey.report.results.shape import plain
from valetkey.report.text import say_json
from valetkey.times import moment

if TYPE_CHECKING:
    from valetkey.audit.findings import Audit, Finding, Severity
    from valetkey.audit.registry import Check
    from valetkey.report.formats import How

_LEVELS: dict[Severity, str] = {
    "critical": "error",
    "high": "error",
    "medium": "warning",
    "low": "note",
    "info": "note",
}
_SCORES: dict[Severity, str] = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0", "info": "0.0"}


def write(audit: Audit, how: How) -> None:
    """Print one SARIF log."""
    say_json(sarif(audit, how))


def sarif(audit: Audit, how: How) -> dict[str, Any]:
    """Return the log: one run, a rule per check, a result per finding, grouped by role; accepted findings are
    suppressed. An item that was not read is a result, and a notification of the invocation."""
    checks = list(TABLE.values())
    places = {check.id: number for number, check in enumerate(checks)}
    seen: Counter[str] = Counter()
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "valetkey",
                        "semanticVersion": how.version,
                        "rules": [_rule(check) for check in checks],
                    }
                },
                "automationDetails": {"id": f"valetkey/audit/{audit.account or 'no-account'}/"},
                "invocations": [_invocation(audit, how)],
                "results": [_result(finding, audit, places, seen, how) for finding in _by_role(audit)],
                "columnKind": "unicodeCodePoints",
            }
        ],
    }


def _rule(check: Check[Any]) -> dict[str, Any]:
    return {
        "id": check.id,
        "name": "".join(word.capitalize() for word in check.title.replace("'", "").replace(",", "").split()),
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": check.why},
        "help": {
            "text": f"{check.why}\n\nFix: {check.fix}.\n\n{check.page}",
            "markdown": f"{check.why}\n\n**Fix:** {check.fix}.\n\n[AWS on it]({check.page})",
        },
        "helpUri": check.page,
        "defaultConfiguration": {"level": _LEVELS[check.severity]},
        "properties": {
            "security-severity": _SCORES[check.severity],
            "precision": "very-high",
            "tags": ["security", "iam"],
        },
    }


def _invocation(audit: Audit, how: How) -> dict[str, Any]:
    """Return the status of the run. It is unsuccessful if an item was not read that may admit an outside party."""
    gaps = [finding for finding in audit.findings if finding.check == INCOMPLETE]
    said = {f"{finding.text.removeprefix(NOT_READ)} ({finding.source})" for finding in gaps}
    notes = [_notification(f"{finding.role}: {finding.text}", "error", "not-read") for finding in gaps]
    notes += [_notification(item, "note", "not-read") for item in audit.incomplete if item not in said]
    for role in audit.roles:
        if role.outsiders:
            notes += [_notification(f"{role.arn}: {item}", "note", "not-read") for item in role.unknown]
    notes += [_notification(item, "note", "skipped") for item in audit.skipped]
    unaccepted = [finding for finding in gaps if finding.accepted is None]
    return {
        "executionSuccessful": how.allow_incomplete or not unaccepted,
        "endTimeUtc": moment(audit.at),
        "toolExecutionNotifications": notes,
    }


def _notification(text: str, level: str, kind: str) -> dict[str, Any]:
    return {"descriptor": {"id": kind}, "level": level, "message": {"text": text}}


def _by_role(audit: Audit) -> Iterator[Finding]:
    """Yield every finding, grouped by role; accepted ones last."""
    for block in audit.blocks():
        yield from block.findings
    yield from (finding for finding in audit.findings if finding.accepted is not None)


def _result(finding: Finding, audit: Audit, places: dict[str, int], seen: Counter[str], how: How) -> dict[str, Any]:
    suppressions = []
    if finding.accepted is not None:
        suppressions = [{"kind": "external", "status": "accepted", "justification": finding.accepted.reason}]
    # The fingerprint is the same in every run: without the line, which moves, and the text, which may contain values
    # that change elsewhere.
    same = f"{finding.check}\n{finding.role}\n{finding.where}"
    seen[same] += 1
    fingerprint = hashlib.sha256(f"{same}\n{seen[same]}".encode()).hexdigest()
    name = finding.role.split(":role/", 1)[-1]
    return {
        "ruleId": finding.check,
        "ruleIndex": places[finding.check],
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{name}: {finding.text}. Fix: {finding.fix}."},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(finding, audit)},
                    "region": {"startLine": finding.line or 1},
                },
                "logicalLocations": [
                    {
                        "name": finding.role.rsplit("/", 1)[-1],
                        "fullyQualifiedName": f"{finding.role}{finding.where.removeprefix('$')}",
                        "kind": "resource",
                    }
                ],
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": f"{fingerprint[:16]}:1", "valetkey/v1": fingerprint},
        "suppressions": suppressions,
        "properties": {
            "severity": finding.severity,
            "security-severity": _SCORES[finding.severity],
            "place": finding.place,
            "witness": plain(request(finding.witness, how.show_ids)),
        },
    }


def _uri(finding: Finding, audit: Audit) -> str:
    """Return the file that contains the role, relative to the working directory; for a live account, a path made from
    the role's ARN."""
    for name in audit.sources:
        if finding.place == name or finding.place.startswith(f"{name}:"):
            if name == "-":
                return "stdin"
            path = PurePath(name)
            return path.as_uri() if path.is_absolute() else quote(path.as_posix())
    return quote("aws/" + finding.role.split("::", 1)[-1].replace(":", "/"))
