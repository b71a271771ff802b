"""The broker against a STS that keeps AWS's rules: codes once, sessions expire, role chaining lasts an hour."""

from __future__ import annotations

import pathlib
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.credentials.sts_world import (
    DEVICE,
    OURS,
    OWNER,
    START,
    Base,
    Calls,
    World,
    mfa_session,
    profile,
    refusal,
    role_session,
)

from valetkey.credentials.profiles.identity import parse_identity
from valetkey.credentials.profiles.settings import SessionSettings
from valetkey.credentials.sessions.base_binding import is_recorded
from valetkey.credentials.sessions.broker import about_end, further_key, has_ended, limit_of, role_key, stale_at
from valetkey.credentials.sessions.cache import REMEMBER, Busy, Cache, Session, key
from valetkey.credentials.sessions.protocols import Dismissed, Ended, NoTerminal
from valetkey.credentials.sessions.refusals import NO_ANSWER, Refused, WrongCaller, WrongCode
from valetkey.credentials.sessions.roles import role_call
from valetkey.credentials.sessions.values import Credentials
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


def test_the_whole_way(world: World, tools: dict[str, Any]) -> None:
    session = role_session(profile(), **tools)
    assert session.credentials.account == OWNER
    assert session.credentials.expires == START + timedelta(hours=1)
    assert world.calls == [
        ("get_caller_identity", {}),  # whose key it is, once for all
        ("get_session_token", {"SerialNumber": DEVICE, "TokenCode": "000000", "DurationSeconds": 43200}),
        (
            "assume_role",
            {
                "RoleArn": f"arn:aws:iam::{OWNER}:role/team/Audit",
                "RoleSessionName": "ann",
                "ExternalId": "vk-0123456789",
            },
        ),
    ]
    assert role_session(profile(), **tools) == session
    assert len(world.calls) == 3
    role_session(profile(name="globex", role_arn=f"arn:aws:iam::{OWNER}:role/Other"), **tools)
    assert world.count("get_caller_identity") == 1


def test_a_duration_is_sent_only_where_it_is_not_awss_default(world: World, tools: dict[str, Any]) -> None:
    """A session that was asked for with DurationSeconds by a temporary session cannot be signed in with: fact U2."""
    for seconds, sent in ((3600, None), (7200, 7200), (43200, 43200)):
        role_session(profile(mfa=False, max_session=seconds), **tools)
        assert world.calls[-1][1].get("DurationSeconds") == sent
        # Through an MFA session it is an hour at most, which is the default.
        role_session(profile(max_session=seconds), **tools)
        assert "DurationSeconds" not in world.calls[-1][1]


LOWERED = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."


def test_a_limit_that_the_owner_has_lowered_needs_no_new_handoff(world: World, tools: dict[str, Any]) -> None:
    world.fail["assume_role"] = [refusal("assume_role", "ValidationError", LOWERED)]
    session = role_session(profile(mfa=False), **tools)
    assert "DurationSeconds" not in world.calls[-1][1]
    assert session.credentials.expires == START + timedelta(hours=1)


def test_a_one_time_code_is_not_sent_twice_for_it(world: World, tools: dict[str, Any]) -> None:
    world.fail["assume_role"] = [refusal("assume_role", "ValidationError", LOWERED)]
    with pytest.raises(Refused, match="below the one in the handoff"):
        role_session(profile(), long=True, **tools)
    assert world.count("assume_role") == 1


def test_a_refusal_says_that_the_owner_may_have_rotated(world: World, tools: dict[str, Any]) -> None:
    world.fail["assume_role"] = [refusal("assume_role", "AccessDenied", "no")]
    with pytest.raises(Refused) as caught:
        role_session(profile(), **tools)
    assert "the owner may have rotated: accept the new handoff" in caught.value.do


def test_no_secret_in_a_repr(world: World, tools: dict[str, Any]) -> None:
    text = repr(role_session(profile(), **tools))
    assert "hush" not in text
    assert "token-" not in text


def test_one_code_serves_every_customer_for_twelve_hours(world: World, tools: dict[str, Any]) -> None:
    role_session(profile(), **tools)
    role_session(profile(name="other", role_arn="arn:aws:iam::333333333333:role/X", external_id="other"), **tools)
    for _ in range(11):
        world.now += timedelta(hours=1)
        role_session(profile(), **tools)
    assert len(world.asked) == 1
    world.now += timedelta(minutes=56)
    role_session(profile(), **tools)
    assert len(world.asked) == 2


def test_without_mfa_nobody_is_asked_and_the_session_is_as_long_as_the_role_allows(
    world: World, tools: dict[str, Any]
) -> None:
    session = role_session(profile(mfa=False), **tools)
    assert session.credentials.expires == START + timedelta(hours=12)
    assert world.count("get_session_token") == 0


def test_temporary_base_keys_go_straight_and_for_an_hour(world: World, tools: dict[str, Any]) -> None:
    tools["base"] = Base(access_key_id="ASIAX", session_token="t")
    role_session(profile(), **tools)
    assert [name for name, _ in world.calls] == ["get_caller_identity", "assume_role"]
    assert "DurationSeconds" not in world.calls[-1][1]


@pytest.mark.parametrize(
    ("base", "caller", "mfa"),
    [
        (Base(access_key_id="ASIAX", session_token="t"), "sts::555555555555:assumed-role/Audit/ann", True),
        (Base(), "iam::555555555555:user/ann", False),
    ],
)
def test_no_external_id_is_sent_from_another_customers_account(
    base: Base, caller: str, mfa: bool, world: World, tools: dict[str, Any]
) -> None:
    tools["base"] = base
    world.caller = f"arn:aws:{caller}"
    with pytest.raises(Refused, match="of account 555555555555; the role trusts"):
        role_session(profile(mfa=mfa), **tools)
    assert world.count("assume_role") == 0


def test_a_grant_without_external_id_sends_none(world: World, tools: dict[str, Any]) -> None:
    role_session(profile(external_id=None), **tools)
    assert "ExternalId" not in world.calls[-1][1]


@pytest.mark.parametrize(
    "change",
    [
        {"role_arn": f"arn:aws:iam::{OWNER}:role/team/Other"},
        {"role_arn": f"arn:aws-cn:iam::{OWNER}:role/team/Audit"},
        {"external_id": "other"},
        {"external_id": None},
        {"user_name": "bob"},
        {"mfa": False, "max_session": 3600},
        {"mfa_serial": f"arn:aws:iam::{OURS}:mfa/second"},
    ],
)
def test_a_changed_profile_is_not_answered_from_the_cache(
    change: dict[str, Any], world: World, tools: dict[str, Any]
) -> None:
    old = role_session(profile(), **tools)
    world.answer_arn = None
    if "user_name" in change:
        # The same key is the other user's now (a user was renamed).
        tools["base"] = Base(access_key_id="AKIABOB")
        world.caller = f"arn:aws:iam::{OURS}:user/bob"
    if "aws-cn" in change.get("role_arn", ""):
        world.answer_arn = f"arn:aws-cn:sts::{OWNER}:assumed-role/Audit/ann"
    assert role_session(profile(**change), **tools) != old


@pytest.mark.parametrize("base", [Base(access_key_id="AKIABOB"), Base(realm="http://127.0.0.1:9")])
def test_another_base_identity_or_endpoint_shares_nothing(base: Base, world: World, tools: dict[str, Any]) -> None:
    old = role_session(profile(), **tools)
    assert role_session(profile(), **{**tools, "base": base}) != old
    assert len(world.asked) == 2


def test_renewed_with_twenty_minutes_left_and_by_a_third_when_short(world: World, tools: dict[str, Any]) -> None:
    old = role_session(profile(), **tools)
    world.now = START + timedelta(minutes=40, seconds=-1)
    assert role_session(profile(), **tools) == old
    world.now = START + timedelta(minutes=40)
    assert role_session(profile(), **tools) != old
    world.now = START
    short = role_session(profile(mfa=False, max_session=900), **tools)
    world.now = START + timedelta(seconds=599)
    assert role_session(profile(mfa=False, max_session=900), **tools) == short
    world.now = START + timedelta(seconds=600)
    assert role_session(profile(mfa=False, max_session=900), **tools) != short


def test_lasting_has_three_quarters_left(world: World, tools: dict[str, Any]) -> None:
    old = role_session(profile(), **tools)
    world.now = START + timedelta(minutes=15)
    assert role_session(profile(), lasting=True, **tools) == old
    world.now = START + timedelta(minutes=15, microseconds=1)
    assert role_session(profile(), **tools) == old
    assert role_session(profile(), lasting=True, **tools) != old


def test_a_session_from_before_the_profile_was_accepted_is_not_used(world: World, tools: dict[str, Any]) -> None:
    old = role_session(profile(), **tools)
    world.now += timedelta(minutes=5)
    assert role_session(profile(), since=START, **tools) == old
    assert role_session(profile(), since=START + timedelta(microseconds=1), **tools) != old
    assert len(world.asked) == 1


def test_a_clock_set_back_does_not_prolong_a_session(world: World, tools: dict[str, Any]) -> None:
    old = role_session(profile(), **tools)
    world.now = START - timedelta(hours=1)
    assert role_session(profile(), **tools) != old


def test_an_mfa_session_older_than_the_grant_allows_is_not_used(world: World, tools: dict[str, Any]) -> None:
    strict = profile(name="strict", role_arn=f"arn:aws:iam::{OWNER}:role/Strict", mfa_max_age=3600)
    role_session(profile(), **tools)
    world.now += timedelta(minutes=58)
    role_session(strict, **tools)
    assert len(world.asked) == 1
    world.now += timedelta(minutes=50)
    role_session(strict, **tools)
    assert len(world.asked) == 2
    # The younger one serves the others too.
    role_session(profile(), **tools)
    assert len(world.asked) == 2


def test_a_session_that_aws_no_longer_takes_is_dropped_and_made_anew_once(world: World, tools: dict[str, Any]) -> None:
    role_session(profile(), **tools)
    world.dead.add("ASIAMFA0")
    world.now += timedelta(hours=2)
    role_session(profile(), **tools)
    assert len(world.asked) == 2
    world.dead.update(f"ASIAMFA{n}" for n in range(20))
    world.now += timedelta(hours=2)
    with pytest.raises(Refused) as caught:
        role_session(profile(), **tools)
    assert caught.value.code == "ExpiredToken"
    assert len(world.asked) == 3


@pytest.mark.parametrize("later", [0, 1])
def test_an_mfa_session_that_was_made_for_this_very_call_is_not_made_twice(
    later: int, world: World, tools: dict[str, Any]
) -> None:
    """What AWS refuses right after it gave it is refused for another reason: a second code would not help."""

    def ask(device: str, /, *, seconds: float, again: str = "") -> str:
        world.now += timedelta(seconds=later)
        return world.ask(device, seconds=seconds, again=again)

    world.dead.update(f"ASIAMFA{n}" for n in range(20))
    with pytest.raises(Refused) as caught:
        role_session(profile(), **{**tools, "ask": ask})
    assert caught.value.code == "ExpiredToken"
    assert len(world.asked) == world.count("get_session_token") == 1


def test_a_used_code_is_asked_for_once_more(world: World, tools: dict[str, Any]) -> None:
    world.used.add("000000")
    role_session(profile(), **tools)
    assert len(world.asked) == 2
    assert "next one" in world.asked[1]


def test_two_wrong_codes_end_it_and_nobody_is_asked_again_at_once(world: World, tools: dict[str, Any]) -> None:
    world.used.update({"000000", "000001"})
    with pytest.raises(WrongCode) as caught:
        role_session(profile(), **tools)
    assert "next code" in caught.value.do
    assert "00000" not in str(caught.value)
    for _ in range(5):
        with pytest.raises(Dismissed, match="a moment ago"):
            role_session(profile(), **tools)
    assert len(world.asked) == 2
    world.now += timedelta(seconds=REMEMBER)
    role_session(profile(), **tools)


@pytest.mark.parametrize("error", [Dismissed("no code"), KeyboardInterrupt(), RuntimeError("broken")])
def test_a_dismissed_prompt_answers_for_all_who_wait(error: BaseException, world: World, tools: dict[str, Any]) -> None:
    asked = []

    def ask(device: str, /, *, seconds: float, again: str = "") -> str:
        asked.append(device)
        raise error

    with pytest.raises(type(error)):
        role_session(profile(), **{**tools, "ask": ask})
    with pytest.raises(Dismissed):
        role_session(profile(), **{**tools, "ask": ask})
    assert len(asked) == 1


def test_without_a_terminal_nothing_is_remembered(world: World, tools: dict[str, Any]) -> None:
    def nobody(device: str, /, *, seconds: float, again: str = "") -> str:
        raise NoTerminal("no terminal")

    for _ in range(2):
        with pytest.raises(NoTerminal):
            role_session(profile(), **{**tools, "ask": nobody})
    role_session(profile(), **tools)


def test_an_old_session_stands_in_when_nobody_answers(world: World, tools: dict[str, Any]) -> None:
    def nobody(device: str, /, *, seconds: float, again: str = "") -> str:
        raise NoTerminal("no terminal")

    strict = profile(mfa_max_age=900)
    old = role_session(strict, **tools)
    world.now += timedelta(minutes=50)
    assert role_session(strict, **{**tools, "ask": nobody}) == old
    with pytest.raises(NoTerminal):
        role_session(strict, lasting=True, **{**tools, "ask": nobody})
    for code in ("TimedOut", "Throttling"):
        world.fail["get_session_token"] = [refusal("get_session_token", code)]
        assert role_session(strict, **tools) == old
        world.now += timedelta(seconds=REMEMBER)
    # A refusal says something about the access, and is not hidden.
    world.fail["assume_role"] = [refusal("assume_role", "AccessDenied")]
    with pytest.raises(Refused):
        role_session(strict, **tools)


def test_the_recorded_end_cuts_nothing_off_and_explains_a_refusal(world: World, tools: dict[str, Any]) -> None:
    """The owner may have moved the end: AWS decides."""
    ending = profile(until=START + timedelta(minutes=10))
    first = role_session(ending, **tools)
    world.now += timedelta(minutes=10)
    assert role_session(ending, **tools) == first
    world.now += timedelta(minutes=50)
    assert role_session(ending, **tools) != first
    world.now += timedelta(hours=1)
    world.fail["assume_role"] = [refusal("assume_role", "AccessDenied", "no"), refusal("assume_role", "Throttling")]
    with pytest.raises(Ended, match="2026-05-01 12:10 UTC") as caught:
        role_session(ending, **tools)
    assert caught.value.exit_code == 1
    # What says nothing about the access is no end.
    with pytest.raises(Refused):
        role_session(ending, **tools)
    # Who the caller is explains it better.
    world.fail["assume_role"] = [refusal("assume_role", "AccessDenied", "no")]
    world.caller = f"arn:aws:iam::{OURS}:user/bob"
    with pytest.raises(WrongCaller):
        role_session(profile(until=START, user_name=None, principals=(f"arn:aws:iam::{OURS}:user/ann",)), **tools)


def test_a_session_is_for_the_recorded_person_alone(world: World, tools: dict[str, Any]) -> None:
    """The same AWS profile holds another person's key now."""
    world.caller = f"arn:aws:iam::{OURS}:user/bob"
    for recorded in (profile(), profile(user_name=None, base_arn=f"arn:aws:iam::{OURS}:user/ann")):
        with pytest.raises(WrongCaller, match=r"is .*ann; .*user/bob"):
            role_session(recorded, **tools)
    assert world.asked == []
    assert world.count("assume_role") == 0
    # Without MFA too, where AWS would let bob in as `ann`.
    with pytest.raises(WrongCaller):
        role_session(profile(mfa=False), **tools)
    world.caller = f"arn:aws:iam::{OURS}:user/ann"
    role_session(profile(base_arn=f"arn:aws:iam::{OURS}:user/ann"), **{**tools, "base": Base(access_key_id="AKIANEW")})


@pytest.mark.parametrize(
    ("recorded", "caller", "is_same"),
    [
        ("iam::1:user/team/ann", "iam::1:user/team/ann", True),
        ("iam::1:user/ann", "iam::1:user/team/ann", False),
        ("sts::1:assumed-role/Ops/botocore-session-1", "sts::1:assumed-role/Ops/botocore-session-2", True),
        ("sts::1:assumed-role/Ops/x", "sts::1:assumed-role/Other/x", False),
        ("sts::1:assumed-role/Ops/x", "iam::1:user/Ops", False),
        ("sts::1:assumed-role/AWSReservedSSO_A_0/ann", "sts::1:assumed-role/AWSReservedSSO_A_0/ann", True),
        ("sts::1:assumed-role/AWSReservedSSO_A_0/ann", "sts::1:assumed-role/AWSReservedSSO_A_0/bob", False),
    ],
)
def test_who_is_the_same_person(recorded: str, caller: str, is_same: bool) -> None:
    recorded, caller = (f"arn:aws:{item.replace('::1:', f'::{OURS}:')}" for item in (recorded, caller))
    assert is_recorded(profile(base_arn=recorded), parse_identity(caller)) is is_same


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:sts::999999999999:assumed-role/Audit/ann",
        f"arn:aws:sts::{OWNER}:assumed-role/Other/ann",
        f"arn:aws-cn:sts::{OWNER}:assumed-role/Audit/ann",
    ],
)
def test_credentials_of_another_account_or_role_are_dropped(arn: str, world: World, tools: dict[str, Any]) -> None:
    world.answer_arn = arn
    with pytest.raises(Refused, match="another role"):
        role_session(profile(), **tools)
    world.answer_arn = None
    assert role_session(profile(), **tools).credentials.account == OWNER


@pytest.mark.parametrize(
    ("operation", "code", "message", "says"),
    [
        ("assume_role", "AccessDenied", "User: x is not authorized to perform: sts:AssumeRole", "valetkey doctor acme"),
        (
            "assume_role",
            "AccessDenied",
            "User: x is not authorized to perform: sts:TagSession on resource: y",
            "session tags are not admitted",
        ),
        (
            "assume_role",
            "AccessDenied",
            "User: x is not authorized to perform: sts:SetSourceIdentity on resource: y",
            "a SourceIdentity is not admitted",
        ),
        ("assume_role", "AccessDenied", "Roles may not be assumed by root accounts.", "root user"),
        (
            "assume_role",
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            "new handoff",
        ),
        (
            "assume_role",
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
            "an hour at most",
        ),
        ("assume_role", "RegionDisabledException", "STS is not activated in this region", "another `region`"),
        (
            "get_session_token",
            "AccessDenied",
            "MultiFactorAuthentication failed, unable to validate MFA code. Please verify your MFA serial number",
            "does not know this MFA device",
        ),
        ("get_session_token", "AccessDenied", "Cannot call GetSessionToken with session credentials", "temporary"),
        ("get_session_token", "AccessDenied", "User: x is not authorized", "your admin"),
        ("get_session_token", "InvalidClientTokenId", "The security token included in the request is invalid", "key"),
        (
            "get_session_token",
            "SignatureDoesNotMatch",
            "Signature expired: 20260501T100000Z is now earlier than 20260501T115500Z (20260501T120000Z - 5 min.)",
            "it says 2026-05-01 10:00:00 UTC, AWS says 2026-05-01 12:00:00 UTC",
        ),
        (
            "assume_role",
            "SignatureDoesNotMatch",
            "Signature not yet current: 20260501T140000Z is still later than 20260501T120500Z (20260501T120000Z + 5m)",
            "it says 2026-05-01 14:00:00 UTC, AWS says 2026-05-01 12:00:00 UTC",
        ),
        ("assume_role", "Throttling", "Rate exceeded", "Rate exceeded"),
    ],
)
def test_every_refusal_says_what_to_do(
    operation: str, code: str, message: str, says: str, world: World, tools: dict[str, Any]
) -> None:
    world.fail[operation] = [refusal(operation, code, message)]
    with pytest.raises(Refused) as caught:
        role_session(profile(), **tools)
    assert says in str(caught.value)
    assert caught.value.do
    assert (caught.value.code, caught.value.exit_code) == (code, 3)


@pytest.mark.parametrize(
    ("caller", "says"),
    [
        ("arn:aws:iam::999999999999:user/ann", "of account 999999999999"),
        (f"arn:aws:iam::{OURS}:root", "root user"),
        (f"arn:aws:sts::{OURS}:assumed-role/AWSReservedSSO_Dev_0123/ann", "Identity Center"),
        (f"arn:aws:sts::{OURS}:assumed-role/Ops/x", "--no-mfa"),
        (f"arn:aws:iam::{OURS}:user/bob", "does not name"),
        (f"arn:aws:iam::{OURS}:user/ann", "valetkey doctor acme"),
    ],
)
def test_a_refusal_that_the_callers_own_arn_explains(
    caller: str, says: str, world: World, tools: dict[str, Any]
) -> None:
    world.caller = caller
    world.fail["assume_role"] = [refusal("assume_role", "AccessDenied", "no")]
    with pytest.raises(Refused) as caught:
        role_session(profile(principals=(f"arn:aws:iam::{OURS}:user/ann",)), **tools)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"mfa_serial": f"arn:aws:iam::{OURS}:u2f/user/ann/key-ABC"}, "security key or passkey"),
        ({"mfa_serial": f"arn:aws:iam::{OURS}:mfa/root-account-mfa-device"}, "root"),
        ({"mfa_serial": None}, "names no device"),
        ({"session_name": "username", "user_name": None}, "that name is unknown"),
        ({"session_name": "username", "user_name": "a"}, "session name"),
    ],
)
def test_what_cannot_work_is_said_before_anybody_is_asked(
    change: dict[str, Any], says: str, world: World, tools: dict[str, Any]
) -> None:
    with pytest.raises(ValetkeyError, match=says):
        role_session(profile(**change), **tools)
    assert (world.calls, world.asked) == ([], [])


@pytest.mark.parametrize(
    ("user", "name"), [("ann", "ann"), ("a", "valetkey-a"), (None, f"valetkey-{OURS}"), ("x" * 64, "x" * 64)]
)
def test_the_session_is_named_after_the_person(user: str | None, name: str) -> None:
    assert role_call(profile(user_name=user), Base()).params["RoleSessionName"] == name


def test_a_code_that_is_none_never_reaches_aws(world: World, tools: dict[str, Any]) -> None:
    world.codes = iter(["12345"])
    with pytest.raises(ValetkeyError) as caught:
        role_session(profile(), **tools)
    assert "12345" not in str(caught.value)
    assert world.calls == [("get_caller_identity", {})]


def test_a_wait_for_the_lock_has_an_end(world: World, tools: dict[str, Any]) -> None:
    name = key("mfa", realm=Base().realm, base="AKIAANN", device=DEVICE)
    with tools["cache"].lock(name, 1, busy=lambda: Busy("no")), pytest.raises(Busy, match="another valetkey"):
        mfa_session(serial=DEVICE, max_age=None, seconds=0.1, **tools)
    assert world.asked == []


def test_what_is_kept_is_private_and_holds_no_code(world: World, tools: dict[str, Any], home: pathlib.Path) -> None:
    world.codes = iter(["739154"])
    role_session(profile(), **tools)
    files = [item for item in (home / ".cache").rglob("*") if item.is_file()]
    assert len([file for file in files if file.suffix == ".json"]) == 2
    for file in files:
        assert file.stat().st_mode & 0o077 == 0, file
        assert "secret-of-ann" not in file.read_text()
        assert "739154" not in file.read_text()


@pytest.mark.parametrize(
    ("changes", "now", "ended"),
    [
        ({}, START, False),
        ({"until": START + timedelta(microseconds=1)}, START, False),
        ({"until": START}, START, True),
        ({"until": START}, START + timedelta(days=1), True),
    ],
)
def test_a_refusal_after_the_recorded_end_is_explained_by_it(changes: dict[str, Any], now: Any, ended: bool) -> None:
    it = profile(**changes)
    assert has_ended(it, now) is ended
    for code, kind in (
        ("AccessDenied", Refused),
        ("AccessDenied", WrongCaller),
        ("Throttling", Refused),
        ("Aborted", Refused),
    ):
        refused = kind("no", code=code, message="", where="sts:AssumeRole")
        result = about_end(refused, it, now)
        if not (ended and code == "AccessDenied" and kind is Refused):
            assert result is refused
            continue
        assert isinstance(result, Ended)
        assert result.what == (
            "AWS refused to let you assume the role, and according to the handoff, the grant acme ended on 2026-05-01 "
            "12:00 UTC"
        )
        assert result.do == (
            "ask the owner to extend it (`valetkey extend`), or for a new grant, and accept the new handoff"
        )
        assert (result.where, result.exit_code) == ("sts:AssumeRole", 1)


@pytest.mark.parametrize(
    ("life", "stale"), [(900, 600), (3599, 3599 * 2 / 3), (3600, 2400), (3601, 2401), (43200, 42000)]
)
def test_a_session_is_stale_twenty_minutes_before_its_end_or_with_a_third_left(life: int, stale: float) -> None:
    result = stale_at(made(life))
    assert (result - START).total_seconds() == pytest.approx(stale, abs=1e-5)


def made(life: int, *, issued: Any = START, name: str = "ASIAKEPT") -> Session:
    """A session of some seconds."""
    keys = {"access_key_id": name, "secret_access_key": "hush", "session_token": "t", "account": OWNER}
    return Session(Credentials(**keys, expires=issued + timedelta(seconds=life)), issued)


@pytest.mark.parametrize(
    ("changes", "base", "long", "same"),
    [
        ({}, Base(), False, True),
        # What changes no call is another name for the same session.
        ({"name": "other", "source_profile": "work"}, Base(), False, True),
        ({"mfa": False, "mfa_serial": None, "max_session": 3600}, Base(), False, False),
        ({}, Base(access_key_id="AKIABOB"), False, False),
        ({}, Base(realm="http://127.0.0.1:1"), False, False),
        ({"mfa_serial": f"{DEVICE}2"}, Base(), False, False),
        ({"external_id": "other"}, Base(), False, False),
        ({}, Base(), True, False),
    ],
)
def test_which_sessions_are_the_same(changes: dict[str, Any], base: Base, long: bool, same: bool) -> None:
    assert (role_key(profile(**changes), base, long=long) == role_key(profile(), Base())) is same


def test_without_mfa_the_device_and_the_way_change_nothing() -> None:
    plain = role_key(profile(mfa=False), Base())
    assert role_key(profile(mfa=False, mfa_serial=None), Base()) == plain
    assert role_key(profile(mfa=False), Base(), long=True) == plain
    assert role_key(profile(mfa=False), Base(), settings=SessionSettings(session_name="x.y")) != plain
    # A role behind another one is entered for an hour, whatever the role allows.
    behind = further_key(profile(mfa=False), plain)
    assert behind == further_key(profile(mfa=False, max_session=3600), plain)
    assert len({plain, behind, further_key(profile(mfa=False), "role-other")}) == 3
    assert further_key(profile(mfa=False), plain, settings=SessionSettings(session_name="x.y")) != behind


@pytest.mark.parametrize(
    ("changes", "token", "long", "limit"),
    [
        ({}, "t", False, "1 h at most: your sign-in is a temporary session, and AWS calls this role chaining"),
        (
            {"max_session": 1800},
            "t",
            True,
            "1800 s at most: your sign-in is a temporary session, and AWS calls this role chaining",
        ),
        ({"mfa": False, "max_session": 7200}, None, False, "2 h at most: the role's own limit (MaxSessionDuration)"),
        ({"max_session": 3601}, None, True, "3601 s at most: the role's own limit (MaxSessionDuration)"),
        ({"max_session": 3600}, None, False, "1 h at most: AWS allows no more through an MFA session"),
        ({"max_session": 1800}, None, False, "1800 s at most: AWS allows no more through an MFA session"),
        (
            {"max_session": 3601},
            None,
            False,
            "1 h at most: AWS allows no more through an MFA session; --long gives 3601 s for a code",
        ),
        ({"session_name": "username"}, None, True, "12 h at most: the role's own limit (MaxSessionDuration)"),
        ({"session_name": "username"}, None, False, "1 h at most through an MFA session, 12 h with a code of its own"),
        (
            {"session_name": "another"},
            None,
            False,
            "1 h at most: AWS allows no more through an MFA session; --long gives 12 h for a code",
        ),
        (
            {"session_name": "zone"},
            None,
            False,
            "1 h at most: AWS allows no more through an MFA session; --long gives 12 h for a code",
        ),
    ],
)
def test_how_long_a_session_may_last_and_what_says_so(
    changes: dict[str, Any], token: str | None, long: bool, limit: str
) -> None:
    assert limit_of(profile(**changes), Base(session_token=token), long=long) == limit


def test_what_a_way_needs_is_said_word_for_word(world: World, tools: dict[str, Any]) -> None:
    with pytest.raises(ValetkeyError) as caught:
        role_session(profile(mfa_serial=None), **tools)
    assert caught.value.what == "the role of acme requires MFA, and the profile names no device"
    assert caught.value.do == "accept the handoff again: `valetkey accept FILE --name acme`"
    tools["base"] = Base(session_token="t")
    with pytest.raises(ValetkeyError) as caught:
        role_session(profile(), long=True, **tools)
    assert caught.value.what == (
        "the base identity of acme is a temporary session, and AWS limits sessions from one to an hour"
    )
    assert caught.value.do == "leave --long out, or use an IAM user's access key as base identity"
    assert world.calls == []
    # A device that gives no codes is of no matter where none is asked for.
    role_session(profile(mfa_serial=f"arn:aws:iam::{OURS}:u2f/user/ann/key-ABC"), **tools)
    role_session(profile(mfa=False, mfa_serial=None), **{**tools, "base": Base()})


def test_a_session_that_was_made_is_noted_as_ours(world: World, tools: dict[str, Any]) -> None:
    session = role_session(profile(), **tools)
    for item in (session.credentials.access_key_id, "ASIAMFA0"):
        assert tools["cache"].was_issued(item)


@pytest.mark.parametrize("name", ["note_issued", "put"])
def test_a_session_that_cannot_be_kept_is_used_all_the_same(
    name: str, world: World, tools: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    tools["base"] = Base(session_token="t")
    monkeypatch.setattr(tools["cache"], name, Calls(ValetkeyError("full")))
    assert role_session(profile(), **tools).credentials.account == OWNER
    assert role_session(profile(), **tools) is not None
    assert world.count("assume_role") == 2


def test_one_that_another_process_has_made_meanwhile_is_used(
    world: World, tools: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [made(-1), made(3600)]
    monkeypatch.setattr(tools["cache"], "get", lambda name: answers.pop(0))
    assert role_session(profile(), **tools) == made(3600)
    assert (world.calls, answers) == ([], [])


@pytest.mark.parametrize("left", [61, 60])
@pytest.mark.parametrize(
    "problem",
    [
        NoTerminal("nobody"),
        Dismissed("closed"),
        Busy("busy"),
        *(Refused("x", code=code, message="") for code in NO_ANSWER),
    ],
)
def test_an_old_session_stands_in_while_a_minute_of_it_is_left(
    problem: Exception, left: int, world: World, tools: dict[str, Any]
) -> None:
    tools["ask"] = Calls(problem)
    old = made(3600)
    tools["cache"].put(role_key(profile(), Base()), old)
    world.now = START + timedelta(seconds=3600 - left)
    if left == 61:
        assert role_session(profile(), **tools) == old
        # Of a role that was accepted since, and for one that cannot come back, it is of no use.
        for given in ({"since": START + timedelta(seconds=1)}, {"lasting": True}):
            with pytest.raises(ValetkeyError):
                role_session(profile(), **given, **tools)
    else:
        with pytest.raises(type(problem)):
            role_session(profile(), **tools)


@pytest.mark.parametrize("code", ["AccessDenied", "ExpiredToken", "ValidationError"])
def test_an_old_session_does_not_hide_an_answer_of_aws(code: str, world: World, tools: dict[str, Any]) -> None:
    tools["cache"].put(role_key(profile(), Base()), made(3600))
    world.now = START + timedelta(minutes=41)
    world.fail["assume_role"] = [refusal("assume_role", code, "no")]
    with pytest.raises(Refused):
        role_session(profile(), **tools)


def test_all_steps_share_one_limit_and_the_code_takes_what_is_left(world: World, tools: dict[str, Any]) -> None:
    given: list[float] = []

    def ask(device: str, /, *, seconds: float, again: str = "") -> str:
        given.append(seconds)
        return next(world.codes)

    tools["ask"] = ask
    # Eight seconds are for the calls after the question.
    role_session(profile(), seconds=20.0, **tools)
    role_session(profile(), long=True, seconds=20.0, **tools)
    role_session(profile(name="usual", external_id="other"), long=True, **tools)
    assert given == [12, 12, 42]
