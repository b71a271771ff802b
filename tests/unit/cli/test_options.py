"""Durations and dates as people write them."""

import inspect
from datetime import UTC, datetime
from importlib import import_module

import pytest

from valetkey.account.calls import Call
from valetkey.cli._commands import AUDIT, COMMANDS, OWNER
from valetkey.cli._options import EXPECT, OwnerAccount, OwnerAccounts, seconds, until
from valetkey.errors import ValetkeyError

NOW = datetime(2026, 11, 23, 12, 30, 15, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "value"),
    [("3600", 3600), ("90m", 5400), ("1h", 3600), ("1h30m", 5400), ("2d", 172800), ("1w", 604800), ("45s", 45)],
)
def test_durations(text, value):
    assert seconds(text, name="--session") == value


@pytest.mark.parametrize("text", ["", "h", "1x", "1h30", "-1h", "1.5h", "\uff11h", "9" * 50, "1h 30m", "h1"])
def test_bad_durations_say_how_to_write_one(text):
    with pytest.raises(ValetkeyError, match="duration") as caught:
        seconds(text, name="--session")
    assert "1h" in caught.value.do


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-12-31", datetime(2027, 1, 1, tzinfo=UTC)),
        ("2026-12-31T18:00Z", datetime(2026, 12, 31, 18, tzinfo=UTC)),
        ("2026-12-31T18:00+02:00", datetime(2026, 12, 31, 16, tzinfo=UTC)),
        ("30d", datetime(2026, 12, 23, 12, 30, 15, tzinfo=UTC)),
        ("2h", datetime(2026, 11, 23, 14, 30, 15, tzinfo=UTC)),
        # The whole of today is still ahead in part.
        ("2026-11-23", datetime(2026, 11, 24, tzinfo=UTC)),
    ],
)
def test_ends(text, value):
    assert until(text, now=NOW) == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2026-11-22", "has passed"),
        ("tomorrow", "is not a date"),
        ("2026-13-01", "is not a date"),
        ("2026-12-31T18:00", "has no time zone"),
        ("9999-12-31", "is not a date"),
        ("99999w", "is not a date"),
        ("2026-1-1", "is not a date"),
    ],
)
def test_bad_ends(text, says):
    with pytest.raises(ValetkeyError, match=says):
        until(text, now=NOW)


ARN = "arn:aws:iam::111111111111:user/admin"


@pytest.fixture
def calls(monkeypatch):
    """The calls that credentials of account 111111111111 make."""
    made = []

    def perform(call: Call):
        made.append(call.action)
        return {"Account": "111111111111", "Arn": ARN}

    monkeypatch.setattr("valetkey.aws.connect", lambda **_: perform)
    return made


@pytest.mark.parametrize("by_env", [True, False])
@pytest.mark.parametrize(
    "wanted", ["", " ", "12345", "acme", "1111111111111", "111111111111 ", "\u0661" * 12, "-" * 12]
)
def test_a_malformed_account_calls_nothing(monkeypatch, calls, wanted, by_env):
    monkeypatch.setenv(EXPECT, wanted if by_env else "111111111111")
    with pytest.raises(ValetkeyError) as refused:
        OwnerAccount(expect_account=None if by_env else wanted).connect()
    assert refused.value.exit_code == 2
    assert EXPECT in refused.value.what if by_env else "--expect-account" in refused.value.what
    assert calls == []


def test_another_account_is_refused_after_one_call(monkeypatch, calls):
    monkeypatch.setenv(EXPECT, "222222222222")
    with pytest.raises(ValetkeyError) as refused:
        OwnerAccount().connect()
    assert (refused.value.exit_code, refused.value.where) == (1, ARN)
    assert calls == ["sts:GetCallerIdentity"]
    OwnerAccount(expect_account="111111111111").connect()


def test_without_an_expected_account_nothing_is_called(calls):
    OwnerAccount().connect()
    assert calls == []


def test_every_command_that_acts_as_the_owner_can_be_told_the_account():
    offline = {"who", "prove", "decide"}
    for name, target, group, _ in COMMANDS:
        if (group is OWNER or group is AUDIT) and name not in offline:
            module, function = target.split(":")
            result = import_module(f"valetkey.cli.commands.{module}")
            own = [getattr(result, function)]
            if name == "review":  # `review verify` calls nothing
                own = [result.review, result.apply]
            for command in own:
                default = inspect.signature(command).parameters["account"].default
                assert isinstance(default, OwnerAccount | OwnerAccounts), name
