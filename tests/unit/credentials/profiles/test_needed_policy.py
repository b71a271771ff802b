"""The policy that `accept` prints: it lets into one role, and lets `verify` read every policy of one's own."""

from __future__ import annotations

import pytest
from tests.unit.credentials.profiles.test_acceptance import HANDOFF, but

from valetkey.account.calls import Call
from valetkey.credentials.doctor.caller_policies import read_own_side
from valetkey.credentials.profiles.identity import parse_identity
from valetkey.credentials.profiles.needed_policy import caller_policy, needed_policy
from valetkey.policy import Request, decide, parse_policy

OWN = "222222222222"
USER = f"arn:aws:iam::{OWN}:user/team/carol"
LIMIT, AWS_OWN = f"arn:aws:iam::{OWN}:policy/limit", "arn:aws:iam::aws:policy/SecurityAudit"
ANSWERS = {
    "get_user": {"User": {"Arn": USER, "PermissionsBoundary": {"PermissionsBoundaryArn": LIMIT}}},
    "list_user_policies": {"PolicyNames": ["own"]},
    "get_user_policy": {"PolicyDocument": {}},
    "list_attached_user_policies": {"AttachedPolicies": [{"PolicyArn": AWS_OWN}]},
    "list_groups_for_user": {"Groups": [{"GroupName": "people"}]},
    "list_group_policies": {"PolicyNames": ["theirs"]},
    "get_group_policy": {"PolicyDocument": {}},
    "list_attached_group_policies": {"AttachedPolicies": [{"PolicyArn": LIMIT}]},
    "get_role": {"Role": {"Arn": f"arn:aws:iam::{OWN}:role/work"}},
    "list_role_policies": {"PolicyNames": ["own"]},
    "get_role_policy": {"PolicyDocument": {}},
    "list_attached_role_policies": {"AttachedPolicies": [{"PolicyArn": LIMIT}]},
    "get_policy": {"Policy": {"DefaultVersionId": "v1"}},
    "get_policy_version": {"PolicyVersion": {"Document": {}}},
}


@pytest.mark.parametrize("arn", [USER, f"arn:aws:sts::{OWN}:assumed-role/work/carol"])
def test_every_call_that_reads_ones_own_policies_is_allowed(arn: str) -> None:
    """Held against the reader itself, by valetkey's own evaluator."""
    identity = parse_identity(arn)
    policy = parse_policy(needed_policy(HANDOFF, identity), kind="identity")
    refused = []

    def resource(call: Call) -> str:
        if "PolicyArn" in call.params:
            return str(call.params["PolicyArn"])
        group = call.params.get("GroupName")
        return f"arn:aws:iam::{OWN}:group/{group}" if group else identity.principal

    def perform(call: Call, /) -> dict[str, object]:
        request = Request(principal=arn, action=call.action, resource=resource(call), context={})
        if not decide(request, identity=[policy]).allowed:
            refused.append((call.action, resource(call)))
        return ANSWERS[call.operation]

    side = read_own_side(perform, identity)
    assert (side.unread, refused) == ("", [])


def test_the_first_statement_is_the_one_role_and_the_second_writes_nothing() -> None:
    enter, read = needed_policy(HANDOFF, parse_identity(USER))["Statement"]
    assert {key: enter[key] for key in ("Effect", "Action", "Resource")} == caller_policy(HANDOFF)["Statement"][0]
    assert all(action.split(":")[1].startswith(("Get", "List")) for action in read["Action"])
    assert "Optional" in read["Sid"]
    assert read["Resource"][0] == USER


@pytest.mark.parametrize("arn", [f"arn:aws:iam::{OWN}:root", f"arn:aws:sts::{OWN}:federated-user/x"])
def test_who_has_no_policies_to_read_gets_one_statement(arn: str) -> None:
    assert len(needed_policy(but(max_session=3600), parse_identity(arn))["Statement"]) == 1
