"""What a request may be, and what follows from its principal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from valetkey.errors import PolicyError
from valetkey.policy import Request

A = "111111111111"
BOB = f"arn:aws:iam::{A}:user/team/bob"


def request(**parts: Any) -> Request:
    return Request(**{"principal": BOB, "action": "sts:AssumeRole"} | parts)


@pytest.mark.parametrize(
    ("principal", "derived"),
    [
        (
            BOB,
            {
                "aws:principalarn": BOB,
                "aws:principalaccount": A,
                "aws:principaltype": "User",
                "aws:username": "bob",
                "aws:principalisawsservice": "false",
            },
        ),
        (
            f"arn:aws-cn:sts::{A}:assumed-role/worker/s1",
            {
                "aws:principalarn": f"arn:aws-cn:iam::{A}:role/worker",
                "aws:principalaccount": A,
                "aws:principaltype": "AssumedRole",
                "aws:principalisawsservice": "false",
            },
        ),
        (
            f"arn:aws:iam::{A}:role/team/worker",
            {
                "aws:principalarn": f"arn:aws:iam::{A}:role/team/worker",
                "aws:principalaccount": A,
                "aws:principaltype": "AssumedRole",
                "aws:principalisawsservice": "false",
            },
        ),
        (
            f"arn:aws:iam::{A}:root",
            {
                "aws:principalarn": f"arn:aws:iam::{A}:root",
                "aws:principalaccount": A,
                "aws:principaltype": "Account",
                "aws:userid": A,
                "aws:principalisawsservice": "false",
            },
        ),
        (
            f"arn:aws:sts::{A}:federated-user/ann",
            {
                "aws:principalarn": f"arn:aws:sts::{A}:federated-user/ann",
                "aws:principalaccount": A,
                "aws:principaltype": "FederatedUser",
                "aws:userid": f"{A}:ann",
                "aws:principalisawsservice": "false",
            },
        ),
        ("ec2.amazonaws.com", {"aws:principalisawsservice": "true", "aws:principalservicename": "ec2.amazonaws.com"}),
        (f"arn:aws:iam::{A}:saml-provider/ADFS", {}),
        (f"arn:aws:iam::{A}:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC", {}),
        ("token.actions.githubusercontent.com", {}),
        ("cognito-identity.amazonaws.com", {}),
        ("oidc.eks.eu-west-1.amazonaws.com/id/ABC", {}),
        ("anonymous", {"aws:principaltype": "Anonymous", "aws:userid": "anonymous"}),
    ],
)
def test_keys_that_follow_from_the_principal(principal: str, derived: dict[str, str]) -> None:
    assert request(principal=principal).keys == derived
    # What the context says wins; an empty list takes a key away.
    for name in derived:
        assert request(principal=principal, context={name.upper(): "other"}).keys[name] == "other"
        assert name not in request(principal=principal, context={name: []}).keys


@pytest.mark.parametrize(
    "parts",
    [
        {"principal": ""},
        {"principal": "*"},
        {"principal": A},
        {"principal": "bob"},
        {"principal": f"arn:aws:iam::{A}:group/g"},
        {"principal": f"arn:aws:iam::{A}:user/"},
        {"principal": "arn:aws:iam::aws:root"},
        {"principal": f"arn:aws:sts::{A}:assumed-role/worker"},
        {"principal": f"arn:aws:sts::{A}:assumed-role/a/b/c"},
        {"principal": "arn:aws:s3:::bucket"},
        {"principal": "a.b" * 100_000},
        {"principal": "\ud800.com"},
        {"principal": None},
        {"principal": [BOB]},
        {"action": ""},
        {"action": "AssumeRole"},
        {"action": "sts:"},
        {"action": ":x"},
        {"action": "sts:*"},
        {"action": "sts:Assume?ole"},
        {"action": "s" * 10_000 + ":x"},
        {"action": None},
        {"action": []},
        {"action": ["sts:AssumeRole", 5]},
        {"action": {"sts:AssumeRole"}},
        {"resource": ""},
        {"resource": None},
        {"resource": "x" * 1_000_000},
        {"resource": "arn:aws:s3:::\ud800"},
        {"resource_account": "123"},
        {"resource_account": 111111111111},
        {"resource_account": ["1"]},
        {"context": None},
        {"context": []},
        {"context": {5: "x"}},
        {"context": {"aws:x": True}},
        {"context": {"aws:x": 5}},
        {"context": {"aws:x": None}},
        {"context": {"aws:x": ["a", 5]}},
        {"context": {"aws:x": {"a": "b"}}},
        {"context": {"aws:x": "a", "AWS:X": "a"}},
        {"context": {"aws:x": "\udc2a"}},
        {"context": {"aws:x": ["a", "\udc2a"]}},
        {"context": {"\udc2a": "a"}},
        {"context": {"aws:x": "a" * 100_000}},
        {"context": {"aws:x": ["a"] * 10_000}},
        {"context": {f"aws:{n}": "a" for n in range(10_000)}},
    ],
    ids=lambda parts: repr(parts)[:60],
)
def test_what_cannot_be_read_is_refused(parts: dict[str, Any]) -> None:
    with pytest.raises(PolicyError) as refusal:
        request(**parts)
    assert refusal.value.do
    assert len(str(refusal.value)) < 400


def test_a_request_can_be_changed_into_another() -> None:
    first = request(context={"aws:x": "1"})
    second = replace(first, context={"aws:x": "2"}, principal=f"arn:aws:iam::{A}:root")
    assert second.keys["aws:x"] == "2"
    assert second.caller.kind == "root"
    with pytest.raises(AttributeError):
        first.action = "x:y"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("parts", "same"),
    [
        ({"resource": f"arn:aws:iam::{A}:role/r"}, True),
        ({"resource": "arn:aws:iam::222222222222:role/r"}, False),
        ({"resource": f"arn:aws-cn:iam::{A}:role/r"}, False),
        ({"resource": "arn:aws:s3:::b"}, True),
        ({"resource": "arn:aws:s3:::b", "resource_account": A}, True),
        ({"resource": "arn:aws:s3:::b", "resource_account": "222222222222"}, False),
        ({"resource": f"arn:aws:iam::{A}:role/r", "resource_account": "222222222222"}, False),
        ({}, True),
        ({"principal": "ec2.amazonaws.com", "resource": f"arn:aws:iam::{A}:role/r"}, False),
    ],
)
def test_whose_resource_it_is(parts: dict[str, Any], same: bool) -> None:
    assert request(**parts).same_account is same


USER = f"arn:aws:iam::{A}:user/b"


@pytest.mark.parametrize(
    ("parts", "what", "do", "where"),
    [
        ({"principal": 5}, "the request's principal and resource are strings", "write each as one string", ""),
        ({"resource": 5}, "the request's principal and resource are strings", "write each as one string", ""),
        ({"resource": ""}, "'' is not a resource", "give an ARN, or * for none", "resource"),
        ({"resource_account": "1"}, "'1' is not an account id", "use 12 digits", "resource_account"),
        ({"resource_account": 1}, "int is not an account id", "use 12 digits", "resource_account"),
        ({"action": "x"}, "'x' is not an action", "write one like sts:AssumeRole", "action"),
        ({"action": "a b:c"}, "'a b:c' is not an action", "write one like sts:AssumeRole", "action"),
        ({"action": "-:c"}, "'-:c' is not an action", "write one like sts:AssumeRole", "action"),
        ({"action": "a:b c"}, "'a:b c' is not an action", "write one like sts:AssumeRole", "action"),
        ({"action": "a:b:c"}, "'a:b:c' is not an action", "write one like sts:AssumeRole", "action"),
        ({"action": "a:\t"}, "'a:\\t' is not an action", "write one like sts:AssumeRole", "action"),
        ({"action": "\xe9:b"}, "'\\xe9:b' is not an action", "write one like sts:AssumeRole", "action"),
        ({"action": "a:\xe9"}, "'a:\\xe9' is not an action", "write one like sts:AssumeRole", "action"),
        ({"action": ()}, "the request's action is a string or a list of strings", "write sts:AssumeRole", "action"),
        ({"action": 5}, "the request's action is a string or a list of strings", "write sts:AssumeRole", "action"),
        ({"action": [5]}, "an action is a string, not int", "write sts:AssumeRole", "action"),
        (
            {"context": 5},
            "the context is an object of condition keys",
            'write {"aws:SourceIp": "192.0.2.1"}',
            "context",
        ),
        ({"context": {5: ""}}, "int is not a condition key", "write each key as a string", "context"),
        ({"context": {"\ud800": ""}}, "'\\ud800' is not a condition key", "write each key as a string", "context"),
        (
            {"context": {"a:B": "", "A:b": ""}},
            "the key 'A:b' is given twice",
            "give it once; case does not count",
            "context['A:b']",
        ),
        (
            {"context": {"a:b": "\ud800"}},
            "the value of 'a:b' is too long or is not a string",
            'write a string or a list of strings ("true", not true)',
            "context['a:b']",
        ),
        (
            {"context": {"a:b": 5}},
            "the value of 'a:b' is int",
            'write a string or a list of strings ("true", not true)',
            "context['a:b']",
        ),
        (
            {"context": {"a:b": ["x", 5]}},
            "a value of 'a:b' is not a string, or is too long",
            "write a list of strings",
            "context['a:b']",
        ),
        (
            {"context": {"a:b": ["\ud800"]}},
            "a value of 'a:b' is not a string, or is too long",
            "write a list of strings",
            "context['a:b']",
        ),
    ],
    ids=lambda value: repr(value)[:40] if isinstance(value, dict) else "",
)
def test_a_refusal_names_the_part(parts: dict[str, Any], what: str, do: str, where: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        request(**parts)
    assert (refusal.value.what, refusal.value.do, refusal.value.where) == (what, do, where)


@pytest.mark.parametrize(
    ("most", "more", "what"),
    [
        ({"resource": "x" * 16_384}, {"resource": "x" * 16_385}, f"'{'x' * 59}… (16387 characters) is not a resource"),
        (
            {"action": "a:" + "b" * 254},
            {"action": "a:" + "b" * 255},
            f"'a:{'b' * 57}… (259 characters) is not an action",
        ),
        (
            {"action": ["a:b"] * 100},
            {"action": ["a:b"] * 101},
            "the request's action is a string or a list of strings",
        ),
        (
            {"context": {f"a:{n}": "" for n in range(1_000)}},
            {"context": {f"a:{n}": "" for n in range(1_001)}},
            "the context is an object of condition keys",
        ),
        (
            {"context": {"a:b": "x" * 16_384}},
            {"context": {"a:b": "x" * 16_385}},
            "the value of 'a:b' is too long or is not a string",
        ),
        ({"context": {"a:b": ["x"] * 256}}, {"context": {"a:b": ["x"] * 257}}, "'a:b' has 257 values"),
        (
            {"context": {"a:b": ["x" * 16_384]}},
            {"context": {"a:b": ["x" * 16_385]}},
            "a value of 'a:b' is not a string, or is too long",
        ),
    ],
    ids=["resource", "action", "actions", "keys", "value", "values", "one of several values"],
)
def test_what_a_request_may_hold_at_most(most: dict[str, Any], more: dict[str, Any], what: str) -> None:
    request(**most)
    with pytest.raises(PolicyError) as refusal:
        request(**more)
    assert refusal.value.what == what
    assert refusal.value.do


def test_letters_other_than_ascii_are_fine_in_keys_and_values() -> None:
    asked = request(context={"aws:PrincipalTag/\xe9": "\xe9", "x:y": ["\xe9", "a"]})
    assert asked.keys["aws:principaltag/\xe9"] == "\xe9"
    assert asked.keys["x:y"] == ("\xe9", "a")


def test_a_list_of_one_is_its_value_and_an_empty_one_no_key() -> None:
    asked = request(context={"x:one": ["a"], "x:none": [], "x:two": ("a", "b")})
    own = {name: value for name, value in asked.keys.items() if name.startswith("x:")}
    assert own == {"x:one": "a", "x:two": ("a", "b")}
    assert asked.keys["aws:username"] == "bob"


def test_a_request_shows_what_was_asked_and_not_what_follows() -> None:
    asked = request(principal=USER, context={"a:b": "c"})
    assert repr(asked) == (
        f"Request(principal='{USER}', action='sts:AssumeRole', resource='*', resource_account=None, "
        "context={'a:b': 'c'})"
    )
    assert asked == request(principal=USER, context={"a:b": "c"})
    assert asked != request(principal=USER, context={"a:b": "d"})
    assert asked.actions == ("sts:assumerole",)
    assert request(action=["STS:AssumeRole", "a-b:C"]).actions == ("sts:assumerole", "a-b:c")


@pytest.mark.parametrize(
    ("principal", "resource", "same"),
    [
        (USER, f"arn:aws:iam::{A}:role/r", True),
        (USER, f"arn:aws-cn:iam::{A}:role/r", False),
        (USER, "*", True),
        (USER, "arn::s3:::b", True),
        ("ec2.amazonaws.com", f"arn:aws-cn:iam::{A}:role/r", True),
    ],
)
def test_whose_partition_it_is(principal: str, resource: str, same: bool) -> None:
    assert request(principal=principal, resource=resource).same_partition is same


@pytest.mark.parametrize("scheme", ["a", "arn ", "x", ""])
def test_what_is_not_an_arn_has_neither_partition_nor_account(scheme: str) -> None:
    asked = request(principal=USER, resource=f"{scheme}:aws-cn:iam::222222222222:role/r")
    assert asked.same_partition
    assert asked.same_account


def test_the_same_caller_and_action_are_read_once() -> None:
    assert request().caller is request(action="s3:GetObject").caller
    assert request().actions is request(principal=USER).actions
