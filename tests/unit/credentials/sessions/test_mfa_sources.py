"""Where codes come from: the first source that can, and none that hangs, leaks or repeats itself."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import keyring
import pytest
from keyring.backends import fail
from tests.unit.credentials.sessions.test_vault import Memory
from tests.unit.credentials.sts_world import Calls

from valetkey.credentials.sessions import pinentry
from valetkey.credentials.sessions.mfa_sources import command, first_of, given, keep_seed, kept_seed, seed
from valetkey.credentials.sessions.pinentry import Pinentry, find_program
from valetkey.credentials.sessions.protocols import Dismissed, NoTerminal
from valetkey.credentials.sessions.totp import code_at, read_seed
from valetkey.credentials.sessions.vault import NoKeyring, Vault
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
        f"OTPAUTH://totp/x?secret={RFC}&algorithm=sha1&digits=6&period=30",
        # The first one counts.
        f"otpauth://totp/x?secret={RFC}&digits=6&digits=8&secret=AAAA",
        "-".join(RFC[i : i + 8] for i in range(0, len(RFC), 8)),
    ):
        assert read_seed(text) == RFC
    # 64 characters are what AWS shows.
    assert read_seed("A" * 64) == "A" * 64
    # Ten bytes at least.
    assert read_seed("A" * 16) == "A" * 16


def test_a_seed_without_its_filling_signs_gives_the_same_codes() -> None:
    for size in range(10, 21):
        filled = base64.b32encode(bytes(range(size))).decode()
        bare = read_seed(filled)
        assert bare == filled.rstrip("=")
        for when in (59, 1111111109):
            assert code_at(bare, when) == code_at(filled, when)


def test_a_code_is_shown_for_thirty_seconds() -> None:
    assert len({code_at(RFC, 1111111110 + second) for second in range(30)}) == 1
    assert len({code_at(RFC, 1111111109), code_at(RFC, 1111111110), code_at(RFC, 1111111140)}) == 3


def test_what_a_wrong_seed_is_told() -> None:
    with pytest.raises(ValetkeyError) as caught:
        read_seed("123456")
    assert caught.value.what == "this is not the seed of an authenticator app"
    assert caught.value.do == (
        "give the secret key that AWS shows for a new virtual MFA device (base32), or its otpauth:// address"
    )
    with pytest.raises(ValetkeyError) as caught:
        read_seed(f"otpauth://totp/x?secret={RFC}&digits=8")
    assert caught.value.what == "the seed is of another kind of code than AWS uses (SHA-1, 6 digits, 30 seconds)"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "123456",
        "hunter2-hunter2!",
        "AAAA",
        f"otpauth://hotp/x?secret={RFC}",
        f"otpauth://totp/x?secret={RFC}&digits=8",
        f"otpauth://totp/x?secret={RFC}&digits=4",
        f"otpauth://totp/x?secret={RFC}&algorithm=SHA256",
        f"otpauth://totp/x?secret={RFC}&period=60",
        "otpauth://totp/x?issuer=AWS",
        "A" * 15,
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


@pytest.mark.parametrize(
    ("at", "seconds", "slept"),
    [
        # The next code is shown from the next half minute on; AWS's clock may be a little behind.
        (0, 30.2, 30.2),
        (10, 20.2, 20.2),
        (29.5, 0.75, 0.7),
        (0, 30.1, None),
        (10, 20.1, None),
    ],
)
def test_the_next_code_is_waited_for_while_there_is_time(at: float, seconds: float, slept: float | None) -> None:
    it = Time(1_777_636_800 + at)
    ask = seed(lambda device: RFC, clock=it.clock, sleep=it.sleep)
    # The sum of these seconds is not exact.
    if slept is not None:
        assert ask(DEVICE, seconds=seconds + 1e-6, again="used") == code_at(RFC, 1_777_636_800 + 30)
        assert it.slept == [pytest.approx(slept)]
    else:
        with pytest.raises(Dismissed) as caught:
            ask(DEVICE, seconds=seconds, again="used")
        assert caught.value.what == "AWS did not accept the MFA code, and the next one comes too late"
        assert caught.value.do == f"try again in {round(30 - at)} seconds"
        assert it.slept == []


def test_without_a_seed_another_source_is_asked() -> None:
    def locked(device: str) -> str:
        raise NoKeyring("the keyring did not answer")

    it = Time()
    for find, what in (
        (locked, "the keyring did not answer"),
        (lambda device: None, "the keyring has no seed of this MFA device"),
    ):
        with pytest.raises(NoTerminal) as caught:
            seed(find, clock=it.clock, sleep=it.sleep)(DEVICE, seconds=40)
        assert caught.value.what == what


def test_a_seed_is_kept_under_its_device() -> None:
    keyring.set_keyring(Memory())
    try:
        vault = Vault()
        keep_seed(vault, DEVICE, RFC)
        assert kept_seed(vault, DEVICE) == RFC
        assert kept_seed(vault, "other") is None
    finally:
        keyring.set_keyring(fail.Keyring())


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
    assert first_of([no_seed, nobody, given("123456")])(DEVICE, seconds=1) == "123456"
    with pytest.raises(NoTerminal) as caught:
        first_of([])(DEVICE, seconds=1)
    assert caught.value.what == "valetkey has no way to ask for the MFA code"
    # Of several that say what to do the first, of several that do not the last.
    also = NoTerminal("no dialog", do="install one")
    for sources, what in (
        ([nobody, Calls(also)], "no terminal"),
        ([no_seed, Calls(also), nobody], "no dialog"),
        ([no_seed, Calls(NoTerminal("no dialog"))], "no dialog"),
    ):
        with pytest.raises(NoTerminal) as caught:
            first_of(sources)(DEVICE, seconds=1)
        assert caught.value.what == what
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
    ("line", "what"),
    [
        ("false", "ended with 1"),
        ("sh -c 'echo 123456; kill -TERM $$'", "ended with -15"),
        ("/nonexistent/op item get", "cannot be run: No such file or directory"),
        ("/", "cannot be run: Permission denied"),
        ("echo 'open", "cannot be run: it is not a command line"),
        ("", "cannot be run: it is not a command line"),
        ("echo hush-1234567", "printed something else than six digits"),
        ("echo 12345", "printed something else than six digits"),
        ("printf '123456\n654321'", "printed something else than six digits"),
        ("echo $(echo 123456)", "printed something else than six digits"),
        ("cat", "printed something else than six digits"),
    ],
)
def test_a_command_that_fails_is_told_without_what_it_printed(line: str, what: str) -> None:
    with pytest.raises(Dismissed) as caught:
        run(line)
    assert caught.value.what == f"mfa_process {what}"
    assert caught.value.do == "run it by hand; it is in the base profile of your AWS config"
    assert caught.value.where == "mfa_process"


@pytest.mark.parametrize(
    ("seconds", "again", "limit"), [(30, "", 30), (1.5, "", 1.5), (0.5, "", 1), (30, "used", 9.8), (20.5, "used", 1)]
)
def test_a_command_has_the_time_that_is_left(
    seconds: float, again: str, limit: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = Calls(subprocess.CompletedProcess([], 0, b"123456"))
    monkeypatch.setattr(subprocess, "run", ran)
    assert run("op 'item get'", seconds=seconds, again=again) == "123456"
    ((words, named),) = ran.calls
    assert words == (["op", "item get"],)
    assert named["timeout"] == pytest.approx(limit)


def test_a_command_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", Calls(subprocess.TimeoutExpired("op", 1)))
    with pytest.raises(Dismissed, match="mfa_process did not end in time"):
        run("op")


def test_a_command_that_hangs_is_ended() -> None:
    begun = time.monotonic()
    with pytest.raises(Dismissed, match="mfa_process did not end in time"):
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


CLOSED, SILENT, CANNOT = (
    "the dialog for the MFA code was closed",
    "the dialog for the MFA code got no answer",
    "the dialog program (pinentry) cannot ask here",
)


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (99, CLOSED),
        (198, CLOSED),  # GPG_ERR_FULLY_CANCELED: the window itself was closed
        (62, SILENT),
        (83918950 & 0xFFFF, CANNOT),
        *((each, CANNOT) for each in (61, 63, 98, 100, 197, 199)),
    ],
)
def test_what_a_dialog_s_error_number_means(error: int, what: str) -> None:
    """The upper half of the number says which program it is of (gpg-error.h)."""
    for source in (0, 1 << 16, 1 << 24, 5 << 24):
        valetkey_error = pinentry._failure(f"{source | error} <Pinentry>")
        assert valetkey_error.what == what
        if what != CANNOT:
            assert valetkey_error.do == "run `valetkey login` in a terminal, or try again in two minutes"
    assert pinentry._failure("Operation cancelled").what == CANNOT


def lines(path: pathlib.Path, data: bytes, left: float = 1) -> pinentry._Lines:
    path.write_bytes(data)
    return pinentry._Lines(path.open("rb", buffering=0), lambda: left)


def test_an_answer_is_everything_up_to_its_ok(tmp_path: pathlib.Path) -> None:
    """Status lines and comments are not of it; two answers may come at once."""
    said = (
        b"# a comment\nS PASSWORD_FROM_CACHE\nD 12%33\nEND\nD 456%zz\nNO D\nOK done\nOK\nD \xff\nOK\nE 5\nZ\nERR 99 x\n"
    )
    reader = lines(tmp_path / "said", said)
    assert [reader.reply(), reader.reply(), reader.reply()] == ["123456%zz", "", "\ufffd"]
    with pytest.raises(Dismissed, match="was closed"):
        reader.reply()
    with pytest.raises(EOFError):
        reader.reply()


@pytest.mark.parametrize("left", [0, -0.5])
def test_nothing_is_read_when_time_is_up(left: float, tmp_path: pathlib.Path) -> None:
    with pytest.raises(Dismissed, match="got no answer"):
        lines(tmp_path / "said", b"OK\n", left).reply()
    assert lines(tmp_path / "said", b"OK\n", 0.01).reply() == ""


def test_a_line_without_an_end_is_not_read_for_ever(tmp_path: pathlib.Path) -> None:
    longest = b"D " + b"x" * (2 * 65536 - 3)
    assert lines(tmp_path / "said", longest + b"\nOK\n").reply() == "x" * (2 * 65536 - 3)
    with pytest.raises(EOFError):
        lines(tmp_path / "said", longest + b"x\nOK\n").reply()


@pytest.mark.parametrize(
    ("given", "code"), [("123456", "123456"), ("123 456", "123456"), (" 123456 ", "123456"), ("000000", "000000")]
)
def test_a_code_is_taken_as_people_type_it(given: str, code: str) -> None:
    assert pinentry._code(given) == code


@pytest.mark.parametrize("given", ["12345", "1234567", "12345x", "\u0661\u0662\u0663\u0664\u0665\u0666"])
def test_what_is_typed_and_no_code_may_be_typed_again_at_once(given: str) -> None:
    with pytest.raises(Dismissed) as caught:
        pinentry._code(given)
    assert (caught.value.what, caught.value.do) == ("this is not an MFA code: a code has 6 digits", "try again")
    assert caught.value.remember is None


@pytest.mark.parametrize(("seconds", "told"), [(30.9, 30), (1.5, 1), (0.5, 1)])
def test_a_dialog_is_told_when_it_ends(seconds: float, told: int, pin: Any) -> None:
    ask, log = pin("code")
    ask._clock = lambda: 0.0
    assert ask(DEVICE, seconds=seconds) == "123456"
    assert log.read_text().splitlines()[1] == f"SETTIMEOUT {told}"
    assert log.read_text().splitlines()[3] == f"SETDESC MFA code for {DEVICE} (valetkey, acme)"


def test_a_dialog_that_takes_too_long_is_ended_by_the_clock(pin: Any) -> None:
    ask, _ = pin("code")
    times = iter([100.0, *[130.0] * 9])
    ask._clock = lambda: next(times)
    with pytest.raises(Dismissed, match="got no answer"):
        ask(DEVICE, seconds=30)


def test_its_lock_is_private_and_free_again(pin: Any, home: pathlib.Path) -> None:
    ask, _ = pin("code")
    for _ in range(2):
        assert ask(DEVICE, seconds=30) == "123456"
    lock = home / ".cache/valetkey/pinentry.lock"
    assert lock.stat().st_mode & 0o777 == 0o600
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Dismissed) as caught:
            ask(DEVICE, seconds=30)
    assert (caught.value.what, caught.value.do) == (
        "a dialog for an MFA code is open already",
        "answer it, or close it",
    )


def test_a_program_that_cannot_be_started_is_told(pin: Any, tmp_path: pathlib.Path) -> None:
    ask, _ = pin("code")
    program = tmp_path / "pinentry-fake"
    program.write_text("#!/nonexistent/interpreter\n")
    with pytest.raises(NoTerminal) as caught:
        ask(DEVICE, seconds=30)
    assert caught.value.what == f"{program} cannot be started: No such file or directory"


def test_a_dialog_has_an_end_and_is_killed(pin: Any) -> None:
    ask, log = pin("hangs")
    begun = time.monotonic()
    with pytest.raises(Dismissed, match="got no answer"):
        ask(DEVICE, seconds=0.5)
    assert time.monotonic() - begun < 30  # it does not hang; it is a second at most as a rule
    pid = log.with_name("pid")
    if pid.exists():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid.read_text()), 0)


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
    with pytest.raises(NoTerminal) as caught:
        Pinentry("x", {"PATH": "/nonexistent", "HOME": str(tmp_path)})(DEVICE, seconds=1)
    assert caught.value.what == "no dialog program (pinentry) is available to ask for the MFA code"


def test_a_mac_has_a_program_of_its_own(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pinentry-mac", "pinentry-qt"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    env = {"PATH": str(tmp_path), "DISPLAY": ":0"}
    assert find_program(env) == str(tmp_path / "pinentry-qt")
    monkeypatch.setattr(sys, "platform", "darwin")
    for item in (env, {"PATH": str(tmp_path)}):
        assert find_program(item) == str(tmp_path / "pinentry-mac")
