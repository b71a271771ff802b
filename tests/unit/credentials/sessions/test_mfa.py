"""The MFA session: how long one is used, when it is made anew, and what is remembered of it."""

from __future__ import annotations

import pathlib
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest
from tests.unit.credentials.sts_world import DEVICE, OURS, START, Base, Calls, World, mfa_session, refusal

from valetkey.credentials.sessions.cache import Cache, Session
from valetkey.credentials.sessions.mfa import mfa_key
from valetkey.credentials.sessions.protocols import Dismissed
from valetkey.credentials.sessions.refusals import Refused
from valetkey.credentials.sessions.tools import Tools
from valetkey.credentials.sessions.values import credentials_of
from valetkey.credentials.sessions.vault import KeyringSessions, Vault
from valetkey.errors import ValetkeyError
from valetkey.policy.arns import NOBODY


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


@pytest.mark.parametrize(
    ("max_age", "seconds"),
    [
        # Five minutes before its end it is not begun with any more.
        (None, 43200 - 301),
        (129600, 43200 - 301),
        # A minute before the owner's limit, for limits of less than four minutes a quarter of them.
        (3600, 3540),
        (240, 180),
        (239, 180),
        (120, 90),
        (1, 1),
    ],
)
def test_one_is_used_until_shortly_before_it_is_too_old(
    max_age: int | None, seconds: int, world: World, tools: dict[str, Any]
) -> None:
    made = mfa_session(serial=DEVICE, max_age=max_age, **tools)
    assert made.credentials.expires == START + timedelta(hours=12)
    world.now = START + timedelta(seconds=seconds)
    assert mfa_session(serial=DEVICE, max_age=max_age, **tools) == made
    world.now += timedelta(seconds=1)
    assert mfa_session(serial=DEVICE, max_age=max_age, **tools) != made
    assert len(world.asked) == 2


def test_one_is_for_a_base_identity_a_device_and_an_endpoint(world: World, tools: dict[str, Any]) -> None:
    plain = mfa_session(serial=DEVICE, max_age=None, **tools)
    other = {**tools, "base": Base(access_key_id="AKIABOB")}
    assert mfa_session(serial=DEVICE, max_age=None, **other) != plain
    assert mfa_session(serial=f"{DEVICE}2", max_age=None, **tools) != plain
    assert mfa_session(serial=DEVICE, max_age=None, **{**tools, "base": Base(realm="http://x")}) != plain
    assert mfa_session(serial=DEVICE, max_age=None, **tools) == plain


@pytest.mark.parametrize(("serial", "account"), [(DEVICE, OURS), ("GAHT12345678", NOBODY)])
def test_it_is_of_the_account_of_the_device_and_noted_as_made_here(
    serial: str, account: str, world: World, tools: dict[str, Any]
) -> None:
    made = mfa_session(serial=serial, max_age=None, **tools)
    assert made.issued == START
    credentials = made.credentials
    assert (
        credentials.access_key_id,
        credentials.secret_access_key,
        credentials.session_token,
        credentials.account,
    ) == (
        "ASIAMFA0",
        "hush-ASIAMFA0",
        "token-ASIAMFA0",
        account,
    )
    assert tools["cache"].was_issued("ASIAMFA0")
    assert world.calls == [
        ("get_session_token", {"SerialNumber": serial, "TokenCode": "000000", "DurationSeconds": 43200})
    ]


def test_one_that_aws_refused_is_not_used_again_and_is_dropped_before_the_question(
    world: World, tools: dict[str, Any]
) -> None:
    made = mfa_session(serial=DEVICE, max_age=None, **tools)
    # Another one was refused.
    for refused in ("", "ASIAMFA", "ASIAMFA9"):
        assert mfa_session(serial=DEVICE, max_age=None, refused=refused, **tools) == made

    def nobody(device: str, /, *, seconds: float, again: str = "") -> str:
        raise Dismissed("closed")

    with pytest.raises(Dismissed):
        mfa_session(serial=DEVICE, max_age=None, refused="ASIAMFA0", **{**tools, "ask": nobody})
    assert tools["cache"].get(mfa_key(Base(), DEVICE)) is None


def test_one_that_is_too_old_for_one_grant_stays_for_the_others(world: World, tools: dict[str, Any]) -> None:
    made = mfa_session(serial=DEVICE, max_age=None, **tools)
    world.now += timedelta(hours=2)

    def nobody(device: str, /, *, seconds: float, again: str = "") -> str:
        raise Dismissed("closed")

    for given in ({"max_age": 3600}, {"max_age": 3600, "refused": "ASIAMFA9"}, {"max_age": None, "fresh": True}):
        with pytest.raises(Dismissed):
            mfa_session(serial=DEVICE, **given, **{**tools, "ask": nobody})
    assert mfa_session(serial=DEVICE, max_age=None, **tools) == made


def test_one_that_another_process_has_made_meanwhile_is_used(world: World, tools: dict[str, Any]) -> None:
    made = mfa_session(serial=DEVICE, max_age=None, **tools)
    answers: list[Session | None] = [None, made]

    class Keep:
        def get(self, name: str, /) -> Session | None:
            assert name == mfa_key(Base(), DEVICE)
            return answers.pop(0)

    assert mfa_session(serial=DEVICE, max_age=None, **{**tools, "keep": Keep()}) == made
    assert (answers, len(world.asked)) == ([], 1)


def test_a_fresh_one_is_made_although_one_is_there_and_takes_its_place(world: World, tools: dict[str, Any]) -> None:
    first = mfa_session(serial=DEVICE, max_age=None, **tools)
    fresh = mfa_session(serial=DEVICE, max_age=None, fresh=True, life=900, **tools)
    assert fresh.credentials.expires == START + timedelta(minutes=15)
    assert fresh != first
    assert mfa_session(serial=DEVICE, max_age=None, **tools) == fresh


def test_a_fresh_one_is_asked_for_although_the_last_question_failed(world: World, tools: dict[str, Any]) -> None:
    def closed(device: str, /, *, seconds: float, again: str = "") -> str:
        raise Dismissed("closed")

    with pytest.raises(Dismissed, match="closed"):
        mfa_session(serial=DEVICE, max_age=None, **{**tools, "ask": closed})
    with pytest.raises(Dismissed, match="does not ask again at once"):
        mfa_session(serial=DEVICE, max_age=None, **tools)
    assert mfa_session(serial=DEVICE, max_age=None, fresh=True, **tools)


def test_one_whose_key_cannot_be_noted_is_used_all_the_same(
    world: World, tools: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(access_key_id: str) -> None:
        raise ValetkeyError("the disk is full")

    monkeypatch.setattr(tools["cache"], "note_issued", full)
    made = mfa_session(serial=DEVICE, max_age=None, **tools)
    assert mfa_session(serial=DEVICE, max_age=None, **tools) == made


def test_a_secret_that_cannot_be_read_is_told_before_a_question(world: World, tools: dict[str, Any]) -> None:
    class Lost(Base):
        @property
        def secret_access_key(self) -> str:  # type: ignore[override]
            raise ValetkeyError("the keyring has lost it")

    lost = object.__new__(Lost)
    object.__setattr__(lost, "access_key_id", "AKIAANN")
    with pytest.raises(ValetkeyError, match="the keyring has lost it"):
        mfa_session(serial=DEVICE, max_age=None, **{**tools, "base": lost})
    assert (world.asked, world.calls) == ([], [])


def test_a_refusal_is_explained(world: World, tools: dict[str, Any]) -> None:
    world.fail["get_session_token"] = [refusal("get_session_token", "AccessDenied", "User: x is not authorized")]
    with pytest.raises(Refused) as caught:
        mfa_session(serial=DEVICE, max_age=None, **tools)
    assert caught.value.what == "your own account does not permit you to create an MFA session"
    assert (caught.value.code, caught.value.where) == ("AccessDenied", "sts:GetSessionToken")


def test_where_the_last_one_was_put_is_known_of_a_keyring_alone(world: World, tools: dict[str, Any]) -> None:
    cache, vault = tools["cache"], Vault()
    vault._gone = "this computer has no keyring"
    keep = KeyringSessions(vault, cache, tell=lambda text: True)
    for kept, before, after in ((cache, "", ""), (keep, "", "file")):
        with_tools = Tools(**{**tools, "keep": kept})
        assert with_tools.kept_in == before
        with_tools.mfa_session(DEVICE, max_age=None, fresh=True)
        assert with_tools.kept_in == after


def test_another_source_of_codes_changes_nothing_else(tools: dict[str, Any]) -> None:
    first = Tools(**{**tools, "keep": tools["cache"]})
    ask = Calls("111111")
    assert first.asking(ask) == Tools(**{**tools, "keep": tools["cache"], "ask": ask})
    # Without somebody who listens nothing is said.
    assert first.tell("why") is None


def test_what_sts_answers_ends_in_utc_and_shows_no_secret() -> None:
    answer = {
        "Credentials": {
            "AccessKeyId": "ASIA1",
            "SecretAccessKey": "hush-key",
            "SessionToken": "hush-token",
            "Expiration": START.astimezone(timezone(timedelta(hours=2))),
        }
    }
    credentials = credentials_of(answer, OURS)
    assert (credentials.access_key_id, credentials.secret_access_key, credentials.session_token) == (
        "ASIA1",
        "hush-key",
        "hush-token",
    )
    assert (credentials.expires, credentials.expires.tzinfo, credentials.account) == (START, UTC, OURS)
    assert "hush" not in repr(credentials)
