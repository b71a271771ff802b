"""Texts that are equal but for case: of A to Z for certain, of other letters by some way of ignoring case."""

from __future__ import annotations

import pytest

from valetkey.policy.conditions import DOUBT, Fit, same_ignoring_case
from valetkey.policy.letter_case import fold, loose, spellings


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("AZaz09@[`{", "azAZ09@[`{", True),
        ("@", "`", False),  # the neighbours of A to Z in ASCII
        ("[", "{", False),
        ("@\u00e4", "`\u00e4", False),
        ("[\u00e4", "{\u00e4", False),
        ("a", "b", False),
        ("\u00c4Z", "\u00c4z", True),
        ("\u00c4", "\u00e4", DOUBT),
        ("k", "\u212a", DOUBT),
        ("\u212a", "K", DOUBT),
        ("ss", "\u00df", DOUBT),
        ("i", "\u0130", DOUBT),
        ("i", "\u0131", DOUBT),
        ("fi", "\ufb01", DOUBT),
        ("\u00e4", "\u00f6", False),
        ("k", "\u00e4", False),
    ],
)
def test_two_texts(one: str, other: str, same: Fit) -> None:
    assert same_ignoring_case(one, other) == same_ignoring_case(other, one) == same
    assert (fold(one) == fold(other)) is (same is True)
    assert (loose(one) == loose(other)) is bool(same)


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("", []),
        ("abc", []),
        ("aka", ["a\u212aa"]),
        ("KIM", ["\u212aIM", "K\u0131M", "K\u0130M"]),
        ("as", ["a\u017f"]),
        ("ss", ["\u017fs", "\u00df", "\u1e9e", "s\u017f"]),
        ("ffl", ["\ufb04", "\ufb00l", "f\ufb02"]),
        ("xst", ["x\u017ft", "x\ufb05", "x\ufb06"]),
        ("\u00e4a", ["\u00c4a"]),
        ("a\u00c4", ["a\u00e4"]),
        ("\u00df", ["SS", "ss"]),
        ("\ufb01", ["FI", "fi"]),
        ("k\u0130", ["ki\u0307"]),
    ],
)
def test_the_spellings_that_are_alike(text: str, others: list[str]) -> None:
    assert list(spellings(text)) == others
