"""Wildcards, with the two traps of an implementation: no regular expression, and `*` covers newlines."""

from __future__ import annotations

import itertools

import pytest
from tests.steps import counted

from valetkey.policy.globs import compiled, matches, wild


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
    result, steps = counted(lambda: matches(pattern, text))
    assert not result
    assert steps < 100 + 2 * (len(pattern) + len(text))


@pytest.mark.parametrize("place", [0, 1, 2, 63, 64, 1_000, 4_999, 5_000])
def test_a_piece_is_found_wherever_it_stands_in_a_long_text(place: int) -> None:
    """Long texts are searched otherwise than short ones."""
    text = f"s{'x' * place}a-b{'y' * (5_000 - place)}e"
    for pattern, answer in {
        "s*a?b*e": True,
        "*a?b*": True,
        "*?a?b?*": True,
        "s*a?c*e": False,
        "s*a?b*a?b*e": False,
        "s*b?a*e": False,
        "sa?b*e": place == 0,
        "s*a?be": place == 5_000,
        f"s{'?' * place}a?b*e": True,
        f"s{'?' * (place + 1)}a?b*e": False,
        f"s*a?b{'?' * (5_000 - place)}e": True,
    }.items():
        assert matches(pattern, text) is answer, pattern
    assert matches("s*a?b*a?b*e", text.replace("e", f"{'z' * place}a+be"))
    assert not matches("s*a?b*a?b*e", text.replace("a-b", "a-b+b"))


def test_every_pattern_against_every_short_text() -> None:
    """The rule itself, letter by letter."""

    def fits(pattern: str, text: str) -> bool:
        if not pattern:
            return not text
        if pattern[0] == "*":
            return any(fits(pattern[1:], text[at:]) for at in range(len(text) + 1))
        return bool(text) and pattern[0] in ("?", text[0]) and fits(pattern[1:], text[1:])

    texts = ["".join(item) for size in range(5) for item in itertools.product("ab", repeat=size)]
    patterns = ["".join(item) for size in range(6) for item in itertools.product("a*?", repeat=size)]
    for pattern in patterns:
        test = compiled(wild(pattern))
        assert [test(text) for text in texts] == [fits(pattern, text) for text in texts], pattern
