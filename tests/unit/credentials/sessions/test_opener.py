"""Opening a profile with tools of the test's own: what is asked of the computer, how long a session lasts, what is kept
and dropped, and roles behind the customer's."""

from __future__ import annotations

import contextlib
import os
import pathlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.credentials.sts_world import (
    DEVICE,
    OURS,
    OWNER,
    START,
    Calls,
    Signed,
    World,
    computer,
    parsed,
    profile,
    refusal,
)

from valetkey.credentials.profiles.customers import all_customers
from valetkey.credentials.profiles.names import ProfileError
from valetkey.credentials.profiles.profile import load, save
from valetkey.credentials.sessions.cache import Cache, key
from valetkey.credentials.sessions.machine import Machine
from valetkey.credentials.sessions.opener import (
    Codes,
    check_known,
    drop_customers,
    entry_of,
    grant_profile,
    open_profile,
    tools_of,
)
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


FURTHER = """[profile prod]
role_arn = arn:aws:iam::333333333333:role/Work
source_profile = acme
region = eu-west-3
[profile deep]
role_arn = arn:aws:iam::444444444444:role/team/Deep
source_profile = prod
"""


@pytest.fixture
def further(machine: Machine, home: pathlib.Path) -> Machine:
    """The same with roles behind the customer's."""
    config = home / ".aws/config"
    config.write_text(config.read_text() + FURTHER)
    return machine


def again(home: pathlib.Path, old: str, new: str) -> None:
    config = home / ".aws/config"
    config.write_text(config.read_text().replace(old, new))


@pytest.mark.parametrize(
    ("duration", "long", "seconds", "limit"),
    [
        (None, True, 43200, "12 h at most: the role's own limit (MaxSessionDuration)"),
        (3599, False, 3599, "3599 s at most: duration_seconds of the profile acme in the AWS config"),
        # An hour is all that there is on this way.
        (
            3600,
            False,
            3600,
            "1 h at most: AWS allows no more through an MFA session",
        ),
        (3600, True, 3600, "3600 s at most: duration_seconds of the profile acme in the AWS config"),
        (43199, True, 43199, "43199 s at most: duration_seconds of the profile acme in the AWS config"),
        # It shortens nothing.
        (43200, True, 43200, "12 h at most: the role's own limit (MaxSessionDuration)"),
    ],
)
def test_what_says_how_long_a_session_may_last(
    duration: int | None, long: bool, seconds: int, limit: str, machine: Machine, home: pathlib.Path
) -> None:
    if duration is not None:
        again(home, "[profile acme]", f"[profile acme]\nduration_seconds = {duration}")
    entry = open_profile(machine, "acme", Way(long=long))
    assert entry.limit == limit
    assert entry.session().credentials.expires == START + timedelta(seconds=seconds)
    assert entry.duration == (None if duration in (None, 43200) else duration)


def test_where_to_work_is_what_the_aws_profile_says_now(machine: Machine, home: pathlib.Path) -> None:
    save(replace(load("acme", machine.env), region="us-west-1"), machine.env)
    assert open_profile(machine, "acme").region == "us-west-1"
    again(home, "[profile acme]", "[profile acme]\nregion = eu-west-2")
    assert open_profile(machine, "acme").region == "eu-west-2"


@pytest.mark.parametrize(
    ("way", "own_code"), [(Way(), ""), (Way(long=True), "--long"), (Way(no_cache=True), "--no-cache")]
)
@pytest.mark.parametrize("own_interrupt", [True, False])
def test_the_person_is_asked_for_the_profile_and_told_which_option_wants_a_code(
    way: Way, own_code: str, own_interrupt: bool, world: World, machine: Machine
) -> None:
    terminal = Calls(world.ask)
    here = replace(machine, terminal=terminal)
    open_profile(here, "acme", way, own_interrupt=own_interrupt).session()
    (words, named) = terminal.calls[-1]
    before = named.pop("before")
    assert (words, named) == (("acme",), {"login": "", "own_code": own_code, "own_interrupt": own_interrupt})
    # AWS has taken a call with this key by now, so that none is made before a question.
    count = len(world.calls)
    before()
    assert len(world.calls) == count


def test_ctrl_c_at_a_question_is_for_everybody_unless_said_otherwise(world: World, machine: Machine) -> None:
    terminal = Calls(world.ask)
    here = replace(machine, terminal=terminal)
    open_profile(here, "acme").tools()
    entry_of(here, load("acme", here.env)).tools()
    tools_of(here, Signed(world.connect), "login", Codes("work", login="valetkey login"))
    asked = [(words, named["own_interrupt"], named["login"]) for words, named in terminal.calls if "login" in named]
    assert asked == [(("acme",), False, ""), (("acme",), False, ""), (("login",), False, "valetkey login")]


def test_who_stands_in_for_every_source_is_asked_alone(world: World, machine: Machine) -> None:
    instead = Calls("314159")
    here = replace(machine, terminal=Calls(Calls(AssertionError("the terminal was asked"))))
    entry = open_profile(here, "acme", ask=instead)
    entry.session()
    assert world.sent == ["314159"]
    assert [words for words, _ in instead.calls] == [(DEVICE,)]
    # For the base identity's own code too.
    sign_in = Calls(Signed(world.connect))
    open_profile(replace(machine, sign_in=sign_in), "acme", ask=instead)
    assert sign_in.calls[0][1]["ask"]("device") == "314159"


def test_a_quiet_base_identity_is_not_asked_for_its_own_code(world: World, machine: Machine) -> None:
    sign_in = Calls(Signed(world.connect))
    here = replace(machine, sign_in=sign_in)
    for quiet in (True, False):
        entry_of(here, load("acme", here.env), quiet=quiet)
    assert [named["ask"] is None for _, named in sign_in.calls] == [True, False]
    # Aloud unless said otherwise.
    entry_of(here, load("acme", here.env))
    assert sign_in.calls[-1][1]["ask"] is not None


def test_the_aws_profile_says_what_a_session_carries(world: World, machine: Machine, home: pathlib.Path) -> None:
    again(home, "[profile acme]", "[profile acme]\nrole_session_name = ann.acme")
    entry = open_profile(machine, "acme")
    entry.session()
    assert world.calls[-1][1]["RoleSessionName"] == "ann.acme"
    assert "PolicyArns" not in world.calls[-1][1]
    restricted = open_profile(machine, "acme", Way(read_only=True))
    restricted.session()
    assert world.calls[-1][1]["RoleSessionName"] == "ann.acme"
    assert world.calls[-1][1]["PolicyArns"] == [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]
    assert entry.key != restricted.key


def test_a_session_that_was_handed_out_is_noted_unless_nothing_is_kept(world: World, machine: Machine) -> None:
    open_profile(machine, "acme", Way(no_cache=True)).session()
    assert all_customers(machine.env, world.now)[0][0].session_until is None
    entry = open_profile(machine, "acme", Way(long=True))
    entry.session()
    (customer,), _ = all_customers(machine.env, world.now)
    noted = (customer.session_until, customer.session_key, customer.session_realm)
    assert noted == (START + timedelta(hours=12), entry.key, Signed.realm)


def test_a_session_that_is_to_last_is_made_anew_when_a_quarter_is_gone(world: World, machine: Machine) -> None:
    entry = open_profile(machine, "acme")
    first = entry.session(lasting=True)
    world.now += timedelta(minutes=16)
    assert entry.session() == first
    assert entry.session(lasting=True) != first


def test_one_of_a_role_that_was_accepted_since_is_not_used(world: World, machine: Machine) -> None:
    entry = open_profile(machine, "acme")
    first = entry.session()
    assert entry.kept() == first
    newer = replace(entry, accepted=START + timedelta(seconds=1))
    assert newer.kept() is None
    world.now += timedelta(seconds=1)
    assert newer.session() != first


def test_only_a_session_of_aws_login_is_said_to_lack_mfa_perhaps(world: World, machine: Machine) -> None:
    for source in ("login", "config-file", "sso"):
        world.fail["assume_role"] = [refusal("assume_role", "AccessDenied", "no")]
        here = replace(machine, sign_in=Calls(Signed(world.connect, source=parsed(source))))
        with pytest.raises(Refused) as caught:
            open_profile(here, "acme", Way(no_cache=True)).session()
        assert ("aws login" in caught.value.what) is (source == "login")


# --- the MFA session --------------------------------------------------------------------------------------------------


def test_the_mfa_session_that_the_role_is_assumed_from(world: World, machine: Machine) -> None:
    save(replace(load("acme", machine.env), mfa_max_age=900), machine.env)
    first = open_profile(machine, "acme").mfa_session()
    assert first.credentials.access_key_id == "ASIAMFA0"
    world.now += timedelta(minutes=14)
    assert open_profile(machine, "acme").mfa_session() == first
    world.now += timedelta(minutes=1)
    assert open_profile(machine, "acme").mfa_session() != first


@pytest.mark.parametrize(("change", "token"), [({"mfa": False}, None), ({"mfa_serial": None}, None), ({}, "token")])
def test_a_role_that_is_entered_without_an_mfa_session_has_none(
    change: dict[str, Any], token: str | None, world: World, machine: Machine
) -> None:
    save(replace(load("acme", machine.env), **change), machine.env)
    here = replace(machine, sign_in=Calls(Signed(world.connect, session_token=token)))
    with pytest.raises(ValetkeyError) as caught:
        open_profile(here, "acme").mfa_session()
    assert caught.value.what == "the role of acme is not assumed from an MFA session of valetkey's"
    assert caught.value.do == "use the base profile itself"
    assert world.calls == []


# --- what is kept, and what is gone -----------------------------------------------------------------------------------


def test_a_session_is_kept_until_its_end(world: World, machine: Machine) -> None:
    entry = open_profile(machine, "acme")
    assert entry.kept() is None
    made = entry.session()
    world.now = made.credentials.expires - timedelta(microseconds=1)
    calls = len(world.calls)
    assert entry.kept() == made
    world.now = made.credentials.expires
    assert entry.kept() is None
    assert len(world.calls) == calls
    # One that was made in the very moment in which the profile was written is the new role's.
    world.now = START
    assert replace(entry, accepted=START).kept() == made


def test_a_session_that_is_dropped_is_dropped_wherever_it_is(
    world: World, machine: Machine, home: pathlib.Path
) -> None:
    entry = open_profile(machine, "acme")
    made = entry.session()
    hot = home / ".cache/valetkey/hot/acme"
    hot.parent.mkdir(mode=0o700)
    hot.write_text("answer")
    entry.drop(made)
    assert entry.kept() is None
    assert not hot.exists()
    assert all_customers(machine.env, world.now)[0][0].session_until is None
    entry.drop(made)


def test_a_session_that_another_process_has_made_since_stays(world: World, machine: Machine) -> None:
    entry = open_profile(machine, "acme")
    old = entry.session()
    entry.drop(old)
    new = entry.session()
    entry.drop(old)
    assert entry.kept() == new != old


@pytest.mark.parametrize(
    ("code", "found"), [("", "known"), ("InvalidClientTokenId", "gone"), ("Unreachable", "unknown")]
)
def test_what_aws_says_of_a_kept_session_and_only_one_that_is_gone_is_dropped(
    code: str, found: str, world: World, machine: Machine
) -> None:
    entry = open_profile(machine, "acme")
    calls = len(world.calls)
    assert (entry.looked_at(), entry.dropped()) == (None, False)
    assert len(world.calls) == calls
    made = entry.session()
    for session in (None, made):
        for ask, answer in ((entry.looked_at, found), (entry.dropped, found == "gone")):
            Cache(machine.env).put(entry.key, made)
            world.fail["get_caller_identity"] = [refusal("get_caller_identity", code)] if code else []
            assert ask(session) == answer
            assert (entry.kept() is None) is (found == "gone")


def test_a_base_identity_that_was_looked_up_is_written_down_unless_nothing_is_kept(machine: Machine) -> None:
    old = profile()
    save(old, machine.env)
    assert open_profile(machine, "acme", Way(no_cache=True)).profile.is_bound
    assert load("acme", machine.env) == old
    result = open_profile(machine, "acme").profile
    assert load("acme", machine.env) == result != old


def test_what_cannot_be_looked_at_is_not_gone(machine: Machine) -> None:
    entry = open_profile(machine, "acme")
    made = entry.session()
    broken = replace(entry, base=Signed(Calls(ValetkeyError("no endpoint"))))
    assert broken.looked_at(made) is None
    assert broken.dropped(made) is False
    assert entry.kept() == made


# --- roles behind the customer's --------------------------------------------------------------------------------------


def test_a_role_behind_the_customer_s_is_entered_from_its_session(world: World, further: Machine) -> None:
    terminal = Calls(world.ask)
    entry = open_profile(replace(further, terminal=terminal), "deep", Way(read_only=True), own_interrupt=True)
    terminal.calls.clear()
    assert [item.profile.name for item in (entry, entry.through, entry.root)] == ["deep", "prod", "acme"]  # type: ignore[union-attr]
    assert entry.limit == "1 h at most: the limit of AWS for a role that is assumed from a role (role chaining)"
    assert entry.region == "eu-west-3"
    session = entry.session()
    assert session.credentials.account == "444444444444"
    entered = [(params["RoleArn"], "PolicyArns" in params) for name, params in world.calls if name == "assume_role"]
    # What restricts the session is for the last role.
    assert entered == [
        (f"arn:aws:iam::{OWNER}:role/team/Audit", False),
        ("arn:aws:iam::333333333333:role/Work", False),
        ("arn:aws:iam::444444444444:role/team/Deep", True),
    ]
    assert {named["own_interrupt"] for _, named in terminal.calls} == {True}
    assert entry.kept() == session
    assert entry.through is not None
    assert len({entry.key, entry.through.key, entry.root.key}) == 3
    # The note is the customer's, and only its own session is in it.
    (customer,), _ = all_customers(further.env, world.now)
    assert customer.session_key == entry.root.key
    # Its codes are those of the customer's base identity.
    assert entry.mfa_session().credentials.access_key_id == "ASIAMFA0"


def test_what_is_dropped_of_a_role_behind_is_its_own_session_alone(world: World, further: Machine) -> None:
    entry = open_profile(further, "prod")
    made = entry.session()
    entry.drop(made)
    assert entry.kept() is None
    assert entry.root.kept() is not None
    assert all_customers(further.env, world.now)[0][0].session_key == entry.root.key


def test_a_session_in_between_that_aws_does_not_know_is_made_anew(world: World, further: Machine) -> None:
    entry = open_profile(further, "prod")
    first = entry.root.session()
    world.now += timedelta(minutes=1)
    world.dead.add(first.credentials.access_key_id)
    assert entry.session().credentials.account == "333333333333"
    assert entry.root.kept() not in (None, first)


def test_a_role_behind_is_not_entered_with_a_code_of_its_own(further: Machine) -> None:
    with pytest.raises(ValetkeyError) as caught:
        open_profile(further, "deep", Way(long=True))
    assert caught.value.what == (
        "deep is assumed from the role of prod, and AWS limits such a session to an hour (role chaining)"
    )
    assert caught.value.do == "leave --long out"


def test_only_a_grant_s_profile_is_a_grant_s(further: Machine) -> None:
    assert grant_profile("acme", further.env) == load("acme", further.env)
    with pytest.raises(ValetkeyError) as caught:
        grant_profile("deep", further.env)
    assert caught.value.what == "deep is not a grant, but a role that is assumed from one"
    assert caught.value.do == "name the grant: acme"
    for known in ("acme", "prod", "deep"):
        check_known(known, further.env)
    for ask in (check_known, grant_profile):
        with pytest.raises(ProfileError, match='there is no profile "work"'):
            ask("work", further.env)
    with pytest.raises(ProfileError, match="cannot name a profile"):
        check_known("-x", further.env)


# --- which customers' sessions are gone -------------------------------------------------------------------------------


@pytest.fixture
def three(world: World, machine: Machine, home: pathlib.Path) -> dict[str, Any]:
    """Three customers with a kept session each, by the access key of that session."""
    config = home / ".aws/config"
    for name in ("globex", "initech"):
        path = save(
            replace(load("acme", machine.env), name=name, role_arn=f"arn:aws:iam::{OWNER}:role/{name}"), machine.env
        )
        os.utime(path, (START.timestamp() - 60,) * 2)
        config.write_text(config.read_text() + f"[profile {name}]\n")
    return {name: open_profile(machine, name).session() for name in ("acme", "globex", "initech")}


def test_the_customers_whose_session_is_gone_are_named_and_the_others_keep_theirs(
    three: dict[str, Any], world: World, machine: Machine, home: pathlib.Path
) -> None:
    gone = three["globex"].credentials.access_key_id
    asked = []

    def calling(keys: Any, /, **named: Any) -> Any:
        asked.append((keys.access_key_id, named))

        def perform(call: Any, /) -> dict[str, Any]:
            if keys.access_key_id == gone:
                raise refusal("get_caller_identity", "InvalidClientTokenId")
            return {"Arn": "x"}

        return perform, Signed.realm

    here = replace(machine, calling=calling)
    hot = home / ".cache/valetkey/hot/globex"
    hot.parent.mkdir(mode=0o700)
    hot.write_text("answer")
    customers = all_customers(machine.env, world.now)[0]
    assert drop_customers(here, customers) == {"globex"}
    files = {"AWS_CONFIG_FILE": str(home / ".aws/config")}
    named = {"profile": "work", "region": None, "partition": "aws", "files": files}
    key = lambda item: item[0]  # noqa: E731
    assert sorted(asked, key=key) == sorted(
        [(item.credentials.access_key_id, named) for item in three.values()], key=key
    )
    left = {customer.profile.name: customer.session_key for customer in all_customers(machine.env, world.now)[0]}
    assert [name for name, session in left.items() if session] == ["acme", "initech"]
    assert (
        Cache(machine.env).get(
            next(customer.session_key for customer in customers if customer.profile.name == "globex")
        )
        is None
    )
    assert open_profile(machine, "acme").kept() == three["acme"]
    assert not hot.exists()
    # Of one without a session nothing is asked.
    asked.clear()
    assert drop_customers(here, all_customers(machine.env, world.now)[0]) == frozenset()
    assert len(asked) == 2
    asked.clear()
    assert drop_customers(here, []) == frozenset()
    assert asked == []


def test_a_note_whose_session_is_kept_no_more_asks_nobody(
    three: dict[str, Any], world: World, machine: Machine
) -> None:
    customers = all_customers(machine.env, world.now)[0]
    for customer in customers:
        Cache(machine.env).drop(customer.session_key)
    assert drop_customers(replace(machine, calling=Calls(AssertionError("AWS was asked"))), customers) == frozenset()


@pytest.mark.parametrize(
    "calling",
    [
        # Another endpoint (a sandbox) cannot know the sessions of this one.
        Calls((Calls(refusal("get_caller_identity", "InvalidClientTokenId")), "http://127.0.0.1:1")),
        Calls((Calls(refusal("get_caller_identity", "Unreachable")), Signed.realm)),
        Calls(ValetkeyError("no region")),
    ],
)
def test_what_says_nothing_about_a_session_leaves_it(
    calling: Calls, three: dict[str, Any], world: World, machine: Machine
) -> None:
    customers = all_customers(machine.env, world.now)[0]
    assert drop_customers(replace(machine, calling=calling), customers) == frozenset()
    assert open_profile(machine, "globex").kept() == three["globex"]
    assert all(customer.session_key for customer in all_customers(machine.env, world.now)[0])
