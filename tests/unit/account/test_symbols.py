"""What is known of a value that is not known."""

from __future__ import annotations

import json
import random
import re
import warnings

import pytest

from valetkey.account.symbols import filled, mark, may_be, narrowest, never_wild
from valetkey.account.values import OpenDocument, Symbol

WILD = ("*", "?", "$", "a*", "*a", "aa*", "a?", "1*", "**", "??", "*?", "aaa*")


@pytest.mark.parametrize(
    "pattern",
    [
        "[A-Za-z0-9-]+",
        "^[0-9]{12}$",
        r"^\d{12}$",
        r"[\w+=,.@:\/-]*",
        r"^arn:aws:iam::[0-9]{12}:role/[\w+=,.@-]+$",
        "(a|b)?",
        "^$|^[0-9]{12}$",
    ],
)
def test_patterns_of_plain_characters_allow_no_wildcard(pattern):
    assert never_wild(pattern)
    assert not may_be(Symbol("X", "", pattern=pattern), "*" * 12)


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        ".*",
        ".+",
        "[^a]+",
        "[!-~]+",
        "[*]",
        r"a*b\*",
        r"[\w*]+",
        r"\S+",
        "[+-@]+",
        "(?!x)y",
        "[a-z&&[^b]]",
        r"\D",
        "a" * 501,
    ],
)
def test_a_pattern_that_may_allow_one_is_taken_to(pattern):
    assert not never_wild(pattern)


def test_no_pattern_that_is_called_plain_fits_a_wildcard():
    parts = ["a", "[a-z]", r"\d", r"\w", ".", "[*]", "[^x]", r"\*", r"\?", "(a|b)", "[+-@]", "[,-?]", "[%-+]", "{2}"]
    parts += ["*", "+", "?", "|", "$", "^", r"[\w-]", "[A-Za-z0-9_?]", r"\."]
    draw, tried = random.Random(7), 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(5_000):
            pattern = "".join(draw.choice(parts) for _ in range(draw.randint(1, 6)))
            if never_wild(pattern):
                try:
                    compiled = re.compile(pattern)
                except re.error:
                    continue
                tried += 1
                assert not any(compiled.fullmatch(text) for text in WILD), pattern
    assert tried > 200


def test_values_are_put_in_whole():
    text = json.dumps({"a": f"x{mark(0)}", "b": mark(1)})
    assert json.loads(filled(text, {0: 'q"\\', 1: mark(0)})) == {"a": 'xq"\\', "b": 'q"\\'}


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Deny", "Action": "s3:*", "Resource": mark(0)},
        {"Effect": "Allow", "Action": mark(0), "Resource": "*"},
        {"Effect": "Allow", "NotAction": "s3:*", "NotResource": mark(0)},
        {"Effect": mark(0), "Action": "s3:*", "Resource": "*"},
    ],
)
def test_permissions_that_may_allow_less_than_one_name_does_are_not_narrowed(statement):
    document = OpenDocument((("", json.dumps({"Statement": [statement]})),), (Symbol("X", ""),))
    assert narrowest(document) is None


def test_a_choice_of_permissions_is_not_narrowed():
    assert narrowest(OpenDocument((("a", "{}"), ("b", "{}")), ())) is None
