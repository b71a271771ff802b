"""IAM is eventually consistent: there is never more access than the terms allow, in whichever order the calls take
effect, while the contractor keeps calling and tries to undo the changes.

The sandbox provides the clock: waiting moves the owner's clock second by second, and the contractor tries each second.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.exceptions
import pytest
from botocore.config import Config

from valetkey.account.calls import Call, Perform
from valetkey.aws import connect
from valetkey.grants.make import make
from valetkey.grants.options import OwnerOptions
from valetkey.grants.plan import Differs
from valetkey.grants.prepare import prepare
from valetkey.grants.revoke import Receipt, revoke
from valetkey.grants.role import read_role
from valetkey.grants.status import read_standing
from valetkey.grants.waiting import SETTLE_SECONDS, Waiting

ASSUME = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
MIXED = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"},
        {"Effect": "Deny", "Action": "iam:ListAccountAliases", "Resource": "*"},
    ],
}
"""A policy that allows one action and denies another, which a second policy allows."""
OPEN = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
LONGEST = 9
"""The maximum delay of a change, in seconds; shorter than the wait of the commands."""


@dataclass
class Tick:
    """The contractor's access at one moment."""

    at: float
    reads: bool
    """Whether iam:ListUsers works, which the terms allow."""
    forbidden: list[str] = field(default_factory=list)
    """The calls that work but should not: those that the policies deny, and changes to the role itself."""


class World:
    """One grant of IAMFullAccess (it includes every call that could undo a revocation), its contractor, and a clock."""

    def __init__(self, stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", stage.sandbox.url)
        self.stage, self.control, self.account = stage, stage.sandbox.control, stage.owner.account
        self.admin: Perform = connect(keys=stage.owner.user("admin", ADMIN))
        self.carol = stage.contractor.user("carol", ASSUME)
        self.session: Any = None
        self.ticks: list[Tick] = []
        self.watched = True
        """Whether the contractor calls after each write and second."""
        self.waiting = Waiting(clock=self.clock, sleep=self.sleep)
        asked = OwnerOptions(
            name="audit",
            contractor=stage.contractor.account,
            policies=("IAMFullAccess", "mixed.json"),
            mfa=False,
            only=(self.carol.arn,),
        )
        now = datetime.now(UTC).replace(microsecond=0)
        self.prepared = prepare(
            asked, request=None, perform=self.admin, read=lambda _: json.dumps(MIXED), now=now, fresh_id="f" * 32
        )

    def clock(self) -> float:
        return float(self.control.now(self.account))

    def sleep(self, seconds: float) -> None:
        """Move the owner's clock forward; the contractor tries its calls every second."""
        if not self.watched:
            self.control.shift(self.account, seconds)
            return
        while seconds > 0:
            self.control.shift(self.account, min(1.0, seconds))
            seconds -= 1.0
            self.attempt()

    def perform(self, call: Call, /) -> dict[str, Any]:
        answer = self.admin(call)
        if self.watched and not call.operation.startswith(("get_", "list_")):
            self.attempt()
        return answer

    def grant(self, *, settles: bool = True) -> None:
        wanted = self.prepared
        assert wanted.order.waits == {1, 2}
        make(
            wanted.grant,
            None,
            perform=self.perform,
            now=datetime.now(UTC),
            waiting=self.waiting,
            order=wanted.order if settles else replace(wanted.order, waits=frozenset()),
        )

    def granted(self) -> None:
        """Create the grant without delays, and open the contractor's session."""
        self.watched = False
        self.grant()
        self.watched = True
        self.enter()

    def revoke(self, **more: Any) -> Receipt:
        role = read_role(self.admin, "audit")
        assert role is not None
        return revoke(
            read_standing(role), perform=self.perform, now=lambda: datetime.now(UTC), waiting=self.waiting, **more
        )

    def enter(self) -> None:
        sts = self.stage.contractor.client("sts", self.carol)
        arn = self.prepared.grant.role_arn
        answer = sts.assume_role(RoleArn=arn, RoleSessionName="carol", ExternalId=self.prepared.grant.terms.external_id)
        config = Config(retries={"total_max_attempts": 1})
        self.session = self.stage.owner.session(answer["Credentials"]).client(
            "iam", endpoint_url=self.stage.sandbox.url, config=config
        )

    def attempt(self) -> None:
        """Try every forbidden call with the contractor's session, or a new one if there is none. Record a Tick."""
        if self.session is None and refused(self.enter):
            return
        iam, tick = self.session, Tick(self.clock(), not refused(self.session.list_users))
        own = {"RoleName": "audit"}
        tries: dict[str, Callable[[], Any]] = {
            "iam:ListAccountAliases": iam.list_account_aliases,
            "iam:UpdateAssumeRolePolicy": lambda: iam.update_assume_role_policy(**own, PolicyDocument=OPEN),
            "iam:PutRolePolicy": lambda: iam.put_role_policy(**own, PolicyName="more", PolicyDocument=OPEN),
            "iam:AttachRolePolicy": lambda: iam.attach_role_policy(**own, PolicyArn=ADMIN),
            "iam:DetachRolePolicy": lambda: iam.detach_role_policy(**own, PolicyArn=ADMIN),
            "iam:TagRole": lambda: iam.tag_role(**own, Tags=[{"Key": "valetkey:contractor", "Value": "x"}]),
            "iam:DeleteRole": lambda: iam.delete_role(**own),
        }
        for name in ("valetkey-revoked", "valetkey-own-role"):
            tries[f"iam:DeleteRolePolicy {name}"] = lambda name=name: iam.delete_role_policy(**own, PolicyName=name)  # type: ignore[misc]
        tick.forbidden = [name for name, item in tries.items() if not refused(item)]
        self.ticks.append(tick)


def refused(attempt: Callable[[], Any]) -> bool:
    """Whether a call is denied for lack of permission. Other errors count as allowed."""
    try:
        attempt()
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"] in ("AccessDenied", "InvalidClientTokenId")
    return False


@pytest.fixture
def world(stage: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(stage, monkeypatch)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(3))
def test_a_revocation_never_gives_more_and_ends_all_once_the_deny_is_in_effect(world: World, seed: int) -> None:
    world.granted()
    world.control.propagation(world.account, seconds=LONGEST, seed=seed)
    receipt = world.revoke()
    assert SETTLE_SECONDS <= receipt.waited <= 3 * SETTLE_SECONDS
    assert receipt.undone == 0
    assert [tick.forbidden for tick in world.ticks if tick.forbidden] == []
    # Once denied, it stays denied; after the longest delay it is denied.
    reads = [tick.reads for tick in world.ticks]
    assert reads == sorted(reads, reverse=True)
    assert not any(tick.reads for tick in world.ticks if tick.at >= world.ticks[0].at + LONGEST)
    world.ticks.clear()
    world.sleep(LONGEST)
    assert [(tick.reads, tick.forbidden) for tick in world.ticks] == [(False, [])] * LONGEST


@pytest.mark.timeout(300)
def test_the_worst_order_the_denies_go_before_the_first_deny_has_come(world: World) -> None:
    """All changes except the removals of denies are slow. Without the wait, the contractor undoes the revocation."""
    # deny, trust, allow-only managed, mixed inline, own deny, revoked deny, role
    slow = [(LONGEST, 0), (LONGEST, 0), (LONGEST, 0), (0, 0), (0, 0), (0, 0), (0, 0)]
    world.granted()
    world.control.propagation(world.account, delays=slow)
    receipt = world.revoke()
    assert not receipt.skipped
    assert [tick.forbidden for tick in world.ticks if tick.forbidden] == []


@pytest.mark.timeout(300)
def test_without_the_wait_the_receipt_says_what_may_have_happened_and_it_does(world: World) -> None:
    slow = [(LONGEST, 0), (LONGEST, 0), (LONGEST, 0), (0, 0), (0, 0)]
    world.granted()
    world.control.propagation(world.account, delays=slow)
    receipt = world.revoke(settle=0.0)
    assert receipt.skipped
    assert receipt.waited == 0
    undone = {name for tick in world.ticks for name in tick.forbidden}
    assert "iam:ListAccountAliases" in undone
    assert "iam:PutRolePolicy" in undone


@pytest.mark.timeout(300)
def test_where_the_own_deny_is_gone_the_contractor_removes_the_deny_and_it_is_put_again(world: World) -> None:
    """The role's own deny was removed beforehand: until the new deny takes effect, the session can remove it."""
    world.granted()
    world.admin(Call("iam", "delete_role_policy", {"RoleName": "audit", "PolicyName": "valetkey-own-role"}))
    world.control.propagation(world.account, delays=[(3, 0)])
    receipt = world.revoke()
    assert receipt.undone == 1
    undone = {name for tick in world.ticks for name in tick.forbidden}
    assert "iam:DeleteRolePolicy valetkey-revoked" in undone
    assert read_role(world.admin, "audit") is None
    world.control.shift(world.account, LONGEST)
    world.attempt()
    assert not world.ticks[-1].reads


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(2))
def test_a_grant_never_gives_more_while_it_takes_effect(world: World, seed: int) -> None:
    world.control.propagation(world.account, seconds=LONGEST, seed=seed)
    world.grant()
    world.sleep(2 * LONGEST)
    assert any(tick.reads for tick in world.ticks)
    assert [tick.forbidden for tick in world.ticks if tick.forbidden] == []


@pytest.mark.timeout(300)
def test_a_grant_whose_policies_come_before_its_denies_would_give_more(world: World) -> None:
    """The same without the wait, in the worst order. This shows that the test above can fail."""
    # role, own deny, mixed inline, IAMFullAccess
    world.control.propagation(world.account, delays=[(0, 0), (LONGEST, 0), (LONGEST, 0), (0, 0)])
    # The contractor has changed the role, and `grant` reports the difference.
    with pytest.raises(Differs):
        world.grant(settles=False)
    assert any(tick.forbidden for tick in world.ticks)


@pytest.mark.timeout(300)
def test_a_grant_that_is_waited_for_holds_in_the_worst_order(world: World) -> None:
    world.control.propagation(world.account, delays=[(0, 0), (LONGEST, 0), (LONGEST, 0), (0, 0)])
    world.grant()
    world.sleep(2 * LONGEST)
    assert any(tick.reads for tick in world.ticks)
    assert [tick.forbidden for tick in world.ticks if tick.forbidden] == []


def test_a_grant_that_could_change_nothing_is_not_waited_for(world: World) -> None:
    asked = OwnerOptions(
        name="reader",
        contractor=world.stage.contractor.account,
        until=datetime.now(UTC).replace(microsecond=0) + timedelta(days=30),
    )
    now = datetime.now(UTC)
    prepared = prepare(asked, request=None, perform=world.admin, read=str, now=now, fresh_id="f" * 32)
    assert prepared.order.waits == frozenset()
