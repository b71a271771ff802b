"""Which base identity a profile is opened with, how it is resolved, and which are none."""

from __future__ import annotations

import os
import pathlib
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.credentials.sts_world import OURS, START, Calls, Signed, World, computer, profile, refusal

from valetkey.account.base_identity import SIGN_IN, NoBase
from valetkey.credentials.profiles.again import SET_UP_AGAIN
from valetkey.credentials.profiles.profile import Profile, load, path_of, save
from valetkey.credentials.sessions.base_binding import NotBound, OwnSession
from valetkey.credentials.sessions.base_choice import (
    BaseChoice,
    bound,
    choose,
    recorded,
    refuse_circle,
    sign_in_as,
    sign_in_chosen,
)
from valetkey.credentials.sessions.base_keys import keep, stored_key
from valetkey.credentials.sessions.cache import Cache
from valetkey.credentials.sessions.machine import Machine
from valetkey.credentials.sessions.refusals import Refused
from valetkey.errors import ValetkeyError

ANN, BOB = (f"arn:aws:iam::{OURS}:user/{name}" for name in ("ann", "bob"))
USUAL = ("~/.aws/config", "~/.aws/credentials")
OUT = (
    "open a new shell, or unset AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_PROFILE; or name "
    "your own profile with --profile"
)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def env(home: pathlib.Path) -> dict[str, str]:
    (home / ".aws").mkdir()
    for name in ("config", "credentials"):
        (home / ".aws" / name).write_text("")
    return {"HOME": str(home)}


# --- which one --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "from_environment", "renewing", "env", "chosen"),
    [
        ("work", False, profile(source_profile="old", base_files=("a", "b")), {}, BaseChoice("work", USUAL)),
        (None, True, profile(source_profile="old"), {}, BaseChoice(None, from_environment=True)),
        (None, False, profile(source_profile="old", base_files=("a", "b")), {}, BaseChoice("old", ("a", "b"))),
        (None, False, profile(base_from_environment=True), {}, BaseChoice(None, from_environment=True)),
        # A profile of an earlier version does not say.
        (None, False, profile(), {}, BaseChoice("default", USUAL)),
        (None, False, None, {}, BaseChoice("default", USUAL)),
        (None, False, None, {"AWS_PROFILE": "mine"}, BaseChoice("mine", USUAL)),
        (None, False, None, {"AWS_DEFAULT_PROFILE": "mine"}, BaseChoice("mine", USUAL)),
        (None, False, None, {"AWS_PROFILE": "mine", "AWS_DEFAULT_PROFILE": "x"}, BaseChoice("mine", USUAL)),
        (
            None,
            False,
            None,
            {"AWS_PROFILE": "acme", "AWS_CONFIG_FILE": "/c"},
            BaseChoice(
                "default",
                ("/c", "~/.aws/credentials"),
                passed_over="AWS_PROFILE=acme is a customer's profile, not a base identity: using the profile default",
            ),
        ),
    ],
)
def test_what_is_named_goes_first_then_what_is_recorded_then_the_environment(
    given: str | None, from_environment: bool, renewing: Profile | None, env: dict[str, str], chosen: BaseChoice
) -> None:
    for region in (None, "eu-west-1"):
        choice = choose(
            given,
            from_environment=from_environment,
            renewing=renewing,
            names=["globex", "acme"],
            env={"HOME": "/h", **env},
            region=region,
        )
        assert choice == replace(chosen, region=region)


def test_two_base_identities_cannot_be_named() -> None:
    with pytest.raises(ValetkeyError) as caught:
        choose("work", from_environment=True, renewing=None, names=(), env={"HOME": "/h"})
    assert str(caught.value) == "--profile and --base-from-environment exclude each other give one of them"


def test_a_profile_s_own_is_what_it_records() -> None:
    it = profile(source_profile="work", base_files=("a", "b"), region="eu-west-1")
    assert recorded(it) == BaseChoice("work", ("a", "b"), region="eu-west-1", partition="aws")
    assert recorded(profile(base_from_environment=True)).from_environment


# --- how it is resolved -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "chain"),
    [
        (BaseChoice("work", USUAL, region="eu-west-1", partition="aws"), "files"),
        (BaseChoice(None, from_environment=True), "environment"),
        (BaseChoice(None), "usual"),
    ],
)
def test_it_is_looked_for_where_it_was_chosen(
    choice: BaseChoice, chain: str, world: World, env: dict[str, str]
) -> None:
    sign_in = Calls(Signed(world.connect))
    machine = computer(world, env, sign_in=sign_in)
    assert sign_in_as(machine, choice, "acme", quiet=True, inside="acme") == sign_in.answer
    home = env["HOME"]
    files = {"AWS_CONFIG_FILE": f"{home}/.aws/config", "AWS_SHARED_CREDENTIALS_FILE": f"{home}/.aws/credentials"}
    wanted = {
        "region": choice.region,
        "partition": choice.partition,
        "ask": None,
        "stored": None,
        "chain": chain,
        "files": files if choice.files else {},
        "child_env": {"VALETKEY_INSIDE": "acme"},
    }
    assert sign_in.calls == [((choice.source,), wanted)]
    # For no profile in particular: programs that are started meanwhile are told nothing.
    sign_in_as(machine, choice, "acme", quiet=True)
    assert sign_in.calls[1] == ((choice.source,), {**wanted, "child_env": {}})


def test_a_key_in_the_keyring_stands_in(world: World, env: dict[str, str]) -> None:
    sign_in = Calls(Signed(world.connect))
    machine = computer(world, env, sign_in=sign_in)
    vault: Any = {}
    machine.vault.put, machine.vault.get = vault.__setitem__, vault.get  # type: ignore[method-assign]
    keep("work", Signed(world.connect), ANN, env=env, vault=machine.vault)
    sign_in_as(machine, BaseChoice("work"), "acme")
    sign_in_as(machine, BaseChoice("other"), "acme")
    assert [named["stored"] for _, named in sign_in.calls] == [stored_key("work", env, machine.vault), None]


def test_its_own_code_is_asked_for_at_the_terminal_or_by_who_stands_in(world: World, env: dict[str, str]) -> None:
    sign_in, terminal, instead = Calls(Signed(world.connect)), Calls(Calls("111111")), Calls("222222")
    machine = computer(world, env, sign_in=sign_in, terminal=terminal)
    sign_in_as(machine, BaseChoice("work"), "what it is for")
    sign_in_as(machine, BaseChoice("work"), "what it is for", ask=instead)
    first, second = (named["ask"] for _, named in sign_in.calls)
    assert (first("device"), second("device")) == ("111111", "222222")
    assert terminal.answer.calls == instead.calls == [(("device",), {"seconds": 40.0})]
    ((words, named),) = terminal.calls
    assert (words, named.keys(), named["before"]()) == (("what it is for",), {"before"}, None)


@pytest.mark.parametrize("token", [None, "token"])
def test_a_session_that_was_made_here_is_refused(token: str | None, world: World, env: dict[str, str]) -> None:
    Cache(env).note_issued("ASIAMADE")
    machine = computer(world, env, sign_in=Calls(Signed(world.connect, access_key_id="ASIAMADE", session_token=token)))
    if token is None:
        sign_in_as(machine, BaseChoice("work"), "acme")
        return
    with pytest.raises(OwnSession) as caught:
        sign_in_as(machine, BaseChoice("work"), "acme")
    said = "the credentials are a session, which valetkey made: such a session is never a base identity"
    assert (caught.value.what, caught.value.do, caught.value.exit_code) == (said, OUT, 1)
    # Another one's session is a base identity.
    other = computer(world, env, sign_in=Calls(Signed(world.connect, access_key_id="ASIAX", session_token="t")))
    assert sign_in_as(other, BaseChoice("work"), "acme").access_key_id == "ASIAX"


def test_a_process_that_answers_for_a_base_identity_resolves_none() -> None:
    refuse_circle("acme", {})
    with pytest.raises(ValetkeyError) as caught:
        refuse_circle("acme", {"VALETKEY_INSIDE": "acme"})
    assert caught.value.what == "the base identity of acme comes from acme itself"
    assert caught.value.do == f"with another `source_profile`, {SET_UP_AGAIN}"
    with pytest.raises(OwnSession) as other:
        refuse_circle("acme", {"VALETKEY_INSIDE": "globex"})
    assert other.value.what == (
        "the credentials are used as the base identity of globex: a session of acme, which valetkey made: such a "
        "session is never a base identity"
    )


INSTEAD = (
    "name the AWS profile of your own user with --profile; or say --base-from-environment, and the role is always "
    "entered with the credentials that the environment has at the time"
)


@pytest.mark.parametrize(
    ("source", "env", "do", "what_is_said", "do_is_said"),
    [
        ("default", {}, SIGN_IN, "none", INSTEAD),
        ("default", {}, "mend the file", "none", "mend the file"),
        ("work", {"AWS_ACCESS_KEY_ID": "A"}, SIGN_IN, "none", INSTEAD),
        (None, {"AWS_ACCESS_KEY_ID": "A"}, SIGN_IN, "none", SIGN_IN),
        *(
            (
                "default",
                {name: "x", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "y"},
                SIGN_IN,
                f"the AWS files have no credentials under [default], and {name} is not a fixed base identity",
                INSTEAD,
            )
            for name in (
                "AWS_ACCESS_KEY_ID",
                "AWS_WEB_IDENTITY_TOKEN_FILE",
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            )
        ),
    ],
)
def test_a_chosen_one_that_is_not_there_says_how_to_name_another(
    source: str | None,
    env: dict[str, str],
    do: str,
    what_is_said: str,
    do_is_said: str,
    world: World,
    home: pathlib.Path,
) -> None:
    machine = computer(world, {"HOME": str(home), **env}, sign_in=Calls(NoBase("none", do=do)))
    with pytest.raises(NoBase) as caught:
        sign_in_chosen(machine, BaseChoice(source), "acme")
    assert (caught.value.what, caught.value.do) == (what_is_said, do_is_said)


def test_a_chosen_one_is_resolved_for_the_profile_to_be_written(world: World, env: dict[str, str]) -> None:
    sign_in = Calls(Signed(world.connect))
    machine = computer(world, env, sign_in=sign_in)
    assert sign_in_chosen(machine, BaseChoice("work"), "acme") == sign_in.answer
    assert sign_in.calls[0][1]["child_env"] == {"VALETKEY_INSIDE": "acme"}
    with pytest.raises(ValetkeyError, match="comes from acme itself"):
        sign_in_chosen(replace(machine, env={**env, "VALETKEY_INSIDE": "acme"}), BaseChoice("work"), "acme")


# --- of a profile of an earlier version -------------------------------------------------------------------------------


class People:
    """Who is who: an AWS profile's name (None: the environment), and the ARN or why there is none."""

    def __init__(self, world: World, **who: Any) -> None:
        self.world = world
        self.who = who
        self.asked: list[dict[str, Any]] = []

    def sign_in(self, source: str | None, /, **named: Any) -> Signed:
        self.asked.append({"source": source, "chain": named["chain"], "ask": named["ask"]})
        result = self.who[source or "environment"]
        if isinstance(result, NoBase):
            raise result

        def connect(keys: Any) -> Any:
            def perform(call: Any, /) -> dict[str, Any]:
                if isinstance(result, str):
                    return {"Arn": result}
                raise result

            return perform

        return Signed(connect)


@pytest.fixture
def old(env: dict[str, str]) -> Profile:
    it = profile()
    os.utime(save(it, env), (START.timestamp(),) * 2)
    return it


def machine_of(people: People, env: dict[str, str]) -> Machine:
    return computer(people.world, env, sign_in=people.sign_in)


def test_the_first_that_is_the_recorded_user_is_written_down(old: Profile, world: World, env: dict[str, str]) -> None:
    path = path_of("acme", env)
    people = People(world, default=BOB, environment=ANN)
    result = bound(machine_of(people, env), old)
    assert result == replace(old, base_from_environment=True, base_arn=ANN)
    assert load("acme", env) == result
    # When it was accepted is seen by the file's time, which stays.
    assert path.stat().st_mtime == START.timestamp()
    # Nobody is asked for a code of a base identity that is only tried.
    assert people.asked == [
        {"source": "default", "chain": "files", "ask": None},
        {"source": None, "chain": "environment", "ask": None},
    ]
    # One that has its base identity is answered as it is.
    assert bound(machine_of(People(world), env), result) is result


def test_default_is_tried_first_and_the_environment_not_at_all_then(
    old: Profile, world: World, env: dict[str, str]
) -> None:
    people = People(world, default=ANN)
    assert bound(machine_of(people, env), old) == replace(old, source_profile="default", base_arn=ANN, base_files=USUAL)
    assert len(people.asked) == 1


def test_it_is_not_written_where_nothing_is_kept(old: Profile, world: World, env: dict[str, str]) -> None:
    result = bound(machine_of(People(world, default=ANN), env), old, keep=False)
    assert result.is_bound
    assert load("acme", env) == old


def test_a_profile_that_was_accepted_anew_meanwhile_is_left_alone(
    old: Profile, world: World, env: dict[str, str]
) -> None:
    newer = replace(old, source_profile="work", base_arn=BOB)
    people = People(world, default=ANN)
    sign_in = people.sign_in

    def meanwhile(source: str | None, /, **named: Any) -> Signed:
        save(newer, env)
        return sign_in(source, **named)

    assert bound(computer(world, env, sign_in=meanwhile), old).base_arn == ANN
    assert load("acme", env) == newer


def test_a_profile_that_cannot_be_written_is_used_all_the_same(
    old: Profile, world: World, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for problem in (OSError("full"), ValetkeyError("full")):
        monkeypatch.setattr("valetkey.credentials.profiles.profile.files.write", Calls(problem))
        assert bound(machine_of(People(world, default=ANN), env), old).base_arn == ANN
    monkeypatch.undo()
    assert load("acme", env) == old


def test_who_is_not_there_or_a_session_of_ours_is_passed_over(old: Profile, world: World, env: dict[str, str]) -> None:
    with pytest.raises(NotBound, match="you are not signed in"):
        bound(machine_of(People(world, default=NoBase("none"), environment=NoBase("none")), env), old)
    Cache(env).note_issued("ASIAMADE")

    def made_here(source: str | None, /, **_: Any) -> Signed:
        connect = World().connect
        return Signed(connect, "ASIAMADE", session_token="t") if source == "default" else Signed(connect)

    assert bound(computer(world, env, sign_in=made_here), old).base_from_environment


def test_who_cannot_be_asked_now_is_an_error_and_who_may_not_ask_is_not(
    old: Profile, world: World, env: dict[str, str]
) -> None:
    """A network that is down is no reason to record the other one."""
    down = refusal("get_caller_identity", "Unreachable", "no route")
    with pytest.raises(Refused) as caught:
        bound(machine_of(People(world, default=down, environment=ANN), env), old)
    assert (caught.value.code, caught.value.what) == ("Unreachable", down.what)
    bad = refusal("get_caller_identity", "InvalidClientTokenId", "")
    assert bound(machine_of(People(world, default=bad, environment=ANN), env), old).base_from_environment
