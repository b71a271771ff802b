"""A question as JSON: what is refused, and where in the question it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from valetkey.errors import PolicyError
from valetkey.policy.decision_json import answer

ME = "arn:aws:iam::111111111111:user/me"


@pytest.mark.parametrize("value", [{}, {"a": "b"}])
def test_a_condition_key_with_an_object_as_value_is_refused(value: object) -> None:
    """An empty object would otherwise be read as an empty list, which takes the key out of the request."""
    request = {"principal": ME, "action": "s3:GetObject", "context": {"aws:SourceIp": "192.0.2.1", "x:y": value}}
    with pytest.raises(PolicyError, match="the value of a condition key cannot be an object") as caught:
        answer(json.dumps({"request": request}))
    assert caught.value.where == "$.request.context['x:y']"


REQUEST = {"principal": ME, "action": "s3:GetObject"}
ALL = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
NONE: dict[str, Any] = {"Statement": []}
EVERYBODY = {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}
DOOR = {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}}
ASSUME = {"principal": ME, "action": "sts:AssumeRole", "resource": "arn:aws:iam::111111111111:role/door"}


def outcome(**parts: Any) -> str:
    return answer(json.dumps({"request": REQUEST, **parts})).outcome


def test_every_side_is_read_as_its_kind_and_counts() -> None:
    assert outcome(identity=ALL) == "allowed"
    assert outcome(identity=json.dumps(ALL)) == "allowed"
    assert outcome(identity=[NONE, json.dumps(ALL)]) == "allowed"
    assert outcome(identity=[]) == "implicit_deny"
    assert outcome(identity=None) == "implicit_deny"
    assert outcome(resource=EVERYBODY) == "allowed"
    assert outcome(request=ASSUME, trust=DOOR) == "allowed"
    for side in ("boundary", "session"):
        assert outcome(identity=ALL, **{side: ALL}) == "allowed"
        assert outcome(identity=ALL, **{side: NONE}) == "implicit_deny"
        assert outcome(identity=ALL, **{side: None}) == "allowed"
    assert outcome(identity=ALL, scps=[[ALL], ALL]) == "allowed"
    assert outcome(identity=ALL, scps=[[ALL], NONE]) == "implicit_deny"
    assert outcome(identity=ALL, scps=[]) == outcome(identity=ALL, scps=None) == "allowed"
    shut = {"Statement": {**EVERYBODY["Statement"], "Effect": "Deny"}}
    assert outcome(identity=ALL, rcps=[[EVERYBODY], json.dumps(shut)]) == "explicit_deny"


def test_every_part_of_a_request_counts_and_null_is_none() -> None:
    on = {"request": {**REQUEST, "resource": "arn:aws:s3:::b", "resource_account": None, "context": None}}
    assert outcome(identity=ALL, **on) == "allowed"
    assert outcome(identity=ALL, request={**REQUEST, "resource_account": "222222222222"}) == "implicit_deny"
    tagged = {"Statement": {**ALL["Statement"], "Condition": {"StringEquals": {"x:y": "1"}}}}
    assert outcome(identity=tagged) == "implicit_deny"
    assert outcome(identity=tagged, request={**REQUEST, "context": {"x:y": "1"}}) == "allowed"
    assert outcome(identity=tagged, request={**REQUEST, "context": {"x:y": ["1"]}}) == "allowed"
    assert outcome(identity=ALL, request={**REQUEST, "action": ["s3:GetObject", "s3:PutObject"]}) == "allowed"


PARTS = "known: request, trust, resource, identity, boundary, session, scps, rcps"


@pytest.mark.parametrize(
    ("given", "what", "do", "where"),
    [
        ([], "expected an object, not a list", "write { ... }", "$"),
        ({}, "the input has no request", 'add "request": {"principal": ..., "action": ...}', "$"),
        ({"reqest": 1}, "'reqest' is not a known part of the input", PARTS, "$.reqest"),
        ({"request": REQUEST, "x y": 1}, "'x y' is not a known part of the input", PARTS, "$['x y']"),
        ({"request": 5}, "expected an object, not a number", "write { ... }", "$.request"),
        (
            {"request": {**REQUEST, "x": 1}},
            "'x' is not a known part of a request",
            "known: principal, action, resource, resource_account, context",
            "$.request.x",
        ),
        ({"request": {"principal": ME}}, "the request has no action", "add it", "$.request"),
        ({"request": {"action": "a:b"}}, "the request has no principal", "add it", "$.request"),
        (
            {"request": {**REQUEST, "context": 5}},
            "expected an object, not a number",
            "write { ... }",
            "$.request.context",
        ),
        (
            {"request": {**REQUEST, "resource": ""}},
            "'' is not a resource",
            "give an ARN, or * for none",
            "$.request.resource",
        ),
        (
            {"request": {**REQUEST, "principal": 5}},
            "the request's principal and resource are strings",
            "write each as one string",
            "$.request",
        ),
        ({"request": REQUEST, "scps": ALL}, "expected a list", "write [ ... ]", "$.scps"),
        ({"request": REQUEST, "rcps": "x"}, "expected a list", "write [ ... ]", "$.rcps"),
        (
            {"request": REQUEST, "scps": [[ALL], [ALL, 5]]},
            "expected an object, not a number",
            "write { ... }",
            "$.scps[1][1]",
        ),
        ({"request": REQUEST, "scps": [ALL, {}]}, "the policy has no Statement", "add one", "$.scps[1]"),
        ({"request": REQUEST, "identity": [ALL, {}]}, "the policy has no Statement", "add one", "$.identity[1]"),
        ({"request": REQUEST, "session": {}}, "the policy has no Statement", "add one", "$.session"),
        (
            {"request": REQUEST, "identity": "nul"},
            "the document is not JSON: Expecting value in line 1, column 1",
            "correct the JSON",
            "$.identity",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(given: Any, what: str, do: str, where: str) -> None:
    with pytest.raises(PolicyError) as caught:
        answer(json.dumps(given))
    assert (caught.value.what, caught.value.do, caught.value.where) == (what, do, where)


def test_a_question_has_a_mebibyte_and_each_policy_what_a_document_may_have() -> None:
    text = json.dumps({"request": REQUEST, "identity": ALL})
    assert answer(text.ljust(1_048_576)).allowed
    with pytest.raises(PolicyError) as caught:
        answer(text.ljust(1_048_577))
    assert (caught.value.what, caught.value.do, caught.value.where) == (
        "the document has 1048577 characters",
        "1048576 at most are read",
        "$",
    )
    assert outcome(identity=json.dumps(ALL).ljust(262_144)) == "allowed"
    with pytest.raises(PolicyError) as caught:
        outcome(identity=json.dumps(ALL).ljust(262_145))
    assert (caught.value.what, caught.value.where) == ("the document has 262145 characters", "$.identity")
