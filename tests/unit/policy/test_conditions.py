"""Every operator on values at its edges. The traps hold the rules about missing keys and several values."""

from __future__ import annotations

from typing import Any

import pytest

from valetkey.policy import Request, decide, parse_policy
from valetkey.policy.conditions import Condition, compile_condition
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


class Table:
    """AWS's rules on missing keys and several values, written down as the pages have them (not as the evaluator has
    them). `fits` says which values fit; None of an answer is what AWS does not document."""

    def __init__(self, fits: frozenset[str], *, negated: bool, if_exists: bool, set_operator: str) -> None:
        self.fits, self.negated, self.if_exists, self.set_operator = fits, negated, if_exists, set_operator

    def one(self, value: str) -> bool:
        return (value in self.fits) is not self.negated

    def answer(self, sent: str | tuple[str, ...] | None) -> bool | None:
        if self.set_operator:
            every = self.set_operator == "ForAllValues"
            if sent is None and not every:
                return None if self.if_exists else False  # documented in two ways
            values = (sent,) if isinstance(sent, str) else sent or ()
            if not any(values):  # the null set
                return every
            return (all if every else any)(map(self.one, values))
        if sent is None:
            return self.negated or self.if_exists
        return self.one(sent) if isinstance(sent, str) else None


SENT: list[str | tuple[str, ...] | None] = [
    None, "", "a", "b", "c", ("a", "b"), ("a", "c"), ("c", "d"), ("", ""), ("", "a"), ("", "c"),
]  # fmt: skip


@pytest.mark.parametrize("set_operator", ["", "ForAllValues", "ForAnyValue"])
@pytest.mark.parametrize("if_exists", [False, True])
@pytest.mark.parametrize(
    ("operator", "values", "fits"),
    [
        ("StringEquals", ("a", "b"), {"a", "b"}),
        ("StringEquals", ("a", "${x:b}"), {"a", "b"}),
        ("StringNotEquals", ("a", "b"), {"a", "b"}),
        ("StringLike", ("[ab]", "a*", "?", "z"), {"a", "b", "c", "d"}),
        ("StringNotLike", ("a*", "b"), {"a", "b"}),
        ("StringEqualsIgnoreCase", ("A", "B"), {"a", "b"}),
        ("StringNotEqualsIgnoreCase", ("A", "${x:B}"), {"a", "b"}),
    ],
)
def test_missing_keys_and_several_values(
    operator: str, values: tuple[str, ...], fits: set[str], *, if_exists: bool, set_operator: str
) -> None:
    row = OPERATORS[operator.lower()]
    rules = Table(frozenset(fits), negated=row.negated, if_exists=if_exists, set_operator=set_operator)
    given: Any = set_operator or None
    condition = Condition(row, given, if_exists, "X:Y", values, "$")
    strict = compile_condition(condition, unsure=False, variables=True)
    wide = compile_condition(condition, unsure=True, variables=True)
    for sent in SENT:
        keys: dict[str, str | tuple[str, ...]] = {"x:b": "b"} | ({} if sent is None else {"x:y": sent})
        answer = rules.answer(sent)
        assert (strict(keys), wide(keys)) == ((answer, answer) if answer is not None else (False, True)), sent


@pytest.mark.parametrize(
    ("values", "keys", "answer"),
    [
        (("true",), {}, True),
        (("true",), {"x:y": "1"}, False),
        (("TRUE",), {"x:y": ("1", "2")}, False),
        (("false",), {}, False),
        (("false",), {"x:y": ""}, True),
        (("true", "false"), {}, True),
        (("true", "false"), {"x:y": "1"}, True),
    ],
)
def test_null_asks_whether_the_key_is_there(values: tuple[str, ...], keys: dict[str, Any], answer: bool) -> None:
    for unsure in (False, True):
        condition = Condition(OPERATORS["null"], None, False, "X:Y", values, "$")
        assert compile_condition(condition, unsure=unsure, variables=True)(keys) is answer


OPEN, OPEN_DENY = "open", "open when negated"


@pytest.mark.parametrize(
    ("operator", "values", "sent", "fits"),
    [
        # What a variable without a value or with several ones means, beside a value that fits.
        ("StringEquals", ("a", "${x:none}"), "a", True),
        ("StringEquals", ("a", "${x:none}"), "b", False),
        ("StringEquals", ("a", "${x:two}"), "a", True),
        ("StringEquals", ("a", "${x:two}"), "b", OPEN),
        ("StringEquals", ("${x:two}", "${x:b}"), "b", True),
        ("StringEquals", ("${x:none}", "${x:b}"), "b", True),
        ("StringEquals", ("${x:two}", "${x:none}"), "b", OPEN),
        ("StringEquals", ("${x:none}", "${x:two}"), "b", OPEN),
        ("StringEquals", ("x${x:b}",), "xb", True),
        ("StringEquals", ("*${x:b}",), "xb", False),
        ("StringLike", ("*${x:b}",), "xb", True),
        ("StringLike", ("*${x:b}", "x"), "xc", False),
        ("StringLike", ("*${x:two}", "x*"), "xb", True),
        ("StringLike", ("*${x:two}", "y*"), "xb", OPEN),
        ("StringEqualsIgnoreCase", ("${x:b}",), "B", True),
        ("StringEqualsIgnoreCase", ("${x:two}",), "B", OPEN),
        ("StringEqualsIgnoreCase", ("${x:k}",), "\u212a", OPEN),
        ("StringEqualsIgnoreCase", ("${x:k}", "\u212a"), "\u212a", True),
        ("StringEqualsIgnoreCase", ("k",), "\u212a", OPEN),
        ("StringEqualsIgnoreCase", ("\u212a",), "K", OPEN),
        ("StringEqualsIgnoreCase", ("\u212a", "k"), "K", True),
        ("StringEqualsIgnoreCase", ("k", "s"), "\u00e4", False),
        ("StringEqualsIgnoreCase", ("\u00e4", "${x:b}"), "c", False),
        # ARNs
        ("ArnLike", ("arn:aws:iam::*:user/b", "arn:*"), "arn:aws:iam::1:user/b", True),
        ("ArnLike", ("arn:*", "arn:aws:iam::*:user/b"), "arn:aws:iam::1:user/b", True),
        ("ArnLike", ("arn:*", "arn:aws:iam::*:user/b"), "arn:aws:iam::1:user/c", OPEN),
        ("ArnLike", ("arn:aws:iam::*:user/b",), "arn:aws:iam::1:user/c", False),
        ("ArnLike", ("arn:aws:iam::*:user/b",), "b", OPEN_DENY),
        ("ArnLike", ("arn:*",), "b", OPEN),
        ("ArnLike", ("${x:arn}",), "arn:aws:iam::1:user/b", True),
        ("ArnLike", ("${x:arn}",), "arn:aws:iam::1:user/c", False),
        ("ArnLike", ("${x:arn}",), "b", OPEN_DENY),
        ("ArnLike", ("${x:b}",), "arn:aws:iam::1:user/b", OPEN),
        ("ArnLike", ("${x:two}",), "arn:aws:iam::1:user/b", OPEN),
        ("ArnLike", ("${x:b}", "arn:aws:iam::1:user/b"), "arn:aws:iam::1:user/b", True),
        ("ArnLike", ("${x:none}", "${x:arn}"), "arn:aws:iam::1:user/b", True),
        # Values that the operator cannot read.
        ("NumericEquals", ("5",), "five", OPEN_DENY),
        ("NumericEquals", ("5", "6"), "6.0", True),
        ("NumericEquals", ("5", "6"), "7", False),
        ("DateEquals", ("1970-01-01",), "soon", OPEN_DENY),
        ("DateEquals", ("1970-01-01",), "0", True),
        ("IpAddress", ("10.0.0.0/8", "::1"), "host", OPEN_DENY),
        ("IpAddress", ("10.0.0.0/8", "::1"), "::1", True),
        ("IpAddress", ("10.0.0.0/8", "::/0"), "11.0.0.1", False),
        ("BinaryEquals", ("YQ==",), "YQ==", True),
        ("BinaryEquals", ("YQ==",), "Yg==", False),
        ("Bool", ("true",), "TRUE", True),
        ("Bool", ("true",), "x", False),
        # Values of the document that are none.
        ("Bool", ("${x:b}",), "b", OPEN),
        ("NumericEquals", ("5", "${x:b}"), "5", OPEN),
        ("StringEquals", ("a", "${"), "a", OPEN),
        ("StringEquals", (), "a", OPEN),
    ],
)  # fmt: skip
def test_whether_a_value_fits(operator: str, values: tuple[str, ...], sent: str, fits: bool | str) -> None:
    keys: dict[str, str | tuple[str, ...]] = {
        "x:y": sent, "x:b": "b", "x:k": "k", "x:two": ("b", "c"), "x:arn": "arn:aws:iam::1:user/b",
    }  # fmt: skip
    negations = {"StringEquals": "StringNotEquals", "StringLike": "StringNotLike", "ArnLike": "ArnNotLike",
                 "StringEqualsIgnoreCase": "StringNotEqualsIgnoreCase", "NumericEquals": "NumericNotEquals",
                 "DateEquals": "DateNotEquals", "IpAddress": "NotIpAddress"}  # fmt: skip
    for name in filter(None, (operator, negations.get(operator))):
        row = OPERATORS[name.lower()]
        for set_operator in (None, "ForAllValues", "ForAnyValue"):
            given: Any = set_operator
            condition = Condition(row, given, False, "x:y", values, "$")
            answers = tuple(compile_condition(condition, unsure=way, variables=True)(keys) for way in (False, True))
            if fits == OPEN or (fits == OPEN_DENY and row.negated):
                assert answers == (False, True), name
            else:
                assert answers == ((fits is True) is not row.negated,) * 2, name
