"""The index over a key's values says what `key_partition.test` says of each of them."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.prover.test_key_partition import asked

from valetkey.prover.key_partition import test as prepared
from valetkey.prover.value_index import ValueIndex

ARNS = st.sampled_from(
    ["arn:aws:iam::1:role/a", "arn:aws:iam::1:role/ab", "arn:aws:iam::2:user/a", "arn:aws:sts::1:assumed-role/a/b", "x"]
)
ARN_PATTERNS = st.sampled_from(
    ["arn:aws:iam::1:role/a", "arn:aws:iam::*:role/a*", "arn:*:role/*", "*", "arn:aws:iam::?:user/?", "arn:aws:*", "x*"]
)
TEXTS = st.text("aB-", max_size=4)
TEXT_PATTERNS = st.text("aB-*?", max_size=4) | st.sampled_from(["${aws:username}", "a${*}", "${aws:x, 'a'}"])
TEXT_OPERATORS = [
    f"{prefix}String{name}{end}"
    for prefix in ("", "ForAnyValue:", "ForAllValues:")
    for name in ("Equals", "NotEquals", "Like", "NotLike", "EqualsIgnoreCase", "NotEqualsIgnoreCase")
    for end in ("", "IfExists")
]
ARN_OPERATORS = [f"Arn{name}{end}" for name in ("Equals", "NotEquals", "Like", "NotLike") for end in ("", "IfExists")]


def _same(operator: str, wanted: list[str], values: list[Any], deny: bool) -> None:
    points = [{} if value is None else {"x:y": value} for value in values]
    (one,) = asked("x:y", (operator, wanted), deny=deny)
    answer = ValueIndex("x:y", points).answer(one)
    if answer is None:
        return
    holds, exact = prepared(one, frozenset({"x:y"}))
    assert exact
    told = [holds(point) for point in points]
    assert None not in told
    assert [bool(answer >> place & 1) for place in range(len(points))] == told


@given(
    st.sampled_from(TEXT_OPERATORS),
    st.lists(TEXT_PATTERNS, max_size=3),
    st.lists(st.none() | TEXTS | st.tuples(TEXTS, TEXTS), max_size=5),
    st.booleans(),
)
def test_texts(operator: str, wanted: list[str], values: list[Any], deny: bool) -> None:
    _same(operator, wanted, values, deny)


@given(
    st.sampled_from(ARN_OPERATORS),
    st.lists(ARN_PATTERNS, min_size=1, max_size=3),
    st.lists(st.none() | ARNS, max_size=5),
    st.booleans(),
)
def test_arns(operator: str, wanted: list[str], values: list[Any], deny: bool) -> None:
    _same(operator, wanted, values, deny)


def test_the_usual_tests_are_answered_by_it() -> None:
    for operator in ("StringEquals", "StringNotLikeIfExists", "StringLike"):
        (one,) = asked("x:y", (operator, ["a*", "b"]))
        assert ValueIndex("x:y", [{}, {"x:y": "ab"}]).answer(one) is not None
    (one,) = asked("x:y", ("ArnLike", "arn:aws:iam::*:role/a*"))
    index = ValueIndex("x:y", [{}, {"x:y": "arn:aws:iam::1:role/ab"}, {"x:y": "arn:aws:iam::1:role/b"}])
    assert index.answer(one) == 0b010
