"""Policy variables: how a text with them is taken apart, and filled (reference_policies_variables)."""

from __future__ import annotations

import pytest

from valetkey.policy.globs import ANY, STAR
from valetkey.policy.variables import Template, Variable, broken, resolve, several, template

AB = Variable("a:b", None)


@pytest.mark.parametrize(
    ("text", "wild", "plain", "without"),
    [
        ("", "", "", ""),
        ("abc", "abc", "abc", "abc"),
        ("a*?", f"a{STAR}{ANY}", "a*?", f"a{STAR}{ANY}"),
        ("${a:b}", (AB,), (AB,), "${a:b}"),
        ("${A:B }", (AB,), (AB,), "${A:B }"),
        ("x${a:b}*", ("x", AB, STAR), ("x", AB, "*"), f"x${{a:b}}{STAR}"),
        (
            "${a:b}${c, 'd'}y",
            (AB, Variable("c", "d"), "y"),
            (AB, Variable("c", "d"), "y"),
            "${a:b}${c, 'd'}y",
        ),
        ("${c,''}", (Variable("c", ""),), (Variable("c", ""),), "${c,''}"),
        ("${*}*${?}${$}", f"*{STAR}?$", "**?$", f"${{{STAR}}}{STAR}${{{ANY}}}${{$}}"),
        ("${*}${a:b}", ("*", AB), ("*", AB), f"${{{STAR}}}${{a:b}}"),
        ("${", "${", "${", "${"),
        ("$a}", "$a}", "$a}", "$a}"),
    ],
)
def test_a_text_taken_apart(text: str, wild: str | Template, plain: str | Template, without: str) -> None:
    assert template(text, variables=True, wildcards=True) == wild
    assert template(text, variables=True, wildcards=False) == plain
    assert template(text, variables=False, wildcards=True) == without
    assert template(text, variables=False, wildcards=False) == text


@pytest.mark.parametrize(
    ("text", "whether"),
    [
        ("", False),
        ("$", False),
        ("${a:b}", False),
        ("${a:b, 'c'}", False),
        ("${*}${?}${$}", False),
        ("${", True),
        ("${}", True),
        ("${a", True),
        ("${a,b}", True),
        ("${a,'b}", True),
        ("${a'b}", True),
        ("${a:b}${", True),
        ("${${a:b}}", True),
        ("$${a:b}{x}", False),
    ],
)
def test_a_sign_that_begins_no_variable(text: str, whether: bool) -> None:
    assert broken(text) is whether


@pytest.mark.parametrize(
    ("parts", "keys", "text", "many"),
    [
        (("x", AB, "y"), {"a:b": "1"}, "x1y", False),
        (("x", AB, "y"), {}, None, False),
        (("x", AB, "y"), {"a:b": ""}, "xy", False),
        ((AB,), {"a:b": ("1", "2")}, None, True),
        ((Variable("a:b", "0"),), {}, "0", False),
        ((Variable("a:b", "0"),), {"a:b": "1"}, "1", False),
        ((Variable("a:b", "0"),), {"a:b": ("1", "2")}, None, True),
        ((AB, Variable("c", None)), {"a:b": "1", "c": ("1", "2")}, None, True),
        ((AB, Variable("c", None)), {"a:b": "1", "c": "2"}, "12", False),
        (("x",), {"x": ("1", "2")}, "x", False),
    ],
)
def test_a_text_filled(parts: Template, keys: dict[str, str | tuple[str, ...]], text: str | None, many: bool) -> None:
    assert resolve(parts, keys) == text
    assert several(parts, keys) is many
