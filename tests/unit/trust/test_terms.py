"""Which terms a trust may be written for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from valetkey.catalog.limits import LimitError
from valetkey.errors import ValetkeyError
from valetkey.trust import Terms, TermsError, check_terms
from valetkey.trust.named_principals import sso_role_forms

A = "222222222222"
USER = f"arn:aws:iam::{A}:user/alice"
ROLE = f"arn:aws:iam::{A}:role/team/auditor"
SSO = f"arn:aws:iam::{A}:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Audit_*"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"external_id": "ab"},
        {"external_id": "x" * 1224},
        {"external_id": "a_b+c=d,e.f@g:h/i-j"},
        {"only": (USER,)},
        {"pin": (USER, f"arn:aws:iam::{A}:user/a/b/bob")},
        {"only": (ROLE, SSO), "mfa": False},
        {"only": (f"arn:aws:iam::{A}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_A_b_*",), "mfa": False},
        {
            "only": (f"arn:aws:iam::{A}:role/aws-reserved/sso.amazonaws.com/ap-southeast-4/AWSReservedSSO_A_b_*",),
            "mfa": False,
        },
        {"name_people": True},
        {"name_people": True, "mfa": False, "only": (USER,)},
        {"mfa_max_age": 1},
        {"mfa_max_age": 129_600},
        {"until": datetime(2030, 1, 1, tzinfo=UTC)},
        {"partition": "aws-us-gov", "only": (USER.replace("arn:aws:", "arn:aws-us-gov:"),)},
        {"source_identity": True, "session_tags": True},
    ],
)
def test_right_terms(fields: dict[str, Any]) -> None:
    check_terms(Terms(contractor=A, **fields))


@pytest.mark.parametrize(
    "contractor", ["", "22222222222", "2222222222222", "22222222222a", "٢٢٢٢٢٢٢٢٢٢٢٢", " 22222222222"]
)
def test_an_account_id_has_twelve_digits(contractor: str) -> None:
    with pytest.raises(ValetkeyError, match="account id"):
        check_terms(Terms(contractor=contractor))


@pytest.mark.parametrize("external_id", ["", "a", "x" * 1225, "a b", "a*b", "${aws:username}", "naïve", "ab\n"])
def test_an_external_id_that_sts_could_never_receive_is_refused(external_id: str) -> None:
    with pytest.raises(LimitError, match="external id"):
        check_terms(Terms(contractor=A, external_id=external_id))


@pytest.mark.parametrize(
    ("fields", "where", "says"),
    [
        ({"partition": "amazon"}, "partition", "not a partition"),
        ({"mfa": False}, "mfa", "must name the users or roles"),
        ({"mfa": False, "mfa_max_age": 60, "only": (USER,)}, "mfa_max_age", "needs MFA"),
        ({"mfa_max_age": 0}, "mfa_max_age", "1 to 129600"),
        ({"mfa_max_age": 129_601}, "mfa_max_age", "1 to 129600"),
        ({"mfa_max_age": True}, "mfa_max_age", "1 to 129600"),
        ({"only": (USER,), "pin": (USER,)}, "only", "both"),
        ({"only": (ROLE,)}, "only", "never carries MFA"),
        ({"pin": (USER, ROLE)}, "pin", "never carries MFA"),
        ({"only": (ROLE,), "mfa": False, "name_people": True}, "name_people", "only IAM users have"),
        ({"only": (SSO,), "mfa": False, "name_people": True}, "name_people", "only IAM users have"),
        ({"only": (f"{USER[: -len(USER.rsplit('/', 1)[1])]}x",), "name_people": True}, "name_people", "two at least"),
        ({"until": datetime(2030, 1, 1)}, "until", "zone"),
        ({"until": datetime(2030, 1, 1, 0, 0, 0, 1, tzinfo=UTC)}, "until", "whole seconds"),
        ({"until": datetime(9999, 12, 31, tzinfo=UTC)}, "until", "is not supported"),
    ],
)
def test_terms_that_contradict_themselves(fields: dict[str, Any], where: str, says: str) -> None:
    with pytest.raises(TermsError, match=says) as caught:
        check_terms(Terms(contractor=A, **fields))
    assert caught.value.where == where
    assert caught.value.do
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("field", ["only", "pin"])
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("alice", "not an ARN"),
        (A, "not an ARN"),
        (f"arn:aws:iam::{A}:root", "root user"),
        (f"arn:aws:sts::{A}:assumed-role/auditor/alice", "session"),
        (f"arn:aws:iam::{A}:group/team", "not a user or role"),
        (f"arn:aws:iam::{A}:user/", "not a user or role"),
        (f"arn:aws:iam::{A}:user", "not a user or role"),
        (f"arn:aws:iam::{A}:user/a b", "not a user or role"),
        (f"arn:aws:iam::{A}:user/{'a' * 65}", "not a user or role"),
        (f"arn:aws:iam::{A}:User/alice", "not a user or role"),
        (f"arn:aws:s3::{A}:user/alice", "not a user or role"),
        (f"arn:aws:iam:eu-west-1:{A}:user/alice", "not a user or role"),
        ("arn:aws:iam:::user/alice", "not a user or role"),
        ("arn:aws:iam::333333333333:user/alice", "not in the contractor's account"),
        (f"arn:aws-cn:iam::{A}:user/alice", "not in the partition"),
        ("arn:aws:iam::*:user/alice", "not the account|not a user or role"),
        (f"arn:aws:iam::{A}:user/*", "wildcard"),
        (f"arn:aws:iam::{A}:user/al?ce", "wildcard"),
        (f"arn:aws:iam::{A}:user/${{aws:username}}", "variable"),
        (f"arn:aws:iam::{A}:role/AWSReservedSSO_Audit_*", "without its path"),
        (f"arn:aws:iam::{A}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_*", "wildcard"),
        (f"arn:aws:iam::{A}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Audit*", "wildcard"),
        (f"arn:aws:iam::{A}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_*_Audit_*", "wildcard"),
        (f"arn:aws:iam::{A}:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Audit_*", "wildcard"),
        (f"arn:aws:iam::{A}:user/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Audit_*", "wildcard"),
    ],
)
def test_who_may_not_be_named(field: str, name: str, says: str) -> None:
    with pytest.raises(TermsError, match=says) as caught:
        check_terms(Terms(contractor=A, mfa=False, **{field: (name,)}))  # type: ignore[arg-type]
    assert caught.value.where == field


def test_a_wildcard_is_never_pinned() -> None:
    with pytest.raises(TermsError, match="wildcard"):
        check_terms(Terms(contractor=A, mfa=False, pin=(SSO,)))


def test_only_and_pin_are_sets() -> None:
    bob = USER.replace("alice", "bob")
    assert Terms(contractor=A, only=(bob, USER, bob)) == Terms(contractor=A, only=(USER, bob))


def test_a_deleted_principal_is_an_orphan() -> None:
    assert Terms(contractor=A, pin=(USER, "AIDAEXAMPLEEXAMPLE12")).orphans == ("AIDAEXAMPLEEXAMPLE12",)
    assert Terms(contractor=A, pin=(USER,)).orphans == ()


def test_an_identity_center_role_has_two_forms() -> None:
    """With the home region in its path, and without in us-east-1."""
    name = "AWSReservedSSO_Audit_0123456789abcdef"
    path = f"arn:aws:iam::{A}:role/aws-reserved/sso.amazonaws.com/"
    assert sso_role_forms(f"arn:aws:iam::{A}:role/{name}") == (f"{path}REGION/{name}", f"{path}{name}")
    for full in (f"{path}{name}", f"{path}eu-west-1/{name}", f"arn:aws:iam::{A}:role/team/ops", USER):
        assert sso_role_forms(full) == (full,)


@pytest.mark.parametrize(
    "resource",
    [
        "iam::222222222222:role/AWSReservedSSO_Audit_0123456789abcdef",
        "iam::222222222222:role/AWSReservedSSO_Audit_*",
        "iam::222222222222:role/teams/AWSReservedSSO_Audit_0123456789abcdef",
        "sts::222222222222:assumed-role/AWSReservedSSO_Audit_0123456789abcdef/carol@example.com",
    ],
)
@pytest.mark.parametrize("field", ["only", "pin"])
def test_an_identity_center_role_without_its_path_is_refused_with_the_right_arn(field: str, resource: str) -> None:
    terms = Terms(contractor="222222222222", mfa=False, **{field: (f"arn:aws:{resource}",)})
    with pytest.raises(TermsError, match="without its path") as refused:
        check_terms(terms)
    name = "AWSReservedSSO_Audit_" + ("*" if resource.endswith("*") else "0123456789abcdef")
    path = "arn:aws:iam::222222222222:role/aws-reserved/sso.amazonaws.com/"
    assert f"{path}{name} " in refused.value.do
    assert f"{path}REGION/{name} " in refused.value.do
    right = Terms(contractor="222222222222", mfa=False, only=(f"{path}eu-west-1/{name}",))
    check_terms(right)
