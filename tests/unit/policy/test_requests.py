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
