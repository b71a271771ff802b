"""A role that asks for the user's name: through the MFA session where AWS sees the name there, else with a code."""

from __future__ import annotations

import pathlib
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.credentials.sts_world import DEVICE, START, Base, World, profile, refusal, role_session

from valetkey.credentials.sessions.broker import limit_of
from valetkey.credentials.sessions.cache import Cache
from valetkey.credentials.sessions.protocols import NoTerminal
from valetkey.credentials.sessions.refusals import Refused

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
    world.now += timedelta(seconds=120)
    with pytest.raises(Refused):
        role_session(profile(**NAMED), **tools)
    assert len(world.asked) == 3


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
