"""Files for an auditor: an access review and the evidence of one grant, with hashes and an SSH signature.

Rules:
- A file is one JSON object with `"valetkey": "<kind>/v1"`. It contains the hash of what it reports.
- The signature is over the bytes of the whole file, so it covers account, population hash, decisions and time. It is
  OpenSSH's (`ssh-keygen -Y`), in a file next to it. `ssh-keygen` alone can verify it.
- INVARIANT: the trusted keys are never read from the evidence or from a file next to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from valetkey._lazy import lazy

if TYPE_CHECKING:
    from valetkey.evidence.grant import GrantEvidence
    from valetkey.evidence.review import AppliedDecision, DecisionResult, Population, Review, ReviewEntry
    from valetkey.evidence.signing import Signer, SshKeygen, sign, verify

__all__ = [
    "AppliedDecision",
    "DecisionResult",
    "GrantEvidence",
    "Population",
    "Review",
    "ReviewEntry",
    "Signer",
    "SshKeygen",
    "sign",
    "verify",
]

# Imported on first use (PEP 562).
_HOMES = {
    "GrantEvidence": "grant",
    "AppliedDecision": "review",
    "ReviewEntry": "review",
    "Population": "review",
    "DecisionResult": "review",
    "Review": "review",
    "Signer": "signing",
    "SshKeygen": "signing",
    "sign": "signing",
    "verify": "signing",
}

__getattr__ = lazy(__name__, _HOMES)
