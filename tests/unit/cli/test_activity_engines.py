"""`valetkey activity --engine`: what is asked, what is printed, and that nothing runs without a yes."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
import sqlglot
from tests.trails.generate import ORGANIZATION, REGIONS, generate
from tests.unit.activity.test_engines import PLACE, FakeAthena

from valetkey.activity.engines.athena import own_table
from valetkey.cli._options import OwnerAccount
from valetkey.cli._run import run


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("trail")
    return folder, generate(folder)


@pytest.fixture
def athena(home: Any, monkeypatch: pytest.MonkeyPatch) -> FakeAthena:
    fake = FakeAthena(home[0], own_table("default", "valetkey_trail", PLACE, REGIONS))
    fake.table = None
    monkeypatch.setattr(OwnerAccount, "connect", lambda self: fake)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    return fake


def words(home: Any, *more: str) -> list[str]:
    place = f"s3://my-trail/logs/AWSLogs/{ORGANIZATION}"
    return ["activity", home[1].role, "--from", place, "--since", "2026-11-02", "--until", "2026-11-17", "--engine",
            "athena", *more]  # fmt: skip


def test_duckdb_prints_what_the_built_in_engine_prints(home: Any, capsys: pytest.CaptureFixture[str]) -> None:
    folder, truth = home
    answers = []
    for engine in ("built-in", "duckdb"):
        assert run(["activity", truth.role, "--from", str(folder), "--engine", engine, "--json"]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    assert answers[0]["sessions"] == answers[1]["sessions"] != []


def test_print_prints_texts_and_asks_nothing(home: Any, capsys: pytest.CaptureFixture[str], athena: FakeAthena) -> None:
    assert run(words(home, "--print", "--table", "audit.trail")) == 0
    texts = [item for item in sqlglot.parse(capsys.readouterr().out, dialect="athena") if item is not None]
    assert [type(text).__name__ for text in texts] == ["Create", "Select"]
    assert athena.calls == []


def test_no_table_is_made_by_itself(home: Any, capsys: pytest.CaptureFixture[str], athena: FakeAthena) -> None:
    assert run(words(home, "--workgroup", "main", "--yes")) == 2
    assert "--create-table" in capsys.readouterr().err
    assert run(words(home, "--workgroup", "main", "--create-table")) == 2
    said = capsys.readouterr().err
    assert "CREATE EXTERNAL TABLE" in said
    assert "--yes" in said
    assert athena.queries == []


def test_the_bytes_are_said_before_a_query(home: Any, capsys: pytest.CaptureFixture[str], athena: FakeAthena) -> None:
    athena.table = own_table("default", "valetkey_trail", PLACE, REGIONS)
    assert run(words(home, "--workgroup", "main")) == 2
    said = capsys.readouterr().err
    owners = [key for key in athena.s3.keys if "/111111111111/" in key]
    assert f"Athena will scan 0.2 MB in {len(owners)} files." in said
    assert athena.queries == []


def test_the_answer_is_read_back(
    home: Any, capsys: pytest.CaptureFixture[str], athena: FakeAthena, tmp_path: pathlib.Path
) -> None:
    assert run(words(home, "--workgroup", "main", "--create-table", "--yes", "--json")) == 0
    answered = capsys.readouterr()
    assert athena.queries[0].startswith("CREATE EXTERNAL TABLE")
    assert "Athena scanned" in answered.err
    assert run(["activity", home[1].role, "--from", str(home[0]), "--json"]) == 0
    expected = json.loads(capsys.readouterr().out)
    assert json.loads(answered.out)["sessions"] == expected["sessions"] != []
