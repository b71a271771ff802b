"""Permissions of a role against the evaluator, on every request of a small world: proofs, comparisons action by action,
and policies cut down to what is asked."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from tests.unit.prover.proving import IP, OWNER, TAG, ask, identity, on, policy
from tests.unit.prover.universe import answers

from valetkey.policy import Policy, Request, decide
from valetkey.prover import Counterexample, Limits, Proof
from valetkey.prover.comparison import Within, within
from valetkey.prover.specialized import (
    Sides,
    always,
    of_action,
    on_bare,
    on_resources,
    only,
    with_known,
    without_covered,
)

ROLE = f"arn:aws:iam::{OWNER}:role/team/worker"
SESSION = f"arn:aws:sts::{OWNER}:assumed-role/worker/session"
BUCKET, OTHER = "arn:aws:s3:::bucket", "arn:aws:s3:::other"
ACTIONS = (
    *("s3:GetObject", "s3:GetBucketAcl", "s3:PutObject", "s3:ListBucket"),
    *("iam:PassRole", "kms:Decrypt", "s3:NotListedYet", "ec2:RunInstances"),
)
RESOURCES = (BUCKET, f"{BUCKET}/", f"{BUCKET}/a", f"{BUCKET}/b", f"{OTHER}/a", f"arn:aws:iam::{OWNER}:role/x", "*")
CONTEXTS: tuple[dict[str, str], ...] = (
    {},
    {IP: "10.0.0.1"},
    {IP: "192.0.2.1"},
    {TAG: "red"},
    {TAG: "red", IP: "10.0.0.1"},
    {TAG: "b", IP: "192.0.2.1"},
)
REQUESTS = [
    Request(SESSION, action, resource, OWNER, {"aws:PrincipalArn": ROLE, **context})
    for action in ACTIONS
    for resource in RESOURCES
    for context in CONTEXTS
]
RED, TEN = on("StringEquals", TAG, "red"), on("IpAddress", IP, "10.0.0.0/8")
DENY: dict[str, Any] = {"Effect": "Deny"}
POLICIES: dict[str, Policy] = {
    "none": identity(),
    "all": identity({}),
    "s3": identity({"Action": "s3:*"}),
    "get": identity({"Action": "s3:GetObject"}),
    "get a": identity({"Action": "s3:GetObject", "Resource": f"{BUCKET}/a"}),
    "get ?": identity({"Action": "s3:Get*", "Resource": "arn:aws:s3:::*/?"}),
    "all but iam": identity({"NotAction": "iam:*"}),
    "not bucket": identity({"NotResource": [BUCKET, f"{BUCKET}/*"]}),
    "red": identity({"Action": "s3:*", "Condition": RED}),
    "red ten": identity({"Action": "s3:*", "Condition": RED | TEN}),
    "not ten": identity({"Action": "s3:*"}, {**DENY, "Condition": TEN}),
    "no put": identity({"Action": "s3:*"}, {**DENY, "Action": "s3:Put*"}),
    "no b": identity({"Action": "s3:*"}, {**DENY, "Resource": f"{BUCKET}/b"}),
    "only get": identity({"Action": "s3:*"}, {**DENY, "NotAction": "s3:Get*"}),
    "only bucket": identity({"Action": "s3:*"}, {**DENY, "NotResource": f"{BUCKET}/*"}),
    "two": identity(
        {"Action": "s3:GetObject", "Resource": f"{BUCKET}/a"},
        {"Action": ["s3:GetObject", "kms:*"], "Resource": [f"{BUCKET}/b", "*"], "Condition": RED},
    ),
}  # fmt: skip
OWN = identity({"Action": "s3:*", "Resource": f"{BUCKET}/${{aws:PrincipalTag/team}}"})
ALLOWED = {name: answers(REQUESTS, {"identity": [item]}) for name, item in {**POLICIES, "own": OWN}.items()}


def shown(one: str, other: str) -> bool:
    """Whether a request of the world is allowed by one policy and not by the other."""
    return any(mine and not theirs for mine, theirs in zip(ALLOWED[one], ALLOWED[other], strict=True))


PAIRS = [(one, other) for place, (one, other) in enumerate(itertools.permutations(POLICIES, 2)) if place % 11 == 0]
"""Some of all pairs, spread: a proof about permissions takes some thirty milliseconds."""


def test_one_policy_within_another() -> None:
    for one, other in PAIRS:
        result = ask(POLICIES[one], POLICIES[other], owner=OWNER, caller=ROLE)
        assert isinstance(result, Counterexample if shown(one, other) else Proof), (one, other, result)


def confirmed(result: Within, one: Sides, other: Sides) -> None:
    for counterexample in result.beyond:
        assert decide(counterexample.request, **one.keywords).allowed
        assert not decide(counterexample.request, **other.keywords).allowed
        assert counterexample.decision.allowed
        assert not counterexample.reference.allowed


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("none", "get"), ("get", "none"), ("get", "get"), ("s3", "all"), ("all", "s3"), ("get a", "get ?"),
        ("get ?", "get a"), ("red", "s3"), ("s3", "red"), ("red", "red ten"), ("red ten", "red"), ("not ten", "s3"),
        ("s3", "not ten"), ("no b", "s3"), ("s3", "no b"), ("only get", "no put"), ("no put", "only get"),
        ("two", "s3"), ("get a", "two"), ("two", "get"), ("all but iam", "all"), ("not bucket", "all"),
        ("s3", "not bucket"), ("only bucket", "s3"),
    ],
)  # fmt: skip
def test_a_comparison_action_by_action(one: str, other: str) -> None:
    mine, theirs = Sides((POLICIES[one],)), Sides((POLICIES[other],))
    result = within(mine, theirs, caller=ROLE)
    assert result.undecided == ()
    assert result.holds is not shown(one, other)
    assert bool(result.beyond) is shown(one, other)
    confirmed(result, mine, theirs)
    # Of every action of the world that is beyond, one of its class is named.
    missing = {
        request.action
        for request, allowed, other_ in zip(REQUESTS, ALLOWED[one], ALLOWED[other], strict=True)
        if allowed and not other_
    }
    assert not missing or len(result.beyond) >= 1
    assert len({counterexample.request.action for counterexample in result.beyond}) == len(result.beyond)


def test_what_is_not_decided_is_named_by_an_action_of_each_class() -> None:
    result = within(Sides((OWN,)), Sides((POLICIES["get"],)), caller=ROLE)
    assert not result.holds
    assert result.beyond == ()
    assert [action for action, _ in result.undecided] == ["s3:AbortMultipartUpload", "s3:GetObject"]
    assert all("policy variable" in why for _, why in result.undecided)
    # Equal texts mean the same, whatever they mean.
    assert within(Sides((OWN,)), Sides((OWN,)), caller=ROLE).holds
    assert within(Sides((OWN,)), Sides((identity({"Action": "s3:*"}, {"Action": "ec2:*"}),)), caller=ROLE).undecided


BOUNDS: dict[str, Policy | None] = {
    "no boundary": None,
    "all": policy("boundary", {}),
    "s3": policy("boundary", {"Action": "s3:*"}),
    "get": policy("boundary", {"Action": "s3:GetObject"}),
    "empty": policy("boundary"),
    "no put": policy("boundary", {}, {**DENY, "Action": "s3:Put*"}),
}


@pytest.mark.parametrize(("mine", "theirs"), list(itertools.product(BOUNDS, BOUNDS)))
def test_boundaries_are_compared_too(mine: str, theirs: str) -> None:
    """Plain answers, which need no proof, and the others."""
    one, other = (
        Sides((identity({"Action": ["s3:GetObject", "s3:PutObject"]}),), BOUNDS[name]) for name in (mine, theirs)
    )
    result = within(one, other, caller=ROLE)
    had, has = (answers(REQUESTS, sides.keywords) for sides in (one, other))
    assert bool(result.beyond) is any(allowed and not also for allowed, also in zip(had, has, strict=True))
    assert not result.undecided
    confirmed(result, one, other)


MANY = [f"{BUCKET}/{number}/*" for number in range(12)]


@pytest.mark.parametrize(
    ("theirs", "shown_on"),
    [
        ([f"{BUCKET}/{digit}*" for digit in range(10)], []),
        (MANY, []),
        (MANY[1:], [f"{BUCKET}/0/x"]),
        (MANY[:-1], [f"{BUCKET}/11/x"]),
        ([f"{BUCKET}/?/*"], [f"{BUCKET}/10/x"]),
    ],
)
def test_what_is_too_much_at_once_is_asked_piece_by_piece(theirs: list[str], shown_on: list[str]) -> None:
    one = Sides((identity({"Action": "s3:GetObject", "Resource": MANY}),))
    other = Sides((identity({"Action": "s3:Get*", "Resource": theirs}),))
    result = within(one, other, caller=ROLE, limits=Limits(steps=0))
    confirmed(result, one, other)
    assert [counterexample.request.resource for counterexample in result.beyond] == shown_on
    assert [counterexample.request.principal for counterexample in result.beyond] == [SESSION] * len(shown_on)
    assert [counterexample.statement for counterexample in result.beyond] == [0] * len(shown_on)
    assert result.holds is not bool(shown_on)


def test_a_class_whose_pieces_are_too_much_is_undecided_and_says_why() -> None:
    one = Sides((identity({"Action": "s3:GetObject", "Resource": MANY, "Condition": RED | TEN}),))
    other = Sides((identity({"Action": "s3:GetObject", "Resource": f"{BUCKET}/*", "Condition": RED}),))
    short = within(one, other, caller=ROLE, limits=Limits(steps=0))
    assert short.undecided == (("s3:GetObject", "it takes more than 0 steps"),)
    assert not short.holds
    assert within(one, other, caller=ROLE).holds
    lone = Sides((identity({"Action": "s3:GetObject", "Resource": MANY[0], "Condition": RED | TEN}),))
    assert within(lone, other, caller=ROLE, limits=Limits(steps=0)).undecided == short.undecided


def test_a_sign_that_is_spelt_is_no_wildcard() -> None:
    one = Sides((identity({"Action": "s3:GetObject", "Resource": f"{BUCKET}/*"}),))
    other = Sides((identity({"Action": "s3:GetObject", "Resource": f"{BUCKET}/${{*}}"}),))
    for limits in (Limits(steps=0), Limits()):
        assert not within(one, other, caller=ROLE, limits=limits).holds
        assert within(other, other, caller=ROLE, limits=limits).holds


def same(one: Sides, other: Sides, requests: list[Request]) -> None:
    for request in requests:
        mine, theirs = (decide(request, **sides.keywords).outcome for sides in (one, other))
        assert mine == theirs, (request, mine, theirs)


BOTH = Sides(
    (
        POLICIES["two"],
        POLICIES["not bucket"],
        OWN,
        identity({"NotAction": "s3:*", "Condition": TEN}, {**DENY, "Action": "ec2:*", "Condition": RED}),
        identity({**DENY, "NotAction": ["s3:*", "iam:*"], "Resource": f"{OTHER}/*"}),
    ),
    policy(
        "boundary", {"NotResource": f"{BUCKET}/b"}, {"Action": "s3:Get*"}, {**DENY, "Action": "kms:*", "Condition": TEN}
    ),
)


@pytest.mark.parametrize("action", ACTIONS)
def test_cut_down_to_an_action_the_answers_stay(action: str) -> None:
    left = of_action(BOTH, action)
    same(BOTH, left, [request for request in REQUESTS if request.action == action])
    assert all(statement.actions == (action,) and not statement.not_action for statement in left.statements)
    assert len(left.identity) == len(BOTH.identity)
    assert len(left.statements) < len(BOTH.statements)


@pytest.mark.parametrize(
    "patterns", [(f"{BUCKET}/*",), (BUCKET,), (f"{OTHER}/a", f"{BUCKET}/b"), ("*",), ("arn:aws:iam::*:role/*",)]
)
def test_cut_down_to_resources_the_answers_stay(patterns: tuple[str, ...]) -> None:
    from valetkey.policy.globs import matches

    left = on_resources(BOTH, *patterns)
    same(
        BOTH, left, [request for request in REQUESTS if any(matches(pattern, request.resource) for pattern in patterns)]
    )
    assert len(left.identity) == len(BOTH.identity)


def test_cut_down_to_resources_what_is_far_goes() -> None:
    sides = Sides(
        (
            identity(
                {"Action": "s3:*", "Resource": [f"{BUCKET}/a", f"{OTHER}/a"]},
                {"Action": "s3:*", "Resource": f"{OTHER}/a"},
                {"Action": "s3:*", "NotResource": [f"{BUCKET}/b", f"{OTHER}/b"]},
                {"Action": "s3:*", "NotResource": f"{OTHER}/b"},
                {"Action": "s3:*", "Resource": "*"},
            ),
        )
    )
    left = on_resources(sides, f"{BUCKET}/*")
    assert [(statement.resources, statement.not_resource) for statement in left.statements] == [
        ((f"{BUCKET}/a",), False),
        ((f"{BUCKET}/b",), True),
        (("*",), False),
        (("*",), False),
    ]
    assert on_resources(sides, "*") == sides
    (whole,) = on_resources(sides, "*").identity
    assert whole is sides.identity[0]


def test_cut_down_to_calls_without_a_resource_the_answers_stay() -> None:
    same(BOTH, on_bare(BOTH), [request for request in REQUESTS if request.resource == "*"])
    sides = Sides(
        (
            identity(
                {"Resource": "*"},
                {"Resource": "arn:*"},
                {"NotResource": "arn:*"},
                {"NotResource": "*"},
                {"Resource": "arn:aws:s3:::${aws:username}"},
            ),
        )
    )
    assert [statement.index for statement in on_bare(sides).statements] == [0, 2, 4]


@pytest.mark.parametrize(
    "known", [{}, {TAG.lower(): "red"}, {TAG.lower(): "b"}, {IP.lower(): "10.0.0.1"}, {IP.lower(): "192.0.2.1"}]
)
def test_cut_down_to_known_keys_the_answers_stay(known: dict[str, str]) -> None:
    left = with_known(BOTH, known)
    same(
        BOTH,
        left,
        [request for request in REQUESTS if all(request.keys.get(key) == value for key, value in known.items())],
    )
    if not known:
        assert left == BOTH
    if TAG.lower() in known:
        assert not any("${" in text for item in left.statements for text in item.resources or ())
    assert not any(
        condition.key.lower() in known for statement in left.statements for condition in statement.conditions
    )


def test_a_condition_that_aws_does_not_document_stays() -> None:
    sides = Sides(
        (identity({"Condition": {"StringEquals": {TAG: []}}}, {"Condition": on("StringEquals", TAG, "${x:y}")}),)
    )
    assert with_known(sides, {TAG.lower(): "red"}) == sides


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:PutObject", "kms:Decrypt", "iam:PassRole"])
@pytest.mark.parametrize("name", POLICIES)
def test_what_a_statement_covers_can_go(name: str, action: str) -> None:
    whole = Sides((POLICIES[name], identity({}, {"Action": "s3:*"}), identity({**DENY, "Action": "kms:*"})))
    cut = of_action(whole, action)
    left = without_covered(cut, "*")
    same(cut, left, [request for request in REQUESTS if request.action == action])
    assert len([statement for statement in left.statements if statement.effect == "Allow"]) == 1
    assert len(left.identity) == 3
    near = of_action(Sides((POLICIES[name],)), action)
    for pattern in (f"{BUCKET}/*", f"{OTHER}/a"):
        here = [
            request
            for request in REQUESTS
            if request.action == action and request.resource.startswith(pattern.rstrip("*"))
        ]
        same(near, without_covered(near, pattern), here)


@pytest.mark.parametrize(
    ("statement", "pattern", "whole"),
    [
        ({}, "*", True),
        ({"Resource": f"{BUCKET}/*"}, f"{BUCKET}/a", True),
        ({"Resource": [f"{OTHER}/*", f"{BUCKET}/*"]}, f"{BUCKET}/a*", True),
        ({"Resource": f"{BUCKET}/*"}, "*", False),
        ({"Condition": RED}, "*", False),
        ({"NotResource": f"{BUCKET}/*"}, f"{OTHER}/*", False),
        ({"NotAction": "iam:*"}, "*", False),
        ({"Action": []}, "*", False),
        ({"Resource": []}, "*", False),
        (DENY, "*", False),
    ],
)
def test_whether_everything_is_allowed(statement: dict[str, Any], pattern: str, whole: bool) -> None:
    sides = Sides((identity(statement),))
    assert always(sides, pattern) is whole
    bound = policy("boundary", *([statement] if statement != DENY else []))
    assert always(Sides((identity({}),), bound), pattern) is whole
    assert always(Sides((identity(statement, {}),)), pattern)
    assert not always(Sides((identity({}),), policy("boundary")), pattern)
    assert always(sides, pattern, "arn:aws:ec2:::x") is (whole and pattern == "*")


def test_one_statement_on_one_of_its_resources_and_the_denies() -> None:
    first = identity({"Action": "s3:*", "Resource": [f"{BUCKET}/a", f"{BUCKET}/b"]}, {**DENY, "Action": "s3:Put*"})
    second = identity({"Action": "iam:*"}, {**DENY, "Action": "s3:List*"})
    bound = policy("boundary", {})
    left = only(Sides((first, second), bound), 0, first.statements[0], f"{BUCKET}/b")
    assert [
        [(statement.effect, statement.actions, statement.resources) for statement in policy_.statements]
        for policy_ in left.identity
    ] == [
        [("Allow", ("s3:*",), (f"{BUCKET}/b",)), ("Deny", ("s3:Put*",), ("*",))],
        [("Deny", ("s3:List*",), ("*",))],
    ]
    assert left.boundary is bound
    get = Request(SESSION, "s3:GetObject", f"{BUCKET}/b", OWNER)
    assert decide(get, **left.keywords).allowed
    assert not decide(Request(SESSION, "s3:GetObject", f"{BUCKET}/a", OWNER), **left.keywords).allowed
    assert not decide(Request(SESSION, "s3:PutObject", f"{BUCKET}/b", OWNER), **left.keywords).allowed


def test_sides_as_keywords() -> None:
    mine = identity({})
    assert Sides((mine,)).keywords == {"identity": (mine,)}
    bound = policy("boundary", {"Action": "s3:*"})
    assert Sides((mine,), bound).keywords == {"identity": (mine,), "boundary": (bound,)}
    assert Sides((mine,), bound).statements == (*mine.statements, *bound.statements)
