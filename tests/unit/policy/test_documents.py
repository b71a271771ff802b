"""What a document may be, and where it is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from valetkey.errors import PolicyError
from valetkey.policy import operators, parse_policy
from valetkey.policy.operators import Comparison, Family, Operator
from valetkey.policy.principals import Principals
from valetkey.policy.statements import POLICY_KINDS

TRUST = {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}
IDENTITY = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
S0 = "$.Statement[0]"


def document(*statements: Any, **more: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements), **more}


def condition(**block: Any) -> dict[str, Any]:
    return TRUST | {"Condition": block}


@pytest.mark.parametrize(
    ("statement", "kind", "where"),
    [
        # elements
        (TRUST | {"Resource": "*"}, "trust", f"{S0}.Resource"),
        (TRUST | {"NotResource": "*"}, "trust", f"{S0}.NotResource"),
        ({"Effect": "Deny", "NotPrincipal": "*", "Action": "sts:*"}, "trust", f"{S0}.NotPrincipal"),
        (TRUST | {"NotPrincipal": "*"}, "trust", f"{S0}.NotPrincipal"),
        (IDENTITY | {"Principal": "*"}, "identity", f"{S0}.Principal"),
        (IDENTITY | {"NotPrincipal": "*"}, "session", f"{S0}.NotPrincipal"),
        (IDENTITY | {"Principal": "*"}, "boundary", f"{S0}.Principal"),
        (IDENTITY | {"Principal": "*"}, "scp", f"{S0}.Principal"),
        (IDENTITY | {"Principal": {"AWS": "111122223333"}}, "rcp", f"{S0}.Principal"),
        ({"Effect": "Deny", "Principal": "*", "NotAction": "s3:*", "Resource": "*"}, "rcp", f"{S0}.NotAction"),
        (TRUST | {"NotAction": "sts:TagSession"}, "trust", f"{S0}.NotAction"),
        (IDENTITY | {"NotResource": "*"}, "identity", f"{S0}.NotResource"),
        (TRUST | {"Efect": "Allow"}, "trust", f"{S0}.Efect"),
        (TRUST | {"effect": "Allow"}, "trust", f"{S0}.effect"),
        (TRUST | {"x y": 1}, "trust", f"{S0}['x y']"),
        ({"Principal": "*", "Action": "sts:AssumeRole"}, "trust", S0),
        ({"Effect": "Allow", "Principal": "*"}, "trust", S0),
        ({"Effect": "Allow", "Action": "sts:AssumeRole"}, "trust", S0),
        ({"Effect": "Allow", "Action": "s3:*"}, "identity", S0),
        (TRUST | {"Effect": "allow"}, "trust", f"{S0}.Effect"),
        (TRUST | {"Effect": ["Allow"]}, "trust", f"{S0}.Effect"),
        (TRUST | {"Effect": None}, "trust", f"{S0}.Effect"),
        (TRUST | {"Sid": "no spaces"}, "trust", f"{S0}.Sid"),
        (TRUST | {"Sid": "no-dash"}, "trust", f"{S0}.Sid"),
        (TRUST | {"Sid": 5}, "trust", f"{S0}.Sid"),
        ("Allow", "trust", S0),
        ([TRUST], "trust", S0),
        (None, "trust", S0),
        # Action and Resource
        (TRUST | {"Action": "AssumeRole"}, "trust", f"{S0}.Action"),
        (TRUST | {"Action": ["sts:AssumeRole", "s3:GetObject"]}, "trust", f"{S0}.Action[1]"),
        (TRUST | {"Action": ""}, "trust", f"{S0}.Action"),
        (TRUST | {"Action": "sts:"}, "trust", f"{S0}.Action"),
        (TRUST | {"Action": ":AssumeRole"}, "trust", f"{S0}.Action"),
        (TRUST | {"Action": "sts: AssumeRole"}, "trust", f"{S0}.Action"),
        (TRUST | {"Action": 5}, "trust", f"{S0}.Action"),
        (TRUST | {"Action": {"a": "b"}}, "trust", f"{S0}.Action"),
        (TRUST | {"Action": [["sts:AssumeRole"]]}, "trust", f"{S0}.Action[0]"),
        (IDENTITY | {"Resource": "bucket"}, "identity", f"{S0}.Resource"),
        (IDENTITY | {"Resource": ["*", "*a*a"]}, "identity", f"{S0}.Resource[1]"),
        (IDENTITY | {"Resource": None}, "identity", f"{S0}.Resource"),
        # Principal
        (TRUST | {"Principal": "111122223333"}, "trust", f"{S0}.Principal"),
        (TRUST | {"Principal": ["*"]}, "trust", f"{S0}.Principal"),
        (TRUST | {"Principal": {"aws": "*"}}, "trust", f"{S0}.Principal.aws"),
        (TRUST | {"Principal": {"AWS": "arn:aws:iam::111122223333:user/*"}}, "trust", f"{S0}.Principal.AWS"),
        (TRUST | {"Principal": {"AWS": "arn:aws:iam::11112222333:root"}}, "trust", f"{S0}.Principal.AWS"),
        (TRUST | {"Principal": {"AWS": "arn:aws:iam::111122223333:group/admins"}}, "trust", f"{S0}.Principal.AWS"),
        (TRUST | {"Principal": {"AWS": "arn:aws:s3:::bucket"}}, "trust", f"{S0}.Principal.AWS"),
        (TRUST | {"Principal": {"AWS": "bob"}}, "trust", f"{S0}.Principal.AWS"),
        (TRUST | {"Principal": {"AWS": 111122223333}}, "trust", f"{S0}.Principal.AWS"),
        (TRUST | {"Principal": {"AWS": ["*", "arn:aws:iam::aws:root"]}}, "trust", f"{S0}.Principal.AWS[1]"),
        (TRUST | {"Principal": {"AWS": "ec2.amazonaws.com"}}, "trust", f"{S0}.Principal.AWS"),
        (TRUST | {"Principal": {"Service": "*"}}, "trust", f"{S0}.Principal.Service"),
        (TRUST | {"Principal": {"Federated": ["a.com", "*"]}}, "trust", f"{S0}.Principal.Federated[1]"),
        # Condition
        (condition(StringEqualz={"aws:x": "1"}), "trust", f"{S0}.Condition.StringEqualz"),
        (condition(NullIfExists={"aws:x": "true"}), "trust", f"{S0}.Condition.NullIfExists"),
        (
            TRUST | {"Condition": {"ForNoValue:StringEquals": {"aws:x": "1"}}},
            "trust",
            f"{S0}.Condition['ForNoValue:StringEquals']",
        ),
        (TRUST | {"Condition": {"ForAllValues:": {"aws:x": "1"}}}, "trust", f"{S0}.Condition['ForAllValues:']"),
        (TRUST | {"Condition": []}, "trust", f"{S0}.Condition"),
        (TRUST | {"Condition": None}, "trust", f"{S0}.Condition"),
        (condition(StringEquals="x"), "trust", f"{S0}.Condition.StringEquals"),
        (condition(StringEquals={"ExternalId": "x"}), "trust", f"{S0}.Condition.StringEquals.ExternalId"),
        (condition(StringEquals={"aws:x": None}), "trust", f"{S0}.Condition.StringEquals['aws:x']"),
        (condition(StringEquals={"aws:x": {"a": "b"}}), "trust", f"{S0}.Condition.StringEquals['aws:x']"),
        (condition(StringEquals={"aws:x": ["a", ["b"]]}), "trust", f"{S0}.Condition.StringEquals['aws:x'][1]"),
        (condition(Bool={"aws:x": "yes"}), "trust", f"{S0}.Condition.Bool['aws:x']"),
        (condition(Bool={"aws:x": 1}), "trust", f"{S0}.Condition.Bool['aws:x']"),
        (condition(Null={"aws:x": "maybe"}), "trust", f"{S0}.Condition.Null['aws:x']"),
        (condition(Null={"aws:x": "${aws:username}"}), "trust", f"{S0}.Condition.Null['aws:x']"),
        (condition(NumericEquals={"aws:x": "abc"}), "trust", f"{S0}.Condition.NumericEquals['aws:x']"),
        (condition(NumericLessThan={"aws:x": ["1", "1 "]}), "trust", f"{S0}.Condition.NumericLessThan['aws:x'][1]"),
        (condition(DateLessThan={"aws:x": "tomorrow"}), "trust", f"{S0}.Condition.DateLessThan['aws:x']"),
        (condition(DateLessThan={"aws:x": "2026-02-30"}), "trust", f"{S0}.Condition.DateLessThan['aws:x']"),
        (condition(IpAddress={"aws:x": "10.0.0.0/33"}), "trust", f"{S0}.Condition.IpAddress['aws:x']"),
        (condition(IpAddress={"aws:x": "10.0.0.*"}), "trust", f"{S0}.Condition.IpAddress['aws:x']"),
        (condition(NotIpAddress={"aws:x": "host"}), "trust", f"{S0}.Condition.NotIpAddress['aws:x']"),
        (condition(BinaryEquals={"aws:x": "not base64!"}), "trust", f"{S0}.Condition.BinaryEquals['aws:x']"),
        (condition(StringEquals={"aws:x": "\ud800"}), "trust", f"{S0}.Condition.StringEquals['aws:x']"),
    ],
)  # fmt: skip
def test_what_aws_refuses_is_refused_with_its_place(statement: Any, kind: Any, where: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        parse_policy(document(statement), kind=kind)
    assert refusal.value.where == where
    assert refusal.value.what
    assert refusal.value.do
    assert isinstance(refusal.value, ValueError)
    # The same from text.
    with pytest.raises(PolicyError) as again:
        parse_policy(json.dumps(document(statement)), kind=kind)
    assert again.value.where == where


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "$"),
        ("{", "$"),
        ("null", "$"),
        ("[]", "$"),
        ('"x"', "$"),
        ("5", "$"),
        ("{}", "$"),
        ("\ufeff{}", "$"),
        ('{"Statement": NaN}', "$"),
        ('{"Statement": [], "Statement": []}', "$.Statement"),
        ('{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": []}', "$.Version"),
        ('{"Version": "2012-10-18", "Statement": []}', "$.Version"),
        ('{"Version": 2012, "Statement": []}', "$.Version"),
        ('{"version": "2012-10-17", "Statement": []}', "$.version"),
        ('{"Id": 5, "Statement": []}', "$.Id"),
        ('{"Statement": "Allow"}', "$.Statement"),
        (
            (
                '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:*", '
                '"Condition": {"Bool": {"aws:x": "true", "aws:x": "false"}}}}'
            ),
            "$.Statement.Condition.Bool['aws:x']",
        ),
        (
            '{"Statement": {"Effect": "Allow", "Principal": {"AWS": "*", "AWS": "*"}, "Action": "sts:*"}}',
            "$.Statement.Principal.AWS",
        ),
        ("[" * 100_000, "$"),
        ('{"Statement":' * 50_000, "$"),
        ('{"Statement": [' + "1" * 10_000 + "]}", "$.Statement[0]"),
        ("x" * 2_000_000, "$"),
        ('{"Statement": [' + '{"Effect": "Allow"},' * 15_000 + "{}]}", "$"),
    ],
)
def test_text_that_is_no_policy_is_refused(text: str, where: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        parse_policy(text, kind="trust")
    assert refusal.value.where == where
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize("value", [None, 5, b"{}", [], {"Statement": {1, 2}}, {"Statement": float("nan")}, object()])
def test_what_is_no_document_is_refused(value: Any) -> None:
    with pytest.raises(PolicyError):
        parse_policy(value, kind="trust")


def test_a_document_that_holds_itself_is_refused() -> None:
    loop: dict[str, Any] = {"Version": "2012-10-17"}
    loop["Statement"] = [loop]
    with pytest.raises(PolicyError):
        parse_policy(loop, kind="trust")


@pytest.mark.parametrize("kind", ["Trust", "", "managed", None, 5])
def test_the_kind_is_one_of_seven(kind: Any) -> None:
    with pytest.raises(PolicyError, match="kind"):
        parse_policy(document(TRUST), kind=kind)


def test_sids_are_unique_but_for_resource_policies() -> None:
    with pytest.raises(PolicyError) as refusal:
        parse_policy(document(TRUST | {"Sid": "a"}, TRUST | {"Sid": "b"}, TRUST | {"Sid": "a"}), kind="trust")
    assert refusal.value.where == "$.Statement[2].Sid"
    parse_policy(document(TRUST | {"Sid": ""}, TRUST | {"Sid": ""}), kind="trust")
    key_policy = {"Sid": "Enable IAM User Permissions", "Effect": "Allow", "Principal": "*", "Action": "kms:*"}
    parse_policy(document(key_policy, key_policy), kind="resource")


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (document(TRUST), "trust"),
        ({"Statement": TRUST}, "trust"),
        ({"Version": "2008-10-17", "Id": "any text", "Statement": [TRUST]}, "trust"),
        (document(), "trust"),
        (document(TRUST | {"Action": []}), "trust"),
        (document(TRUST | {"Principal": {}}), "trust"),
        (document(TRUST | {"Principal": {"AWS": []}}), "trust"),
        (document(TRUST | {"Condition": {}}), "trust"),
        (document(condition(StringEquals={})), "trust"),
        (document(condition(StringEquals={"aws:x": []})), "trust"),
        (document(TRUST | {"Action": ["sts:*", "*", "STS:assumerole"]}), "trust"),
        (document({"Effect": "Allow", "Principal": "*", "NotAction": "sts:TagSession"}), "trust"),
        (document(TRUST | {"Principal": {"AWS": ["AIDAIOSFODNN7EXAMPLE", "AROAIOSFODNN7EXAMPLE"]}}), "trust"),
        (
            document(
                TRUST
                | {
                    "Principal": {
                        "AWS": "*",
                        "Service": ["ec2.amazonaws.com"],
                        "Federated": "cognito-identity.amazonaws.com",
                        "CanonicalUser": "a" * 64,
                    }
                }
            ),
            "trust",
        ),
        (document(TRUST | {"Principal": {"AWS": "arn:aws:sts::111122223333:federated-user/xy"}}), "trust"),
        (document(condition(Bool={"aws:x": True}, NumericEquals={"aws:y": [1, 2.5, "3"]})), "trust"),
        (document(condition(DateLessThan={"aws:x": 1780315200})), "trust"),
        (
            document(condition(DateLessThan={"aws:x": "${aws:PrincipalTag/end}"}, IpAddress={"aws:y": "${aws:z}"})),
            "trust",
        ),
        (document(IDENTITY | {"Resource": ["arn:aws:s3:::b/*", "arn:*:s3:::b", "*"]}), "identity"),
        (document({"Effect": "Deny", "NotAction": "iam:*", "NotResource": "arn:aws:iam::*:role/x"}), "scp"),
        (document(IDENTITY | {"Principal": "*"}), "rcp"),
        (document({"Effect": "Deny", "NotPrincipal": {"AWS": "111122223333"}, "Action": "s3:*"}), "resource"),
        (
            document(
                IDENTITY
                | {"Principal": {"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity EAB3TSCYZ7X"}}
            ),
            "resource",
        ),
        (document(IDENTITY | {"Principal": "*", "Resource": "execute-api:/stage/*"}), "resource"),
    ],
)
def test_what_aws_accepts_is_accepted(made: dict[str, Any], kind: Any) -> None:
    assert parse_policy(made, kind=kind) == parse_policy(json.dumps(made), kind=kind)


def test_values_are_frozen_and_tell_the_document() -> None:
    policy = parse_policy(
        document(TRUST | {"Sid": "a", "Condition": {"Stringequals": {"sts:ExternalId": "x"}}}), kind="trust"
    )
    [statement] = policy.statements
    assert (policy.kind, policy.version, statement.sid, statement.effect) == ("trust", "2012-10-17", "a", "Allow")
    assert statement.actions == ("sts:AssumeRole",)
    assert statement.principals is not None
    assert statement.principals.aws == ("111122223333",)
    assert statement.resources is None
    [only] = statement.conditions
    assert (only.name, only.key, only.values) == ("StringEquals", "sts:ExternalId", ("x",))
    with pytest.raises(AttributeError):
        statement.effect = "Deny"  # type: ignore[misc]
    assert POLICY_KINDS == ("identity", "trust", "boundary", "session", "scp", "rcp", "resource")


def test_an_error_repeats_little_of_the_document() -> None:
    with pytest.raises(PolicyError) as refusal:
        parse_policy(document(TRUST | {"Action": "\x1b[31m" + "a" * 100_000}), kind="trust")
    assert len(str(refusal.value)) < 300
    assert "\x1b" not in str(refusal.value)


def test_every_managed_policy_of_aws_is_accepted() -> None:
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    managed = json.loads(aws_managed_policies_data)
    assert len(managed) > 1000
    for policy in managed.values():
        assert parse_policy(policy["Document"], kind="identity").statements


ACTION = "write service:Action, like sts:AssumeRole"
ENTRY = "name an account, user, role or session in full; only * alone is a wildcard"
OPERATORS = "see what each operator takes: docs/reference/policy.md in valetkey's source"
TWICE = "keep one: AWS ignores the case of keys and does not document which of two counts"
ITS_OWN = "remove it: a trust policy always applies to its own role"
ATTACHED = "remove it: this policy applies to the principals that it is attached to"


def without(statement: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in statement.items() if key != name}


@pytest.mark.parametrize(
    ("statement", "kind", "what", "do"),
    [
        (without(TRUST, "Effect"), "trust", "the statement has no Effect", "add Allow or Deny"),
        (TRUST | {"Effect": "allow"}, "trust", "Effect is 'allow'", "write Allow or Deny, in this case"),
        (TRUST | {"Effect": ["Allow"]}, "trust", "Effect is a list", "write Allow or Deny, in this case"),
        (TRUST | {"Effect": None}, "trust", "Effect is null", "write Allow or Deny, in this case"),
        (TRUST | {"Sid": "no-dash"}, "trust", "the Sid is 'no-dash'", "use letters and digits only"),
        (TRUST | {"Sid": "\xe9"}, "trust", "the Sid is '\\xe9'", "use letters and digits only"),
        (
            TRUST | {"NotAction": "x:y"},
            "trust",
            "Action and NotAction cannot be used together",
            "keep one of them",
        ),
        (without(TRUST, "Action"), "trust", "the statement has no Action", "add Action or NotAction"),
        (without(TRUST, "Principal"), "trust", "the statement has no Principal", "add Principal or NotPrincipal"),
        (without(IDENTITY, "Resource"), "scp", "the statement has no Resource", "add Resource or NotResource"),
        (
            IDENTITY | {"NotResource": "*"},
            "identity",
            "Resource and NotResource cannot be used together",
            "keep one of them",
        ),
        (TRUST | {"Action": "sts"}, "trust", "'sts' is not an action", ACTION),
        (TRUST | {"Action": ""}, "trust", "'' is not an action", ACTION),
        (TRUST | {"Action": "sts:x y"}, "trust", "'sts:x y' is not an action", ACTION),
        (TRUST | {"Action": "s_t:x"}, "trust", "'s_t:x' is not an action", ACTION),
        (TRUST | {"Action": "\xe9:x"}, "trust", "'\\xe9:x' is not an action", ACTION),
        (TRUST | {"Action": "sts:\xe9"}, "trust", "'sts:\\xe9' is not an action", ACTION),
        (TRUST | {"Action": "sts:a:b"}, "trust", "'sts:a:b' is not an action", ACTION),
        (
            TRUST | {"Action": "s3:GetObject"},
            "trust",
            "'s3:GetObject' is not an action of a trust policy",
            "use actions of sts only",
        ),
        (IDENTITY | {"Resource": "x"}, "identity", "'x' is not a resource", "write an ARN, or *"),
        (IDENTITY | {"Resource": "**"}, "identity", "'**' is not a resource", "write an ARN, or *"),
        (IDENTITY | {"Resource": "", "Principal": "*"}, "resource", "'' is not a resource", "write an ARN, or *"),
        (TRUST | {"Resource": "*"}, "trust", "a trust policy cannot contain Resource", ITS_OWN),
        (TRUST | {"NotResource": "*"}, "trust", "a trust policy cannot contain NotResource", ITS_OWN),
        (
            IDENTITY | {"Principal": "*"},
            "identity",
            "this kind of policy (identity) cannot contain Principal",
            ATTACHED,
        ),
        (IDENTITY | {"NotPrincipal": "*"}, "scp", "this kind of policy (scp) cannot contain NotPrincipal", ATTACHED),
        (
            IDENTITY | {"NotPrincipal": "*"},
            "rcp",
            "this kind of policy (rcp) cannot contain NotPrincipal",
            "name the callers with Principal",
        ),
        (
            IDENTITY | {"Principal": {"AWS": ["*", "111122223333"]}},
            "rcp",
            'the Principal of an RCP must be "*"',
            "use conditions on aws:Principal… keys",
        ),
        (
            {"Effect": "Deny", "Principal": "*", "NotAction": "x:y", "Resource": "*"},
            "rcp",
            "an RCP cannot contain NotAction",
            "name what you mean with Action",
        ),
        (TRUST | {"Principal": "x"}, "trust", "'x' is not a principal", 'write "*" or {"AWS": "..."}'),
        (TRUST | {"Principal": {"aws": "*"}}, "trust", "'aws' is not an element of a policy here", "write AWS"),
        (TRUST | {"Principal": {"AWS": "bob"}}, "trust", "'bob' is not an AWS principal", ENTRY),
        (
            TRUST | {"Principal": {"AWS": "AIPA123456789012"}},
            "trust",
            "'AIPA123456789012' is a unique id, but not of a user (AIDA...) or role (AROA...)",
            ENTRY,
        ),
        (
            TRUST | {"Principal": {"Service": "AIPA123456789012*"}},
            "trust",
            "'AIPA123456789012*' is not a Service principal",
            "name it in full",
        ),
        (TRUST | {"Principal": {"Service": ""}}, "trust", "'' is not a Service principal", "name it in full"),
        (
            TRUST | {"Principal": {"Federated": "a b"}},
            "trust",
            "'a b' is not a Federated principal",
            "name it in full",
        ),
        (
            TRUST | {"Principal": {"CanonicalUser": ["a", "b?"]}},
            "trust",
            "'b?' is not a CanonicalUser principal",
            "name it in full",
        ),
        (
            condition(X={"a:b": "c"}),
            "trust",
            "'X' is not a condition operator",
            "see the list of operators: docs/reference/policy.md in valetkey's source",
        ),
        (
            condition(StringEquals={"ab": "c"}),
            "trust",
            "'ab' is not a condition key",
            "write it with its service: aws:SourceIp",
        ),
        (
            condition(StringEquals={"a:b": "c", "A:b": "c"}),
            "trust",
            "'A:b' is given twice under StringEquals, in different case",
            TWICE,
        ),
        (
            condition(StringEquals={"a:b": "c"}, stringequals={"A:B": "c"}),
            "trust",
            "'A:B' is given twice under StringEquals, in different case",
            TWICE,
        ),
        (condition(NumericEquals={"a:b": "c"}), "trust", "NumericEquals cannot read 'c'", OPERATORS),
        (condition(Null={"a:b": "${c}"}), "trust", "Null cannot read '${c}'", OPERATORS),
        (
            condition(Bool={"x:ExternalID": "secret"}),
            "trust",
            "Bool cannot read this ExternalId",
            OPERATORS,
        ),
    ],
)  # fmt: skip
def test_a_refusal_says_what_is_wrong_and_what_to_do(statement: Any, kind: Any, what: str, do: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        parse_policy(document(statement), kind=kind)
    assert (refusal.value.what, refusal.value.do) == (what, do)


@pytest.mark.parametrize(
    ("made", "kind", "what", "do", "where"),
    [
        ({}, "trust", "the policy has no Statement", "add one", "$"),
        (
            document(Version="2012-10-18"),
            "trust",
            "'2012-10-18' is not a version of the policy language",
            "use 2012-10-17",
            "$.Version",
        ),
        (document(id="x"), "trust", "'id' is not an element of a policy here", "write Id", "$.id"),
        (
            document(X="x"),
            "trust",
            "'X' is not an element of a policy here",
            "known: Id, Statement, Version",
            "$.X",
        ),
        (
            document(TRUST, TRUST | {"Sid": "a"}, TRUST | {"Sid": "a"}),
            "trust",
            "the Sid 'a' is used twice",
            "Sids are unique in a policy",
            "$.Statement[2].Sid",
        ),
        (
            document(),
            "x",
            "'x' is not a kind of policy",
            "use one of identity, trust, boundary, session, scp, rcp, resource",
            "",
        ),
    ],
)
def test_a_refusal_of_the_document(made: Any, kind: Any, what: str, do: str, where: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        parse_policy(made, kind=kind)
    assert (refusal.value.what, refusal.value.do, refusal.value.where) == (what, do, where)


@pytest.mark.parametrize("action", ["*", "**", "s*:x", "*:x", "S?S:x", "STS:x", "sts:a_b.c-d", "sts:*"])
def test_actions_that_a_trust_policy_may_have(action: str) -> None:
    [statement] = parse_policy(document(TRUST | {"Action": action}), kind="trust").statements
    assert statement.actions == (action,)


def test_the_longest_document_is_read() -> None:
    text = json.dumps(document(TRUST))
    assert parse_policy(text.ljust(262_144), kind="trust") == parse_policy(document(TRUST), kind="trust")
    with pytest.raises(PolicyError) as refusal:
        parse_policy(text.ljust(262_145), kind="trust")
    assert (refusal.value.what, refusal.value.do) == ("the document has 262145 characters", "262144 at most are read")


def test_the_two_effects_are_told_apart_and_every_field_is_kept() -> None:
    deny = {
        "Sid": "No",
        "Effect": "Deny",
        "NotPrincipal": {"AWS": "111122223333", "Service": ["a.com"], "Federated": "b.com", "CanonicalUser": "c"},
        "NotAction": ["x:y", "x:z"],
        "NotResource": "arn:x",
    }
    policy = parse_policy({"Id": "mine", "Statement": [IDENTITY | {"Principal": {"AWS": "*"}}, deny]}, kind="resource")
    first, second = policy.statements
    assert (policy.version, policy.id, policy.allows, policy.denies) == (None, "mine", (first,), (second,))
    assert (first.index, first.where, first.not_action, first.not_resource, first.not_principal, first.variables) == (
        0,
        "$.Statement[0]",
        False,
        False,
        False,
        False,
    )
    assert first.principals == Principals(everyone=True)
    assert first.principals is not None
    assert not first.principals.bare
    assert (second.index, second.where, second.sid) == (1, "$.Statement[1]", "No")
    assert (second.not_action, second.actions) == (True, ("x:y", "x:z"))
    assert (second.not_resource, second.resources) == (True, ("arn:x",))
    assert second.not_principal
    named = Principals(aws=("111122223333",), services=("a.com",), federated=("b.com",), canonical=("c",))
    assert second.principals == named
    assert str(named) == "111122223333, a.com, b.com, c"
    assert str(Principals(everyone=True, aws=("1",))) == "*, 1"
    assert str(Principals()) == "nobody"
    bare = parse_policy(document(TRUST | {"Principal": "*"}), kind="trust").statements[0].principals
    assert bare == Principals(everyone=True)
    assert bare is not None
    assert bare.bare


def test_two_documents_that_say_the_same_are_equal_and_show_what_they_say() -> None:
    one, other = (parse_policy(document(TRUST), kind="trust") for _ in range(2))
    assert one == other
    assert "covers_" not in repr(one)
    assert "allows" not in repr(one)
    assert "tests" not in repr(one)
    assert one != parse_policy(document(TRUST | {"Effect": "Deny"}), kind="trust")
    assert hash(one) == hash(other)


def test_an_operator_that_no_engine_knows_is_refused_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = Operator("StringRhymes", Family.TEXT, Comparison.WITHIN, "rhymes with")
    monkeypatch.setitem(operators.OPERATORS, "stringrhymes", odd)
    with pytest.raises(PolicyError) as refusal:
        parse_policy(document(condition(StringRhymes={"a:b": "c"})), kind="trust")
    assert refusal.value.what == "valetkey does not know the condition operator StringRhymes"
    assert refusal.value.do == "leave this condition out, or decide it elsewhere"
    assert refusal.value.where == f"{S0}.Condition.StringRhymes['a:b']"
