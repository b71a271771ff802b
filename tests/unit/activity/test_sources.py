"""S3 and LookupEvents as sources: what is asked of AWS, what comes of it, and what is said when it fails."""

from __future__ import annotations

import json
import pathlib
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.trails.generate import CONTRACTOR, OWNER, PRODUCTION, REGIONS, START, generate, story
from tests.trails.records import Record, stamp

from valetkey.account.calls import Call, CallError
from valetkey.activity import Bucket, Folder, TimeSpan, Wanted, answer, look_up, read, role_key
from valetkey.activity.bucket import location
from valetkey.activity.coverage import unseen
from valetkey.activity.layout import LATE
from valetkey.activity.lookup import regions
from valetkey.errors import ValetkeyError

NOW = START + timedelta(days=20)
SPAN = TimeSpan(START + timedelta(days=5), START + timedelta(days=7))


class S3:
    """A bucket made of a folder: pages of two keys."""

    def __init__(self, folder: pathlib.Path, head: str = "logs/") -> None:
        self.keys = {head + str(item.relative_to(folder)): item for item in folder.rglob("*.gz")}
        self.listed: list[str] = []
        self.fetched: list[str] = []
        self.refuse: tuple[str, ...] = ()
        self._lock = threading.Lock()

    def __call__(self, call: Call, /) -> dict[str, Any]:
        assert call.action == "s3:ListObjectsV2"
        prefix = str(call.params["Prefix"])
        with self._lock:
            self.listed.append(prefix)
        if any(item in prefix for item in self.refuse):
            raise CallError(call, "AccessDenied", "no")
        below = sorted(key for key in self.keys if key.startswith(prefix))
        if "Delimiter" in call.params:
            names = {prefix + key[len(prefix) :].partition("/")[0] + "/" for key in below}
            return {"CommonPrefixes": [{"Prefix": name} for name in sorted(names)]}
        begin = int(str(call.params.get("ContinuationToken", 0)))
        contents = [{"Key": key, "Size": self.keys[key].stat().st_size} for key in below[begin : begin + 2]]
        more = {"NextContinuationToken": str(begin + 2)} if begin + 2 < len(below) else {}
        return {"Contents": contents, **more}

    def fetch(self, bucket: str, key: str, path: pathlib.Path) -> None:
        with self._lock:
            self.fetched.append(key)
        if any(item in key for item in self.refuse):
            raise CallError(Call("s3", "get_object"), "AccessDenied", "no")
        path.write_bytes(self.keys[key].read_bytes())


@pytest.fixture
def made(tmp_path: pathlib.Path) -> Any:
    home = tmp_path / "trail"
    return home, generate(home, files=120, rounds=3)


def wanted(truth: Any) -> Wanted:
    key = role_key(truth.role)
    assert key
    return Wanted(roles=frozenset({key}))


def of_bucket(s3: S3, tmp_path: pathlib.Path, truth: Any, place: str = "s3://my-trail/logs", **more: Any) -> Any:
    kept = tmp_path / "kept"
    kept.mkdir(exist_ok=True)
    source = Bucket(place, s3, s3.fetch, folder=kept, now=NOW, **more)
    return read(source, wanted(truth), accounts=frozenset({OWNER}), span=SPAN)[0]


def test_a_bucket_answers_what_the_folder_does(made: Any, tmp_path: pathlib.Path) -> None:
    home, truth = made
    seen: list[tuple[int, int]] = []
    s3 = S3(home)
    result = of_bucket(s3, tmp_path, truth, progress=lambda *each: seen.append(each))
    folder, _ = read(Folder(home), wanted(truth), accounts=frozenset({OWNER}), span=SPAN)
    assert result.events == folder.events
    assert answer(result.events).sessions
    assert result.is_complete
    assert seen
    # Each is fetched once, although callers' accounts and chains are read after the first pass.
    assert max(Counter(s3.fetched).values()) == 1


def test_only_accounts_and_days_that_are_needed_are_listed_and_fetched(made: Any, tmp_path: pathlib.Path) -> None:
    home, truth = made
    s3 = S3(home)
    of_bucket(s3, tmp_path, truth)
    days = {key[-11:-1] for key in s3.listed if key[-11:-1].count("/") == 2 and key[-11].isdigit()}
    first, last = (SPAN.since - timedelta(hours=12)).date(), (SPAN.until + LATE).date()  # type: ignore[operator]
    assert {day.replace("/", "-") for day in days} == {
        str(first + timedelta(days=number)) for number in range((last - first).days + 1)
    }
    fetched = {key.split("/")[3] for key in s3.fetched}
    # The owner's; then the caller's, which is in the organization's trail too; then the one chained into.
    assert fetched == {OWNER, CONTRACTOR, PRODUCTION}
    assert {key.split("/")[5] for key in s3.fetched if OWNER in key} == set(REGIONS)


@pytest.mark.parametrize(
    "place",
    [
        "s3://my-trail/logs",
        "s3://my-trail/logs/AWSLogs",
        "s3://my-trail/logs/AWSLogs/o-abcdefghij/",
        f"s3://my-trail/logs/AWSLogs/o-abcdefghij/{OWNER}/CloudTrail/",
    ],
)
def test_a_prefix_may_end_anywhere_in_the_layout(made: Any, tmp_path: pathlib.Path, place: str) -> None:
    home, truth = made
    assert of_bucket(S3(home), tmp_path, truth, place).files


def test_a_prefix_of_one_region_lists_no_other(made: Any, tmp_path: pathlib.Path) -> None:
    home, truth = made
    s3 = S3(home)
    of_bucket(s3, tmp_path, truth, f"s3://my-trail/logs/AWSLogs/o-abcdefghij/{OWNER}/CloudTrail/eu-west-1")
    assert {key.split("/")[5] for key in s3.fetched} == {"eu-west-1"}


def test_the_layout_of_one_account(made: Any, tmp_path: pathlib.Path) -> None:
    home, truth = made
    s3 = S3(home / "AWSLogs" / "o-abcdefghij", head="AWSLogs/")
    assert of_bucket(s3, tmp_path, truth, "s3://my-trail").files


@pytest.mark.parametrize("what", ["eu-west-1/2026/11/07/", "0000000000000037.json.gz"])
def test_what_may_not_be_listed_or_fetched_is_named(made: Any, tmp_path: pathlib.Path, what: str) -> None:
    home, truth = made
    s3 = S3(home)
    s3.refuse = (next(key for key in s3.keys if OWNER in key and "/2026/11/07/" in key) if "gz" in what else what,)
    result = of_bucket(s3, tmp_path, truth)
    assert not result.is_complete
    assert all("AccessDenied" in item and "s3://my-trail/logs/AWSLogs/" in item for item in result.unread)
    assert result.files


def test_a_bucket_that_cannot_be_listed_raises(made: Any, tmp_path: pathlib.Path) -> None:
    home, truth = made
    s3 = S3(home)
    s3.refuse = ("AWSLogs",)
    with pytest.raises(CallError, match="AccessDenied"):
        of_bucket(s3, tmp_path, truth)
    with pytest.raises(ValetkeyError, match="holds no account's folder"):
        of_bucket(S3(home), tmp_path, truth, "s3://my-trail/elsewhere")


def test_no_room_is_said_before_anything_is_fetched(
    made: Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, truth = made
    s3 = S3(home)
    monkeypatch.setattr("valetkey.activity.bucket._SPARE", 1 << 62)
    with pytest.raises(ValetkeyError, match="has room for"):
        of_bucket(s3, tmp_path, truth)
    assert s3.fetched == []


@pytest.mark.parametrize("text", ["s3://", "s3://UPPER/x", "s3:///x", "s3://a"])
def test_what_names_no_bucket(text: str) -> None:
    with pytest.raises(ValetkeyError, match="names no bucket"):
        location(text)


class Trail:
    """LookupEvents of one account: pages of seven events, the newest first."""

    def __init__(self, records: list[Record]) -> None:
        self._records = sorted(records, key=lambda item: item["eventTime"], reverse=True)
        self.calls: list[tuple[str, str, str]] = []
        self.broken: frozenset[str] = frozenset()

    def connect(self, region: str) -> Any:
        def perform(call: Call, /) -> dict[str, Any]:
            if call.action == "ec2:DescribeRegions":
                return {"Regions": [{"RegionName": item} for item in REGIONS]}
            assert call.action == "cloudtrail:LookupEvents"
            [one] = call.params["LookupAttributes"]
            self.calls.append((region, one["AttributeKey"], one["AttributeValue"]))
            if region in self.broken:
                raise CallError(call, "AccessDeniedException", "no")
            result = [
                record
                for record in self._records
                if record["awsRegion"] == region and self._fits(record, one["AttributeKey"], one["AttributeValue"])
                and stamp(call.params["StartTime"]) <= record["eventTime"]
            ]  # fmt: skip
            begin = int(call.params.get("NextToken", 0))
            more = {"NextToken": str(begin + 7)} if begin + 7 < len(result) else {}
            return {"Events": [{"CloudTrailEvent": json.dumps(item)} for item in result[begin : begin + 7]], **more}

        return perform

    def _fits(self, record: Record, key: str, value: str) -> bool:
        who = record["userIdentity"]
        if key == "ResourceName":
            return record["eventName"] == "AssumeRole" and record["requestParameters"]["roleArn"] == value
        if key == "EventName":
            return bool(record["eventName"] == value)
        if key == "Username":
            return str(who.get("principalId")).partition(":")[2] == value
        return bool(who.get("accessKeyId") == value)


@pytest.fixture
def trail() -> Any:
    told = story(7, 1)
    return told, Trail([record for account, record in told.records if account == OWNER])


def looked_up(trail: Any, asked: Wanted | None = None, **more: Any) -> Any:
    told, events = trail
    key = role_key(told.maker.role)
    assert key
    waits: list[float] = []
    events.calls.clear()
    result = look_up(
        events.connect,
        regions(events.connect("us-east-1")),
        asked or Wanted(roles=frozenset({key})),
        roles=(told.maker.role,),
        span=TimeSpan(START, None),
        wait=waits.append,
        **more,
    )
    # Two calls a second in a region, whatever there is.
    assert waits.count(0.5) == len(events.calls) - sum(region in events.broken for region, _, _ in events.calls)
    return result


def test_lookup_events_finds_the_sessions_that_were_assumed(trail: Any) -> None:
    result, _ = looked_up(trail)
    told, events = trail
    done = answer(result.events)
    by_name = {activity.who.session_name for activity in done.sessions}
    entered = {
        record["requestParameters"]["roleSessionName"]
        for account, record in told.records
        if account == OWNER and record["eventName"] == "AssumeRole" and "externalId" in record["requestParameters"]
    }
    assert by_name >= entered
    assert {activity.events for activity in done.sessions} > {0}
    assert result.is_complete
    assert {key for _, key, _ in events.calls} == {"ResourceName", "Username", "AccessKeyId"}
    assert any("90 days" in item for item in unseen(result, accounts=frozenset({OWNER}), span=TimeSpan(START), now=NOW))


def test_lookup_events_by_outsiders(trail: Any) -> None:
    result, asked = looked_up(trail, Wanted(outsiders=True))
    assert asked.roles == {role_key(trail[0].maker.role)}
    assert answer(result.events).sessions
    _, asked = looked_up(trail, Wanted(outsiders=True, own=frozenset({CONTRACTOR})))
    assert asked.roles == frozenset()


def test_a_region_that_fails_is_named_and_asked_once(trail: Any) -> None:
    trail[1].broken = frozenset({"eu-west-1"})
    result, _ = looked_up(trail)
    assert result.unread == ("region eu-west-1: AccessDeniedException",)
    assert not result.is_complete
    assert sum(region == "eu-west-1" for region, _, _ in trail[1].calls) == 1


def test_gaps_and_regions_are_said(tmp_path: pathlib.Path) -> None:
    truth = generate(tmp_path, files=100)
    reading, _ = read(Folder(tmp_path), wanted(truth), accounts=frozenset({OWNER}))
    said = unseen(reading, accounts=frozenset({OWNER, "5" * 12}), span=TimeSpan(START), now=START + timedelta(days=17))
    assert any("files of eu-central-1, eu-west-1, us-east-1; what was done in other" in item for item in said)
    assert any("2026-11-15 to 2026-11-19: nothing was done there, or no trail" in item for item in said)
    assert any(f"no file of account {'5' * 12}" in item for item in said)
    for path in tmp_path.rglob("*us-east-1_2*"):
        path.unlink()
    reading, _ = read(Folder(tmp_path), wanted(truth), accounts=frozenset({OWNER}))
    said = unseen(reading, accounts=frozenset({OWNER}), span=TimeSpan(), now=NOW)
    assert any("no file of us-east-1, where IAM" in item for item in said)


def test_the_end_of_the_span_is_no_gap() -> None:
    from valetkey.activity.coverage import _gaps

    days = {START.date(), (START + timedelta(days=1)).date()}
    assert list(_gaps(days, TimeSpan(START, START + timedelta(days=2)), NOW)) == []
    assert list(_gaps(days, TimeSpan(START, START + timedelta(days=3)), NOW)) == ["2026-11-04"]
    assert list(_gaps(set(), TimeSpan(START, START + timedelta(days=2)), NOW)) == ["2026-11-02 to 2026-11-03"]
    assert list(_gaps(days, TimeSpan(None, None), datetime(2026, 12, 1, tzinfo=UTC))) == []
