"""JSON as a policy needs it: every pair, numbers as written, and the place of each value."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from valetkey.errors import PolicyError
from valetkey.policy.policy_json import (
    JsonNumber,
    JsonObject,
    kind_of,
    known_members,
    load_json,
    member,
    members,
    optional_text,
    scalars,
    text_of,
    texts,
)


def loaded(text: str) -> Any:
    return load_json(text, 200)


def refusal(work: Callable[[], Any]) -> tuple[str, str, str]:
    with pytest.raises(PolicyError) as caught:
        work()
    return caught.value.what, caught.value.do, caught.value.where


def test_what_is_loaded_keeps_pairs_and_numbers() -> None:
    result = loaded('{"a": 1.50, "a": [true, null, "x", {}, 1e3]}')
    assert isinstance(result, JsonObject)
    assert result == [("a", JsonNumber("1.50")), ("a", [True, None, "x", JsonObject(), JsonNumber("1e3")])]
    assert load_json({"a": {"b": 1}}, 200) == JsonObject([("a", JsonObject([("b", JsonNumber("1"))]))])


NO_JSON = ("the document is not JSON", "give JSON text, or a dict of JSON values", "$.x")


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("nul", ("the document is not JSON: Expecting value in line 1, column 1", "correct the JSON", "$.x")),
        ("[1,\n]", ("the document is not JSON: Expecting value in line 2, column 1", "correct the JSON", "$.x")),
        ("[NaN]", ("NaN is not JSON", "write a number or a string", "$.x")),
        ("[Infinity]", ("Infinity is not JSON", "write a number or a string", "$.x")),
        ({"a": float("nan")}, NO_JSON),
        ({"a": {1}}, NO_JSON),
        ([], NO_JSON),
        (5, NO_JSON),
        (None, NO_JSON),
        ("[" * 100_000, ("the document is nested too deeply", "a policy needs only a few levels", "$.x")),
        (" " * 100_001, ("the document has 100001 characters", "100000 at most are read", "$.x")),
        ({"a": "x" * 99_992}, ("the document has 100001 characters", "100000 at most are read", "$.x")),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_not_json_is_refused_with_its_root(document: object, said: tuple[str, str, str]) -> None:
    assert refusal(lambda: load_json(document, 100_000, "$.x")) == said


def test_the_longest_document_is_read() -> None:
    assert load_json("{}".ljust(100_000), 100_000) == JsonObject()
    assert load_json({"a": "x" * 99_991}, 100_000) == JsonObject([("a", "x" * 99_991)])


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("Statement", "$.Statement"),
        ("_a1", "$._a1"),
        ("1a", "$['1a']"),
        ("a b", "$['a b']"),
        ("", "$['']"),
        ("sts:ExternalId", "$['sts:ExternalId']"),
        ("\u00e9", "$['\\xe9']"),
        ("a" * 81, f"$.{'a' * 81}"),
        ("a" * 82, f"$['{'a' * 80}']"),
    ],
)
def test_the_path_of_a_member(name: str, path: str) -> None:
    assert member("$", name) == path


def test_members_are_an_objects_and_each_once() -> None:
    assert members(loaded('{"a": "b", "c": "d"}'), "$") == {"a": "b", "c": "d"}
    once = "give it once, with a list of values"
    assert refusal(lambda: members(loaded('{"a": 1, "a": 2}'), "$")) == ("'a' is given twice", once, "$.a")
    assert refusal(lambda: members([], "$.x")) == ("expected an object, not a list", "write { ... }", "$.x")
    half = ("the text contains half a surrogate pair", "remove the lone surrogate", "$")
    assert refusal(lambda: members(loaded('{"\\ud800": 1}'), "$")) == half
    assert members(loaded('{"\\u00e9": "x"}'), "$") == {"\u00e9": "x"}


def test_known_members_are_spelt_as_they_are() -> None:
    assert known_members(loaded('{"Sid": "x"}'), "$", {"Sid", "Effect"}) == {"Sid": "x"}
    for text, said in {
        '{"sid": 1}': ("'sid' is not an element of a policy here", "write Sid", "$.sid"),
        '{"x": 1}': ("'x' is not an element of a policy here", "known: Effect, Sid", "$.x"),
    }.items():
        assert refusal(lambda text=text: known_members(loaded(text), "$", {"Sid", "Effect"})) == said  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "kind", "scalar"),
    [
        ("{}", "an object", None),
        ("[]", "a list", None),
        ("1.50", "a number", "1.50"),
        ("null", "null", None),
        ("true", "true or false", "true"),
        ("false", "true or false", "false"),
        ('"x"', "a string", "x"),
    ],
)
def test_the_kinds_of_values(text: str, kind: str, scalar: str | None) -> None:
    value = loaded(text)
    assert kind_of(value) == kind
    said = (f"expected a string, not {kind}", 'write "..."', "$.y")
    if kind == "a string":
        assert text_of(value, "$") == "x"
        assert list(texts(value, "$")) == [("$", "x")]
        assert optional_text({"y": value}, "y", "$") == "x"
    else:
        assert refusal(lambda: text_of(value, "$.y")) == said
        assert refusal(lambda: optional_text({"y": value}, "y", "$")) == said
        if kind != "a list":
            assert refusal(lambda: list(texts(value, "$.y"))) == said
    assert optional_text({"y": value}, "z", "$") is None
    if scalar is not None:
        assert list(scalars(value, "$")) == [("$", scalar)]
    elif kind != "a list":
        assert refusal(lambda: list(scalars(value, "$.y"))) == said


def test_lists_have_the_place_of_each() -> None:
    assert list(texts(loaded('["a", "b"]'), "$")) == [("$[0]", "a"), ("$[1]", "b")]
    mixed = json.dumps([True, False, 1.5, "x"])
    assert list(scalars(loaded(mixed), "$")) == [("$[0]", "true"), ("$[1]", "false"), ("$[2]", "1.5"), ("$[3]", "x")]
    assert list(texts([], "$")) == list(scalars([], "$")) == []
    for read in (texts, scalars):
        what = ("expected a string, not a list", 'write "..."', "$[1]")
        assert refusal(lambda read=read: list(read(loaded('["a", []]'), "$"))) == what  # type: ignore[misc]
    half = ("the text contains half a surrogate pair", "remove the lone surrogate", "$[0]")
    assert refusal(lambda: list(scalars(loaded('["\\ud800"]'), "$"))) == half
