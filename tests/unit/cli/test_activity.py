"""`valetkey activity` on a folder: words, formats and exit codes. Nothing is asked of AWS."""

from __future__ import annotations

import csv
import io
import json
import pathlib
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.trails.generate import generate
from tests.trails.records import Maker, trail

from valetkey.cli._run import run
from valetkey.report.activity_data import safe

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
    rows = whole["sessions"] if by == "session" else whole["lines"]
    assert rows
    assert run([*words, "--format", "ndjson"]) == 0
    lines = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
    assert [{key: value for key, value in each.items() if key != "type"} for each in lines[:-1]] == rows
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
    ],
)  # fmt: skip
def test_words_that_make_no_sense(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["activity", *words]) == 2
    assert said in capsys.readouterr().err


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


def test_a_folder_needs_neither_boto3_nor_credentials(home: Any) -> None:
    code = (
        "import sys; from valetkey.cli._run import run; "
        "code = run(sys.argv[1:]); print(code, 'boto3' in sys.modules, 'botocore' in sys.modules, file=sys.stderr)"
    )
    words = ["activity", home[1].role, "--from", str(home[0]), "--format", "csv"]
    ran = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True, timeout=30)
    assert ran.stderr.split() == ["0", "False", "False"]
