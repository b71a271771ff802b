"""An audit as one HTML page, without scripts and external resources; all text from outside is escaped.

INVARIANT: every value reaches the page through Jinja2's autoescape and `clean`; the page's policy (CSP) allows no
script, no request and no form.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from valetkey.audit.checks import TABLE
from valetkey.audit.findings import EXPOSURES, SEVERITIES
from valetkey.audit.wording import shown
from valetkey.report.picture import bound, picture
from valetkey.report.results.audit import audited
from valetkey.report.results.shape import plain
from valetkey.report.text import clean

if TYPE_CHECKING:
    from valetkey.audit.findings import Audit
    from valetkey.report.formats import How

_MEANING = {
    "unguarded": "an outsider gets in with neither MFA nor an ExternalId that guards, or anybody does",
    "unknown": "could not be decided, and counts as a finding",
    "guarded": "outsiders get in, each with an ExternalId that guards or MFA that binds",
    "unreachable": "outsiders are named, and none can ever get in",
    "internal": "only your own accounts, organisation or AWS services",
}


def write(audit: Audit, how: How) -> None:
    """Print the page."""
    sys.stdout.write(page(audit, how))
    sys.stdout.write("\n")
    sys.stdout.flush()


def page(audit: Audit, how: How) -> str:
    """Return the page as text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    def said(value: Any) -> Any:
        return (
            clean(value, keep=frozenset("\n")) if isinstance(value, str) and not hasattr(value, "__html__") else value
        )

    environment = Environment(
        loader=PackageLoader("valetkey.report"), autoescape=True, undefined=StrictUndefined, finalize=said
    )
    environment.filters["json"] = lambda value: json.dumps(value, indent=2, ensure_ascii=False)
    environment.filters["when"] = _when
    given = plain(audited(audit, show_ids=how.show_ids))
    order = {name: place for place, name in enumerate(EXPOSURES)}
    outsiders = {role.arn: [(shown(outsider), bound(outsider)) for outsider in role.outsiders] for role in audit.roles}
    roles = sorted(given["roles"], key=lambda role: (order[role["exposure"]], role["arn"]))
    said_of = dict(zip(map(id, audit.findings), given["findings"], strict=True))
    blocks = [
        (block.role, [said_of[id(finding)] for finding in block.findings]) for block in audit.blocks() if block.findings
    ]
    unaccepted = [finding for finding in given["findings"] if finding["accepted"] is None]
    by_severity = Counter(item["severity"] for item in unaccepted)
    text = environment.get_template("audit.html").render(
        audit=given,
        at=audit.at,
        version=how.version,
        exposures=[(name, given["exposures"].get(name, 0), _MEANING[name]) for name in EXPOSURES],
        severities=[(name, by_severity[name]) for name in reversed(SEVERITIES)],
        roles=[(role, outsiders[role["arn"]]) for role in roles if role["exposure"] != "internal"],
        internal=[role["arn"] for role in roles if role["exposure"] == "internal"],
        blocks=blocks,
        accepted=[finding for finding in given["findings"] if finding["accepted"] is not None],
        checks={check: TABLE[check] for check in sorted({item["check"] for item in unaccepted})},
        failing=len(audit.failing(how.fail_on, allow_incomplete=how.allow_incomplete)),
        fail_on=how.fail_on,
        picture=picture(audit.roles, shown),
    )
    return str(text)


def _when(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%d %B %Y, %H:%M} UTC"
