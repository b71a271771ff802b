"""Classes of texts: complete against trying every short text, and given up in time."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from tests.steps import counted

from valetkey.catalog.condition_keys import ACCOUNT, ARN, EXTERNAL_ID, ORG_ID, PATH, SESSION_ID, TEXT, USER_ID
from valetkey.catalog.text_forms import Form, Stage
from valetkey.policy.globs import compiled, wild
from valetkey.prover.automata import Glob, TooMany, texts

SMALL = Form((Stage("abA:/", 1),), longest=6)
ALL = ["".join(item) for size in range(1, 7) for item in itertools.product("abA:/", repeat=size)]


def globs(*patterns: str, scope: str = "whole", fold: bool = False) -> list[Glob]:
    return [Glob(wild(pattern), scope, fold) for pattern in patterns]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "given",
    [
        globs("a*"),
        globs("a*", "*b", "?a?"),
        globs("*a*", "*b*", "*A*"),
        globs("a?b", "a??", "*"),
        globs("ab", "AB", fold=True),
        globs("ab", "b*") + globs("AB", fold=True),
        globs("a", "b", scope="name"),
        globs("a/b", "*/b", "a/*") + globs("b", scope="name"),
        globs("", "a", "aaaaaaa"),
        globs("*a*b*a*", "*b*a*b*"),
        globs("a:*", "*:a", "*:*:*"),
    ],
)
def test_every_class_that_a_text_is_in_is_found_and_no_other(given: list[Glob]) -> None:
    wanted = {tuple(glob.fits(text) for glob in given) for text in ALL}
    result = texts(given, SMALL)
    assert all(SMALL.holds(text) for text in result)
    classes = [tuple(glob.fits(text) for glob in given) for text in result]
    assert len(set(classes)) == len(classes)
    assert set(classes) == wanted


def test_arn_patterns_cross_no_colon_in_their_first_five_parts() -> None:
    form = Form((*(Stage(char, 1, 1) for char in "arn:"), Stage("ab:", 4)), longest=12)
    given = globs("arn:*:a:*:*:b", "arn:*b*:*:*:*:*", "arn:a?:*::*:*:*", scope="arn")
    alphabet = ["arn:" + "".join(item) for size in range(4, 9) for item in itertools.product("ab:", repeat=size)]
    wanted = {tuple(glob.fits(text) for glob in given) for text in alphabet if form.holds(text)}
    result = {tuple(glob.fits(text) for glob in given) for text in texts(given, form)}
    assert wanted <= result


def test_what_is_to_be_avoided_is_avoided_and_a_class_of_nothing_else_is_left_out() -> None:
    given = globs("a*")
    avoid = frozenset(text for text in ALL if text.startswith("a") and len(text) < 3)
    result = texts(given, SMALL, avoid=avoid)
    assert not set(result) & avoid
    assert {glob.fits(text) for text in result for glob in given} == {True, False}
    every = frozenset(text for text in ALL if text.startswith("a"))
    tiny = Form((Stage("ab", 1, 2),), longest=2)
    assert all(not text.startswith("a") for text in texts(given, tiny, avoid=every))


def test_a_prefix_stands_before_the_text() -> None:
    given = globs("user/a*", "role/*")
    result = texts(given, SMALL, prefix="user/")
    assert {tuple(glob.fits(f"user/{text}") for glob in given) for text in result} == {(True, False), (False, False)}


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        (EXTERNAL_ID, ["ab", "a:b/c-d", "x" * 1224], ["a", "", "a b", "x" * 1225, "ä1"]),
        (ACCOUNT, ["123456789012"], ["12345678901", "1234567890123", "12345678901a"]),
        (ORG_ID, ["o-abcdef1234"], ["o-", "x-abcdef1234", "o-ABCDEF1234"]),
        (USER_ID, ["AIDA1234567890123456", "AIDAIOSFODNN7EXAMPLE"], ["AROA1234567890123456", "AIDA", "AIDAabcd"]),
        (SESSION_ID, ["AROA1234567890123456:ab"], ["AROA1234567890123456", "AROA1234567890123456:a"]),
        (PATH, ["bob", "team/bob", "a:b/bob", "/bob"], ["", "team/", "a b", "te:am"]),
        (
            ARN,
            ["arn:aws:s3:::b", "arn:aws-cn:iam::123456789012:role/a:b", "arn:aws:iam::aws:policy/x"],
            ["arn:aws:s3::", "arn:aws:s3:::", "arn:aws::::x", "aws:s3:::b"],
        ),
    ],
)
def test_forms(form: Form, good: list[str], bad: list[str]) -> None:
    for text in good:
        assert form.holds(text), text
    for text in bad:
        assert not form.holds(text), text


def test_short_texts_come_first_and_readable_ones_before_them() -> None:
    assert texts(globs("ab*"), TEXT)[0] in ("something-else", "ab")
    assert set(texts(globs("ab*"), TEXT)) == {"something-else", "ab"}
    assert texts(globs("*"), EXTERNAL_ID) == ["another-id"]


@pytest.mark.parametrize("count", [12, 16, 24, 60])
def test_too_many_classes_are_given_up_soon(count: int) -> None:
    given = globs(*(f"*{chr(65 + n)}x{chr(65 + n)}*" for n in range(count)))

    def given_up() -> None:
        with pytest.raises(TooMany, match="kinds of text"):
            texts(given, TEXT, most=5000)

    _, steps = counted(given_up)
    assert steps < 1_000_000


def test_the_clock_is_looked_at_while_classes_are_sought() -> None:
    class Over(Exception):
        pass

    def check() -> None:
        raise Over

    with pytest.raises(Over):
        texts(globs(*(f"*{chr(65 + n)}x*" for n in range(12))), TEXT, check=check)


def test_a_long_pattern_is_no_trouble() -> None:
    result, steps = counted(lambda: texts(globs("a" * 1000 + "*", "*" + "ab" * 500), TEXT))
    assert len(result) == 4
    assert steps < 250_000


SCOPED = [
    "a",
    "A",
    "a:b",
    "a/b",
    "b",
    "",
    "arn:a:b::a:b",
    "arn:a:b::a:b:c",
    "arn:a:b::a:x/b",
    "arn:a:b::a",
    "arn:a:b:x:a:b",
]


@pytest.mark.parametrize(
    ("pattern", "scope", "fold", "fitting"),
    [
        ("a", "whole", False, {"a"}),
        ("a", "whole", True, {"a", "A"}),
        ("A", "whole", True, {"a", "A"}),
        ("?", "whole", False, {"a", "A", "b"}),
        ("a?b", "whole", False, {"a:b", "a/b"}),
        ("*", "whole", False, set(SCOPED)),
        ("*", "arn", False, set(SCOPED)),
        ("a*", "whole", False, {each for each in SCOPED if each.startswith("a")}),
        ("*b", "whole", False, {each for each in SCOPED if each.endswith("b")}),
        ("b", "name", False, {"a/b", "b", "arn:a:b::a:x/b"}),
        ("arn:a:b::a:b", "name", False, {"arn:a:b::a:b"}),
        ("arn:a:b::a:b", "arn", False, {"arn:a:b::a:b"}),
        ("arn:a:*:a:*", "arn", False, set()),
        ("arn:a:*::a:*", "arn", False, {"arn:a:b::a:b", "arn:a:b::a:b:c", "arn:a:b::a:x/b"}),
        ("arn:a:*:?:a:*", "arn", False, {"arn:a:b:x:a:b"}),
        ("arn:a:*:a:*", "whole", False, {"arn:a:b::a:b", "arn:a:b::a:b:c", "arn:a:b::a:x/b", "arn:a:b:x:a:b"}),
        ("arn:a:b::a:b*", "arn", False, {"arn:a:b::a:b", "arn:a:b::a:b:c"}),
        ("arn:*", "arn", False, set()),
        ("", "whole", False, {""}),
    ],
)
def test_what_a_pattern_is_laid_on(pattern: str, scope: Any, fold: bool, fitting: set[str]) -> None:
    glob = Glob(wild(pattern), scope, fold)
    assert {text for text in SCOPED if glob.fits(text)} == fitting
    assert glob.plain is (not fold and "*" not in pattern and "?" not in pattern)


def test_a_glob_fits_what_the_evaluator_fits() -> None:
    short = ["".join(item) for size in range(5) for item in itertools.product("ab", repeat=size)]
    for pattern in ("".join(item) for size in range(6) for item in itertools.product("a*?", repeat=size)):
        glob, test = Glob(wild(pattern)), compiled(wild(pattern))
        assert [glob.fits(text) for text in short] == [test(text) for text in short], pattern


def test_classes_may_be_as_many_as_is_said_and_not_one_more() -> None:
    given = globs("a*", "*b")
    counts = [most for most in range(1, 40) if not _given_up(given, most)]
    least = counts[0]
    assert counts == list(range(least, 40))
    assert 4 < least < 30
    with pytest.raises(TooMany, match=f"2 patterns cut out more than {least - 1} kinds of text"):
        texts(given, SMALL, most=least - 1)


def _given_up(given: list[Glob], most: int) -> bool:
    try:
        texts(given, SMALL, most=most)
    except TooMany:
        return True
    return False


def test_the_same_pattern_twice_is_one() -> None:
    assert texts(globs("a*", "a*"), SMALL) == texts(globs("a*"), SMALL)


def test_without_patterns_a_likely_text_will_do() -> None:
    form = Form((Stage("ab", 1),), longest=3, likely=("xx", "ab", "ba"))
    assert texts([], form) == ["ab"]
    assert texts([], form, avoid=frozenset({"ab"})) == ["ba"]
    assert texts([], form, avoid=frozenset({"ab", "ba"})) == ["a"]


def test_a_likely_text_stands_for_its_class_and_the_first_of_two() -> None:
    form = Form((Stage("ab", 1),), longest=3, likely=("aaa", "aab", "bbb", "abbb"))
    assert texts(globs("a*"), form) == ["aaa", "bbb"]
    assert texts(globs("a*"), form, avoid=frozenset({"aaa"})) == ["aab", "bbb"]
    assert texts(globs("b"), form) == ["b", "aaa"]
    assert set(texts(globs("x/bbb"), form, prefix="x/")) == {"aaa", "bbb"}


def test_the_clock_is_looked_at_now_and_then_only() -> None:
    looks: list[None] = []
    texts(globs("a*"), SMALL, check=lambda: looks.append(None))
    assert not looks
    with pytest.raises(TooMany):
        texts(globs(*(f"*{chr(65 + n)}x*" for n in range(12))), TEXT, check=lambda: looks.append(None))
    assert 0 < len(looks) <= 5000 / 256
