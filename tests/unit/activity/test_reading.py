"""The built-in engine: every layout, every way in which a file can be broken, and how much is held of it."""

from __future__ import annotations

import gzip
import json
import pathlib
import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.trails.generate import OWNER, generate
from tests.trails.records import Maker, trail

from valetkey.activity import Folder, TimeSpan, TrailReading, Wanted, inflating, read, role_key
from valetkey.activity.events import instant
from valetkey.activity.scanning import scan
from valetkey.catalog.home_regions import HOME_REGIONS
from valetkey.errors import ValetkeyError

AT = datetime(2026, 11, 3, 10, tzinfo=UTC)


@pytest.fixture
def maker(account: Any) -> Maker:
    return Maker(account(), account(), path="/partners/")


def acts(maker: Maker, number: int = 3) -> list[dict[str, Any]]:
    who = maker.identity("carol", AT, "ASIAEXAMPLE")
    return [
        maker.record(AT + timedelta(seconds=count), "iam", "ListUsers", who, requestParameters={"marker": str(count)})
        for count in range(number)
    ]


def other(maker: Maker, number: int = 3) -> list[dict[str, Any]]:
    role = maker.role.replace("audit", "others")
    return [maker.record(AT, "ec2", "DescribeVpcs", maker.identity("i", AT, "ASIAO", role=role)) for _ in range(number)]


def wanted(maker: Maker) -> Wanted:
    key = role_key(maker.role)
    assert key
    return Wanted(roles=frozenset({key}))


def of(folder: pathlib.Path, maker: Maker, **more: Any) -> TrailReading:
    return read(Folder(folder), wanted(maker), accounts=frozenset({maker.owner}), **more)[0]


LAYOUTS = {
    "trail": trail,
    "pretty": lambda records: json.dumps({"Records": records}, indent=2).encode(),
    "array": lambda records: json.dumps(records).encode(),
    "lines": lambda records: b"\n".join(json.dumps(record).encode() for record in records) + b"\n",
    "lines of trails": lambda records: b"\n".join(trail([record]) for record in records),
    "lookup-events": lambda records: json.dumps(
        {"Events": [{"EventId": "1", "CloudTrailEvent": json.dumps(record)} for record in records]}, indent=4
    ).encode(),
    "byte order mark": lambda records: b"\xef\xbb\xbf" + trail(records),
    "slashes escaped": lambda records: trail(records).replace(b"/", b"\\/"),
    "concatenated": lambda records: trail([]) + b"".join(trail([record]) for record in records) + trail([]),
    "concatenated lines": lambda records: b"\n".join(trail(records[at : at + 3]) for at in range(0, len(records), 3)),
    "other keys first": lambda records: json.dumps({"x": 1, "Records": records}).encode(),
    "keys in another order": lambda records: trail([dict(sorted(record.items())) for record in records]),
}  # fmt: skip


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_events(tmp_path: pathlib.Path, maker: Maker, layout: str, zipped: bool) -> None:
    records = [*other(maker), *acts(maker), *other(maker), *acts(maker, 1)]
    data = LAYOUTS[layout](records)
    (tmp_path / f"a.json{'.gz' if zipped else ''}").write_bytes(gzip.compress(data) if zipped else data)
    reading = of(tmp_path, maker)
    assert [event.id for event in reading.events] == [
        item["eventID"]
        for item in sorted([*records[3:6], records[-1]], key=lambda item: (item["eventTime"], item["eventID"]))
    ]
    assert reading.is_complete


@pytest.mark.parametrize(
    "layout",
    ["trail", "lines", "array", "pretty", "keys in another order", "concatenated", "concatenated lines"],
)
def test_a_file_of_many_blocks_gives_the_same_events(
    tmp_path: pathlib.Path, maker: Maker, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("valetkey.activity.inflating.BLOCK", 4096)
    monkeypatch.setattr("valetkey.activity.scanning.BLOCK", 4096)
    records = [item for _ in range(9) for item in (*other(maker, 2), *acts(maker, 1))]
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(LAYOUTS[layout](records)))
    reading = of(tmp_path, maker)
    assert len(reading.events) == 9
    assert reading.is_complete


def test_a_file_without_the_role_is_not_decoded(tmp_path: pathlib.Path, maker: Maker) -> None:
    (tmp_path / "a.json").write_bytes(trail(other(maker)))
    (tmp_path / "b.json").write_bytes(trail([*other(maker, 50), *acts(maker, 1)]))
    reading = of(tmp_path, maker)
    assert (reading.files, reading.left_out, reading.records) == (2, 1, 1)


@pytest.mark.parametrize("name", ["a=b", "plus+name", "x,y", "Audit-Role_1.2@home"])
def test_a_name_that_some_writers_escape_is_found(tmp_path: pathlib.Path, account: Any, name: str) -> None:
    maker = Maker(account(), account(), name=name)
    (tmp_path / "a.json").write_bytes(trail(acts(maker)).replace(b"=", b"\\u003d").replace(b"+", b"\\u002b"))
    assert len(of(tmp_path, maker).events) == 3


def test_a_namesake_in_another_account_is_another_role(tmp_path: pathlib.Path, maker: Maker, account: Any) -> None:
    (tmp_path / "a.json").write_bytes(trail(acts(Maker(account(), maker.contractor))))
    longer = Maker(maker.owner, maker.contractor, name="audit-2")
    (tmp_path / "b.json").write_bytes(trail(acts(longer)))
    assert of(tmp_path, maker).events == []


BROKEN = {
    "cut.json": (lambda data: data[:-40], "is cut off"),
    "cut.json.gz": (lambda data: gzip.compress(data)[:-20], "is cut off: the end of its gzip stream"),
    "damaged.json.gz": (lambda data: gzip.compress(data)[:30] + b"\0" * 40 + gzip.compress(data)[70:], "is damaged"),
    "empty.json": (lambda data: b"", "is empty"),
    "html.json": (lambda data: b"<html>assumed-role/audit/</html>", "is cut off, or is not"),
    "other.json": (lambda data: b'{"version": "/audit"}', "is JSON, but not of a trail"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_named_and_left_out(tmp_path: pathlib.Path, maker: Maker, name: str) -> None:
    make, why = BROKEN[name]
    (tmp_path / name).write_bytes(make(trail(acts(maker))))
    (tmp_path / "good.json").write_bytes(trail(acts(maker, 2)))
    reading = of(tmp_path, maker)
    assert len(reading.events) == 2
    [(named, said)] = reading.broken
    assert named == name
    assert why in said
    assert not reading.is_complete


def test_a_file_that_is_cut_and_does_not_mention_the_role_is_named_too(tmp_path: pathlib.Path, maker: Maker) -> None:
    """What was cut away could have been the role's."""
    (tmp_path / "a.json").write_bytes(trail(other(maker))[:-9])
    assert of(tmp_path, maker).broken == [("a.json", "is cut off, or is not JSON")]


def test_a_file_that_breaks_only_when_a_later_role_is_looked_for_is_named(
    tmp_path: pathlib.Path, maker: Maker, account: Any
) -> None:
    """It does not mention the first role, and is decoded only when a session of that role assumes another one."""
    inner = f"arn:aws:iam::{account()}:role/inner"
    made = maker.record(
        *(AT, "sts", "AssumeRole", maker.identity("carol", AT, "ASIAEXAMPLE")),
        requestParameters={"roleArn": inner, "roleSessionName": "next"},
        responseElements={
            "credentials": {"accessKeyId": "ASIAINNER"},
            "assumedRoleUser": {"assumedRoleId": "AROAINNER:next"},
        },
    )
    (tmp_path / "a.json").write_bytes(trail([made]))
    (tmp_path / "b.json").write_bytes(b'{"Records": [{"userIdentity": {"arn": "assumed-role/inner/next"}, }]}')
    reading = read(Folder(tmp_path), wanted(maker), accounts=None)[0]
    assert [name for name, _ in reading.broken] == ["b.json"]
    assert not reading.is_complete


def test_a_long_file_that_is_cut_gives_nothing(
    tmp_path: pathlib.Path, maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("valetkey.activity.inflating.BLOCK", 2048)
    monkeypatch.setattr("valetkey.activity.scanning.BLOCK", 2048)
    (tmp_path / "a.json").write_bytes(trail(acts(maker, 20))[:-5])
    reading = of(tmp_path, maker)
    assert reading.events == []
    assert "the end of its list of records is missing" in reading.broken[0][1]


def test_gzip_of_several_members_is_one_file(tmp_path: pathlib.Path, maker: Maker) -> None:
    data = b"".join(json.dumps(act).encode() + b"\n" for act in acts(maker))
    half = len(data) // 2
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(data[:half]) + gzip.compress(data[half:]) + b"\0\0")
    assert len(of(tmp_path, maker).events) == 3


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"eventVersion": "2.0"}, "the version '2.0' is unknown"),
        ({"eventVersion": None}, "it has no version"),
        ({"eventTime": "yesterday"}, "it has no time, source or name"),
        ({"eventSource": None}, "it has no time, source or name"),
        ({"resources": "all"}, "its fields are not of the kinds that CloudTrail writes"),
    ],
)
def test_a_record_that_cannot_be_used_is_counted_and_its_file_named(
    tmp_path: pathlib.Path, maker: Maker, change: dict[str, Any], why: str
) -> None:
    records = acts(maker)
    records[1] |= change
    (tmp_path / "a.json").write_bytes(trail(records))
    reading = of(tmp_path, maker)
    assert len(reading.events) == 2
    assert dict(reading.skipped) == {why: 1}
    assert reading.skipped_in == ["a.json"]
    assert not reading.is_complete


def test_records_with_almost_nothing_in_them_break_nothing(tmp_path: pathlib.Path, maker: Maker) -> None:
    odd: list[Any] = [
        {}, {"userIdentity": None}, {"userIdentity": {"arn": maker.role}, "eventVersion": "1.0"}, {"userIdentity": {}},
        {"userIdentity": {"sessionContext": {"sessionIssuer": {}, "attributes": None}}}, {"note": "/audit"},
    ]  # fmt: skip
    (tmp_path / "a.json").write_bytes(trail([*odd, *acts(maker)]))
    reading = of(tmp_path, maker)
    assert len(reading.events) == 3
    assert dict(reading.skipped) == {"it has no time, source or name": 1}


def test_many_roles_are_looked_for_in_one_go(tmp_path: pathlib.Path, account: Any) -> None:
    """Roles that are not in a file are not searched again from every hit of those that are: that took minutes."""
    owner = account()
    maker = Maker(owner, account(), name="used")
    who = maker.identity("carol", AT, "ASIA1")
    path = tmp_path / "a.json"
    path.write_bytes(
        trail([maker.record(AT + timedelta(seconds=item), "iam", "ListUsers", who) for item in range(3000)])
    )
    roles = [(owner, "used"), *((owner, f"idle-{item}") for item in range(40))]
    began = time.process_time()
    result = scan(path, Wanted(roles=frozenset(roles)))
    assert time.process_time() - began < 8
    assert result.events == scan(path, Wanted(roles=frozenset(roles[:1]))).events
    assert len(result.events) == 3000


def test_an_event_in_several_files_counts_once(tmp_path: pathlib.Path, maker: Maker) -> None:
    records = acts(maker)
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_bytes(trail(records))
    reading = of(tmp_path, maker)
    assert (len(reading.events), reading.duplicates) == (3, 3)
    assert reading.is_complete


def test_records_whose_ids_were_taken_out_are_used_and_still_count_once(tmp_path: pathlib.Path, maker: Maker) -> None:
    records = [{key: value for key, value in act.items() if key != "eventID"} for act in acts(maker)]
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_bytes(trail(records))
    reading = of(tmp_path, maker)
    assert (len(reading.events), reading.duplicates) == (3, 3)


def test_digests_insights_and_other_things_are_no_files_of_events(tmp_path: pathlib.Path, maker: Maker) -> None:
    for name in ("1_CloudTrail-Digest_us-east-1_x.json.gz", "1_CloudTrail-Insight_x.json.gz", "notes.txt", "a.json"):
        (tmp_path / name).write_bytes(trail(acts(maker, 1)))
    assert of(tmp_path, maker).files == 1


def test_what_is_in_the_folder_and_not_read_is_said(tmp_path: pathlib.Path, maker: Maker) -> None:
    folder = tmp_path / "trail"
    (folder / "real").mkdir(parents=True)
    (folder / "real" / "a.json").write_bytes(trail(acts(maker, 1)))
    (folder / "b.parquet").write_bytes(b"PAR1")
    (tmp_path / "elsewhere").mkdir()
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    reading = of(folder, maker)
    assert reading.unread == ("link: a symbolic link to a folder",)
    assert any("not read: b.parquet" in limit for limit in reading.limits)
    assert not reading.is_complete


def test_only_files_of_the_account_and_the_time_are_read(tmp_path: pathlib.Path, maker: Maker) -> None:
    for account, at in (
        (maker.owner, "20261103T1005Z"), (maker.owner, "20261109T1005Z"), (maker.owner, "20261020T1005Z"),
        ("999999999999", "20261103T1005Z"),
    ):  # fmt: skip
        (tmp_path / f"{account}_CloudTrail_us-east-1_{at}_x.json").write_bytes(trail(acts(maker)))
    span = TimeSpan(datetime(2026, 11, 3, tzinfo=UTC), datetime(2026, 11, 4, tzinfo=UTC))
    reading = of(tmp_path, maker, span=span)
    assert reading.files == 1
    assert len(of(tmp_path, maker, span=TimeSpan(AT + timedelta(seconds=1), AT + timedelta(seconds=2))).events) == 1


@pytest.mark.parametrize("region", HOME_REGIONS.values())
def test_who_approved_a_delegation_is_looked_for_where_iam_records_it(
    tmp_path: pathlib.Path, maker: Maker, region: str
) -> None:
    acting = maker.identity("provider", AT, "ASIA1") | {"invokedByDelegate": {"accountId": "444444444444"}}
    approval = maker.record(AT, "iam", "SendDelegationToken", {"type": "Root", "accountId": maker.owner})
    for where, record in (("mx-central-1", maker.record(AT, "ec2", "DescribeVpcs", acting)), (region, approval)):
        (tmp_path / f"{maker.owner}_CloudTrail_{where}_20261103T1005Z_x.json").write_bytes(trail([record]))
    assert approval["eventID"] in {event.id for event in of(tmp_path, maker).events}


def test_a_place_without_a_trail_is_said(tmp_path: pathlib.Path, maker: Maker) -> None:
    with pytest.raises(ValetkeyError, match="there is no file or folder"):
        of(tmp_path / "none", maker)
    with pytest.raises(ValetkeyError, match="holds no files of a trail"):
        of(tmp_path, maker)


def test_two_processes_find_what_one_finds(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("valetkey.activity.reading._WORTH", 0)
    truth = generate(tmp_path)
    key = role_key(truth.role)
    assert key
    asked = Wanted(roles=frozenset({key}))
    seen: list[tuple[int, int]] = []
    one, _ = read(Folder(tmp_path), asked, accounts=frozenset({OWNER}))
    two, _ = read(Folder(tmp_path), asked, accounts=frozenset({OWNER}), cores=2, progress=lambda *now: seen.append(now))
    assert one == two
    assert seen


def test_zlib_gives_what_isal_gives(tmp_path: pathlib.Path, maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    import zlib

    (tmp_path / "a.json.gz").write_bytes(gzip.compress(trail(acts(maker))))
    one = of(tmp_path, maker)
    monkeypatch.setattr("valetkey.activity.inflating.library", lambda: (zlib, "zlib"))
    assert of(tmp_path, maker) == one


def test_memory_does_not_grow_with_the_file(tmp_path: pathlib.Path, maker: Maker) -> None:
    text = json.dumps(other(maker, 1)[0], separators=(",", ":"))
    mine = json.dumps(acts(maker, 1)[0], separators=(",", ":"))
    peaks = []
    for number in (8_000, 32_000):
        path = tmp_path / f"{number}.json.gz"
        path.write_bytes(gzip.compress(('{"Records":[' + f"{text}," * number + mine + "]}").encode(), 1))
        tracemalloc.start()
        result = scan(path, wanted(maker))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(result.events) == 1
    assert result.size > 4 * inflating.BLOCK
    assert peaks[1] < 1.2 * peaks[0] + 1_000_000


@given(data=st.binary(max_size=400), cut=st.integers(0, 2000))
def test_no_bytes_raise(tmp_path_factory: pytest.TempPathFactory, data: bytes, cut: int) -> None:
    maker = Maker("111111111111", "222222222222")
    path = tmp_path_factory.mktemp("any") / "a.json"
    whole = trail(acts(maker, 2))
    for content in (data, whole[:cut] + data, gzip.compress(whole)[:cut] + data, b'{"Records":[' + data + b"/audit]}"):
        path.write_bytes(content)
        scan(path, wanted(maker))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-11-03T10:00:00Z", "2026-11-03T10:00:00+00:00"),
        ("2026-11-03T10:00:00.123Z", "2026-11-03T10:00:00.123000+00:00"),
        ("2026-11-03T10:00:00+02:00", "2026-11-03T08:00:00+00:00"),
        ("0001-01-01T00:00:00+02:00", None),
        ("soon", None),
        ("", None),
    ],
)
def test_times_are_utc(text: str, said: str | None) -> None:
    result = instant(text)
    assert (result and result.isoformat()) == said


def test_what_json_allows_and_text_does_not_is_counted(tmp_path: pathlib.Path, maker: Maker) -> None:
    """A lone surrogate; parameters nested without end."""
    one, two, three = acts(maker)
    broken = trail([one, two, three]).replace(b'"marker":"1"', b'"marker":' + b"[" * 5000 + b"]" * 5000)
    (tmp_path / "a.json").write_bytes(broken.replace(b"198.51.100.7", b"\\ud800", 1))
    reading = of(tmp_path, maker)
    assert len(reading.events) == 3 - sum(reading.skipped.values())
    assert reading.broken == []
    assert not reading.is_complete
