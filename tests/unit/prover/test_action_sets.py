"""Sets of actions as bits, against the lists that they stand for."""

from __future__ import annotations

import pytest

from valetkey.catalog.actions import every, expand, level
from valetkey.catalog.outliving_credentials import UNLISTED
from valetkey.prover.action_classes import classes
from valetkey.prover.action_sets import LEVELS, covered, everything, index, levels, listed_by_aws, numbered


@pytest.fixture(scope="module")
def missing() -> frozenset[str]:
    """Actions that are counted although AWS does not list them. Every service's list is read for it."""
    return frozenset(action.lower() for action in UNLISTED) - {action.lower() for action in expand("*")}


def named(bits: int) -> set[str]:
    return {action for action, number in index().items() if bits >> number & 1}


def lower(*patterns: str) -> set[str]:
    return {action.lower() for pattern in patterns for action in expand(pattern)}


def test_every_action_has_a_bit_of_its_own_from_1_on(missing: frozenset[str]) -> None:
    numbers = list(index().values())
    assert numbers == list(range(1, len(numbers) + 1))
    assert named(everything()) == set(index()) == lower("*") | missing
    assert everything() & 1 == 0
    assert everything().bit_count() == len(index())
    assert named(listed_by_aws()) == lower("*") - {action.lower() for action in UNLISTED}
    assert index() is index()  # made once


@pytest.mark.parametrize(
    "patterns",
    [
        ("s3:GetObject",),
        ("S3:getOBJECT", "iam:*"),
        ("s3:Get*", "s3:Put*"),
        ("sts:*",),
        ("*:Describe*",),
        ("s3:NotYet",),
    ],
)
def test_what_an_element_covers(missing: frozenset[str], patterns: tuple[str, ...]) -> None:
    result = covered(patterns, False)
    beyond = {item for item in missing if any(item.startswith(p.lower().rstrip("*")) for p in patterns if p[-1] == "*")}
    assert named(result) == lower(*patterns) | (beyond if not patterns[0].startswith("*") else named(result) & missing)
    assert result & covered(patterns, True) == 0
    assert result | covered(patterns, True) == everything()


def test_an_element_of_everything_and_one_of_nothing() -> None:
    assert covered(("*",), False) == everything()
    assert covered(("*",), True) == 0
    assert covered((), False) == 0
    assert covered((), True) == everything()


def test_some_actions_together_and_each() -> None:
    together, each = numbered(("s3:GetObject", "S3:GetObject", "iam:PassRole", "s3:NotYet"))
    assert set(each) == {"s3:GetObject", "S3:GetObject", "iam:PassRole"}
    assert each["s3:GetObject"] == each["S3:GetObject"] == index()["s3:getobject"]
    assert named(together) == {"s3:getobject", "iam:passrole"}


@pytest.mark.parametrize("patterns", [("s3:*",), ("iam:*", "sts:*"), ("*",), ("ec2:*", "s3:*", "iam:*", "a*:*")])
def test_the_levels_of_many_and_of_few(patterns: tuple[str, ...]) -> None:
    bits = covered(patterns, False)
    counted = dict.fromkeys(LEVELS, 0)
    for action in named(bits):
        counted[level(action) or "Write"] += 1
    assert levels(bits) == counted
    assert sum(counted.values()) == bits.bit_count()
    assert levels(0) == dict.fromkeys(LEVELS, 0)


def test_an_action_of_every_class() -> None:
    get, reads, iam = ("s3:GetObject",), ("s3:Get*",), ("iam:*", "s3:NotYet")
    result, rows = classes([get, reads, iam, get], ("sts:AssumeRole",), only=False)
    covering = {
        action: tuple(rows[item] >> place & 1 for item in (get, reads, iam)) for place, action in enumerate(result)
    }
    assert covering == {
        "sts:AssumeRole": (0, 0, 0),
        "s3:NotYet": (0, 0, 1),
        "s3:GetObject": (1, 1, 0),
        "s3:GetAccelerateConfiguration": (0, 1, 0),
        "a2c:GetContainerizationJobDetails": (0, 0, 0),
        "kms:CancelKeyDeletion": (0, 0, 0),
    }
    assert result[:2] == ["sts:AssumeRole", "s3:NotYet"]
    only, apart = classes([("sts:*",), ("sts:TagSession",)], ("sts:AssumeRole", "sts:TagSession"), only=True)
    assert only == ["sts:AssumeRole", "sts:TagSession"]
    assert apart == {("sts:*",): 0b11, ("sts:TagSession",): 0b10}


def test_an_action_that_aws_does_not_list_has_a_class() -> None:
    result, rows = classes([("s3:NotYet",), ("x?:New*",), ("nothing",)], (), only=False)
    assert "s3:NotYet" in result
    assert "xx:NewUnlisted" in result
    assert not any(":" not in action for action in result)
    assert rows[("nothing",)] == 0
    assert rows[("s3:NotYet",)] == 1 << result.index("s3:NotYet")
    assert len(every()) > 15_000
