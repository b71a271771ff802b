"""A Decision as JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

from valetkey.errors import ValetkeyError
from valetkey.policy.decision import Decision


def as_json(decision: Decision) -> dict[str, Any]:
    """The documented shape: docs/reference/decide.md."""
    return {
        "outcome": decision.outcome,
        "allowed": decision.allowed,
        "action": decision.action,
        "reason": decision.reason,
        "note": decision.note or None,
        "decided_by": [
            {
                "policy": part.side,
                "number": part.number,
                "statement": part.statement,
                "sid": part.sid,
                "tests": [{"where": finding.where, "text": finding.text} for finding in part.findings],
            }
            for part in decision.parts
        ],
        "rests_on": [
            {
                "policy": each.side,
                "number": each.number,
                "statement": each.statement,
                "sid": each.sid,
                "where": each.where,
                "what": each.what,
            }
            for each in decision.rests_on
        ],
    }


def problem_as_json(problem: ValetkeyError) -> dict[str, Any]:
    """What is wrong, where and what to do."""
    return {"error": {"what": problem.what, "where": problem.where, "do": problem.do}}


def say_line(value: dict[str, Any]) -> None:
    """One JSON object on one line, at once: the reader may be a program that waits for it."""
    print(json.dumps(value), file=sys.stdout, flush=True)  # noqa: T201
