"""SCPs are read level by level where they may be, and decided; what may not be read is never `allowed`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from valetkey.account.calls import Call, CallError
from valetkey.credentials.doctor.organization import Organization, read_organization
from valetkey.credentials.profiles.identity import parse_identity

OWN, MASTER = "111122223333", "999988887777"
ROLE = "arn:aws:iam::444455556666:role/audit"
ALICE = parse_identity(f"arn:aws:iam::{OWN}:user/alice")
FULL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
NO_STS = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "sts:*", "Resource": "*"}]}


class World:
    """An organization: root, one unit, the account; policies by target, in pages of one."""

    def __init__(self, policies: dict[str, list[dict[str, Any]]], refuse: dict[str, str] | None = None) -> None:
        self.policies = policies
        self.refuse = refuse or {}
        self.organization: dict[str, Any] = {"MasterAccountId": MASTER, "FeatureSet": "ALL"}

    def __call__(self, call: Call, /) -> dict[str, Any]:
        if call.operation in self.refuse:
            raise CallError(call, self.refuse[call.operation], "no")
        params = call.params
        match call.operation:
            case "describe_organization":
                return {"Organization": self.organization}
            case "list_parents":
                return {"Parents": [{"Id": {OWN: "ou-1", "ou-1": "r-1"}[params["ChildId"]]}]}
            case "list_policies_for_target":
                assert params["Filter"] == "SERVICE_CONTROL_POLICY"
                have, at = self.policies[params["TargetId"]], int(params.get("NextToken", "0"))
                more = {"NextToken": str(at + 1)} if at + 1 < len(have) else {}
                ids = [{"Id": f"{params['TargetId']}/{at}"}] if have else []
                return {"Policies": ids, **more}
            case "describe_policy":
                target, number = params["PolicyId"].split("/")
                return {"Policy": {"Content": json.dumps(self.policies[target][int(number)])}}
        raise AssertionError(call.operation)

    def judge(self) -> tuple[bool | None, str]:
        return read_organization(self, OWN).judge(ALICE, {}, ROLE)


def world(root: Any = FULL, unit: Any = FULL, account: Any = FULL) -> World:
    return World({"r-1": [root], "ou-1": [unit], OWN: [account]})


def test_every_level_has_to_allow() -> None:
    assert world().judge() == (True, "")
    for level, place in ((0, "level 1 of 3"), (1, "level 2 of 3"), (2, "level 3 of 3")):
        policies = [FULL, FULL, FULL]
        policies[level] = {**FULL, "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
        allowed, why = world(*policies).judge()
        assert (allowed, place in why) == (False, True)


def test_every_page_is_read() -> None:
    assert World({"r-1": [FULL], "ou-1": [FULL, NO_STS], OWN: [FULL]}).judge()[0] is False


@pytest.mark.parametrize(
    ("operation", "code", "allowed"),
    [
        ("describe_organization", "AWSOrganizationsNotInUseException", True),
        ("list_policies_for_target", "PolicyTypeNotEnabledException", True),
        ("describe_organization", "AccessDeniedException", None),
        ("list_policies_for_target", "AccessDeniedException", None),
        ("describe_policy", "ThrottlingException", None),
        ("list_parents", "Unreachable", None),
    ],
)
def test_what_may_not_be_read_is_not_known(operation: str, code: str, allowed: bool | None) -> None:
    made = world()
    made.refuse = {operation: code}
    result, why = made.judge()
    assert result is allowed
    assert why


def test_where_there_are_none() -> None:
    made = world(NO_STS)
    made.organization["MasterAccountId"] = OWN
    assert made.judge() == (True, "yours is the management account, which they do not limit")
    made = world(NO_STS)
    made.organization["FeatureSet"] = "CONSOLIDATED_BILLING"
    assert made.judge()[0] is True
    assert World({"r-1": [], "ou-1": [], OWN: []}).judge()[0] is True


def test_answers_that_are_not_as_documented() -> None:
    made = world()
    made.organization = {"FeatureSet": "ALL"}
    made.policies["ou-1"] = []
    assert made.judge()[0] is True  # not turned on
    assert read_organization(lambda _: {}, OWN).judge(ALICE, {}, ROLE)[0] is None
    odd = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Odd": {"aws:PrincipalArn": "x"}}}
    assert Organization((({"Version": "2012-10-17", "Statement": odd},),)).judge(ALICE, {}, ROLE)[0] is None
