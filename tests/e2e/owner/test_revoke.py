"""`revoke` over HTTP on the sandbox: open sessions are denied, the role is deleted, and the receipt is true."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import botocore.exceptions
import pytest

Run = Callable[..., Any]
FOREVER = ("--until", "never", "--yes")
ASSUME = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}


@pytest.fixture
def made(stage: Any, owner: Run) -> dict[str, Any]:
    """A grant, created by the owner's command."""
    done = owner("grant", "audit", "--yes", "--to", stage.contractor.account, "--until", "30d", "--json")
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def is_gone(stage: Any, name: str = "audit") -> bool:
    try:
        stage.owner.root("iam", "get_role", RoleName=name)
    except botocore.exceptions.ClientError as error:
        return bool(error.response["Error"]["Code"] == "NoSuchEntity")
    return False


def test_a_live_session_is_refused_and_nobody_comes_in_again(stage: Any, owner: Run, made: dict[str, Any]) -> None:
    carol = stage.contractor.user("carol", ASSUME, mfa=True)

    def enter() -> Any:
        return stage.contractor.client("sts", carol).assume_role(
            RoleArn=made["role_arn"],
            RoleSessionName="carol",
            ExternalId=made["external_id"],
            SerialNumber=carol.mfa_serial,
            TokenCode=carol.code(),
        )["Credentials"]

    iam = stage.owner.client("iam", enter())
    assert iam.list_users()["Users"]
    done = owner("revoke", "audit", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert "up to a few minutes" in done.stderr
    receipt = json.loads(done.stdout)
    assert 0 < receipt["waited_seconds"] <= 10
    assert receipt["wait_skipped"] is False
    assert [item["call"] for item in receipt["removed"]] == [
        "iam:PutRolePolicy",
        "iam:UpdateAssumeRolePolicy",
        "iam:DetachRolePolicy",
        "iam:DetachRolePolicy",
        "iam:DeleteRolePolicy",
        "iam:DeleteRolePolicy",
        "iam:DeleteRolePolicy",
        "iam:DeleteRole",
    ]
    assert receipt["gone"] is True
    assert receipt["trust_closed"] is True
    assert receipt["other_roles"] == []
    assert receipt["survives"]
    assert (receipt["outlives"], receipt["outlives_unknown"], receipt["deny_put_again"]) == ([], [], 0)
    assert is_gone(stage)
    for attempt in (iam.list_users, enter):
        with pytest.raises(botocore.exceptions.ClientError):
            attempt()


def test_running_it_again_says_that_the_role_is_gone(stage: Any, owner: Run, made: dict[str, Any]) -> None:
    assert owner("revoke", "audit", "--yes", "--no-wait").returncode == 0
    again = owner("revoke", "audit", "--yes", "--no-wait", "--json")
    assert again.returncode == 1
    assert f"There is no role audit in account {stage.owner.account}." in again.stderr
    assert json.loads(again.stdout) == {
        "valetkey": "receipt/v1",
        "name": "audit",
        "account": stage.owner.account,
        "removed": [],
        "gone": True,
        "near": [],
    }


def test_the_receipt_names_other_roles_that_trust_the_same_contractor(
    stage: Any, owner: Run, made: dict[str, Any]
) -> None:
    assert owner("grant", "second", *FOREVER, "--to", stage.contractor.account).returncode == 0
    assert owner("grant", "other", *FOREVER, "--to", stage.party().account).returncode == 0
    done = owner("revoke", "audit", "--yes", "--no-wait")
    assert done.returncode == 0
    line = next(line for line in done.stdout.splitlines() if line.startswith("Other roles"))
    assert line.endswith(": second")


def test_a_role_that_was_put_to_other_uses_goes_too_and_its_boundary_is_never_removed(stage: Any, owner: Run) -> None:
    boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    words = ("grant", "audit", *FOREVER, "--to", stage.contractor.account, "--boundary", boundary)
    assert owner(*words).returncode == 0
    root = stage.owner.root
    root("iam", "create_instance_profile", InstanceProfileName="machines")
    root("iam", "add_role_to_instance_profile", InstanceProfileName="machines", RoleName="audit")
    root("iam", "attach_role_policy", RoleName="audit", PolicyArn="arn:aws:iam::aws:policy/job-function/Billing")
    root("iam", "put_role_policy", RoleName="audit", PolicyName="by-hand", PolicyDocument=json.dumps(ASSUME))
    # The emulator judges RemoveRoleFromInstanceProfile on the role; AWS judges it on the instance profile (Service
    # Authorization Reference), as docs/reference/permissions.md says. Hence an administrator here.
    admin = stage.owner.user("admin", "arn:aws:iam::aws:policy/AdministratorAccess")
    done = owner("revoke", "audit", "--yes", "--no-wait", "--confirm", "audit", as_user=admin)
    assert done.returncode == 0, done.stderr
    assert is_gone(stage)
    calls = [request["call"] for request in stage.sandbox.control.requests(stage.owner.account)]
    assert "iam:RemoveRoleFromInstanceProfile" in calls
    assert "iam:DeleteRolePermissionsBoundary" not in calls


def test_at_a_terminal_it_asks_and_no_is_no(stage: Any, owner: Run, made: dict[str, Any]) -> None:
    code, shown = owner("revoke", "audit", "--no-wait", tty=True, answers=[(r"\[y/N\] $", "n")])
    assert code == 1, shown
    assert not is_gone(stage)
    code, shown = owner("revoke", "audit", "--no-wait", tty=True, answers=[(r"\[y/N\] $", "y")])
    assert code == 0, shown
    assert is_gone(stage)


def test_a_failure_midway_says_what_holds_and_the_next_run_finishes(
    stage: Any, owner: Run, made: dict[str, Any]
) -> None:
    stage.sandbox.control.fault(
        kind="deny", service="iam", operation="DetachRolePolicy", account=stage.owner.account, times=None
    )
    failed = owner("revoke", "audit", "--yes", "--no-wait")
    assert failed.returncode == 3
    assert "carries the deny on everything" in failed.stderr
    assert "again" in failed.stderr
    stage.sandbox.control.clear(stage.owner.account)
    assert owner("revoke", "audit", "--yes", "--no-wait").returncode == 0
    assert is_gone(stage)


@pytest.mark.parametrize("kind", ["lose", "drop", "throttle"])
def test_lost_answers_and_throttling_are_overcome_in_one_run(stage: Any, owner: Run, kind: str) -> None:
    writes = ("CreateRole", "PutRolePolicy", "AttachRolePolicy", "UpdateAssumeRolePolicy", "DetachRolePolicy")
    for operation in (*writes, "DeleteRolePolicy", "DeleteRole"):
        stage.sandbox.control.fault(kind=kind, service="iam", operation=operation, account=stage.owner.account)
    done = owner("grant", "audit", *FOREVER, "--to", stage.contractor.account)
    assert done.returncode == 0, done.stderr
    done = owner("revoke", "audit", "--yes", "--no-wait")
    assert done.returncode == 0, done.stderr
    assert is_gone(stage)


def test_a_trust_that_shows_a_deleted_users_id_is_told_and_replaced(stage: Any, owner: Run) -> None:
    carol = stage.contractor.user("carol")
    root = stage.contractor.root
    made = owner("grant", "audit", *FOREVER, "--to", stage.contractor.account, "--pin", carol.arn)
    assert made.returncode == 0, made.stderr
    root("iam", "delete_access_key", UserName="carol", AccessKeyId=carol.access_key_id)
    root("iam", "delete_user", UserName="carol")
    root("iam", "create_user", UserName="carol")
    document = stage.owner.root("iam", "get_role", RoleName="audit")["Role"]["AssumeRolePolicyDocument"]
    gone = document["Statement"][0]["Principal"]["AWS"]
    assert gone.startswith("AIDA")
    with pytest.raises(botocore.exceptions.ClientError, match="MalformedPolicyDocument"):
        stage.owner.root("iam", "update_assume_role_policy", RoleName="audit", PolicyDocument=json.dumps(document))

    shown = owner("show", "audit", "--json")
    assert shown.returncode == 1
    assert f"deleted: {gone}" in [item["found"] for item in json.loads(shown.stdout)["drift"]]
    done = owner("revoke", "audit", "--yes", "--no-wait", "--json")
    assert done.returncode == 0, done.stderr
    receipt = json.loads(done.stdout)
    assert receipt["trust_closed"] is True
    assert receipt["contractor"] == stage.contractor.account
    assert is_gone(stage)


def test_the_receipt_names_what_the_deny_does_not_end(stage: Any, owner: Run) -> None:
    assert (
        owner("grant", "audit", *FOREVER, "--to", stage.contractor.account, "--policy", "ReadOnlyAccess").returncode
        == 0
    )
    done = owner("revoke", "audit", "--yes", "--no-wait")
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "could have obtained and the deny does not end" in said
    assert "up to 12 h: s3:GetDataAccess (ReadOnlyAccess)" in said
    assert "Not waited for (--no-wait)" in said


def test_without_the_right_to_read_policies_it_is_unknown_what_could_be_taken_out(stage: Any, owner: Run) -> None:
    assert owner("grant", "audit", *FOREVER, "--to", stage.contractor.account).returncode == 0
    stage.sandbox.control.fault(
        kind="deny", service="iam", operation="GetPolicy", account=stage.owner.account, times=None
    )
    done = owner("revoke", "audit", "--yes", "--no-wait", "--json")
    assert done.returncode == 0, done.stderr
    unknown = json.loads(done.stdout)["outlives_unknown"]
    assert [item.rpartition("/")[2] for item in unknown] == ["SecurityAudit", "ViewOnlyAccess"]
    assert is_gone(stage)
