"""`can` on random small policies: no request that is tried says otherwise, and one policy says the same as many."""

from __future__ import annotations

import random
from typing import Any

import pytest
from tests.unit.grants.effects import NOW, allow, deny, document, effective

from valetkey.grants.can import can
from valetkey.grants.consolidated import consolidate
from valetkey.policy import Request, decide

SESSION = "arn:aws:sts::111111111111:assumed-role/audit/session"
ACTIONS = ["s3:GetObject", "s3:Get*", "s3:*Object", "*", "s3:PutObject"]
RESOURCES = ["*", "arn:aws:s3:::a/*", "arn:aws:s3:::a/b*", "arn:aws:s3:::*/b", "arn:aws:s3:::b/*"]
TESTS = [
    {"Bool": {"aws:SecureTransport": "true"}},
    {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
    {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}},
    {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}},
    {"Null": {"aws:SourceIp": "true"}},
    {"DateLessThan": {"aws:CurrentTime": "2026-12-31T00:00:00Z"}},
]
TRIED = ["arn:aws:s3:::a/x", "arn:aws:s3:::a/b", "arn:aws:s3:::b/b", "arn:aws:s3:::b/x"]
CONTEXTS: list[dict[str, str]] = [
    {"aws:SecureTransport": secure, **region, **address}
    for secure in ("true", "false")
    for region in ({}, {"aws:RequestedRegion": "eu-west-1"}, {"aws:RequestedRegion": "us-east-1"})
    for address in ({}, {"aws:SourceIp": "192.0.2.1"}, {"aws:SourceIp": "198.51.100.1"})
]


def statement(chance: random.Random) -> Any:
    make = allow if chance.random() < 0.7 else deny
    resources = chance.sample(RESOURCES, chance.randint(1, 2))
    return make(chance.choice(ACTIONS), resources, chance.choice([None, *TESTS]))


@pytest.mark.parametrize("seed", range(20))
def test_no_request_says_otherwise(seed: int) -> None:
    chance = random.Random(seed)
    statements = [statement(chance) for _ in range(chance.randint(1, 4))]
    boundary = document(*(statement(chance) for _ in range(2))) if chance.random() < 0.5 else None
    of = effective(*statements, boundary=boundary)
    resource = chance.choice([*RESOURCES[1:], *TRIED])
    known = chance.choice(CONTEXTS) if chance.random() < 0.5 else {}
    answer = can(of, "s3:GetObject", resource, known=known, now=NOW)
    assert answer.verdict in ("allowed", "denied", "depends")
    asked = [item for item in TRIED if item == resource or (resource.endswith("*") and item.startswith(resource[:-1]))]
    asked += [item for item in TRIED if resource == "arn:aws:s3:::*/b" and item.endswith("/b")]
    result = {
        decide(
            Request(SESSION, "s3:GetObject", item, "111111111111", {**context, **answer.known}), **of.sides.keywords
        ).allowed
        for item in asked
        for context in ([known] if known else CONTEXTS)
    }
    expected = {"allowed": {True}, "denied": {False}, "depends": {True, False}}[answer.verdict]
    assert result <= expected
    if answer.verdict == "depends":
        assert answer.depends_on
    assert consolidate(of).covers.holds
