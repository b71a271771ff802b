"""A grant's values as JSON: the schemas of docs/reference/{grant,list,show}.md."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from valetkey.grants.grant import OWN_ROLE, PREFIX, REVOKED, UNTIL, Grant, instant
from valetkey.report.openings import outlives_json
from valetkey.trust.terms import as_json

if TYPE_CHECKING:
    from valetkey.grants.status import Standing
    from valetkey.prover.effective_permissions import Opening
    from valetkey.trust.showing import Shown

OWN = frozenset({OWN_ROLE, UNTIL, REVOKED})
"""The inline policies that valetkey itself puts on a role."""


def grant_json(grant: Grant) -> dict[str, Any]:
    """A grant as agreed: kind "grant/v1"."""
    return {
        "valetkey": "grant/v1",
        "name": grant.name,
        "role_arn": grant.role_arn,
        "account": grant.account,
        **as_json(grant.terms),
        "external_id_by": grant.external_id_by,
        "session": grant.max_session,
        "boundary": grant.boundary,
        "policies": list(grant.managed),
        "inline": [name for name, _ in grant.inline],
        "description": grant.description,
        "path": grant.path,
        "tags": dict(grant.tags),
        "request": grant.request,
        "user_id": grant.user_id,
    }


def standing_json(standing: Standing, now: datetime) -> dict[str, Any]:
    """A grant as it stands on its role: kind "standing/v1"."""
    role, record = standing.role, standing.record
    left = None if record.until is None else (record.until - now).total_seconds() / 86400
    return {
        "valetkey": "standing/v1",
        "name": role.name,
        "role_arn": role.arn,
        "account": role.account,
        "contractor": record.contractor,
        "state": standing.state(now),
        "until": instant(record.until),
        "days_left": None if left is None else round(max(left, 0), 2),
        "terms": None if standing.terms is None else as_json(standing.terms),
        "external_id_by": record.external_id_by,
        "session": role.max_session if role.max_session is not None else record.session,
        "boundary": role.boundary,
        "policies": list(role.managed),
        "inline": [name for name in role.inline if name not in OWN],
        "description": role.description,
        "tags": {key: value for key, value in role.tags.items() if not key.startswith(PREFIX)},
        "request": record.request,
        "user_id": record.user_id,
        "created": moment(role.created),
        "last_used": role.last_used and moment(role.last_used),
        "drift": [
            {"what": each.what, "agreed": each.agreed, "found": each.found, "missing": each.missing}
            for each in standing.drift
        ],
    }


def judged_json(shown: Shown, opening: Opening) -> dict[str, Any]:
    """The proof of a trust, and what the policies open."""
    opens = {
        "levels": dict(opening.levels),
        "reads_data": [
            {"what": each.what, "actions": list(each.actions), "policies": list(each.policies)}
            for each in opening.reads_data
        ],
        "escalations": [
            {
                "action": each.action,
                "way": each.way,
                "policy": each.policy,
                "statement": each.statement,
                "resources": list(each.resources),
            }
            for each in opening.escalations
        ],
        "outlives": [outlives_json(each) for each in opening.outlives],
        "undecided": opening.undecided or None,
    }
    return {**proof_json(shown), "opens": opens}


def proof_json(shown: Shown | None) -> dict[str, Mapping[str, Any] | None]:
    """What is proved of the trust, or null where its terms cannot be read."""
    if shown is None:
        return {"proof": None}
    return {"proof": {"holds": shown.holds, "failures": list(shown.failures)}}


def moment(when: datetime) -> str:
    """A time as ISO 8601, UTC."""
    return str(instant(when))
