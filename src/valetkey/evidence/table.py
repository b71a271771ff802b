"""Read the decisions of a review from a spreadsheet saved as CSV.

Only the columns review, role_arn, decision, reason and reviewer are read, by name and in any order: the population is
in the review itself, and spreadsheets rewrite numbers and times. The separator is a comma, a semicolon or a tab
(spreadsheets use that of their language). The apostrophe that protects a cell from being read as a formula is removed.
"""

from __future__ import annotations

import csv
import io

from valetkey.evidence.loading import EvidenceError
from valetkey.evidence.review import TableDecision

COLUMNS = ("review", "role_arn", "decision", "reason", "reviewer")


def read_decisions(data: bytes, *, name: str) -> tuple[TableDecision, ...]:
    """Return the decisions, one per row. Raises EvidenceError."""
    try:
        text = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError:
        raise EvidenceError(f"{name} is not UTF-8 text", do="save it as CSV UTF-8", where=name) from None
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
        if missing:
            raise EvidenceError(
                f"{name} has no column {', '.join(missing)}",
                do="leave the first row as written",
                where=f"{name}: line 1",
            )
        return tuple(
            TableDecision(f"{name}: line {rows.line_num}", *(_cell(row[column]) for column in COLUMNS))
            for row in rows
            if any(row[column] for column in COLUMNS)
        )
    except csv.Error as error:
        raise EvidenceError(
            f"{name} is not CSV: {error}", do="save it again", where=f"{name}: line {rows.line_num}"
        ) from None


def _cell(text: str | None) -> str:
    plain = (text or "").strip()
    return plain[1:].strip() if plain[:1] == "'" and plain[1:].lstrip()[:1] in tuple("=+-@") else plain
