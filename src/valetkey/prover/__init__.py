"""What policies allow, over all requests: prove, who, effective permissions. Pure; imports policy and catalog.

from valetkey.prover import prove, who

prove(trust, within=reference, resource=role_arn)  # Proof, Counterexample or Unknown
who(trust, resource=role_arn).regions  # every request that is allowed
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from valetkey._lazy import lazy

if TYPE_CHECKING:
    from valetkey.prover.access_regions import Reach, Region, RegionValues, who
    from valetkey.prover.boxes import Limits
    from valetkey.prover.effective_permissions import Opening, opening
    from valetkey.prover.parties import Party
    from valetkey.prover.proof import Counterexample, Proof, Unknown
    from valetkey.prover.proving import prove

__all__ = [
    "Counterexample",
    "Limits",
    "Opening",
    "Party",
    "Proof",
    "Reach",
    "Region",
    "RegionValues",
    "Unknown",
    "opening",
    "prove",
    "who",
]

# Imported on first use (PEP 562).
_HOMES = {
    "Counterexample": "proof",
    "Limits": "boxes",
    "Opening": "effective_permissions",
    "Party": "parties",
    "Proof": "proof",
    "Reach": "access_regions",
    "Region": "access_regions",
    "Unknown": "proof",
    "RegionValues": "access_regions",
    "opening": "effective_permissions",
    "prove": "proving",
    "who": "access_regions",
}

__getattr__ = lazy(__name__, _HOMES)
