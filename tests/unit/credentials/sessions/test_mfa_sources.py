"""Where codes come from: the first source that can, and none that hangs, leaks or repeats itself."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from valetkey.credentials.sessions import pinentry
from valetkey.credentials.sessions.mfa_sources import command, first_of, given, seed
from valetkey.credentials.sessions.pinentry import Pinentry, find_program
from valetkey.credentials.sessions.protocols import Dismissed, NoTerminal
from valetkey.credentials.sessions.totp import code_at, read_seed
from valetkey.credentials.sessions.vault import NoKeyring
from valetkey.errors import ValetkeyError

DEVICE = "arn:aws:iam::123456789012:mfa/ann"
# RFC 6238, appendix B: the SHA-1 seed and the last six digits of its codes.
RFC = base64.b32encode(b"12345678901234567890").decode()


class Time:
    def __init__(self, now: float = 1_777_636_800 + 10) -> None:
        self.now = now
        self.slept: list[float] = []

    def clock(self) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=self.now)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.mark.parametrize(
    ("when", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_codes_are_those_of_the_rfc(when: int, code: str) -> None:
    assert code_at(RFC, when) == code


def test_a_seed_is_read_as_people_have_it() -> None:
    for text in (
        RFC,
        f"  {RFC.lower()}\n",
        " ".join(RFC[i : i + 4] for i in range(0, len(RFC), 4)),
        f"otpauth://totp/Amazon%20Web%20Services:ann@123?secret={RFC}&issuer=Amazon%20Web%20Services",
        f"OTPAUTH://totp/x?secret={RFC}&algorithm=SHA1&digits=6&period=30",
    ):
        assert read_seed(text) == RFC
    # 64 characters are what AWS shows.
    assert read_seed("A" * 64) == "A" * 64


@pytest.mark.parametrize(
    "text",
    [
        "",
        "123456",
        "hunter2-hunter2!",
        "AAAA",
        f"otpauth://hotp/x?secret={RFC}",
        f"otpauth://totp/x?secret={RFC}&digits=8",
    ],
)
def test_what_is_no_seed_is_told_and_not_repeated(text: str) -> None:
    with pytest.raises(ValetkeyError) as caught:
        read_seed(text)
    assert not text or text not in str(caught.value)


def test_a_seed_gives_the_code_and_waits_for_the_next_one() -> None:
    it = Time()
    ask = seed(lambda device: RFC if device == DEVICE else None, clock=it.clock, sleep=it.sleep)
    first = ask(DEVICE, seconds=40)
    assert first == code_at(RFC, it.now)
    assert ask(DEVICE, seconds=40) == first
    second = ask(DEVICE, seconds=40, again="used")
    assert second == code_at(RFC, it.now) != first
    assert it.slept == [pytest.approx(20.2)]
    with pytest.raises(Dismissed, match="comes too late"):
        ask(DEVICE, seconds=5, again="used")
    with pytest.raises(NoTerminal):
        ask("other", seconds=40)


def test_without_a_keyring_there_is_no_seed() -> None:
    def locked(device: str) -> str:
        raise NoKeyring("the keyring did not answer")

    with pytest.raises(NoTerminal):
        seed(locked, clock=Time().clock, sleep=Time().sleep)(DEVICE, seconds=40)


def test_a_given_code_is_given_once() -> None:
    ask = given("123456")
    assert ask(DEVICE, seconds=1) == "123456"
    with pytest.raises(Dismissed, match="given MFA code"):
        ask(DEVICE, seconds=1, again="used")


def test_the_first_source_that_can_is_asked_and_a_dismissal_ends_it() -> None:
    def nobody(device: str, /, *, seconds: float, again: str = "") -> str:
        raise NoTerminal("no terminal", do="run `valetkey login`")

    def no_seed(device: str, /, *, seconds: float, again: str = "") -> str:
        raise NoTerminal("no seed")

    def dismissed(device: str, /, *, seconds: float, again: str = "") -> str:
        raise Dismissed("closed")

    assert first_of([no_seed, nobody, given("123456"), dismissed])(DEVICE, seconds=1) == "123456"
    with pytest.raises(Dismissed):
        first_of([nobody, dismissed, given("123456")])(DEVICE, seconds=1)
    # What to do is what is said.
    with pytest.raises(NoTerminal, match="run `valetkey login`"):
        first_of([no_seed, nobody, no_seed])(DEVICE, seconds=1)


def run(line: str, *, seconds: float = 20, again: str = "", it: Time | None = None) -> str:
    it = it or Time()
    return command(line, clock=it.clock, sleep=it.sleep)(DEVICE, seconds=seconds, again=again)


def test_a_commands_first_line_is_the_code() -> None:
    assert run("echo 123456") == "123456"
    assert run("printf '123 456'") == "123456"
    assert run(f"{sys.executable} -c 'print(123456)'") == "123456"
    it = Time()
    assert run("echo 123456", seconds=30, again="used", it=it) == "123456"
    assert it.slept == [pytest.approx(20.2)]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("false", "ended with 1"),
        ("sh -c 'echo 123456; kill -TERM $$'", "ended with -15"),
        ("/nonexistent/op item get", "cannot be run"),
        ("echo 'open", "cannot be run"),
        ("echo hush-1234567", "something else than six digits"),
        ("printf '123456\n654321'", "something else than six digits"),
        ("echo $(echo 123456)", "something else than six digits"),
        ("cat", "something else than six digits"),
    ],
)
def test_a_command_that_fails_is_told_without_what_it_printed(line: str, says: str) -> None:
    with pytest.raises(Dismissed, match=says) as caught:
        run(line)
    assert "hush" not in str(caught.value)


def test_a_command_has_an_end() -> None:
    begun = time.monotonic()
    with pytest.raises(Dismissed, match="did not end in time"):
        run("sleep 50", seconds=0.1)
    assert time.monotonic() - begun < 30  # it does not hang; it is a second at most as a rule


# --- pinentry: a program that speaks the protocol and notes what it is told -------------------------------------------

FAKE = """#!{python} -u
import os, sys, time
log = open({log!r}, "a")
mode = {mode!r}
open({log!r}[:-3] + "pid", "w").write(str(os.getpid()))
log.write("args " + " ".join(sys.argv[1:]) + "\\n")
if mode == "dies": sys.exit(1)
print("OK Pleased to meet you")
for line in sys.stdin:
    log.write(line)
    log.flush()
    if line.startswith("GETPIN"):
        if mode == "cancel": print("ERR 83886179 Operation cancelled <Pinentry>"); continue
        if mode == "timeout": print("ERR 83886142 Timeout <Pinentry>"); continue
        if mode == "curses": print("ERR 83918950 Inappropriate ioctl for device <Pinentry>"); continue
        if mode == "hangs": time.sleep(50)
        if mode == "empty": print("OK"); continue
        print("D " + ("12345%36" if mode == "code" else "hush%0A"))
    print("OK")
"""


@pytest.fixture
def pin(tmp_path: pathlib.Path, home: pathlib.Path):
    def make(mode: str) -> tuple[Pinentry, pathlib.Path]:
        program, log = tmp_path / "pinentry-fake", tmp_path / "log"
        program.write_text(FAKE.format(python=sys.executable, log=str(log), mode=mode))
        program.chmod(0o755)
        env = {"HOME": str(home), "PATH": os.environ["PATH"], "VALETKEY_PINENTRY": str(program)}
        return Pinentry("valetkey, acme", env), log

    return make


def test_a_dialog_asks_and_its_code_is_in_no_argument(pin) -> None:
    ask, log = pin("code")
    assert ask(DEVICE, seconds=30, again="that one was used, 100%") == "123456"
    assert log.read_text().splitlines() == [
        "args ",
        "SETTIMEOUT 30",
        "SETTITLE valetkey",
        f"SETDESC that one was used, 100%25%0AMFA code for {DEVICE} (valetkey, acme)",
        "SETPROMPT Code:",
        "GETPIN",
    ]


@pytest.mark.parametrize(
    ("mode", "kind", "says", "remembered"),
    [
        ("cancel", Dismissed, "was closed", 120),
        ("timeout", Dismissed, "got no answer", 120),
        ("empty", Dismissed, "no MFA code was given", 120),
        ("words", Dismissed, "a code has 6 digits", None),
        ("curses", NoTerminal, "cannot ask here", None),
        ("dies", NoTerminal, "without an answer", None),
    ],
)
def test_how_a_dialog_ends(mode: str, kind: type[ValetkeyError], says: str, remembered: float | None, pin) -> None:
    ask, _ = pin(mode)
    with pytest.raises(kind, match=says) as caught:
        ask(DEVICE, seconds=30)
    assert "hush" not in str(caught.value)
    assert getattr(caught.value, "remember", None) == remembered


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (99, "was closed"),
        (198, "was closed"),  # GPG_ERR_FULLY_CANCELED: the window itself was closed
        (62, "got no answer"),
        (83918950 & 0xFFFF, "cannot ask here"),
    ],
)
def test_what_a_dialog_s_error_number_means(error: int, says: str) -> None:
    """The upper half of the number says which program it is of (gpg-error.h)."""
    for source in (0, 1 << 24, 5 << 24):
        assert says in pinentry._failure(f"{source | error} <Pinentry>").what


def test_a_dialog_has_an_end(pin) -> None:
    ask, _ = pin("hangs")
    begun = time.monotonic()
    with pytest.raises(Dismissed, match="got no answer"):
        ask(DEVICE, seconds=0.5)
    assert time.monotonic() - begun < 30  # it does not hang; it is a second at most as a rule


def test_one_dialog_at_a_time_also_when_the_one_who_opened_it_was_killed(pin) -> None:
    ask, log = pin("hangs")
    pid = log.with_name("pid")
    script = (
        "import json, sys; from valetkey.credentials.sessions.pinentry import Pinentry;"
        "Pinentry('x', json.loads(sys.argv[1]))('device-of-ann', seconds=30)"
    )
    child = subprocess.Popen([sys.executable, "-c", script, json.dumps(dict(ask._env))])
    end = time.monotonic() + 20
    while "GETPIN" not in (log.read_text() if log.exists() else "") and time.monotonic() < end:
        time.sleep(0.05)
    child.kill()
    child.wait()
    with pytest.raises(Dismissed, match="is open already"):
        ask(DEVICE, seconds=30)
    assert log.read_text().count("GETPIN") == 1
    os.kill(int(pid.read_text()), signal.SIGKILL)
    fresh, _ = pin("code")
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with contextlib.suppress(Dismissed):
            assert fresh(DEVICE, seconds=30) == "123456"
            return
        time.sleep(0.05)
    raise AssertionError("the lock outlived its dialog")


def test_which_program_asks(tmp_path: pathlib.Path) -> None:
    for name in ("pinentry-qt", "pinentry-gnome3", "pinentry-curses", "pinentry"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    env = {"PATH": str(tmp_path), "DISPLAY": ":0"}
    assert find_program(env) == str(tmp_path / "pinentry-gnome3")
    assert find_program({**env, "DISPLAY": "", "WAYLAND_DISPLAY": "wayland-0"}) == str(tmp_path / "pinentry-gnome3")
    assert find_program({"PATH": str(tmp_path)}) is None
    assert find_program({**env, "VALETKEY_PINENTRY": ""}) is None
    assert find_program({"PATH": str(tmp_path), "VALETKEY_PINENTRY": "pinentry-qt"}) == str(tmp_path / "pinentry-qt")
    assert find_program({**env, "VALETKEY_PINENTRY": "nowhere"}) is None
    with pytest.raises(NoTerminal):
        Pinentry("x", {"PATH": "/nonexistent", "HOME": str(tmp_path)})(DEVICE, seconds=1)
