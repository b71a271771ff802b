"""The classes of callers: how a Principal element reaches each of them."""

from __future__ import annotations

from valetkey.policy import parse_policy
from valetkey.policy.principals import Grant
from valetkey.prover.boxes import Budget, Limits
from valetkey.prover.caller_classes import Mentioned, Person, everybody

THEM = "222222222222"
ROLE_ID, USER_ID = "AROA1234567890123456", "AIDA1234567890123456"


def people(*named: str) -> list[Person]:
    statement = {"Effect": "Allow", "Principal": {"AWS": list(named)}, "Action": "sts:AssumeRole"}
    policy = parse_policy({"Version": "2012-10-17", "Statement": [statement]}, kind="trust")
    elements = [each.principals for each in policy.statements if each.principals is not None]
    return everybody(
        Mentioned(elements, {}, {}), partition="aws", owner="111111111111", role=True, budget=Budget(Limits())
    )


def test_the_unique_id_of_a_role_reaches_its_sessions_as_the_role() -> None:
    """A boundary or session policy still limits the session, which would not limit a session that is named itself
    (reference_policies_evaluation-logic_policy-eval-basics-single-account: resource-based policies)."""
    found = [each for each in people(ROLE_ID, THEM) if each.unique == ROLE_ID]
    assert found
    for each in found:
        assert each.kind == "session"
        assert each.grants[ROLE_ID] is Grant.ROLE
        assert each.grants[each.principal] is Grant.DIRECT


def test_the_unique_id_of_a_user_reaches_the_user_itself() -> None:
    found = [each for each in people(USER_ID, THEM) if each.unique == USER_ID]
    assert found
    for each in found:
        assert each.kind == "user"
        assert each.grants[USER_ID] is Grant.DIRECT
