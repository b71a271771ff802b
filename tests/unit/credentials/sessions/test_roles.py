"""One AssumeRole: what is asked for, who may ask, and which answer is taken."""

from __future__ import annotations

import dataclasses
import pathlib
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.credentials.sts_world import DEVICE, OURS, OWNER, START, Base, World, profile, refusal

from valetkey.credentials.profiles.settings import SessionSettings
from valetkey.credentials.sessions.cache import Cache
from valetkey.credentials.sessions.refusals import Refused, WrongCaller, WrongCode
from valetkey.credentials.sessions.roles import check_account, enter, role_call
from valetkey.errors import ValetkeyError

ROLE = f"arn:aws:iam::{OWNER}:role/team/Audit"
TEMPORARY = Base(access_key_id="ASIAX", session_token="t")
LOWERED = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
PLAIN = {"RoleArn": ROLE, "RoleSessionName": "ann", "ExternalId": "vk-0123456789"}


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    ("base", "seconds", "sent"),
    [
        (Base(), 900, 900),
        (Base(), 3599, 3599),
        (Base(), 3600, None),
        (Base(), 3601, 3601),
        (Base(), 43200, 43200),
        (TEMPORARY, 900, 900),
        (TEMPORARY, 3600, None),
        (TEMPORARY, 43200, None),
    ],
)
def test_the_longest_session_is_asked_for_and_aws_s_default_is_not_said(
    base: Base, seconds: int, sent: int | None
) -> None:
    call = role_call(profile(max_session=seconds), base)
    duration = {} if sent is None else {"DurationSeconds": sent}
    assert (call.service, call.operation, call.params) == ("sts", "assume_role", {**PLAIN, **duration})


def test_what_the_profile_and_its_settings_say_is_carried() -> None:
    bare = role_call(profile(external_id=None, max_session=3600), Base(), SessionSettings(session_name="ann.acme"))
    assert bare.params == {"RoleArn": ROLE, "RoleSessionName": "ann.acme"}


def entered(world: World, base: Base = Base(), **given: Any) -> Any:  # noqa: B008 - frozen
    changes = given.pop("changes", {})
    return enter(profile(**changes), keys=base, connect=world.connect, clock=world.clock, **given)


def test_a_session_is_of_the_role_s_account_and_counts_from_the_call(world: World) -> None:
    made = entered(world)
    assert (made.issued, made.credentials.account) == (START, OWNER)
    assert made.credentials.expires == START + timedelta(hours=12)
    assert (made.credentials.access_key_id, made.credentials.session_token) == ("ASIAROLE0", "token-ASIAROLE0")
    assert world.calls == [("assume_role", {**PLAIN, "DurationSeconds": 43200})]


def test_a_code_is_sent_with_its_device(world: World) -> None:
    entered(world, code=(DEVICE, "314159"))
    code = {"SerialNumber": DEVICE, "TokenCode": "314159"}
    assert world.calls == [("assume_role", {**PLAIN, "DurationSeconds": 43200, **code})]


@pytest.mark.parametrize(
    "arn",
    [
        f"arn:aws:sts::{OWNER}:assumed-role/Audit2/ann",
        f"arn:aws:sts::{OWNER}:assumed-role/team/Audit/ann",
        f"arn:aws:sts::{OURS}:assumed-role/Audit/ann",
        "",
    ],
)
def test_an_answer_for_another_role_is_not_taken(arn: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    real = world.assume_role
    monkeypatch.setattr(world, "assume_role", lambda *given: {**real(*given), "AssumedRoleUser": {"Arn": arn}})
    with pytest.raises(Refused) as caught:
        entered(world)
    refused = caught.value
    assert refused.what == "AWS returned credentials of another role; valetkey dropped them"
    assert refused.do == "check AWS_ENDPOINT_URL and the `endpoint_url` settings of the base profile"
    assert (refused.code, refused.message, refused.where) == ("WrongRole", arn, "sts:AssumeRole")
    # One that is in no path.
    monkeypatch.setattr(world, "assume_role", real)
    assert entered(world, changes={"role_arn": f"arn:aws:iam::{OWNER}:role/Audit"})


@pytest.mark.parametrize(
    ("code", "text", "given", "calls"),
    [
        ("ValidationError", LOWERED, {}, 2),
        ("ValidationError", "Something else", {}, 1),
        # A one-time code is not sent twice, and what was not asked for cannot be left out.
        ("ValidationError", LOWERED, {"code": (DEVICE, "314159")}, 1),
        ("ValidationError", LOWERED, {"changes": {"max_session": 3600}}, 1),
    ],
)
def test_a_limit_that_the_owner_lowered_is_met_with_aws_s_default(
    code: str, text: str, given: dict[str, Any], calls: int, world: World
) -> None:
    world.fail["assume_role"] = [refusal("assume_role", code, text)]
    if calls == 2:
        assert entered(world, **given).credentials.expires == START + timedelta(hours=1)
        assert [params for _, params in world.calls] == [{**PLAIN, "DurationSeconds": 43200}, PLAIN]
        return
    with pytest.raises(Refused):
        entered(world, **given)
    assert world.count("assume_role") == calls


@pytest.mark.parametrize(
    ("code", "text", "asked"),
    [
        ("AccessDenied", "no", True),
        ("Throttling", "Rate exceeded", False),
        # These explain themselves.
        ("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. ", False),
    ],
)
def test_who_the_caller_is_is_asked_where_it_may_explain_a_refusal(
    code: str, text: str, asked: bool, world: World
) -> None:
    world.fail["assume_role"] = [refusal("assume_role", code, text)]
    world.caller = "arn:aws:iam::999999999999:user/ann"
    with pytest.raises(Refused) as caught:
        entered(world)
    assert isinstance(caught.value, WrongCaller) is asked
    assert isinstance(caught.value, WrongCode) is text.startswith("Multi")
    assert world.count("get_caller_identity") == asked


def test_a_refusal_stays_one_where_the_caller_is_not_told(world: World) -> None:
    world.fail["assume_role"] = [refusal("assume_role", "AccessDenied", "no")] * 2
    world.fail["get_caller_identity"] = [refusal("get_caller_identity", "Unreachable")]
    for caller in (world.caller, ""):
        world.caller = caller
        with pytest.raises(Refused) as caught:
            entered(world)
        assert type(caught.value) is Refused
        assert caught.value.what == "AWS refused to let you assume the role, and names no policy"


# --- whose the keys are -----------------------------------------------------------------------------------------------


@pytest.fixture
def cache(home: pathlib.Path) -> Cache:
    return Cache({"HOME": str(home)})


def test_whose_a_long_term_key_is_is_asked_once_for_each_endpoint(world: World, cache: Cache) -> None:
    for realm in ("a", "a", "b"):
        check_account(profile(), keys=Base(), connect=world.connect, cache=cache, realm=realm)
    assert world.calls == [("get_caller_identity", {})] * 2
    check_account(profile(), keys=Base(access_key_id="AKIAOTHER"), connect=world.connect, cache=cache, realm="a")
    assert len(world.calls) == 3
    # Without a cache, and for a session, which lives for hours: always.
    check_account(profile(), keys=Base(), connect=world.connect)
    for _ in range(2):
        check_account(profile(), keys=TEMPORARY, connect=world.connect, cache=cache, realm="a")
    assert len(world.calls) == 6


def test_what_is_remembered_is_checked_too(world: World, cache: Cache) -> None:
    check_account(profile(), keys=Base(), connect=world.connect, cache=cache)
    with pytest.raises(WrongCaller):
        check_account(profile(contractor="999999999999"), keys=Base(), connect=world.connect, cache=cache)
    assert len(world.calls) == 1


def test_what_cannot_be_remembered_is_asked_again(world: World, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(name: str, arn: str) -> None:
        raise ValetkeyError("the disk is full")

    monkeypatch.setattr(cache, "note_caller", full)
    for _ in range(2):
        check_account(profile(), keys=Base(), connect=world.connect, cache=cache)
    assert len(world.calls) == 2


def test_who_cannot_be_asked_is_refused_with_the_reason(world: World) -> None:
    world.fail["get_caller_identity"] = [refusal("get_caller_identity", "InvalidClientTokenId")]
    with pytest.raises(Refused) as caught:
        check_account(profile(), keys=Base(), connect=world.connect)
    assert caught.value.what == "AWS does not know the base identity's access key, or it is inactive"


@pytest.mark.parametrize(
    ("caller", "what"),
    [
        # Accounts before and behind ours in order.
        *(
            (
                f"arn:aws:iam::{account}:user/ann",
                f"the base identity is of account {account}; the role trusts {OURS}",
            )
            for account in ("000000000001", "999999999999")
        ),
        (f"arn:aws:iam::{OURS}:root", "the base identity is the account's root user, which cannot assume roles"),
        (
            f"arn:aws:iam::{OURS}:user/bob",
            f"the base identity of acme is the user ann; the profile work now is arn:aws:iam::{OURS}:user/bob",
        ),
        (
            f"arn:aws:sts::{OURS}:assumed-role/Ops/x",
            "the base identity is a role session, which carries no MFA that AWS sees; the role requires it",
        ),
    ],
)
def test_another_caller_is_refused_before_anything_is_sent(caller: str, what: str, world: World) -> None:
    world.caller = caller
    with pytest.raises(WrongCaller) as caught:
        check_account(profile(source_profile="work"), keys=Base(), connect=world.connect)
    wrong_caller = caught.value
    assert (wrong_caller.what, wrong_caller.code, wrong_caller.where) == (what, "AccessDenied", "sts:GetCallerIdentity")
    assert wrong_caller.do


def test_where_no_person_is_recorded_the_account_is_enough(world: World) -> None:
    world.caller = f"arn:aws:iam::{OURS}:user/bob"
    check_account(dataclasses.replace(profile(), user_name=None), keys=Base(), connect=world.connect)
    for account in ("000000000001", "999999999999"):
        world.caller = f"arn:aws:iam::{account}:user/ann"
        with pytest.raises(WrongCaller):
            check_account(dataclasses.replace(profile(), user_name=None), keys=Base(), connect=world.connect)
