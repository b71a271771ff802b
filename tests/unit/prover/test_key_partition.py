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
from valetkey.prover.key_tests import Asked, Cell


def asked(key: str, *conditions: tuple[str, Any], deny: bool = False, version: str = "2012-10-17") -> list[Asked]:
    made = trust(*({"Condition": {operator: {key: value}}} for operator, value in conditions), version=version)
    return [Asked(each.conditions[0], each.variables, deny) for each in made.statements]


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
    found = values("x:y", ("NumericLessThan", "5"), ("NumericGreaterThan", "6"))
    assert found == [None, "4", "5", "5.5", "6", "7", "something-else"]


def test_addresses_of_both_versions() -> None:
    from ipaddress import ip_address, ip_network

    found = [ip_address(each) for each in values("aws:SourceIp", ("IpAddress", ["10.0.0.0/8", "10.1.0.0/16"]))[1:]]
    for network, inner in (("10.0.0.0/8", "10.1.0.0/16"),):
        assert any(each in ip_network(inner) for each in found)
        assert any(each in ip_network(network) and each not in ip_network(inner) for each in found)
    assert any(each.version == 4 and each not in ip_network("10.0.0.0/8") for each in found)
    assert any(each.version == 6 for each in found)
    assert len(values("aws:SourceIp", ("IpAddress", ["0.0.0.0/0"]))) >= 3


def test_moments() -> None:
    made = asked("aws:CurrentTime", ("DateLessThan", "2026-01-01T00:00:00Z"), ("DateGreaterThan", "1767225601"))
    first, second = read_date("2026-01-01T00:00:00Z"), read_date("2026-01-01T00:00:01Z")
    assert first is not None
    assert second is not None
    found = [moment for moment, _ in moments(made)]
    assert first in found
    assert second in found
    assert any(moment < first for moment in found)
    assert any(first < moment < second for moment in found)
    assert any(moment > second for moment in found)
    since = datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC)
    later = [moment for moment, _ in moments(made, since)]
    assert min(later) == second
    assert any(moment > second for moment in later)


@pytest.mark.parametrize("text", ["2026-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
def test_a_moment_is_written_as_it_is_read(text: str) -> None:
    moment = read_date(text)
    assert moment is not None
    assert iso(moment) == text
    assert read_date(epoch(text)) == moment
    far = 10**17 * 1_000_000
    assert read_date(iso(far)) == far


def test_several_values_in_every_combination() -> None:
    found = values("aws:TagKeys", ("ForAllValues:StringEquals", ["a", "b"]))
    assert found[0] is None
    tuples = {frozenset(each) for each in found if isinstance(each, tuple)}
    singles = [each for each in found if isinstance(each, str)]
    assert "" in singles  # no characters: no value for a set operator
    assert frozenset(singles) in tuples
    assert frozenset({"a", "b"}) in tuples
    assert any(isinstance(each, tuple) and len(set(each)) == 1 for each in found)


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
            not any("${aws" in each for each in wanted)
            or not name.startswith(("Arn", "StringEqualsI", "StringNotEqualsI"))
        )
        if not exact:
            continue
        for value in several:
            for user in ({}, {"aws:username": "a"}, {"aws:username": ("a", "b")}):
                keys = user | ({"x:y": value} if value is not None else {})
                right = {(False, False): False, (True, True): True, (False, True): None}[narrow(keys), wide(keys)]
                assert mine(keys) is right, (one.condition.name, wanted, keys)


def test_what_is_known_of_keys() -> None:
    assert key_of("aws:currenttime").always
    assert key_of("cognito-identity.amazonaws.com:amr").many
    assert key_of("x:y").type == "text"
    assert Cell("a").span is None
