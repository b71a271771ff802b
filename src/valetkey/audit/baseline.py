"""The baseline: reviewed and accepted findings, each with a reason and an end date.

A file is one JSON object: `{"valetkey": "baseline/v1", "accepted": [{"check", "role", "reason", "until"}]}`. `role` is
an ARN in which `*` and `?` are wildcards. Every entry expires; an expired one accepts nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from valetkey.audit.checks import TABLE
from valetkey.audit.findings import Accepted, Finding
from valetkey.errors import ValetkeyError, page, shown
from valetkey.policy.globs import matches

KIND = "baseline/v1"
_MEMBERS = frozenset({"check", "role", "reason", "until"})


def read_baseline(text: str, *, name: str) -> tuple[tuple[Accepted, ...], tuple[str, ...]]:
    """Return the accepted findings, and the keys that this version does not know. Raises ValetkeyError with a place."""
    try:
        plain = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise ValetkeyError(
            f"{name} is not JSON: {error}", do=f"write it as shown in {page('reference/audit.md')}", where=name
        ) from None
    if not isinstance(plain, dict) or plain.get("valetkey") != KIND:
        result = plain.get("valetkey") if isinstance(plain, dict) else None
        raise ValetkeyError(
            f'{name} is not a baseline: "valetkey" is {shown(result)}',
            do=f'write "valetkey": "{KIND}"; a newer version needs a newer valetkey',
            where=f"{name}: $.valetkey",
        )
    entries = plain.get("accepted")
    if not isinstance(entries, list):
        raise ValetkeyError(
            f"{name} has no list of accepted findings", do='write "accepted": [...]', where=f"{name}: $.accepted"
        )
    unknown = [item for item in plain if item not in ("valetkey", "accepted")]
    accepted = []
    for number, entry in enumerate(entries):
        where = f"{name}: $.accepted[{number}]"
        accepted.append(_entry(entry, where))
        unknown += [f"accepted[{number}].{item}" for item in entry if item not in _MEMBERS]
    return tuple(accepted), tuple(unknown)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key is given twice in one object")
    return result


def _entry(entry: Any, where: str) -> Accepted:
    if not isinstance(entry, dict):
        raise ValetkeyError("an accepted finding is an object", do="give check, role, reason and until", where=where)
    for member in sorted(_MEMBERS):
        if not isinstance(entry.get(member), str) or not entry[member].strip():
            raise ValetkeyError(
                f"an accepted finding has no {member}", do="give check, role, reason and until", where=where
            )
    if entry["check"] not in TABLE:
        raise ValetkeyError(
            f"{shown(entry['check'])} is not a check",
            do="write T1 to T31, unknown or incomplete",
            where=f"{where}.check",
        )
    return Accepted(entry["check"], entry["role"], entry["reason"], _end(entry["until"], f"{where}.until"))


def _end(text: str, where: str) -> datetime:
    """Parse an end as an aware UTC time. A date includes the whole day, UTC. Raises ValetkeyError."""
    try:
        end = datetime.fromisoformat(text)
        if len(text) == 10:
            return end.replace(tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        end = None
    if end is None or end.tzinfo is None:
        raise ValetkeyError(
            f"{shown(text)} is not an end", do="write a date (2027-01-31) or a time with zone", where=where
        )
    return end.astimezone(UTC)


def apply(
    findings: Sequence[Finding], accepted: Sequence[Accepted], *, now: datetime
) -> tuple[tuple[Finding, ...], tuple[Accepted, ...]]:
    """Return the findings, with accepted ones marked, and the baseline entries that accept nothing."""
    used: set[int] = set()
    marked = []
    for finding in findings:
        for number, item in enumerate(accepted):
            if item.until > now and item.check == finding.check and matches(item.role, finding.role):
                used.add(number)
                finding = replace(finding, accepted=item)
                break
        marked.append(finding)
    return tuple(marked), tuple(item for number, item in enumerate(accepted) if number not in used)
