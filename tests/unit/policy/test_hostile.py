"""Input made to hurt: refused, or decided in bounded time. `within` is generous; the point is that nothing explodes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from valetkey.errors import PolicyError
from valetkey.policy import Decision, Request, decide, parse_policy

BOB = "arn:aws:iam::222222222222:user/bob"
MEGABYTE = "*a" * 500_000


def within(seconds: float, work: Callable[[], Any]) -> Any:
    start = time.process_time()
    done = work()
    assert time.process_time() - start < seconds
    return done


def ask(condition: dict[str, Any], context: dict[str, Any], *, caller: str = BOB) -> Decision:
    door = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Condition": condition}
    trust = parse_policy({"Version": "2012-10-17", "Statement": [door]}, kind="trust")
    answer = decide(Request(principal=caller, action="sts:AssumeRole", context=context), trust=trust)
    assert len(answer.reason) < 20_000
    return answer


@pytest.mark.parametrize(
    "more",
    [
        {"Condition": {"StringLike": {"sts:ExternalId": MEGABYTE}}},
        {"Condition": {MEGABYTE: {"sts:ExternalId": "x"}}},
        {"Condition": {"StringLike": {MEGABYTE: "x"}}},
        {"Principal": {"AWS": MEGABYTE}},
        {"Principal": {MEGABYTE: "*"}},
        {"Action": MEGABYTE},
        {"Sid": MEGABYTE},
        {MEGABYTE: MEGABYTE},
        {"Condition": {"StringEquals": {"aws:x": ["x"] * 300_000}}},
    ],
    ids=lambda more: next(iter(more))[:20],
)
def test_a_megabyte_is_refused_at_once_and_in_few_words(more: dict[str, Any]) -> None:
    door = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"} | more
    with pytest.raises(PolicyError) as refusal:
        within(2, lambda: parse_policy({"Version": "2012-10-17", "Statement": [door]}, kind="trust"))
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        ({"StringLike": {"aws:x": "*a" * 60_000 + "b"}}, "a" * 16_000),
        ({"StringLike": {"aws:x": "*" + "?a" * 60_000}}, "a" * 16_000),
        ({"StringLike": {"aws:x": "*" + "?a" * 4_000 + "b*"}}, "a" * 16_000),
        ({"StringLike": {"aws:x": "*?a" * 30_000 + "b"}}, "a" * 16_000),
        ({"StringLike": {"aws:x": ["*" + "?a" * 50 + "b*"] * 200}}, "a" * 16_000),
        ({"ArnLike": {"aws:x": "arn:aws:iam::1:" + "*a" * 60_000 + "b"}}, "arn:aws:iam::1:" + "a" * 16_000),
        ({"ArnLike": {"aws:x": ":".join(["*a" * 1_000 + "b"] * 6)}}, "arn:" + "a" * 16_000 + ":b:c:d:e"),
        ({"StringEquals": {"aws:x": "${" * 60_000}}, "a"),
        ({"StringEquals": {"aws:x": "${aws:username,'" * 7_000}}, "a"),
        ({"StringLike": {"aws:x": "*${aws:username}" * 7_000 + "!"}}, "bob" * 5_000),
        ({"StringLike": {"aws:x": ["*${aws:username}?!"] * 5_000}}, "bob" * 5_000),
        ({"StringEqualsIgnoreCase": {"aws:x": "İ" * 20_000}}, "İ" * 8_000),
        ({"NumericEquals": {"aws:x": "9" * 400}}, "9" * 16_000),
        ({"NumericEquals": {"aws:x": "1e999"}}, "1e-999"),
        ({"DateEquals": {"aws:x": "9" * 18}}, "9999-12-31T23:59:59.999999999-23:59"),
        ({"IpAddress": {"aws:x": ["0.0.0.0/1"] * 8_000}}, ":" * 16_000),
        ({"ForAllValues:StringLike": {"aws:x": ["*a*b"] * 10_000}}, ["a" * 100] * 256),
        ({"ForAnyValue:ArnLike": {"aws:x": ["arn:*:*:*:*:*a*b"] * 1_000}}, ["arn:aws:iam::1:" + "a" * 100] * 256),
    ],
)  # fmt: skip
def test_a_hostile_condition_is_decided_in_bounded_time(condition: dict[str, Any], value: Any) -> None:
    assert not within(20, lambda: ask(condition, {"aws:x": value})).allowed


def test_thousands_of_statements() -> None:
    door = {"Effect": "Deny", "Principal": {"AWS": "333333333333"}, "Action": "sts:*"}
    trust = within(5, lambda: parse_policy({"Statement": [door] * 1_500}, kind="trust"))
    answer = within(2, lambda: decide(Request(principal=BOB, action="sts:AssumeRole"), trust=trust))
    assert answer.outcome == "implicit_deny"
    assert "no statement allows" in answer.reason


def test_thousands_of_principals() -> None:
    names = [f"arn:aws:iam::{account:012}:user/u" for account in range(3_000)]
    door = {"Effect": "Allow", "Principal": {"AWS": names}, "Action": "sts:*"}
    trust = within(5, lambda: parse_policy({"Statement": door}, kind="trust"))
    caller = Request(principal=names[-1], action="sts:AssumeRole")
    assert within(1, lambda: decide(caller, trust=trust)).allowed


@pytest.mark.parametrize("depth", [100, 900, 5_000])
@pytest.mark.parametrize("place", ["Action", "Condition", "Principal", "Sid"])
def test_deep_nesting(place: str, depth: int) -> None:
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        deep = opening * depth + "1" + closing * depth
        door = '"Effect": "Allow", "Principal": "*", "Action": "sts:*"'.replace(f'"{place}"', '"Id"')
        text = f'{{"Statement": {{{door}, "{place}": {deep}}}}}'
        with pytest.raises(PolicyError):
            parse_policy(text, kind="trust")


def test_deep_nesting_in_a_dict() -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(PolicyError):
        parse_policy({"Statement": deep}, kind="trust")
    while isinstance(deep, list):  # take it apart: freeing it in one go would recurse
        deep = deep.pop()
