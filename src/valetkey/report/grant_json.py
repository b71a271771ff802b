"""A grant's values as JSON objects, to be combined. The shapes are in `results.grants`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from valetkey.report.results.grants import Proof, grant_json, standing
from valetkey.report.results.openings import Opens
from valetkey.report.results.shape import plain, shaped

if TYPE_CHECKING:
    from valetkey.grants.status import Standing
    from valetkey.prover.effective_permissions import Opening
    from valetkey.trust.showing import ProvedTrust

__all__ = ["grant_json", "judged_json", "proof_json", "standing_json"]


def standing_json(result: Standing, now: datetime) -> dict[str, Any]:
    """Return a grant in its present state on the role: kind "standing/v1"."""
    return dict(plain(standing(result, now)))


def judged_json(shown: ProvedTrust, opening: Opening) -> dict[str, Any]:
    """Return the proof of a trust policy, and what the permissions policies allow."""
    return {**proof_json(shown), "opens": plain(Opens.of(opening))}


def proof_json(shown: ProvedTrust | None) -> dict[str, Any]:
    """Return the proof of a trust policy, or null if its terms cannot be read."""
    return {"proof": None if shown is None else plain(shaped(Proof, shown))}
