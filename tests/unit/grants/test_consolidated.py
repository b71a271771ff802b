"""A role's policies and its boundary as one policy: statement by statement, and never narrower."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.grants.effects import NOW, allow, deny, document, effective

from valetkey.grants.consolidated import ACCESS_KINDS, Rule, by_service, consolidate, kind_of, least, merged, summary

OFFICE, HOME = ({"IpAddress": {"aws:SourceIp": item}} for item in ("192.0.2.0/24", "198.51.100.0/24"))
TLS = {"Bool": {"aws:SecureTransport": "true"}}
NOTHING = [{"Effect": "Deny", "Action": "*", "Resource": "*"}]


def s3(*names: str) -> list[str]:
    return [f"arn:aws:s3:::{name}" for name in names]


def but(*actions: str, **more: Any) -> dict[str, Any]:
    """An Allow of every other action."""
    return {"Effect": "Allow", "NotAction": [*actions], "Resource": "*", **more}


def apart(*resources: str) -> dict[str, Any]:
    """An Allow on every other resource."""
    return {"Effect": "Allow", "Action": "s3:*", "NotResource": s3(*resources)}


def one(*actions: str, on: tuple[str, ...] = ("*",), condition: Any = None, effect: str = "Allow") -> dict[str, Any]:
    """A statement as it is written."""
    block = {"Condition": condition} if condition else {}
    return {"Effect": effect, "Action": [*actions], "Resource": [*on], **block}


ODD = "arn:aws:s3:::${aws:username}/*"
PUTS = (
    "AccountProperties",
    "GroupPolicy",
    "RolePermissionsBoundary",
    "RolePolicy",
    "UserPermissionsBoundary",
    "UserPolicy",
)
LISTS = {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24"]}, "Bool": {"aws:SecureTransport": ["true"]}}


@pytest.mark.parametrize(
    ("statements", "boundary", "result", "is_exact"),
    [
        ([allow("s3:Get*")], [allow("*")], [one("s3:Get*")], True),
        ([allow("*")], [allow("s3:Get*")], [one("s3:Get*")], True),
        ([allow("s3:*")], [allow("ec2:*")], NOTHING, True),
        # Every action but some.
        ([but("iam:*")], [allow("*")], [{**but("iam:*"), "Resource": ["*"]}], True),
        ([allow("*")], [but("iam:*")], [{**but("iam:*"), "Resource": ["*"]}], True),
        ([but("iam:*")], [but("sts:*", "iam:*")], [{**but("iam:*", "sts:*"), "Resource": ["*"]}], True),
        ([but("iam:*")], [allow(["iam:GetRole", "iam:Get*", "s3:GetObject", "s3:*"])], [one("s3:*")], True),
        (
            [but("iam:PassRole", "s3:Get*")],
            [allow(["iam:P*", "S3:GetObject", "ec2:Run*"])],
            [one("ec2:Run*", *(f"iam:Put{each}" for each in PUTS))],
            True,
        ),
        ([allow(["iam:Pass*", "S3:GETOBJECT"])], [but("IAM:PassRole")], [one("S3:GETOBJECT")], True),
        ([allow("iam:*")], [but("iam:*")], NOTHING, True),
        # Patterns of actions.
        (
            [allow(["s3:GetObject", "s3:Put*"])],
            [allow(["s3:Get*", "s3:PutObject"])],
            [one("s3:GetObject", "s3:PutObject")],
            True,
        ),
        ([allow("s3:Get*")], [allow("s3:*Object")], [one("s3:GetObject")], True),
        ([allow("s3:Get?bject")], [allow("s3:GetObject")], [one("s3:GetObject")], True),
        ([allow("s3:GetObject")], [allow("s3:Get?bject")], [one("s3:GetObject")], True),
        ([allow("s3:Get?bject")], [allow("s3:Get*")], [one("s3:Get?bject")], True),
        ([allow("s3:Get*")], [allow("s3:Get?bject")], [one("s3:Get?bject")], True),
        ([allow("s3:Get?bject")], [allow("s3:Ge*ct")], [one("s3:Get?bject")], True),
        ([allow("s3:GetBucketA?l")], [allow("s3:GetBucket*l")], [one("s3:GetBucketA?l")], True),
        ([allow("*:Get*")], [allow("s3:GetObject")], [one("s3:GetObject")], True),
        ([allow("s3:GetObject")], [allow("*:Get*")], [one("s3:GetObject")], True),
        ([allow("S3:GetObject")], [allow("s3:getobject")], [one("S3:GetObject")], True),
        # Resources.
        ([allow("s3:*", s3("a/*"))], [allow("s3:*", s3("a/b/*"))], [one("s3:*", on=(*s3("a/b/*"),))], True),
        ([allow("s3:*", s3("a/b/*"))], [allow("s3:*", s3("a/*"))], [one("s3:*", on=(*s3("a/b/*"),))], True),
        ([allow("s3:*", s3("a/*"))], [allow("s3:*", s3("a/*"))], [one("s3:*", on=(*s3("a/*"),))], True),
        ([allow("s3:*", s3("a/*"))], [allow("s3:*", s3("*/b"))], [one("s3:*", on=(*s3("a/*"),))], False),
        ([allow("s3:*", s3("a/*"))], [allow("s3:*", s3("b/*"))], NOTHING, True),
        ([allow("s3:*", ODD)], [allow("s3:*", s3("b/*"))], [one("s3:*", on=(ODD,))], False),
        ([allow("s3:*", s3("b/*", "a/*"))], [allow("s3:*")], [one("s3:*", on=(*s3("a/*", "b/*"),))], True),
        ([allow("s3:*")], [allow("s3:*", s3("b/*", "a/*"))], [one("s3:*", on=(*s3("a/*", "b/*"),))], True),
        ([allow("s3:*", s3("a/*"))], [apart("b/*")], [one("s3:*", on=(*s3("a/*"),))], True),
        ([apart("b/*")], [allow("s3:*", s3("a/*"))], [one("s3:*", on=(*s3("a/*"),))], True),
        ([apart("b/*")], [apart("b/*", "a/*")], [{**apart("a/*", "b/*"), "Action": ["s3:*"]}], True),
        ([apart("b/*")], [allow("s3:*")], [{**apart("b/*"), "Action": ["s3:*"]}], True),
        ([allow("s3:*")], [apart("b/*")], [{**apart("b/*"), "Action": ["s3:*"]}], True),
        # Conditions.
        ([allow("s3:*", "*", OFFICE)], [allow("s3:*", "*", TLS)], [one("s3:*", condition=LISTS)], True),
        (
            [allow("s3:*", "*", {**OFFICE, **TLS})],
            [allow("s3:*", "*", {"IpAddress": {"AWS:sourceip": "198.51.100.0/24"}, **TLS})],
            [one("s3:*", condition=LISTS)],
            False,
        ),
        # Denies of both, each once.
        (
            [allow("s3:*"), deny("s3:Put*")],
            [allow("*"), deny("s3:Put*"), deny("iam:*")],
            [one("s3:*"), one("s3:Put*", effect="Deny"), one("iam:*", effect="Deny")],
            True,
        ),
        # What has the same resources and conditions is put together.
        (
            [allow("s3:*"), allow("s3:GetObject"), allow("ec2:*", "*", TLS), allow("ec2:Describe*", "*", TLS)],
            None,
            [one("s3:*"), one("ec2:*", condition={"Bool": {"aws:SecureTransport": ["true"]}})],
            True,
        ),
        (
            [but("iam:*"), but("iam:*"), but("sts:*")],
            None,
            [{**but("iam:*"), "Resource": ["*"]}, {**but("sts:*"), "Resource": ["*"]}],
            True,
        ),
    ],
)
def test_the_one_policy_by_statement(statements: Any, boundary: Any, result: list[Any], is_exact: bool) -> None:
    of = effective(*statements, boundary=None if boundary is None else document(*boundary), own=False)
    value = consolidate(of)
    assert value.document == {"Version": "2012-10-17", "Statement": result}
    assert value.covers.holds, "never narrower"
    assert value.exact.holds is is_exact


@pytest.mark.parametrize(
    ("patterns", "kept"),
    [
        (["s3:GetObject", "s3:Get*", "ec2:Run*"], ["ec2:Run*", "s3:Get*"]),
        (["S3:Get*", "s3:get*"], ["s3:get*"]),
        (["s3:Get?bject", "s3:GetObject"], ["s3:Get?bject"]),
        (["s3:Get?bject", "s3:Get*"], ["s3:Get*"]),
        (["s3:Ge?Object", "s3:Ge*Object"], ["s3:Ge*Object"]),
        # To a `?` a `*` is one character like others.
        (["s3:Get?", "s3:Get*"], ["s3:Get*"]),
        (["s3:GetObjec?", "s3:GetObjec*"], ["s3:GetObjec*"]),
        (["b:x", "A:x"], ["A:x", "b:x"]),
        (["*", "s3:x"], ["*"]),
    ],
)
def test_patterns_that_another_one_covers_go(patterns: list[str], kept: list[str]) -> None:
    assert least(patterns) == kept


def test_rules_are_put_together_by_what_they_have_in_common() -> None:
    tests = (("Bool", "aws:SecureTransport", ("true",)),)
    rules = [
        Rule(("b", "a"), False, ("*",), False, ()),
        Rule(("c",), False, ("*",), False, tests),
        Rule(("a", "d"), False, ("*",), False, ()),
        Rule(("e",), False, ("*",), True, ()),
        Rule(("f",), True, ("*",), False, ()),
        Rule(("f",), True, ("*",), False, ()),
    ]
    assert list(merged(rules)) == [
        Rule(("a", "b", "d"), False, ("*",), False, ()),
        Rule(("c",), False, ("*",), False, tests),
        Rule(("e",), False, ("*",), True, ()),
        Rule(("f",), True, ("*",), False, ()),
    ]


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("iam:PutRolePolicy", "permissions"),
        ("S3:GETOBJECT", "read data"),
        ("s3:ListBucket", "list"),
        ("ec2:DescribeInstances", "list"),
        ("iam:GetRole", "read metadata"),
        ("ec2:CreateTags", "write"),
        ("new:Thing", "write"),
    ],
)
def test_the_kind_of_an_action(action: str, kind: str) -> None:
    assert kind_of(action) == kind


def test_actions_by_service_in_the_order_of_the_kinds() -> None:
    result = by_service(
        ["s3:putobject", "s3:getobject", "s3:listbucket", "ec2:runinstances", "new:thing", "s3:deleteobject"]
    )
    assert result == {
        "ec2": {"write": ("ec2:RunInstances",)},
        "new": {"write": ("new:thing",)},
        "s3": {
            "list": ("s3:ListBucket",),
            "read data": ("s3:GetObject",),
            "write": ("s3:DeleteObject", "s3:PutObject"),
        },
    }
    assert [*result] == ["ec2", "new", "s3"]
    assert [*result["s3"]] == ["list", "read data", "write"]
    assert ACCESS_KINDS == ("list", "read metadata", "read data", "write", "permissions")


def test_a_summary_counts_each_kind() -> None:
    of = effective(
        allow(["s3:GetObject", "s3:PutObject", "iam:PutRolePolicy", "iam:GetRole", "s3:DeleteObject"]), own=False
    )
    result = summary(of, now=NOW)
    assert result.counts() == {"list": 0, "read metadata": 1, "read data": 1, "write": 2, "permissions": 1}
    assert result.undecided == ""


def test_a_variable_of_an_older_version_is_a_text() -> None:
    """In a document of 2008 a `${` begins no variable: in one of today's version it has to be written out."""
    old = {"Version": "2008-10-17", "Statement": [allow("s3:*", ODD, {"StringLike": {"aws:userid": "${x}"}})]}
    of = effective(allow("s3:*"), boundary=old, own=False)
    result = consolidate(of)
    (statement,) = result.document["Statement"]
    assert statement["Resource"] == ["arn:aws:s3:::${$}{aws:username}/*"]
    assert statement["Condition"] == {"StringLike": {"aws:userid": ["${$}{x}"]}}
    assert result.covers.holds
