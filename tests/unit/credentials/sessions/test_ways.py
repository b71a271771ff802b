"""The long way, further roles, what a session carries: each is another entry of the cache, and AWS's limits hold."""

from __future__ import annotations

import pathlib
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.credentials.sts_world import (
    DEVICE,
    OWNER,
    START,
    Base,
    World,
    further_session,
    mfa_session,
    profile,
    refusal,
    role_session,
)

from valetkey.credentials.profiles.profile import TermsOrigin
from valetkey.credentials.profiles.settings import SessionSettings
from valetkey.credentials.sessions.broker import limit_of, role_key
from valetkey.credentials.sessions.cache import Cache, Session
from valetkey.credentials.sessions.chained_roles import further_role
from valetkey.credentials.sessions.protocols import Dismissed
from valetkey.credentials.sessions.refusals import Refused, WrongCaller, WrongCode, about_aws_login
from valetkey.errors import ValetkeyError


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def tools(world: World, home: pathlib.Path) -> dict[str, Any]:
    return {
        "base": Base(),
        "connect": world.connect,
        "cache": Cache({"HOME": str(home)}),
        "ask": world.ask,
        "clock": world.clock,
    }


def test_the_long_way_is_one_call_with_a_code_for_as_long_as_the_role_allows(
    world: World, tools: dict[str, Any]
) -> None:
    session = role_session(profile(), long=True, **tools)
    assert session.credentials.expires == START + timedelta(hours=12)
    assert [name for name, _ in world.calls] == ["get_caller_identity", "assume_role"]
    sent = world.calls[-1][1]
    assert (sent["SerialNumber"], sent["TokenCode"], sent["DurationSeconds"]) == (DEVICE, "000000", 43200)
    # Kept, and nobody is asked again.
    world.now += timedelta(hours=2)
    assert role_session(profile(), long=True, **tools) == session
    assert len(world.asked) == 1


def test_the_two_ways_share_nothing(world: World, tools: dict[str, Any]) -> None:
    long = role_session(profile(), long=True, **tools)
    short = role_session(profile(), **tools)
    assert short.credentials.expires == START + timedelta(hours=1)
    assert role_session(profile(), long=True, **tools) == long
    assert len(world.asked) == 2
    # Also when both last an hour.
    hour = profile(max_session=3600, name="hour", role_arn=f"arn:aws:iam::{OWNER}:role/Hour")
    assert role_session(hour, **tools) != role_session(hour, long=True, **tools)


def test_the_long_way_refuses_a_wrong_account_before_the_external_id_is_sent(
    world: World, tools: dict[str, Any]
) -> None:
    world.caller = "arn:aws:iam::555555555555:user/ann"
    with pytest.raises(Refused, match="of account 555555555555"):
        role_session(profile(), long=True, **tools)
    assert (world.count("assume_role"), world.asked) == (0, [])


def test_no_long_way_from_a_temporary_session(world: World, tools: dict[str, Any]) -> None:
    tools["base"] = Base(access_key_id="ASIAX", session_token="t")
    for mfa in (True, False):
        with pytest.raises(ValetkeyError, match="limits sessions from one to an hour"):
            role_session(profile(mfa=mfa), long=True, **tools)
    assert world.calls == []


def test_the_limit_that_applies_is_said() -> None:
    keys, temporary = Base(), Base(session_token="t")
    assert limit_of(profile(), keys, long=False) == (
        "1 h at most: AWS allows no more through an MFA session; --long gives 12 h for a code"
    )
    assert limit_of(profile(), keys, long=True) == "12 h at most: the role's own limit (MaxSessionDuration)"
    assert limit_of(profile(max_session=3600), keys, long=False).endswith("through an MFA session")
    assert limit_of(profile(mfa=False, max_session=5400), keys, long=False).startswith("5400 s at most: the role's own")
    assert "role chaining" in limit_of(profile(), temporary, long=False)
    typed = profile(mfa=False, max_session=5400, origin=TermsOrigin.TYPED, unknown=frozenset({"max_session", "mfa"}))
    assert limit_of(typed, keys, long=False) == "5400 s, as the profile asks for: the role's own limit is not known"


def test_a_code_is_sent_once_whoever_asks(world: World, tools: dict[str, Any]) -> None:
    """The MFA session has used it; the same code for the long way would be refused by AWS, and is not sent."""
    codes = iter(["111111", "111111", "222222"])

    def ask(device: str, /, *, seconds: float, again: str = "") -> str:
        world.asked.append(again)
        return next(codes)

    tools["ask"] = ask
    role_session(profile(), **tools)
    role_session(profile(), long=True, **tools)
    assert world.sent == ["111111", "222222"]
    assert world.asked[-1] == "this code was sent already (each works once): wait for the next one"


def test_a_source_that_gives_the_same_code_for_ever_is_given_up(world: World, tools: dict[str, Any]) -> None:
    world.used.add("111111")
    tools["ask"] = lambda device, *, seconds, again="": "111111"
    with pytest.raises(Dismissed, match="was sent already"):
        role_session(profile(), **tools)
    assert world.sent == ["111111"]
    # Long after, it may be another device's code by chance.
    world.used.clear()
    world.now += timedelta(minutes=6)
    role_session(profile(), **tools)


def test_a_wrong_code_on_the_long_way_too(world: World, tools: dict[str, Any]) -> None:
    world.used.update({"000000", "000001"})
    with pytest.raises(WrongCode):
        role_session(profile(), long=True, **tools)
    with pytest.raises(Dismissed, match="a moment ago"):
        role_session(profile(), **tools)
    assert len(world.asked) == 2


def test_login_asks_although_a_session_is_there_and_a_question_failed(world: World, tools: dict[str, Any]) -> None:
    first = mfa_session(serial=DEVICE, max_age=None, **tools)
    tools["cache"].remember_refusal("anything", world.now)
    world.used.update({"000001", "000002"})
    with pytest.raises(WrongCode):
        mfa_session(serial=DEVICE, max_age=None, fresh=True, **tools)
    second = mfa_session(serial=DEVICE, max_age=None, fresh=True, life=129600, **tools)
    assert second != first
    assert second.credentials.expires == START + timedelta(hours=36)
    # Everybody uses the new one, also those who ask for twelve hours.
    world.now += timedelta(hours=35)
    assert mfa_session(serial=DEVICE, max_age=None, **tools) == second


def test_a_session_is_used_until_shortly_before_it_is_too_old(world: World, tools: dict[str, Any]) -> None:
    """A minute before, and where the owner asks for less than four minutes a quarter of that."""
    first = mfa_session(serial=DEVICE, max_age=120, **tools)
    world.now += timedelta(seconds=90)
    assert mfa_session(serial=DEVICE, max_age=120, **tools) == first
    world.now += timedelta(seconds=1)
    assert mfa_session(serial=DEVICE, max_age=120, **tools) != first


def test_a_cache_that_keeps_nothing_leaves_no_session_behind(
    world: World, tools: dict[str, Any], home: pathlib.Path
) -> None:
    tools["cache"] = Cache({"HOME": str(home)}, keep=False)
    session = role_session(profile(), **tools)
    assert role_session(profile(), **tools) == session
    kept = [item for item in (home / ".cache").rglob("*") if item.is_file()]
    assert all("hush" not in item.read_text() for item in kept)
    assert not list((home / ".cache").rglob("*.json"))
    other = Cache({"HOME": str(home)}, keep=False)
    assert role_session(profile(), **{**tools, "cache": other}) != session


@pytest.mark.parametrize(
    "settings",
    [
        SessionSettings(session_name="ann.acme"),
        SessionSettings(source_identity="ann"),
        SessionSettings(tags=(("project", "blue"),)),
        SessionSettings(tags=(("project", "blue"),), transitive=("project",)),
        SessionSettings(policy_arns=("arn:aws:iam::aws:policy/ReadOnlyAccess",)),
    ],
)
def test_what_a_session_carries_is_sent_and_part_of_its_name(
    settings: SessionSettings, world: World, tools: dict[str, Any]
) -> None:
    it = profile(source_identity=True, session_tags=True)
    plain = role_session(it, **tools)
    session = role_session(it, settings=settings, **tools)
    assert session != plain
    assert role_session(it, settings=settings, **tools) == session
    assert role_session(it, **tools) == plain
    sent = world.calls[-1][1]
    assert sent["RoleSessionName"] == (settings.session_name or "ann")
    assert sent.get("SourceIdentity") == settings.source_identity
    assert sent.get("Tags", []) == [{"Key": key, "Value": value} for key, value in settings.tags]
    assert sent.get("TransitiveTagKeys", []) == list(settings.transitive)
    assert sent.get("PolicyArns", []) == [{"arn": arn} for arn in settings.policy_arns]


def test_a_further_role_is_entered_from_the_first_ones_session(world: World, tools: dict[str, Any]) -> None:
    first = profile()
    second = further_role(
        "acme-prod", {"role_arn": "arn:aws:iam::333333333333:role/Work", "external_id": "vk-second"}, source=first
    )
    sources = []
    lost: list[Session] = []

    def source() -> Any:
        sources.append(1)
        return role_session(first, **tools)

    shared = {name: tools[name] for name in ("connect", "cache", "clock")} | {"lost": lost.append}
    key = role_key(first, Base())
    session = further_session(second, source=source, source_arn=first.role_arn, source_key=key, **shared)
    assert session.credentials.account == "333333333333"
    assert session.credentials.expires == START + timedelta(hours=1)
    sent = world.calls[-1][1]
    assert (sent["ExternalId"], sent["RoleSessionName"]) == ("vk-second", "ann")
    assert "DurationSeconds" not in sent
    assert further_session(second, source=source, source_arn=first.role_arn, source_key=key, **shared) == session
    assert len(sources) == 1
    # Entered from elsewhere it is another session.
    other = role_key(profile(external_id="other"), Base())
    assert further_session(second, source=source, source_arn=first.role_arn, source_key=other, **shared) != session
    assert lost == []


def test_a_first_role_that_was_made_anew_is_entered_anew(world: World, tools: dict[str, Any]) -> None:
    """AWS does not know its kept session any more: that is dropped, and the further role entered from a new one."""
    first = profile()
    second = further_role("acme-prod", {"role_arn": "arn:aws:iam::333333333333:role/Work"}, source=first)
    old = role_session(first, **tools)
    world.now += timedelta(minutes=1)
    lost: list[Session] = []

    def drop(session: Session) -> None:
        lost.append(session)
        tools["cache"].drop(role_key(first, Base()))

    def enter() -> Session:
        shared = {name: tools[name] for name in ("connect", "cache", "clock")}
        key = role_key(first, Base())
        source = lambda: role_session(first, **tools)  # noqa: E731
        return further_session(second, source=source, lost=drop, source_arn=first.role_arn, source_key=key, **shared)

    world.fail["assume_role"] = [refusal("assume_role", "InvalidClientTokenId")]
    assert enter().credentials.account == "333333333333"
    assert lost == [old]
    assert role_session(first, **tools) != old
    # Once: a new session that is refused too is not dropped for ever.
    tools["cache"].drop(role_key(first, Base()))
    world.now += timedelta(hours=1)
    world.fail["assume_role"] = []
    role_session(first, **tools)
    world.now += timedelta(seconds=1)
    world.fail["assume_role"] = [
        refusal("assume_role", "InvalidClientTokenId"),
    ]
    enter()
    assert len(lost) == 2


@pytest.mark.parametrize("later", [0, 1])
def test_a_first_role_that_was_entered_for_this_very_call_is_not_entered_twice(
    later: int, world: World, tools: dict[str, Any]
) -> None:
    """What AWS refuses right after it gave it is refused for another reason."""
    first = profile()
    second = further_role("acme-prod", {"role_arn": "arn:aws:iam::333333333333:role/Work"}, source=first)
    lost: list[Session] = []

    def source() -> Session:
        world.now += timedelta(seconds=later)
        made = role_session(first, **tools)
        world.dead.add(made.credentials.access_key_id)
        return made

    with pytest.raises(Refused) as caught:
        further_session(
            second,
            source=source,
            lost=lost.append,
            source_arn=first.role_arn,
            source_key=role_key(first, Base()),
            **{name: tools[name] for name in ("connect", "cache", "clock")},
        )
    assert caught.value.code == "ExpiredToken"
    assert lost == []


def test_what_a_further_role_refuses_says_who_asked(world: World, tools: dict[str, Any]) -> None:
    first = profile()
    second = further_role("acme-prod", {"role_arn": "arn:aws:iam::333333333333:role/Work"}, source=first)
    session = role_session(first, **tools)
    world.fail["assume_role"] = [refusal("assume_role", "AccessDenied", "no")]
    world.caller = f"arn:aws:sts::{OWNER}:assumed-role/Audit/ann"
    with pytest.raises(Refused, match=f"has to admit arn:aws:iam::{OWNER}:role/team/Audit, and must not require MFA"):
        further_session(
            second,
            source=lambda: session,
            lost=lambda _: None,
            source_arn=first.role_arn,
            source_key="x",
            connect=world.connect,
            cache=tools["cache"],
            clock=world.clock,
        )


def test_what_is_not_settled_about_aws_login_is_said_where_it_may_be_the_reason() -> None:
    def refused(code: str = "AccessDenied") -> Refused:
        return Refused("AWS refused", code=code, message="no", do="ask")

    result = about_aws_login(refused(), profile())
    assert "AWS does not say whether a session of `aws login` carries that" in result.what
    assert "an IAM user's access key" in result.do
    for other in (
        about_aws_login(refused(), profile(mfa=False)),
        about_aws_login(WrongCaller("of another account", code="AccessDenied", message="no"), profile()),
        about_aws_login(refused("ExpiredToken"), profile()),
    ):
        assert "aws login" not in other.what
