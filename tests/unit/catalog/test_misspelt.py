"""Actions that do not exist are said with the near one."""

from __future__ import annotations

from typing import Any

import pytest

from valetkey.catalog.misspelt import unlisted


@pytest.mark.parametrize(
    ("action", "says"),
    [
        ("s3:GetObjekt", ["s3:GetObjekt is not an action that AWS lists: did you mean s3:GetObject?"]),
        ("S3:getobject", []),
        ("ec3:DescribeInstances", ["did you mean ec2:DescribeInstances?"]),
        ("s3:Gett*", ["s3:Gett* covers no action that AWS lists"]),
        (["s3:*", "*", "s3:GetObject*", "iam:List*"], []),
        ("nonsense", ["nonsense is not an action that AWS lists"]),
        (["s3:GetObjekt", "s3:GetObjekt"], ["did you mean s3:GetObject?"]),
    ],
)
@pytest.mark.parametrize("key", ["Action", "NotAction"])
def test_an_action_that_does_not_exist_is_said(key: str, action: Any, says: list[str]) -> None:
    statement = {"Effect": "Allow", key: action, "Resource": "*"}
    for document in ({"Statement": statement}, {"Statement": [statement]}):
        result = unlisted(document)
        assert len(result) == len(says)
        assert all(words in text for words, text in zip(says, result, strict=True))
