"""Configured delays of role changes on the sandbox: for authorization, and for reads of IAM."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import botocore.exceptions
import pytest

ASSUME = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}
READ = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}]}
DENY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}


class Door:
    """A role that the contractor's carol may assume, and her permissions in it."""

    def __init__(self, stage: Any) -> None:
        self.stage, self.owner, self.control = stage, stage.owner, stage.sandbox.control
        self.carol = stage.contractor.user("carol", ASSUME)
        root = f"arn:aws:iam::{stage.contractor.account}:root"
        statement = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "sts:AssumeRole"}
        self.trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    def iam(self, operation: str, **params: Any) -> Any:
        return self.owner.root("iam", operation, **params)

    def create(self) -> None:
        self.iam("create_role", RoleName="door", AssumeRolePolicyDocument=self.trust)

    def put(self, name: str, document: Any) -> None:
        self.iam("put_role_policy", RoleName="door", PolicyName=name, PolicyDocument=json.dumps(document))

    def enter(self) -> Any:
        sts = self.stage.contractor.client("sts", self.carol)
        arn = f"arn:aws:iam::{self.owner.account}:role/door"
        return sts.assume_role(RoleArn=arn, RoleSessionName="carol")["Credentials"]

    def passes(self, seconds: float) -> None:
        self.control.shift(self.owner.account, seconds)


def code(attempt: Callable[[], Any]) -> str | None:
    """AWS's error code, or None on success."""
    try:
        attempt()
    except botocore.exceptions.ClientError as error:
        return str(error.response["Error"]["Code"])
    return None


@pytest.fixture
def door(stage: Any) -> Door:
    return Door(stage)


def test_at_once_unless_it_is_told_otherwise(door: Door) -> None:
    door.create()
    door.put("read", READ)
    session = door.owner.client("iam", door.enter())
    assert code(session.list_users) is None
    door.put("deny", DENY)
    assert code(session.list_users) == "AccessDenied"


def test_a_new_role_is_neither_entered_nor_seen_before_it_has_arrived(door: Door) -> None:
    door.control.propagation(door.owner.account, delays=[(30, 60)])
    door.create()
    assert code(door.enter) == "AccessDenied"
    assert code(lambda: door.iam("get_role", RoleName="door")) == "NoSuchEntity"
    door.passes(30)
    assert code(door.enter) is None
    assert code(lambda: door.iam("get_role", RoleName="door")) == "NoSuchEntity"
    assert "door" not in [role["RoleName"] for role in door.iam("list_roles")["Roles"]]
    # Writes are authorized by the current state.
    assert code(door.create) == "EntityAlreadyExists"
    door.passes(30)
    assert door.iam("get_role", RoleName="door")["Role"]["RoleName"] == "door"
    assert "door" in [role["RoleName"] for role in door.iam("list_roles")["Roles"]]


def test_a_deny_is_enforced_and_shown_when_it_has_arrived_on_each_side(door: Door) -> None:
    door.create()
    door.put("read", READ)
    session = door.owner.client("iam", door.enter())
    door.control.propagation(door.owner.account, delays=[(60, 30)])
    door.put("deny", DENY)
    assert code(session.list_users) is None
    assert door.iam("list_role_policies", RoleName="door")["PolicyNames"] == ["read"]
    door.passes(30)
    assert code(session.list_users) is None
    assert door.iam("list_role_policies", RoleName="door")["PolicyNames"] == ["read", "deny"]
    door.passes(30)
    assert code(session.list_users) == "AccessDenied"


def test_changes_arrive_in_another_order_than_they_were_made(door: Door) -> None:
    """The removal of a deny may take effect before an earlier removal of an allow."""
    door.create()
    door.put("read", READ)
    door.put("deny", DENY)
    session = door.owner.client("iam", door.enter())
    assert code(session.list_users) == "AccessDenied"
    door.control.propagation(door.owner.account, delays=[(60, 0), (5, 0)])
    door.iam("delete_role_policy", RoleName="door", PolicyName="read")
    door.iam("delete_role_policy", RoleName="door", PolicyName="deny")
    door.passes(5)
    assert code(session.list_users) is None
    door.passes(55)
    assert code(session.list_users) == "AccessDenied"


def test_of_two_changes_of_one_thing_the_later_one_wins(door: Door) -> None:
    door.create()
    door.control.propagation(door.owner.account, delays=[(60, 60), (5, 5)])
    door.put("read", DENY)
    door.put("read", READ)
    session = door.owner.client("iam", door.enter())
    assert code(session.list_users) == "AccessDenied"
    for seconds in (5, 55):
        door.passes(seconds)
        assert code(session.list_users) is None
        result = door.iam("get_role_policy", RoleName="door", PolicyName="read")
        assert result["PolicyDocument"] == READ


def test_a_closed_trust_lets_in_until_it_has_arrived(door: Door) -> None:
    door.create()
    door.control.propagation(door.owner.account, delays=[(20, 20)])
    closed = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
        }
    )
    door.iam("update_assume_role_policy", RoleName="door", PolicyDocument=closed)
    assert code(door.enter) is None
    door.passes(20)
    assert code(door.enter) == "AccessDenied"


def test_a_session_of_a_deleted_role_works_until_the_deletion_has_arrived(door: Door) -> None:
    door.create()
    door.put("read", READ)
    session = door.owner.client("iam", door.enter())
    door.control.propagation(door.owner.account, delays=[(0, 0), (40, 10)])
    door.iam("delete_role_policy", RoleName="door", PolicyName="read")
    door.iam("delete_role", RoleName="door")
    sts = door.owner.client("sts", door.enter())
    assert code(sts.get_caller_identity) is None
    assert door.iam("get_role", RoleName="door")
    door.passes(10)
    assert code(lambda: door.iam("get_role", RoleName="door")) == "NoSuchEntity"
    assert code(sts.get_caller_identity) is None
    door.passes(30)
    assert code(sts.get_caller_identity) == "InvalidClientTokenId"
    assert code(session.list_users) == "InvalidClientTokenId"


def test_a_seed_draws_the_same_delays(door: Door) -> None:
    seen = []
    for _ in range(2):
        door.create()
        door.control.propagation(door.owner.account, seconds=20, seed=7)
        for number in range(4):
            door.put(f"p{number}", READ)
        names = []
        for _ in range(10):
            names.append(tuple(door.iam("list_role_policies", RoleName="door")["PolicyNames"]))
            door.passes(2)
        seen.append(names)
        door.control.propagation(door.owner.account)
        for number in range(4):
            door.iam("delete_role_policy", RoleName="door", PolicyName=f"p{number}")
        door.iam("delete_role", RoleName="door")
    assert len(set(seen[0])) > 1
    assert len(seen[0][-1]) == 4
    # The clock continues between two calls; the order in which they become visible does not change.
    assert list(dict.fromkeys(seen[0])) == list(dict.fromkeys(seen[1]))


def test_switched_off_everything_counts_at_once_again(door: Door) -> None:
    door.control.propagation(door.owner.account, seconds=600, seed=1)
    door.control.propagation(door.owner.account)
    door.create()
    assert code(door.enter) is None


def test_other_accounts_are_not_delayed(door: Door, stage: Any) -> None:
    door.control.propagation(stage.contractor.account, seconds=600, seed=1)
    door.create()
    assert code(door.enter) is None


def test_a_wrong_delay_is_refused(door: Door) -> None:
    from valetkey.sandbox.errors import SandboxError

    for seconds in (-1, 601):
        with pytest.raises(SandboxError, match="0 to 600"):
            door.control.propagation(door.owner.account, seconds=seconds)


def test_get_caller_identity_answers_under_an_explicit_deny(door: Door) -> None:
    """STS API, GetCallerIdentity: a policy cannot deny it. Only the end of the session stops it."""
    door.create()
    door.put("deny", DENY)
    session = door.enter()
    assert door.owner.client("sts", session).get_caller_identity()["Account"] == door.owner.account
    assert code(door.owner.client("iam", session).list_users) == "AccessDenied"
