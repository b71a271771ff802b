"""Where CloudTrail puts its files: the names say account, region and time.

    [PREFIX/]AWSLogs/[o-ID/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHMMZ_ID.json.gz

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
A file holds what was delivered at its time: its events are at most some minutes older, seldom hours, and never newer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

_NAME = re.compile(r"(\d{12})_CloudTrail_([a-z0-9-]{4,25})_(\d{8}T\d{4})Z_[^/\\]*$")
_ORGANIZATION = re.compile(r"AWSLogs/o-[a-z0-9]{10,32}/(\d{12})/")
_NOT_EVENTS = re.compile(r"_CloudTrail-(?:Digest|Insight)_|/CloudTrail-(?:Digest|Insight)/")
_SUFFIXES = (".json", ".json.gz", ".gz", ".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz", ".log", ".log.gz")

LATE = timedelta(days=1)
"""How much later than an event its file may be. CloudTrail says 5 minutes on average; an event at midnight is in the
next day's folder."""
BEFORE = timedelta(hours=12)
"""The longest session of a role (MaxSessionDuration): whoever acts may have come in that long before."""


@dataclass(frozen=True)
class TrailFile:
    """One file of a trail."""

    path: Path
    name: str
    """As a message names it."""
    account: str = ""
    region: str = ""
    at: datetime | None = None
    """When it was delivered; None where the name does not say it."""
    size: int = 0
    """Bytes as stored."""


@dataclass(frozen=True)
class Span:
    """The time that is asked about: `since` counts, `until` does not. None: no limit."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, when: datetime) -> bool:
        """Whether a moment is in it."""
        return (self.since is None or when >= self.since) and (self.until is None or when < self.until)

    def may_hold(self, delivered: datetime) -> bool:
        """Whether a file of that time may hold events of the span, or of who came in before it."""
        return (self.since is None or delivered >= self.since - BEFORE) and (
            self.until is None or delivered <= self.until + LATE
        )

    def days(self, *, now: datetime) -> tuple[date, ...]:
        """The days whose folders may hold such files. Needs `since`."""
        assert self.since is not None
        first = (self.since - BEFORE).astimezone(UTC).date()
        last = min((self.until or now) + LATE, now).astimezone(UTC).date()
        return tuple(first + timedelta(days=number) for number in range((last - first).days + 1))


def named(path: Path, name: str, size: int = 0) -> TrailFile | None:
    """A file by its name; None for one that holds no events (digests, insights, other things)."""
    text = name.replace("\\", "/")
    if _NOT_EVENTS.search(text) or not text.endswith(_SUFFIXES):
        return None
    said = _NAME.search(text)
    if said is None:
        return TrailFile(path, name, size=size)
    day, _, time = said[3].partition("T")
    try:
        at = datetime(int(day[:4]), int(day[4:6]), int(day[6:]), int(time[:2]), int(time[2:]), tzinfo=UTC)
    except ValueError:
        return TrailFile(path, name, size=size)
    return TrailFile(path, name, said[1], said[2], at, size)


def is_digest(name: str) -> bool:
    """Whether a file is one of CloudTrail's that holds no events: a digest, or insights."""
    return _NOT_EVENTS.search(name.replace("\\", "/")) is not None


def organization_member(name: str) -> str | None:
    """The account of a file in the layout of an organization's trail, where all accounts are the organization's."""
    said = _ORGANIZATION.search(name.replace("\\", "/"))
    return said[1] if said else None
