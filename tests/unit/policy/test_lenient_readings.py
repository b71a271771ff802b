"""What a document is read as that AWS would refuse, statement by statement, under both effects.

What may let somebody in is read wide, what shuts somebody out is left out or kept as an entry that names nobody.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from valetkey.policy import Policy, Statement
from valetkey.policy.lenient import parse_lenient

A = "222222222222"
ROOT = f"arn:aws:iam::{A}:root"
GOOD: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole"}
SHUT: dict[str, Any] = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}
S0 = "$.Statement[0]"
NOTHING, NOT_ON = "Deny  by *", "Deny  on *"
"""A statement that is left out: it denies no action."""
YES, NO = "Allow sts:AssumeRole by", "Deny sts:AssumeRole by"
OPEN = f"{YES} {ROOT}"
AWS, IS_NOT = f"@{S0}.Principal.AWS", "is not an AWS principal"


def told(statement: Statement) -> str:
    """A statement in one line; an entry that cannot be read is in <>, with its place."""
    who = statement.principals
    names: list[str] = []
    if who is not None:
        names = [str(who)] if str(who) != "nobody" else []
        names += [f"<{principal} @{principal.where}>" for principal in who.unread]
    resources = statement.resources
    parts = [
        f"{statement.effect} {'not ' * statement.not_action}{'|'.join(statement.actions)}",
        "" if who is None else f" by {'not ' * statement.not_principal}{', '.join(names)}",
        "" if resources is None else f" on {'not ' * statement.not_resource}{'|'.join(resources)}",
        *(f" if {condition.name} {condition.key}={'|'.join(condition.values)}" for condition in statement.conditions),
    ]
    return "".join(parts)


def document(*statements: Any, **more: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements), **more}


def policy_of(given: Any, kind: Any = "trust") -> Policy:
    policy = parse_lenient(given, kind).policy
    assert policy is not None
    return policy


def readings(given: Any, kind: Any = "trust") -> list[str]:
    return [told(statement) for statement in policy_of(given, kind).statements]


def places(given: Any, kind: Any = "trust") -> list[tuple[str, str]]:
    return [(error.what, error.where) for error in parse_lenient(given, kind).defects]


PRINCIPAL_ROWS: list[tuple[dict[str, Any], str, str, str, str]] = [
    (
        {"Principal": "x", "Action": "sts:AssumeRole"},
        f"{YES} <'x' {IS_NOT} {AWS}>",
        NOTHING,
        "'x' is not a principal",
        ".Principal",
    ),
    (
        {"Principal": 5, "Action": "sts:AssumeRole"},
        f"{YES} <a number {IS_NOT} @{S0}.Principal>",
        NOTHING,
        "expected an object, not a number",
        ".Principal",
    ),
    (
        {"Principal": None, "Action": "sts:AssumeRole"},
        f"{YES} <null {IS_NOT} @{S0}.Principal>",
        NOTHING,
        "expected an object, not null",
        ".Principal",
    ),
    (
        {"Principal": [], "Action": "sts:AssumeRole"},
        f"{YES} <a list {IS_NOT} @{S0}.Principal>",
        NOTHING,
        "expected an object, not a list",
        ".Principal",
    ),
    (
        {"Principal": ["x", A], "Action": "sts:AssumeRole"},
        f"{YES} {A}, <'x' {IS_NOT} {AWS}[0]>",
        NOTHING,
        "expected an object, not a list",
        ".Principal",
    ),
    (
        {"Principal": {"AWS": 5}, "Action": "sts:AssumeRole"},
        f"{YES} 000000000005",
        f"{NO} <a number {IS_NOT} {AWS}>",
        "expected a string, not a number",
        ".Principal.AWS",
    ),
    (
        {"Principal": {"AWS": 222222222222}, "Action": "sts:AssumeRole"},
        f"{YES} {A}",
        f"{NO} <a number {IS_NOT} {AWS}>",
        "expected a string, not a number",
        ".Principal.AWS",
    ),
    (
        {"Principal": {"AWS": [222222222222, "y"]}, "Action": "sts:AssumeRole"},
        f"{YES} {A}, <'y' {IS_NOT} {AWS}[1]>",
        f"{NO} <a number {IS_NOT} {AWS}[0]>, <'y' {IS_NOT} {AWS}[1]>",
        "expected a string, not a number",
        ".Principal.AWS[0]",
    ),
    (
        {"Principal": {"AWS": {"a": "b"}}, "Action": "sts:AssumeRole"},
        f"{YES} <an object {IS_NOT} {AWS}>",
        f"{NO} <an object {IS_NOT} {AWS}>",
        "expected a string, not an object",
        ".Principal.AWS",
    ),
    (
        {"Principal": {"Service": 5}, "Action": "sts:AssumeRole"},
        f"{YES} <a number is not a Service principal @{S0}.Principal.Service>",
        f"{NO} <a number is not a Service principal @{S0}.Principal.Service>",
        "expected a string, not a number",
        ".Principal.Service",
    ),
    (
        {"Principal": {"Service": "*"}, "Action": "sts:AssumeRole"},
        f"{YES} <'*' is not a Service principal @{S0}.Principal.Service>",
        f"{NO} <'*' is not a Service principal @{S0}.Principal.Service>",
        "'*' is not a Service principal",
        ".Principal.Service",
    ),
    (
        {"Principal": {"Service": ["a.com", ""]}, "Action": "sts:AssumeRole"},
        f"{YES} a.com, <'' is not a Service principal @{S0}.Principal.Service[1]>",
        f"{NO} a.com, <'' is not a Service principal @{S0}.Principal.Service[1]>",
        "'' is not a Service principal",
        ".Principal.Service[1]",
    ),
    (
        {"Principal": {"Federated": "*"}, "Action": "sts:AssumeRole"},
        f"{YES} *",
        f"{NO} <'*' is not a Federated principal @{S0}.Principal.Federated>",
        "'*' is not a Federated principal",
        ".Principal.Federated",
    ),
    (
        {"Principal": {"Federated": "a b"}, "Action": "sts:AssumeRole"},
        f"{YES} <'a b' is not a Federated principal @{S0}.Principal.Federated>",
        f"{NO} <'a b' is not a Federated principal @{S0}.Principal.Federated>",
        "'a b' is not a Federated principal",
        ".Principal.Federated",
    ),
    (
        {"Principal": {"aws": ROOT}, "Action": "sts:AssumeRole"},
        OPEN,
        NOTHING,
        "'aws' is not an element of a policy here",
        ".Principal.aws",
    ),
    (
        {"Principal": {"service": "a.com"}, "Action": "sts:AssumeRole"},
        f"{YES} a.com",
        NOTHING,
        "'service' is not an element of a policy here",
        ".Principal.service",
    ),
    (
        {"Principal": {"Foo": ROOT}, "Action": "sts:AssumeRole"},
        f"{YES} <'Foo' is not a kind of principal (AWS, Service, Federated) @{S0}.Principal.Foo>",
        NOTHING,
        "'Foo' is not an element of a policy here",
        ".Principal.Foo",
    ),
    (
        {"Principal": {"AWS": A, "Foo": "x"}, "Action": "sts:AssumeRole"},
        f"{YES} {A}, <'Foo' is not a kind of principal (AWS, Service, Federated) @{S0}.Principal.Foo>",
        NOTHING,
        "'Foo' is not an element of a policy here",
        ".Principal.Foo",
    ),
    (
        {"Principal": {"AWS": "*x"}, "Action": "sts:AssumeRole"},
        f"{YES} *",
        f"{NO} <'*x' {IS_NOT} {AWS}>",
        f"'*x' {IS_NOT}",
        ".Principal.AWS",
    ),
    (
        {"Principal": {"AWS": f"arn:aws:iam::{A}:user/*"}, "Action": "sts:AssumeRole"},
        OPEN,
        f"{NO} <'arn:aws:iam::{A}:user/*' {IS_NOT} {AWS}>",
        f"'arn:aws:iam::{A}:user/*' {IS_NOT}",
        ".Principal.AWS",
    ),
    (
        {"Principal": {"AWS": f"arn:aws:sts::{A}:assumed-role/x/?"}, "Action": "sts:AssumeRole"},
        OPEN,
        f"{NO} <'arn:aws:sts::{A}:assumed-role/x/?' {IS_NOT} {AWS}>",
        f"'arn:aws:sts::{A}:assumed-role/x/?' {IS_NOT}",
        ".Principal.AWS",
    ),
    (
        {"Principal": {"AWS": f"arn:aws-x:iam::{A}:user/*"}, "Action": "sts:AssumeRole"},
        f"{YES} *",
        f"{NO} <'arn:aws-x:iam::{A}:user/*' {IS_NOT} {AWS}>",
        f"'arn:aws-x:iam::{A}:user/*' {IS_NOT}",
        ".Principal.AWS",
    ),
    (
        {"Principal": {"AWS": f"arn:aws:iam::{A}:user/333333333333*"}, "Action": "sts:AssumeRole"},
        f"{YES} *",
        f"{NO} <'arn:aws:iam::{A}:user/333333333333*' {IS_NOT} {AWS}>",
        f"'arn:aws:iam::{A}:user/333333333333*' {IS_NOT}",
        ".Principal.AWS",
    ),
    (
        {"Principal": {"AWS": f"arn:aws:iam::{A}:oidc-provider/*"}, "Action": "sts:AssumeRole"},
        f"{YES} *",
        f"{NO} <'arn:aws:iam::{A}:oidc-provider/*' {IS_NOT} {AWS}>",
        f"'arn:aws:iam::{A}:oidc-provider/*' {IS_NOT}",
        ".Principal.AWS",
    ),
    (
        {"Principal": {"AWS": f"arn:aws:iam::{A}:saml-provider/x"}, "Action": "sts:AssumeRole"},
        f"{YES} {A}, <'arn:aws:iam::{A}:saml-provider/x' {IS_NOT} {AWS}>",
        f"{NO} <'arn:aws:iam::{A}:saml-provider/x' {IS_NOT} {AWS}>",
        f"'arn:aws:iam::{A}:saml-provider/x' {IS_NOT}",
        ".Principal.AWS",
    ),
    (
        {"Principal": {"AWS": f"arn:aws:iam::{A}:group/g"}, "Action": "sts:AssumeRole"},
        OPEN,
        f"{NO} <'arn:aws:iam::{A}:group/g' {IS_NOT} {AWS}>",
        f"'arn:aws:iam::{A}:group/g' {IS_NOT}",
        ".Principal.AWS",
    ),
    (
        {"Principal": {"AWS": f"arn:aws:s3::{A}:b/333333333333"}, "Action": "sts:AssumeRole"},
        f"{YES} {A}, 333333333333, <'arn:aws:s3::{A}:b/333333333333' {IS_NOT} {AWS}>",
        f"{NO} <'arn:aws:s3::{A}:b/333333333333' {IS_NOT} {AWS}>",
        f"'arn:aws:s3::{A}:b/333333333333' {IS_NOT}",
        ".Principal.AWS",
    ),
    (
        {"Principal": {"AWS": [ROOT, f"{A}/x 333333333333 and {A}", "b"]}, "Action": "sts:AssumeRole"},
        f"{YES} {ROOT}, {A}, 333333333333, <'{A}/x 333333333333 and {A}' {IS_NOT} {AWS}[1]>, <'b' {IS_NOT} {AWS}[2]>",
        f"{NO} {ROOT}, <'{A}/x 333333333333 and {A}' {IS_NOT} {AWS}[1]>, <'b' {IS_NOT} {AWS}[2]>",
        f"'{A}/x 333333333333 and {A}' {IS_NOT}",
        ".Principal.AWS[1]",
    ),
    (
        {"Principal": {"AWS": f"x{A}"}, "Action": "sts:AssumeRole"},
        f"{YES} {A}, <'x{A}' {IS_NOT} {AWS}>",
        f"{NO} <'x{A}' {IS_NOT} {AWS}>",
        f"'x{A}' {IS_NOT}",
        ".Principal.AWS",
    ),
    (
        {"Principal": {"AWS": f"1{A}"}, "Action": "sts:AssumeRole"},
        f"{YES} <'1{A}' {IS_NOT} {AWS}>",
        f"{NO} <'1{A}' {IS_NOT} {AWS}>",
        f"'1{A}' {IS_NOT}",
        ".Principal.AWS",
    ),
    (
        {"Principal": {"AWS": "", "Service": "a.com"}, "Action": "sts:AssumeRole"},
        f"{YES} a.com, <'' {IS_NOT} {AWS}>",
        f"{NO} a.com, <'' {IS_NOT} {AWS}>",
        f"'' {IS_NOT}",
        ".Principal.AWS",
    ),
    (
        {"Principal": {"AWS": ["", A, ""]}, "Action": "sts:AssumeRole"},
        f"{YES} {A}, <'' {IS_NOT} {AWS}[0]>, <'' {IS_NOT} {AWS}[2]>",
        f"{NO} {A}, <'' {IS_NOT} {AWS}[0]>, <'' {IS_NOT} {AWS}[2]>",
        f"'' {IS_NOT}",
        ".Principal.AWS[0]",
    ),
    (
        {"Principal": {"CanonicalUser": "a*"}, "Action": "sts:AssumeRole"},
        f"{YES} <'a*' is not a CanonicalUser principal @{S0}.Principal.CanonicalUser>",
        f"{NO} <'a*' is not a CanonicalUser principal @{S0}.Principal.CanonicalUser>",
        "'a*' is not a CanonicalUser principal",
        ".Principal.CanonicalUser",
    ),
]
TRUST_ROWS: list[tuple[dict[str, Any], str, str, str, str]] = [
    (
        {"Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole", "Resource": "*"},
        OPEN,
        NOTHING,
        "a trust policy cannot contain Resource",
        ".Resource",
    ),
    (
        {"Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole", "NotResource": ["*"]},
        OPEN,
        NOTHING,
        "a trust policy cannot contain NotResource",
        ".NotResource",
    ),
    (
        {"Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole", "Sid": "a b"},
        OPEN,
        f"{NO} {ROOT}",
        "the Sid is 'a b'",
        ".Sid",
    ),
    (
        {"Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole", "Sid": 5},
        OPEN,
        f"{NO} {ROOT}",
        "expected a string, not a number",
        ".Sid",
    ),
    (
        {"Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole", "sid": "a"},
        OPEN,
        f"{NO} {ROOT}",
        "'sid' is not an element of a policy here",
        ".sid",
    ),
    (
        {"Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole", "Foo": 5},
        OPEN,
        NOTHING,
        "'Foo' is not an element of a policy here",
        ".Foo",
    ),
    (
        {"Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole", "action": "sts:TagSession"},
        f"Allow sts:AssumeRole|sts:TagSession by {ROOT}",
        NOTHING,
        "'action' is not an element of a policy here",
        ".action",
    ),
    (
        {"Principal": {"AWS": ROOT}, "Action": 5},
        f"Allow  by <statement 1 cannot be read: expected a string, not a number @{S0}.Action>",
        NOTHING,
        "expected a string, not a number",
        ".Action",
    ),
    (
        {"Principal": {"AWS": ROOT}, "Action": "x"},
        f"Allow  by <statement 1 cannot be read: 'x' is not an action @{S0}.Action>",
        NOTHING,
        "'x' is not an action",
        ".Action",
    ),
    (
        {"Principal": {"AWS": ROOT}, "Action": ["x"]},
        f"Allow sts:* by {ROOT}",
        NOTHING,
        "'x' is not an action",
        ".Action[0]",
    ),
    (
        {"Principal": {"AWS": ROOT}, "Action": ["s3:Get*", "sts:TagSession"]},
        f"Allow sts:TagSession by {ROOT}",
        f"Deny sts:TagSession by {ROOT}",
        "'s3:Get*' is not an action of a trust policy",
        ".Action[0]",
    ),
    (
        {"Principal": {"AWS": ROOT}, "Action": ["s3:Get*"]},
        f"Allow  by <statement 1 cannot be read: 's3:Get*' is not an action of a trust policy @{S0}.Action[0]>",
        NOTHING,
        "'s3:Get*' is not an action of a trust policy",
        ".Action[0]",
    ),
    (
        {"Principal": {"AWS": ROOT}, "Action": ["sts: x", 5]},
        f"Allow sts:*|sts:* by {ROOT}",
        NOTHING,
        "'sts: x' is not an action",
        ".Action[0]",
    ),
    (
        {"Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole", "NotAction": "sts:TagSession"},
        OPEN,
        NOTHING,
        "Action and NotAction cannot be used together",
        ".NotAction",
    ),
    (
        {"Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole", "NotPrincipal": {"AWS": ROOT}},
        f"{YES} *",
        NOTHING,
        "this kind of policy (trust) cannot contain NotPrincipal",
        ".NotPrincipal",
    ),
    (
        {"Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole", "Condition": 5},
        OPEN,
        NOTHING,
        "expected an object, not a number",
        ".Condition",
    ),
    (
        {
            "Principal": {"AWS": ROOT},
            "Action": "sts:AssumeRole",
            "Condition": {"Foo": {"x:y": "z"}, "StringEquals": {"x:y": "z"}},
        },
        f"{YES} {ROOT} if StringEquals x:y=z",
        NOTHING,
        "'Foo' is not a condition operator",
        ".Condition.Foo",
    ),
    (
        {"Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole", "Condition": {"Bool": {"x:y": "z", "x:z": "true"}}},
        f"{YES} {ROOT} if Bool x:z=true",
        NOTHING,
        "Bool cannot read 'z'",
        ".Condition.Bool['x:y']",
    ),
    (
        {
            "Principal": {"AWS": ROOT},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"x:y": "z", "X:Y": "a", "x:z": "b"}},
        },
        f"{YES} {ROOT} if StringEquals x:z=b",
        NOTHING,
        "'X:Y' is given twice under StringEquals, in different case",
        ".Condition.StringEquals['X:Y']",
    ),
    (
        {
            "Principal": {"AWS": ROOT},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"x:y": "z", "x:z": "b"},
                "stringequals": {"X:Y": "a"},
                "StringLike": {"x:y": "c"},
            },
        },
        f"{YES} {ROOT} if StringEquals x:z=b if StringLike x:y=c",
        NOTHING,
        "'X:Y' is given twice under StringEquals, in different case",
        ".Condition.stringequals['X:Y']",
    ),
    (
        {
            "Principal": {"AWS": ROOT},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": "x", "Bool": {"x:z": "true"}},
        },
        f"{YES} {ROOT} if Bool x:z=true",
        NOTHING,
        "expected an object, not a string",
        ".Condition.StringEquals",
    ),
    (
        {"Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole", "condition": {"Bool": {"x:z": "true"}}},
        f"{YES} {ROOT} if Bool x:z=true",
        f"{NO} {ROOT} if Bool x:z=true",
        "'condition' is not an element of a policy here",
        ".condition",
    ),
    (
        {"Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole", "Condition": {"Bool": {"x:z": ["true", "x"]}}},
        OPEN,
        NOTHING,
        "Bool cannot read 'x'",
        ".Condition.Bool['x:z'][1]",
    ),
    (
        {"Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"xy": "z"}}},
        OPEN,
        NOTHING,
        "'xy' is not a condition key",
        ".Condition.StringEquals.xy",
    ),
    (
        {"Principal": {"AWS": ROOT}},
        f"Allow  by <statement 1 cannot be read: the statement has no Action @{S0}>",
        NOTHING,
        "the statement has no Action",
        "",
    ),
    (
        {"Principal": {"AWS": ROOT}, "action": "sts:TagSession"},
        f"Allow sts:TagSession by {ROOT}",
        f"Deny sts:TagSession by {ROOT}",
        "'action' is not an element of a policy here",
        ".action",
    ),
    (
        {"Action": "sts:*"},
        f"Allow  by <statement 1 cannot be read: the statement has no Principal @{S0}>",
        NOTHING,
        "the statement has no Principal",
        "",
    ),
    (
        {"Principal": "*", "NotAction": ["x", "sts:TagSession"]},
        "Allow not sts:TagSession by *",
        NOTHING,
        "'x' is not an action",
        ".NotAction[0]",
    ),
    (
        {"Principal": "*", "NotAction": "x"},
        f"Allow  by <statement 1 cannot be read: the statement has no Action @{S0}>",
        NOTHING,
        "'x' is not an action",
        ".NotAction",
    ),
    (
        {"Principal": "*", "NotAction": ["x"]},
        f"Allow  by <statement 1 cannot be read: 'x' is not an action @{S0}.NotAction[0]>",
        NOTHING,
        "'x' is not an action",
        ".NotAction[0]",
    ),
    (
        {"NotPrincipal": {"AWS": ROOT}, "Action": "sts:*"},
        "Allow sts:* by *",
        NOTHING,
        "this kind of policy (trust) cannot contain NotPrincipal",
        ".NotPrincipal",
    ),
]
IDENTITY_ROWS: list[tuple[dict[str, Any], str, str, str, str]] = [
    (
        {"Action": ["x", "s3:Get*"], "Resource": "*"},
        "Allow s3:Get* on *",
        "Deny s3:Get* on *",
        "'x' is not an action",
        ".Action[0]",
    ),
    ({"Action": ["x"], "Resource": "*"}, NOT_ON, NOT_ON, "'x' is not an action", ".Action[0]"),
    ({"Action": "x", "Resource": "*"}, NOT_ON, NOT_ON, "'x' is not an action", ".Action"),
    ({"Action": "s3:x", "Resource": "x"}, NOT_ON, NOT_ON, "'x' is not a resource", ".Resource"),
    (
        {"Action": "s3:x", "Resource": ["x", "*"]},
        "Allow s3:x on *",
        "Deny s3:x on *",
        "'x' is not a resource",
        ".Resource[0]",
    ),
    (
        {"Action": "s3:x", "Resource": [5, "arn:a"]},
        "Allow s3:x on arn:a",
        "Deny s3:x on arn:a",
        "expected a string, not a number",
        ".Resource[0]",
    ),
    ({"Action": "s3:x", "Resource": ["x"]}, NOT_ON, NOT_ON, "'x' is not a resource", ".Resource[0]"),
    (
        {"Action": "s3:x", "Resource": "*", "NotResource": ["x"]},
        "Allow s3:x on *",
        NOT_ON,
        "Resource and NotResource cannot be used together",
        ".NotResource",
    ),
    (
        {"Action": "s3:x", "Resource": "*", "Principal": "*"},
        "Allow s3:x on *",
        NOT_ON,
        "this kind of policy (identity) cannot contain Principal",
        ".Principal",
    ),
    (
        {"Action": "s3:x", "Resource": "*", "NotPrincipal": "*"},
        "Allow s3:x on *",
        NOT_ON,
        "this kind of policy (identity) cannot contain NotPrincipal",
        ".NotPrincipal",
    ),
    (
        {"Action": "s3:x", "NotResource": ["x", "arn:a"]},
        "Allow s3:x on not arn:a",
        NOT_ON,
        "'x' is not a resource",
        ".NotResource[0]",
    ),
    ({"Action": "s3:x"}, NOT_ON, NOT_ON, "the statement has no Resource", ""),
]
RCP_ROWS: list[tuple[dict[str, Any], str, str, str, str]] = [
    (
        {"Action": "s3:x", "Resource": "*", "Principal": {"AWS": A}},
        "Allow s3:x by * on *",
        "Deny  by * on *",
        'the Principal of an RCP must be "*"',
        ".Principal",
    ),
    (
        {"Action": "s3:x", "Resource": "*", "Principal": "x"},
        "Allow s3:x by * on *",
        "Deny  by * on *",
        "'x' is not a principal",
        ".Principal",
    ),
    (
        {"Action": "s3:x", "Resource": "*", "Principal": 5},
        "Allow s3:x by * on *",
        "Deny  by * on *",
        "expected an object, not a number",
        ".Principal",
    ),
    (
        {"Action": "s3:x", "Resource": "*", "NotPrincipal": "*"},
        "Allow s3:x by * on *",
        "Deny  by * on *",
        "this kind of policy (rcp) cannot contain NotPrincipal",
        ".NotPrincipal",
    ),
    (
        {"NotAction": "x:y", "Principal": "*", "Resource": "*"},
        "Deny  by * on *",
        "Deny  by * on *",
        "an RCP cannot contain NotAction",
        ".NotAction",
    ),
]
RESOURCE_ROWS: list[tuple[dict[str, Any], str, str, str, str]] = [
    (
        {"Action": "s3:x", "Resource": "*", "Principal": "x"},
        f"Allow s3:x by <'x' {IS_NOT} {AWS}> on *",
        "Deny  by * on *",
        "'x' is not a principal",
        ".Principal",
    ),
    (
        {"Action": "s3:x", "Resource": "*", "Principal": {"AWS": "b*"}},
        "Allow s3:x by * on *",
        f"Deny s3:x by <'b*' {IS_NOT} {AWS}> on *",
        f"'b*' {IS_NOT}",
        ".Principal.AWS",
    ),
    (
        {"Action": "s3:x", "Resource": "*", "Principal": "*", "NotResource": "x"},
        "Allow s3:x by * on *",
        "Deny  by * on *",
        "Resource and NotResource cannot be used together",
        ".NotResource",
    ),
]


@pytest.mark.parametrize(
    ("kind", "statement", "allow", "deny", "what", "where"),
    [
        *(("trust", *row) for row in (*PRINCIPAL_ROWS, *TRUST_ROWS)),
        *(("identity", *row) for row in IDENTITY_ROWS),
        *(("rcp", *row) for row in RCP_ROWS),
        *(("resource", *row) for row in RESOURCE_ROWS),
    ],
)
def test_a_statement_with_a_defect(
    kind: Any, statement: dict[str, Any], allow: str, deny: str, what: str, where: str
) -> None:
    beside = {"Effect": "Deny", "Action": "sts:TagSession"}
    beside |= {"Principal": "*"} if kind in ("trust", "resource", "rcp") else {}
    beside |= {"Resource": "*"} if kind != "trust" else {}
    for effect, reading in (("Allow", allow), ("Deny", deny)):
        broken = {"Effect": effect, **statement}
        assert readings(document(broken), kind) == [reading]
        assert places(document(broken), kind)[0] == (what, f"{S0}{where}")
        assert readings({"Version": "2012-10-17", "Statement": broken}, kind) == [reading.replace(S0, "$.Statement")]
        # The others stay as they are, and where they are.
        second = reading.replace(S0, "$.Statement[1]").replace("<statement 1 ", "<statement 2 ")
        policy = policy_of(document(beside, broken), kind)
        assert told(policy.statements[1]) == second
        assert [(item.index, item.where) for item in policy.statements] == [(0, S0), (1, "$.Statement[1]")]
        assert policy.statements[0].actions == ("sts:TagSession",)


def unread(number: int, why: str, where: str) -> str:
    return f"Allow  by <statement {number} cannot be read: {why} @{where}>"


@pytest.mark.parametrize(
    ("broken", "reading"),
    [
        ({**GOOD, "Effect": "Permit"}, unread(2, "Effect is 'Permit'", "$.Statement[1].Effect")),
        ({**GOOD, "Effect": 5}, unread(2, "Effect is a number", "$.Statement[1].Effect")),
        ({**GOOD, "Effect": "allow"}, OPEN),
        ({**SHUT, "Effect": "DENY"}, "Deny sts:AssumeRole by *"),
        ({**GOOD, "effect": "Allow"}, OPEN),
        ({**GOOD, "effect": "Deny"}, OPEN),
        ({**SHUT, "effect": "Deny"}, unread(2, "'Effect' is given twice", "$.Statement[1].Effect")),
        ("x", unread(2, "expected an object, not a string", "$.Statement[1]")),
        (5, unread(2, "expected an object, not a number", "$.Statement[1]")),
        ([], unread(2, "expected an object, not a list", "$.Statement[1]")),
        (None, unread(2, "expected an object, not null", "$.Statement[1]")),
        ({}, unread(2, "the statement has no Effect", "$.Statement[1]")),
        ({"Effect": "Allow"}, unread(2, "the statement has no Action", "$.Statement[1]")),
        ({"Effect": "Deny"}, NOTHING),
        ({"effect": "Deny"}, NOTHING),
    ],
)
def test_a_statement_whose_effect_or_shape_is_wrong(broken: Any, reading: str) -> None:
    assert readings(document(SHUT, broken)) == ["Deny sts:AssumeRole by *", reading]
    if not isinstance(broken, dict):
        for kind in ("identity", "scp"):
            assert readings(document(broken), kind) == [NOT_ON]
        for kind in ("rcp", "resource"):
            assert readings(document(broken), kind) == [f"{NOTHING} on *"]


VARIABLE = {"Condition": {"StringEquals": {"x:y": "${a:b}"}}}
PLAIN = {"Condition": {"StringEquals": {"x:y": "z"}}}
IF = " if StringEquals x:y="
ONE = {"version": "2012-10-17", "Statement": GOOD | VARIABLE}


@pytest.mark.parametrize(
    ("given", "version", "id_", "statements", "defects"),
    [
        (document(GOOD, Version="2020"), "2012-10-17", None, [OPEN], ["$.Version"]),
        (document(GOOD, Version=None), "2012-10-17", None, [OPEN], ["$.Version"]),
        (document(GOOD, version="2012-10-17"), "2012-10-17", None, [OPEN], ["$.version", "$.Version"]),
        ({"version": "2012-10-17", "Statement": GOOD}, "2012-10-17", None, [OPEN], ["$.version"]),
        ({"statement": [GOOD]}, None, None, [OPEN], ["$.statement"]),
        (
            {"Statement": [GOOD], "statement": SHUT},
            None,
            None,
            [OPEN, "Deny sts:AssumeRole by *"],
            ["$.statement", "$.Statement"],
        ),
        (document(GOOD, Id=5), "2012-10-17", None, [OPEN], ["$.Id"]),
        (document(GOOD, id="x"), "2012-10-17", "x", [OPEN], ["$.id"]),
        (document(GOOD, Foo=1), "2012-10-17", None, [OPEN], ["$.Foo"]),
        (
            document(GOOD | VARIABLE, SHUT | VARIABLE, SHUT | PLAIN, GOOD | PLAIN, Version="x"),
            "2012-10-17",
            None,
            [OPEN, NOTHING, f"Deny sts:AssumeRole by *{IF}z", f"{OPEN}{IF}z"],
            ["$.Version"],
        ),
        ({"Version": "x", "Statement": GOOD | VARIABLE}, "2012-10-17", None, [OPEN], ["$.Version"]),
        ({"Version": "x", "Statement": SHUT | VARIABLE}, "2012-10-17", None, [NOTHING], ["$.Version"]),
        (
            document("${", GOOD | {"condition": VARIABLE["Condition"]}, Version="x"),
            "2012-10-17",
            None,
            [unread(1, "expected an object, not a string", S0), OPEN],
            ["$.Version", S0],
        ),
        # Only the case of its name is wrong: variables count.
        (ONE, "2012-10-17", None, [f"{OPEN}{IF}${{a:b}}"], ["$.version"]),
        (ONE | {"Version": "2008-10-17"}, "2008-10-17", None, [OPEN], ["$.version", "$.Version"]),
        (
            document(GOOD | {"Sid": "a"}, GOOD | {"Sid": "a"}),
            "2012-10-17",
            None,
            [OPEN, OPEN],
            ["$.Statement[1].Sid"],
        ),
    ],
)
def test_a_document_with_a_defect(
    given: Any, version: str | None, id_: str | None, statements: list[str], defects: list[str]
) -> None:
    policy = policy_of(given)
    assert (policy.version, policy.id) == (version, id_)
    assert [told(statement) for statement in policy.statements] == statements
    assert [where for _, where in places(given)] == defects
    assert [statement for statement in policy.statements if statement.effect == "Allow"] == list(policy.allows)


OTHER = "333333333333"


@pytest.mark.parametrize(
    ("statement", "name", "twice", "reading", "defects"),
    [
        (GOOD, "Action", '"sts:TagSession"', f"Allow sts:TagSession|sts:AssumeRole by {ROOT}", 1),
        (SHUT, "Action", '"sts:TagSession"', NOTHING, 1),
        (GOOD, "Principal", f'{{"AWS": "{OTHER}"}}', f"Allow sts:AssumeRole by {OTHER}, {ROOT}", 2),
        (
            GOOD,
            "Principal",
            '"*"',
            f"Allow sts:AssumeRole by *, <an object is not an AWS principal @{S0}.Principal.AWS[1]>",
            3,
        ),
        (GOOD, "AWS", f'"{OTHER}"', f"Allow sts:AssumeRole by {OTHER}, {ROOT}", 1),
        (GOOD, "AWS", f'["{OTHER}", "{A}"]', f"Allow sts:AssumeRole by {OTHER}, {A}, {ROOT}", 1),
        ({**GOOD, "Effect": "Deny"}, "AWS", f'"{OTHER}"', NOTHING, 1),
        ({**GOOD, "Sid": "a"}, "Sid", '"b"', OPEN, 1),
        ({**SHUT, "Sid": "a"}, "Sid", '"b"', "Deny sts:AssumeRole by *", 1),
        (GOOD | PLAIN, "Condition", '{"Bool": {"x:z": "true"}}', OPEN, 1),
        (GOOD | PLAIN, "StringEquals", '{"x:z": "w"}', OPEN, 1),
        (GOOD | PLAIN, "x:y", '"w"', OPEN, 1),
        (SHUT | PLAIN, "x:y", '"w"', NOTHING, 1),
        (GOOD, "Effect", '"Deny"', OPEN, 1),
        (GOOD, "Effect", '"x"', OPEN, 1),
        (SHUT, "Effect", '"Deny"', unread(1, "'Effect' is given twice", f"{S0}.Effect"), 1),
        (SHUT, "Effect", "5", unread(1, "'Effect' is given twice", f"{S0}.Effect"), 1),
        (SHUT, "Effect", '"allow"', "Allow sts:AssumeRole by *", 1),
        ({**GOOD, "Foo": 2}, "Foo", "1", OPEN, 2),
    ],
)
def test_a_key_given_twice(statement: Any, name: str, twice: str, reading: str, defects: int) -> None:
    text = json.dumps(document(statement)).replace(f'"{name}"', f'"{name}": {twice}, "{name}"', 1)
    assert readings(text) == [reading]
    result = places(text)
    assert result[0][0] == f"{name!r} is given twice"
    assert len(result) == defects


def test_statements_given_twice_are_all_read() -> None:
    for first in (json.dumps([SHUT]), json.dumps(SHUT)):
        text = json.dumps(document(GOOD)).replace('"Statement"', f'"Statement": {first}, "Statement"')
        assert readings(text) == ["Deny sts:AssumeRole by *", OPEN]
        assert places(text) == [("'Statement' is given twice", "$.Statement")]


def test_a_hundred_defects_are_mended_and_no_more() -> None:
    def sids(count: int) -> dict[str, Any]:
        return document(*({**GOOD, "Sid": f"a b{number}"} for number in range(count)))

    assert readings(sids(100)) == [OPEN] * 100
    read = parse_lenient(sids(101), "trust")
    assert read.policy is None
    assert [error.where for error in read.defects] == [f"$.Statement[{number}].Sid" for number in range(101)]


@pytest.mark.parametrize("name", ["x.y", "x[0]", "x" * 90, "Principal2", "\u00e9"])
def test_a_place_is_found_by_the_whole_name(name: str) -> None:
    given = document(GOOD, {**GOOD, name: {"a": 1}, "Principals": "*"})
    assert readings(given) == [OPEN, OPEN]
    assert len(places(given)) == 2


@pytest.mark.parametrize("given", ["x", 5, None])
def test_a_lone_statement_that_is_not_an_object_is_not_read(given: Any) -> None:
    read = parse_lenient({"Statement": given}, "trust")
    assert read.policy is None
    assert [error.where for error in read.defects] == ["$.Statement"]
