"""Consent: the terminal itself is asked, only a yes is a yes, and every end that is none changes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

import pexpect
import pytest

from valetkey.cli import _questions, _terminal
from valetkey.errors import ValetkeyError

SCRIPT = """
import sys, time
from valetkey.cli import _questions as questions
from valetkey.errors import ValetkeyError
questions.ANSWER_LIMIT = float(sys.argv[1])
time.sleep(float(sys.argv[2]))
try:
    questions.consent("Sure?", yes=False, about=["what it is \x1b[31mabout"])
    print("agreed")
except ValetkeyError as problem:
    print("problem", problem.exit_code, problem)
"""


def person(redirect: str = "", *, limit: float = 20, late: float = 0) -> pexpect.spawn:
    """The question, asked by a process whose streams go where `redirect` says, but whose terminal is ours."""
    line = f'exec "$PYTHON" -c "$SCRIPT" {limit} {late} {redirect}'
    env = {**os.environ, "SCRIPT": SCRIPT, "PYTHON": sys.executable}
    return pexpect.spawn("/bin/sh", ["-c", line], env=env, encoding="utf-8", timeout=20, dimensions=(24, 200))


@pytest.mark.parametrize("redirect", ["", "</dev/null", "2>/dev/null", "</dev/null 2>/dev/null", "2>&1 </dev/null"])
@pytest.mark.parametrize(("typed", "says"), [("y", "agreed"), ("YES", "agreed"), ("n", "problem 1")])
def test_the_terminal_is_asked_wherever_the_streams_go(redirect: str, typed: str, says: str) -> None:
    child = person(redirect)
    child.expect(r"Sure\? \[y/N\] $")
    child.sendline(typed)
    child.expect(says)
    child.expect(pexpect.EOF)


@pytest.mark.parametrize("typed", ["", "yy", "ye", "sure", " no", "\x04", "1", "y\u0430"])
def test_only_a_yes_is_a_yes(typed: str) -> None:
    child = person()
    child.expect(r"\[y/N\] $")
    if typed == "\x04":
        child.sendeof()
    else:
        child.sendline(typed)
    child.expect("problem 1 .*nothing was changed")


def test_an_interrupt_changes_nothing_and_says_so() -> None:
    child = person()
    child.expect(r"\[y/N\] $")
    child.sendintr()
    child.expect("problem 130 interrupted at the question: nothing was changed")


def test_silence_is_a_no() -> None:
    child = person(limit=0.5)
    child.expect(r"\[y/N\] $")
    child.expect("problem 1 no answer was given within 0 seconds: nothing was changed", timeout=10)


def test_what_was_typed_before_the_question_is_no_answer_to_it() -> None:
    child = person(late=1, limit=1)
    child.sendline("y")
    child.expect(r"\[y/N\] $")
    child.expect("problem 1")


def test_what_it_is_about_is_shown_where_stderr_goes_elsewhere() -> None:
    child = person("2>/dev/null")
    child.expect(r"\[y/N\] $")
    assert "what it is \\x1b[31mabout" in child.before
    child.sendline("n")
    seen = person()
    seen.expect(r"\[y/N\] $")
    assert "about" not in seen.before
    seen.sendline("n")


def run(words: list[str], **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=30, **options)  # type: ignore[call-overload,no-any-return]


def test_without_a_terminal_nobody_is_asked() -> None:
    done = run([sys.executable, "-c", SCRIPT, "20", "0"], stdin=subprocess.DEVNULL, start_new_session=True)
    assert "problem 2" in done.stdout
    assert "--yes" in done.stdout
    assert "nothing was changed" in done.stdout


def test_from_the_background_nobody_is_asked_and_nothing_stops() -> None:
    script = 'set -m; "$PYTHON" -c "$SCRIPT" 20 0 & wait $!; echo ended $?'
    env = {**os.environ, "SCRIPT": SCRIPT, "PYTHON": sys.executable}
    child = pexpect.spawn("/bin/bash", ["-c", script], env=env, encoding="utf-8", timeout=20)
    child.expect("problem 2")
    child.expect("ended 0")


def test_yes_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> str:
        raise AssertionError("somebody was asked")

    monkeypatch.setattr(_terminal, "line", never)
    monkeypatch.setattr(_terminal, "is_there", lambda: False)
    _questions.need_somebody(yes=True)
    _questions.consent("Sure?", yes=True)
    with pytest.raises(_questions.NobodyToAsk):
        _questions.need_somebody(yes=False)


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    monkeypatch.setattr(_terminal, "is_there", lambda: True)
    return lambda text: monkeypatch.setattr(_terminal, "line", lambda *_, **__: text)


@pytest.mark.parametrize(
    ("typed", "device"),
    [("2", "two"), ("1", "one"), ("0", None), ("3", None), ("", None), ("\u00b2", None), ("x", None)],
)
def test_a_device_is_chosen_by_its_number(typing: Callable[[str], None], typed: str, device: str | None) -> None:
    typing(typed)
    assert _questions.choose_device(["one", "two"]) == device


def test_a_name_is_typed_whole(typing: Callable[[str], None]) -> None:
    for typed, is_it in (("audit", True), ("Audit", False), ("", False), ("y", False)):
        typing(typed)
        assert _questions.types_name("audit", "Type audit: ", otherwise="kept") is is_it


def test_a_terminal_that_goes_away_is_no_answer() -> None:
    child = person()
    child.expect(r"\[y/N\] $")
    began = time.monotonic()
    child.close(force=False)
    assert time.monotonic() - began < 15  # it does not hang; it is a tenth of a second as a rule
    assert not child.isalive()


def test_every_problem_of_a_question_says_what_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_terminal, "_TTY", "/nowhere/tty")
    with pytest.raises(ValetkeyError, match="nothing was changed"):
        _questions.answer("Name? ")
