"""`env`: what a shell evaluates is safe whatever becomes of the command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from valetkey.cli import _evaluated
from valetkey.cli import _run as module
from valetkey.credentials.delivery.shells import FAILED, SHELLS, cleared


def fault(_: object) -> int:
    raise RuntimeError("unforeseen")


def ended(_: object) -> int:
    os.kill(os.getpid(), signal.SIGTERM)
    return 0


def interrupted(_: object) -> int:
    raise KeyboardInterrupt


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(("how", "code"), [(lambda _: 3, 3), (ended, 143), (interrupted, 130)])
def test_every_end_but_success_is_a_failure_to_the_shell(
    shell: str, how: object, code: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "run", how)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        assert _evaluated.run_env(["env", "acme", "--shell", shell]) == code
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    out, err = capfd.readouterr()
    assert out == cleared(shell) + FAILED[shell]
    assert ("interrupted" in err) is (code > 128)


def test_a_fault_of_our_own_is_one_too(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(module, "run", fault)
    with pytest.raises(RuntimeError):
        _evaluated.run_env(["env", "acme"])
    assert capfd.readouterr().out == cleared("bash") + FAILED["bash"]


def test_what_goes_well_has_only_its_own_lines_after(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "run", lambda _: 0)
    assert _evaluated.run_env(["env", "acme", "--shell=fish"]) == 0
    assert capfd.readouterr().out == cleared("fish")


def shell(line: str) -> str:
    """What bash prints of a line in which $VALETKEY is valetkey, with another customer's key in its environment."""
    env = {**os.environ, "AWS_ACCESS_KEY_ID": "AKIAOTHER", "VALETKEY": f"{sys.executable} -m valetkey"}
    return subprocess.run(
        ["bash", "-c", line], env=env, capture_output=True, text=True, timeout=50, check=False, stdin=subprocess.DEVNULL
    ).stdout


@pytest.mark.parametrize("words", ["globex --help", "-h", "--version", "globex --shell zsh --help"])
def test_help_that_a_shell_evaluates_leaves_no_credentials(words: str) -> None:
    assert shell(f'eval "$($VALETKEY env {words})"; echo "$? ${{AWS_ACCESS_KEY_ID-none}}"') == "1 none\n"
    assert "# " in shell(f"$VALETKEY env {words}")


@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_fault(closed: str) -> None:
    """Without a terminal and --yes nothing is called: wrong use, exit code 2, also where nothing can be said."""
    assert shell(f"setsid -w $VALETKEY revoke audit {closed}; echo $?").endswith("2\n")
    assert shell(f"setsid -w $VALETKEY env nobody {closed}; echo $?").endswith("2\n")
