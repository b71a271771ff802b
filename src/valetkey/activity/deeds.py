"""What a session did, for a person to read: calls by service and access level, individual writes, console clicks.

One click in the console makes tens of calls (the list of users in IAM: more than a hundred). Console calls that follow
each other within two seconds count as one click. Calls that an open page repeats automatically do not count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from valetkey.activity.actions import SIGN_IN_EVENTS, action_of, level_of
from valetkey.activity.events import Event
from valetkey.catalog.actions import Level

_ONE_CLICK = timedelta(seconds=2)
_BY_ITSELF = frozenset(
    {
        ("health", "DescribeEventAggregates"),
        ("health", "DescribeEvents"),
        ("notifications", "ListNotificationHubs"),
        ("cloudshell", "SendHeartBeat"),
    }
)
"""Calls that the console's navigation bar and CloudShell repeat automatically while a page is open."""


@dataclass(frozen=True)
class Calls:
    """Successful calls of one kind."""

    service: str
    level: Level
    action: str
    """The IAM action, or "service:Event" if AWS lists none."""
    is_listed: bool
    """Whether `action` is an IAM action."""
    count: int
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Deed:
    """One call that is listed individually: a write, a data read, a denied or failed call."""

    at: datetime
    action: str
    level: Level
    resources: tuple[str, ...]
    account: str
    region: str
    error: str
    event: str
    """eventID"""


@dataclass(frozen=True)
class Click:
    """Something that a person opened in the console."""

    at: datetime
    service: str
    """The service with the most calls."""
    calls: int


def action(event: Event) -> str:
    """The IAM action of an event, or "service:Event" if AWS lists none."""
    return action_of(event.source, event.name) or f"{event.service}:{event.name}"


def level(event: Event) -> Level:
    """The access level of an event's call."""
    return level_of(event.source, event.name, event.read_only)


def is_write(event: Event) -> bool:
    """Whether a call changes something, by the readOnly of its event. Sign-in steps and calls of STS, which CloudTrail
    marks either way, change nothing in the account."""
    return not event.read_only and event.source != "sts.amazonaws.com" and event.name not in SIGN_IN_EVENTS


def calls(events: Iterable[Event]) -> tuple[Calls, ...]:
    """Count successful calls by service, access level and action, most frequent first."""
    kept: dict[tuple[str, Level, str, bool], list[datetime]] = {}
    for event in events:
        listed = action_of(event.source, event.name)
        service = listed.partition(":")[0] if listed else event.service
        kept.setdefault((service, level(event), listed or action(event), listed is not None), []).append(event.at)
    result = [Calls(*key, len(times), min(times), max(times)) for key, times in kept.items()]
    return tuple(sorted(result, key=lambda item: (-item.count, item.action)))


def deed(event: Event) -> Deed:
    """Return an event as an individually listed call."""
    return Deed(
        event.at, action(event), level(event), event.resources, event.account, event.region, event.error, event.id
    )


def clicks(events: Sequence[Event]) -> tuple[Click, ...]:
    """Group the calls of a console, in order of time, into clicks."""
    result: list[list[Event]] = []
    for event in events:
        if (event.service, event.name) in _BY_ITSELF:
            continue
        if result and event.at - result[-1][-1].at <= _ONE_CLICK:
            result[-1].append(event)
        else:
            result.append([event])
    return tuple(
        Click(some[0].at, Counter(event.service for event in some).most_common(1)[0][0], len(some)) for some in result
    )
