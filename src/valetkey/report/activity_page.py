"""Activity of roles as one HTML page, without scripts and external resources.

INVARIANT: every value reaches the page through Jinja2's autoescape and `clean`; the page's policy (CSP) allows no
script, no request and no form.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from valetkey.report.activity import ActivityReport, from_to, ids, incomplete, minute, number, short, subtitle
from valetkey.report.text import clean

if TYPE_CHECKING:
    from valetkey.activity import Click, Deed, SessionActivity

_SESSIONS = 500
_ROWS = 40
"""Maximum rows of each table of a session; the remaining ones are counted."""
_LONGEST = 1000
"""Maximum characters of a text; JSON has the full text."""
_NAME = 22
"""Maximum characters of a name next to its lane."""
_SIGN = 7.4
"""Maximum width of one character in the label of a tick."""
_MARKS = 60
"""Maximum marks of each kind for a session in the picture."""
_LEFT, _RIGHT = 190.0, 985.0
_LANE = 28
_STEPS = tuple(timedelta(hours=item) for item in (1 / 12, 1 / 4, 1, 3, 6, 12, 24, 48, 168, 336, 720, 2160, 8760, 87600))
"""Distances between ticks of the axis; the first that needs at most eight ticks is used."""


def say_activity_page(shown: ActivityReport) -> None:
    """Print the page."""
    sys.stdout.write(page(shown))
    sys.stdout.write("\n")
    sys.stdout.flush()


def page(shown: ActivityReport) -> str:
    """Return the page as text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from valetkey.activity import SESSION_KINDS

    answer = shown.answer
    sessions = answer.sessions[:_SESSIONS]
    there = {activity.kind.name for activity in sessions}
    environment = Environment(
        loader=PackageLoader("valetkey.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: short(clean(value), _LONGEST) if isinstance(value, str) else value,
    )
    return environment.get_template("activity.html").render(
        title=", ".join(answer.roles[:3]) + (f" and {len(answer.roles) - 3} more" if len(answer.roles) > 3 else "")
        or "No role",
        subtitle=subtitle(shown),
        terms=shown.terms,
        missing=list(incomplete(shown.reading)),
        sessions=[_session(activity) for activity in sessions],
        rest=len(answer.sessions) - len(sessions),
        picture=_picture(sessions),
        kinds=[kind for kind in SESSION_KINDS if kind.name in there],
        refused=[
            (minute(attempt.at), attempt.caller, attempt.address, attempt.error)
            for attempt in answer.refused[:_SESSIONS]
        ],
        refused_rest=max(0, len(answer.refused) - _SESSIONS),
        unseen=shown.unseen,
    )


def _session(session: SessionActivity) -> dict[str, Any]:
    groups = [
        _group("Look at", [(flag.code, flag.words, f"event {ids(flag.events, flag.count)}") for flag in session.flags]),
        _group("Changed", _deeds(session.writes)),
        _group("Refused", _deeds(session.denied)),
        _group("Data read", _deeds(session.data_reads)),
        _group("Failed", _deeds(session.errors)),
        _group("Opened in the console", [_click(click) for click in session.clicks]),
        _group("Looked at", list(_looked(session))),
    ]
    counts = f"{number(session.events, 'call')}, {number(len(session.writes), 'change')}, {len(session.denied)} refused"
    return {
        "id": session.id,
        "person": session.who.person,
        "by": session.who.by,
        "kind": session.kind.name,
        "kind_title": session.kind.title,
        "when": from_to(session.first, session.last),
        "counts": counts,
        "mfa": session.mfa,
        "flags": _codes(session),
        "role": session.role,
        "parent": session.parent,
        "addresses": ", ".join(session.addresses[:4]),
        "agents": ", ".join(session.agents[:4]),
        "groups": [group for group in groups if group["rows"]],
    }


def _codes(session: SessionActivity) -> list[str]:
    """Return the codes of the flags, each once with its count."""
    result = Counter(flag.code for flag in session.flags)
    return [code + (f" x{count}" if count > 1 else "") for code, count in result.items()]


def _click(click: Click) -> tuple[str, str, str]:
    return minute(click.at), click.service, number(click.calls, "call")


def _group(title: str, rows: Sequence[Sequence[str]]) -> dict[str, Any]:
    return {"title": title, "rows": rows[:_ROWS], "rest": max(0, len(rows) - _ROWS)}


def _deeds(deeds: Sequence[Deed]) -> list[tuple[str, str, str]]:
    """Return one row for equal deeds, with their number."""
    kept: dict[tuple[str, str], list[Deed]] = {}
    for deed in deeds:
        kept.setdefault((deed.action, ", ".join(deed.resources[:4])), []).append(deed)
    return [
        (minute(result[0].at), action + (f" x{len(result)}" if len(result) > 1 else ""), on)
        for (action, on), result in kept.items()
    ]


def _looked(session: SessionActivity) -> Iterator[tuple[str, str, str]]:
    for calls in session.done:
        if calls.level in ("Read", "List"):
            yield minute(calls.first), calls.action, number(calls.count, "call")


def _picture(sessions: Sequence[SessionActivity]) -> dict[str, Any]:
    """Return one lane per person. In a lane, sessions that would overlap are in separate rows."""
    if not sessions:
        return {"height": 30, "ticks": [], "lanes": []}
    first, last = min(activity.first for activity in sessions), max(activity.last for activity in sessions)
    length = max(last - first, timedelta(minutes=5))

    def across(when: datetime) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * ((when - first) / length), 1)

    people: dict[str, list[SessionActivity]] = {}
    for activity in sessions:
        people.setdefault(activity.who.person, []).append(activity)
    lanes, y = [], 28
    for person, theirs in people.items():
        ends: list[float] = []
        bars, marks = [], []
        for activity in theirs:
            x = across(activity.first)
            width = max(4.0, round(across(activity.last) - x, 1))
            row = next((place for place, end in enumerate(ends) if end + 2 <= x), len(ends))
            ends[row : row + 1] = [x + width]
            top = y + row * _LANE
            words = f"{person}, {activity.kind.title}, {from_to(activity.first, activity.last)}, MFA: {activity.mfa}"
            bars.append({"x": x, "y": top + 3, "width": width, "kind": activity.kind.name, "words": words})
            for kind, deeds in (("change", activity.writes), ("denied", activity.denied)):
                marks += [
                    {"kind": kind, "x": across(deed.at), "y": top, "words": f"{minute(deed.at)} {deed.action}"}
                    for deed in deeds[:_MARKS]
                ]
        # Clean the name before cutting it: an unprintable character becomes longer.
        lanes.append({"person": short(clean(person), _NAME), "y": y, "bars": bars, "marks": marks})
        y += len(ends) * _LANE + 6
    return {"height": y + 6, "ticks": list(_ticks(first, length, across)), "lanes": lanes}


def _ticks(first: datetime, length: timedelta, across: Any) -> Iterator[dict[str, Any]]:
    step = next((item for item in _STEPS if length / item <= 8), _STEPS[-1])
    form = "%H:%M" if step < timedelta(hours=24) and length < timedelta(hours=24) else "%m-%d %H:%M"
    if step >= timedelta(hours=24):
        form = "%Y-%m-%d"
    day = first.replace(hour=0, minute=0, second=0, microsecond=0)
    when = day + step * -(-(first - day) // step)
    while when <= first + length:
        x = across(when)
        words = when.strftime(form)
        is_last = x > _RIGHT - len(words) * _SIGN / 2
        # The label of the last tick ends at the edge and must not overlap the label before it.
        fits = not is_last or x - across(when - step) > 1.5 * len(words) * _SIGN
        yield {"x": x, "words": words if fits else "", "anchor": "end" if is_last else "middle"}
        when += step
