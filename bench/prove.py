"""Proofs of trust policies: the prover, and cvc5 on the same questions in the same run.

The property: a trust policy allows nothing beyond "this account, this ExternalId, with MFA". T has 5 statements (the
account; a role; everyone, restricted by a pattern of aws:PrincipalArn; session tags; a Deny on session names), correct
and with four typical mistakes. Then 50 and 200 statements, each with a different pattern of session names, a third of
them with one of aws:PrincipalArn; correct, and with one hole. Goals: T under 10 ms, 200 statements under 60 ms. Times
are the best of a few rounds, in this process's CPU time; documents are parsed before.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

from tests.referee import solve

from valetkey.policy import Policy, parse_policy
from valetkey.prover import Proof, Unknown, prove

OWNER, CONTRACTOR, EXTERNAL_ID = "111122223333", "444455556666", "Example-7f3c"
ROLE = f"arn:aws:iam::{OWNER}:role/guest"
ROOT = {"AWS": f"arn:aws:iam::{CONTRACTOR}:root"}
TERMS = {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}, "Bool": {"aws:MultiFactorAuthPresent": "true"}}
ROUNDS = 7
LIMIT = 30.0


def _allow(condition: Any = None, principal: Any = ROOT, action: str = "sts:AssumeRole") -> dict[str, Any]:
    made = {"Effect": "Allow", "Principal": principal, "Action": action}
    return made if condition is None else {**made, "Condition": condition}


def _trust(*statements: dict[str, Any]) -> Policy:
    return parse_policy({"Version": "2012-10-17", "Statement": list(statements)}, kind="trust")


def _guests(operator: str, pattern: str) -> dict[str, Any]:
    return {operator: {"aws:PrincipalArn": pattern}}


REFERENCE = _trust(_allow(TERMS), _allow(action="sts:TagSession"))


def _t(first: Any = TERMS, guests: Any = None) -> Policy:
    ops = f"arn:aws:iam::{CONTRACTOR}:role/ops"
    guests = guests or _guests("ArnLike", f"arn:aws:iam::{CONTRACTOR}:user/contractor-*")
    return _trust(
        _allow(first),
        _allow({**TERMS, "ArnLike": {"aws:PrincipalArn": ops}}, {"AWS": ops}),
        _allow({**TERMS, **guests}, "*"),
        _allow(action="sts:TagSession"),
        {
            **_allow({"StringNotLikeIfExists": {"sts:RoleSessionName": "contractor-*"}}, "*"),
            "Effect": "Deny",
        },
    )


def _many(count: int, hole: bool) -> Policy:
    made = []
    for number in range(count):
        condition: dict[str, Any] = {**TERMS, "StringLike": {"sts:RoleSessionName": f"job-{number}-*"}}
        if number % 3 == 0:
            condition["ArnLike"] = {"aws:PrincipalArn": f"arn:aws:iam::{CONTRACTOR}:role/team-{number}-*"}
        if hole and number == count // 2:
            condition["BoolIfExists"] = condition.pop("Bool")
        made.append(_allow(condition))
    return _trust(*made)


# Question, policy, whether it holds, goal in milliseconds.
QUESTIONS: tuple[tuple[str, Policy, bool, int], ...] = (
    ("T", _t(), True, 10),
    ("T, BoolIfExists", _t({"StringEquals": TERMS["StringEquals"], "BoolIfExists": TERMS["Bool"]}), False, 10),
    (
        "T, ExternalId with *",
        _t({"StringLike": {"sts:ExternalId": f"{EXTERNAL_ID}*"}, "Bool": TERMS["Bool"]}),
        False,
        10,
    ),
    ("T, ArnLike, any account", _t(guests=_guests("ArnLike", "arn:aws:iam::*:user/contractor-*")), False, 10),
    ("T, StringLike across parts", _t(guests=_guests("StringLike", f"arn:aws:iam::*{CONTRACTOR}*")), False, 10),
    ("50 statements", _many(50, hole=False), True, 60),
    ("50 statements, one hole", _many(50, hole=True), False, 60),
    ("200 statements", _many(200, hole=False), True, 60),
    ("200 statements, one hole", _many(200, hole=True), False, 60),
)


def _best(work: Callable[[], Any], rounds: int) -> tuple[float, Any]:
    """Return the milliseconds of the best round, and the last answer."""
    times, answer = [], None
    for _ in range(rounds):
        gc.collect()
        began = time.process_time()
        answer = work()
        times.append(time.process_time() - began)
    return min(times) * 1000, answer


def run() -> None:
    """Print the times of both provers, question by question."""
    print(f"{'':28}{'prove':>10}{'goal':>10}{'cvc5':>12}")
    for name, policy, holds, goal in QUESTIONS:
        took, answer = _best(lambda policy=policy: prove(policy, within=REFERENCE, resource=ROLE), ROUNDS)  # type: ignore[misc]
        assert not isinstance(answer, Unknown), answer
        assert isinstance(answer, Proof) is holds, f"{name}: {answer}: the bench measures nonsense"
        peer, theirs = _best(
            lambda policy=policy: solve(policy, REFERENCE, resource=ROLE, seconds=LIMIT),  # type: ignore[misc]
            2 if "200" in name else 3,
        )
        said = f"{peer:,.0f} ms" if theirs.verdict != "unknown" else f"none in {LIMIT:.0f} s"
        assert theirs.verdict in ("unknown", "holds" if holds else "violated"), f"{name}: cvc5 says {theirs}"
        print(f"{name:28}{took:>7.1f} ms{goal:>7} ms{said:>12}")
