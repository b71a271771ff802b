"""LookupEvents as the source if there is no trail: an engine that returns the same rows.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html: 90 days, management events, one
region per call, one attribute per call, 50 events per page, 2 calls per second for each account and region.

Order: the role's AssumeRole events; then the calls of each session, by its name and by its access key, because AWS
documents for neither that it finds all of them; then the sessions that these made in further roles of the account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from valetkey.account.calls import Call, CallError, Perform, patient
from valetkey.activity.events import Event, Tie, role_key
from valetkey.activity.layout import BEFORE, TimeSpan
from valetkey.activity.reading import FileProgress, TrailReading
from valetkey.activity.records import SkippedRecordError, decoded
from valetkey.activity.wanted import Wanted
from valetkey.errors import ValetkeyError

_PAUSE = 0.5
"""Seconds between two calls in a region."""
_AT_ONCE = 8
_CHAINS = 8
LOOKUP_PERIOD = timedelta(days=90)

LIMITS = (
    "LookupEvents has management events of 90 days, up to 15 minutes late.",
    "Sessions are found by the AssumeRole that began them; one that began otherwise may be missing.",
)


def regions(perform: Perform) -> tuple[str, ...]:
    """Return the regions that are enabled in the account. Raises CallError. Needs ec2:DescribeRegions."""
    return tuple(sorted(region["RegionName"] for region in perform(Call("ec2", "describe_regions"))["Regions"]))


def look_up(
    connect: Callable[[str], Perform],
    where: Sequence[str],
    wanted: Wanted,
    *,
    roles: Sequence[str] = (),
    span: TimeSpan,
    wait: Callable[[float], None],
    progress: FileProgress | None = None,
) -> tuple[TrailReading, Wanted]:
    """Return the events of roles (ARNs) from every region in `where`; with `wanted.outsiders`, of every role that an
    outsider assumed. Also returns `wanted` with these roles. A region that fails is in `TrailReading.unread`. Raises
    ValetkeyError of `connect`."""
    # In this thread: creating clients is not thread-safe.
    performs = {region: patient(connect(region), wait=wait) for region in where}
    result = _Found(performs, span, wait, progress)
    if wanted.outsiders:
        entered = result.get([("EventName", "AssumeRole")], wanted)
        keys = {role_key(event.target): event.target for event in entered if event.tie is Tie.ENTRY}
        wanted = replace(wanted, roles=frozenset(key for key in keys if key), outsiders=False)
    else:
        # By ARN and by name: AWS documents "name or ID" without saying which for a role.
        asked = [("ResourceName", item) for arn in roles for item in (arn, arn.rpartition("/")[2])]
        entered = result.get(asked, wanted)
    result.keep(entered)
    names = {event.session_name for event in entered if event.session_name and not event.error}
    keys_ = {event.issued_key for event in entered if event.issued_key}
    result.keep(result.get([*_by("Username", names), *_by("AccessKeyId", keys_)], wanted))
    followed = set(keys_)
    for _ in range(_CHAINS):
        made = {
            event.issued_key
            for event in result.reading.events
            if event.tie is Tie.ACT and event.issued_key and event.issued_key not in followed
        }
        if not made:
            break
        followed |= made
        result.keep(result.get(_by("AccessKeyId", made), Wanted(keys=frozenset(made))))
    else:
        result.reading.cut_by_chains = True
    result.reading.events.sort(key=lambda event: (event.at, event.id))
    result.reading.limits = LIMITS
    return result.reading, wanted


def _by(attribute: str, values: Iterable[str]) -> list[tuple[str, str]]:
    return [(attribute, value) for value in sorted(values)]


class _Found:
    """Runs the lookups and collects the events."""

    def __init__(
        self,
        performs: dict[str, Perform],
        span: TimeSpan,
        wait: Callable[[float], None],
        progress: FileProgress | None,
    ) -> None:
        self._performs, self._span, self._wait, self._progress = performs, span, wait, progress
        self._failed: dict[str, str] = {}
        """Regions that are not called again, with the reason."""
        self._seen: set[str] = set()
        self.reading = TrailReading()

    def keep(self, events: Iterable[Event]) -> None:
        for event in events:
            is_late = self._span.until is not None and event.at >= self._span.until
            if is_late or (event.tie is Tie.ACT and not self._span.holds(event.at)):
                continue
            if event.id not in self._seen:
                self._seen.add(event.id)
                self.reading.events.append(event)

    def get(self, asked: Sequence[tuple[str, str]], wanted: Wanted) -> list[Event]:
        """Return the wanted events of all lookups, from every region that has not failed. Regions run in parallel."""
        where = [item for item in self._performs if item not in self._failed]
        events: list[Event] = []
        pool = ThreadPoolExecutor(_AT_ONCE)
        try:
            for number, texts in enumerate(pool.map(lambda region: self._region(region, asked), where), 1):
                events += self._events(texts, wanted)
                if self._progress is not None:
                    self._progress(number, len(where))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        self.reading.unread = tuple(f"region {region}: {why}" for region, why in sorted(self._failed.items()))
        return events

    def _events(self, texts: Iterable[str], wanted: Wanted) -> Iterator[Event]:
        for text in texts:
            self.reading.records += 1
            try:
                event = wanted.event(decoded(text))
            except SkippedRecordError as reason:
                self.reading.skipped[str(reason)] += 1
                self.reading.skipped_in = ["LookupEvents"]
            else:
                if event is not None:
                    yield event

    def _region(self, region: str, asked: Sequence[tuple[str, str]]) -> list[str]:
        """Return the records of all lookups in a region, as text. If the region fails, record the reason and return
        none."""
        try:
            return [text for attribute, value in asked for text in self._pages(region, attribute, value)]
        except CallError as error:
            self._failed[region] = error.code
        except ValetkeyError as error:
            self._failed[region] = error.what
        return []

    def _pages(self, region: str, attribute: str, value: str) -> Iterator[str]:
        params: dict[str, object] = {
            "LookupAttributes": [{"AttributeKey": attribute, "AttributeValue": value}],
            "MaxResults": 50,
        }
        if self._span.since is not None:
            params["StartTime"] = self._span.since - BEFORE
        if self._span.until is not None:
            params["EndTime"] = self._span.until
        seen: set[object] = {None}
        while True:
            call = Call("cloudtrail", "lookup_events", params)
            page = self._performs[region](call)
            for event in page.get("Events", ()):
                yield event.get("CloudTrailEvent", "")
            token = page.get("NextToken")
            self._wait(_PAUSE)
            if not token:
                return
            if token in seen:
                raise CallError(call, "Garbled", "its pages never end", do="check what answers in AWS's place")
            seen.add(token)
            params = {**params, "NextToken": token}
