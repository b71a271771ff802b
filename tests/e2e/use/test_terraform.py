"""`terraform`: its output gives access to the customer's account (the real Terraform: clients/test_terraform.py)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

Make = Callable[..., Any]


def test_it_asks_nobody_and_prints_what_gets_in(way: Make, stage: Any) -> None:
    it = way()
    second = stage.party("second")
    it.role("Ops", owner=second)
    it.save("globex", role="Ops", owner=second)
    before = len(stage.sandbox.control.requests(it.person.account))
    it.person.env["PATH"] = "/usr/bin:/bin"
    done = it.person.run("terraform", "acme", "globex", "--shape", "assume-role", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert len(stage.sandbox.control.requests(it.person.account)) == before
    # The profiles that it prints provide the MFA session, with which the provider assumes roles by itself.
    config = it.person.home / ".aws/config"
    config.write_text(config.read_text() + done.stderr.partition("Add to your AWS config:\n")[2])
    it.first()
    providers = json.loads(done.stdout)["provider"]["aws"]
    for provider, party in zip(providers, (it.owner, second), strict=False):
        assert provider["allowed_account_ids"] == [party.account]
        (role,) = provider["assume_role"]
        enter = [
            *("sts", "assume-role", "--role-arn", role["role_arn"], "--external-id", role["external_id"]),
            *("--role-session-name", role["session_name"], "--duration-seconds", role["duration"].rstrip("s")),
        ]
        words = [
            sys.executable,
            "-m",
            "awscli",
            "--profile",
            provider["profile"],
            "--region",
            provider["region"],
            *enter,
            "--output",
            "json",
        ]
        ran = subprocess.run(words, env=it.person.env, capture_output=True, text=True, timeout=50)
        assert ran.returncode == 0, ran.stderr
        assert json.loads(ran.stdout)["AssumedRoleUser"]["Arn"].startswith(
            f"arn:aws:sts::{party.account}:assumed-role/"
        )
    assert it.asked("sts:GetSessionToken") == 1


def test_wrong_use(way: Make) -> None:
    it = way()
    for words in (("nobody",), ("acme", "--bucket", ""), ("acme", "--bucket", "x", "--key", "/a"), ()):
        done = it.person.run("terraform", *words)
        assert (done.returncode, done.stdout) == (2, ""), words
    it.save("nowhere", region=None)
    assert "nowhere: no region is known" in it.person.run("terraform", "nowhere").stderr
    it.save("plain", mfa=False)
    done = it.person.run("credential-process", "plain", "--mfa-session")
    assert (done.returncode, done.stdout) == (2, "")
