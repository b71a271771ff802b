"""Every row of the table of operators, with random values, in every engine: the evaluator, the key partition, the box
prover and cvc5 agree. A row for which some engine decides nothing fails here."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import pytest
from tests.referee import solve

from valetkey.policy import Policy, Request, decide, parse_policy
from valetkey.policy.conditions import compile_condition
from valetkey.policy.operators import OPERATOR_ROWS, Family, Operator
from valetkey.prover import Counterexample, Proof, Unknown
from valetkey.prover.key_partition import test as prepared
from valetkey.prover.key_tests import KeyTest
from valetkey.prover.proof import Question, by_boxes

OWNER, THEM = "111111111111", "222222222222"
ROLE = f"arn:aws:iam::{OWNER}:role/door"
USER = f"arn:aws:iam::{THEM}:user/somebody"
KEY = "x:y"
CASES = 40
SOLVED = 4
"""The number of questions to cvc5 for each answer and row."""


@dataclass(frozen=True)
class Pool:
    """Test values of a family: values of documents, values of requests, and an operator that fixes one value."""

    wanted: tuple[str, ...]
    sent: tuple[str, ...]
    pin: str
    odd: tuple[str, ...] = ()
    """Values of requests that the operator cannot read; no condition can require exactly such a value."""


_ARNS = ("arn:aws:sns:us-east-1:222222222222:one", "arn:aws:iam::222222222222:role/a/b", "arn:aws:s3:::bucket/key:x")
POOLS = {
    Family.TEXT: Pool(
        ("abc", "ABC", "a*", "a?c", "*", "", "b"), ("abc", "ABC", "abcd", "aXc", "*", "b"), "StringEquals"
    ),
    Family.ARN: Pool(
        (*_ARNS, "arn:aws:sns:*:*:*", "arn:*:iam::2*:role/*", "arn:aws:s3:::*"), _ARNS, "StringEquals", ("a",)
    ),
    Family.NUMBER: Pool(
        ("0", "5", "5.0", "7.25", "-3", "1e1"), ("0", "5", "5.5", "7.25", "-3", "10"), "NumericEquals", ("x",)
    ),
    Family.DATE: Pool(
        ("2026-01-01", "2026-01-01T00:00:00Z", "2026-06-30T12:00:00+02:00", "1767225600"),
        ("2026-01-01T00:00:00Z", "2026-06-30T10:00:00Z", "2025-12-31T23:59:59Z", "2030-01-01T00:00:00Z"),
        "DateEquals",
        ("soon",),
    ),
    Family.BOOL: Pool(("true", "false", "TRUE"), ("true", "false", "yes", "True"), "StringEquals"),
    Family.BYTES: Pool(("b25l", "dHdv", "dGhyZWU="), ("b25l", "dHdv", "Zm91cg=="), "BinaryEquals", ("%",)),
    Family.ADDRESS: Pool(
        ("192.0.2.0/24", "192.0.2.7", "2001:db8::/32", "10.0.0.0/8"),
        ("192.0.2.7", "192.0.3.1", "2001:db8::1", "2001:db9::1", "10.1.2.3"),
        "IpAddress",
        ("nowhere",),
    ),
    Family.NULL: Pool(("true", "false"), ("abc",), "StringEquals"),
}


def trust(*conditions: dict[str, Any]) -> Policy:
    joined: dict[str, Any] = {}
    for condition in conditions:
        for operator, keys in condition.items():
            assert operator not in joined
            joined[operator] = keys
    made = {"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "sts:AssumeRole", "Condition": joined}
    return parse_policy({"Version": "2012-10-17", "Statement": [made]}, kind="trust")


NOTHING = parse_policy({"Version": "2012-10-17", "Statement": []}, kind="trust")


def spelt(row: Operator, rng: random.Random) -> str:
    if row.family is Family.NULL:
        return row.name
    sets = rng.choice(("", "", "", "ForAnyValue:", "ForAllValues:"))
    return f"{sets}{row.name}{rng.choice(('', '', 'IfExists'))}"


def pinned(row: Operator, pool: Pool, value: str | None, operator: str) -> dict[str, Any]:
    """A condition that holds only for this value of the key, with another operator than the tested one."""
    if value is None:
        return {"StringNotLike": {KEY: "*"}} if row.family is Family.NULL else {"Null": {KEY: "true"}}
    if row.family is Family.NULL or operator != pool.pin:
        return {pool.pin: {KEY: value}}
    return {f"{pool.pin}IfExists": {KEY: value}, "Null": {KEY: "false"}}


@pytest.mark.parametrize("row", OPERATOR_ROWS, ids=lambda row: row.name)
def test_every_engine_says_the_same_of_every_operator(row: Operator) -> None:
    rng, pool, seen = random.Random(row.name), POOLS[row.family], Counter[tuple[str, bool]]()
    for _ in range(CASES):
        wanted = rng.sample(pool.wanted, rng.choice((1, 1, 2)))
        operator = spelt(row, rng)
        value = rng.choice((*pool.sent, *pool.sent, *pool.odd, None))
        one = trust({operator: {KEY: wanted}}).statements[0].conditions[0]
        keys: dict[str, str | tuple[str, ...]] = {} if value is None else {KEY: value}
        least, most = (compile_condition(one, unsure=unsure, variables=True)(keys) for unsure in (False, True))
        case = f"{operator} {wanted} and {value!r}"
        answers, exact = prepared(KeyTest(one, True, False), frozenset({KEY}))
        answer = answers(keys)
        assert exact, case
        assert answer is None or answer == least == most, case
        assert (answer is None) == (least != most), case
        if answer is None:
            continue
        seen["partition", answer] += 1
        if value in pool.odd:
            continue
        # A document for only this value: it admits a caller if and only if the evaluator allows the value.
        policy = trust({operator: {KEY: wanted}}, pinned(row, pool, value, operator))
        request = Request(USER, "sts:AssumeRole", ROLE, context={} if value is None else {KEY: value})
        allowed = decide(request, trust=policy).allowed
        assert allowed is answer, case
        result = by_boxes(Question({"trust": [policy]}, {"trust": [NOTHING]}, ROLE))
        if not isinstance(result, Unknown):
            assert isinstance(result, Counterexample if allowed else Proof), case
            seen["boxes", allowed] += 1
        if find_spec("cvc5") and seen["cvc5", allowed] < SOLVED:
            solved = solve(policy, NOTHING, resource=ROLE, seconds=3)
            assert solved.verdict in ("violated" if allowed else "holds", "unknown"), case
            if solved.verdict != "unknown":
                seen["cvc5", allowed] += 1
    engines = ("partition", "boxes", *(("cvc5",) if find_spec("cvc5") else ()))
    missing = [(engine, answer) for engine in engines for answer in (True, False) if not seen[engine, answer]]
    assert not missing, f"nothing of this row was decided by these engines: {missing}"
