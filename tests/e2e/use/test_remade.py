"""The owner has recreated the role with the same name: cached sessions are dropped once AWS rejects them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., Any]
WHO = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
LAST = "valetkey: the role was recreated: run it again"


def calls(it: Any) -> int:
    """The number of GetCallerIdentity calls in the customer's account."""
    seen = it.stage.sandbox.control.requests(it.owner.account)
    return sum(1 for item in seen if item["call"] == "sts:GetCallerIdentity")


def is_new(it: Any, old: dict[str, Any]) -> bool:
    done = it.person.run("credential-process", "acme")
    assert done.returncode == 0, done.stderr
    new = json.loads(done.stdout)
    arn = it.person.client("sts", new).get_caller_identity()["Arn"]
    assert arn.endswith(":assumed-role/Audit/ann")
    return bool(new["AccessKeyId"] != old["AccessKeyId"])


def test_exec_runs_once_and_says_to_run_it_again(way: Make) -> None:
    it = way()
    it.first()
    it.make_role_anew()
    script = f"open('runs', 'a').write('x'); {WHO}"
    words = ("exec", "acme", "--", sys.executable, "-c", script)
    done = it.person.run(*words)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == LAST
    assert (it.person.home / "runs").read_text() == "x"
    done = it.person.run(*words)
    assert done.stdout.strip().endswith(":assumed-role/Audit/ann"), done.stderr
    assert LAST not in done.stderr


def test_exec_asks_only_after_a_failure_and_says_nothing_of_a_good_session(way: Make) -> None:
    it = way()
    old = it.first()
    for command, code, asked in (("true", 0, 0), ("exit 3", 3, 1), ("kill -TERM $$", 143, 1)):
        done = it.person.run("exec", "acme", "--", "sh", "-c", command)
        assert (done.returncode, done.stderr) == (code, "")
        assert calls(it) == asked
    assert not is_new(it, old)


def test_a_network_that_fails_says_nothing_about_the_session(way: Make) -> None:
    it = way()
    old = it.first()
    control = it.stage.sandbox.control
    control.fault(kind="drop", service="sts", operation="GetCallerIdentity", account=it.owner.account, times=None)
    try:
        done = it.person.run("exec", "acme", "--", "false")
    finally:
        control.clear(it.owner.account)
    assert (done.returncode, done.stderr) == (1, "")
    assert not is_new(it, old)


def test_exec_with_a_server_enters_anew_before_the_command_starts(way: Make) -> None:
    it = way()
    it.first()
    it.make_role_anew()
    done = it.person.run("exec", "acme", "--server", "--", sys.executable, "-c", WHO)
    assert done.stdout.strip().endswith(":assumed-role/Audit/ann"), done.stderr


def test_exec_for_several_names_the_customer(way: Make, stage: Any) -> None:
    it = way()
    other = stage.party("other")
    it.role("Audit", owner=other)
    it.save("globex", owner=other)
    it.first()
    it.person.run("credential-process", "globex")
    it.make_role_anew()
    done = it.person.run("exec", "--all", "--", sys.executable, "-c", WHO)
    assert done.returncode == 1
    assert "acme   | valetkey: the role was recreated: run it again" in done.stderr
    assert "globex | valetkey" not in done.stderr
    assert it.person.run("exec", "--all", "--", sys.executable, "-c", WHO).returncode == 0


@pytest.mark.parametrize("command", ["verify", "doctor", "customers"])
def test_commands_that_look_drop_it_and_say_so(command: str, way: Make) -> None:
    it = way()
    it.aws_profile()
    old = it.first()
    words = (command,) if command == "customers" else (command, "acme")
    before = it.person.run(*words)
    assert "recreated" not in before.stdout + before.stderr
    assert not is_new(it, old)
    it.make_role_anew()
    done = it.person.run(*words)
    assert "recreated" in done.stdout + done.stderr, done
    if command == "customers":
        assert "none" in done.stdout
    # The cache entry is deleted, and the next call of a tool works.
    assert is_new(it, old)
    assert it.asked("sts:GetSessionToken") == 1


def test_credential_process_looks_when_it_does_not_come_by_the_stored_answer(way: Make) -> None:
    it = way()
    old = it.first()
    it.person.run("credential-process", "acme")
    before = calls(it)
    it.person.run("credential-process", "acme")
    assert calls(it) == before
    it.make_role_anew()
    it.person.env["AWS_MAX_ATTEMPTS"] = "2"  # another environment
    assert is_new(it, old)


def test_console_enters_anew(way: Make) -> None:
    it = way()
    it.first()
    it.make_role_anew()
    done = it.person.run("console", "acme", "--print")
    assert done.returncode == 0, done.stderr
    assert "/federation?Action=login" in done.stdout


def test_a_role_that_is_gone_is_not_called_re_made_for_ever(way: Make) -> None:
    it = way()
    it.first()
    it.owner.root("iam", "detach_role_policy", RoleName="Audit", PolicyArn="arn:aws:iam::aws:policy/SecurityAudit")
    it.owner.root("iam", "delete_role", RoleName="Audit")
    words = ("exec", "acme", "--", sys.executable, "-c", WHO)
    assert it.person.run(*words).stderr.splitlines()[-1] == LAST
    done = it.person.run(*words)
    assert done.returncode == 125
    assert "AWS refused to let you assume the role" in done.stderr
