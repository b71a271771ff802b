"""Activity of roles for programs: JSON, NDJSON and CSV. docs/reference/activity.md has the schema."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import UNSET

from valetkey.report.activity import ActivityReport, incomplete
from valetkey.report.results import activity as shapes
from valetkey.report.results.shape import filled, plain
from valetkey.report.text import clean, say, say_json

if TYPE_CHECKING:
    from valetkey.activity import By, Calls, Deed, GroupLine, RefusedAttempt, SessionActivity, TrailReading


def say_activity_json(shown: ActivityReport, by: By) -> None:
    """Print everything as one JSON document."""
    answer = shown.answer
    say_json(
        shapes.Activity(
            valetkey="activity/v1",
            roles=list(answer.roles),
            since=_moment(shown.span.since),
            until=_moment(shown.span.until),
            terms=shown.terms,
            sessions=[_session(activity) for activity in answer.sessions],
            by=UNSET if by == "session" else by,
            lines=UNSET if by == "session" else [_line(line) for line in answer.lines(by)],
            refused=[_refused(attempt) for attempt in answer.refused],
            unseen=list(shown.unseen),
            reading=_reading(shown.reading),
        )
    )


def say_activity_ndjson(shown: ActivityReport, by: By) -> None:
    """Print one object per line: each session or line, and last a summary of what was read."""
    answer = shown.answer
    rows: Iterable[shapes.Session | shapes.Line] = (
        map(_session, answer.sessions) if by == "session" else map(_line, answer.lines(by))
    )
    for row in rows:
        _print(json.dumps({"type": by, **plain(row)}, ensure_ascii=True))
    last = {"type": "reading", "terms": shown.terms, "unseen": list(shown.unseen), **plain(_reading(shown.reading))}
    _print(json.dumps(last, ensure_ascii=True))


def say_activity_csv(shown: ActivityReport, by: By) -> None:
    """Print one row per session or line; what was not read is reported on stderr."""
    answer = shown.answer
    rows = (
        [_flat(_session(activity)) for activity in answer.sessions]
        if by == "session"
        else [{key: _cell(value) for key, value in plain(_line(line)).items()} for line in answer.lines(by)]
    )
    out = io.StringIO()
    columns = list(rows[0]) if rows else ["id"]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([safe(str(row[column])) for column in columns] for row in rows)
    _print(out.getvalue().rstrip("\n"))
    say(*incomplete(shown.reading), stderr=True)


_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The last four are the full-width forms of the first four, which some spreadsheets read as the same characters."""
_SPLIT = re.compile(r"(;\s*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
"""Positions where a spreadsheet that separates cells by semicolons begins a new cell."""


def safe(cell: str) -> str:
    """Return the cell in a form that a spreadsheet does not read as a formula, on one line. Text that begins like a
    formula gets an apostrophe (OWASP, CSV Injection), also after a semicolon; control characters become visible."""
    text = _SPLIT.sub(r"\1'", clean(cell, keep=frozenset()))
    return f"'{text}" if text.lstrip().startswith(_FORMULA) or cell.startswith(_FORMULA) else text


def _flat(session: shapes.Session) -> dict[str, str]:
    return {
        "id": session.id,
        "role": session.role,
        "kind": session.kind,
        "person": session.who.person,
        "person_by": session.who.by,
        "mfa": session.mfa,
        "first": session.first,
        "last": session.last,
        "parent": session.parent or "",
        "addresses": _cell(session.addresses),
        "agents": _cell(session.agents),
        "events": str(session.events),
        "writes": _cell([f"{deed.action} {' '.join(deed.resources)}".strip() for deed in session.writes]),
        "data_reads": str(len(session.data_reads)),
        "denied": _cell([deed.action for deed in session.denied]),
        "errors": str(len(session.errors)),
        "flags": _cell([flag.code for flag in session.flags]),
        "flag_events": _cell([f"{flag.code} {flag.events[0]}" for flag in session.flags if flag.events]),
    }


def _cell(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(str(item) for item in dict.fromkeys(value))
    return str(value)


def _session(session: SessionActivity) -> shapes.Session:
    who = session.who
    return filled(
        shapes.Session,
        session,
        kind=session.kind.name,
        who=shapes.Who(
            person=who.person,
            by=who.by,
            source_identity=who.source_identity or None,
            caller=who.caller or None,
            caller_id=who.caller_id or None,
            caller_account=who.caller_account or None,
            on_behalf_of=who.on_behalf_of or None,
            session_name=who.session_name or None,
            mfa_device=who.device or None,
        ),
        first=_at(session.first),
        last=_at(session.last),
        parent=session.parent or None,
        entry_events=list(session.entry),
        access_keys=list(session.keys),
        addresses=list(session.addresses),
        agents=list(session.agents),
        regions=list(session.regions),
        calls=[_calls(calls) for calls in session.done],
        by_services=[_calls(calls) for calls in session.by_services],
        writes=[_deed(deed) for deed in session.writes],
        data_reads=[_deed(deed) for deed in session.data_reads],
        denied=[_deed(deed) for deed in session.denied],
        errors=[_deed(deed) for deed in session.errors],
        clicks=[shapes.Click(at=_at(click.at), service=click.service, calls=click.calls) for click in session.clicks],
        flags=[
            shapes.Flag(code=flag.code, why=flag.words, events=list(flag.events), count=flag.count)
            for flag in session.flags
        ],
    )


def _calls(calls: Calls) -> shapes.Calls:
    return filled(shapes.Calls, calls, is_iam_action=calls.is_listed, first=_at(calls.first), last=_at(calls.last))


def _deed(deed: Deed) -> shapes.Deed:
    return filled(shapes.Deed, deed, at=_at(deed.at), resources=list(deed.resources), error=deed.error or None)


def _line(line: GroupLine) -> shapes.Line:
    return filled(
        shapes.Line,
        line,
        first=_at(line.first),
        last=_at(line.last),
        people=list(line.people),
        sessions=list(line.sessions),
    )


def _refused(attempt: RefusedAttempt) -> shapes.Refused:
    return filled(shapes.Refused, attempt, at=_at(attempt.at))


def _reading(reading: TrailReading) -> shapes.Reading:
    return shapes.Reading(
        complete=reading.is_complete,
        files=reading.files,
        files_without_the_role=reading.left_out,
        bytes=reading.size,
        records_decoded=reading.records,
        duplicates=reading.duplicates,
        broken=[shapes.Broken(file=name, why=why) for name, why in reading.broken],
        skipped=dict(sorted(reading.skipped.items())),
        skipped_in=list(reading.skipped_in),
        not_read=list(reading.unread),
        chains_cut=reading.cut_by_chains,
        regions=[
            shapes.Region(account=account, region=region, days=[f"{day}" for day in sorted(days)])
            for (account, region), days in sorted(reading.days.items())
        ],
    )


def _at(when: datetime) -> str:
    return when.isoformat().replace("+00:00", "Z")


def _moment(when: datetime | None) -> str | None:
    return _at(when) if when else None


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
