"""One resource of every equivalence class: the statements that decide about the same actions are combined."""

from __future__ import annotations

from typing import Any

import pytest

from valetkey.policy import Policy, parse_policy
from valetkey.prover import Counterexample, Proof, prove

BUCKET = "arn:aws:s3:::bucket/"


def policy(*statements: dict[str, Any]) -> Policy:
    return parse_policy({"Version": "2012-10-17", "Statement": list(statements)}, kind="identity")


def allow(**element: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Resource": "*", **element}


def deny(resource: str, **element: str) -> dict[str, Any]:
    return {"Effect": "Deny", "Resource": resource, **element}


READS = policy(allow(Action="s3:GetObject", Resource=f"{BUCKET}*"))


@pytest.mark.parametrize("element", [{"NotAction": "iam:*"}, {"Action": "s3:*"}, {"Action": "*"}])
def test_a_deny_of_a_part_of_the_resources_is_seen(element: dict[str, str]) -> None:
    within = policy(allow(Action="*"), deny(f"{BUCKET}secret/*", **element))
    result = prove({"identity": (READS,)}, within={"identity": (within,)})
    assert isinstance(result, Counterexample)
    assert result.request.resource.startswith(f"{BUCKET}secret/")


@pytest.mark.parametrize("element", [{"NotAction": "s3:*"}, {"Action": "iam:*"}, {"NotAction": "*"}])
def test_a_deny_of_other_actions_does_not_matter(element: dict[str, str]) -> None:
    within = policy(allow(Action="*"), deny(f"{BUCKET}secret/*", **element))
    assert isinstance(prove({"identity": (READS,)}, within={"identity": (within,)}), Proof)


def test_what_is_allowed_by_what_is_left_out_is_combined_too() -> None:
    mine = policy(allow(NotAction="iam:*", Resource=f"{BUCKET}*"))
    within = policy(allow(NotAction="iam:*"), deny(f"{BUCKET}secret/*", NotAction="ec2:*"))
    result = prove({"identity": (mine,)}, within={"identity": (within,)})
    assert isinstance(result, Counterexample)
    assert result.request.resource.startswith(f"{BUCKET}secret/")
