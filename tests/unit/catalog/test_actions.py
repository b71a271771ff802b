from __future__ import annotations

import pytest

from valetkey.catalog.actions import expand, level, resources


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


def test_a_resource_type_with_arns_of_two_forms_has_both() -> None:
    """The Service Authorization Reference lists both forms in one cell (Amazon API Gateway Management V2, Lex)."""
    result = resources("lex:DescribeBot", "aws-cn")
    assert result == (("arn:aws-cn:lex:*:*:bot/*", "arn:aws-cn:lex:*:*:bot:*"), False)


def test_every_resource_is_one_arn_pattern() -> None:
    for service in ("apigateway", "greengrass", "lex", "s3", "iam"):
        for action in expand(f"{service}:*"):
            patterns, _ = resources(action, "aws") or ((), True)
            assert [
                pattern
                for pattern in patterns
                if "," in pattern or " " in pattern or not pattern.startswith("arn:aws:")
            ] == []
