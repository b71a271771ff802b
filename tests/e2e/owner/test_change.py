"""Changes to a grant, over HTTP on the sandbox, with exactly the documented permissions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import botocore.exceptions
import pytest

from valetkey.grants.waiting import Waiting

Run = Callable[..., Any]
ASSUME = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}


@pytest.fixture(autouse=True)
def no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands do not wait: on the sandbox changes take effect at once, unless it is set otherwise."""
    passed = [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += seconds

    monkeypatch.setattr("valetkey.cli._owning.waiting", lambda: Waiting(clock=lambda: passed[0], sleep=sleep))


def said(done: Any, code: int = 0) -> Any:
    assert done.returncode == code, done.stderr + done.stdout
    return json.loads(done.stdout)


def refused(attempt: Callable[[], Any]) -> bool:
    try:
        attempt()
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in ("AccessDenied", "InvalidClientTokenId"):
            raise
        return True
    return False


def enter(stage: Any, user: Any, made: Any, external_id: str | None = None) -> Any:
    sts = stage.contractor.client("sts", user)
    answer = sts.assume_role(
        RoleArn=made["role_arn"], RoleSessionName="test", ExternalId=external_id or made["external_id"]
    )
    return answer["Credentials"]


def test_whoever_is_removed_loses_the_live_session_before_a_permission_is_added(stage: Any, owner: Run) -> None:
    people = {name: stage.contractor.user(name, ASSUME) for name in ("xenia", "carol", "dave")}
    words = ("--to", stage.contractor.account, "--until", "30d", "--no-mfa", "--policy", "SecurityAudit")
    named = ("--only", people["xenia"].arn, people["carol"].arn)
    made = said(owner("grant", "audit", *words, *named, "--yes", "--json"))
    role_id = stage.owner.root("iam", "get_role", RoleName="audit")["Role"]["RoleId"]
    xenia = stage.owner.client("iam", enter(stage, people["xenia"], made))
    assert not refused(xenia.list_users)
    changed = said(
        owner(
            *("change", "audit", "--yes", "--json", "--add-policy", "ViewOnlyAccess"),
            *("--remove-only", people["xenia"].arn, "--add-only", people["dave"].arn),
        )
    )
    assert changed["adds"] == [people["dave"].arn]
    assert changed["removes"] == [people["xenia"].arn]
    assert changed["sessions"] == "denied"
    assert changed["policies"]["adds"]
    assert changed["proof"]["holds"] is True
    order = changed["calls"]
    assert (
        order.index("iam:UpdateAssumeRolePolicy")
        < order.index("iam:PutRolePolicy")
        < order.index("iam:AttachRolePolicy")
    )
    assert refused(xenia.list_users)
    assert refused(lambda: enter(stage, people["xenia"], made))
    stage.sandbox.control.shift(stage.owner.account, 5)
    for name in ("carol", "dave"):
        assert not refused(stage.owner.client("iam", enter(stage, people[name], made)).list_users)
    shown = said(owner("show", "audit", "--json"))
    assert shown["drift"] == []
    assert shown["state"] == "open"
    assert shown["changes"][0]["what"].startswith("only user/")
    assert stage.owner.root("iam", "get_role", RoleName="audit")["Role"]["RoleId"] == role_id


def test_extend_rotate_suspend_and_resume(stage: Any, owner: Run) -> None:
    control, account = stage.sandbox.control, stage.owner.account
    carol = stage.contractor.user("carol", ASSUME)
    words = ("--to", stage.contractor.account, "--until", "30d", "--no-mfa", "--only", carol.arn)
    made = said(owner("grant", "audit", *words, "--yes", "--json"))
    live = stage.owner.client("iam", enter(stage, carol, made))
    assert owner("extend", "audit", "--until", "10d", "--yes").returncode == 2
    extended = said(owner("extend", "audit", "--until", "60d", "--yes", "--json"))
    assert extended["sessions"] == "kept"
    assert extended["calls"] == [
        "iam:TagRole",
        "iam:PutRolePolicy",
        "iam:UpdateAssumeRolePolicy",
        "iam:UntagRole",
    ]
    assert extended["waited_seconds"] == 0
    again = said(owner("extend", "audit", "--until", extended["fields"][0]["new"], "--yes", "--json"))
    assert again["calls"] == []
    rotated = said(owner("rotate", "audit", "--external-id", "their-new-one", "--yes", "--json"))
    assert rotated["sessions"] == "kept"
    assert rotated["previous_until"]
    for external_id in (made["external_id"], "their-new-one"):
        assert not refused(lambda given=external_id: enter(stage, carol, made, given))
    assert not refused(live.list_users)
    control.shift(account, 3 * 86400 + 60)
    assert refused(lambda: enter(stage, carol, made))
    live = stage.owner.client("iam", enter(stage, carol, made, "their-new-one"))
    assert not refused(live.list_users)
    control.shift(account, -3 * 86400 - 60)
    live = stage.owner.client("iam", enter(stage, carol, made, "their-new-one"))
    suspended = said(owner("suspend", "audit", "--yes", "--json"))
    assert suspended["until"] is None
    meanwhile = stage.owner.client("iam", enter(stage, carol, made, "their-new-one"))
    assert refused(live.list_users)
    assert refused(meanwhile.list_users)
    assert said(owner("list", "--json"))["grants"][0]["state"] == "suspended"
    assert said(owner("suspend", "audit", "--yes", "--json"))["calls"] == []
    resumed = said(owner("resume", "audit", "--yes", "--json"))
    assert resumed["may_live_until"]
    assert "GetScopedCredentials" in resumed["note"]
    control.shift(account, 5)
    assert refused(live.list_users)
    assert refused(meanwhile.list_users)
    fresh = stage.owner.client("iam", enter(stage, carol, made, "their-new-one"))
    assert not refused(fresh.list_users)
    said(owner("suspend", "audit", "--until", "2d", "--yes", "--json"))
    assert refused(fresh.list_users)
    control.shift(account, 2 * 86400 + 60)
    fresh = stage.owner.client("iam", enter(stage, carol, made, "their-new-one"))
    assert not refused(fresh.list_users)
    control.shift(account, -2 * 86400 - 60)
    shown = said(owner("show", "audit", "--json"))
    assert [change["what"].split(" ")[0] for change in shown["changes"]] == [
        "suspended",
        "resumed",
        "suspended",
        "ExternalId",
        "until",
    ]
    assert said(owner("revoke", "audit", "--no-wait", "--yes", "--json"))["gone"] is True
