"""Lines that say whose they are."""

from __future__ import annotations

import io
import sys

import pytest

from valetkey.errors import ValetkeyError
from valetkey.report.many import Ran, labelled, say_ran


def test_no_line_passes_for_another_customers(capsys: pytest.CaptureFixture[str]) -> None:
    show = labelled(["acme", "globex"])
    show("acme", "one\ttwo", False)
    show("acme", "\x1b[1A\rglobex | all well", False)
    show("acme", "a\u2028globex | b\nglobex | c", False)
    show("globex", "oh", True)
    out, err = capsys.readouterr()
    assert out == (
        "acme   | one\ttwo\nacme   | \\x1b[1A\\x0dglobex | all well\nacme   | a\\u2028globex | b\\x0aglobex | c\n"
    )
    assert err == "globex | oh\n"


def test_a_reader_that_went_away_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Gone())
    labelled(["acme"])("acme", "x", False)


def test_the_summary_names_what_did_not_go_well(capsys: pytest.CaptureFixture[str]) -> None:
    say_ran([Ran("a", 0), Ran("b", 0)], ["a", "b"])
    assert capsys.readouterr() == ("", "")
    say_ran([Ran("a", 0), Ran("bb", 3), Ran("c", None, ValetkeyError("no way in", do="verify"))], ["a", "bb", "c", "d"])
    assert capsys.readouterr().err == (
        "c  | valetkey: no way in\nc  |   do: verify\nvaletkey: 3 of 4 failed: bb (3), c (not started), d (not begun)\n"
    )
