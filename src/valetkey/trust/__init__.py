"""The terms of a trust policy, what a trust policy means for outsiders, and the only writer of trust policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from valetkey._lazy import lazy
from valetkey.trust.terms import Terms, TermsError, check_terms

if TYPE_CHECKING:
    from valetkey.trust.reading import NotOurs, read_terms
    from valetkey.trust.reference import as_policy
    from valetkey.trust.showing import ProvedTrust, admits_nobody, admits_only
    from valetkey.trust.writing import closed_trust, write_trust

__all__ = [
    "NotOurs",
    "ProvedTrust",
    "Terms",
    "TermsError",
    "admits_nobody",
    "admits_only",
    "as_policy",
    "check_terms",
    "closed_trust",
    "read_terms",
    "write_trust",
]

# Other rooms need Terms at start-up; the modules below import the prover and are loaded on first use (PEP 562).
_HOMES = {
    "NotOurs": "reading",
    "read_terms": "reading",
    "ProvedTrust": "showing",
    "admits_nobody": "showing",
    "admits_only": "showing",
    "as_policy": "reference",
    "closed_trust": "writing",
    "write_trust": "writing",
}

__getattr__ = lazy(__name__, _HOMES)
