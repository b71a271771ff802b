"""The owner's changes to a grant, with the real AWS CLI as the contractor's tool.

After every write of the owner the contractor calls too: calls that the terms allow are never denied, and calls that
neither the old nor the new terms allow never succeed. The sandbox's evaluator decides, not valetkey's.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import botocore.exceptions
import pytest

from valetkey.grants.waiting import Waiting

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
ASSUME = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}
READ = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["iam:ListUsers"], "Resource": "*"}]}
MORE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["iam:ListUsers", "iam:ListGroups"], "Resource": "*"}],
}


def works(attempt: Callable[[], Any]) -> bool:
    try:
        attempt()
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in ("AccessDenied", "InvalidClientTokenId"):
            raise
        return False
    return True


class World:
    """An owner, and a contractor who calls after each of the owner's writes."""

    def __init__(self, stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stage, self.owner, self.contractor = stage, stage.owner, stage.contractor
        self.admin = self.owner.user("admin", ADMIN)
        self.alice = self.contractor.user("alice", ASSUME)
        self.contractor.login(self.alice)
        self.sts = self.contractor.client("sts", self.alice)
        (self.owner.home / "read.json").write_text(json.dumps(READ))
        (self.owner.home / "more.json").write_text(json.dumps(MORE))
        self.seen: list[tuple[bool, bool, bool]] = []
        """After each write: whether a live session can read, whether it can write, whether alice can enter."""
        self.live: Any = None
        self.ids: tuple[str, ...] = ()
        self._patch(monkeypatch)

    def _patch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from valetkey.aws import connect

        passed = [0.0]

        def sleep(seconds: float) -> None:
            passed[0] += seconds

        monkeypatch.setattr("valetkey.cli._owning.waiting", lambda: Waiting(clock=lambda: passed[0], sleep=sleep))

        def watched(**options: Any) -> Any:
            inner = connect(**options)

            def perform(call: Any, /) -> Any:
                answer = inner(call)
                if self.live is not None and not call.operation.startswith(("get_", "list_")):
                    self.look()
                return answer

            return perform

        monkeypatch.setattr("valetkey.aws.connect", watched)

    def look(self) -> None:
        self.seen.append(
            (
                works(self.live.list_users),
                works(lambda: self.live.create_user(UserName="left-behind")),
                any(works(lambda given=id_: self.assume(given)) for id_ in self.ids),
            )
        )

    def enter(self, external_id: str, user: Any = None) -> Any:
        """A client with a new role session of `user` (default: alice)."""
        return self.owner.client("iam", self.assume(external_id, user))

    def assume(self, external_id: str, user: Any = None) -> Any:
        sts = self.sts if user is None else self.contractor.client("sts", user)
        arn = f"arn:aws:iam::{self.owner.account}:role/audit"
        answer = sts.assume_role(RoleArn=arn, RoleSessionName="alice", ExternalId=external_id)
        return answer["Credentials"]

    def aws(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the AWS CLI on the contractor's computer."""
        return subprocess.run(
            [sys.executable, "-m", "awscli", *words, "--profile", "acme"],
            env=self.contractor.env,
            cwd=self.contractor.home,
            capture_output=True,
            text=True,
            timeout=50,
            start_new_session=True,
        )

    def hand_over(self, owner: Callable[..., Any]) -> None:
        assert owner("handoff", "audit", "-o", "handoff.json", as_user=self.admin).returncode == 0
        text = (self.owner.home / "handoff.json").read_text()
        (self.contractor.home / "handoff.json").write_text(text)
        done = self.contractor.run("accept", "handoff.json", "--name", "acme", "--yes")
        assert done.returncode == 0, done.stderr


@pytest.mark.timeout(240)
def test_no_call_fails_that_the_terms_allow_and_none_passes_that_they_do_not(
    stage: Any, owner: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(stage, monkeypatch)
    admin, contractor = world.admin, stage.contractor

    def run(*words: str, code: int = 0) -> Any:
        done = owner(*words, "--yes", "--json", as_user=admin)
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)

    def requested(*more: str) -> str:
        done = contractor.run("request", "acme", "-o", "request.json", "--yes", *more)
        assert done.returncode == 0, done.stderr
        (stage.owner.home / "request.json").write_text((contractor.home / "request.json").read_text())
        return str(json.loads((contractor.home / "request.json").read_text())["external_id"])

    first = requested()
    named = ("--request", "request.json", "--to", contractor.account, "--until", "30d", "--no-mfa")
    run("grant", "audit", *named, "--only", world.alice.arn, "--policy", "read.json")
    world.hand_over(owner)
    assert world.aws("iam", "list-users").returncode == 0
    world.live, world.ids = world.enter(first), (first,)

    run("extend", "audit", "--until", "60d")
    run("change", "audit", "--policy", "more.json")
    assert world.aws("iam", "list-groups").returncode == 0
    bob = contractor.user("bob", ASSUME)
    assert not works(lambda: world.assume(first, bob))
    run("change", "audit", "--add-only", bob.arn)
    assert works(lambda: world.assume(first, bob))

    second = requested("--new")
    assert second != first
    run("rotate", "audit", "--request", "request.json", "--fingerprint", _fingerprint(contractor))
    assert works(lambda: world.assume(first))
    assert works(lambda: world.assume(second))
    world.hand_over(owner)
    assert world.aws("iam", "list-users").returncode == 0
    assert set(world.seen) == {(True, False, True)}
    assert len(world.seen) >= 12

    world.live = None
    suspended = world.enter(second)
    run("suspend", "audit")
    assert not works(suspended.list_users)
    assert "AccessDenied" in world.aws("iam", "list-users").stderr
    run("resume", "audit")
    stage.sandbox.control.shift(stage.owner.account, 5)
    assert not works(suspended.list_users)
    # The tool's cached session is from before the resume: accepting the handoff again makes it start a new one.
    world.hand_over(owner)
    assert world.aws("iam", "list-users").returncode == 0


def _fingerprint(contractor: Any) -> str:
    return str(json.loads((contractor.home / "request.json").read_text())["fingerprint"])
