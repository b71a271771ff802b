"""The question for a code: on the terminal alone, with an end, and never from the background."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pexpect
import pytest

ASK = """
import sys
from valetkey.cli._terminal import asker
from valetkey.errors import ValetkeyError
try:
    print("answer", asker("acme")(sys.argv[1], seconds=float(sys.argv[2]), again=sys.argv[3]))
except ValetkeyError as problem:
    print("problem", type(problem).__name__, problem)
"""


def ask(device: str = "arn:aws:iam::123456789012:mfa/ann", seconds: float = 20, again: str = "") -> pexpect.spawn:
    words = ["-c", ASK, device, str(seconds), again]
    return pexpect.spawn(sys.executable, words, encoding="utf-8", timeout=20, dimensions=(24, 200))


def test_asks_until_it_is_six_digits() -> None:
    child = ask()
    for answer in ("12345", "abcdef", "\uff11\uff12\uff13\uff14\uff15\uff16"):
        child.expect(r"MFA code for arn:aws:iam::123456789012:mfa/ann \(valetkey, acme\): $")
        child.sendline(answer)
        child.expect("a code is 6 digits")
    child.expect(": $")
    child.sendline(" 123 456 ")
    child.expect("answer 123456")


def test_a_raw_terminal_ends_its_lines_otherwise() -> None:
    """As under a full-screen program that calls an SDK."""
    raw = "import os, sys, tty; tty.setraw(0); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    words = ["-c", raw, "-c", ASK, "device", "20", ""]
    child = pexpect.spawn(sys.executable, words, encoding="utf-8", timeout=10)
    child.expect(": $")
    child.send("123456\r")
    child.expect("answer 123456")


SECRET = """
import sys
from valetkey.cli._terminal import secret
from valetkey.errors import ValetkeyError
try:
    print("answer", secret("Seed: ", seconds=float(sys.argv[1]))[::-1])
except ValetkeyError as problem:
    print("problem", type(problem).__name__, problem)
"""


@pytest.mark.parametrize(
    ("typed", "seconds", "says"),
    [
        ("HUSH\n", 20, "answer HSUH"),
        ("\n", 20, "problem Dismissed nothing was typed"),
        ("\x04", 20, "problem Dismissed nothing was typed"),
        ("", 0.1, "problem Dismissed nothing was typed in time"),
    ],
)
def test_a_secret_is_not_shown_and_the_terminal_is_as_before(typed: str, seconds: float, says: str) -> None:
    child = pexpect.spawn(sys.executable, ["-c", SECRET, str(seconds)], encoding="utf-8", timeout=20)
    child.delaybeforesend = None
    child.expect("Seed: ")
    child.send(typed)
    child.expect(says)
    assert "HUSH" not in child.before
    child.expect(pexpect.EOF)
    shell = pexpect.spawn("/bin/sh", ["-c", f'"{sys.executable}" -c "$S" 20; stty -a'], env={**os.environ, "S": SECRET})
    shell.expect("Seed: ")
    shell.send("\x04")
    shell.expect(r"\secho\s")


def test_without_a_terminal_no_secret_is_asked_for() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SECRET, "20"], capture_output=True, text=True, start_new_session=True, timeout=20
    )
    assert "problem NoTerminal this needs typed input, and there is no terminal" in done.stdout


def test_says_why_it_asks_again() -> None:
    child = ask(again="that one was used")
    child.expect("that one was used\r\nMFA code for")


@pytest.mark.parametrize(("typed", "says"), [("\n", "no MFA code was given"), ("\x04", "no MFA code was given")])
def test_an_empty_answer_or_end_of_input_dismisses(typed: str, says: str) -> None:
    child = ask()
    child.expect(": $")
    child.send(typed)
    child.expect(f"problem Dismissed {says}")


def test_it_has_an_end() -> None:
    child = ask(seconds=0.3)
    child.expect("problem Dismissed no MFA code was given within 0 seconds")


def test_half_a_line_does_not_keep_it_waiting() -> None:
    child = ask(seconds=0.5)
    child.expect(": $")
    child.send("123")
    child.expect("problem Dismissed")


def test_ctrl_c_interrupts() -> None:
    child = ask()
    child.expect(": $")
    child.sendintr()
    child.expect("KeyboardInterrupt")


def test_a_device_cannot_move_the_cursor() -> None:
    child = ask(device="x\x1b[2J\u202ey")
    child.expect(r"MFA code for x\\x1b\[2J\\u202ey")


def test_without_a_terminal_it_fails_at_once_and_reads_no_stream() -> None:
    done: Any = subprocess.run(
        [sys.executable, "-c", ASK, "device", "20", ""],
        input="123456\n",
        capture_output=True,
        text=True,
        timeout=20,
        start_new_session=True,
    )
    assert done.stdout.startswith("problem NoTerminal there is no terminal")
    assert "valetkey login acme" in done.stdout


def test_in_the_background_it_fails_instead_of_being_stopped() -> None:
    script = f'set -m; "{sys.executable}" -c "$ASK" device 20 "" & wait $!; echo done'
    child = pexpect.spawn("/bin/bash", ["-c", script], env={**os.environ, "ASK": ASK}, encoding="utf-8", timeout=20)
    child.expect("problem NoTerminal this runs in the background")
    child.expect("done")
