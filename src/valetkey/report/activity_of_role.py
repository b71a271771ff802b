"""CloudTrail activity of one role, for other reports: `review`, `show --evidence` and `list --check`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from valetkey.activity import Flag, SessionActivity, role_key
from valetkey.report.activity import ActivityReport, minute, number, some, span_words

WATCHED = (
    "after-end",
    "while-suspended",
    "not-listed",
    "no-mfa",
    "trust-change",
    "iam-change",
    "trail-change",
    "chain-out",
)
"""Flags that `list --check` reports, the most serious first. The others appear only in `activity`: a new address or a
new service does not break the terms."""


@dataclass(frozen=True)
class OfRole:
    """CloudTrail activity of one role."""

    sessions: tuple[SessionActivity, ...]
    last: datetime | None
    """Its last call that succeeded; None if there was none."""
    denied: int
    """Number of calls that AWS refused."""
    problems: tuple[str, ...]
    """The `WATCHED` flags, as one sentence each."""


def of_role(shown: ActivityReport, role: str, *, made: datetime | None = None) -> OfRole:
    """Return the activity of one role. `made`: when the role was created; earlier sessions belong to another role with
    this name."""
    sessions = tuple(
        activity
        for activity in shown.answer.sessions
        if role_key(activity.role) == role_key(role) and (made is None or activity.last >= made)
    )
    called = (calls.last for activity in sessions for calls in (*activity.done, *activity.by_services))
    return OfRole(
        sessions=sessions,
        last=max(called, default=None),
        denied=sum(len(activity.denied) for activity in sessions),
        problems=tuple(_problems(sessions)),
    )


def _problems(sessions: tuple[SessionActivity, ...]) -> Iterator[str]:
    """Yield one sentence for equal flags of several sessions, with the first event that shows the flag."""
    for code in WATCHED:
        result: dict[str, list[Flag]] = {}
        for session in sessions:
            for flag in session.flags:
                if flag.code == code:
                    result.setdefault(flag.words, []).append(flag)
        for words, flags in result.items():
            times = f", {len(flags)} sessions" if len(flags) > 1 else ""
            event = f" (event {flags[0].events[0]}{times})" if flags[0].events else ""
            yield f"{words}{event}"


def summary(shown: ActivityReport, role: str, *, made: datetime | None = None) -> str:
    """Summarize the activity of one role in a sentence. Refused actions do not count as used. `made` as in
    `of_role`."""
    result = of_role(shown, role, made=made)
    where = f"CloudTrail ({shown.source}), {span_words(shown.span)}"
    if not result.sessions:
        return f"{where}: no session"
    people = sorted({activity.who.person for activity in result.sessions})
    used = frozenset().union(*(activity.used for activity in result.sessions))
    codes = sorted({flag.code for activity in result.sessions for flag in activity.flags})
    flags = f"; flags {', '.join(codes)}" if codes else ""
    last = minute(max(activity.last for activity in result.sessions))
    return (
        f"{where}: {number(len(result.sessions), 'session')} by {some(people)}, last {last}Z; "
        f"{number(len(used), 'action')} used, "
        f"{number(sum(len(activity.writes) for activity in result.sessions), 'change')}, {result.denied} denied{flags}"
    )
