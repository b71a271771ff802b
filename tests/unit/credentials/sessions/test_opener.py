"""Opening a profile with tools of the test's own: where a session lasts less, and what `--no-cache` leaves behind."""

from __future__ import annotations

import contextlib
import os
import pathlib
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.credentials.sts_world import DEVICE, OURS, START, Signed, World, computer, profile, refusal

from valetkey.credentials.profiles.names import ProfileError
from valetkey.credentials.profiles.profile import save
from valetkey.credentials.sessions.cache import Cache, key
from valetkey.credentials.sessions.machine import Machine
from valetkey.credentials.sessions.opener import open_profile
from valetkey.credentials.sessions.refusals import Refused
from valetkey.credentials.sessions.ways import Way
from valetkey.errors import ValetkeyError


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def machine(world: World, home: pathlib.Path) -> Machine:
    """A computer with one customer, whose keyring does not answer."""
    env = {"HOME": str(home)}
    path = save(
        profile(base_arn=world.caller, source_profile="work", base_files=("~/.aws/config", "~/.aws/credentials")), env
    )
    os.utime(path, (START.timestamp() - 60,) * 2)
    (home / ".aws").mkdir()
    (home / ".aws/config").write_text("[profile work]\nregion = us-east-1\n[profile acme]\n")
    return computer(world, env)


def with_env(machine: Machine, **env: str) -> Machine:
    return Machine(**{**machine.__dict__, "env": {**machine.env, **env}})


def below(home: pathlib.Path) -> set[tuple[str, float]]:
    return {(str(path), path.stat().st_mtime_ns) for path in home.rglob("*")}


def test_without_a_cache_nothing_is_written_below_home(
    world: World, machine: Machine, home: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    before = below(home)
    for number, here in enumerate((machine, with_env(machine, XDG_RUNTIME_DIR=str(runtime)))):
        entry = open_profile(here, "acme", Way(no_cache=True))
        assert entry.session().credentials.access_key_id.startswith("ASIAROLE")
        assert below(home) == before
        assert len(world.asked) == number + 1
    # The lock and the digest of the code that was sent are there, and no session.
    kinds = {path.suffix for path in runtime.rglob("*") if path.is_file()}
    assert {".lock", ".sent"} <= kinds
    assert ".json" not in kinds
    assert "hush" not in "".join(path.read_text() for path in runtime.rglob("*") if path.is_file())


def test_without_a_cache_a_code_that_another_command_has_sent_is_not_sent(
    machine: Machine, tmp_path: pathlib.Path, world: World
) -> None:
    name = key("code", device=DEVICE)
    assert Cache(machine.env).spend(name, "000000", START)
    assert not Cache(machine.env, keep=False).spend(name, "000000", START)
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    env = {**machine.env, "XDG_RUNTIME_DIR": str(runtime)}
    assert Cache(env, keep=False).spend(name, "000001", START)
    assert not Cache(env, keep=False).spend(name, "000001", START)
    # A session that was made so is never a base identity either.
    Cache(env, keep=False).note_issued("ASIAMADE")
    assert Cache(env).was_issued("ASIAMADE")


def test_a_session_with_a_cache_is_kept(world: World, machine: Machine) -> None:
    first = open_profile(machine, "acme").session()
    assert open_profile(machine, "acme").session() == first
    assert len(world.asked) == 1


def test_duration_seconds_of_the_profile_shortens_the_session(
    world: World, machine: Machine, home: pathlib.Path
) -> None:
    config = home / ".aws/config"
    text = config.read_text()
    assert open_profile(machine, "acme").session().credentials.expires == START + timedelta(hours=1)
    config.write_text(text + "duration_seconds = 900\n")
    entry = open_profile(machine, "acme")
    assert entry.session().credentials.expires == START + timedelta(minutes=15)
    assert entry.limit == "900 s at most: duration_seconds of the profile acme in the AWS config"
    config.write_text(text + "duration_seconds = 7200\n")
    assert open_profile(machine, "acme").limit.startswith("1 h at most: AWS allows no more through an MFA session")
    long = open_profile(machine, "acme", Way(long=True))
    assert long.session().credentials.expires == START + timedelta(hours=2)
    assert "duration_seconds" in long.limit
    config.write_text(text + "duration_seconds = 60\n")
    with pytest.raises(ProfileError, match="duration_seconds"):
        open_profile(machine, "acme")


def test_a_refusal_goes_through_what_explains_it(world: World, machine: Machine) -> None:
    seen: list[str] = []

    @contextlib.contextmanager
    def explained(wanted: Any, tools: Any, region: str) -> Any:
        try:
            yield
        except Refused:
            seen.append(f"{wanted.name} {region}")
            raise

    here = Machine(**{**machine.__dict__, "explained": explained})
    world.fail["assume_role"] = [refusal("assume_role", "AccessDenied", "no")]
    with pytest.raises(Refused):
        open_profile(here, "acme").session()
    assert seen == ["acme us-east-1"]
    assert OURS in str(world.caller)


def test_a_longer_session_of_a_role_behind_the_customer_s_is_refused_by_both_names(
    world: World, machine: Machine, home: pathlib.Path
) -> None:
    config = home / ".aws/config"
    further = "[profile prod]\nrole_arn = arn:aws:iam::333333333333:role/Work\nsource_profile = acme\n"
    deep = "[profile deep]\nrole_arn = arn:aws:iam::444444444444:role/Work\nsource_profile = prod\n"
    config.write_text(config.read_text() + further + deep)
    with pytest.raises(
        ValetkeyError, match="deep is assumed from the role of prod, and AWS limits such a session to an hour"
    ):
        open_profile(machine, "deep", Way(long=True))
    assert world.asked == []


@pytest.mark.parametrize(
    ("inside", "says"),
    [("acme", "the base identity of acme comes from acme itself"), ("globex", "used as the base identity of globex")],
)
@pytest.mark.parametrize("is_bound", [True, False])
def test_a_process_that_is_to_answer_for_a_base_identity_asks_for_none(
    inside: str, says: str, is_bound: bool, world: World, machine: Machine
) -> None:
    """A circle would start processes without end: it ends before any program or file is asked, in a profile of an
    earlier version too, whose base identity is sought among several."""

    def sign_in(*_: Any, **__: Any) -> Signed:
        raise AssertionError("a base identity was asked for")

    if not is_bound:
        save(profile(), machine.env)
    here = Machine(**{**with_env(machine, VALETKEY_INSIDE=inside).__dict__, "sign_in": sign_in})
    with pytest.raises(ValetkeyError, match=says):
        open_profile(here, "acme")
    assert world.calls == []
