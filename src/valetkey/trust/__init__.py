"""The access terms of a trust, what a trust policy means for outsiders, and the one place that writes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from valetkey.policy.lazy import lazy
from valetkey.trust.terms import Terms, TermsProblem, check_terms

if TYPE_CHECKING:
    from valetkey.trust.reading import NotOurs, read_terms
    from valetkey.trust.table import Row, Table, admits_nobody, admits_only
    from valetkey.trust.writing import closed_trust, write_trust

__all__ = [
    "NotOurs",
    "Row",
    "Table",
    "Terms",
    "TermsProblem",
    "admits_nobody",
    "admits_only",
    "check_terms",
    "closed_trust",
    "read_terms",
    "write_trust",
]

# Terms are needed at start-up by the rooms above; the table brings the evaluator and is loaded when used (PEP 562).
_HOMES = {
    "NotOurs": "reading",
    "read_terms": "reading",
    "Row": "table",
    "Table": "table",
    "admits_nobody": "table",
    "admits_only": "table",
    "closed_trust": "writing",
    "write_trust": "writing",
}

__getattr__ = lazy(__name__, _HOMES)
