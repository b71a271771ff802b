"""The classes of callers: how a Principal element reaches each of them."""

from __future__ import annotations

import pytest

from valetkey.policy import parse_policy
from valetkey.policy.principals import NamedBy
from valetkey.policy.undecided import NotDecided
from valetkey.prover.boxes import Budget, Limits
from valetkey.prover.caller_classes import Mentioned, everybody
from valetkey.prover.key_tests import Asked
from valetkey.prover.parties import Person
from valetkey.prover.principal_match import CallerIndex, listed, reached

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
        assert each.grants[ROLE_ID] is NamedBy.ROLE
        assert each.grants[each.principal] is NamedBy.DIRECT


def test_the_unique_id_of_a_user_reaches_the_user_itself() -> None:
    found = [each for each in people(USER_ID, THEM) if each.unique == USER_ID]
    assert found
    for each in found:
        assert each.kind == "user"
        assert each.grants[USER_ID] is NamedBy.DIRECT


def asked_of(key: str, operator: str, *values: str, role: bool = True, entry: str = "*") -> list[Person]:
    """The callers that a condition of this key tells apart, where strangers may be meant."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": entry},
        "Action": "sts:AssumeRole" if role else "s3:GetObject",
        **({} if role else {"Resource": "*"}),
        "Condition": {operator: {key: list(values)}},
    }
    policy = parse_policy({"Version": "2012-10-17", "Statement": [statement]}, kind="trust" if role else "resource")
    (each,) = policy.statements
    assert each.principals is not None
    asked = {key.lower(): [Asked(each.conditions[0], each.variables, deny=False)]}
    said = Mentioned([each.principals], asked, {})
    return everybody(said, partition="aws", owner="111111111111", role=role, budget=Budget(Limits()))


def test_a_service_s_name_ends_as_aws_s_names_do_and_has_no_empty_part() -> None:
    found = asked_of("aws:PrincipalServiceName", "StringLike", "*..amazonaws.com", "s*.cn", "*.com", role=False)
    names = [each.principal for each in found if each.kind == "service"]
    assert any(name.endswith(".amazonaws.com") for name in names)
    assert any(name.endswith(".amazonaws.com.cn") for name in names)
    assert not any(".." in name for name in names)
    assert all(name.endswith((".amazonaws.com", ".amazonaws.com.cn")) for name in names)


def test_a_user_id_that_a_root_user_may_have_is_decided_where_a_role_is_entered_only() -> None:
    for pattern in (f"{USER_ID}*", "AROA*", "*"):
        assert asked_of("aws:userid", "StringLike", pattern, role=False)
    for pattern in ("A*", "111111111111*", "?IDA*", "AIDB*"):
        assert asked_of("aws:userid", "StringLike", pattern)
        with pytest.raises(NotDecided, match="aws:userid is compared with what the root user"):
            asked_of("aws:userid", "StringLike", pattern, role=False)


def test_the_index_of_callers_matches_a_principal_element_as_each_caller_by_itself_does() -> None:
    role, user = f"arn:aws:iam::{THEM}:role/worker", f"arn:aws:iam::{THEM}:user/bob"
    session = f"arn:aws:sts::{THEM}:assumed-role/worker/one"
    everyone = people(ROLE_ID, USER_ID, THEM, role, user, session)
    index = CallerIndex([None, *everyone])
    for named in ([THEM], [role], [session, role], [user, THEM], [USER_ID, ROLE_ID, THEM], [user, role, session]):
        statement = {"Effect": "Allow", "Principal": {"AWS": named}, "Action": "sts:AssumeRole"}
        (one,) = parse_policy({"Version": "2012-10-17", "Statement": [statement]}, kind="trust").statements
        assert one.principals is not None
        names = listed(one.principals)
        alone: dict[NamedBy, int] = {}
        for place, person in enumerate(everyone, 1):
            grant = reached(person, one.principals, names, negated=False, deny=False, bounded=False, unsure=False)
            if grant:
                alone[grant] = alone.get(grant, 0) | 1 << place
        assert index.reached(names) == alone
        assert alone
