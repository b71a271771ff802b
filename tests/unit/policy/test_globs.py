"""Wildcards, with the two traps of an implementation: no regular expression, and `*` covers newlines."""

from __future__ import annotations

import pytest
from tests.steps import counted

from valetkey.policy.globs import matches


@pytest.mark.parametrize(
    ("pattern", "text", "answer"),
    [
        ("", "", True),
        ("", "a", False),
        ("a", "a", True),
        ("a", "A", False),
        ("*", "", True),
        ("*", "any\nthing", True),
        ("**", "", True),
        ("?", "", False),
        ("?", "a", True),
        ("?", "\n", True),
        ("a*", "ab", True),
        ("*b", "ab", True),
        ("a*b", "ab", True),
        ("ab*ba", "aba", False),
        ("ab*ba", "abba", True),
        ("a*b*c", "a-b-b-c", True),
        ("a*?b", "ab", False),
        ("a*?b", "a-b", True),
        ("?*?", "a", False),
        ("*?*", "a", True),
        ("*a?c*", "xxabcxx", True),
        ("*a?c*", "xxabxx", False),
        ("a.c", "abc", False),
        ("a+(b)", "a+(b)", True),
        ("[ab]", "a", False),
        ("a\\*", "a*", False),
        ("*\U0001f511?", "x\U0001f511y", True),
    ],
)
def test_a_pattern_fits_the_whole_text(pattern: str, text: str, answer: bool) -> None:
    assert matches(pattern, text) is answer


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("*a" * 7 + "*b", "a" * 60),
        ("*a" * 500_000 + "b", "a" * 1_000_000),
        ("*" + "?a" * 60_000 + "b*", "a" * 130_000),
        ("*?a" * 40_000 + "b", "a" * 100_000),
        ("?" * 1_000_000, "a" * 999_999),
        ("*" * 1_000_000 + "b", "a" * 1_000_000),
    ],
)
def test_a_hostile_pattern_is_decided_in_few_steps(pattern: str, text: str) -> None:
    found, steps = counted(lambda: matches(pattern, text))
    assert not found
    assert steps < 100 + 2 * (len(pattern) + len(text))
