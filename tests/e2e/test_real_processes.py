"""Each family of commands once in a new interpreter.

The other tests fork their commands from a process that has imported everything (tests.warm), or run them within the
test. There, a missing import in a command has no effect, and settings made by the start of an interpreter always exist.
Here nothing has been imported before.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(180)  # a dozen interpreters one after the other

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
ASSUME = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}


def real(party: Any, *words: str, code: int = 0, input: str = "") -> str:
    """Run a command as `python -m valetkey` in a new interpreter; return its output."""
    done = subprocess.run(
        [sys.executable, "-m", "valetkey", *words],
        env=party.env,
        cwd=party.home,
        input=input,
        capture_output=True,
        text=True,
        timeout=55,
        start_new_session=True,
    )
    assert done.returncode == code, f"{words}: {done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.fixture
def parties(stage: Any) -> tuple[Any, Any]:
    """The owner's person and alice, signed in; the grant `audit` is only for alice, without MFA."""
    stage.owner.login(stage.owner.user("owner", ADMIN))
    alice = stage.contractor.user("alice", ASSUME)
    stage.contractor.login(alice)
    words = ("--to", stage.contractor.account, "--no-mfa", "--only", alice.arn, "--until", "30d")
    real(stage.owner, "grant", "audit", *words, "--yes", "--json")
    real(stage.owner, "handoff", "audit", "--out", "handoff.json")
    return stage.owner, stage.contractor


def test_the_owner_s_commands(parties: tuple[Any, Any]) -> None:
    owner, contractor = parties
    assert [grant["name"] for grant in json.loads(real(owner, "list", "--json"))["grants"]] == ["audit"]
    assert "audit" in real(owner, "show", "audit")
    assert json.loads(real(owner, "can", "audit", "iam:ListUsers", "--json"))
    real(owner, "extend", "audit", "--until", "60d", "--yes")
    real(owner, "suspend", "audit", "--yes")
    real(owner, "resume", "audit", "--yes")
    trust = owner.root("iam", "get_role", RoleName="audit")["Role"]["AssumeRolePolicyDocument"]
    (owner.home / "trust.json").write_text(json.dumps(trust))
    assert contractor.account in real(owner, "who", "--trust", "trust.json", "--owner", owner.account)
    dump = owner.root("iam", "get_account_authorization_details", Filter=["Role"])
    (owner.home / "dump.json").write_text(json.dumps(dump, default=str))
    assert "audit" in real(owner, "audit", "dump.json", "--json", code=0)
    real(owner, "revoke", "audit", "--yes")
    assert json.loads(real(owner, "list", "--json"))["grants"] == []


def test_the_contractor_s_commands(parties: tuple[Any, Any]) -> None:
    owner, contractor = parties
    (contractor.home / "handoff.json").write_bytes((owner.home / "handoff.json").read_bytes())
    real(contractor, "accept", "handoff.json", "--name", "acme", "--yes")
    assert json.loads(real(contractor, "credential-process", "acme"))["AccessKeyId"]
    # Again, from the cache: the path without imports.
    assert json.loads(real(contractor, "credential-process", "acme"))["AccessKeyId"]
    assert "export AWS_ACCESS_KEY_ID=" in real(contractor, "env", "acme")
    told = "import os; print(os.environ['AWS_ACCESS_KEY_ID'][:4])"
    assert real(contractor, "exec", "acme", "--", sys.executable, "-c", told) == "ASIA\n"
    real(contractor, "exec", "acme", "--", "/bin/sh", "-c", "exit 7", code=7)
    assert "acme" in real(contractor, "customers")
    assert "acme" in real(contractor, "doctor", "acme")
    # Alice may not read her own policies, so the denied attempts are inconclusive.
    assert "the session was dropped" in real(contractor, "verify", "acme", code=1)
    assert "SigninToken=" in real(contractor, "console", "acme", "--print")
    real(contractor, "logout", "acme")
    real(contractor, "forget", "acme")


def test_the_commands_without_an_account(stage: Any) -> None:
    party = stage.owner
    question = {"request": {"principal": f"arn:aws:iam::{party.account}:user/a", "action": "s3:GetObject"}}
    real(party, "decide", "-", code=1, input=json.dumps(question))
    trust = {"Effect": "Allow", "Principal": {"AWS": party.account}, "Action": "sts:AssumeRole"}
    (party.home / "trust.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    words = ("--to", party.account, "--no-external-id", "--owner", "111111111111")
    real(party, "prove", "--trust", "trust.json", *words, code=1)
    assert "valetkey()" in real(party, "shell-init", "bash")
    assert real(party, "--version")
