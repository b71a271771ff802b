"""A role that asks for the user's name: through the MFA session where AWS sees the name there, else with a code."""

from __future__ import annotations

import pathlib
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.credentials.refusal_texts import (
    BOUNDARY,
    CLOSED,
    ENDPOINT,
    IDENTITY,
    NEW,
    RCP,
    SCP,
    SESSION,
    TRUST,
    refused,
)
from tests.unit.credentials.sts_world import DEVICE, START, Base, Calls, World, profile, refusal, role_session

from valetkey.credentials.sessions.broker import limit_of
from valetkey.credentials.sessions.cache import Cache
from valetkey.credentials.sessions.named_people import either_way, is_named, may_be_the_name, way_key
from valetkey.credentials.sessions.protocols import NoTerminal
from valetkey.credentials.sessions.refusals import Refused, WrongCaller, WrongCode
from valetkey.errors import ValetkeyError

NAMED: dict[str, Any] = {"session_name": "username", "max_session": 14400}


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def tools(world: World, told: list[str], tmp_path: pathlib.Path) -> dict[str, Any]:
    return {
        "base": Base(),
        "connect": world.connect,
        "cache": Cache({"XDG_CACHE_HOME": str(tmp_path)}),
        "ask": world.ask,
        "clock": world.clock,
        "tell": told.append,
    }


def entered(world: World) -> list[bool]:
    """Each AssumeRole: whether it carried a code of its own."""
    return ["TokenCode" in params for name, params in world.calls if name == "assume_role"]


def test_where_aws_sees_the_name_in_an_mfa_session_one_code_serves_all(
    world: World, tools: dict[str, Any], told: list[str]
) -> None:
    role_session(profile(**NAMED), **tools)
    world.now += timedelta(hours=2)
    role_session(profile(**NAMED), **tools)
    assert (len(world.asked), entered(world), told) == (1, [False, False], [])


def test_where_it_does_not_the_role_is_entered_with_a_code_of_its_own(
    world: World, tools: dict[str, Any], told: list[str]
) -> None:
    world.sees_names = False
    session = role_session(profile(**NAMED), **tools)
    assert entered(world) == [False, True]
    assert session.credentials.expires == START + timedelta(hours=4)
    # Two codes, and the second one is another.
    assert len(world.sent) == len(set(world.sent)) == 2
    why, result = told
    assert "session name" in why
    assert "code of its own" in result
    # What was learned is kept: the next session takes one code, and neither a refused try nor a word.
    world.now += timedelta(hours=4)
    role_session(profile(**NAMED), **tools)
    assert entered(world) == [False, True, True]
    assert (len(world.sent), len(told)) == (3, 2)
    assert world.count("get_session_token") == 1


def test_no_code_is_burnt_again_and_again_on_a_role_that_refuses_both_ways(
    world: World, tools: dict[str, Any], told: list[str]
) -> None:
    denied = [refusal("assume_role", "AccessDenied", "is not authorized") for _ in range(20)]
    world.fail["assume_role"] = denied
    with pytest.raises(Refused, match="neither through the MFA session nor with a code"):
        role_session(profile(**NAMED), **tools)
    assert len(world.asked) == 2
    for _ in range(4):
        world.now += timedelta(seconds=60)
        with pytest.raises(Refused):
            role_session(profile(**NAMED), **tools)
    assert (len(world.asked), len(told)) == (2, 1)
    world.now += timedelta(seconds=59)
    with pytest.raises(Refused):
        role_session(profile(**NAMED), **tools)
    assert len(world.asked) == 2
    world.now += timedelta(seconds=1)
    with pytest.raises(Refused):
        role_session(profile(**NAMED), **tools)
    assert (len(world.asked), len(told)) == (3, 2)


def test_what_has_let_in_before_is_refused_for_another_reason(
    world: World, tools: dict[str, Any], told: list[str]
) -> None:
    role_session(profile(**NAMED), **tools)
    world.now += timedelta(hours=1)
    world.fail["assume_role"] = [refusal("assume_role", "AccessDenied", "is not authorized")]
    with pytest.raises(Refused):
        role_session(profile(**NAMED), **tools)
    assert (len(world.asked), told) == (1, [])


@pytest.mark.parametrize(
    ("reason", "codes"),
    [
        ("", 2),
        (" because no role trust policy allows the sts:AssumeRole action", 2),
        (" with an explicit deny in the role trust policy", 1),
        (" with an explicit deny in a resource control policy", 1),
        (" because no identity-based policy allows the sts:AssumeRole action", 1),
        (" with an explicit deny in an identity-based policy", 1),
        (" with an explicit deny in a service control policy", 1),
        (" because no permissions boundary allows the sts:AssumeRole action", 1),
        (" because no session policy allows the sts:AssumeRole action", 1),
        (" because no VPC endpoint policy allows the sts:AssumeRole action", 1),
    ],
)
def test_where_aws_names_another_policy_no_second_code_is_asked_for(
    world: World, tools: dict[str, Any], reason: str, codes: int
) -> None:
    text = f"User: ann is not authorized to perform: sts:AssumeRole on resource: role{reason}"
    world.fail["assume_role"] = [refusal("assume_role", "AccessDenied", text)] * 5
    with pytest.raises(Refused):
        role_session(profile(**NAMED), **tools)
    assert len(world.asked) == codes


@pytest.mark.parametrize(
    ("changes", "code", "caller"),
    [
        ({}, "AccessDenied", None),
        (NAMED, "ValidationError", None),
        (NAMED, "Throttling", None),
        # Another account's user is refused before a code is asked for.
        (NAMED, "AccessDenied", "arn:aws:iam::999999999999:user/ann"),
    ],
)
def test_a_second_code_needs_a_reason(
    world: World, tools: dict[str, Any], changes: dict[str, Any], code: str, caller: str | None
) -> None:
    world.fail["assume_role"] = [refusal("assume_role", code, "no")] * 5
    world.caller = caller or world.caller
    with pytest.raises(Refused):
        role_session(profile(**changes), **tools)
    assert world.asked == ([] if caller else [DEVICE])


def test_where_nobody_can_be_asked_it_is_said_once(world: World, tools: dict[str, Any], told: list[str]) -> None:
    role_session(profile(), **tools)  # an MFA session is there
    world.sees_names = False

    def nobody(device: str, /, *, seconds: float, again: str = "") -> str:
        raise NoTerminal("nobody is here")

    tools["ask"] = nobody
    for _ in range(3):
        with pytest.raises(NoTerminal):
            role_session(profile(**NAMED), **tools)
        world.now += timedelta(seconds=30)
    assert len(told) == 1


def test_how_long_it_lasts_is_said_for_both_ways() -> None:
    assert limit_of(profile(**NAMED), Base(), long=False) == (
        "1 h at most through an MFA session, 4 h with a code of its own"
    )


@pytest.mark.parametrize(
    ("changes", "token", "named"),
    [
        ({}, None, True),
        ({"mfa": False}, None, False),
        ({"session_name": None}, None, False),
        # Other rules, before and behind in order.
        ({"session_name": "any"}, None, False),
        ({"session_name": "zone"}, None, False),
        ({}, "token", False),
    ],
)
def test_there_are_two_ways_only_with_a_users_key(changes: dict[str, Any], token: str | None, named: bool) -> None:
    assert is_named(profile(**{**NAMED, **changes}), Base(session_token=token)) is named


def test_what_is_learned_is_learned_of_one_role_and_base_identity() -> None:
    names = {
        way_key(profile(), Base()),
        way_key(profile(), Base(access_key_id="AKIABOB")),
        way_key(profile(), Base(realm="http://x")),
        way_key(profile(external_id="other"), Base()),
        way_key(profile(role_arn="arn:aws:iam::333333333333:role/X"), Base()),
    }
    assert len(names) == 5
    assert way_key(profile(name="other", max_session=900), Base()) in names


class Ways:
    """The two ways into a role: what each answers, and which were tried."""

    def __init__(self, home: pathlib.Path, through: Any, directly: Any = None) -> None:
        self.through, self.directly = Calls(through), Calls(directly)
        self.cache = Cache({"HOME": str(home)})
        self.told: list[str] = []
        self.now = START

    def enter(self) -> Any:
        return either_way(
            profile(**NAMED),
            through=self.through,
            directly=self.directly,
            name="way-x",
            cache=self.cache,
            clock=lambda: self.now,
            tell=self.told.append,
        )

    @property
    def tried(self) -> tuple[int, int]:
        return len(self.through.calls), len(self.directly.calls)


def denied(code: str = "AccessDenied", kind: type[Refused] = Refused) -> Refused:
    return kind("AWS refused", code=code, message="")


WHY_TOLD = (
    "AWS refused the role through the MFA session. The owner requires your user's name as session name, which AWS may "
    "not see in an MFA session: the role is tried with a code of its own (wait for the next one, if you have just "
    "given one)"
)
ONLY = "acme lets you in with a code of its own only: AWS does not see your user's name in an MFA session"


def test_the_way_that_lets_in_is_learned(home: pathlib.Path) -> None:
    it = Ways(home, "session")
    assert it.enter() == "session"
    assert (it.tried, it.told, it.cache.learned("way-x")) == ((1, 0), [], "through")
    # It has let in before: something else has changed since.
    it.through.answer = denied()
    with pytest.raises(Refused):
        it.enter()
    assert it.tried == (2, 0)


def test_what_was_learned_is_not_written_again(home: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    it = Ways(home, "session")
    it.cache.learn("way-x", "through")
    learn = Calls(None)
    monkeypatch.setattr(it.cache, "learn", learn)
    assert it.enter() == "session"
    assert learn.calls == []


def test_the_other_way_is_learned_where_the_first_is_refused(home: pathlib.Path) -> None:
    it = Ways(home, denied(), "session")
    assert it.enter() == "session"
    assert (it.tried, it.told, it.cache.learned("way-x")) == ((1, 1), [WHY_TOLD, ONLY], "directly")
    assert it.enter() == "session"
    assert (it.tried, len(it.told)) == ((1, 2), 2)


@pytest.mark.parametrize("word", ["a way of a later version", "thru", "zigzag"])
def test_a_word_that_is_unknown_is_nothing_learned(word: str, home: pathlib.Path) -> None:
    it = Ways(home, denied(), "session")
    it.cache.learn("way-x", word)
    assert it.enter() == "session"
    assert (it.tried, it.cache.learned("way-x")) == ((1, 1), "directly")


def test_both_refusals_are_said_and_remembered_for_five_minutes(home: pathlib.Path) -> None:
    it = Ways(home, denied(), denied())
    with pytest.raises(Refused) as caught:
        it.enter()
    assert caught.value.what == "AWS refused (neither through the MFA session nor with a code of its own)"
    assert it.told == [WHY_TOLD]
    for seconds, tried in ((299, (2, 1)), (300, (3, 2))):
        it.now = START + timedelta(seconds=seconds)
        it.through.answer, it.directly.answer = denied(), denied()
        with pytest.raises(Refused):
            it.enter()
        assert it.tried == tried


@pytest.mark.parametrize(
    "second", [denied("Throttling"), denied(kind=WrongCode), denied(kind=WrongCaller), NoTerminal("nobody")]
)
def test_a_second_way_that_ends_otherwise_says_nothing_about_the_role(second: Exception, home: pathlib.Path) -> None:
    it = Ways(home, denied(), second)
    for number in (1, 2):
        with pytest.raises(type(second)) as caught:
            it.enter()
        assert "neither" not in str(caught.value)
        assert it.tried == (number, number)
    # Why it was tried is told once in five minutes all the same.
    assert it.told == [WHY_TOLD]
    assert it.cache.learned("way-x") is None


@pytest.mark.parametrize(
    "first", [denied("Throttling"), denied("Aborted"), denied(kind=WrongCode), denied(kind=WrongCaller)]
)
def test_a_refusal_for_another_reason_tries_no_second_way(first: Refused, home: pathlib.Path) -> None:
    it = Ways(home, first, "session")
    with pytest.raises(Refused) as caught:
        it.enter()
    assert caught.value is first
    assert (it.tried, it.told) == ((1, 0), [])


def test_what_cannot_be_kept_is_found_out_again(home: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for through, directly in (("session", None), (denied(), "session"), (denied(), denied())):
        it = Ways(home, through, directly)
        for name in ("learn", "remember_refusal"):
            monkeypatch.setattr(it.cache, name, Calls(ValetkeyError("full")))
        if isinstance(directly, Refused):
            with pytest.raises(Refused, match="neither"):
                it.enter()
        else:
            assert it.enter() == "session"


@pytest.mark.parametrize(
    ("reason", "may_be"),
    [
        ("", True),
        ("with an explicit deny", True),
        (NEW, True),
        (TRUST, True),
        ("because no resource-based policy allows the sts:AssumeRole action", True),
        (CLOSED, False),
        ("with an explicit deny in a resource-based policy", False),
        ("because no resource control policy allows the sts:AssumeRole action", False),
        *((each, False) for each in (IDENTITY, BOUNDARY, SESSION, SCP, RCP, ENDPOINT)),
    ],
)
def test_which_refusals_can_come_from_the_session_name(reason: str, may_be: bool) -> None:
    assert may_be_the_name(refused(reason)) is may_be
