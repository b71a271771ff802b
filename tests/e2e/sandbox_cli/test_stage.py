"""The fixtures themselves: separate accounts, private homes, enforced IAM."""

from __future__ import annotations

from typing import TYPE_CHECKING

import botocore.exceptions
import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Stage


def test_parties_are_separate_accounts(stage: Stage) -> None:
    alice = stage.owner.user("alice", "arn:aws:iam::aws:policy/AdministratorAccess")
    stage.contractor.user("alice")
    assert stage.owner.account != stage.contractor.account
    identity = stage.owner.client("sts", alice).get_caller_identity()
    assert identity["Account"] == stage.owner.account
    assert identity["Arn"] == alice.arn == f"arn:aws:iam::{stage.owner.account}:user/alice"


def test_iam_is_enforced(stage: Stage) -> None:
    carol = stage.contractor.user("carol")
    with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
        stage.contractor.client("iam", carol).list_users()


def test_login_is_what_commands_and_boto3_find(stage: Stage) -> None:
    carol, dave = stage.contractor.user("carol"), stage.contractor.user("dave")
    stage.contractor.login(carol)
    stage.contractor.login(dave, profile="second")
    assert stage.contractor.client("sts").get_caller_identity()["Arn"] == carol.arn
    assert stage.contractor.client("sts", profile="second").get_caller_identity()["Arn"] == dave.arn


def test_commands_run_with_and_without_a_terminal(stage: Stage) -> None:
    assert stage.owner.run("--version").returncode == 0
    code, shown = stage.owner.run_tty("--version")
    assert (code, shown.strip()) == (0, stage.owner.run("--version").stdout.strip())
