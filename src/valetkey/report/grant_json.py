"""A grant's values as JSON objects, to be put together: the shapes are in `results.grants`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from valetkey.report.results.grants import Proof, grant_json, standing
from valetkey.report.results.openings import Opens
from valetkey.report.results.shape import plain, shaped

if TYPE_CHECKING:
    from valetkey.grants.status import Standing
    from valetkey.prover.effective_permissions import Opening
    from valetkey.trust.showing import Shown

__all__ = ["grant_json", "judged_json", "proof_json", "standing_json"]


def standing_json(found: Standing, now: datetime) -> dict[str, Any]:
    """A grant as it stands on its role: kind "standing/v1"."""
    return dict(plain(standing(found, now)))


def judged_json(shown: Shown, opening: Opening) -> dict[str, Any]:
    """The proof of a trust, and what the policies open."""
    return {**proof_json(shown), "opens": plain(Opens.of(opening))}


def proof_json(shown: Shown | None) -> dict[str, Any]:
    """What is proved of the trust, or null where its terms cannot be read."""
    return {"proof": None if shown is None else plain(shaped(Proof, shown))}
