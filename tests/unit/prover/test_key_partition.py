"""The kinds of values of a key: each told apart, by one well-formed value, and nothing left out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.prover.proving import trust

from valetkey.catalog.condition_keys import key_of
from valetkey.policy.conditions import compile_condition
from valetkey.policy.operands import read_date
from valetkey.policy.undecided import NotDecided
from valetkey.prover.boxes import Budget, Limits
from valetkey.prover.intervals import epoch, iso, moments
from valetkey.prover.key_partition import cells
from valetkey.prover.key_partition import test as prepared
from valetkey.prover.key_tests import Cell, KeyTest

YEAR_ONE = datetime(1, 1, 1, tzinfo=UTC)


def asked(key: str, *conditions: tuple[str, Any], deny: bool = False, version: str = "2012-10-17") -> list[KeyTest]:
    made = trust(*({"Condition": {operator: {key: value}}} for operator, value in conditions), version=version)
    return [KeyTest(statement.conditions[0], statement.variables, deny) for statement in made.statements]


def values(key: str, *conditions: tuple[str, Any]) -> list[Any]:
    return [cell.value for cell in cells(key.lower(), asked(key, *conditions), budget=Budget(Limits()))]


def test_texts() -> None:
    assert values("sts:ExternalId", ("StringEquals", "ab")) == [None, "ab", "another-id"]
    assert values("sts:ExternalId", ("StringEquals", "a"), ("StringLike", "a b*")) == [None, "another-id"]
    assert set(values("x:y", ("StringLike", "a*"), ("StringLike", "*b"))) == {
        None,
        "another",
        "b",
        "ab",
        "something-else",
    }
    assert "ä" in values("x:y", ("StringLike", "ä*"))


def test_truth_values() -> None:
    assert values("aws:MultiFactorAuthPresent", ("Bool", "true")) == [None, "true", "false"]
    assert values("aws:SecureTransport", ("Bool", "true")) == ["true", "false"]  # every request has it
    assert values("aws:MultiFactorAuthPresent", ("StringEquals", "true")) == [None, "true", "false"]
    assert set(values("x:y", ("Bool", "true"), ("StringEquals", "yes"))) == {None, "true", "yes", "something-else"}


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ([("NumericLessThan", "5")], ["0", "5", "6"]),
        ([("NumericEquals", "0")], ["0", "1"]),
        ([("NumericLessThan", "5"), ("NumericGreaterThan", "6")], ["0", "5", "6", "7"]),
        ([("NumericLessThan", "5"), ("NumericGreaterThan", "7")], ["0", "5", "6", "7", "8"]),
        ([("NumericLessThan", "-3"), ("NumericEquals", "2.5")], ["0", "3"]),
    ],
)
def test_whole_numbers(conditions: Any, found: list[str]) -> None:
    assert values("aws:MultiFactorAuthAge", *conditions)[1:] == found


def test_numbers_of_a_key_of_which_nothing_is_known() -> None:
    result = values("x:y", ("NumericLessThan", "5"), ("NumericGreaterThan", "6"))
    assert result == [None, "4", "5", "5.5", "6", "7", "something-else"]


def test_addresses_of_both_versions() -> None:
    from ipaddress import ip_address, ip_network

    result = [ip_address(value) for value in values("aws:SourceIp", ("IpAddress", ["10.0.0.0/8", "10.1.0.0/16"]))[1:]]
    for network, inner in (("10.0.0.0/8", "10.1.0.0/16"),):
        assert any(item in ip_network(inner) for item in result)
        assert any(item in ip_network(network) and item not in ip_network(inner) for item in result)
    assert any(item.version == 4 and item not in ip_network("10.0.0.0/8") for item in result)
    assert any(item.version == 6 for item in result)
    assert len(values("aws:SourceIp", ("IpAddress", ["0.0.0.0/0"]))) >= 3


def test_moments() -> None:
    made = asked("aws:CurrentTime", ("DateLessThan", "2026-01-01T00:00:00Z"), ("DateGreaterThan", "1767225601"))
    first, second = read_date("2026-01-01T00:00:00Z"), read_date("2026-01-01T00:00:01Z")
    assert first is not None
    assert second is not None
    result = [moment for moment, _ in moments(made, earliest=YEAR_ONE)]
    assert first in result
    assert second in result
    assert any(moment < first for moment in result)
    assert any(first < moment < second for moment in result)
    assert any(moment > second for moment in result)
    since = datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC)
    later = [moment for moment, _ in moments(made, since, earliest=YEAR_ONE)]
    assert min(later) == second
    assert any(moment > second for moment in later)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-01-01T00:00:00Z", "1767225600"),
        ("1970-01-01T00:00:00Z", "0"),
        ("1970-01-01T00:00:00.000001Z", "0.000001"),
        ("9999-12-31T23:59:59.999999Z", "253402300799.999999"),
    ],
)
def test_a_moment_is_written_as_it_is_read(text: str, seconds: str) -> None:
    moment = read_date(text)
    assert moment is not None
    assert iso(moment) == text
    assert epoch(moment) == seconds
    assert read_date(seconds) == moment


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00Z", "0500-06-01T00:00:00.500000Z", "1000-01-01T00:00:00Z", "1969-12-31T23:59:59Z"]
)
def test_a_date_of_any_year_is_written_as_it_is_read(text: str) -> None:
    moment = read_date(text)
    assert moment is not None
    assert iso(moment) == text


def test_where_the_calendar_ends_a_moment_is_written_in_seconds() -> None:
    end = read_date("253402300800")
    assert end is not None
    assert iso(end) == "253402300800"
    assert iso(end - 1) == "9999-12-31T23:59:59.999999Z"
    assert iso(end + 1) == "253402300800.000001"
    far = 10**17 * 1_000_000
    assert read_date(iso(far)) == far


NEW_YEAR, AFTER = "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"
EVER, NEVER = (None, None), datetime(1, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("conditions", "since", "found"),
    [
        ([], None, [("2025-01-01T00:00:00Z", EVER)]),
        ([("Null", "true")], None, [("2025-01-01T00:00:00Z", EVER)]),
        (
            [("DateLessThan", NEW_YEAR)],
            None,
            [
                ("2025-12-31T00:00:00Z", (None, NEW_YEAR)),
                (NEW_YEAR, (NEW_YEAR, NEW_YEAR)),
                ("2026-01-02T00:00:00Z", (NEW_YEAR, None)),
            ],
        ),
        (
            [("DateLessThan", NEW_YEAR), ("DateGreaterThan", AFTER)],
            None,
            [
                ("2025-12-31T00:00:00Z", (None, NEW_YEAR)),
                (NEW_YEAR, (NEW_YEAR, NEW_YEAR)),
                ("2026-01-01T00:00:00.500000Z", (NEW_YEAR, AFTER)),
                (AFTER, (AFTER, AFTER)),
                ("2026-01-02T00:00:01Z", (AFTER, None)),
            ],
        ),
        # Two microseconds apart there is one between, one apart there is none.
        (
            [("DateLessThan", NEW_YEAR), ("DateEquals", "2026-01-01T00:00:00.000002Z")],
            datetime(2026, 1, 1, tzinfo=UTC),
            [
                (NEW_YEAR, (NEW_YEAR, NEW_YEAR)),
                ("2026-01-01T00:00:00.000001Z", (NEW_YEAR, "2026-01-01T00:00:00.000002Z")),
                ("2026-01-01T00:00:00.000002Z",) * 1 + (("2026-01-01T00:00:00.000002Z",) * 2,),
                ("2026-01-02T00:00:00Z", ("2026-01-01T00:00:00.000002Z", None)),
            ],
        ),
        (
            [("NumericLessThan", "1767225600.0000001")],
            datetime(2026, 1, 1, tzinfo=UTC),
            [
                (NEW_YEAR, (NEW_YEAR, NEW_YEAR)),
                ("2026-01-01T00:00:00.000001Z", ("2026-01-01T00:00:00.000001Z",) * 2),
                ("2026-01-02T00:00:00Z", ("2026-01-01T00:00:00.000001Z", None)),
            ],
        ),
        # From a moment on.
        (
            [("DateLessThan", NEW_YEAR)],
            datetime(2025, 1, 1, tzinfo=UTC),
            [
                ("2025-01-01T00:00:00Z", (None, NEW_YEAR)),
                (NEW_YEAR, (NEW_YEAR, NEW_YEAR)),
                ("2026-01-02T00:00:00Z", (NEW_YEAR, None)),
            ],
        ),
        (
            [("DateLessThan", NEW_YEAR)],
            datetime(2026, 1, 1, tzinfo=UTC),
            [(NEW_YEAR, (NEW_YEAR, NEW_YEAR)), ("2026-01-02T00:00:00Z", (NEW_YEAR, None))],
        ),
        ([("DateLessThan", NEW_YEAR)], datetime(2027, 1, 1, tzinfo=UTC), [("2027-01-01T23:59:59Z", (NEW_YEAR, None))]),
        (
            [("DateLessThan", "2026-01-01T00:00:00.500000Z")],
            datetime(2026, 1, 1, tzinfo=UTC),
            [
                (NEW_YEAR, (None, "2026-01-01T00:00:00.500000Z")),
                ("2026-01-01T00:00:00.500000Z", ("2026-01-01T00:00:00.500000Z",) * 2),
                ("2026-01-02T00:00:00Z", ("2026-01-01T00:00:00.500000Z", None)),
            ],
        ),
        # None before the first date that there is.
        (
            [("DateLessThan", "0001-01-01")],
            None,
            [
                ("0001-01-01T00:00:00Z", ("0001-01-01T00:00:00Z",) * 2),
                ("0001-01-02T00:00:00Z", ("0001-01-01T00:00:00Z", None)),
            ],
        ),
        (
            [("DateLessThan", "0001-01-01T12:00Z")],
            None,
            [
                ("0001-01-01T00:00:00Z", (None, "0001-01-01T12:00:00Z")),
                ("0001-01-01T12:00:00Z", ("0001-01-01T12:00:00Z",) * 2),
                ("0001-01-02T12:00:00Z", ("0001-01-01T12:00:00Z", None)),
            ],
        ),
    ],
)
def test_one_moment_of_every_interval(conditions: Any, since: datetime | None, found: Any) -> None:
    made = moments(asked("aws:CurrentTime", *conditions), since, earliest=NEVER)
    assert [(iso(moment), span) for moment, span in made] == found


def test_no_call_came_before_1970() -> None:
    made = moments(asked("aws:CurrentTime", ("DateLessThan", "1960-01-01")), earliest=datetime(1970, 1, 1, tzinfo=UTC))
    assert [(iso(moment), span) for moment, span in made] == [("1970-01-01T23:59:59Z", ("1960-01-01T00:00:00Z", None))]


@pytest.mark.parametrize(
    "condition", [("StringEquals", "x"), ("Bool", "true"), ("IpAddress", "::1"), ("BinaryEquals", "")]
)
def test_a_moment_compared_as_something_else_is_not_decided(condition: tuple[str, str]) -> None:
    with pytest.raises(NotDecided, match="aws:CurrentTime is a moment, and is compared as "):
        moments(asked("aws:CurrentTime", condition), earliest=NEVER)


def cut(key: str, *conditions: tuple[str, Any]) -> list[tuple[Any, Any]]:
    """The cells of a key, with their intervals."""
    return [tuple(cell) for cell in cells(key.lower(), asked(key, *conditions), budget=Budget(Limits()))]


def test_numbers_with_their_intervals() -> None:
    assert cut("x:y", ("NumericLessThan", "5"), ("NumericGreaterThan", "6.5")) == [
        (None, None),
        ("4", (None, "5")),
        ("5", ("5", "5")),
        ("5.75", ("5", "6.5")),
        ("6.5", ("6.5", "6.5")),
        ("7.5", ("6.5", None)),
        ("something-else", None),
    ]
    age = "aws:MultiFactorAuthAge"
    assert cut(age, ("NumericLessThan", "5"), ("NumericGreaterThan", "6")) == [
        (None, None),
        ("0", (None, "5")),
        ("5", ("5", "5")),
        ("6", ("6", "6")),
        ("7", ("6", None)),
    ]
    assert cut(age, ("NumericLessThan", "-3"), ("NumericEquals", "2.5")) == [
        (None, None),
        ("0", ("-3", "2.5")),
        ("3", ("2.5", None)),
    ]
    assert cut(age, ("NumericLessThan", "0")) == [(None, None), ("0", ("0", "0")), ("1", ("0", None))]
    assert cut(age, ("NumericLessThan", "1")) == [
        (None, None),
        ("0", (None, "1")),
        ("1", ("1", "1")),
        ("2", ("1", None)),
    ]
    assert cut(age, ("StringLike", "*")) == [(None, None), ("0", EVER)]
    assert cut(age, ("StringEquals", "5")) == [(None, None), ("0", (None, "5")), ("5", ("5", "5")), ("6", ("5", None))]


def test_addresses_at_both_ends_of_their_ranges() -> None:
    assert values("aws:SourceIp", ("IpAddress", ["10.0.0.0/8", "2001:db8::/32"])) == [
        *(None, "0.0.0.0", "10.0.0.0", "11.0.0.0", "198.51.100.7"),
        *("::", "2001:db8::", "2001:db8::7", "2001:db9::"),
    ]
    assert values("aws:SourceIp", ("IpAddress", ["0.0.0.0/0", "::/0"])) == [
        *(None, "0.0.0.0", "198.51.100.7", "::", "2001:db8::7"),
    ]
    assert values("aws:SourceIp", ("NotIpAddress", "255.255.255.255")) == [
        *(None, "0.0.0.0", "198.51.100.7", "255.255.255.255", "::", "2001:db8::7"),
    ]
    assert values("x:y", ("IpAddress", "10.0.0.1"))[-1] == "something-else"


def test_bytes_dates_and_texts_of_a_key_of_which_nothing_is_known() -> None:
    assert values("x:y", ("BinaryEquals", ["YQ==", "b3Ro"])) == [None, "YQ==", "b3Ro", "b3Rob3Ro", "something-else"]
    assert values("x:y", ("BinaryEquals", "YQ==")) == [None, "YQ==", "b3Ro", "something-else"]
    assert cut("x:y", ("DateLessThan", "0")) == [
        (None, None),
        ("1969-12-31T00:00:00Z", (None, "1970-01-01T00:00:00Z")),
        ("1970-01-01T00:00:00Z", ("1970-01-01T00:00:00Z",) * 2),
        ("1970-01-02T00:00:00Z", ("1970-01-01T00:00:00Z", None)),
        ("something-else", None),
    ]
    assert values("x:y", ("StringEqualsIgnoreCase", "k")) == [None, "something-else", "k", "\u212a"]
    arns = ["arn:aws:sns:us-east-1:999988887777:another", "arn:aws:iam::1:a"]
    assert values("x:y", ("ArnLike", "arn:aws:iam::1:*")) == [None, *arns, "something-else"]
    for operator in ("ArnLike", "StringLike"):
        assert values("aws:SourceArn", (operator, "arn:aws:iam::1:*")) == [None, *arns]


def test_several_values_are_every_set_of_the_kinds() -> None:
    kinds = ("a", "something-else", "")
    for result in (
        values("aws:TagKeys", ("ForAllValues:StringEquals", "a")),
        values("x:y", ("ForAnyValue:StringEquals", "a")),
    ):
        assert result == [
            *(None, *kinds),
            *(("a", "a"), ("something-else", "something-else"), ("", "")),
            *(("a", "something-else"), ("a", ""), ("something-else", ""), kinds),
        ]
    assert values("x:y", ("StringEquals", "a")) == [None, "a", "something-else"]
    six = values("aws:TagKeys", ("ForAllValues:StringLike", ["a", "b", "c", "d*"]))
    assert len(six) == 1 + 6 + 2**6 - 1


@pytest.mark.parametrize(
    ("key", "conditions", "why"),
    [
        ("aws:CurrentTime", [("NumericEquals", "5")], "aws:currenttime is compared as number, and it is a date"),
        ("aws:SourceIp", [("StringEquals", "x")], "aws:sourceip is compared as text, and it is a address"),
        ("aws:SourceIp", [("NumericEquals", "5"), ("Bool", "true")],
         "aws:sourceip is compared as bool and as number, and it is a address"),
        ("aws:MultiFactorAuthAge", [("Bool", "true")],
         "aws:multifactorauthage is compared as bool, and it is a number"),
        ("aws:MultiFactorAuthAge", [("StringLike", "5*")],
         "aws:MultiFactorAuthAge is a number, and is compared with a pattern"),
        ("x:y", [("DateLessThan", "0"), ("NumericEquals", "5")], "x:y is compared as date and as number"),
        ("x:y", [("Bool", "true"), ("NumericEquals", "5")], "x:y is compared as bool and as number"),
        ("x:y", [("StringEquals", "5"), ("NumericEquals", "5")], "x:y is compared as number and as text"),
        ("sts:ExternalId", [("NumericEquals", "50")], "sts:externalid is compared as number"),
        ("x:y", [("StringEqualsIgnoreCase", "k"), ("StringLike", "a*")],
         "a key is compared ignoring case, and with a pattern"),
        ("aws:TagKeys", [("ForAllValues:StringLike", ["a", "b", "c", "d", "e*"])],
         "aws:tagkeys may have several values, and they fall into 7 classes"),
    ],
)  # fmt: skip
def test_what_is_not_decided_says_why(key: str, conditions: Any, why: str) -> None:
    with pytest.raises(NotDecided) as refusal:
        values(key, *conditions)
    assert str(refusal.value) == why


def test_several_values_in_every_combination() -> None:
    result = values("aws:TagKeys", ("ForAllValues:StringEquals", ["a", "b"]))
    assert result[0] is None
    tuples = {frozenset(item) for item in result if isinstance(item, tuple)}
    singles = [item for item in result if isinstance(item, str)]
    assert "" in singles  # no characters: no value for a set operator
    assert frozenset(singles) in tuples
    assert frozenset({"a", "b"}) in tuples
    assert any(isinstance(item, tuple) and len(set(item)) == 1 for item in result)


@pytest.mark.parametrize(
    ("key", "conditions"),
    [
        ("aws:CurrentTime", [("StringEquals", "2026-01-01T00:00:00Z")]),
        ("aws:SourceIp", [("StringLike", "10.*")]),
        ("aws:MultiFactorAuthAge", [("Bool", "true")]),
        ("aws:MultiFactorAuthAge", [("StringLike", "5*")]),
        ("x:y", [("NumericEquals", "5"), ("StringEquals", "5")]),
        ("sts:ExternalId", [("NumericEquals", "50")]),
        ("aws:TagKeys", [("ForAllValues:StringEquals", list("abcdefgh"))]),
    ],
)
def test_what_is_not_decided(key: str, conditions: Any) -> None:
    with pytest.raises(NotDecided):
        values(key, *conditions)


OPERATORS = ["StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike",
             "StringNotLike", "ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike"]  # fmt: skip
TEXTS = ["a", "A*", "*", "", "arn:aws:iam::*:user/a", "arn:aws:iam::1", "${aws:username}", "a${*}", "\u00c4", "K", "s",
         "\u212a", "${", "${aws:username, ''}"]  # fmt: skip


@pytest.mark.parametrize("suffix", ["", "IfExists"])
@pytest.mark.parametrize("prefix", ["", "ForAllValues:", "ForAnyValue:"])
def test_tests_agree_with_the_evaluators(prefix: str, suffix: str) -> None:
    """Written twice, and the same: for every operator, on every kind of value, and on none. Where AWS documents
    nothing, the evaluator's two readings differ and the prover's test is open."""
    contexts: list[Any] = [
        None,
        "",
        "a",
        "A",
        "aX",
        "a*",
        "arn:aws:iam::5:user/a",
        "arn:aws:iam::1",
        ("a", "b"),
        ("", "a"),
        "\u00e4",
        "k",
        "\u212a",
        "\u017f",
    ]
    numbers: list[Any] = [None, "5", "4", "x", "", ("4", "6"), ("5", "x")]
    cases: list[tuple[str, list[str], list[Any]]] = [(name, [text], contexts) for name in OPERATORS for text in TEXTS]
    cases += [(name, ["a", "arn:aws:iam::*:*"], contexts) for name in OPERATORS]
    cases += [(f"Numeric{name}", ["5"], numbers) for name in ("Equals", "NotEquals", "LessThan", "GreaterThanEquals")]
    cases += [("IpAddress", ["10.0.0.0/8"], [None, "10.1.1.1", "11.1.1.1", "::1", "x", ("10.1.1.1", "x")])]
    cases += [("NotIpAddress", ["10.0.0.0/8"], [None, "10.1.1.1", "11.1.1.1", "::1", "x", ("10.1.1.1", "x")])]
    cases += [("Bool", ["true"], [None, "true", "TRUE", "false", "x", ("true", "false")])]
    cases += [("DateLessThan", ["2026-01-01"], [None, "2025-01-01", "1767225600", "x"])]
    cases += [("BinaryEquals", ["YQ=="], [None, "YQ==", "YR==", "%", "Yg=="])]
    cases += [("StringEquals", [], contexts), ("StringNotEquals", [], contexts)]
    for name, wanted, several in cases:
        (one,) = asked("x:y", (f"{prefix}{name}{suffix}", wanted))
        narrow, wide = (compile_condition(one.condition, unsure=unsure, variables=True) for unsure in (False, True))
        mine, exact = prepared(one, frozenset({"x:y", "aws:username"}))
        assert exact is (
            not any("${aws" in item for item in wanted)
            or not name.startswith(("Arn", "StringEqualsI", "StringNotEqualsI"))
        )
        if not exact:
            continue
        for value in several:
            for user in ({}, {"aws:username": "a"}, {"aws:username": ("a", "b")}):
                keys = user | ({"x:y": value} if value is not None else {})
                right = {(False, False): False, (True, True): True, (False, True): None}[narrow(keys), wide(keys)]
                assert mine(keys) is right, (one.condition.name, wanted, keys)


@pytest.mark.parametrize(
    ("condition", "keys", "answer", "decided"),
    [
        (("Null", "true"), {}, True, True),
        (("Null", "true"), {"x:y": "1"}, False, True),
        (("Null", "FALSE"), {"x:y": ("1", "2")}, True, True),
        (("Null", ["true", "false"]), {}, True, True),
        (("StringEquals", []), {"x:y": "1"}, None, True),
        (("StringEquals", "1"), {"x:y": "1"}, True, True),
        (("StringEquals", "${aws:username}"), {"x:y": "1"}, None, False),
        (("StringLike", "a${aws:username}"), {"x:y": "1"}, None, False),
        (("ForAnyValue:StringEqualsIfExists", "1"), {}, None, True),
        (("ForAnyValue:StringEquals", "1"), {}, False, True),
        (("ForAllValues:StringEquals", "1"), {}, True, True),
    ],
)
def test_whether_a_test_is_decided(condition: tuple[str, Any], keys: Any, answer: bool | None, decided: bool) -> None:
    (one,) = asked("x:y", condition)
    holds, exact = prepared(one, frozenset({"x:y"}))
    assert (holds(keys), exact) == (answer, decided)


def test_what_is_known_of_keys() -> None:
    assert key_of("aws:currenttime").always
    assert key_of("cognito-identity.amazonaws.com:amr").many
    assert key_of("x:y").type == "text"
    assert Cell("a").span is None
