"""Limits of an answer, as sentences: what CloudTrail never records, and what the trail that was read lacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

from valetkey.activity.events import Tie
from valetkey.activity.layout import TimeSpan
from valetkey.activity.reading import TrailReading

_GLOBAL = "us-east-1"
_MOST = 6
"""Gaps that are named; further ones are counted."""


def unseen(reading: TrailReading, *, accounts: frozenset[str], span: TimeSpan, now: datetime) -> tuple[str, ...]:
    """Return the limits of the answer as sentences. `accounts`: the accounts of the roles."""
    return tuple(_unseen(reading, accounts, span, now))


def _unseen(reading: TrailReading, accounts: frozenset[str], span: TimeSpan, now: datetime) -> Iterator[str]:
    yield from reading.limits
    if reading.files and reading.left_out == reading.files:
        yield "No file mentions the role: see that its ARN is spelt as in the trail, and the time."
    if any(event.is_data for event in reading.events):
        yield "Data events (objects, items, functions) show only of what the trail records them for."
    else:
        yield "What it did with objects, items and functions (data events) does not show: no such event was read."
    if not any(event.tie is Tie.OTHER_SIDE for event in reading.events):
        yield "Refused attempts and the callers' names are in the callers' own accounts, whose trail was not read."
    if not reading.days:
        if reading.files:
            yield "The names of the files do not say region and day: whether some are missing is not known."
        return
    for account in sorted(accounts):
        regions = sorted({region for whose, region in reading.days if whose == account})
        if not regions:
            yield f"There is no file of account {account}."
            continue
        yield f"Account {account}: files of {', '.join(regions)}; what was done in other regions does not show."
        if _GLOBAL not in regions and not regions[0].startswith(("cn-", "us-gov-", "us-iso", "eusc-", "eu-iso")):
            yield f"Account {account}: no file of {_GLOBAL}, where IAM and the console's sign-in are recorded."
        for region in regions:
            gaps = list(_gaps(reading.days[account, region], span, now))
            if gaps:
                more = f" and {len(gaps) - _MOST} more" if len(gaps) > _MOST else ""
                yield (
                    f"Account {account}, {region}: no file of {', '.join(gaps[:_MOST])}{more}: "
                    "nothing was done there, or no trail recorded it."
                )


def _gaps(days: set[date], span: TimeSpan, now: datetime) -> Iterator[str]:
    """Yield the days without a file, each run of days as one range."""
    first = span.since.astimezone(UTC).date() if span.since else min(days)
    last = (min(span.until, now) if span.until else now).astimezone(UTC).date() if span.since else max(days)
    if span.until is not None and span.since and span.until <= now and span.until.time() == datetime.min.time():
        last -= timedelta(days=1)  # `until` is exclusive
    run: list[date] = []
    for item in [*_days(first, last), None]:
        if item is not None and item not in days:
            run.append(item)
        elif run:
            yield f"{run[0]}" if len(run) == 1 else f"{run[0]} to {run[-1]}"
            run = []


def _days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))
