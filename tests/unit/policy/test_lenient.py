"""What AWS would refuse is still read, never as less than it could let in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from valetkey.errors import PolicyError
from valetkey.policy import Request, decide, parse_policy
from valetkey.policy.lenient import parse_lenient

A, OWN = "222222222222", "111111111111"
ROLE = f"arn:aws:iam::{OWN}:role/x"
ROOT = f"arn:aws:iam::{A}:root"
GOOD: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": {"AWS": ROOT},
    "Action": "sts:AssumeRole",
    "Condition": {"StringEquals": {"sts:ExternalId": "abc-123"}},
}
OPEN: dict[str, Any] = {key: value for key, value in GOOD.items() if key != "Condition"}
DENY = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}


def trust(*statements: Any, **more: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements), **more}


def lets_in(document: Any, who: str = f"arn:aws:iam::{A}:user/u", **context: str) -> bool:
    policy = parse_lenient(document, "trust").policy
    assert policy is not None
    keys = {key.replace("__", ":"): value for key, value in context.items()}
    return decide(Request(principal=who, action="sts:AssumeRole", resource=ROLE, context=keys), trust=policy).allowed


def test_a_document_that_aws_takes_has_no_defects() -> None:
    read = parse_lenient(trust(GOOD), "trust")
    assert read.defects == ()
    assert lets_in(trust(GOOD), sts__ExternalId="abc-123")
    assert not lets_in(trust(GOOD))


@pytest.mark.parametrize(
    ("document", "where", "bare", "with_id"),
    [
        (trust({**GOOD, "Resource": "*"}), "$.Statement[0].Resource", False, True),
        (trust({**GOOD, "Sid": "has blanks"}), "$.Statement[0].Sid", False, True),
        (trust({**GOOD, "Effect": "allow"}), "$.Statement[0].Effect", False, True),
        (trust({**GOOD, "Effect": "Permit"}), "$.Statement[0].Effect", False, False),
        (trust({key: value for key, value in GOOD.items() if key != "Principal"}), "$.Statement[0]", False, False),
        (
            trust({**GOOD, "Condition": {"StringEqualz": {"sts:ExternalId": "x"}}}),
            "$.Statement[0].Condition.StringEqualz",
            True,
            True,
        ),
        (
            trust({**GOOD, "Condition": {**GOOD["Condition"], "Bool": {"aws:MultiFactorAuthPresent": "yes"}}}),
            "$.Statement[0].Condition.Bool['aws:MultiFactorAuthPresent']",
            False,
            True,
        ),
        (trust({**GOOD, "Action": ["sts:AssumeRole", "s3:GetObject"]}), "$.Statement[0].Action[1]", False, True),
        (trust({**GOOD, "Action": "AssumeRole"}), "$.Statement[0].Action", False, False),
        (trust({**GOOD, "NotAction": "sts:TagSession"}), "$.Statement[0].NotAction", False, True),
        (trust({**GOOD, "Principal": ROOT}), "$.Statement[0].Principal", False, True),
        (trust({**GOOD, "Principal": {"aws": ROOT}}), "$.Statement[0].Principal.aws", False, True),
        (
            trust({**GOOD, "Principal": {"AWS": f"arn:aws:iam::{A}:user/*"}}),
            "$.Statement[0].Principal.AWS",
            False,
            True,
        ),
        (
            trust({**GOOD, "Principal": {"AWS": ["arn:aws:iam::*:root", ROOT]}}),
            "$.Statement[0].Principal.AWS[0]",
            False,
            True,
        ),
        (trust({**GOOD, "Principal": {"AWS": [ROOT, "12345"]}}), "$.Statement[0].Principal.AWS[1]", False, True),
        (trust(GOOD, Version="2020-01-01"), "$.Version", False, True),
        (trust(GOOD, version="2012-10-17"), "$.version", False, True),
        (trust(GOOD, "nonsense"), "$.Statement[1]", False, True),
        (
            trust(GOOD, {**DENY, "Condition": {"Boolean": {"aws:x": "true"}}}),
            "$.Statement[1].Condition.Boolean",
            False,
            True,
        ),
        (trust(GOOD, {**DENY, "NotPrincipal": DENY["Principal"]}), "$.Statement[1].NotPrincipal", False, True),
    ],
)
def test_each_defect_is_named_and_read_wide(document: Any, where: str, bare: bool, with_id: bool) -> None:
    assert where in {error.where for error in parse_lenient(document, "trust").defects}
    assert lets_in(document) is bare
    assert lets_in(document, sts__ExternalId="abc-123") is with_id


@pytest.mark.parametrize("element", ["Condtion", "Conditions", "Resource", "NotResource", "Foo"])
def test_a_deny_with_an_element_that_says_nothing_shuts_nobody_out(element: str) -> None:
    # The element may be a misspelt Condition: the Deny then was to shut out fewer.
    document = trust(GOOD, {**DENY, element: {"StringNotEquals": {"sts:ExternalId": "abc-123"}}})
    assert lets_in(document, sts__ExternalId="abc-123")


_EVERY = {"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalAccount}"}}


@pytest.mark.parametrize("version", ['"2020-01-01"', "null", "20121017", '"2012-10-17", "Version": "2008-10-17"'])
@pytest.mark.parametrize("negated", [False, True])
def test_without_a_readable_version_variables_may_count_or_not(version: str, negated: bool) -> None:
    condition = {"StringNotEquals": _EVERY["StringEquals"]} if negated else _EVERY
    allow, deny = {**OPEN, "Condition": condition}, {**DENY, "Condition": condition}
    for statements in ([allow], [OPEN, deny]):
        assert lets_in(f'{{"Version": {version}, "Statement": {json.dumps(statements)}}}')
    assert lets_in(f'{{"Version": {version}, "Statement": {json.dumps(allow)}}}')


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:PrincipalAccount": "333333333333", "aws:principalaccount": A}},
        {"StringEquals": {"aws:PrincipalAccount": A, "aws:principalaccount": "333333333333"}},
        {"StringEquals": {"aws:PrincipalAccount": "333333333333"}, "stringequals": {"aws:principalaccount": A}},
    ],
)
def test_of_a_key_given_twice_in_different_case_nobody_knows_which_counts(condition: Any) -> None:
    document = trust({**OPEN, "Condition": condition})
    with pytest.raises(PolicyError, match="given twice"):
        parse_policy(document, kind="trust")
    assert lets_in(document)
    assert lets_in(trust(OPEN, {**DENY, "Condition": condition}))


def test_not_principal_in_an_allow_is_everybody() -> None:
    statement = {"Effect": "Allow", "NotPrincipal": {"AWS": ROOT}, "Action": "sts:AssumeRole"}
    assert lets_in(trust(statement), who="arn:aws:iam::333333333333:user/u")


def test_a_wildcard_without_an_account_is_everybody() -> None:
    document = trust({**GOOD, "Principal": {"AWS": "arn:aws:iam::*:role/x"}})
    assert lets_in(document, who="arn:aws:iam::333333333333:user/u", sts__ExternalId="abc-123")


def test_keys_given_twice_count_both_but_as_conditions_not_at_all() -> None:
    statement = json.dumps(GOOD)
    twice = statement.replace('"Action"', '"Principal": {"AWS": "333333333333"}, "Action"')
    document = f'{{"Version": "2012-10-17", "Statement": [{twice}]}}'
    for who in (f"arn:aws:iam::{A}:user/u", "arn:aws:iam::333333333333:user/u"):
        assert lets_in(document, who=who, sts__ExternalId="abc-123")
    conditions = statement.replace('"Condition": {', '"Condition": {"StringEquals": {"aws:x": "y"}, ')
    document = f'{{"Version": "2012-10-17", "Statement": {conditions}}}'
    assert "$.Statement.Condition.StringEquals" in {error.where for error in parse_lenient(document, "trust").defects}
    assert lets_in(document)


@pytest.mark.parametrize("document", ["", "{", "[]", "{}", '{"Statement": "x"}', '"text"', "nul"])
def test_what_is_no_policy_is_not_read(document: str) -> None:
    read = parse_lenient(document, "trust")
    assert read.policy is None
    assert read.defects


def test_it_ends_whatever_it_is_given() -> None:
    document = trust(*({**GOOD, "Sid": f"a b{number}"} for number in range(500)))
    read = parse_lenient(document, "trust")
    assert read.policy is None
    assert len(read.defects) == 101


def test_an_effect_given_twice_is_the_one_that_lets_in() -> None:
    for first, second in (("Deny", "Allow"), ("Allow", "Deny"), ("deny", "allow")):
        text = json.dumps(trust(GOOD)).replace('"Effect": "Allow"', f'"Effect": "{first}", "Effect": "{second}"')
        assert parse_lenient(text, "trust").defects[0].what == "'Effect' is given twice"
        assert lets_in(text, sts__ExternalId="abc-123")
    twice = json.dumps(trust(GOOD, DENY)).replace('"Effect": "Deny"', '"Effect": "Deny", "Effect": "Deny"')
    assert lets_in(twice, sts__ExternalId="abc-123")  # a Deny with a defect denies nothing


@pytest.mark.parametrize(("account", "written"), [(A, A), ("002222222222", "2222222222")])
def test_an_account_as_a_number_is_that_account(account: str, written: str) -> None:
    text = json.dumps(trust(GOOD)).replace(f'"{ROOT}"', written)
    assert len(parse_lenient(text, "trust").defects) == 1
    assert lets_in(text, f"arn:aws:iam::{account}:user/u", sts__ExternalId="abc-123")


@pytest.mark.parametrize("operator", ["NumericEquals", "DateEquals", "IpAddress", "BinaryEquals", "Bool", "Null"])
def test_no_defect_shows_an_external_id(operator: str) -> None:
    document = trust({**GOOD, "Condition": {operator: {"STS:ExternalId": "very-telling-1"}}})
    (defect,) = parse_lenient(document, "trust").defects
    assert defect.what == f"{operator} cannot read this ExternalId"
    assert "telling" not in f"{defect.do} {defect.where}"


@pytest.mark.parametrize("kind", ["trust", "identity", "boundary", "resource", "rcp", "scp"])
@pytest.mark.parametrize("broken", ["text", {"Effect": "Permit"}, {"Effect": "Deny", "Action": 7}, {}])
def test_a_statement_that_is_left_out_keeps_the_others_places(broken: Any, kind: Any) -> None:
    good: dict[str, Any] = {"Effect": "Deny", "Action": "sts:AssumeRole"}
    good |= {"Principal": "*"} if kind in ("trust", "resource", "rcp") else {}
    good |= {} if kind == "trust" else {"Resource": "*"}
    read = parse_lenient(trust(broken, good), kind)
    assert read.policy is not None
    assert read.defects
    assert [statement.where for statement in read.policy.statements] == ["$.Statement[0]", "$.Statement[1]"]
    assert [statement.covers_action("sts:assumerole") for statement in read.policy.statements] == [False, True]


@pytest.mark.parametrize("wrong", ["Role/auditor", "group/all", "user/", "root/x", "policy/p"])
def test_what_is_no_principal_of_an_account_may_be_anybody_of_it(wrong: str) -> None:
    document = trust({**GOOD, "Principal": {"AWS": f"arn:aws:iam::{A}:{wrong}"}})
    assert parse_lenient(document, "trust").defects[0].where == "$.Statement[0].Principal.AWS"
    assert lets_in(document, sts__ExternalId="abc-123")
    assert not lets_in(document, f"arn:aws:iam::{OWN}:user/u", sts__ExternalId="abc-123")
    assert lets_in(trust(GOOD, {**document["Statement"][0], "Effect": "Deny"}), sts__ExternalId="abc-123")
