"""Fault rules: which call they hit, and how often."""

from __future__ import annotations

from typing import Any

import pytest

from valetkey.sandbox.faults import Fault, FaultError, Faults, read_fault

HERE, OTHER = "111122223333", "444455556666"


def hits(rule: Fault, *calls: tuple[str, str]) -> list[bool]:
    faults = Faults()
    faults.add(rule)
    return [faults.strike(action, account) is rule for action, account in calls]


def test_a_rule_hits_the_nth_matching_call_only() -> None:
    rule = Fault(kind="500", operation="CreateRole", nth=2)
    calls = [("iam:CreateRole", HERE), ("iam:GetRole", HERE), ("iam:CreateRole", HERE), ("iam:CreateRole", HERE)]
    assert hits(rule, *calls) == [False, False, True, False]


@pytest.mark.parametrize(("times", "expected"), [(2, [False, True, True, False]), (None, [False, True, True, True])])
def test_times_says_how_many(times: int | None, expected: list[bool]) -> None:
    assert hits(Fault(kind="503", nth=2, times=times), *[("iam:GetRole", HERE)] * 4) == expected


@pytest.mark.parametrize(
    ("narrow", "call"),
    [
        ({"service": "sts"}, ("iam:CreateRole", HERE)),
        ({"operation": "GetRole"}, ("iam:CreateRole", HERE)),
        ({"account": OTHER}, ("iam:CreateRole", HERE)),
    ],
)
def test_what_does_not_match_is_neither_hit_nor_counted(narrow: dict[str, Any], call: tuple[str, str]) -> None:
    rule = Fault(kind="drop", **narrow)
    matching = (f"{rule.service or 'iam'}:{rule.operation or 'CreateRole'}", rule.account or HERE)
    assert hits(rule, call, call, matching) == [False, False, True]


def test_the_first_rule_due_wins_and_the_others_count_too() -> None:
    faults = Faults()
    first, second = Fault(kind="throttle", nth=2), Fault(kind="500", nth=2, times=2)
    faults.add(first)
    faults.add(second)
    assert [faults.strike("iam:GetRole", HERE) for _ in range(4)] == [None, first, second, None]


def test_clear_removes_one_account_or_everything() -> None:
    faults = Faults()
    for account in (HERE, OTHER, None):
        faults.add(Fault(kind="500", account=account, times=None))
    faults.clear(HERE)
    fault = faults.strike("iam:GetRole", HERE)
    assert fault is not None
    assert fault.account is None
    faults.clear()
    assert faults.strike("iam:GetRole", OTHER) is None


def test_a_rule_is_read_from_json_in_either_spelling() -> None:
    plain = {"kind": "latency", "service": "iam", "operation": "attach_role_policy", "seconds": 0.5, "times": None}
    assert read_fault(plain) == Fault(
        kind="latency", service="iam", operation="AttachRolePolicy", seconds=0.5, times=None
    )
    assert read_fault({"kind": "deny"}) == Fault(kind="deny")


@pytest.mark.parametrize(
    ("plain", "place"),
    [
        ({}, "$.kind"),
        ({"kind": "explode"}, "$.kind"),
        ({"kind": ["500"]}, "$.kind"),
        ({"kind": "500", "nth": 0}, "$.nth"),
        ({"kind": "500", "nth": True}, "$.nth"),
        ({"kind": "500", "times": "2"}, "$.times"),
        ({"kind": "latency", "seconds": 61}, "$.seconds"),
        ({"kind": "latency", "seconds": float("nan")}, "$.seconds"),
        ({"kind": "500", "account": 111122223333}, "$.account"),
        ({"kind": "500", "region": "x"}, "$.region"),
    ],
)
def test_what_is_no_rule_is_refused_with_its_place(plain: dict[str, Any], place: str) -> None:
    with pytest.raises(FaultError) as caught:
        read_fault(plain)
    assert caught.value.where == place
