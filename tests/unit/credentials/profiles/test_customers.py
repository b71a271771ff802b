"""The customers at a glance: notes that are not to be believed are passed over."""

from __future__ import annotations

import dataclasses
import pathlib
from datetime import UTC, datetime, timedelta

import pytest

from valetkey.credentials.profiles.customers import all_customers, note
from valetkey.credentials.profiles.profile import Profile, path_of, save

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ACME = Profile(
    name="acme",
    role_arn="arn:aws:iam::210987654321:role/audit",
    contractor="123456789012",
    mfa=False,
    max_session=3600,
    region="eu-west-1",
)


@pytest.fixture
def env(tmp_path: pathlib.Path) -> dict[str, str]:
    result = {"HOME": str(tmp_path)}
    save(ACME, result)
    return result


def noted(env: dict[str, str]) -> datetime | None:
    (customer,), damaged = all_customers(env, NOW)
    assert damaged == ()
    return customer.session_until


def test_a_session_is_known_until_its_end(env: dict[str, str]) -> None:
    assert noted(env) is None
    end = NOW + timedelta(minutes=40)
    note(ACME, end, env)
    assert noted(env) == end
    note(ACME, NOW, env)
    assert noted(env) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"valetkey": "last/v2", "role_arn": "arn:aws:iam::210987654321:role/audit", "expires": "2026-05-01T13:00Z"}',
        '{"valetkey": "last/v1", "role_arn": "arn:aws:iam::210987654321:role/audit", "expires": "2026-05-01T13:00:00"}',
        '{"valetkey": "last/v1", "role_arn": "arn:aws:iam::210987654321:role/audit", "expires": 5}',
        '{"valetkey": "last/v1", "role_arn": "arn:aws:iam::310987654321:role/audit", "expires": "2026-05-01T13:00Z"}',
    ],
)
def test_a_note_that_says_nothing(text: str, env: dict[str, str]) -> None:
    note(ACME, NOW + timedelta(minutes=40), env)
    file = pathlib.Path(env["HOME"]) / ".cache/valetkey/last/acme.json"
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text(text)
    assert noted(env) is None


def test_a_note_that_cannot_be_written_is_not_missed(env: dict[str, str]) -> None:
    (pathlib.Path(env["HOME"]) / ".cache").write_text("in the way")
    note(ACME, NOW + timedelta(minutes=40), env)
    assert noted(env) is None


def test_ended_and_damaged(env: dict[str, str]) -> None:
    save(dataclasses.replace(ACME, name="old", until=NOW), env)
    note(dataclasses.replace(ACME, name="old"), NOW + timedelta(minutes=40), env)
    broken = path_of("broken", env)
    broken.write_text("{")
    broken.chmod(0o600)
    customers, (damaged,) = all_customers(env, NOW)
    assert [
        (customer.profile.name, customer.has_ended, customer.session_until, customer.region) for customer in customers
    ] == [
        ("acme", False, None, "eu-west-1"),
        # The owner may have moved the end: the session is AWS's to end.
        ("old", True, NOW + timedelta(minutes=40), "eu-west-1"),
    ]
    assert damaged.name == "broken"


def test_the_region_is_the_aws_profiles_as_it_is_now(env: dict[str, str]) -> None:
    config = pathlib.Path(env["HOME"]) / ".aws/config"
    config.parent.mkdir()
    config.write_text("[profile acme]\nregion = eu-north-1\n")
    (customer,), _ = all_customers(env, NOW)
    assert customer.region == "eu-north-1"
