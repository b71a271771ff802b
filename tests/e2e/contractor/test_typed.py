"""accept --role on the sandbox: a role ARN received without a handoff file."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.e2e.contractor.conftest import Customer, documented
from tests.e2e.contractor.test_request_accept import keys, saved

from valetkey.trust import Terms


@pytest.fixture
def alice(stage: Any) -> Any:
    user = stage.contractor.user("alice", documented("accept", stage.contractor.account), mfa=True)
    stage.contractor.login(user)
    return user


def test_a_role_by_mail_is_asked_for_and_lets_in(stage: Any, terms: Terms, alice: Any) -> None:
    party, role = stage.contractor, Customer(stage, terms).handoff.role_arn
    alone = party.run("accept")
    assert (alone.returncode, "--role" in alone.stderr) == (2, True)
    party.root("iam", "put_user_policy", UserName="alice", PolicyName="assume", PolicyDocument=json.dumps(assume(role)))
    answers = [
        (r"ARN of the role: $", role),
        (r"ExternalId from the owner \(Enter: unknown\): $", terms.external_id),
        (r"require MFA\? \[y/n, Enter: unknown\] $", ""),
        (r"ROLE-ACCOUNT\): $", "acme"),
        (r"\[y/N\] $", "y"),
    ]
    code, shown = party.run_tty("accept", answers=answers)
    assert code == 0, shown
    assert "until        unknown" in shown
    assert "Not known: whether the role requires MFA; when the access ends" in shown
    plain = saved(party)
    assert (plain["origin"], plain["terms"]) == ("typed", {"external_id": terms.external_id})
    code, shown = party.run_tty("exec", "acme", "--", "true", code=alice.code)
    assert code == 0, shown
    assert "unknown" in party.run("customers").stdout


def test_the_words_on_the_command_line(stage: Any, terms: Terms, alice: Any) -> None:
    party, role = stage.contractor, Customer(stage, terms).handoff.role_arn
    words = ["accept", "--role", role, "--external-id", terms.external_id, "--mfa", "--session", "1h", "--name", "acme"]
    unasked = party.run(*words)
    assert (unasked.returncode, "--yes" in unasked.stderr) == (2, True)
    ran = party.run(*words, "--yes", "--json")
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert set(said) == keys("accept")
    assert (said["origin"], said["fingerprint"], said["until"]) == ("typed", None, None)
    assert "until" in said["unknown"]
    assert said["mfa_serial"]
    for bad in (
        ["accept", "--external-id", "x2"],
        ["accept", "handoff.json", "--role", role],
        ["accept", "handoff.json", "--no-mfa"],
        ["accept", "--role", f"arn:aws:iam::{party.account}:role/x", "--session", "5m"],
    ):
        assert party.run(*bad).returncode == 2
    own = party.run("accept", "--role", f"arn:aws:iam::{party.account}:role/x", "--yes")
    assert (own.returncode, "your own account" in own.stderr) == (1, True)


def assume(role: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role}],
    }
