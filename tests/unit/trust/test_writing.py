"""The trust policy that is written for terms, word by word."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from valetkey.trust import Terms, TermsError, admits_only, closed_trust, write_trust

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


def test_while_an_external_id_is_rotated_the_previous_one_is_accepted_until_its_end() -> None:
    """Under every other condition of the terms; what is besides AssumeRole ends with the grant."""
    later = END + timedelta(days=1)
    terms = Terms(
        contractor=A,
        external_id="new-one",
        previous_external_id="old-one",
        previous_until=END,
        pin=(USER,),
        from_ip=("198.51.100.0/24", "2001:db8::/32"),
        until=later,
        session_tags=True,
    )
    admit = {"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "sts:AssumeRole"}
    mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    office = {"IpAddress": {"aws:SourceIp": ["198.51.100.0/24", "2001:db8::/32"]}}
    last, first = ({"DateLessThan": {"aws:CurrentTime": f"2030-{day}T12:00:05Z"}} for day in ("02-01", "01-31"))
    new, old = ({"StringEquals": {"sts:ExternalId": item}} for item in ("new-one", "old-one"))
    assert write_trust(terms) == {
        "Version": "2012-10-17",
        "Statement": [
            {**admit, "Sid": "AdmitContractor", "Condition": {**new, **mfa, **office, **last}},
            {**admit, "Sid": "AdmitPreviousExternalId", "Condition": {**old, **mfa, **office, **first}},
            {**admit, "Sid": "AdmitSessionExtras", "Action": "sts:TagSession", "Condition": {**office, **last}},
        ],
    }


def test_extras_without_any_condition_have_no_empty_one() -> None:
    terms = Terms(contractor=A, external_id="Example987", source_identity=True)
    assert write_trust(terms)["Statement"][1] == {
        "Sid": "AdmitSessionExtras",
        "Effect": "Allow",
        "Principal": {"AWS": ROOT},
        "Action": "sts:SetSourceIdentity",
    }


def test_one_address_is_written_as_one_text() -> None:
    assert statement(from_ip=("198.51.100.7",))["Condition"]["IpAddress"] == {"aws:SourceIp": "198.51.100.7/32"}


def test_the_closed_trust_is_a_whole_document() -> None:
    assert closed_trust()["Version"] == "2012-10-17"


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
