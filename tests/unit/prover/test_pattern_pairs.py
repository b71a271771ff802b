"""Pairs of patterns, against trying every short text."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.policy.globs import matches
from valetkey.prover.pattern_pairs import covers, overlap

TEXTS = ["".join(item) for size in range(7) for item in itertools.product("ab", repeat=size)]
PATTERNS = st.text("ab*?", max_size=6)


def fitting(pattern: str) -> set[str]:
    return {text for text in TEXTS if matches(pattern, text)}


@given(PATTERNS, PATTERNS)
def test_patterns_overlap_where_a_text_fits_both(one: str, other: str) -> None:
    shared = fitting(one) & fitting(other)
    assert not shared or overlap(one, other)
    if len(one) + len(other) <= 6:  # then the shortest text that fits both is among the texts
        assert overlap(one, other) is bool(shared)


@given(PATTERNS, PATTERNS)
def test_a_pattern_that_covers_another_fits_all_its_texts(wide: str, narrow: str) -> None:
    assert not covers(wide, narrow) or fitting(narrow) <= fitting(wide)


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("abc", "a?c", True),
        ("a?c", "abc", True),
        ("a*c", "a?c", True),
        ("*b*", "a??", True),
        ("abd", "a?c", False),
        ("*bb*", "a?a", False),
    ],
)
def test_a_question_mark_is_any_character_at_its_place(one: str, other: str, shared: bool) -> None:
    assert overlap(one, other) is shared


@pytest.mark.parametrize(
    "resource", ["log-group:one", "log-group:one:log-stream:two", "log-group:one:*", "log-group:*:log-stream:a:b:c"]
)
def test_the_last_part_of_an_arn_may_hold_colons(resource: str) -> None:
    assert covers("arn:aws:logs:*:111111111111:log-group:*", f"arn:aws:logs:us-east-1:111111111111:{resource}")


B = "arn:aws:s3:::bucket"


@pytest.mark.parametrize(
    ("wide", "narrow", "covered"),
    [
        ("*", "x", True),
        ("*", "*", True),
        ("x", "*", False),
        ("x", "y", False),
        ("a*", "ab*", True),
        ("ab*", "a*", False),
        (B, B, True),
        (B, f"{B}/a", False),
        (f"{B}/*", f"{B}/a:b", True),
        (f"{B}/*", f"{B}/*/x", True),
        (f"{B}/*", f"{B}/?", True),
        (f"{B}/*/x", f"{B}/*", False),
        (f"{B}/?", f"{B}/a", True),
        (f"{B}/?", f"{B}/?", True),
        (f"{B}/?", f"{B}/*", False),
        (f"{B}/?*", f"{B}/ab", True),
        # A star at the very end reaches beyond colons, one inside a part does not.
        ("arn:*", B, True),
        ("arn:aws:s3*", f"{B}/a", True),
        ("arn:aws:s3*", "arn:aws:iam::1:x", False),
        ("arn:a*s:s3*", B, False),
        ("arn:aws:s3:*:*:b", "arn:aws:s3:x:y:b", True),
        ("arn:aws:s3:*:b", "arn:aws:s3:x:y:b", False),
        ("arn:aws:s3:::*/a", "arn:aws:s3:::b/a", True),
        # Variables are unsure, but for the signs that they spell.
        (f"{B}/${{a:b}}", f"{B}/x", False),
        (f"{B}/${{a:b}}*", f"{B}/x", False),
        (f"{B}/${{a:b}}", f"{B}/${{a:b}}", True),
        (f"{B}/${{$}}", f"{B}/$", True),
        (f"{B}/${{$}}", f"{B}/x", False),
        (f"{B}/${{*}}", f"{B}/*", False),
        (f"{B}/${{?}}", f"{B}/?", False),
        ("arn:aws:s3:::${*}/a", "arn:aws:s3:::*/a", False),
    ],
)
def test_whether_a_pattern_covers_another(wide: str, narrow: str, covered: bool) -> None:
    assert covers(wide, narrow) is covered


def test_overlap_is_the_same_both_ways_and_exact() -> None:
    patterns = ["".join(item) for size in range(4) for item in itertools.product("ab*?", repeat=size)]
    fits = {pattern: fitting(pattern) for pattern in patterns}
    for one, other in itertools.combinations_with_replacement(patterns, 2):
        shared = bool(fits[one] & fits[other])
        assert overlap(one, other) is overlap(other, one) is shared, (one, other)
        if covers(one, other):
            assert fits[other] <= fits[one], (one, other)
