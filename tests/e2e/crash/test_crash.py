"""Kill `grant` and `revoke` after every write: there is never more access than the terms allow, and a second run
finishes the work."""

from __future__ import annotations

import json
from typing import Any

import botocore.exceptions
import pytest

FOREVER = ("--until", "never", "--yes")
ASSUME = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
GRANT_WRITES = [
    ("CreateRole", 1),
    ("PutRolePolicy", 1),
    ("PutRolePolicy", 2),
    ("AttachRolePolicy", 1),
    ("AttachRolePolicy", 2),
]
REVOKE_WRITES = [
    ("PutRolePolicy", 1),
    ("UpdateAssumeRolePolicy", 1),
    ("DetachRolePolicy", 1),
    ("DetachRolePolicy", 2),
    ("DeleteRolePolicy", 1),
    ("DeleteRolePolicy", 2),
    ("DeleteRolePolicy", 3),
    ("DeleteRole", 1),
]
MONTH = 31 * 86400


class Contractor:
    """Carol, who knows the ExternalId, has her MFA device, and tries to use the role."""

    def __init__(self, stage: Any) -> None:
        self.stage = stage
        self.carol = stage.contractor.user("carol", ASSUME, mfa=True)
        self.mallory = stage.contractor.user("mallory", ASSUME)

    def enter(self, arn: str, external_id: str | None, *, mfa: bool = True) -> Any:
        user = self.carol if mfa else self.mallory
        params: dict[str, str] = {"SerialNumber": user.mfa_serial, "TokenCode": user.code()} if mfa else {}
        if external_id:
            params["ExternalId"] = external_id
        sts = self.stage.contractor.client("sts", user)
        return sts.assume_role(RoleArn=arn, RoleSessionName="try", **params)["Credentials"]

    def may(self, keys: Any) -> tuple[bool, bool]:
        """Whether a session may read, and whether it may write."""
        iam = self.stage.owner.client("iam", keys)
        return not refused(iam.list_users), not refused(lambda: iam.create_user(UserName="left-behind"))


def refused(attempt: Any) -> bool:
    try:
        attempt()
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in ("AccessDenied", "InvalidClientTokenId"):
            raise
        return True
    return False


def role(stage: Any) -> Any:
    try:
        return stage.owner.root("iam", "get_role", RoleName="audit")["Role"]
    except botocore.exceptions.ClientError:
        return None


def state(stage: Any) -> tuple[list[str], list[str]]:
    """The names of the role's inline and attached policies."""
    root = stage.owner.root
    attached = root("iam", "list_attached_role_policies", RoleName="audit")["AttachedPolicies"]
    inline = root("iam", "list_role_policies", RoleName="audit")["PolicyNames"]
    return sorted(inline), sorted(item["PolicyName"] for item in attached)


def external_id(result: Any) -> str:
    return str(result["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"])


@pytest.mark.parametrize("call", GRANT_WRITES, ids=lambda call: f"{call[0]}-{call[1]}")
def test_a_grant_killed_after_any_write_gives_no_more_than_its_terms_and_is_finished(
    stage: Any, kill_after: Any, call: tuple[str, int]
) -> None:
    owner, control = stage.owner, stage.sandbox.control
    owner.login(owner.user("admin", ADMIN))
    people = Contractor(stage)
    words = ("grant", "audit", "--yes", "--to", stage.contractor.account, "--until", "30d")
    kill_after(owner, call, *words)

    result = role(stage)
    secret = external_id(result)
    for attempt in (
        lambda: people.enter(result["Arn"], None),
        lambda: people.enter(result["Arn"], "wrong"),
        lambda: people.enter(result["Arn"], secret, mfa=False),
    ):
        assert refused(attempt)
    session = people.enter(result["Arn"], secret)
    reads, writes = people.may(session)
    assert not writes
    assert reads == (call[0] == "AttachRolePolicy")
    control.shift(owner.account, MONTH)
    assert refused(lambda: people.enter(result["Arn"], secret))
    control.shift(owner.account, -MONTH)

    again = owner.run(*words, "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["external_id"] == secret
    inline, managed = state(stage)
    assert inline == ["valetkey-own-role", "valetkey-until"]
    assert managed == ["SecurityAudit", "ViewOnlyAccess"]
    assert people.may(people.enter(result["Arn"], secret)) == (True, False)


@pytest.mark.parametrize("call", REVOKE_WRITES, ids=lambda call: f"{call[0]}-{call[1]}")
def test_a_revocation_killed_after_any_write_leaves_no_access_and_is_finished(
    stage: Any, kill_after: Any, granted: Any, call: tuple[str, int]
) -> None:
    owner = stage.owner
    owner.login(owner.user("admin", ADMIN))
    people = Contractor(stage)
    made = granted("audit")
    live = people.enter(made.role_arn, made.terms.external_id)
    assert people.may(live) == (True, False)
    kill_after(owner, call, "revoke", "audit", "--yes", "--no-wait")

    assert people.may(live) == (False, False)
    if call[0] == "PutRolePolicy":
        assert people.may(people.enter(made.role_arn, made.terms.external_id)) == (False, False)
    else:
        assert refused(lambda: people.enter(made.role_arn, made.terms.external_id))

    again = owner.run("revoke", "audit", "--yes", "--no-wait", "--json")
    # After the last call the role no longer exists, which the second run reports.
    assert again.returncode == (1 if call[0] == "DeleteRole" else 0), again.stderr
    assert json.loads(again.stdout)["gone"] is True
    assert role(stage) is None
    assert people.may(live) == (False, False)


def test_a_grant_cannot_be_renewed_out_of_a_revocation_that_has_begun(
    stage: Any, kill_after: Any, granted: Any
) -> None:
    owner = stage.owner
    owner.login(owner.user("admin", ADMIN))
    granted("audit")
    kill_after(owner, ("PutRolePolicy", 1), "revoke", "audit", "--yes", "--no-wait")
    refusal = owner.run("grant", "audit", *FOREVER, "--to", stage.contractor.account)
    assert refusal.returncode == 2
    assert "valetkey revoke" in refusal.stdout
    assert json.loads(owner.run("list", "--json").stdout)["grants"][0]["state"] == "revoking"
