"""Short ways to write the questions of the prover's tests."""

from __future__ import annotations

from typing import Any

from valetkey.policy import Policy, decide, parse_policy
from valetkey.prover import Counterexample, Proof, Unknown
from valetkey.prover.effective_boxes import sides
from valetkey.prover.proof import Question, by_boxes

OWNER, THEM, STRANGER = "111111111111", "222222222222", "333333333333"
ROLE = f"arn:aws:iam::{OWNER}:role/door"
BUCKET = "arn:aws:s3:::bucket"
ID, ARN, MFA, AGE = "sts:ExternalId", "aws:PrincipalArn", "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge"
NAME, TAG, IP = "sts:RoleSessionName", "aws:PrincipalTag/team", "aws:SourceIp"


def on(operator: str, key: str, *values: Any) -> dict[str, Any]:
    """A Condition of one operator and key."""
    return {operator: {key: list(values)}}


def policy(kind: Any, *statements: dict[str, Any], version: str = "2012-10-17") -> Policy:
    made = []
    for given in statements:
        each: dict[str, Any] = {"Effect": "Allow"}
        if kind in ("trust", "resource") and "NotPrincipal" not in given:
            each["Principal"] = {"AWS": THEM}
        if "NotAction" not in given:
            each["Action"] = "sts:AssumeRole" if kind == "trust" else "s3:*" if kind == "resource" else "*"
        if kind not in ("trust", "resource") and "NotResource" not in given:
            each["Resource"] = "*"
        made.append(each | given)
    return parse_policy({"Version": version, "Statement": made}, kind=kind)


def trust(*statements: dict[str, Any], version: str = "2012-10-17") -> Policy:
    """A trust policy; a statement says only what differs from: Allow account THEM to call AssumeRole."""
    return policy("trust", *statements, version=version)


def identity(*statements: dict[str, Any]) -> Policy:
    return policy("identity", *statements)


def bucket(*statements: dict[str, Any]) -> Policy:
    return policy("resource", *statements)


NOBODY = trust()


def ask(left: Any, within: Any, **more: Any) -> Proof | Counterexample | Unknown:
    """The box prover's answer; what it shows is replayed here once more."""
    given = {"resource": None} | more
    mine, other = sides(left), sides(within)
    if given["resource"] is None and ("trust" in mine or "trust" in other):
        given["resource"] = ROLE
    result = by_boxes(Question(mine, other, **given))
    if isinstance(result, Counterexample):
        assert decide(result.request, **mine).allowed
        assert not decide(result.request, **other).allowed
    if isinstance(result, Proof) and result.witness is not None:
        assert decide(result.witness, **mine).allowed
        assert decide(result.witness, **other).allowed
    return result
