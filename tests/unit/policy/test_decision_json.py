"""A question as JSON: what is refused, and where in the question it is."""

from __future__ import annotations

import json

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
