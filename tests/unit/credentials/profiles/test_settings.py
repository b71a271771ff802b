"""What a client's sessions carry: read from the AWS config, held against what the owner admits."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.credentials.sts_world import profile

from valetkey.credentials.profiles.profile import ProfileError
from valetkey.credentials.profiles.settings import PLAIN, SessionSettings, carried, read_only, read_settings
from valetkey.credentials.sessions.chained_roles import further_role, path_to
from valetkey.errors import ValetkeyError

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def test_every_setting_is_read() -> None:
    section = {
        "credential_process": "valetkey credential-process acme",
        "role_session_name": "ann.acme",
        "source_identity": "ann",
        "session_tags": "project = blue, ticket=OPS-7,empty=",
        "transitive_session_tags": "project,ticket",
        "session_policy_arns": f"{READ_ONLY},arn:aws:iam::210987654321:policy/own",
        "s3": {"addressing_style": "path"},
    }
    assert read_settings(section, name="acme") == SessionSettings(
        session_name="ann.acme",
        source_identity="ann",
        tags=(("project", "blue"), ("ticket", "OPS-7"), ("empty", "")),
        transitive=("project", "ticket"),
        policy_arns=(READ_ONLY, "arn:aws:iam::210987654321:policy/own"),
    )
    assert read_settings({}, name="acme") == PLAIN


@pytest.mark.parametrize(
    ("section", "setting"),
    [
        ({"role_session_name": "a b"}, "role_session_name"),
        ({"role_session_name": "\u00e9"}, "role_session_name"),
        ({"source_identity": "x" * 65}, "source_identity"),
        ({"session_tags": "project"}, "session_tags"),
        ({"session_tags": "aws:x=1"}, "session_tags"),
        ({"session_tags": f"a={'x' * 257}"}, "session_tags"),
        ({"session_tags": "a=1,A=2"}, "session_tags"),
        ({"session_tags": ",".join(f"k{n}=v" for n in range(51))}, "session_tags"),
        ({"transitive_session_tags": "project"}, "transitive_session_tags"),
        ({"session_policy_arns": "ReadOnlyAccess"}, "session_policy_arns"),
        ({"session_policy_arns": ",".join([READ_ONLY] * 11)}, "session_policy_arns"),
    ],
)
def test_what_aws_would_refuse_is_told_by_its_setting_and_not_quoted(section: dict[str, str], setting: str) -> None:
    with pytest.raises(ProfileError) as caught:
        read_settings(section, name="acme")
    assert caught.value.where == f"AWS config: [profile acme] {setting}"
    assert setting in caught.value.what
    assert section[setting] not in caught.value.what


@pytest.mark.parametrize(
    ("settings", "option"),
    [
        (SessionSettings(source_identity="ann"), "--source-identity"),
        (SessionSettings(tags=(("a", "b"),)), "--session-tags"),
    ],
)
def test_what_the_handoff_does_not_admit_is_refused_before_a_call(settings: SessionSettings, option: str) -> None:
    with pytest.raises(ProfileError, match="the handoff does not admit") as caught:
        carried(settings, profile())
    assert option in caught.value.do


def test_the_owners_rule_for_session_names_holds() -> None:
    it = profile(session_name="username")
    assert carried(PLAIN, it) == {"RoleSessionName": "ann"}
    assert carried(SessionSettings(session_name="ann"), it) == {"RoleSessionName": "ann"}
    with pytest.raises(ProfileError, match="the owner wants your IAM user's name"):
        carried(SessionSettings(session_name="other"), it)


def test_read_only_is_of_the_roles_partition_and_never_widens() -> None:
    assert read_only(PLAIN, profile()).policy_arns == (READ_ONLY,)
    china = profile(role_arn="arn:aws-cn:iam::210987654321:role/x")
    assert read_only(PLAIN, china).policy_arns == ("arn:aws-cn:iam::aws:policy/ReadOnlyAccess",)
    own = SessionSettings(policy_arns=("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",))
    with pytest.raises(ValetkeyError, match="AWS adds several up"):
        read_only(own, profile())
    assert read_only(SessionSettings(policy_arns=(READ_ONLY,)), profile()).policy_arns == (READ_ONLY,)


def _path(name: str, sections: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    return path_to(name, lambda each: sections.get(each, {}), is_grant=lambda each: each == "acme")


def test_the_way_to_a_further_role() -> None:
    role = {"role_arn": "arn:aws:iam::333333333333:role/Work"}
    sections = {
        "prod": {**role, "source_profile": "acme"},
        "deep": {**role, "source_profile": "prod"},
        "own": {**role, "source_profile": "default"},
        "circle": {**role, "source_profile": "elcric"},
        "elcric": {**role, "source_profile": "circle"},
        "keys": {"region": "eu-west-1", "source_profile": "acme"},
    }
    assert _path("prod", sections) == ("acme", "prod")
    assert _path("deep", sections) == ("acme", "prod", "deep")
    for name in ("own", "circle", "keys", "nowhere", "acme"):
        assert _path(name, sections) == ()


def test_a_further_role_is_read_as_sdks_read_it() -> None:
    section = {
        "role_arn": "arn:aws:iam::333333333333:role/Work",
        "external_id": "vk-2",
        "duration_seconds": "1800",
        "region": "eu-west-3",
    }
    found = further_role("prod", section, source=profile(source_profile="work", region="eu-west-1"))
    assert (found.name, found.account, found.external_id, found.mfa) == ("prod", "333333333333", "vk-2", False)
    assert (found.max_session, found.region, found.source_profile, found.user_name) == (
        1800,
        "eu-west-3",
        "work",
        "ann",
    )
    # More than an hour is what AWS refuses (role chaining).
    assert further_role("prod", {**section, "duration_seconds": "43200"}, source=profile()).max_session == 3600


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"role_arn": "Work"}, "not the ARN of a role"),
        ({"role_arn": "arn:aws-cn:iam::333333333333:role/Work"}, "another partition"),
        ({"mfa_serial": "arn:aws:iam::123456789012:mfa/ann"}, "a role's session carries no MFA"),
        ({"duration_seconds": "60"}, "between 900 and 43200"),
        ({"duration_seconds": "long"}, "between 900 and 43200"),
        ({"external_id": "x"}, "external id"),
    ],
)
def test_a_further_role_that_cannot_be_entered(change: dict[str, str], says: str) -> None:
    section = {"role_arn": "arn:aws:iam::333333333333:role/Work", **change}
    with pytest.raises(ValetkeyError, match=says):
        further_role("prod", section, source=profile())
