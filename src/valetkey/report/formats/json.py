"""An audit as one JSON document of kind "audit/v1" (docs/reference/audit.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from valetkey.report.results.audit import audited
from valetkey.report.text import say_json

if TYPE_CHECKING:
    from valetkey.audit.findings import Audit
    from valetkey.report.formats import How


def write(audit: Audit, how: How) -> None:
    """Print the document."""
    say_json(audited(audit, show_ids=how.show_ids))
