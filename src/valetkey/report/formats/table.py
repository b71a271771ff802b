"""An audit as text: on a terminal one block per role, on a pipe one line per role and per finding.

A line on a pipe begins like a compiler's, `app.yaml:12: high T1 arn:aws:iam::111111111111:role/partner: ...`, so that
editors and grep can parse it.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from valetkey.audit.checks import TABLE
from valetkey.audit.findings import EXPOSURES, NOT_READ
from valetkey.audit.registry import order
from valetkey.audit.wording import shown
from valetkey.report.results.audit import masked_id, names_id
from valetkey.report.text import clean, say

if TYPE_CHECKING:
    from valetkey.audit.exposure import Outsider
    from valetkey.audit.findings import Audit, Finding, Judged, RoleFindings
    from valetkey.policy.requests import Request
    from valetkey.report.formats import How

_BLOCKS = 200
"""Maximum roles shown on a terminal; the remaining ones are counted. On a pipe all are shown."""
_WIDTH = 160
"""Maximum width of text on a terminal."""


def write(audit: Audit, how: How) -> None:
    """Print who is admitted, what is wrong, and what to do."""
    whole = sys.stdout.isatty()
    exposures = Counter(role.exposure for role in audit.roles)
    counted = ", ".join(f"{exposures[exposure]} {exposure}" for exposure in EXPOSURES if exposures[exposure])
    several = f"Accounts {', '.join(audit.accounts)}" if len(audit.accounts) > 1 else "No account named"
    whose = f"Account {audit.account}" if audit.account else several
    say(f"{whose}: {len(audit.roles)} role{'' if len(audit.roles) == 1 else 's'} ({counted or 'none'})")
    result = {f"{finding.text.removeprefix(NOT_READ)} ({finding.source})" for finding in audit.findings}
    for item in audit.incomplete:
        if item not in result:
            say(_line(f"Not read: {item}"))
    for item in audit.skipped:
        say(_line(f"Skipped: {item}"))
    blocks = [
        findings
        for findings in audit.blocks()
        if findings.findings or (findings.role and findings.role.exposure != "internal")
    ]
    if whole:
        width = min(shutil.get_terminal_size().columns, _WIDTH)
        for block in blocks[:_BLOCKS]:
            say("", *_block(block, how, width))
        if len(blocks) > _BLOCKS:
            say("", f"... and {len(blocks) - _BLOCKS} roles more: see --format json")
    else:
        for block in blocks:
            say(*_lines(block, how))
    _say_checks(audit, whole)
    failing = len(audit.failing(how.fail_on, allow_incomplete=how.allow_incomplete))
    unaccepted = [finding for finding in audit.findings if finding.accepted is None]
    accepted = len(audit.findings) - len(unaccepted)
    say(
        f"{len(unaccepted)} finding{'' if len(unaccepted) == 1 else 's'}, "
        f"{failing} of them {how.fail_on} or graver, or undecided"
        + (f"; {accepted} accepted by the baseline" if accepted else "")
    )
    for line in audit.stale:
        why = "has ended" if line.until <= audit.at else "accepts nothing"
        say(_line(f"Baseline: {line.check} on {line.role} {why} ({line.reason})"), stderr=True)


def _say_checks(audit: Audit, whole: bool) -> None:
    """Print why each check matters and what to do, once per check."""
    result = {finding.check for finding in audit.findings if finding.accepted is None}
    if whole and result:
        say("")
    for check in sorted(result, key=order):
        row = TABLE[check]
        if whole:
            say(f"{check}  {row.title}", f"    {row.why}", f"    Fix: {row.fix}", f"    {row.page}")
        else:
            say(f"{check}: {row.title}. {row.why} Fix: {row.fix}. {row.page}")


def _block(block: RoleFindings, how: How, width: int) -> Iterator[str]:
    """Yield one role with its findings, for a terminal."""
    if block.role is None:
        yield "The account as a whole"
    else:
        role = block.role
        yield _line(f"{_name(role.arn)}: {role.exposure}  ({_place(role.source, role.line)})")
        for text in _about(role, how):
            yield from _wrapped(text, "  ", "    ", width)
    longest = max((len(finding.check) for finding in block.findings), default=0)
    for finding in block.findings:
        begin = f"  {finding.severity:<8}  {finding.check:<{longest}}  "
        yield from _wrapped(_line(f"{finding.text}{_at(finding, block)}"), begin, " " * len(begin), width)
        if finding.witness is not None:
            yield from _wrapped(
                f"admitted: {_request(finding.witness, how)}", " " * len(begin), " " * len(begin), width
            )


def _wrapped(text: str, first: str, further: str, width: int) -> list[str]:
    """Wrap text without breaking words: a broken ARN cannot be copied."""
    return textwrap.wrap(
        _line(text),
        max(width, 40),
        initial_indent=first,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _at(finding: Finding, block: RoleFindings) -> str:
    """Return the place in the role's file, if it differs from the place in the block's head."""
    if block.role is None:
        return f" ({_place(finding.place, finding.line)})"
    return f" (line {finding.line})" if finding.line and finding.line != block.role.line else ""


def _lines(block: RoleFindings, how: How) -> Iterator[str]:
    """Yield one role with its findings, for a pipe: place, exposure or severity, role, and the text, on one line
    each."""
    if block.role is not None:
        role = block.role
        about = "; ".join(_about(role, how))
        yield _line(f"{_place(role.source, role.line)}: {role.exposure} {role.arn}{f': {about}' if about else ''}")
    for finding in block.findings:
        sent = f"; admitted: {_request(finding.witness, how)}" if finding.witness is not None else ""
        yield _line(
            f"{_place(finding.place, finding.line)}: {finding.severity} {finding.check} {finding.role}: "
            f"{finding.text}{sent}"
        )


def _about(role: Judged, how: How) -> Iterator[str]:
    """Yield information about a role other than its findings."""
    for outsider in role.outsiders:
        yield f"{shown(outsider)} gets in: {_asked(outsider, how)}"
    if role.reason:
        yield role.reason
    if role.powers is not None:
        yield f"they get: {_powers(role)}"
    if role.advice:
        yield role.advice
    for note in role.notes:
        yield f"note: {note}"
    for unknown in role.unknown if role.outsiders else ():
        yield f"not known: {unknown}"


def _asked(outsider: Outsider, how: How) -> str:
    ids = ", ".join(masked_id(value, how.show_ids) for value in outsider.external_ids)
    parts = [f"ExternalId {ids}" if ids else "no ExternalId", "MFA" if outsider.mfa else "no MFA"]
    if outsider.kind == "provider":
        subjects = dict.fromkeys(subject for way in outsider.ways for subject in way.subjects)
        parts = [f"subject {', '.join(subjects)}" if outsider.guarded else "no subject"]
    return ", ".join([*parts, *outsider.sources, f"until {outsider.until}" if outsider.until else "no end"])


def _powers(role: Judged) -> str:
    powers = role.powers
    if powers is None:
        return ""
    kinds = [
        "everything" if powers.admin else "",
        "changes itself" if powers.itself and not powers.admin else "",
        "can widen itself" if powers.opening.escalations and not (powers.admin or powers.itself) else "",
        "reads data" if powers.opening.reads_data and not powers.admin else "",
        "outlives a deny" if powers.opening.outlives and not powers.admin else "",
        "not all known" if powers.unread or powers.unlisted else "",
    ]
    return ", ".join(filter(None, kinds)) or "no data, no escalation"


def _request(request: Request, how: How) -> str:
    keys = ", ".join(
        f"{key}={masked_id(str(value), how.show_ids) if names_id(key) else value}"
        for key, value in request.context.items()
    )
    actions = request.action if isinstance(request.action, str) else " + ".join(request.action)
    return f"{request.principal} calls {actions}" + (f" with {keys}" if keys else "")


def _place(place: str, line: int | None) -> str:
    """Return `app.yaml:12` if the line is known, else the file and the JSON path."""
    return f"{place.rpartition(': $')[0]}:{line}" if line else place


def _name(arn: str) -> str:
    return arn.split(":role/", 1)[-1]


def _line(text: str) -> str:
    """Clean text from outside, so that it cannot start a new line."""
    return clean(text, keep=frozenset())
