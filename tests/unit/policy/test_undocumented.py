"""Where AWS documents nothing: `decide` lets nobody in and says so, and no proof rests on that."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.policy.silent import BOB, CASES, OWNER, ROLE, THEM, Case, allow

from valetkey.policy import Decision, Request, decide, parse_policy
from valetkey.policy.conditions import Condition
from valetkey.policy.evaluation import could_allow
from valetkey.policy.letter_case import LIGATURES, ODD, fold, loose, spellings
from valetkey.policy.operators import read_operator
from valetkey.policy.statements import Statement
from valetkey.policy.undocumented import FORMS, doubts, form_of, widely


def request(case: Case) -> tuple[Request, dict[str, Any]]:
    """The case's request and its side."""
    caller = BOB if case.kind == "trust" else f"arn:aws:iam::{OWNER}:user/bob"
    action = "sts:AssumeRole" if case.kind == "trust" else "iam:GetRole"
    return Request(caller, action, ROLE, context=case.context), {case.kind: parse_policy(case.document, case.kind)}


def test_every_form_has_a_case() -> None:
    assert {case.form for case in CASES.values()} == {form.name for form in FORMS}
    assert len({form.name for form in FORMS}) == len({form.what for form in FORMS}) == len(FORMS)


@pytest.mark.parametrize("name", CASES)
def test_decide_lets_nobody_in_and_names_the_form(name: str) -> None:
    case = CASES[name]
    asked, side = request(case)
    answer = decide(asked, **side)
    assert not answer.allowed
    assert could_allow(asked, **side)
    (open_,) = answer.rests_on
    what = {form.name: form.what for form in FORMS}[case.form]
    assert open_.what == what
    assert open_.side == case.kind
    assert open_.where.startswith(f"$.Statement[{len(case.statements) - 1}]")
    assert answer.reason.endswith(f"AWS does not document what it does where {open_}")


@pytest.mark.parametrize("name", CASES)
def test_an_answer_that_does_not_hang_on_the_form_does_not_name_it(name: str) -> None:
    asked, side = request(CASES[name])
    bare = {"Effect": "Allow", "Action": "*", **({} if "trust" in side else {"Resource": "*"})}
    named = {"Principal": "*"} if {"trust", "resource"} & side.keys() else {}
    (kind,) = side
    denied = parse_policy({"Statement": [*CASES[name].statements, bare | named | {"Effect": "Deny"}]}, kind=kind)
    assert decide(asked, **{kind: denied}).rests_on == ()
    open_ = parse_policy({"Statement": [bare | named]}, kind=kind)
    assert decide(asked, **{kind: open_}).rests_on == ()


@pytest.mark.parametrize("element", ["Action", "Resource"])
def test_an_empty_list_has_no_effect(element: str) -> None:
    """access-analyzer-reference-policy-checks: "This statement includes no actions and does not affect the policy"."""
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    asked = Request(f"arn:aws:iam::{OWNER}:user/bob", "iam:GetRole", ROLE)
    empty = parse_policy({"Statement": [everything | {element: []}]}, kind="identity")
    assert not decide(asked, identity=empty).allowed
    assert decide(asked, identity=empty).rests_on == ()
    both = parse_policy({"Statement": [everything, everything | {"Effect": "Deny", element: []}]}, kind="identity")
    assert decide(asked, identity=both).allowed


def test_letters_that_some_fold_to_ascii_are_all_known() -> None:
    result: dict[str, str] = {}
    for code in range(0x110000):
        char = chr(code)
        if 0xD800 <= code < 0xE000:
            continue
        key = loose(char)
        others = {char.lower(), char.upper(), char.casefold(), char.title()} - {char}
        assert all(loose(item) == key for item in others)
        if not char.isascii() and key.isascii():
            result[char] = key
    assert result == {char: plain for plain, odd in (*ODD.items(), *LIGATURES.items()) for char in odd}
    assert fold("\u212aAz\u00c4") == "\u212aaz\u00c4"
    for text in ("kiss", "\u00e4b", "fluffiest", "ABC"):
        for other in spellings(text):
            assert loose(other) == loose(text)
            assert fold(other) != fold(text)
    assert list(spellings("ABC")) == []


def test_a_decision_that_is_allowed_rests_on_nothing() -> None:
    answer = decide(Request(BOB, "sts:AssumeRole", ROLE), trust=parse_policy({"Statement": [allow()]}, kind="trust"))
    assert answer.allowed
    assert answer.rests_on == ()
    assert isinstance(answer, Decision)


AN_ARN = "arn:aws:iam::1:x"


@pytest.mark.parametrize(
    ("operator", "values", "keys", "form"),
    [
        ("StringNotEquals", (), {}, "no-values"),
        ("ForAnyValue:StringEqualsIfExists", (), {}, "no-values"),
        ("Bool", ("${a}",), {}, "typed-variable"),
        ("NumericEquals", ("5", "${a}"), {"x:y": "5"}, "typed-variable"),
        ("StringEquals", ("a", "${"), {}, "broken-variable"),
        ("ArnLike", ("${",), {"x:y": ("a", "b")}, "broken-variable"),
        ("ForAnyValue:StringEqualsIfExists", ("a",), {}, "any-if-exists"),
        ("StringEquals", ("a",), {"x:y": ("a", "b")}, "several-values"),
        ("StringEquals", ("${c:d}",), {"x:y": ("a", "b"), "c:d": ("a", "b")}, "several-values"),
        ("StringEquals", ("a", "${c:d}"), {"x:y": "x", "c:d": ("a", "b")}, "several-in-variable"),
        ("ForAnyValue:StringEquals", ("${c:d}",), {"x:y": ("a", "b"), "c:d": ("a", "b")}, "several-in-variable"),
        ("StringEqualsIgnoreCase", ("k",), {"x:y": "\u212a"}, "other-letters"),
        ("ForAllValues:StringEqualsIgnoreCase", ("k",), {"x:y": ("k", "\u212a")}, "other-letters"),
        ("ArnNotLike", (AN_ARN,), {"x:y": "x"}, "unreadable-value"),
        ("ArnNotLike", ("*",), {"x:y": AN_ARN}, "short-arn"),
        ("ArnNotLike", ("arn:aws:iam::1",), {"x:y": "x"}, "short-arn"),
        ("ArnNotLike", (AN_ARN, "*"), {"x:y": "x"}, "short-arn"),
        ("ArnNotLike", ("${c:d}:aws:iam::1",), {"x:y": AN_ARN, "c:d": "arn"}, "short-arn"),
        ("ForAnyValue:ArnNotLike", (AN_ARN,), {"x:y": (AN_ARN, "x")}, "unreadable-value"),
        ("NumericNotEquals", ("5",), {"x:y": "x"}, "unreadable-value"),
        ("DateNotEquals", ("0",), {"x:y": "x"}, "unreadable-value"),
        ("NotIpAddress", ("::1",), {"x:y": "x"}, "unreadable-value"),
    ],
)
def test_the_form_by_which_a_test_is_open(operator: str, values: tuple[str, ...], keys: Any, form: str) -> None:
    read = read_operator(operator)
    assert read is not None
    condition = Condition(*read, "X:Y", values, "$")
    assert form_of(condition, keys, variables=True).name == form


def test_without_variables_a_dollar_is_a_sign() -> None:
    read = read_operator("StringEquals")
    assert read is not None
    two: Any = {"x:y": ("a", "b"), "c:d": ("a", "b")}
    assert form_of(Condition(*read, "X:Y", ("${",), "$"), two, variables=False).name == "several-values"
    several = Condition(read[0], "ForAnyValue", False, "X:Y", ("${c:d}",), "$")
    assert form_of(several, two, variables=True).name == "several-in-variable"
    assert form_of(several, two, variables=False).name == "unreadable-value"


def statement_of(document: dict[str, Any], kind: Any = "identity") -> Statement:
    return parse_policy({"Version": "2012-10-17", "Statement": document}, kind=kind).statements[0]


@pytest.mark.parametrize(
    ("statement", "context", "found"),
    [
        ({"Effect": "Allow", "NotAction": [], "Resource": "*"}, {}, [("$.Statement.NotAction", "empty-not")]),
        ({"Effect": "Deny", "Action": "*", "NotResource": []}, {}, [("$.Statement.NotResource", "empty-not")]),
        (
            {"Effect": "Deny", "NotAction": [], "NotResource": []},
            {},
            [("$.Statement.NotAction", "empty-not"), ("$.Statement.NotResource", "empty-not")],
        ),
        ({"Effect": "Allow", "Action": [], "Resource": "*"}, {}, []),
        ({"Effect": "Allow", "Action": "*", "Resource": "*"}, {}, []),
        (
            {"Effect": "Deny", "Action": "*", "Resource": "arn:${aws:x}"},
            {"aws:x": ["1", "2"]},
            [("$.Statement.Resource", "several-in-variable")],
        ),
        (
            {"Effect": "Allow", "Action": "*", "NotResource": ["arn:x", "arn:${aws:x}"]},
            {},
            [("$.Statement.NotResource", "no-value-in-notresource")],
        ),
        (
            {"Effect": "Allow", "Action": "*", "NotResource": ["arn:x", "arn:${aws:x}", "arn:${"]},
            {"aws:x": ["1", "2"]},
            [("$.Statement.NotResource", "broken-variable")],
        ),
        (
            {
                "Effect": "Allow",
                "Action": "*",
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:a": "1", "aws:b": []}, "StringLike": {"aws:c": "${"}},
            },
            {"aws:a": "1", "aws:c": "x"},
            [
                ("$.Statement.Condition.StringEquals['aws:b']", "no-values"),
                ("$.Statement.Condition.StringLike['aws:c']", "broken-variable"),
            ],
        ),
        # It does not apply in any case: nothing hangs on the form.
        (
            {
                "Effect": "Allow",
                "Action": "*",
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:a": "1", "aws:b": []}},
            },
            {"aws:a": "2"},
            [],
        ),
    ],
)
def test_where_a_statement_is_open(statement: Any, context: Any, found: list[tuple[str, str]]) -> None:
    request = Request(f"arn:aws:iam::{OWNER}:user/bob", "iam:GetRole", ROLE, context=context)
    read = statement_of(statement)
    assert [(doubt.where, doubt.form.name) for doubt in doubts(read, request, "iam:getrole", bounded=False)] == found


def test_the_wide_reading_turns_both_effects_and_keeps_what_is_documented() -> None:
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": effect, "Principal": {"AWS": THEM}, "NotAction": [], "NotResource": [], "Condition": condition}
            for effect in ("Allow", "Deny")
            for condition in ({"StringEquals": {"aws:x": []}}, {})
        ],
    }
    policy = parse_policy(document, kind="resource")
    wide = widely(policy)
    request = Request(BOB, "s3:GetObject", "arn:aws:s3:::b")
    assert [bool(statement.reaches(request, "s3:getobject", False)) for statement in policy.statements] == [
        False,
        False,
        True,
        True,
    ]
    assert [bool(statement.reaches(request, "s3:getobject", False)) for statement in wide.statements] == [
        True,
        True,
        False,
        False,
    ]
    assert (wide.allows, wide.denies) == (wide.statements[:2], wide.statements[2:])
    assert wide == policy
    assert widely(policy) is wide  # made once
    negated = parse_policy(
        {"Statement": [{"Effect": item, "NotPrincipal": {"AWS": BOB}, "Action": "*"} for item in ("Allow", "Deny")]},
        kind="resource",
    )
    eve = Request(BOB.replace("bob", "eve"), "s3:GetObject", "arn:aws:s3:::b")
    for one in (negated, widely(negated)):
        assert [bool(statement.reaches(eve, "s3:getobject", False)) for statement in one.statements] == [True, True]
        assert [bool(statement.reaches(request, "s3:getobject", False)) for statement in one.statements] == [
            False,
            True,
        ]


def test_a_not_principal_that_names_nobody_is_open() -> None:
    read = statement_of({"Effect": "Deny", "NotPrincipal": {"AWS": []}, "Action": "*"}, "resource")
    (doubt,) = doubts(read, Request(BOB, "s3:GetObject"), "s3:getobject", bounded=True)
    assert (doubt.where, doubt.form.name) == ("$.Statement.NotPrincipal", "empty-not")


def test_a_request_of_several_actions_names_the_form_once() -> None:
    policy = parse_policy({"Statement": [allow({"StringNotEquals": {"aws:x": []}}, Action="sts:*")]}, kind="trust")
    answer = decide(Request(BOB, ["sts:AssumeRole", "sts:TagSession"], ROLE), trust=policy)
    assert len(answer.rests_on) == 1
    assert THEM in BOB
