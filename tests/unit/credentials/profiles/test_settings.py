"""What a client's sessions carry: read from the AWS config, held against what the owner admits."""

from __future__ import annotations

import pytest
from tests.unit.credentials.sts_world import profile

from valetkey.credentials.profiles.profile import ProfileError
from valetkey.credentials.profiles.settings import PLAIN, SessionSettings, carried, read_only, read_settings
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
    with pytest.raises(ProfileError, match="the role requires your IAM user's name"):
        carried(SessionSettings(session_name="other"), it)


def test_read_only_is_of_the_roles_partition_and_never_widens() -> None:
    assert read_only(PLAIN, profile()).policy_arns == (READ_ONLY,)
    china = profile(role_arn="arn:aws-cn:iam::210987654321:role/x")
    assert read_only(PLAIN, china).policy_arns == ("arn:aws-cn:iam::aws:policy/ReadOnlyAccess",)
    own = SessionSettings(policy_arns=("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",))
    with pytest.raises(ValetkeyError, match="AWS adds several up"):
        read_only(own, profile())
    assert read_only(SessionSettings(policy_arns=(READ_ONLY,)), profile()).policy_arns == (READ_ONLY,)
