"""The names of CloudTrail's files, which contain account, region and time.

    [PREFIX/]AWSLogs/[o-ID/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHMMZ_ID.json.gz

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
The events in a file are usually some minutes older than its delivery time, rarely hours, and never newer.
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
"""Maximum delay from an event to its file. CloudTrail states 5 minutes on average; an event at midnight is in the next
day's folder."""
BEFORE = timedelta(hours=12)
"""The longest session of a role (MaxSessionDuration): its entry may be that much older than its calls."""


@dataclass(frozen=True)
class TrailFile:
    """One file of a trail."""

    path: Path
    name: str
    """Name for messages."""
    account: str = ""
    region: str = ""
    at: datetime | None = None
    """Delivery time; None if the name does not contain it."""
    size: int = 0
    """Bytes as stored."""


@dataclass(frozen=True)
class TimeSpan:
    """The requested period: `since` is inclusive, `until` exclusive. None: no limit."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, when: datetime) -> bool:
        """Whether a time is in the period."""
        return (self.since is None or when >= self.since) and (self.until is None or when < self.until)

    def may_hold(self, delivered: datetime) -> bool:
        """Whether a file delivered at this time may hold events of the period, or entries of sessions that continue
        into it."""
        return (self.since is None or delivered >= self.since - BEFORE) and (
            self.until is None or delivered <= self.until + LATE
        )

    def days(self, *, now: datetime) -> tuple[date, ...]:
        """Return the days whose folders may hold such files. Requires `since`."""
        assert self.since is not None
        first = (self.since - BEFORE).astimezone(UTC).date()
        last = min((self.until or now) + LATE, now).astimezone(UTC).date()
        return tuple(first + timedelta(days=number) for number in range((last - first).days + 1))


def named(path: Path, name: str, size: int = 0) -> TrailFile | None:
    """Return the file with this name; None if it holds no events (digests, insights, other files)."""
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
    """Whether a file is a digest or insights file of CloudTrail, which holds no events."""
    return _NOT_EVENTS.search(name.replace("\\", "/")) is not None


def organization_member(name: str) -> str | None:
    """Return the account of a file in an organization trail's layout, where all accounts belong to the organization;
    otherwise None."""
    said = _ORGANIZATION.search(name.replace("\\", "/"))
    return said[1] if said else None
