"""Activity of roles, as tables. docs/activity.md explains them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from valetkey.report.text import clean, say, say_table

if TYPE_CHECKING:
    from valetkey.activity import Activity, By, Calls, Deed, SessionActivity, TimeSpan, TrailReading

_ROWS = 200
"""Maximum rows of a table; the remaining ones are counted."""
_LONGEST = 400
"""Maximum characters of a cell; JSON has the full text."""
_IDS = 1
"""Number of event ids in a table; the other formats have up to 20."""
_MOST = 4


@dataclass(frozen=True)
class ActivityReport:
    """An answer with the context that the output shows."""

    answer: Activity
    reading: TrailReading
    span: TimeSpan
    source: str
    """The value of --from."""
    unseen: tuple[str, ...]
    terms: str
    """The grant whose terms were used, or why there are none."""


def say_activity(shown: ActivityReport, by: By) -> None:
    """Print everything as tables: sessions or another grouping, deeds, flags, what cannot be seen."""
    answer, reading = shown.answer, shown.reading
    say(*(f"Role {role}" for role in answer.roles[:_ROWS]))
    _rest(len(answer.roles))
    say(subtitle(shown))
    if shown.terms:
        say(shown.terms)
    lines = () if by == "session" else answer.lines(by)
    if by == "session":
        columns = ["session", "from (UTC)", "kind", "who", "MFA", "calls", "writes", "denied", "flags"]
        rows: list[Sequence[str]] = [_session(activity) for activity in answer.sessions[:_ROWS]]
    else:
        columns = [by, "when (UTC)", "who", "sessions", "calls", "writes", "denied", "errors"]
        rows = [
            (
                group_line.key,
                from_to(group_line.first, group_line.last),
                some(group_line.people),
                str(len(group_line.sessions)),
                str(group_line.calls),
                str(group_line.writes),
                str(group_line.denied),
                str(group_line.errors),
            )
            for group_line in lines[:_ROWS]
        ]
    _table(columns, rows, len(answer.sessions) if by == "session" else len(lines))
    if by == "session" and rows:
        head = ["session", "until", "who: known by", "address", "program", "made by"]
        _table(head, [_more(activity) for activity in answer.sessions[:_ROWS]])
        _say_deeds(answer.sessions)
    _say_flags(answer.sessions)
    _table(
        ["refused (UTC)", "caller", "address", "error", "event"],
        [
            (minute(attempt.at), attempt.caller, attempt.address, attempt.error, attempt.event)
            for attempt in answer.refused[:_ROWS]
        ],
        len(answer.refused),
    )
    if shown.unseen:
        say("What cannot be seen:", *(f"  - {item}" for item in shown.unseen))
    for line in incomplete(reading):
        say(line)


def subtitle(shown: ActivityReport) -> str:
    """Return the number of sessions and people, the time span and the source, as one line."""
    sessions = shown.answer.sessions
    people = {activity.who.person for activity in sessions}
    return (
        f"{number(len(sessions), 'session')} by {number(len(people), 'person', 'people')}, "
        f"{span_words(shown.span)}; {_read(shown.reading)} from {shown.source}"
    )


def incomplete(reading: TrailReading) -> Iterator[str]:
    """Yield lines about what could not be read; none if all was read."""
    for item in reading.unread:
        yield f"Not read: {item}"
    for name, why in reading.broken:
        yield f"Not read: {name} {why}"
    for why, count in sorted(reading.skipped.items()):
        yield f"Not used: {number(count, 'record')}, since {why} (in {some(reading.skipped_in)})"
    if reading.cut_by_chains:
        yield "Not followed to the end: roles behind roles, more than 8 deep"


def _say_deeds(sessions: Sequence[SessionActivity]) -> None:
    """The head of the action column names each table."""
    tables: tuple[tuple[Sequence[str], list[Sequence[str]]], ...] = (
        (("at (UTC)", "session", "changed", "on"), _deeds(sessions, "writes")),
        (("first (UTC)", "session", "data read", "on"), _folded(sessions, "data_reads")),
        (("first (UTC)", "session", "denied", "on"), _folded(sessions, "denied")),
        (("first (UTC)", "session", "failed", "on"), _folded(sessions, "errors")),
        (("session", "looked at", "calls", "what"), list(_looked(sessions))),
    )
    for columns, rows in tables:
        _table(columns, rows[:_ROWS], len(rows))


def _deeds(sessions: Sequence[SessionActivity], kind: str) -> list[Sequence[str]]:
    result: list[Sequence[str]] = []
    for session in sessions:
        deeds: tuple[Deed, ...] = getattr(session, kind)
        result += [(minute(deed.at), session.id, deed.action, _on(deed)) for deed in deeds]
    return result


def _folded(sessions: Sequence[SessionActivity], kind: str) -> list[Sequence[str]]:
    """Return one row for equal deeds of a session."""
    result: list[Sequence[str]] = []
    for session in sessions:
        kept: dict[tuple[str, str, str], list[Deed]] = {}
        for item in getattr(session, kind):
            kept.setdefault((item.action, _on(item), item.error), []).append(item)
        for (action, on, error), deeds in kept.items():
            times = f" x{len(deeds)}" if len(deeds) > 1 else ""
            why = f" ({error})" if error and kind == "errors" else ""
            result.append((minute(deeds[0].at), session.id, f"{action}{times}{why}", on))
    return result


def _looked(sessions: Sequence[SessionActivity]) -> Iterator[Sequence[str]]:
    """Yield reads by service, with the number of clicks that caused them in the console."""
    for session in sessions:
        reads: dict[str, list[Calls]] = {}
        for element in session.done:
            if element.level in ("Read", "List"):
                reads.setdefault(element.service, []).append(element)
        clicks = Counter(click.service for click in session.clicks)
        for service, calls in sorted(reads.items(), key=lambda item: (-sum(one.count for one in item[1]), item[0])):
            total = sum(call.count for call in calls)
            clicked = f" in {number(clicks[service], 'click')}" if clicks[service] else ""
            names = some([call.action.partition(":")[2] for call in calls])
            yield session.id, service, f"{total}{clicked}", names
        served = sum(element.count for element in session.by_services)
        if served:
            names = some([element.action for element in session.by_services])
            yield session.id, "by services", str(served), names


def _say_flags(sessions: Sequence[SessionActivity]) -> None:
    rows = [
        (flag.code, session.id, flag.words, ids(flag.events, flag.count))
        for session in sessions
        for flag in session.flags
    ]
    _table(["flag", "session", "why", "event"], rows[:_ROWS], len(rows))


def _session(session: SessionActivity) -> Sequence[str]:
    return (
        session.id,
        minute(session.first),
        session.kind.name,
        session.who.person,
        session.mfa,
        str(session.events),
        str(len(session.writes)),
        str(len(session.denied)),
        str(len(session.flags)),
    )


def _more(session: SessionActivity) -> Sequence[str]:
    return (
        session.id,
        minute(session.last) if session.first.date() != session.last.date() else f"{session.last:%H:%M}",
        session.who.by,
        some(session.addresses),
        some(session.agents),
        session.parent,
    )


def reading_files(done: int, of: int) -> None:
    """Show the progress of reading, on stderr and only on a terminal."""
    _progress("files read", done, of)


def fetching(done: int, of: int) -> None:
    """Show the progress of fetching."""
    _progress("files fetched", done, of)


def looking_up(done: int, of: int) -> None:
    """Show the progress of LookupEvents."""
    _progress("regions", done, of)


def _progress(what: str, done: int, of: int) -> None:
    if sys.stderr.isatty():
        text = f"{done:,} of {of:,} {what}"
        sys.stderr.write(f"\r{text}" if done != of else f"\r{' ' * len(text)}\r")  # erases the finished line
        sys.stderr.flush()


def _on(deed: Deed) -> str:
    return clean(some(deed.resources), keep=frozenset()) or "-"


def some(texts: Sequence[str]) -> str:
    """Join the first texts, with the number of the others."""
    more = f" and {len(texts) - _MOST} more" if len(texts) > _MOST else ""
    return ", ".join(texts[:_MOST]) + more


def ids(events: Sequence[str], count: int) -> str:
    """Join the first event ids of a flag, with the number of the others."""
    more = f" and {count - _IDS} more" if count > _IDS else ""
    return " ".join(events[:_IDS]) + more


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], count: int = 0) -> None:
    """Print a table of the first of `count` rows, if there are any. Long cells are cut, so that a long name does not
    widen the table."""
    if rows:
        say_table(columns, [[short(cell, _LONGEST) for cell in row] for row in rows])
    _rest(count)


def short(text: str, longest: int) -> str:
    """Cut a text that is longer than `longest`."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _rest(count: int) -> None:
    if count > _ROWS:
        say(f"and {count - _ROWS} more; --format json has all")


def number(count: int, one: str, many: str = "") -> str:
    """Return "1 file" or "2,000 files"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def minute(when: datetime) -> str:
    """Format a time, UTC, to the minute."""
    return f"{when:%Y-%m-%d %H:%M}"


def from_to(first: datetime, last: datetime) -> str:
    """Format a time span, to the minute."""
    if minute(first) == minute(last):
        return minute(first)
    return f"{minute(first)} to {f'{last:%H:%M}' if first.date() == last.date() else minute(last)}"


def _read(reading: TrailReading) -> str:
    return number(reading.files, "file") if reading.files else number(reading.records, "event")


def span_words(span: TimeSpan) -> str:
    """Describe the requested time span."""
    if span.since is None and span.until is None:
        return "all that is there"
    begin = f"since {minute(span.since)}Z" if span.since else "from the start"
    return f"{begin} until {minute(span.until)}Z" if span.until else begin
