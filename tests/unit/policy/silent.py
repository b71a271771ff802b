"""Everything that AWS does not document, one trust policy (or identity policy) for each form and both effects.

`CASES[name]` is the form's name, the document, and a request on whose answer the form decides.
"""

from __future__ import annotations

from typing import Any, NamedTuple

OWNER, THEM = "111111111111", "222222222222"
ROLE = f"arn:aws:iam::{OWNER}:role/door"
BOB = f"arn:aws:iam::{THEM}:user/bob"
EXT, MFA, ACCOUNT, ARN = "sts:ExternalId", "aws:MultiFactorAuthPresent", "aws:PrincipalAccount", "aws:PrincipalArn"
TEAM, TAGS = "aws:PrincipalTag/team", "aws:TagKeys"


class Case(NamedTuple):
    form: str
    statements: list[dict[str, Any]]
    context: dict[str, Any]
    kind: Any = "trust"

    @property
    def document(self) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Statement": self.statements}


def allow(condition: Any = None, **more: Any) -> dict[str, Any]:
    made = {"Effect": "Allow", "Principal": {"AWS": THEM}, "Action": "sts:AssumeRole"} | more
    return made | ({"Condition": condition} if condition else {})


def _allow(form: str, operator: str, key: str, values: Any, context: Any = None) -> Case:
    return Case(form, [allow({operator: {key: values}})], context or {})


def _deny(form: str, operator: str, key: str, values: Any, context: Any = None) -> Case:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Condition": {operator: {key: values}}}
    return Case(form, [allow(), deny], context or {})


_NOT_ACTION = {"Effect": "Deny", "Principal": "*", "NotAction": []}
_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
CASES: dict[str, Case] = {
    "empty StringNotEquals": _allow("no-values", "StringNotEquals", ACCOUNT, []),
    "empty StringEquals": _deny("no-values", "StringEquals", ACCOUNT, []),
    "empty ForAllValues": _allow("no-values", "ForAllValues:StringEquals", EXT, [], {EXT: "some-7f3c9d21"}),
    "empty ForAnyValue": _deny("no-values", "ForAnyValue:StringLike", EXT, [], {EXT: "some-7f3c9d21"}),
    "empty IfExists": _allow("no-values", "BoolIfExists", MFA, []),
    "empty Null": _deny("no-values", "Null", EXT, []),
    "empty NotAction in an Allow": Case(
        "empty-not", [{"Effect": "Allow", "Principal": {"AWS": THEM}, "NotAction": []}], {}
    ),
    "empty NotAction in a Deny": Case("empty-not", [allow(), _NOT_ACTION], {}),
    "empty NotResource": Case(
        "empty-not", [_ALL, {"Effect": "Deny", "Action": "*", "NotResource": []}], {}, "identity"
    ),
    "empty NotPrincipal": Case(
        "empty-not", [{"Effect": "Allow", "NotPrincipal": {"AWS": []}, "Action": "*", "Resource": "*"}], {}, "resource"
    ),
    "Bool and a variable": _deny("typed-variable", "Bool", MFA, "${aws:x}", {MFA: "true"}),
    "Bool and a variable, no key": _deny("typed-variable", "Bool", MFA, "${aws:x}"),
    "Numeric and a variable": _allow("typed-variable", "NumericLessThan", "aws:MultiFactorAuthAge", "${aws:x}"),
    "Date and a variable": _deny("typed-variable", "DateGreaterThan", "aws:CurrentTime", "${aws:x}"),
    "IpAddress and a variable": _allow("typed-variable", "NotIpAddress", "aws:SourceIp", ["10.0.0.0/8", "${aws:x}"]),
    "Binary and a variable": _deny("typed-variable", "BinaryEquals", "x:blob", "${aws:x}", {"x:blob": "QUJD"}),
    "no closing brace": _deny("broken-variable", "StringNotEquals", TEAM, "${aws:username", {TEAM: "a"}),
    "a variable without a name": _allow("broken-variable", "StringLike", EXT, "${}*", {EXT: "ab"}),
    "ArnNotLike with five parts": _allow("short-arn", "ArnNotLike", ARN, f"arn:aws:iam::{OWNER}"),
    "ArnLike with five parts": _deny("short-arn", "ArnLike", ARN, f"arn:aws:iam::{THEM}"),
    "ArnLike with a lone star": _allow("short-arn", "ArnLike", ARN, "*"),
    "ArnEquals with a lone star": _deny("short-arn", "ArnEquals", ARN, "*"),
    "NotIpAddress of no address": _allow("unreadable-value", "NotIpAddress", TEAM, "10.0.0.0/8", {TEAM: "zzz"}),
    "NumericNotEquals of no number": _deny("unreadable-value", "NumericNotEquals", TEAM, "5", {TEAM: "abc"}),
    "DateNotEquals of no date": _allow("unreadable-value", "DateNotEquals", TEAM, "2026-01-01", {TEAM: "soon"}),
    "ArnNotLike of no ARN": _deny("unreadable-value", "ArnNotLike", TEAM, "arn:aws:iam::*:user/*", {TEAM: "abc"}),
    "ForAnyValue and IfExists in an Allow": _allow("any-if-exists", "ForAnyValue:StringEqualsIfExists", EXT, "Id-7f3c"),
    "ForAnyValue and IfExists in a Deny": _deny("any-if-exists", "ForAnyValue:StringNotEqualsIfExists", EXT, "Id-7f3c"),
    "several values, positive": _deny("several-values", "StringEquals", TAGS, "a", {TAGS: ["b", "c"]}),
    "several values, negated": _allow("several-values", "StringNotLike", TAGS, "a", {TAGS: ["b", "c"]}),
    "a variable with several values": _deny(
        "several-in-variable", "StringEquals", TEAM, "${aws:TagKeys}", {TEAM: "a", TAGS: ["b", "c"]}
    ),
    "a variable with several values in Resource": Case(
        "several-in-variable",
        [_ALL, {"Effect": "Deny", "Action": "*", "Resource": "arn:aws:iam::*:role/${aws:TagKeys}"}],
        {TAGS: ["b", "c"]},
        "identity",
    ),
    "a variable without a value in NotResource": Case(
        "no-value-in-notresource",
        [{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::${aws:x}"}],
        {},
        "identity",
    ),
    "the Kelvin sign": _allow("other-letters", "StringEqualsIgnoreCase", TEAM, "kelvin", {TEAM: "\u212aelvin"}),
    "the long s": _deny("other-letters", "StringEqualsIgnoreCase", TEAM, "sales", {TEAM: "\u017fales"}),
    "another alphabet": _deny("other-letters", "StringEqualsIgnoreCase", TEAM, "\u00e4rzte", {TEAM: "\u00c4rzte"}),
}
TRUSTS = {name: case for name, case in CASES.items() if case.kind == "trust"}
EXPOSURES = {
    "the Kelvin sign": "unguarded",
    "the long s": "unguarded",
    "another alphabet": "unguarded",
    "NotIpAddress of no address": "unguarded",
    "NumericNotEquals of no number": "unguarded",
    "DateNotEquals of no date": "unguarded",
    "ArnNotLike of no ARN": "unguarded",
    "several values, positive": "unguarded",
    "several values, negated": "unguarded",
}
"""Where the exposure does not hang on the form: others get in whatever AWS does. Every other is unknown."""
