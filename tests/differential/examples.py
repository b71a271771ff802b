"""One small case for every known difference, without other causes."""

from __future__ import annotations

from typing import Any

from .cases import Case

OWNER, OTHER = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{OWNER}:role/guest"
DEV = f"arn:aws:iam::{OWNER}:user/dev"
SESSION = f"arn:aws:sts::{OWNER}:assumed-role/dev/abc"
OIDC = "token.actions.githubusercontent.com"
VERSION = "2012-10-17"


def _case(principal: str = DEV, action: str = "sts:AssumeRole", context: Any = None, **sides: Any) -> Case:
    request = {"principal": principal, "action": action, "resource": ROLE, "resource_account": OWNER}
    return {"request": {**request, "context": context or {}}, **sides}


def _trust(*statements: dict[str, Any], version: str = VERSION) -> dict[str, Any]:
    return {"Version": version, "Statement": list(statements)}


def _allow(principal: Any = None, action: str = "sts:AssumeRole", **condition: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"Effect": "Allow", "Principal": principal or {"AWS": DEV}, "Action": action}
    return made | ({"Condition": condition} if condition else {})


def _only(context: Any, *, version: str = VERSION, **condition: Any) -> Case:
    """The user is allowed, under one condition."""
    return _case(context=context, trust=_trust(_allow(**condition), version=version))


def _unless(context: Any, **condition: Any) -> Case:
    """The user is allowed, and denied under one condition."""
    return _case(context=context, trust=_trust(_allow(), {**_allow({"AWS": "*"}, **condition), "Effect": "Deny"}))


NOTHING_ALLOWED = {
    "Version": VERSION,
    "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
}
ANYTHING_ALLOWED = {"Version": VERSION, "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}

# name of the row: (the case, the verdict that AWS documents)
EXAMPLES: dict[str, tuple[Case, str]] = {
    "variable-without-value": (
        _unless({"sts:ExternalId": "abc"}, StringNotEquals={"sts:ExternalId": "${aws:PrincipalTag/team}"}),
        "explicit_deny",
    ),
    "variable-with-colon-in-arn": (
        _only({"aws:SourceArn": DEV}, ArnEquals={"aws:SourceArn": "${aws:PrincipalArn}"}),
        "allowed",
    ),
    "variable-without-version": (
        _only(
            {"aws:username": "dev", "sts:RoleSessionName": "dev"},
            version="2008-10-17",
            StringEquals={"sts:RoleSessionName": "${aws:username}"},
        ),
        "implicit_deny",
    ),
    "ipv4-slash-zero": (_only({"aws:SourceIp": "203.0.113.5"}, IpAddress={"aws:SourceIp": "0.0.0.0/0"}), "allowed"),
    "address-without-prefix": (_only({"aws:SourceIp": "::1"}, NotIpAddress={"aws:SourceIp": "10.0.0.1"}), "allowed"),
    "two-date-forms": (
        _only({"aws:CurrentTime": "2026-01-01T00:00:00Z"}, DateLessThan={"aws:CurrentTime": "1767225601"}),
        "allowed",
    ),
    "escape-in-equals": (_only({"sts:ExternalId": "a*c"}, StringEquals={"sts:ExternalId": "a${*}c"}), "allowed"),
    "empty-set": (
        _unless({"aws:TagKeys": [""]}, **{"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}),
        "explicit_deny",
    ),
    "forany-ifexists": (
        _unless({}, **{"ForAnyValue:StringEqualsIfExists": {"aws:TagKeys": ["team"]}}),
        "explicit_deny",
    ),
    "empty-variable": (
        _only(
            {"aws:PrincipalTag/team": "", "sts:ExternalId": "abc"},
            StringLike={"sts:ExternalId": "abc${aws:PrincipalTag/team}"},
        ),
        "allowed",
    ),
    "variable-under-typed-operator": (
        _unless(
            {"aws:CurrentTime": "2026-01-01T00:00:00Z", "aws:PrincipalTag/until": "2025-01-01T00:00:00Z"},
            DateGreaterThan={"aws:CurrentTime": "${aws:PrincipalTag/until}"},
        ),
        "explicit_deny",
    ),
    "malformed-under-negation": (
        _unless({"aws:SourceIp": "zzz"}, NotIpAddress={"aws:SourceIp": "10.0.0.0/8"}),
        "explicit_deny",
    ),
    "short-arn": (_unless({}, ArnLike={"aws:PrincipalArn": "*"}), "explicit_deny"),
    "variable-of-several-values": (
        _unless(
            {"aws:TagKeys": ["team", "cost"], "sts:ExternalId": "abc"},
            StringEquals={"sts:ExternalId": "${aws:TagKeys}"},
        ),
        "explicit_deny",
    ),
    "several-without-set-operator": (
        _unless({"aws:TagKeys": ["team", "cost"]}, StringEquals={"aws:TagKeys": ["other"]}),
        "explicit_deny",
    ),
    "number-prefix": (
        _only({"aws:CurrentTime": "2026-01-01T00:00:00Z"}, NumericLessThan={"aws:CurrentTime": "3000"}),
        "implicit_deny",
    ),
    "federated-caller": (
        _case(
            OIDC,
            "sts:AssumeRoleWithWebIdentity",
            identity=[],
            trust=_trust(_allow({"Federated": OIDC}, "sts:AssumeRoleWithWebIdentity")),
        ),
        "allowed",
    ),
    "service-in-china": (
        _case("ec2.amazonaws.com.cn", identity=[], trust=_trust(_allow({"Service": "ec2.amazonaws.com.cn"}))),
        "allowed",
    ),
    "federated-user-by-name": (
        _case(f"arn:aws:sts::{OWNER}:federated-user/dev", trust=_trust(_allow())),
        "implicit_deny",
    ),
    "account-in-other-partition": (
        _case(identity=[ANYTHING_ALLOWED], trust=_trust(_allow({"AWS": f"arn:aws-cn:iam::{OWNER}:root"}))),
        "implicit_deny",
    ),
    "root-user": (
        _case(f"arn:aws:iam::{OWNER}:root", identity=[], trust=_trust(_allow({"AWS": f"arn:aws:iam::{OWNER}:root"}))),
        "allowed",
    ),
    "session-named-by-resource": (
        _case(SESSION, identity=[], session=NOTHING_ALLOWED, trust=_trust(_allow({"AWS": SESSION}))),
        "allowed",
    ),
    "half-listed-in-notprincipal": (
        _case(
            action="s3:GetObject",
            identity=[ANYTHING_ALLOWED],
            resource=_trust(
                {
                    "Effect": "Deny",
                    "NotPrincipal": {"AWS": DEV},
                    "Action": "s3:GetObject",
                    "Resource": "*",
                }
            ),
        ),
        "explicit_deny",
    ),
    "unique-id": (
        _case(context={"aws:userid": "AIDAEXAMPLEEXAMPLE123"}, trust=_trust(_allow({"AWS": "AIDAEXAMPLEEXAMPLE123"}))),
        "allowed",
    ),
    "role-name-case": (
        _case(SESSION, trust=_trust(_allow({"AWS": f"arn:aws:iam::{OWNER}:role/Dev"}))),
        "implicit_deny",
    ),
}
