"""The table of facts about AWS is machine-readable, and the check of its dates can fail."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools" / "facts.py"
PAGE = ROOT / "docs" / "aws-facts.md"
HEAD = "| no | fact | state | read | source | valetkey |\n| --- | --- | --- | --- | --- | --- |\n"
AWS = "[a page](https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html)"
GOOD = f"| H1 | it is so | documented | 2026-11-01 | {AWS} | the proof |\n"


def load() -> Any:
    spec = importlib.util.spec_from_file_location("facts", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["facts"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


tool = load()


def test_the_table_is_sound_and_has_what_it_must_have() -> None:
    result = tool.facts(PAGE.read_text())
    numbers = {item.no for item in result}
    assert {f"W{n}" for n in range(1, 16)} | {f"U{n}" for n in range(1, 12)} <= numbers
    assert {item.state for item in result} == set(tool.STATES)
    assert all(item.read >= date(2026, 1, 1) for item in result)
    # Every line of a table is read: none is skipped because of its format.
    lines = [line for line in PAGE.read_text().splitlines() if re.match(r"\| [WHU][0-9]", line)]
    assert len(lines) == len(result)


def named() -> Iterator[tuple[str, str]]:
    for folder, kind in (("src", "*.py"), ("docs", "*.md"), ("tests", "*.py")):
        for path in (ROOT / folder).rglob(kind):
            if "node_modules" not in path.parts and path != Path(__file__):
                for number in re.findall(r"\bfacts? ([WHU][0-9]+[a-z]?)\b", path.read_text(encoding="utf-8")):
                    yield number, str(path)


def test_a_fact_that_is_named_is_in_the_table() -> None:
    numbers = {fact.no for fact in tool.facts(PAGE.read_text())}
    result = list(named())
    assert {"U1", "U2", "W9", "W12"} <= {number for number, _ in result}
    assert [item for item in result if item[0] not in numbers] == []


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (GOOD.replace("documented", "believed"), "a fact is documented, measured, undocumented"),
        (GOOD.replace("documented", "undocumented"), "U stands for"),
        (GOOD.replace("H1", "U1"), "U stands for"),
        (GOOD.replace("H1", "X1"), "not a number"),
        (GOOD.replace("2026-11-01", "November"), "not a date"),
        (GOOD.replace("2026-11-01", "20261101"), "not a date"),
        (GOOD.replace("2026-11-01", "2026-02-30"), "no such day"),
        (GOOD.replace(AWS, "everybody knows"), "names no source"),
        (GOOD.replace("https:", "http:"), "names no source"),
        (GOOD.replace("docs.aws.amazon.com", "docs.aws.amazon.com.example"), "no source is a page of AWS"),
        (GOOD.replace("docs.aws.amazon.com", "blog.example"), "no source is a page of AWS"),
        (GOOD.replace("the proof", ""), "none of them empty"),
        (GOOD.replace(" | the proof", ""), "6 columns"),
        (GOOD * 2, "given twice: H1"),
    ],
)
def test_a_row_that_breaks_the_rules_is_refused(row: str, says: str) -> None:
    with pytest.raises(tool.Wrong, match=re.escape(says)):
        tool.facts(HEAD + row)
    assert tool.facts(HEAD + GOOD)


def check(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(TOOL), *words], capture_output=True, text=True, timeout=20)


def test_a_release_checks_the_dates(tmp_path: Path) -> None:
    page = tmp_path / "facts.md"
    row = "| {no} | x | {state} | {read} | {source} | y |\n"
    old = GOOD.replace("H1", "H2").replace("2026-11-01", "2026-05-01")
    # Measured and undocumented facts need no new reading: there is no page that could have changed.
    rest = row.format(no="U1", state="undocumented", read="2020-01-01", source=AWS)
    rest += row.format(no="W1", state="measured", read="2020-01-01", source="[somebody](https://blog.example/x)")
    page.write_text(HEAD + GOOD + old + rest)
    assert check("--today", "2026-11-28", "--days", "300", str(page)).returncode == 0
    failed = check("--today", "2026-11-28", "--days", "180", str(page))
    assert failed.returncode == 1
    assert "H2, read 2026-05-01: read again: https://docs.aws.amazon.com/IAM/" in failed.stderr
    assert "H1" not in failed.stderr
    # The last day counts; a reading date in the future does not.
    assert check("--today", "2026-10-28", "--days", "180", str(page)).returncode == 1
    page.write_text(HEAD + GOOD)
    assert check("--today", "2026-11-11", "--days", "10", str(page)).returncode == 0
    assert check("--today", "2026-11-12", "--days", "10", str(page)).returncode == 1
    assert check("--today", "2026-10-31", "--days", "10", str(page)).returncode == 1
    page.write_text("no table")
    assert check("--today", "2026-11-28", str(page)).returncode == 1
    assert check("--days", "10", str(page)).returncode == 2  # the date is given, never taken from this computer


def test_every_documented_fact_was_read_within_half_a_year_of_the_newest_reading() -> None:
    result = tool.facts(PAGE.read_text())
    newest = max(item.read for item in result)
    assert tool.stale(result, today=newest, days=180) == ()
    assert tool.stale(result, today=newest + timedelta(days=181), days=180)
