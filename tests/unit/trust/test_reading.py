"""Terms read back from a trust policy, in every form in which AWS gives one back; and what is not valetkey's."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from valetkey.trust import NotOurs, Terms, closed_trust, read_terms, write_trust
from valetkey.trust.reading import trust_digest
from valetkey.trust.record import digest

A = "222222222222"
ROOT = f"arn:aws:iam::{A}:root"
USER = f"arn:aws:iam::{A}:user/alice"
BOB = f"arn:aws:iam::{A}:user/bob"
ROLE = f"arn:aws:iam::{A}:role/team/auditor"
SSO = f"arn:aws:iam::{A}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Audit_*"
END = datetime(2030, 1, 31, 12, 0, 5, tzinfo=UTC)
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


PLAIN = Terms(contractor=A, external_id="Example987")
ROTATED = replace(PLAIN, previous_external_id="Example986", previous_until=END)
VENDOR = replace(PLAIN, external_id="7f1c0a55-2f0e-4c9b", mfa=False, whole_account=True)


@pytest.mark.parametrize(
    "terms",
    [
        FULL,
        PLAIN,
        Terms(contractor=A),
        replace(PLAIN, source_identity=True),
        replace(PLAIN, session_tags=True),
        replace(PLAIN, name_people=True),
        replace(PLAIN, mfa_max_age=1),
        replace(PLAIN, mfa=False, only=(ROLE, SSO)),
        replace(PLAIN, mfa=False, pin=(ROLE,)),
        replace(PLAIN, pin=(USER, BOB), until=END),
        replace(PLAIN, from_ip=("198.51.100.0/24", "2001:db8::/32")),
        replace(PLAIN, partition="aws-cn"),
        ROTATED,
        replace(ROTATED, until=END + timedelta(days=1), session_tags=True),
        VENDOR,
        replace(VENDOR, session_tags=True),
    ],
)
def test_what_was_written_is_read(terms: Terms) -> None:
    assert read_terms(write_trust(terms)) == terms


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
    for item in document["Statement"]:
        item["Condition"]["ArnEquals"]["aws:PrincipalArn"].reverse()
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


def edited(path: str, value: Any, terms: Terms = FULL) -> dict[str, Any]:
    document: Any = json.loads(json.dumps(write_trust(terms)))
    *way, last = path.split(".")
    place = document["Statement"][0]
    for step in way:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return dict(document)


def with_statements(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


FIRST, SECOND = write_trust(FULL)["Statement"]
NEVER = "is a role, and a role session never carries MFA: it could never be admitted"
MORE = "it contains something that valetkey does not write"
NAMELESS = "its first statement names no AWS principal"
BREAK = "its terms break a rule"
ALL = "without MFA and without names, the ExternalId is all that keeps others out"
AGE = "$.Statement[0].Condition.NumericLessThanEquals"


@pytest.mark.parametrize(
    ("document", "what", "where"),
    [
        ("x", "it is not a JSON object", "$"),
        ({}, "there is no statement", "$.Statement"),
        ({"Version": "2012-10-17", "Statement": []}, "there is no statement", "$.Statement"),
        (with_statements("x"), "a statement is not a JSON object", "$.Statement[0]"),
        (with_statements(FIRST, "x"), "a statement is not a JSON object", "$.Statement[1]"),
        (closed_trust(), "none of its principals still exists ('*')", "$.Statement[0].Principal"),
        (
            edited("Principal", {"AWS": [f"AIDAEXAMPLE{number:05}" for number in (4, 3, 2, 1)]}),
            "none of its principals still exists ('AIDAEXAMPLE00001', 'AIDAEXAMPLE00002', 'AIDAEXAMPLE00003')",
            "$.Statement[0].Principal",
        ),
        (
            write_trust(FULL) | {"Version": "2008-10-17"},
            "'2008-10-17', but valetkey writes '2012-10-17'",
            "$.Version",
        ),
        (write_trust(FULL) | {"Id": "x"}, MORE, "$.Id"),
        ({"Statement": write_trust(FULL)["Statement"]}, "something that valetkey writes is missing", "$.Version"),
        (with_statements(FIRST, SECOND, SECOND), "it has 3 statements, not 2", "$.Statement"),
        (
            edited("Condition.Bool", None),
            f"{BREAK}: a maximum age of MFA needs MFA to be required",
            "$.Statement[0]",
        ),
        (edited("Condition.DateLessThan", None), MORE, "$.Statement[1].Condition.DateLessThan"),
        (
            edited("Condition.DateLessThan.aws:CurrentTime", "2030-01-31T12:00:06Z"),
            "'2030-01-31T12:00:05Z', but valetkey writes '2030-01-31T12:00:06Z'",
            "$.Statement[1].Condition.DateLessThan.aws:CurrentTime",
        ),
        (edited("Condition.DateLessThan.aws:CurrentTime", "soon"), MORE, "$.Statement[0].Condition.DateLessThan"),
        (edited("Condition.NumericLessThanEquals.aws:MultiFactorAuthAge", "1" * 12), MORE, AGE),
        (edited("Condition.NumericLessThanEquals.aws:MultiFactorAuthAge", "\N{SUPERSCRIPT TWO}"), MORE, AGE),
        (
            edited("Condition.NumericLessThanEquals.aws:MultiFactorAuthAge", "1" * 11),
            f"{BREAK}: the maximum age of MFA must be 1 to 129600 seconds",
            "$.Statement[0]",
        ),
        (
            edited("Condition.NumericLessThanEquals.aws:MultiFactorAuthAge", "0060"),
            "'0060', but valetkey writes '60'",
            f"{AGE}.aws:MultiFactorAuthAge",
        ),
        (edited("Condition.ArnEquals", None), MORE, "$.Statement[1].Condition.ArnEquals"),
        (edited("Condition", "x"), f"{BREAK}: {ALL}", "$.Statement[0]"),
        (edited("Condition.Bool", "x"), "a condition is not a JSON object", "$.Statement[0].Condition.Bool"),
        (
            edited("Condition.Bool.aws:MultiFactorAuthPresent", "false"),
            "'false', but valetkey writes 'true'",
            "$.Statement[0].Condition.Bool.aws:MultiFactorAuthPresent",
        ),
        (
            edited("Condition.Bool.aws:MultiFactorAuthPresent", ["true", "false"]),
            "'false, true', but valetkey writes 'true'",
            "$.Statement[0].Condition.Bool.aws:MultiFactorAuthPresent",
        ),
        (
            edited("Condition.BoolIfExists", {"aws:MultiFactorAuthPresent": "true"}),
            MORE,
            "$.Statement[0].Condition.BoolIfExists",
        ),
        (
            edited("Condition.StringEquals.sts:ExternalId", ["Example987", "Other"]),
            MORE,
            "$.Statement[0].Condition.StringEquals.sts:ExternalId",
        ),
        (
            edited("Condition.StringEquals.sts:ExternalId", "x"),
            f"{BREAK}: the external id has 1 character, AWS takes 2 to 1224",
            "$.Statement[0]",
        ),
        (
            edited("Condition.StringEquals.sts:ExternalId", [None]),
            "NoneType is not a string",
            "$.Statement[0].Condition.StringEquals.sts:ExternalId",
        ),
        (
            edited("Condition.StringEquals.STS:externalid", "Other"),
            "a condition key occurs twice, in different case",
            "$.Statement[0].Condition.StringEquals",
        ),
        (edited("Principal", "*"), NAMELESS, "$.Statement[0].Principal"),
        (edited("Principal", {}), NAMELESS, "$.Statement[0].Principal"),
        (edited("Principal", {"Service": "ec2.amazonaws.com"}), NAMELESS, "$.Statement[0].Principal"),
        (
            edited("Principal", {"AWS": [ROOT, USER]}),
            f"{BREAK}: --only and --pin both name who may assume the role",
            "$.Statement[0]",
        ),
        (
            edited("Principal", {"AWS": [USER, USER.replace(A, "333333333333")]}, PLAIN),
            f"{BREAK}: '{USER.replace(A, '333333333333')}' is not in the contractor's account {A}",
            "$.Statement[0]",
        ),
        (
            edited("Principal", {"AWS": [USER, USER.replace("aws", "aws-cn")]}, PLAIN),
            f"{BREAK}: '{USER}' is not in the partition aws-cn",
            "$.Statement[0]",
        ),
        (
            edited("Principal", {"AWS": [USER, f"AROA{'X' * 61}"]}, PLAIN),
            f"{BREAK}: 'arn:aws:iam::{A}:role/AROA{'X' * 60}' {NEVER}",
            "$.Statement[0]",
        ),
        (edited("Principal", {"AWS": [1.5]}), "float is not a string", "$.Statement[0].Principal.AWS"),
        (edited("Principal", {"AWS": ROOT, "Service": "ec2.amazonaws.com"}), MORE, "$.Statement[0].Principal.Service"),
        (
            edited("Action", ["sts:TagSession", "sts:AssumeRole"]),
            "'sts:AssumeRole, sts:TagSession', but valetkey writes 'sts:AssumeRole'",
            "$.Statement[0].Action",
        ),
        (edited("Action", "sts:*"), "'sts:*', but valetkey writes 'sts:AssumeRole'", "$.Statement[0].Action"),
        (edited("Action", {}), "dict is not a string", "$.Statement[0].Action"),
        (edited("NotAction", "sts:AssumeRole"), MORE, "$.Statement[0].NotAction"),
        (edited("Effect", "Deny"), "'Deny', but valetkey writes 'Allow'", "$.Statement[0].Effect"),
        (edited("Effect", [1]), "list, but valetkey writes 'Allow'", "$.Statement[0].Effect"),
        (edited("Effect", {}), "dict, but valetkey writes 'Allow'", "$.Statement[0].Effect"),
    ],
)
def test_other_documents_are_not_ours(document: Any, what: str, where: str) -> None:
    with pytest.raises(NotOurs) as caught:
        read_terms(document)
    assert caught.value.what == f"this trust policy is not one that valetkey writes: {what}"
    assert caught.value.where == where
    assert caught.value.do == "inspect the role; valetkey does not change a trust policy that it does not understand"
    assert caught.value.exit_code == 1


def test_an_external_id_that_differs_is_not_shown() -> None:
    with pytest.raises(NotOurs) as caught:
        read_terms(edited("Condition.StringEquals.sts:ExternalId", ["Example987", "Other"]))
    assert "Example987" not in str(caught.value)


def test_a_whole_account_is_one_without_mfa_and_without_names() -> None:
    assert read_terms(write_trust(VENDOR)).whole_account
    for other in (
        replace(PLAIN, mfa=True),
        replace(PLAIN, mfa=False, only=(ROLE,)),
        replace(PLAIN, mfa=False, only=(SSO,)),
    ):
        assert not read_terms(write_trust(other)).whole_account


def test_a_rotation_without_its_end_is_not_ours() -> None:
    document = write_trust(ROTATED)
    del document["Statement"][1]["Condition"]["DateLessThan"]
    with pytest.raises(NotOurs, match="a previous ExternalId and its end belong together"):
        read_terms(document)


def test_deleted_roles_and_users_stand_for_ones_that_could_exist() -> None:
    """Only roles are admitted without MFA, and a session name that is a user's name needs users."""
    document = write_trust(replace(PLAIN, mfa=False, pin=(ROLE,)))
    document["Statement"][0]["Principal"]["AWS"] = ["AROAEXAMPLEEXAMPLE12" + "X" * 100, ROLE]
    assert read_terms(document).pin == ("AROAEXAMPLEEXAMPLE12" + "X" * 100, ROLE)
    document = write_trust(replace(PLAIN, pin=(USER,)))
    document["Statement"][0]["Principal"]["AWS"] = ["AROAEXAMPLEEXAMPLE12", USER]
    with pytest.raises(NotOurs, match="is a role, and a role session never carries MFA"):
        read_terms(document)


def test_the_digest_of_a_trust_is_one_for_every_form_of_it() -> None:
    document = write_trust(FULL)
    other = json.loads(json.dumps(document))
    other["Statement"][0]["Sid"] = "Other"
    other["Statement"][0]["Action"] = ["STS:assumerole"]
    other["Statement"][0]["Principal"] = {"AWS": A}
    assert trust_digest(other, partition="aws") == trust_digest(document, partition="aws")
    assert trust_digest(other, partition="aws-cn") != trust_digest(document, partition="aws")
    other["Statement"].reverse()
    assert trust_digest(other, partition="aws") != trust_digest(document, partition="aws")


def test_a_trust_that_cannot_be_put_in_one_form_has_the_digest_of_its_text() -> None:
    assert trust_digest({"Statement": ["x"]}, partition="aws") == digest({"Statement": ["x"]})


def test_forms_that_valetkey_never_writes_stay_in_the_digest() -> None:
    """An element that is no JSON object where one belongs, a condition without keys, addresses and names."""
    for statement, normal in (
        (
            {"Effect": "Allow", "Principal": "*", "Condition": {}},
            {"Effect": "Allow", "Principal": "*"},
        ),
        (
            {"Condition": {"IpAddress": {"AWS:sourceip": ["203.0.113.9", "198.51.100.7", "office"]}}},
            {"Condition": {"IpAddress": {"aws:SourceIp": ["198.51.100.7/32", "203.0.113.9/32", "office"]}}},
        ),
        (
            {"Condition": {"Bool": {"x:Y": [True, False, 3600, "a"]}}, "Action": ["STS:TAGSESSION", "S3:get"]},
            {"Condition": {"Bool": {"x:Y": ["3600", "a", "false", "true"]}}, "Action": ["S3:get", "sts:TagSession"]},
        ),
    ):
        assert trust_digest({"Statement": statement}, partition="aws") == digest({"Statement": [normal]})
