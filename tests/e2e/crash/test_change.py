"""Kill a change, a rotation and a suspension after every AWS call. There is never more access than the old or the new
terms allow, as the sandbox decides, and running the same command again finishes the work."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.exceptions
import pytest

from valetkey.account.calls import Call, CallError
from valetkey.aws import connect
from valetkey.grants.change import change, prepare_change
from valetkey.grants.edit import Edit
from valetkey.grants.make import Interrupted, make
from valetkey.grants.options import OwnerOptions
from valetkey.grants.prepare import prepare
from valetkey.grants.role import read_owner, read_role
from valetkey.grants.status import read_standing
from valetkey.grants.suspend import resume, suspend
from valetkey.grants.waiting import Waiting

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
ASSUME = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}
FILES = {
    "old.json": "iam:ListUsers",
    "new.json": "iam:ListGroups",
}


class Killed:
    """Performs calls, and raises after the nth write instead of returning its response."""

    def __init__(self, perform: Any) -> None:
        self.perform, self.left = perform, -1

    def __call__(self, call: Call, /) -> dict[str, Any]:
        answer: dict[str, Any] = self.perform(call)
        if not call.operation.startswith("get_") and not call.operation.startswith("list_"):
            self.left -= 1
            if self.left == 0:
                raise CallError(call, "Unreachable", "killed")
        return answer


class World:
    """A grant for carol and xenia, who may have open sessions; a change replaces xenia by dave."""

    def __init__(self, stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", stage.sandbox.url)
        self.stage = stage
        self.perform = Killed(connect(keys=stage.owner.user("admin", ADMIN)))
        self.people = {name: stage.contractor.user(name, ASSUME) for name in ("carol", "xenia", "dave")}
        self.sts = {name: stage.contractor.client("sts", user) for name, user in self.people.items()}
        self.external_id = "the-first"
        passed = [0.0]

        def sleep(seconds: float) -> None:
            passed[0] += seconds

        self.waiting = Waiting(clock=lambda: passed[0], sleep=sleep)
        asked = OwnerOptions(
            name="audit",
            contractor=stage.contractor.account,
            external_id=self.external_id,
            mfa=False,
            only=(self.people["carol"].arn, self.people["xenia"].arn),
            policies=("old.json",),
            until=self.now().replace(microsecond=0) + timedelta(days=30),
        )
        prepared = prepare(asked, request=None, perform=self.perform, read=_read, now=self.now(), fresh_id="x" * 32)
        make(prepared.grant, None, perform=self.perform, now=self.now(), waiting=self.waiting)
        self.owner = read_owner(self.perform)

    def now(self) -> datetime:
        """The owner's clock, by which its account issues sessions."""
        return datetime.fromtimestamp(self.stage.sandbox.control.now(self.stage.owner.account), UTC)

    def enter(self, name: str, external_id: str | None = None) -> Any:
        answer = self.sts[name].assume_role(
            RoleArn=f"arn:aws:iam::{self.stage.owner.account}:role/audit",
            RoleSessionName=name,
            ExternalId=external_id or self.external_id,
        )
        return self.stage.owner.client("iam", answer["Credentials"])

    def may(self, session: Any) -> tuple[bool, bool]:
        """Whether a session may use the old policy's permission, and whether it may use the new one's."""
        return _works(session.list_users), _works(session.list_groups)

    def change(self, **given: Any) -> Any:
        words = {item: given.pop(item) for item in list(given) if item in Edit.__dataclass_fields__}

        def edit(now: datetime) -> Edit:
            return Edit(asked=OwnerOptions(name="audit", **given), given=frozenset(given), **words)

        ready = prepare_change("audit", edit, owner=self.owner, perform=self.perform, read=_read, now=self.now())
        return change(ready, perform=self.perform, now=self.now, waiting=self.waiting)

    def standing(self) -> Any:
        role = read_role(self.perform, "audit")
        assert role is not None
        return read_standing(role)

    def killed_everywhere(self, work: Callable[[], Any], check: Callable[[], None], undo: Callable[[], Any]) -> int:
        """Kill `work` after its first write, its second, ...; each time: check, run it again, check, undo it. Return
        the number of writes."""
        for number in range(1, 20):
            self.perform.left = number
            try:
                work()
                self.perform.left = -1
                return number - 1
            except Interrupted:
                self.perform.left = -1
            check()
            work()
            check()
            standing = self.standing()
            assert standing.drift == ()
            assert standing.record.changing is None
            undo()
            self.stage.sandbox.control.shift(self.stage.owner.account, 5)
        raise AssertionError("it never ends")


def _read(name: str) -> str:
    allow = {"Effect": "Allow", "Action": FILES[name], "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [allow]})


def _works(attempt: Callable[[], Any]) -> bool:
    try:
        attempt()
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in ("AccessDenied", "InvalidClientTokenId"):
            raise
        return False
    return True


@pytest.mark.timeout(240)
def test_a_change_killed_after_any_call(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(stage, monkeypatch)
    xenia, dave = (world.people[name].arn for name in ("xenia", "dave"))
    live = world.enter("xenia")

    def check() -> None:
        # xenia's open session never gets the new permission; dave never gets the old one.
        assert not world.may(live)[1]
        try:
            session = world.enter("dave")
        except botocore.exceptions.ClientError:
            return
        assert not world.may(session)[0]

    def undo() -> None:
        nonlocal live
        world.change(policies=("old.json",), remove_only=(dave,), add_only=(xenia,))
        stage.sandbox.control.shift(stage.owner.account, 5)
        live = world.enter("xenia")

    done = world.killed_everywhere(
        lambda: world.change(policies=("new.json",), remove_only=(xenia,), add_only=(dave,)), check, undo
    )
    assert done == 6  # record, old policy, trust, deny of open sessions, new policy, record


@pytest.mark.timeout(240)
def test_a_rotation_and_a_suspension_killed_after_any_call(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(stage, monkeypatch)
    live = world.enter("carol")

    def check() -> None:
        assert world.may(live) == (True, False)
        assert world.may(world.enter("carol")) == (True, False)

    done = world.killed_everywhere(
        lambda: world.change(external_id="the-second", overlap=timedelta(days=3)),
        check,
        lambda: world.change(external_id="the-first", overlap=timedelta(days=3)),
    )
    assert done == 3  # record, trust, record

    def stop() -> Any:
        standing = world.standing()
        return suspend(
            standing, until=None, owner=world.owner, perform=world.perform, now=world.now(), waiting=world.waiting
        )

    def go_on() -> Any:
        return resume(world.standing(), owner=world.owner, perform=world.perform, now=world.now, waiting=world.waiting)

    def fresh() -> None:
        nonlocal live
        go_on()
        stage.sandbox.control.shift(stage.owner.account, 5)
        live = world.enter("carol", "the-second")

    live = world.enter("carol", "the-second")
    assert world.killed_everywhere(stop, lambda: _refused(world, live), fresh) == 2

    def again() -> None:
        # Sessions from before the resume stay denied.
        assert world.may(live) == (False, False)
        stop()

    assert world.killed_everywhere(go_on, lambda: _refused(world, live), again) == 2


def _refused(world: World, live: Any) -> None:
    assert world.may(live) == (False, False)
