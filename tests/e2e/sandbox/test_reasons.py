"""Denials with and without the kind of policy that denied, and IAM's authorization ids."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

ALLOW = {"Effect": "Allow", "Action": "sts:*", "Resource": "*"}
DENY = {"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"}
ID = {"StringEquals": {"sts:ExternalId": "Right-1"}}
IMPLICIT = "because no {} allows the sts:AssumeRole action"


def own(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def vary(doors: Any, **settings: Any) -> None:
    doors.stage.sandbox.control.vary(doors.contractor.account, **settings)


@pytest.mark.parametrize("style", ["bare", "reasons", "ids"])
def test_what_an_assume_role_is_refused_with(doors: Any, probe: Any, style: str) -> None:
    vary(doors, refusals=style)
    root = doors.contractor.root
    limit = probe.document({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    boundary = root("iam", "create_policy", PolicyName="limit", PolicyDocument=limit)["Policy"]["Arn"]
    right, nobody = doors.user("right", own(ALLOW)), doors.user("nobody", own({**ALLOW, "Action": "s3:*"}))
    denied, bound = doors.user("denied", own(ALLOW, DENY)), doors.user("bound", own(ALLOW))
    root("iam", "put_user_permissions_boundary", UserName="bound", PermissionsBoundary=boundary)
    door = doors.role(probe.allow(doors.contractor.account, ID))
    shut = doors.role({**probe.allow("*"), "Effect": "Deny"}, name="shut")
    assert doors.assume(right, door, ExternalId="Right-1").code == "ok"
    for keys, role, given, reason in (
        (right, door, {}, IMPLICIT.format("role trust policy")),
        (right, door, {"ExternalId": "Wrong-1"}, IMPLICIT.format("role trust policy")),
        # The message does not show whether the role exists.
        (right, door.replace("door", "absent"), {}, IMPLICIT.format("role trust policy")),
        (right, shut, {}, "with an explicit deny in the role trust policy"),
        (nobody, door, {"ExternalId": "Right-1"}, IMPLICIT.format("identity-based policy")),
        (denied, door, {"ExternalId": "Right-1"}, "with an explicit deny in an identity-based policy"),
        (bound, door, {"ExternalId": "Right-1"}, IMPLICIT.format("permissions boundary")),
    ):
        answer = doors.assume(keys, role, **given)
        said = f"User: {keys.arn} is not authorized to perform: sts:AssumeRole on resource: {role}"
        assert (answer.code, answer.status) == ("AccessDenied", 403)
        assert answer.message == (said if style == "bare" else f"{said} {reason}")


def test_a_session_policy_is_named(doors: Any, probe: Any) -> None:
    vary(doors, refusals="reasons")
    doors.stage.sandbox.control.vary(doors.owner.account, refusals="reasons")
    first = doors.role(probe.allow(doors.contractor.account))
    doors.allow(first, Action="sts:*")
    second = doors.role(probe.allow(first), name="second")
    narrow = json.dumps(own({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}))
    keys = doors.assume(doors.user(), first, Policy=narrow).keys
    assert doors.assume(keys, second).message.endswith(IMPLICIT.format("session policy"))


def test_a_tag_is_refused_by_its_own_action(doors: Any, probe: Any) -> None:
    vary(doors, refusals="reasons")
    door = doors.role(probe.allow(doors.contractor.account))
    answer = doors.assume(doors.user(), door, Tags=[{"Key": "a", "Value": "b"}])
    assert answer.message.endswith("because no role trust policy allows the sts:TagSession action")


@pytest.mark.parametrize("style", ["bare", "reasons", "ids"])
def test_iam_gives_an_authorization_id_where_asked(doors: Any, probe: Any, style: str) -> None:
    """IAM has always named the policy here; the id is an AWS preview feature."""
    vary(doors, refusals=style)
    refused = probe.knock(doors.client("iam", doors.user("eve", own(ALLOW))), "list_roles")
    assert "because no identity-based policy allows the iam:ListRoles action" in refused.message
    match = re.search(r"#/authorization-details/(\w+) for .* authorization id: (\w+)$", refused.message)
    assert (match is not None) is (style == "ids")
    assert match is None or match[1] == match[2]


def test_the_switch_is_by_account_and_ends_with_a_reset(doors: Any, probe: Any) -> None:
    control = doors.stage.sandbox.control
    in_force = control.vary(doors.contractor.account, refusals="reasons")
    assert (in_force["refusals"], in_force["sts_minutes"]) == ("reasons", 5)
    third = doors.stage.party()
    stranger = third.user("eve", "arn:aws:iam::aws:policy/AdministratorAccess")
    door = doors.role(probe.allow(doors.owner.account))
    assert doors.assume(stranger, door).message.endswith(door)
    assert doors.assume(doors.user(), door).message.endswith("allows the sts:AssumeRole action")


def test_a_fault_may_have_awss_own_text(doors: Any, probe: Any) -> None:
    said = "User: x is not authorized to perform: sts:AssumeRole with an explicit deny in a service control policy"
    doors.stage.sandbox.control.fault(
        kind="deny", service="sts", operation="AssumeRole", account=doors.contractor.account, message=said
    )
    assert doors.assume(doors.user(), doors.role(probe.allow("*"))).message == said
