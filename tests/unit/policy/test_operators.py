"""The names of condition operators, taken apart."""

from __future__ import annotations

import itertools

import pytest

from valetkey.policy.conditions import Condition, compile_condition, matcher
from valetkey.policy.operators import OPERATOR_ROWS, OPERATORS, Comparison, Family, Operator, read_operator
from valetkey.policy.undecided import NotDecided


@pytest.mark.parametrize("row", OPERATOR_ROWS, ids=lambda row: row.name)
def test_every_name_is_read_in_any_case_with_its_prefix_and_ending(row: Operator) -> None:
    name = row.name
    assert read_operator(name) == read_operator(name.upper()) == (row, None, False)
    for prefix, set_operator in (("", None), ("ForAllValues", "ForAllValues"), ("forANYvalue", "ForAnyValue")):
        for ending in ("", "IfExists", "ifexists"):
            result = read_operator(f"{prefix}{':' if prefix else ''}{name}{ending}")
            bare = not prefix and not ending
            assert result == ((row, set_operator, bool(ending)) if bare or row.family is not Family.NULL else None)


@pytest.mark.parametrize(
    "name",
    ["", ":", "IfExists", "Equals", "ForAllValues:", ":StringEquals", "ForNoValue:StringEquals",
     "ForAllValues:ForAnyValue:StringEquals", "StringEqualsIfExistsIfExists", "StringEquals "],
)  # fmt: skip
def test_any_other_name_is_not_an_operator(name: str) -> None:
    assert read_operator(name) is None


@pytest.mark.parametrize("row", OPERATOR_ROWS, ids=lambda row: row.name)
def test_a_condition_is_spelt_as_aws_spells_it(row: Operator) -> None:
    name = row.name
    assert Condition(row, None, False, "a:b", (), "$").name == name
    assert Condition(row, "ForAnyValue", True, "a:b", (), "$").name == f"ForAnyValue:{name}IfExists"
    assert Condition(row, "ForAllValues", False, "a:b", (), "$").name == f"ForAllValues:{name}"
    assert OPERATORS[name.lower()] is row


_KNOWN = {(row.family, row.comparison) for row in OPERATOR_ROWS}
# An order of bytes is not AWS's, but bytes have one.
_READ = {Family.NUMBER, Family.DATE, Family.BYTES}
_ORDERS = {
    Comparison.EQUAL, Comparison.LESS, Comparison.LESS_OR_EQUAL, Comparison.GREATER, Comparison.GREATER_OR_EQUAL,
}  # fmt: skip
_TEXTS = {Comparison.EQUAL, Comparison.EQUAL_IGNORING_CASE, Comparison.LIKE}


@pytest.mark.parametrize(("family", "comparison"), list(itertools.product(Family, Comparison)))
def test_a_comparison_that_a_family_does_not_have_is_not_decided(family: Family, comparison: Comparison) -> None:
    row = Operator("Odd", family, comparison, "odd")
    decided = (
        (family, comparison) in _KNOWN
        or (family in _READ and comparison in _ORDERS)
        or (family is Family.TEXT and comparison in _TEXTS)
    )
    value = {Family.NUMBER: "1", Family.DATE: "1", Family.BYTES: "", Family.ADDRESS: "::1"}.get(family, "true")
    condition = Condition(row, None, False, "a:b", (value,), "$")
    if decided:
        compile_condition(condition, unsure=False, variables=False)
        return
    with pytest.raises(NotDecided, match="valetkey does not know the condition operator Odd"):
        compile_condition(condition, unsure=False, variables=False)
    with pytest.raises(NotDecided, match="valetkey does not know the condition operator Odd"):
        matcher(row)
