"""The trust policy that is written for terms, word by word, and reading it back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from valetkey.trust import NotOurs, Terms, TermsError, admits_only, closed_trust, read_terms, write_trust

A = "222222222222"
ROOT = f"arn:aws:iam::{A}:root"
USER = f"arn:aws:iam::{A}:user/alice"
BOB = f"arn:aws:iam::{A}:user/bob"
ROLE = f"arn:aws:iam::{A}:role/team/auditor"
SSO = f"arn:aws:iam::{A}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Audit_*"
END = datetime(2030, 1, 31, 12, 0, 5, tzinfo=UTC)


def statement(**fields: Any) -> dict[str, Any]:
    document = write_trust(Terms(contractor=A, **fields))
    assert document["Version"] == "2012-10-17"
    (only,) = document["Statement"]
    assert isinstance(only, dict)
    return only


def test_the_usual_trust() -> None:
    assert statement(external_id="Example987") == {
        "Sid": "AdmitContractor",
        "Effect": "Allow",
        "Principal": {"AWS": ROOT},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"sts:ExternalId": "Example987"},
            "Bool": {"aws:MultiFactorAuthPresent": "true"},
        },
    }


@pytest.mark.parametrize(
    ("fields", "condition"),
    [
        ({"mfa_max_age": 3600}, {"NumericLessThanEquals": {"aws:MultiFactorAuthAge": "3600"}}),
        ({"only": (USER,)}, {"ArnEquals": {"aws:PrincipalArn": USER}}),
        ({"only": (BOB, USER)}, {"ArnEquals": {"aws:PrincipalArn": [USER, BOB]}}),
        ({"name_people": True}, {"StringEquals": {"sts:RoleSessionName": "${aws:username}"}}),
        (
            {"name_people": True, "external_id": "ab"},
            {"StringEquals": {"sts:ExternalId": "ab", "sts:RoleSessionName": "${aws:username}"}},
        ),
        ({"until": END}, {"DateLessThan": {"aws:CurrentTime": "2030-01-31T12:00:05Z"}}),
        (
            {"until": END.astimezone(timezone(timedelta(hours=-7)))},
            {"DateLessThan": {"aws:CurrentTime": "2030-01-31T12:00:05Z"}},
        ),
    ],
)
def test_each_term_is_one_condition(fields: dict[str, Any], condition: dict[str, Any]) -> None:
    assert statement(**fields)["Condition"] == {"Bool": {"aws:MultiFactorAuthPresent": "true"}} | condition


def test_exact_and_reserved_roles_are_alternatives_of_one_operator() -> None:
    assert statement(mfa=False, only=(SSO, ROLE))["Condition"] == {"ArnLike": {"aws:PrincipalArn": [SSO, ROLE]}}


def test_pinned_principals_replace_the_account() -> None:
    assert statement(pin=(USER,))["Principal"] == {"AWS": USER}
    assert statement(pin=(BOB, USER))["Principal"] == {"AWS": [USER, BOB]}


def test_without_any_condition_there_is_no_empty_one() -> None:
    assert "Condition" not in statement(mfa=False, pin=(ROLE,))


def test_session_extras_stand_apart_under_the_same_principal_without_what_only_assume_role_carries() -> None:
    document = write_trust(
        Terms(
            contractor=A,
            external_id="Example987",
            mfa_max_age=3600,
            only=(USER,),
            name_people=True,
            source_identity=True,
            session_tags=True,
            until=END,
        )
    )
    admit, extras = document["Statement"]
    assert admit["Action"] == "sts:AssumeRole"
    assert extras == {
        "Sid": "AdmitSessionExtras",
        "Effect": "Allow",
        "Principal": admit["Principal"],
        "Action": ["sts:SetSourceIdentity", "sts:TagSession"],
        "Condition": {
            "ArnEquals": {"aws:PrincipalArn": USER},
            "DateLessThan": {"aws:CurrentTime": "2030-01-31T12:00:05Z"},
        },
    }


def test_one_extra_at_a_time() -> None:
    for field, action in (("source_identity", "sts:SetSourceIdentity"), ("session_tags", "sts:TagSession")):
        document = write_trust(Terms(contractor=A, **{field: True}))  # type: ignore[arg-type]
        assert document["Statement"][1]["Action"] == action


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov", "aws-eusc", "aws-iso-f"])
def test_every_partition(partition: str) -> None:
    document = write_trust(Terms(contractor=A, partition=partition))
    assert document["Statement"][0]["Principal"] == {"AWS": f"arn:{partition}:iam::{A}:root"}


def test_how_large_a_trust_may_be_is_the_accounts_own_quota() -> None:
    """Nothing here knows the account: `grants.prepare` asks for its quota."""
    many = tuple(f"arn:aws:iam::{A}:user/{n:040}" for n in range(60))
    document = write_trust(Terms(contractor=A, only=many))
    assert len(json.dumps(document, separators=(",", ":"))) > 4096
    assert admits_only(document, Terms(contractor=A, only=many), role_arn="arn:aws:iam::111111111111:role/x").holds


def test_nothing_is_written_that_check_terms_refuses() -> None:
    with pytest.raises(TermsError):
        write_trust(Terms(contractor=A, mfa=False))


def test_the_closed_trust_holds_no_allow() -> None:
    (deny,) = closed_trust()["Statement"]
    assert deny == {"Sid": "AdmitNobody", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}


FULL = Terms(
    contractor=A,
    external_id="Example987",
    mfa_max_age=3600,
    only=(USER, BOB),
    name_people=True,
    source_identity=True,
    session_tags=True,
    until=END,
)


def test_what_was_written_is_read() -> None:
    assert read_terms(write_trust(FULL)) == FULL


def test_aws_other_forms_of_the_same_are_read() -> None:
    document = {
        "Version": "2012-10-17",
        "Statement": {
            "Sid": "",
            "Effect": "Allow",
            "Principal": {"AWS": [A]},
            "Action": ["STS:assumerole"],
            "Condition": {
                "Bool": {"AWS:multifactorauthpresent": True},
                "NumericLessThanEquals": {"aws:MultiFactorAuthAge": [3600]},
                "StringEquals": {"sts:externalid": ["Example987"]},
            },
        },
    }
    assert read_terms(document) == Terms(contractor=A, external_id="Example987", mfa_max_age=3600)
    assert read_terms(document, partition="aws-cn").partition == "aws-cn"


def test_the_order_of_alternatives_does_not_matter() -> None:
    document = write_trust(FULL)
    for each in document["Statement"]:
        each["Condition"]["ArnEquals"]["aws:PrincipalArn"].reverse()
    assert read_terms(document) == FULL


def test_a_pinned_principal_that_was_deleted_is_an_orphan() -> None:
    document = write_trust(Terms(contractor=A, pin=(USER, BOB)))
    document["Statement"][0]["Principal"]["AWS"] = ["AIDAEXAMPLEEXAMPLE12", BOB]
    terms = read_terms(document)
    assert terms.pin == ("AIDAEXAMPLEEXAMPLE12", BOB)
    assert terms.orphans == ("AIDAEXAMPLEEXAMPLE12",)
    document["Statement"][0]["Principal"]["AWS"] = "AIDAEXAMPLEEXAMPLE12"
    with pytest.raises(NotOurs, match="none of its principals still exists"):
        read_terms(document)
    assert read_terms(document, contractor=A).orphans == ("AIDAEXAMPLEEXAMPLE12",)


def _edit(path: str, value: Any) -> dict[str, Any]:
    document: Any = json.loads(json.dumps(write_trust(FULL)))
    *way, last = path.split(".")
    place = document["Statement"][0] if path else document
    for step in way:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return dict(document)


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({}, "$.Statement"),
        ({"Version": "2012-10-17", "Statement": []}, "$.Statement"),
        ({"Version": "2012-10-17", "Statement": ["x"]}, "$.Statement[0]"),
        (closed_trust(), "$.Statement[0]"),
        (write_trust(FULL) | {"Version": "2008-10-17"}, "$.Version"),
        (write_trust(FULL) | {"Id": "x"}, "$.Id"),
        (_edit("Condition.Bool", None), "$.Statement[0]"),
        (_edit("Condition.DateLessThan", None), "$.Statement[1].Condition.DateLessThan"),
        (
            _edit("Condition.DateLessThan.aws:CurrentTime", "2030-01-31T12:00:06Z"),
            "$.Statement[1].Condition.DateLessThan",
        ),
        (_edit("Condition.ArnEquals", None), "$.Statement[1].Condition.ArnEquals"),
        (_edit("Condition.Bool.aws:MultiFactorAuthPresent", "false"), "$.Statement[0].Condition.Bool"),
        (
            _edit("Condition.BoolIfExists", {"aws:MultiFactorAuthPresent": "true"}),
            "$.Statement[0].Condition.BoolIfExists",
        ),
        (
            _edit("Condition.StringEquals.sts:ExternalId", ["Example987", "Other"]),
            "$.Statement[0].Condition.StringEquals",
        ),
        (_edit("Condition.StringEquals.sts:ExternalId", "x"), "$.Statement[0]"),
        (
            _edit("Condition.StringEquals.sts:ExternalId", [None]),
            "$.Statement[0].Condition.StringEquals.sts:ExternalId",
        ),
        (_edit("Condition.StringEquals.STS:externalid", "Other"), "$.Statement[0].Condition.StringEquals"),
        (_edit("Principal", "*"), "$.Statement[0].Principal"),
        (_edit("Principal", {"Service": "ec2.amazonaws.com"}), "$.Statement[0].Principal"),
        (_edit("Principal", {"AWS": ROOT, "Service": "ec2.amazonaws.com"}), "$.Statement[0].Principal.Service"),
        (_edit("Action", ["sts:AssumeRole", "sts:TagSession"]), "$.Statement[0].Action"),
        (_edit("Action", "sts:*"), "$.Statement[0].Action"),
        (_edit("NotAction", "sts:AssumeRole"), "$.Statement[0].NotAction"),
        (_edit("Effect", "Deny"), "$.Statement[0].Effect"),
    ],
)
def test_other_documents_are_not_ours(document: dict[str, Any], where: str) -> None:
    with pytest.raises(NotOurs) as caught:
        read_terms(document)
    assert caught.value.where.startswith(where)
    assert caught.value.do
