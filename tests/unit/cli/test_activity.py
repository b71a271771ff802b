"""`valetkey activity` on a folder: words, formats and exit codes. Nothing is asked of AWS."""

from __future__ import annotations

import csv
import io
import json
import pathlib
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import fastjsonschema
import pytest
from tests.trails.generate import generate
from tests.trails.records import Maker, trail
from tools.schemas import schema

from valetkey.account.calls import Call, CallError
from valetkey.activity import Expected
from valetkey.cli import _activity
from valetkey.cli._options import OwnerAccount
from valetkey.cli._run import run
from valetkey.report.activity_data import safe
from valetkey.report.results.activity import Activity
from valetkey.trust.self_denies import SessionsDeny
from valetkey.trust.terms import Terms

AT = datetime(2026, 11, 3, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("trail")
    return folder, generate(folder)


def test_the_table_has_everything(home: Any, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.setenv("COLUMNS", "220")
    folder, truth = home
    assert run(["activity", truth.role, "--from", str(folder)]) == 0
    out = capsys.readouterr().out
    for words in (
        "sessions by", "carol", "the caller's trail", "changed", "ec2:CreateTags", "resourceId i-0123456789abcdef0",
        "data read", "s3:GetObject", "denied", "iam:CreateUser", "looked at", "clicks", "by services", "login-export",
        "chain-out", "What cannot be seen", "No grant's terms are known",
    ):  # fmt: skip
        assert words in out, words


@pytest.mark.parametrize("by", ["session", "person", "action", "day", "ip"])
def test_every_grouping_in_every_format(home: Any, capsys: pytest.CaptureFixture[str], by: str) -> None:
    folder, truth = home
    words = ["activity", truth.role, "--from", str(folder), "--by", by]
    assert run(words) == 0
    assert capsys.readouterr().out
    assert run([*words, "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert whole["valetkey"] == "activity/v1"
    fastjsonschema.compile(json.loads(schema(Activity)))(whole)
    rows = whole["sessions"] if by == "session" else whole["lines"]
    assert rows
    assert run([*words, "--format", "ndjson"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [{key: value for key, value in line.items() if key != "type"} for line in lines[:-1]] == rows
    assert (lines[-1]["type"], lines[-1]["complete"]) == ("reading", True)
    assert run([*words, "--format", "csv"]) == 0
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(table) == len(rows)


def test_a_broken_file_is_said_in_every_format_and_ends_with_1(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], account: Any
) -> None:
    maker = Maker(account(), account())
    (tmp_path / "cut.json").write_bytes(
        trail([maker.record(AT, "iam", "ListUsers", maker.identity("c", AT, "A"))])[:-3]
    )
    for form in ("table", "json", "ndjson", "csv"):
        assert run(["activity", maker.role, "--from", str(tmp_path), "--format", form]) == 1
        said = capsys.readouterr()
        assert "cut.json" in (said.err if form == "csv" else said.out)


def test_no_file_of_the_account_is_no_answer(home: Any, capsys: pytest.CaptureFixture[str], account: Any) -> None:
    whose = account()
    assert run(["activity", f"arn:aws:iam::{whose}:role/x", "--from", str(home[0])]) == 1
    assert f"there is no file of account {whose} of this time" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "x"], "name a role, or say --all-outsiders"),
        (["arn:aws:iam::111111111111:role/a", "--all-outsiders", "--from", "x"], "exclude each other"),
        (["arn:aws:iam::111111111111:user/a", "--from", "x"], "is not the ARN of a role"),
        (["arn:aws:iam::111111111111:role/a", "--from", "x"], "there is no file or folder x"),
        (["arn:aws:iam::111111111111:role/a", "--from", "s3://"], "names no bucket"),
        (["arn:aws:iam::111111111111:role/a", "--from", "x", "--own-accounts", "1" * 12], "goes with --all-outsiders"),
        (["arn:aws:iam::111111111111:role/a", "--from", "x", "--since", "soon"], "is not a date"),
        (["arn:aws:iam::111111111111:role/a", "--from", "x", "--since", "2026-11-03T10:00"], "has no time zone"),
        (["arn:aws:iam::111111111111:role/a", "--from", "x", "--since", "2026-11-03", "--until", "2026-11-02"],
         "--since is not before --until"),
        (["arn:aws:iam::111111111111:role/a", "--from", "x", "--since", "9999-01-01"], "is in the future"),
        (["arn:aws:iam::111111111111:role/a", "--from", "x", "--workgroup", "w"], "--workgroup goes with"),
        (["arn:aws:iam::111111111111:role/a", "--from", "x", "--print"], "--print goes with --engine athena"),
        (["arn:aws:iam::111111111111:role/a", "--from", "x", "--engine", "athena"], "Athena reads a trail in S3"),
        (["arn:aws:iam::111111111111:role/a", "--from", "s3://abc", "--engine", "athena"], "needs --workgroup"),
        (["arn:aws:iam::111111111111:role/a", "--from", "lookup-events", "--engine", "duckdb"], "without an engine"),
        (["--all-outsiders", "--from", "s3://abc", "--engine", "athena", "--print"], "--own-accounts"),
    ],
)  # fmt: skip
def test_words_that_make_no_sense(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["activity", *words]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("drift", [(), ("something",)])
def test_the_terms_of_a_grant_are_what_is_judged_by(monkeypatch: pytest.MonkeyPatch, account: Any, drift: Any) -> None:
    owner, contractor = account(), account()
    terms = Terms(contractor=contractor, external_id="abc-123", only=(f"arn:aws:iam::{contractor}:user/team/carol",))
    standing = SimpleNamespace(
        role=SimpleNamespace(account=owner, name="audit", arn=f"arn:aws:iam::{owner}:role/partners/audit"),
        record=SimpleNamespace(contractor=contractor, until=AT, changes=()),
        sessions_deny=None,
        terms=terms,
        drift=drift,
    )
    monkeypatch.setattr("valetkey.cli._owning.find_grant", lambda perform, name: (None, standing))
    monkeypatch.setattr(OwnerAccount, "connect", lambda self: None)
    asked = _activity.asked("audit", False, None, OwnerAccount())
    assert asked.terms == {(owner, "audit"): Expected(people=("carol",), until=AT, mfa=not drift)}
    assert (asked.accounts, asked.arns) == ({owner, contractor}, (standing.role.arn,))
    assert asked.wanted.roles == {(owner, "audit")}


def test_regions_that_cannot_be_listed_are_not_passed_over(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], account: Any
) -> None:
    owner = account()

    def connect(*, profile: str | None, region: str | None) -> Any:
        def perform(call: Call, /) -> dict[str, Any]:
            if call.service == "sts":
                return {"Account": owner, "Arn": f"arn:aws:iam::{owner}:user/admin"}
            if call.service == "ec2" or region == "eu-west-1":
                raise CallError(call, "UnauthorizedOperation", "no")
            return {"Events": []}

        return perform

    monkeypatch.setattr("valetkey.aws.connect", connect)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    words = ["activity", f"arn:aws:iam::{owner}:role/audit", "--from", "lookup-events"]
    assert run(words) == 1
    assert "Not read: all regions but us-east-1: ec2:DescribeRegions failed" in capsys.readouterr().out
    assert run([*words, "--region", "eu-west-1"]) == 3
    assert "no region could be read" in capsys.readouterr().err


def test_the_event_history_of_another_account_is_no_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], account: Any
) -> None:
    owner, here = account(), account()

    def connect(*, profile: str | None, region: str | None) -> Any:
        who = {"Account": here, "Arn": f"arn:aws:iam::{here}:user/admin"}
        return lambda call: who if call.service == "sts" else {"Events": []}

    monkeypatch.setattr("valetkey.aws.connect", connect)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    words = ["activity", f"arn:aws:iam::{owner}:role/audit", "--from", "lookup-events", "--region", "us-east-1"]
    assert run(words) == 1
    assert f"Not read: account {owner}: the credentials are of account {here}" in capsys.readouterr().out


def test_the_default_span_of_each_source() -> None:
    from valetkey.cli._activity import span

    now = datetime(2026, 11, 29, tzinfo=UTC)
    assert span(None, None, "folder", now=now).since is None
    assert span(None, None, "s3://bucket", now=now).since == now - timedelta(days=7)
    assert span(None, None, "lookup-events", now=now).since == now - timedelta(days=90)
    assert span("2026-11-03", "1d", "s3://bucket", now=now).until == now - timedelta(days=1)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\\x09=1"),
        (" =1", "' =1"),
        ("a=1", "a=1"),
        ("two\nlines", "two\\x0alines"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("198.51.100.7; =1", "198.51.100.7; '=1"),
        (";@a", ";'@a"),
        ("", ""),
    ],
)
def test_no_cell_is_a_formula(cell: str, said: str) -> None:
    assert safe(cell) == said


def test_names_from_the_trail_are_no_markup_and_no_formula(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], account: Any
) -> None:
    maker = Maker(account(), account())
    hostile = {**maker.identity("=cmd()", AT, "ASIA1")}
    record = maker.record(AT, "iam", "DeleteUser", hostile, requestParameters={"userName": "\x1b[2J[red]"})
    (tmp_path / "a.json").write_bytes(trail([record]))
    assert run(["activity", maker.role, "--from", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert run(["activity", maker.role, "--from", str(tmp_path), "--format", "csv"]) == 0
    [row] = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert row["person"] == "'=cmd()"


def test_the_table_names_the_first_event_of_each_flag(home: Any, capsys: pytest.CaptureFixture[str]) -> None:
    folder, truth = home
    words = ["activity", truth.role, "--from", str(folder)]
    assert run([*words, "--format", "csv"]) == 0
    rows = {item["id"]: item for item in csv.DictReader(io.StringIO(capsys.readouterr().out))}
    assert run([*words, "--json"]) == 0
    sessions = json.loads(capsys.readouterr().out)["sessions"]
    assert any(len(session["flags"]) > 1 for session in sessions)
    for session in sessions:
        expected = dict.fromkeys(f"{flag['code']} {flag['events'][0]}" for flag in session["flags"])
        assert rows[session["id"]]["flag_events"] == "; ".join(expected)


def test_a_folder_needs_neither_boto3_nor_credentials(home: Any) -> None:
    code = (
        "import sys; from valetkey.cli._run import run; "
        "code = run(sys.argv[1:]); print(code, 'boto3' in sys.modules, 'botocore' in sys.modules, file=sys.stderr)"
    )
    words = ["activity", home[1].role, "--from", str(home[0]), "--format", "csv"]
    ran = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True, timeout=30)
    assert ran.stderr.split() == ["0", "False", "False"]


def test_a_grant_s_suspensions_are_what_its_calls_are_judged_by() -> None:
    since, again = datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 10, tzinfo=UTC)

    def standing(*changes: str, deny: SessionsDeny | None) -> Any:
        role = SimpleNamespace(name="audit", account="111111111111", arn="arn:aws:iam::111111111111:role/audit")
        record = SimpleNamespace(contractor="222222222222", until=None, changes=changes)
        return SimpleNamespace(role=role, record=record, terms=None, drift=(), sessions_deny=deny)

    past = ("2026-11-04T00:00:00Z user/o resumed", "2026-11-02T00:00:00Z user/o suspended")
    ended = (since, datetime(2026, 11, 4, tzinfo=UTC))
    assert _activity.expected(standing(deny=None)).suspended == ()
    assert _activity.expected(standing(*past, deny=SessionsDeny(before=ended[1]))).suspended == (ended,)
    now = standing("2026-11-10T00:00:00Z user/o suspended", *past, deny=SessionsDeny(since=again))
    assert _activity.expected(now).suspended == (ended, (again, None))
    # Ended by itself; moved while it ran; and lines that nobody can read or that the role does not bear out.
    until = "suspended until 2026-11-05T00:00:00Z"
    moved = standing(f"2026-11-03T00:00:00Z user/o {until}", past[1], deny=None)
    assert _activity.expected(moved).suspended == ((since, datetime(2026, 11, 5, tzinfo=UTC)),)
    assert _activity.expected(standing("nonsense", past[1], deny=None)).suspended == ()
