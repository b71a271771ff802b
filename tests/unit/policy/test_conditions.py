"""Every operator on values at its edges. The traps hold the rules about missing keys and several values."""

from __future__ import annotations

from typing import Any

import pytest

from valetkey.policy import Request, decide, parse_policy
from valetkey.policy.operators import OPERATORS

BOB = "arn:aws:iam::222222222222:user/bob"


def holds(operator: str, wanted: Any, sent: Any, *, effect: str = "Allow") -> bool:
    """Whether a statement with that one condition applies."""
    door = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
    tested = door | {"Effect": effect, "Condition": {operator: {"aws:x": wanted}}}
    statements = [tested] if effect == "Allow" else [door, tested]
    trust = parse_policy({"Version": "2012-10-17", "Statement": statements}, kind="trust")
    context = {} if sent is None else {"aws:x": sent}
    outcome = decide(Request(principal=BOB, action="sts:AssumeRole", context=context), trust=trust).outcome
    return outcome == ("allowed" if effect == "Allow" else "explicit_deny")


ROWS = [
    ("StringEquals", "a", "a", True),
    ("StringEquals", "a", "A", False),
    ("StringEquals", "a*", "ab", False),
    ("StringEquals", "", "", True),
    ("StringEquals", "é", "é", True),
    ("StringNotEquals", "a", "A", True),
    ("StringNotEquals", ["a", "b"], "b", False),
    ("StringNotEquals", "", "", False),
    ("StringEqualsIgnoreCase", "aBc", "AbC", True),
    ("StringEqualsIgnoreCase", "aBc", "AbCd", False),
    ("StringNotEqualsIgnoreCase", "aBc", "AbC", False),
    ("StringNotEqualsIgnoreCase", "aBc", "x", True),
    ("StringLike", "a*c", "abbc", True),
    ("StringLike", "a?c", "ac", False),
    ("StringLike", "*", "", True),
    ("StringLike", "A*", "abc", False),
    ("StringLike", ["x", "a*"], "abc", True),
    ("StringNotLike", "a*", "abc", False),
    ("StringNotLike", "a*", "bc", True),
    ("NumericEquals", "5", "5.0", True),
    ("NumericEquals", "0.1", "0.10", True),
    ("NumericEquals", "9007199254740993", "9007199254740992", False),
    ("NumericEquals", "1e3", "1000", True),
    ("NumericEquals", "5", "five", False),
    ("NumericEquals", "5", "", False),
    ("NumericEquals", "5", " 5", False),
    ("NumericEquals", "5", "5\n", False),
    ("NumericEquals", "5", "NaN", False),
    ("NumericEquals", "5", "\uff15", False),
    ("NumericEquals", "5", "5_", False),
    ("NumericEquals", "-0", "0", True),
    ("NumericNotEquals", "5", "5.0", False),
    ("NumericNotEquals", "5", "6", True),
    ("NumericNotEquals", ["5", "6"], "6", False),
    ("NumericLessThan", "5", "4.999999999999999999999", True),
    ("NumericLessThan", "5", "5", False),
    ("NumericLessThan", "-5", "-6", True),
    ("NumericLessThan", "5", "Infinity", False),
    ("NumericLessThan", "1" * 400, "9" * 399, True),
    ("NumericLessThan", "5", "-" + "9" * 10_000, False),
    ("NumericLessThan", ["1", "9"], "5", True),
    ("NumericLessThanEquals", "5", "5", True),
    ("NumericLessThanEquals", "5", "5.01", False),
    ("NumericGreaterThan", "5", "5", False),
    ("NumericGreaterThan", "5", "10", True),
    ("NumericGreaterThanEquals", "5", "5", True),
    ("NumericGreaterThanEquals", "5", "4", False),
    ("DateEquals", "2026-06-01T00:00:00Z", "2026-06-01", True),
    ("DateEquals", "2026-06-01T00:00:00Z", "2026-06-01T00:00Z", True),
    ("DateEquals", "2026-06-01T00:00:00Z", "2026-06-01T00:00:00.000Z", True),
    ("DateEquals", "2026-06-01T00:00:00Z", "2026-06-01T02:00:00+02:00", True),
    ("DateEquals", "2026-06-01T00:00:00Z", "2026-06-01T00:00:00", True),
    ("DateEquals", "0", "1970-01-01T00:00:00Z", True),
    ("DateEquals", "2026-06-01", "*", False),
    ("DateEquals", "2026-06-01", "2026-06-01T25:00:00Z", False),
    ("DateNotEquals", "2026-06-01", "2026-06-01T00:00:00Z", False),
    ("DateNotEquals", "2026-06-01", "2026-06-02", True),
    ("DateLessThan", "2026-06-01", "1969-12-31T23:59:59Z", True),
    ("DateLessThan", "9999-12-31", "0001-01-01", True),
    ("DateLessThanEquals", "2026-06-01", "2026-06-01T00:00:00.000001Z", False),
    ("DateGreaterThan", "2026-06-01", "2026-06-01T00:00:00.000001Z", True),
    ("DateGreaterThanEquals", "2026-06-01", "2026-05-31T23:59:59.999999Z", False),
    ("Bool", "true", "true", True),
    ("Bool", "true", "True", True),
    ("Bool", "true", "false", False),
    ("Bool", "true", "1", False),
    ("Bool", "false", "", False),
    ("Bool", "false", "false", True),
    ("Bool", ["true", "false"], "false", True),
    ("BinaryEquals", "aGVsbG8=", "aGVsbG8=", True),
    ("BinaryEquals", "aGVsbG8=", "aGVsbG4=", False),
    ("BinaryEquals", "aGVsbG8=", "hello", False),
    ("IpAddress", "192.0.2.0/24", "192.0.2.255", True),
    ("IpAddress", "192.0.2.0/24", "192.0.3.0", False),
    ("IpAddress", "192.0.2.77/24", "192.0.2.1", True),
    ("IpAddress", "192.0.2.0/24", "192.0.2.1/32", False),
    ("IpAddress", "192.0.2.0/24", "192.0.2", False),
    ("IpAddress", "192.0.2.0/24", "::ffff:192.0.2.1", False),
    ("IpAddress", "2001:db8::/32", "2001:db8::1%eth0", False),
    ("IpAddress", "2001:db8::1", "2001:0db8:0000::0001", True),
    ("IpAddress", ["10.0.0.0/8", "::1"], "::1", True),
    ("NotIpAddress", "192.0.2.0/24", "192.0.2.1", False),
    ("NotIpAddress", "192.0.2.0/24", "192.0.3.1", True),
    ("NotIpAddress", ["10.0.0.0/8", "::/0"], "::1", False),
    ("ArnEquals", "arn:aws:iam::*:user/b?b", BOB, True),
    ("ArnEquals", "arn:aws:iam::222222222222:user/bob", BOB, True),
    ("ArnEquals", "arn:aws:iam::222222222222:user/Bob", BOB, False),
    ("ArnLike", "arn:aws:*:*:*:user/*", BOB, True),
    ("ArnLike", "arn:aws:iam::2*:user/bob", BOB, True),
    ("ArnLike", BOB, "no arn", False),
    ("ArnLike", "arn:aws:*::${aws:PrincipalAccount}:user/${aws:username}", BOB, True),
    ("ArnLike", "arn:aws:*::${aws:PrincipalAccount}:user/${aws:username}", BOB + "by", False),
    ("ArnLike", "arn:aws:iam::${aws:SourceAccount}:user/bob", BOB, False),
    ("ArnEquals", "${aws:PrincipalArn}", BOB, True),
    ("ArnNotEquals", "arn:aws:iam::222222222222:user/bob", BOB, False),
    ("ArnNotEquals", "${aws:PrincipalArn}", BOB, False),
    ("ArnNotEquals", "arn:aws:iam::${aws:SourceAccount}:user/bob", BOB, True),
    ("ArnNotLike", "arn:aws:iam::222222222222:user/*", BOB, False),
    ("ArnNotLike", "arn:aws:iam::333333333333:*", BOB, True),
    ("Null", "true", None, True),
    ("Null", "true", "x", False),
    ("Null", False, "x", True),
    ("Null", ["true", "false"], "x", True),
    ("Null", "true", [], True),
]


def test_every_operator_has_rows() -> None:
    assert {row[0].lower() for row in ROWS} == set(OPERATORS)


@pytest.mark.parametrize(("operator", "wanted", "sent", "answer"), ROWS)
def test_an_operator(operator: str, wanted: Any, sent: Any, answer: bool) -> None:
    assert holds(operator, wanted, sent) is answer
    assert holds(operator, wanted, sent, effect="Deny") is answer
    if sent is not None and operator != "Null":
        assert holds(operator + "IfExists", wanted, sent) is answer
        if isinstance(sent, str) and sent:
            assert holds("ForAnyValue:" + operator, wanted, sent) is answer
            assert holds("ForAllValues:" + operator, wanted, [sent, sent]) is answer


@pytest.mark.parametrize(
    ("operator", "wanted", "sent"),
    [
        ("NotIpAddress", "10.0.0.0/8", "zzz"),
        ("NumericNotEquals", "5", "abc"),
        ("DateNotEquals", "2026-01-01", "soon"),
        ("ArnNotLike", "arn:aws:iam::222222222222:user/*", "no arn"),
        ("ArnNotEquals", BOB, ""),
        ("ArnNotEquals", "abc", BOB),
        ("ArnNotLike", ["arn:aws:iam::3*:user/*", "arn:aws"], BOB),
        ("ArnNotLike", "${aws:username}", BOB),
        ("ArnEquals", "*", BOB),
        ("ArnLike", "*", "no arn"),
        ("ArnNotLike", "*", BOB),
        ("ArnLike", "arn:*:user/bob", BOB),
        ("ArnLike", "arn:aws:iam:*:user/bob", BOB),
        ("ArnLike", "arn:aws:iam::222222222222", "arn:aws:iam::222222222222"),
        ("NumericEquals", "${aws:y}", "5"),
        ("DateLessThan", ["2030-01-01", "${aws:PrincipalTag/end}"], "2026-01-01"),
        ("Bool", "${aws:y}", "${aws:y}"),
        ("NotIpAddress", "${aws:y}", "10.0.0.1"),
        ("StringEquals", [], "x"),
        ("StringNotEquals", [], "x"),
        ("StringEqualsIgnoreCase", "kelvin", "\u212aelvin"),
        ("StringNotEqualsIgnoreCase", "\u00c4", "\u00e4"),
        ("StringEqualsIgnoreCase", "strasse", "stra\u00dfe"),
        ("StringEquals", "${", "${"),
        ("StringNotLike", "a${aws:y", "b"),
        ("StringEquals", "a", ["a", "b"]),
        ("StringNotEquals", "c", ["a", "b"]),
    ],
)
def test_what_aws_leaves_open_is_read_so_that_nobody_gets_in(operator: str, wanted: Any, sent: Any) -> None:
    assert not holds(operator, wanted, sent)
    assert holds(operator, wanted, sent, effect="Deny")


def test_a_set_operator_on_a_malformed_value() -> None:
    assert not holds("ForAllValues:NumericNotEquals", "5", ["6", "abc"])
    assert holds("ForAllValues:NumericNotEquals", "5", ["6", "abc"], effect="Deny")
    assert not holds("ForAnyValue:NumericNotEquals", "5", ["5", "abc"])
    assert holds("ForAnyValue:NumericNotEquals", "5", ["6", "abc"])
