"""^C at any moment: one line of what was and what was not done, exit code 130, no traceback."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from valetkey import __main__ as front
from valetkey.cli import _interrupting, _run
from valetkey.cli._interrupting import begin, done, whole
from valetkey.errors import ValetkeyError


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    "words", [["list"], ["verify", "acme"], ["audit"], ["accept", "x.json"], ["sandbox", "status"]]
)
def test_a_command_says_what_was_done(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for place in (
        "valetkey.cli._options.OwnerAccount.connect",
        "valetkey.credentials.sessions.opener.grant_profile",
        "valetkey.cli._auditing.scope",
        "valetkey.credentials.profiles.requests.known_requests",
        "valetkey.sandbox.local.place",
    ):
        monkeypatch.setattr(place, interrupt)
    assert _run.run(words) == 130
    assert capsys.readouterr().err == "valetkey: interrupted: nothing was changed\n"


def test_what_was_done_before_is_said_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def work(*_: object, **__: object) -> None:
        done("the file is written")
        raise KeyboardInterrupt

    monkeypatch.setattr("valetkey.cli._options.OwnerAccount.connect", work)
    assert [_run.run(["list"]), _run.run(["list"])] == [130, 130]
    assert capsys.readouterr().err == "valetkey: interrupted: the file is written\n" * 2


def test_while_a_profile_is_written_ctrl_c_waits() -> None:
    begin()
    steps = []

    def write() -> None:
        with whole("the profile is written"):
            os.kill(os.getpid(), signal.SIGINT)
            steps.append("written")

    with pytest.raises(ValetkeyError, match=r"^interrupted: the profile is written$") as stopped:
        write()
    assert (steps, stopped.value.exit_code) == (["written"], 130)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_write_that_fails_says_why_and_not_that_it_was_interrupted() -> None:
    begin()

    def write() -> None:
        with whole("the profile is written"):
            os.kill(os.getpid(), signal.SIGINT)
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk"):
        write()
    assert _interrupting.line() == "interrupted: nothing was changed"


def test_before_and_after_the_command_there_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(front.sys, "argv", ["valetkey", "list"])
    monkeypatch.setattr(front, "_run", interrupt)
    with pytest.raises(SystemExit) as stopped:
        front.main()
    assert stopped.value.code == 130
    assert capfd.readouterr().err == "valetkey: interrupted: nothing was changed\n"
