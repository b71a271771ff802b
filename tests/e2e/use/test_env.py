"""`eval "$(valetkey env NAME)"` makes the shell's tools work in the owner's account."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pexpect
import pytest

Make = Callable[..., Any]
FORMER = {"AWS_ACCESS_KEY_ID": "ASIAFORMER", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t", "AWS_PROFILE": "x"}
VALETKEY = f'"{sys.executable}" -m valetkey'


def switch(shell: str, words: str) -> list[str]:
    """The command line of a shell that evaluates `valetkey WORDS`, then prints the status and its credentials."""
    if shell == "fish":
        line = f"{VALETKEY} {words} --shell fish | source; echo status $status; env | string match 'AWS_*KEY*'; true"
        return ["fish", "--no-config", "-c", line]
    line = f'eval "$({VALETKEY} {words})"; echo "status $?"; env | grep "^AWS_.*KEY"; env | grep ^AWS_PROFILE; true'
    return [shell, "-c", line]


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
    assert it.person.run("env", "acme", "--shell", "fish").stdout.count("set -gx ") == 8
    assert it.person.run("env", "acme", "--shell", "powershell").stdout.count("$Env:") == 8
    for words in (["acme", "--shell", "csh"], ["other"]):
        done = it.person.run("env", *words)
        assert done.returncode == 2
        assert set(done.stdout.split()) >= {"unset", "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"}
        assert "export" not in done.stdout
        assert done.stdout.endswith("false\n")


def test_the_code_is_asked_for_while_stdout_is_read_by_the_shell(way: Make) -> None:
    it = way()
    code, shown = it.person.run_tty("env", "acme", code=it.user.code)
    assert code == 0
    assert "export AWS_SESSION_TOKEN=" in shown


def test_the_region_is_the_aws_profiles(way: Make) -> None:
    """The person's setting in the AWS profile applies, as for every tool that uses the profile."""
    it = way()
    it.first()
    it.aws_profile()
    config = it.person.home / ".aws/config"
    head, _, tail = config.read_text().partition("[profile acme]\n")
    config.write_text(f"{head}[profile acme]\n{tail.replace('us-east-1', 'eu-west-3')}")
    assert "export AWS_REGION='eu-west-3'\n" in it.person.run("env", "acme").stdout
    assert it.person.run("exec", "acme", "--", "sh", "-c", "echo $AWS_REGION").stdout == "eu-west-3\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "dash", "fish"])
def test_a_switch_that_fails_leaves_no_credentials_in_the_shell(shell: str, way: Make) -> None:
    """For every reason: the previous customer's keys are removed, and the status is not 0."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    it = way()
    it.save("wrong-id", external_id="wrong")
    (it.person.home / ".config/valetkey/profiles/broken.json").write_text("{")
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    cases: list[tuple[str, dict[str, str]]] = [
        ("env nobody", {}),
        ("env acme --nonsense", {}),
        ("env", {}),
        ("env broken", {}),
        ("env acme", {}),  # no terminal for the MFA prompt
        ("env acme", nowhere),
        ("--debug env nobody", {}),
    ]
    for words, changes in cases:
        env = {**it.person.env, **FORMER, **changes}
        done = subprocess.run(
            switch(shell, words), env=env, capture_output=True, text=True, timeout=50, start_new_session=True
        )
        result = done.stdout.split()
        assert result[:1] == ["status"], (words, done)
        assert result[1] != "0", (words, done)
        assert result[2:] == [], (words, done.stdout)
    it.first()
    env = {**it.person.env, **FORMER}
    done = subprocess.run(
        switch(shell, "env wrong-id"), env=env, capture_output=True, text=True, timeout=50, start_new_session=True
    )
    assert done.stdout.split() == ["status", "1"], done
    assert "AWS refused" in done.stderr
    # A successful switch sets the new ones.
    done = subprocess.run(
        switch(shell, "env acme"), env=env, capture_output=True, text=True, timeout=50, start_new_session=True
    )
    assert done.stdout.startswith("status 0\n"), done
    assert "FORMER" not in done.stdout
    assert "AWS_ACCESS_KEY_ID=ASIA" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_one_that_is_interrupted_does_too(number: signal.Signals, way: Make) -> None:
    it = way(mfa=False)
    it.stage.sandbox.control.fault(kind="hang", service="sts", operation="GetCallerIdentity", account=it.person.account)
    child = subprocess.Popen(
        [sys.executable, "-m", "valetkey", "env", "acme"],
        env=it.person.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    it.stage.sandbox.control.held(it.person.account)
    child.send_signal(number)
    out, err = child.communicate(timeout=20)
    assert "unset AWS_SESSION_TOKEN\n" in out
    assert "export" not in out
    assert "Traceback" not in err
    if number is not signal.SIGKILL:
        assert out.endswith("\nfalse\n")
        assert child.returncode == 128 + number


@pytest.mark.parametrize("words", [["bash", "--norc", "-i"], ["zsh", "-f", "-i"], ["dash", "-i"]])
def test_ctrl_c_at_the_question_ends_the_question_and_not_the_line(words: list[str], way: Make) -> None:
    """An interactive shell that also gets the signal would drop the line, and keep the previous customer's keys."""
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    it = way()
    env: Any = {**it.person.env, **FORMER, "TERM": "dumb", "PS1": "$ "}
    child = pexpect.spawn(words[0], words[1:], env=env, cwd=str(it.person.home), encoding="utf-8", timeout=40)
    try:
        time.sleep(1)  # until the shell reads
        child.sendline(f'eval "$({VALETKEY} env acme)"; echo "status=$?" "key=[$AWS_ACCESS_KEY_ID]"')
        child.expect("MFA code for [^\r\n]*: ")
        child.send("12\x03")
        child.expect(r"status=(\d+) key=\[(\w*)\]")
        assert child.match.groups() == ("1", "")
        # The terminal is restored: Ctrl-C is a signal again.
        child.sendline("sleep 30")
        time.sleep(1)
        child.sendintr()
        child.sendline("echo still$((40 + 2))")
        child.expect("still42", timeout=10)
    finally:
        child.close(force=True)
    assert it.asked("sts:GetSessionToken") == 0


def test_what_cannot_be_written_is_no_traceback(way: Make) -> None:
    it = way()
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as out:
        done = subprocess.run(
            [sys.executable, "-m", "valetkey", "env", "acme"],
            env=it.person.env,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
        )
    assert (done.returncode, done.stderr) == (141, "")


def test_help_is_help(way: Make) -> None:
    """On a terminal as usual; to a pipe as comments, because a shell may evaluate the output."""
    person = way().person
    code, shown = person.run_tty("env", "--help")
    assert code == 0
    assert "valetkey env [OPTIONS] [ARGS]" in shown
    assert "unset" not in shown
    piped = person.run("env", "--help")
    assert piped.returncode == 0
    assert "# Usage: valetkey env" in piped.stdout
