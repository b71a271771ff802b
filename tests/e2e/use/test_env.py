"""`eval "$(valetkey env NAME)"` makes the shell's tools work in the owner's account."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

Make = Callable[..., Any]


def test_bash_evaluates_it(way: Make) -> None:
    it = way()
    it.first()
    script = (
        f'eval "$("{sys.executable}" -m valetkey env acme)"; '
        f'"{sys.executable}" -m awscli sts get-caller-identity --query Arn --output text; '
        'echo "${AWS_PROFILE-gone} $AWS_REGION $AWS_ACCOUNT_ID $AWS_CREDENTIAL_EXPIRATION"'
    )
    env = {**it.person.env, "AWS_PROFILE": "default", "AWS_ACCOUNT_ID": it.person.account}
    done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True, timeout=50)
    arn, rest = done.stdout.splitlines()
    assert arn == f"arn:aws:sts::{it.owner.account}:assumed-role/Audit/ann"
    assert rest.startswith(f"gone us-east-1 {it.owner.account} 20")
    assert rest.endswith("Z")


def test_other_shells_and_a_failure(way: Make) -> None:
    it = way()
    it.first()
    assert it.person.run("env", "acme", "--shell", "fish").stdout.count("set -gx ") == 7
    assert it.person.run("env", "acme", "--shell", "powershell").stdout.count("$Env:") == 7
    done = it.person.run("env", "acme", "--shell", "csh")
    assert (done.returncode, done.stdout) == (2, "")
    done = it.person.run("env", "other")
    assert (done.returncode, done.stdout) == (2, "")


def test_the_code_is_asked_for_while_stdout_is_read_by_the_shell(way: Make) -> None:
    it = way()
    code, shown = it.person.run_tty("env", "acme", code=it.user.code)
    assert code == 0
    assert "export AWS_SESSION_TOKEN=" in shown


def test_the_region_is_the_aws_profiles(way: Make) -> None:
    """As for every tool that uses the profile: what the person writes there holds."""
    it = way()
    it.first()
    it.aws_profile()
    config = it.person.home / ".aws/config"
    head, _, tail = config.read_text().partition("[profile acme]\n")
    config.write_text(f"{head}[profile acme]\n{tail.replace('us-east-1', 'eu-west-3')}")
    assert "export AWS_REGION='eu-west-3'\n" in it.person.run("env", "acme").stdout
    assert it.person.run("exec", "acme", "--", "sh", "-c", "echo $AWS_REGION").stdout == "eu-west-3\n"
