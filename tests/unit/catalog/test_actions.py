from __future__ import annotations

import pytest

from valetkey.catalog.actions import expand, level


@pytest.mark.parametrize(
    ("action", "answer"),
    [
        ("s3:GetObject", "Read"),
        ("S3:getobject", "Read"),
        ("s3:ListBucket", "List"),
        ("iam:CreateRole", "Write"),
        ("iam:PutRolePolicy", "Permissions management"),
        ("iam:TagRole", "Tagging"),
        ("sts:AssumeRole", "Write"),
        ("s3:Nonsense", None),
        ("nonsense:GetObject", None),
        ("../sts:AssumeRole", None),
        ("GetObject", None),
        ("", None),
    ],
)
def test_the_level_of_an_action(action: str, answer: str | None) -> None:
    assert level(action) == answer


def test_a_pattern_is_expanded() -> None:
    assert "s3:GetObject" in expand("S3:get*")
    assert expand("sts:assumerole") == ("sts:AssumeRole",)
    assert set(expand("sts:AssumeRoleWith*")) == {"sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"}
    assert "iam:CreateRole" in expand("*")
    assert expand("*:*") == expand("*")
    assert "iam:GetRole" in expand("i*:Get????")


@pytest.mark.parametrize("pattern", ["", "s3", "nonsense:*", "s3:Nonsense*", "../../x:*"])
def test_a_pattern_that_covers_nothing_is_empty(pattern: str) -> None:
    assert expand(pattern) == ()
