"""Roles that are entered from a customer's role: which profiles lead there, and how their sections are read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.credentials.sts_world import OWNER, profile

from valetkey.credentials.profiles.profile import Profile, ProfileError
from valetkey.credentials.sessions.chained_roles import duration_of, further_role, path_to
from valetkey.errors import ValetkeyError


def _path(name: str, sections: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    return path_to(name, lambda item: sections.get(item, {}), is_grant=lambda item: item == "acme")


def test_the_way_to_a_further_role() -> None:
    role = {"role_arn": "arn:aws:iam::333333333333:role/Work"}
    sections = {
        "prod": {**role, "source_profile": "acme"},
        "deep": {**role, "source_profile": "prod"},
        "own": {**role, "source_profile": "default"},
        "circle": {**role, "source_profile": "elcric"},
        "elcric": {**role, "source_profile": "circle"},
        "keys": {"region": "eu-west-1", "source_profile": "acme"},
        "bare": role,
        "number": {**role, "source_profile": 1},
        "self": {**role, "source_profile": "self"},
    }
    assert _path("prod", sections) == ("acme", "prod")
    assert _path("deep", sections) == ("acme", "prod", "deep")
    for name in ("own", "circle", "keys", "bare", "number", "self", "nowhere", "acme"):
        assert _path(name, sections) == ()


SECTION = {"role_arn": "arn:aws:iam::333333333333:role/Work"}
UNTIL = datetime(2026, 9, 1, tzinfo=UTC)


def test_a_further_role_is_read_as_sdks_read_it() -> None:
    source = profile(source_profile="work", region="eu-west-1", customer="Acme", until=UNTIL, mfa_max_age=900)
    plain = Profile(
        name="prod",
        role_arn=SECTION["role_arn"],
        contractor=OWNER,
        source_profile="work",
        # A role's session carries no MFA.
        mfa=False,
        max_session=3600,
        until=UNTIL,
        source_identity=True,
        session_tags=True,
        user_name="ann",
        region="eu-west-1",
        customer="Acme",
    )
    assert further_role("prod", SECTION, source=source) == plain
    section = {**SECTION, "external_id": "vk-2", "duration_seconds": "1800", "region": "eu-west-3"}
    assert further_role("prod", section, source=source) == replace(
        plain, external_id="vk-2", max_session=1800, region="eu-west-3"
    )
    assert further_role("prod", {**SECTION, "region": ""}, source=source) == plain


@pytest.mark.parametrize(
    ("text", "seconds"), [("900", 900), ("3599", 3599), ("3600", 3600), ("3601", 3601), ("43200", 43200), (None, None)]
)
def test_how_long_a_session_is_to_last(text: str | None, seconds: int | None) -> None:
    section = {} if text is None else {"duration_seconds": text}
    assert duration_of("prod", section) == seconds
    # More than an hour is what AWS refuses (role chaining).
    assert further_role("prod", {**SECTION, **section}, source=profile()).max_session == min(seconds or 3600, 3600)


@pytest.mark.parametrize(
    "text", ["", "899", "43201", "432000", "99", "-900", "900.0", "9e3", "long", " 900", "٩٠٠", "³600"]
)
def test_a_length_that_is_none_is_told(text: str) -> None:
    with pytest.raises(ProfileError) as caught:
        duration_of("prod", {"duration_seconds": text})
    error = caught.value
    assert error.what == "duration_seconds of the profile prod is not between 900 and 43200"
    assert error.do == "correct it in your AWS config"
    assert error.where == "AWS config: [profile prod] duration_seconds"


@pytest.mark.parametrize(
    ("change", "what", "where"),
    [
        ({"role_arn": "Work"}, "role_arn of the profile prod is not the ARN of a role", "role_arn"),
        ({"role_arn": None}, "role_arn of the profile prod is not the ARN of a role", "role_arn"),
        (
            {"role_arn": "arn:aws:iam::333333333333:user/Work"},
            "role_arn of the profile prod is not the ARN of a role",
            "role_arn",
        ),
        (
            {"role_arn": "arn:aws-cn:iam::333333333333:role/Work"},
            "role_arn of the profile prod is of another partition than the role of acme",
            "role_arn",
        ),
        (
            {"mfa_serial": "arn:aws:iam::123456789012:mfa/ann"},
            "mfa_serial of the profile prod cannot be used: a role's session carries no MFA, so a code does not help",
            "mfa_serial",
        ),
    ],
)
def test_a_further_role_that_cannot_be_entered(change: dict[str, str], what: str, where: str) -> None:
    with pytest.raises(ProfileError) as caught:
        further_role("prod", {**SECTION, **change}, source=profile())
    assert (caught.value.what, caught.value.where) == (what, f"AWS config: [profile prod] {where}")


def test_an_external_id_outside_aws_s_limits_is_told() -> None:
    with pytest.raises(ValetkeyError, match="external id"):
        further_role("prod", {**SECTION, "external_id": "x"}, source=profile())


def test_a_chain_has_a_longest_length() -> None:
    role = {"role_arn": "arn:aws:iam::333333333333:role/Work"}
    chain = {f"p{n}": {**role, "source_profile": f"p{n - 1}" if n else "acme"} for n in range(12)}
    assert len(_path("p9", chain)) == 11
    assert [_path(item, chain) for item in ("p10", "p11")] == [(), ()]
