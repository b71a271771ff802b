"""A trust policy with unknown values: the verdict holds for every value that the symbols may have."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.audit.roles import NOW, OWN, B

from valetkey.account.symbols import filled, mark, may_be
from valetkey.account.values import OpenDocument, Symbol
from valetkey.audit import Scope
from valetkey.audit.open_trusts import judge_open
from valetkey.audit.trusts import judge
from valetkey.policy.origin import Origin

RANK = {"unreachable": 0, "internal": 1, "guarded": 2, "unguarded": 3, "unknown": 4}
X, Y = mark(0), mark(1)
HUB = f"arn:aws:iam::{OWN}:oidc-provider/token.actions.githubusercontent.com"
HUB_SUB = "token.actions.githubusercontent.com:sub"
VENDOR = f"arn:aws:iam::{B}:root"
ORG = "o-ourown1234"

ACCOUNTS = (OWN, B, "999999999999", "111111111112")
IDS = ("*", "test", "0000", "long-id-7f3a91", "vk-7x3kq9wd5mfz2h8p", "a?", OWN, B)
PLAIN = ("acme", "acme/app", "*", "a*", "repo:acme/app:ref:refs/heads/main", "repo:acme/*", "x", "acme/*")
ARNS = (
    f"arn:aws:iam::{B}:role/collector",
    f"arn:aws:iam::{OWN}:role/a",
    f"arn:aws:iam::{B}:role/a",
    "*",
    f"arn:aws:iam::{B}:*",
    "arn:aws:iam::*:role/a",
)
# Values of a symbol for a whole principal; a symbol inside an ARN is always an account.
WHO = (*ACCOUNTS, "*", VENDOR, f"arn:aws:iam::{OWN}:role/deploy", f"arn:aws:iam::{B}:user/alice")
# The text at a place, and the values that are tested there.
PRINCIPALS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    ({"AWS": "{}"}, WHO),
    ({"AWS": "arn:aws:iam::{}:root"}, ACCOUNTS),
    ({"AWS": "arn:aws:iam::{}:role/collector"}, ACCOUNTS),
    ({"AWS": [VENDOR, "{}"]}, WHO),
)
TESTS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("StringEquals", "sts:ExternalId", "{}", IDS),
    ("StringLike", "sts:ExternalId", "{}", IDS),
    ("StringLike", "sts:ExternalId", "acme-{}", IDS),
    ("StringNotEquals", "sts:ExternalId", "{}", IDS),
    ("StringEqualsIfExists", "sts:ExternalId", "{}", IDS),
    ("StringEquals", "aws:PrincipalAccount", "{}", ACCOUNTS),
    ("StringNotEquals", "aws:PrincipalAccount", "{}", ACCOUNTS),
    ("StringEquals", "aws:PrincipalOrgID", "{}", (ORG, "o-another1234", "o-elsewhere9")),
    ("ArnLike", "aws:PrincipalArn", "{}", ARNS),
    ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::{}:role/*", ACCOUNTS),
    ("ArnEquals", "aws:PrincipalArn", f"arn:aws:iam::{B}:role/{{}}", ("a", "collector", "*")),
    ("StringEquals", "aws:PrincipalTag/team", "{}", PLAIN),
    ("Bool", "aws:MultiFactorAuthPresent", "{}", ("true", "false")),
    ("BoolIfExists", "aws:MultiFactorAuthPresent", "{}", ("true", "false")),
    ("DateLessThan", "aws:CurrentTime", "{}", ("2020-01-01T00:00:00Z", "2036-01-01T00:00:00Z")),
    ("IpAddress", "aws:SourceIp", "{}", ("0.0.0.0/0", "198.51.100.0/24", "203.0.113.7")),
)
CONSTANTS: tuple[tuple[str, str, str], ...] = (
    ("StringEquals", "sts:ExternalId", "long-id-7f3a91"),
    ("StringNotEquals", "sts:ExternalId", "vk-7x3kq9wd5mfz2h8p"),
    ("Bool", "aws:MultiFactorAuthPresent", "true"),
    ("StringEquals", "aws:PrincipalAccount", B),
    ("StringEquals", "aws:PrincipalOrgID", ORG),
)
SUBJECTS: tuple[tuple[str, str], ...] = (
    ("StringLike", "{}"),
    ("StringEquals", "{}"),
    ("StringLike", "repo:{}:*"),
    ("StringLike", "repo:{}/app:*"),
    ("StringLike", "repo:acme/{}:*"),
)
MEANT = {
    'is not "*"': lambda value: value != "*",
    "is not guessable": lambda value: not set("*?") & set(value) and value in ("long-id-7f3a91", IDS[4]),
    "holds no wildcard": lambda value: not set("*?") & set(value),
    "is not the whole internet": lambda value: value != "0.0.0.0/0",
}


@st.composite
def documents(draw: st.DrawFn) -> tuple[list[Any], dict[int, tuple[str, ...]]]:
    """Statements with marks, and the values with which each symbol can be tested at its places."""
    pools: dict[int, set[str]] = {}

    def put(text: str, pool: tuple[str, ...]) -> str:
        number = draw(st.sampled_from([0, 1]))
        pools[number] = pools[number] & set(pool) if number in pools else set(pool)
        return text.replace("{}", mark(number))

    statements = []
    for _ in range(draw(st.integers(1, 3))):
        if draw(st.integers(0, 4)) == 0:
            operator, text = draw(st.sampled_from(SUBJECTS))
            test = {operator: {HUB_SUB: put(text, PLAIN)}}
            who: Any = {"Federated": HUB}
            effect, action = "Allow", "sts:AssumeRoleWithWebIdentity"
        else:
            effect, action, test = draw(st.sampled_from(["Allow", "Allow", "Deny"])), "sts:AssumeRole", {}
            shape, pool = draw(st.sampled_from([*PRINCIPALS, ("*", ()), ({"AWS": VENDOR}, ())]))
            who = json.loads(put(json.dumps(shape), pool)) if pool else shape
            for operator, key, value in draw(st.lists(st.sampled_from(CONSTANTS), max_size=1)):
                test.setdefault(operator, {})[key] = value
            for operator, key, text, pool in draw(st.lists(st.sampled_from(TESTS), max_size=2)):
                test.setdefault(operator, {})[key] = put(text, pool)
        statements.append({"Effect": effect, "Principal": who, "Action": action, "Condition": test})
    return statements, {number: tuple(sorted(pool)) for number, pool in pools.items()}


def _meant(rest: str, values: dict[int, str], statements: list[Any]) -> bool:
    """Whether the values satisfy the assumptions of an answer."""
    number = "XY".index(rest[0])
    for part in rest[2:].split(" and "):
        if part == "names one tenant":
            tests = [
                statement["Condition"].get(operator, {})
                for statement in statements
                for operator in statement["Condition"]
            ]
            texts = [test[HUB_SUB] for test in tests if mark(number) in str(test.get(HUB_SUB, ""))]
            if not all(re.match(r"repo:[^/:*?]+/", filled(text, values)) for text in texts):
                return False
        elif not MEANT[part](values[number]):
            return False
    return True


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents(), st.data())
def test_no_value_contradicts_what_is_decided(made: tuple[list[Any], dict[int, tuple[str, ...]]], data: Any) -> None:
    statements, pools = made
    if not all(pools.values()):
        return
    text = json.dumps({"Version": "2012-10-17", "Statement": statements}, ensure_ascii=False)
    symbols = (Symbol("X", "not given"), Symbol("Y", "not given"))
    scope = Scope(org_id=ORG)
    given_ = {"origin": Origin.SENT, "account": OWN, "partition": "aws", "scope": scope, "now": NOW}
    answer = judge_open(OpenDocument((("", text),), symbols), **given_)
    for _ in range(3):
        values = {number: data.draw(st.sampled_from(pool)) for number, pool in pools.items()}
        assert all(may_be(symbols[number], value) for number, value in values.items())
        rests = [item for item in answer.assumed if item[:2] in ("X ", "Y ")]
        if not all(_meant(rest, values, statements) for rest in rests):
            continue
        real = judge(filled(text, values), **given_)
        if answer.exposure == "unguarded":
            assert real.exposure == "unguarded", values
        elif answer.exposure != "unknown":
            assert RANK[real.exposure] <= RANK[answer.exposure], (answer.exposure, real.exposure, real.reason, values)
        certain = {check for check, hit in answer.hits if hit.severity in ("high", "critical") or check in ("T1", "T4")}
        if answer.exposure in ("unguarded", "unknown"):
            assert certain <= {check for check, _ in real.hits}, values
