"""Faults around a contractor: each run ends soon, reports the fault and what to do, and loses no data."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

Within = Callable[[float], None]


def clear(ran: Any) -> str:
    """Assert that a run failed with a short error, without output for an SDK and without traceback. Return the text."""
    assert ran.code not in (0, 124, 130), ran
    assert ran.out == ""
    lines = ran.err.splitlines()
    assert lines[0].startswith("valetkey: ")
    assert "fault of valetkey's own" not in lines[0]
    assert any(line.startswith("  do: ") for line in lines[1:])
    assert all(line.startswith(("  at: ", "  do: ", "  most likely: ")) for line in lines[1:])
    return str(ran.err)


def gets_in(watch: Any, prompts: int) -> dict[str, Any]:
    ran = watch.run("credential-process", "acme")
    assert (ran.code, ran.prompts) == (0, prompts), ran
    answer: dict[str, Any] = json.loads(ran.out)
    assert answer["AccountId"] == watch.it.owner.account
    return answer


# STS


@pytest.mark.parametrize("kind", ["throttle", "500", "503", "drop"])
def test_a_fault_that_passes_is_not_seen(kind: str, watch: Any) -> None:
    for operation in ("GetSessionToken", "AssumeRole"):
        watch.it.stage.sandbox.control.fault(
            kind=kind, service="sts", operation=operation, account=watch.it.person.account
        )
    gets_in(watch, prompts=1)
    watch.check()


@pytest.mark.parametrize("kind", ["throttle", "drop"])
@pytest.mark.parametrize("operation", ["GetSessionToken", "AssumeRole"])
def test_a_fault_that_stays_is_said_and_the_code_is_not_asked_for_in_vain(
    operation: str, kind: str, watch: Any, within: Within
) -> None:
    control, account = watch.it.stage.sandbox.control, watch.it.person.account
    control.fault(kind=kind, service="sts", operation=operation, account=account, times=None)
    ran = watch.run("credential-process", "acme")
    assert ran.code == 3
    assert operation in clear(ran)
    assert ran.prompts == 1
    # A program that calls again at once causes no further prompt.
    again = watch.run("credential-process", "acme")
    clear(again)
    assert again.prompts == 0
    control.clear(account)
    if operation == "AssumeRole":
        gets_in(watch, prompts=0)  # the MFA session was cached
    watch.check()
    within(40)


@pytest.mark.slow
def test_an_sts_that_never_answers(watch: Any, within: Within) -> None:
    control, account = watch.it.stage.sandbox.control, watch.it.person.account
    gets_in(watch, prompts=1)
    watch.forget("role")
    control.fault(kind="latency", seconds=60, service="sts", operation="AssumeRole", account=account, times=None)
    assert "sts:AssumeRole" in clear(watch.run("credential-process", "acme"))
    control.clear(account)
    within(50)
    gets_in(watch, prompts=0)
    watch.check()


def test_an_answer_that_is_lost_costs_one_more_code(watch: Any) -> None:
    """AWS has used the code and would refuse it a second time, so there is a prompt for a new one."""
    watch.it.stage.sandbox.control.fault(
        kind="lose", service="sts", operation="GetSessionToken", account=watch.it.person.account
    )
    gets_in(watch, prompts=2)
    assert len(set(watch.codes)) == 2
    watch.check()


# The clock


@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not installed")
@pytest.mark.parametrize("off", ["-10m", "+10m"])
def test_a_clock_ten_minutes_off(off: str, watch: Any) -> None:
    wrong = ("faketime", "-f", off)
    said = clear(watch.run("credential-process", "acme", wrap=wrong))
    assert "this computer's clock is wrong: it says " in said
    assert " UTC, AWS says " in said
    for item in (watch.home / ".cache/valetkey/sessions").glob("*.refused"):
        item.unlink()  # ten seconds later
    first = gets_in(watch, prompts=1)
    # A valid session stays valid after the clock was wrong again and corrected.
    watch.run("credential-process", "acme", wrap=wrong)
    assert gets_in(watch, prompts=0) == first
    watch.check()


# The disk

READ_ONLY = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
"""Makes root obey file modes like other users."""
FULL = ("prlimit", "--fsize=0")
"""Prevents any file from growing."""


def held(home: pathlib.Path) -> dict[str, str]:
    return {str(item): item.read_text() for item in home.rglob("*") if item.is_file()}


@pytest.fixture
def read_only(watch: Any) -> tuple[str, ...]:
    """A command prefix with which the home directory is read-only once `lock` has been called."""
    wrap = () if os.geteuid() else READ_ONLY
    if wrap and shutil.which(wrap[0]) is None:
        pytest.skip("setpriv (util-linux) is not there")
    probe = watch.home / "probe"
    probe.mkdir(mode=0o500)
    wrote = subprocess.run([*wrap, "touch", str(probe / "file")], capture_output=True).returncode == 0
    (shutil.rmtree if wrote else os.rmdir)(probe)
    if wrote:
        pytest.skip("a directory cannot be made read-only for this user")
    return wrap


def lock(home: pathlib.Path, mode: int) -> None:
    for path in (home, *home.rglob("*")):
        if path.is_dir():
            path.chmod(mode)


def test_a_home_that_is_read_only(watch: Any, read_only: tuple[str, ...]) -> None:
    lock(watch.home, 0o500)
    ran = watch.run("credential-process", "acme", wrap=read_only)
    assert "cannot be used: Permission denied" in clear(ran)
    assert (ran.prompts, watch.it.asked("sts:GetSessionToken")) == (
        0,
        0,
    )  # no prompt for a code whose session could not be cached
    lock(watch.home, 0o700)
    first = gets_in(watch, prompts=1)
    lock(watch.home, 0o500)
    again = watch.run("credential-process", "acme", wrap=read_only)
    assert json.loads(again.out) == first
    lock(watch.home, 0o700)
    watch.check()


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="prlimit (util-linux) is not there")
def test_a_disk_that_is_full(watch: Any) -> None:
    before = held(watch.home)
    ran = watch.run("credential-process", "acme", wrap=FULL)
    assert "cannot be written: File too large" in clear(ran)
    assert ran.prompts == 0  # no prompt for a code whose session could not be cached
    after = held(watch.home)
    assert {name: text for name, text in after.items() if text} == before
    first = gets_in(watch, prompts=1)
    before = held(watch.home)
    again = watch.run("credential-process", "acme", wrap=FULL)
    assert json.loads(again.out) == first
    assert held(watch.home) == before
    # A new role session needs no code, and is returned although it cannot be cached.
    watch.forget("role")
    assert json.loads(watch.run("credential-process", "acme", wrap=FULL).out)["AccountId"] == watch.it.owner.account
    watch.check()


# Files on disk


def cut(path: pathlib.Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def pipe(path: pathlib.Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


DAMAGE: dict[str, Callable[[pathlib.Path], object]] = {
    "cut": cut,
    "empty": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "deep": lambda path: path.write_bytes(b"[" * 100_000),
    "huge": lambda path: path.write_bytes(b" " * 2_000_000),
    "pipe": pipe,
    "readable by others": lambda path: path.chmod(0o644),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_broken_cache_is_as_good_as_none(damage: str, watch: Any, within: Within) -> None:
    gets_in(watch, prompts=1)
    cache = watch.home / ".cache/valetkey"
    kept = [*cache.glob("sessions/*.json"), *cache.glob("hot/*")]
    assert len(kept) == 3
    for item in kept:
        DAMAGE[damage](item)
    gets_in(watch, prompts=1)
    gets_in(watch, prompts=0)
    for item in kept:
        assert item.stat().st_mode & 0o077 == 0
    watch.check()
    within(30)


def test_a_directory_in_the_place_of_a_file_stops_nobody(watch: Any) -> None:
    gets_in(watch, prompts=1)
    watch.forget("role")
    for name in ("sessions/role-{}.json", "hot/{}"):
        for item in (watch.home / ".cache/valetkey/sessions").glob("role-*.lock"):
            place = "acme" if name.startswith("hot") else item.stem.removeprefix("role-")
            (watch.home / ".cache/valetkey" / name.format(place)).mkdir()
    for _ in range(2):
        gets_in(watch, prompts=0)
    watch.check()
