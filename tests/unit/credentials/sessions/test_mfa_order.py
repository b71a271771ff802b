"""In which order a code is looked for, and that nothing is asked before one is needed."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import pytest
from tests.unit.credentials.sts_world import DEVICE, START, Calls, World, computer

from valetkey.credentials.sessions import pinentry
from valetkey.credentials.sessions.machine import Machine
from valetkey.credentials.sessions.mfa_order import every_source
from valetkey.credentials.sessions.protocols import Dismissed, NoTerminal
from valetkey.credentials.sessions.totp import code_at
from valetkey.credentials.sessions.ways import USUAL_WAY, Way

SEED = "A" * 32


@pytest.fixture
def machine(home: pathlib.Path) -> Machine:
    (home / ".aws").mkdir()
    result = computer(World(), {"HOME": str(home), "PATH": os.environ["PATH"]})
    result.vault.get = {}.get  # type: ignore[method-assign]
    return result


@pytest.fixture
def dialog(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Stands for pinentry: what it is made with."""
    made = Calls(Calls("444444"))
    monkeypatch.setattr(pinentry, "Pinentry", made)
    return made


NOBODY = NoTerminal("no terminal")


def code(
    machine: Machine,
    terminal: Calls,
    *,
    way: Way = USUAL_WAY,
    source: str | None = "work",
    again: str = "",
    **given: Any,
) -> str:
    ask = every_source(machine, "acme", source, given.get("files", ()), way=way, terminal=terminal)
    return ask(DEVICE, seconds=40.0, again=again)


def test_a_command_of_the_base_profile_goes_first(machine: Machine, home: pathlib.Path, dialog: Calls) -> None:
    (home / ".aws/config").write_text(
        "[profile work]\nmfa_process = echo 111111\n[default]\nmfa_process = echo 222222\n"
    )
    machine.vault.get = lambda name: SEED  # type: ignore[method-assign]
    terminal = Calls("333333")
    assert code(machine, terminal) == "111111"
    assert code(machine, terminal, source=None) == "222222"
    # Another profile's command is not run.
    assert code(machine, terminal, source="other") == code_at(SEED, START.timestamp())
    assert (terminal.calls, dialog.answer.calls) == ([], [])


def test_it_is_read_from_the_files_that_the_base_identity_is_of(machine: Machine, home: pathlib.Path) -> None:
    theirs = home / "theirs"
    theirs.write_text("[profile work]\nmfa_process = echo 111111\n")
    (home / ".aws/config").write_text("[profile work]\nmfa_process = echo 999999\n")
    files = (str(theirs), "~/.aws/credentials")
    assert code(machine, Calls("333333"), files=files) == "111111"


def test_a_setting_that_is_no_command_is_passed_over(machine: Machine, home: pathlib.Path) -> None:
    (home / ".aws/config").write_text("[profile work]\nmfa_process =\n  a = b\n")
    assert code(machine, Calls("333333")) == "333333"


def test_then_a_seed_then_the_terminal_then_a_dialog(machine: Machine, dialog: Calls) -> None:
    kept = {f"seed:{DEVICE}": SEED}
    machine.vault.get = kept.get  # type: ignore[method-assign]
    terminal = Calls("333333")
    assert code(machine, terminal) == code_at(SEED, START.timestamp())
    assert terminal.calls == []
    kept.clear()
    assert code(machine, terminal, again="it was used") == "333333"
    assert terminal.calls == [((DEVICE,), {"seconds": 40.0, "again": "it was used"})]
    assert dialog.answer.calls == []
    assert code(machine, Calls(NOBODY), again="it was used") == "444444"
    assert dialog.calls[-1] == (("acme", machine.env), {})
    assert dialog.answer.calls == [((DEVICE,), {"seconds": 40.0, "again": "it was used"})]
    # A person who gives none is not asked in another place.
    with pytest.raises(Dismissed):
        code(machine, Calls(Dismissed("closed")))


def test_where_nothing_is_kept_no_dialog_is_opened(machine: Machine, dialog: Calls) -> None:
    """Its lock and its memory are files below HOME."""
    with pytest.raises(NoTerminal):
        code(machine, Calls(NOBODY), way=Way(no_cache=True))
    assert dialog.calls == []


def test_a_code_that_was_given_is_the_only_source(machine: Machine, home: pathlib.Path) -> None:
    (home / ".aws/config").write_text("[profile work]\nmfa_process = echo 111111\n")
    way = Way(code=Calls("555555"))
    assert code(machine, Calls("333333"), way=way) == "555555"
    with pytest.raises(Dismissed) as caught:
        code(machine, Calls("333333"), way=way, again="it was used")
    assert caught.value.what == "AWS did not accept the given MFA code, or it was sent before"
    assert caught.value.do == "give the next one"


def test_nothing_is_read_before_a_code_is_needed(machine: Machine, home: pathlib.Path) -> None:
    (home / ".aws/config").write_text("not a config\n")
    machine.vault.get = Calls(AssertionError("the keyring was asked"))  # type: ignore[method-assign]
    every_source(machine, "acme", "work", (), way=USUAL_WAY, terminal=Calls("333333"))


@pytest.mark.parametrize(
    ("way", "own_code", "is_kept"),
    [
        (USUAL_WAY, "", True),
        (Way(long=True), "--long", True),
        (Way(no_cache=True), "--no-cache", False),
        (Way(long=True, no_cache=True), "--long", False),
        (Way(code=lambda: "1"), "", False),
        (Way(no_cache=True, code=lambda: "1"), "--no-cache", False),
        (Way(read_only=True, region="eu-west-1"), "", True),
    ],
)
def test_which_ways_take_a_code_of_their_own_and_which_are_kept(way: Way, own_code: str, is_kept: bool) -> None:
    assert (way.own_code, way.is_kept) == (own_code, is_kept)
