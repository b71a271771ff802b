"""The child of `exec` has only the grant's credentials, also after they expire; exec returns its exit code."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from typing import Any

import pexpect
import pytest

Make = Callable[..., Any]
AWS = (sys.executable, "-m", "awscli")
BOTO = (sys.executable, "-c", "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])")
CLI = (*AWS, "sts", "get-caller-identity", "--query", "Arn", "--output", "text")


@pytest.fixture
def it(way: Make) -> Iterator[Any]:
    """Access with a cached session, and every kind of other credentials to which a tool could fall back."""
    it = way()
    it.first()
    it.aws_profile()
    it.person.env |= {
        "AWS_PROFILE": "default",
        "AWS_DEFAULT_PROFILE": "default",
        "AWS_ACCESS_KEY_ID": it.user.access_key_id,
        "AWS_SECRET_ACCESS_KEY": it.user.secret_access_key,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/",
        "AWS_EC2_METADATA_DISABLED": "false",
    }
    # The default place too, for a tool that does not read the variables.
    assert it.person.env["AWS_SHARED_CREDENTIALS_FILE"] == str(it.person.home / ".aws/credentials")
    return it


def run(it: Any, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    done: subprocess.CompletedProcess[str] = it.person.run("exec", "acme", "--", *words, **options)
    return done


@pytest.mark.parametrize("tool", [CLI, BOTO], ids=["aws", "boto3"])
def test_the_child_is_in_the_owners_account(tool: tuple[str, ...], it: Any) -> None:
    # Without exec the same command runs as the person: there are credentials to fall back to.
    alone = subprocess.run(tool, env=it.person.env, capture_output=True, text=True, timeout=40)
    assert alone.stdout.strip() == it.user.arn, alone.stderr
    done = run(it, *tool)
    assert done.stdout.strip() == f"arn:aws:sts::{it.owner.account}:assumed-role/Audit/ann", done.stderr


@pytest.mark.parametrize("tool", [CLI, BOTO], ids=["aws", "boto3"])
def test_an_expired_session_falls_back_to_nothing(tool: tuple[str, ...], it: Any) -> None:
    it.stage.sandbox.control.shift(it.owner.account, 2 * 3600)
    done = run(it, *tool)
    assert done.returncode not in (0, 125)
    assert "ExpiredToken" in done.stderr
    assert it.person.account not in done.stdout


BARE = ("env", "-u", "AWS_ACCESS_KEY_ID", "-u", "AWS_SECRET_ACCESS_KEY")
NAMED = "import boto3; boto3.Session(profile_name='default').client('sts').get_caller_identity()"


@pytest.mark.parametrize(
    "tools",
    [
        [(*CLI, "--profile", name) for name in ("default", "acme", "inside")],
        [(sys.executable, "-c", NAMED), (*BARE, *CLI), (*BARE, *BOTO)],
    ],
    ids=["aws --profile", "no variables"],
)
def test_no_way_back_to_the_persons_own_keys(tools: list[tuple[str, ...]], it: Any) -> None:
    config = it.person.home / ".aws/config"
    keys = f"aws_access_key_id = {it.user.access_key_id}\naws_secret_access_key = {it.user.secret_access_key}\n"
    config.write_text(config.read_text() + f"[profile inside]\n{keys}")
    (it.person.home / ".boto").write_text(f"[Credentials]\n{keys}")
    for tool in tools:
        done = run(it, *tool)
        assert done.returncode not in (0, 125), tool
        assert it.user.arn not in done.stdout + done.stderr, tool
        assert "credentials" in done.stderr.lower() or "profile" in done.stderr.lower(), tool


def test_settings_that_are_no_credentials_stay(it: Any, tmp_path: pathlib.Path) -> None:
    config = it.person.home / ".aws/config"
    bundle = tmp_path / "ca.pem"
    bundle.write_text("")
    config.write_text(
        config.read_text().replace("[profile acme]\n", f"[profile acme]\nca_bundle = {bundle}\noutput = text\n")
    )
    look = (
        "import botocore.session as b, json, os; s = b.Session();"
        "print(json.dumps([s.get_config_variable('ca_bundle'), s.get_config_variable('region'),"
        "s.get_scoped_config(), s.available_profiles, os.environ['AWS_ENDPOINT_URL'],"
        "open(os.environ['AWS_SHARED_CREDENTIALS_FILE']).read(),"
        "[oct(os.stat(os.environ[n]).st_mode) for n in ('AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE')]]))"
    )
    result = json.loads(run(it, sys.executable, "-c", look).stdout)
    assert result == [
        str(bundle),
        "us-east-1",
        {"region": "us-east-1", "ca_bundle": str(bundle), "output": "text"},
        ["default"],
        it.stage.sandbox.url,
        "",
        ["0o100600", "0o100600"],
    ]


def test_the_private_files_are_gone_afterwards(it: Any, tmp_path: pathlib.Path) -> None:
    it.person.env["TMPDIR"] = str(tmp_path)
    seen = pathlib.Path(run(it, "sh", "-c", "echo $AWS_CONFIG_FILE").stdout.strip())
    assert seen.is_relative_to(tmp_path)
    assert not seen.parent.exists()
    with _running(it, "sh", "-c", "echo ready; exec sleep 60") as child:
        child.expect("ready")
        assert list(tmp_path.glob("valetkey-*"))
        os.kill(child.pid, signal.SIGTERM)
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 128 + signal.SIGTERM
    assert not list(tmp_path.glob("valetkey-*"))


def test_it_ends_as_its_child_ends(it: Any, tmp_path: pathlib.Path) -> None:
    plain, no_program = tmp_path / "plain", tmp_path / "no-program"
    plain.write_text("not a program")
    no_program.write_text("not a program")
    no_program.chmod(0o755)
    for words, code in (
        (("true",), 0),
        (("sh", "-c", "exit 7"), 7),
        (("sh", "-c", "exit 255"), 255),
        (("sh", "-c", "kill -9 $$"), 137),
        (("no-such-command-here",), 127),
        (("/",), 126),
        ((str(plain),), 126),
        ((str(no_program),), 126),
        ((), 125),
    ):
        assert run(it, *words).returncode == code, words


def test_own_failures_are_125(it: Any) -> None:
    assert it.person.run("exec", "nobody", "--", "true").returncode == 125
    assert it.person.run("exec", "../x", "--", "true").returncode == 125
    assert it.person.run("exec").returncode == 125
    assert it.person.run("exec", "acme", "--no-such-flag", "--", "true").returncode == 125
    it.save(external_id="wrong")
    done = run(it, "true")
    assert done.returncode == 125
    assert "valetkey doctor acme --probe" in done.stderr


def test_words_and_streams_arrive_as_they_are(it: Any) -> None:
    done = run(
        it,
        "sh",
        "-c",
        'printf "[%s]" "$@"; cat; echo err >&2',
        "sh",
        "--help",
        "--json",
        "a b",
        "",
        "--",
        "$x",
        input="in",
    )
    assert done.stdout == "[--help][--json][a b][][--][$x]in"
    assert done.stderr == "err\n"


def test_no_secret_in_the_words_of_any_process(it: Any) -> None:
    look = "tr '\\0' ' ' </proc/$PPID/cmdline; tr '\\0' ' ' </proc/$$/cmdline; echo \"$AWS_SECRET_ACCESS_KEY\""
    *words, secret = run(it, "sh", "-c", look).stdout.split()
    assert secret
    assert secret not in words


def test_ctrl_c_reaches_the_child_once_and_it_decides(it: Any) -> None:
    script = textwrap.dedent(
        """
        import contextlib, os, signal, time
        # Counted as they are delivered: two at once would be one call of the handler.
        read, write = os.pipe()
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write)
        signal.signal(signal.SIGINT, lambda *_: None)
        print("ready", flush=True)
        got = os.read(read, 100)  # the first; a second one would come with it
        os.set_blocking(read, False)
        time.sleep(1)
        with contextlib.suppress(BlockingIOError):
            got += os.read(read, 100)
        print("got", len(got), flush=True)
        raise SystemExit(9)
        """
    )
    with _running(it, sys.executable, "-c", script) as child:
        child.expect("ready")
        child.sendintr()
        child.expect(r"got (\d)")
        assert child.match.group(1) == "1"
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 9


def test_a_signal_to_valetkey_alone_reaches_the_child(it: Any) -> None:
    script = "trap 'echo hup; exit 5' HUP; echo ready; while :; do sleep 0.1; done"
    with _running(it, "sh", "-c", script) as child:
        child.expect("ready")
        os.kill(child.pid, signal.SIGHUP)
        child.expect("hup")
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 5


def test_the_child_has_the_terminal(it: Any) -> None:
    with _running(it, "sh", "-c", "test -t 0 && test -t 1 && read line </dev/tty && echo said $line") as child:
        time.sleep(1)
        child.sendline("hello")
        child.expect("said hello")


def test_the_code_is_asked_for_on_the_terminal_while_the_streams_are_pipes(way: Make) -> None:
    it = way()
    command = f'echo in | "{sys.executable}" -m valetkey exec acme -- cat >out 2>err; echo code $?'
    child = pexpect.spawn(
        "/bin/sh", ["-c", command], env=it.person.env, cwd=str(it.person.home), encoding="utf-8", timeout=40
    )
    child.expect(r"MFA code for [^\r\n]*: ")
    child.sendline(it.user.code())
    child.expect(r"code (\d+)")
    assert child.match.group(1) == "0"
    child.close()
    assert ((it.person.home / "out").read_text(), (it.person.home / "err").read_text()) == ("in\n", "")


def _running(it: Any, *words: str) -> pexpect.spawn:
    return pexpect.spawn(
        sys.executable,
        ["-m", "valetkey", "exec", "acme", "--", *words],
        env=it.person.env,
        cwd=str(it.person.home),
        encoding="utf-8",
        timeout=30,
    )
