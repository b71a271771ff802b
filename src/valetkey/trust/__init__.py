"""The access terms of a trust, what a trust policy means for outsiders, and the one place that writes one."""

from valetkey.trust.reading import NotOurs, read_terms
from valetkey.trust.terms import Terms, TermsProblem, check_terms
from valetkey.trust.writing import closed_trust, write_trust

__all__ = ["NotOurs", "Terms", "TermsProblem", "check_terms", "closed_trust", "read_terms", "write_trust"]
