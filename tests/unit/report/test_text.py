"""Text from outside reaches a terminal as text."""

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from valetkey.errors import ValetkeyError
from valetkey.report import problem as report_problem
from valetkey.report.text import clean, json_text, mask, say_table

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("abc\u202edef", "abc\\u202edef"),
        ("a\rb", "a\\x0db"),
        ("\U000e0041", "\\U000e0041"),
        ("a\u2028b", "a\\u2028b"),
        ("two\n\tlines", "two\n\tlines"),
        ("Zoë 東京", "Zoë 東京"),
    ],
)
def test_control_characters_become_visible(text, shown):
    assert clean(text) == shown


@given(st.text())
def test_nothing_unsafe_survives(text):
    assert not [c for c in clean(text) if c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")]


def test_a_table_shows_markup_as_text(capsys):
    say_table(["name"], [["[red]x[/red] :smile:\x1b[2J\nnext"]])
    out = capsys.readouterr().out
    assert "[red]x[/red] :smile:\\x1b[2J\\x0anext" in out
    assert "\x1b" not in out


def test_a_problem_has_at_most_three_lines(capsys):
    report_problem.say_problem(ValetkeyError("it is wrong", where="f.json: $.a", do="mend it"))
    assert capsys.readouterr().err == "valetkey: it is wrong\n  at: f.json: $.a\n  do: mend it\n"


def test_mask_shows_enough_to_compare_and_not_to_copy():
    assert mask(None) == "none"
    assert mask("short") == "…"
    assert mask("vk-0123456789") == "vk-0…"


@given(values)
@example(["\x00\x1f\x7f\x80…‮\U0001f600\u2028", {"\x7f é": 1.5, "": [], "x": {}}, None, True, 10**12, "\ud800"])
@example({})
def test_json_is_what_the_standard_library_writes(value: Any) -> None:
    assert json_text(value) == json.dumps(value, indent=2)


def test_on_a_pipe_a_row_is_one_line(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("FORCE_COLOR", "1")
    long = "no word of this cell is broken or moved " * 10
    say_table(
        ("name", "says"), [("acme", long), ("globex", "short")], title="A title that is longer than the table " * 3
    )
    lines = [line for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert len(lines) == 5  # the title, the columns, the rule, two rows
    assert any("acme" in line and long.strip() in line for line in lines)
    assert all(line == line.rstrip() and "\\x1b" not in line for line in lines)
