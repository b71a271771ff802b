"""The Action and Resource elements as tests."""

from __future__ import annotations

from typing import Any

import pytest

from valetkey.policy.patterns import compile_actions, compile_resources

ROLE = "arn:aws:iam::111111111111:role/a"


@pytest.mark.parametrize(
    ("patterns", "action", "answer"),
    [
        (["s3:GetObject"], "s3:getobject", True),
        (["S3:getOBJECT"], "s3:getobject", True),
        (["s3:GetObject"], "s3:getobjects", False),
        (["s3:Get*"], "s3:getobject", True),
        (["s3:Get*"], "s3:putobject", False),
        (["s3:Ge?Object"], "s3:getobject", True),
        (["s3:Ge?Object"], "s3:geobject", False),
        (["*:Get*"], "s3:getobject", True),
        (["*"], "s3:getobject", True),
        (["**"], "s3:getobject", True),
        (["iam:*", "*"], "s3:getobject", True),
        (["iam:*", "s3:GetObject"], "s3:getobject", True),
        (["s3:GetObject", "iam:*"], "iam:getrole", True),
        (["iam:*", "s3:*"], "s3:getobject", True),
        (["iam:GetRole", "iam:PutRole"], "s3:getobject", False),
    ],
)
def test_an_action(patterns: list[str], action: str, answer: bool) -> None:
    for unsure in (False, True):
        assert compile_actions(patterns, negated=False, unsure=unsure)(action) is answer
        assert compile_actions(patterns, negated=True, unsure=unsure)(action) is not answer


@pytest.mark.parametrize("unsure", [False, True])
def test_an_empty_element_matches_nothing_and_its_negation_is_unsure(unsure: bool) -> None:
    assert compile_actions([], negated=False, unsure=unsure)("a:b") is False
    assert compile_actions([], negated=True, unsure=unsure)("a:b") is unsure
    for variables in (False, True):
        assert compile_resources([], negated=False, unsure=unsure, variables=variables)(ROLE, {}) is False
        assert compile_resources([], negated=True, unsure=unsure, variables=variables)(ROLE, {}) is unsure


UNSURE = None
"""What hangs on `unsure` is `unsure` itself; the others are the same whatever it is."""
T, F = True, False


@pytest.mark.parametrize(
    ("patterns", "resource", "keys", "plain", "negated"),
    [
        (["*"], "*", {}, T, F),
        (["*"], ROLE, {}, T, F),
        (["x", "*"], ROLE, {}, T, F),
        ([ROLE], ROLE, {}, T, F),
        ([ROLE], ROLE + "b", {}, F, T),
        (["x", ROLE], ROLE, {}, T, F),
        (["arn:aws:iam::*:role/a"], ROLE, {}, T, F),
        (["arn:aws:iam::*1:role/?"], ROLE, {}, T, F),
        (["arn:aws:iam::*2:role/?"], ROLE, {}, F, T),
        (["arn:aws:*am:*"], "arn:aws:iam:x", {}, F, T),  # a star inside a segment needs all six
        (["arn:aws:iam*"], ROLE, {}, T, F),  # a star that ends its segment may reach beyond
        (["arn:aws:iam::1*1:role/a"], ROLE, {}, T, F),
        (["arn:aws:iam::1*a"], ROLE, {}, F, T),  # and one inside it may not
        (["arn:aws:*:role/*"], ROLE, {}, T, F),
        (["arn:aws:iam::1*1:*"], "x", {}, F, T),
        (["arn:aws:iam::111111111111:role/${a:b}"], ROLE, {"a:b": "a"}, T, F),
        (["arn:aws:iam::111111111111:role/${a:b}"], ROLE, {"a:b": "c"}, F, T),
        (["arn:aws:iam::111111111111:role/${a:b}"], ROLE, {"a:b": "*"}, F, T),
        (["arn:aws:iam::111111111111:role/${a:b}"], ROLE, {}, F, UNSURE),
        (["arn:aws:iam::111111111111:role/${a:b}"], ROLE, {"a:b": ("a", "b")}, UNSURE, UNSURE),
        (["arn:aws:iam::111111111111:role/${a:b, 'a'}"], ROLE, {}, T, F),
        (["arn:aws:iam::111111111111:role/${*}"], ROLE, {}, F, T),
        (["arn:aws:iam::111111111111:role/${a"], ROLE, {}, UNSURE, UNSURE),
        (["arn:aws:iam::111111111111:role/${a", ROLE], ROLE, {}, T, F),
        (["arn:x:${a:b}", ROLE], ROLE, {}, T, F),
        (["arn:x:${c:d}", "arn:aws:iam::111111111111:role/${a:b}"], ROLE, {"a:b": "a"}, T, F),
        (["arn:x:${c:d}", "arn:aws:iam::111111111111:role/${a:b}"], ROLE, {"a:b": "x"}, F, UNSURE),
        (["arn:x:${c:d}", "arn:x:${a:b}"], ROLE, {"c:d": ("1", "2"), "a:b": "x"}, UNSURE, UNSURE),
    ],
)
def test_a_resource(
    patterns: list[str], resource: str, keys: dict[str, Any], plain: bool | None, negated: bool | None
) -> None:
    for unsure in (False, True):
        for negation, answer in ((False, plain), (True, negated)):
            test = compile_resources(patterns, negated=negation, unsure=unsure, variables=True)
            assert test(resource, keys) is (unsure if answer is None else answer)


def test_without_variables_a_resource_is_literal() -> None:
    test = compile_resources(["arn:x:${a:b}"], negated=False, unsure=True, variables=False)
    assert test("arn:x:${a:b}", {"a:b": "1"})
    assert not test("arn:x:1", {"a:b": "1"})
    half = compile_resources(["arn:x:${a"], negated=False, unsure=True, variables=False)
    assert half("arn:x:${a", {})
    assert not half("arn:x:b", {})
