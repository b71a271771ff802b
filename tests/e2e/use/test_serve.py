"""`serve` and `exec --server`: SDKs fetch credentials over HTTP, other callers cannot, and no others are used."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from valetkey.cli._childenv import check_caller
from valetkey.errors import ValetkeyError

Make = Callable[..., Any]
BOTO = (sys.executable, "-c", "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])")
CLI = (sys.executable, "-m", "awscli", "sts", "get-caller-identity", "--query", "Arn", "--output", "text")


_AHEAD = """
import pathlib, sys
from datetime import UTC, datetime, timedelta
from valetkey.cli import _machine as machine, _run as run
file = pathlib.Path(sys.argv[1])
machine.clock = lambda: datetime.now(UTC) + timedelta(seconds=float(file.read_text()))
sys.exit(run.run(sys.argv[2:]))
"""


@contextlib.contextmanager
def serving(it: Any, *words: str, clock: pathlib.Path | None = None) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Run the server; yield it and its JSON entries by profile name. `clock` is a file with the number of seconds that
    the server's clock is ahead."""
    begin = ["-m", "valetkey"] if clock is None else ["-c", _AHEAD, str(clock)]
    child = subprocess.Popen(
        [sys.executable, *begin, "serve", *words, "--json"],
        env=it.person.env,
        cwd=it.person.home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    limit = threading.Timer(40, child.kill)
    limit.start()
    try:
        assert child.stdout
        line = child.stdout.readline()
        assert line, child.stderr.read() if child.stderr else ""
        yield child, {item["name"]: item for item in json.loads(line)["served"]}
    finally:
        limit.cancel()
        if child.poll() is None:
            child.terminate()
        child.communicate(timeout=30)


def ask(served: dict[str, Any], *, path: str | None = None, method: str = "GET", **headers: str) -> tuple[int, Any]:
    """Send one request; return the status and body. Host and token are correct unless given."""
    url = urlsplit(served["url"])
    assert url.hostname
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
    token = pathlib.Path(served["token_file"]).read_text()
    connection.request(method, path or url.path, headers={"Authorization": token, **headers})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def test_sdks_get_in_and_what_is_served_is_the_role_session(way: Make) -> None:
    it = way()
    first = it.first()
    with serving(it, "acme") as (child, result):
        served = result["acme"]
        assert served["account"] == it.owner.account
        status, body = ask(served)
        assert status == 200
        assert body == {
            "AccessKeyId": first["AccessKeyId"],
            "SecretAccessKey": first["SecretAccessKey"],
            "Token": first["SessionToken"],
            "Expiration": first["Expiration"],
            "AccountId": it.owner.account,
        }
        # A typical setup: no other keys and no profile are reachable.
        env = {
            **it.person.env,
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": served["url"],
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": served["token_file"],
            "AWS_REGION": "us-east-1",
        }
        for tool in (BOTO, CLI):
            done = subprocess.run(tool, env=env, capture_output=True, text=True, timeout=40)
            assert done.stdout.strip() == f"arn:aws:sts::{it.owner.account}:assumed-role/Audit/ann", done.stderr
        token = pathlib.Path(served["token_file"])
        assert (token.stat().st_mode & 0o777, token.parent.stat().st_mode & 0o777) == (0o600, 0o700)
        secret = token.read_text()
        words = pathlib.Path(f"/proc/{child.pid}/cmdline").read_text()
        assert secret not in words
        child.terminate()
        assert child.wait(10) == 0
        assert not token.parent.exists()
    assert (it.asked("sts:GetSessionToken"), it.asked("sts:AssumeRole")) == (1, 1)


def test_who_does_not_know_the_token_or_comes_under_another_name_gets_nothing(way: Make, stage: Any) -> None:
    it = way()
    second = stage.party("second")
    it.role("Ops", owner=second)
    it.save("globex", role="Ops", owner=second)
    it.first()
    with serving(it, "acme", "globex") as (_, result):
        acme, globex = result["acme"], result["globex"]
        assert (ask(acme)[1]["AccountId"], ask(globex)[1]["AccountId"]) == (it.owner.account, second.account)
        other = pathlib.Path(globex["token_file"]).read_text()
        port = urlsplit(acme["url"]).port
        refused = [
            (401, {"Authorization": "x"}),
            (401, {"Authorization": ""}),
            (401, {"Authorization": other}),
            (421, {"Host": f"localhost:{port}"}),
            (421, {"Host": f"evil.example:{port}"}),
            (421, {"Host": "127.0.0.1"}),
        ]
        for status, headers in refused:
            got, body = ask(acme, **headers)
            assert (got, set(body)) == (status, {"code", "message"}), headers
        # The response does not show whether a customer's name exists.
        assert ask(acme, path="/nobody") == ask(acme, path="/globex") == ask(acme, Authorization="x")
        assert ask(acme, path="/")[0] == ask(acme, path="/acme/../globex")[0] == 401
        assert ask(acme, method="POST")[0] == 501
        assert ask(acme)[0] == 200


def test_it_is_told_in_words_for_a_shell_and_ends_on_ctrl_c(way: Make) -> None:
    it = way()
    it.first()
    child = subprocess.Popen(
        [sys.executable, "-m", "valetkey", "serve", "acme"],
        env=it.person.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert child.stdout
    lines = [child.stdout.readline() for _ in range(3)]
    assert lines[0] == f"# acme: account {it.owner.account}, role/Audit\n"
    script = (
        "".join(lines) + 'echo "$AWS_CONTAINER_CREDENTIALS_FULL_URI"; cat "$AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"'
    )
    said = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=40).stdout
    assert said.startswith("http://127.0.0.1:")
    assert len(said.splitlines()[1]) == 43
    os.kill(child.pid, signal.SIGINT)
    _, err = child.communicate(timeout=40)
    assert child.returncode == 0
    assert "valetkey exec acme --server" in err


def test_a_port_and_a_folder_stay_the_same_and_a_port_in_use_is_said(way: Make) -> None:
    it = way()
    it.first()
    folder = it.person.home / "tokens"
    with serving(it, "acme", "--folder", str(folder)) as (_, result):
        served = result["acme"]
        assert served["token_file"] == str(folder / "acme.token")
        port = str(urlsplit(served["url"]).port)
        done = it.person.run("serve", "acme", "--port", port)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"port {port}" in done.stderr
    assert list(folder.iterdir()) == []
    with serving(it, "acme", "--folder", str(folder), "--port", port) as (_, result):
        assert result["acme"]["url"] == served["url"]
    folder.chmod(0o777)
    assert it.person.run("serve", "acme", "--folder", str(folder)).returncode == 2


def test_what_happens_meanwhile_is_seen_and_nobody_is_asked(way: Make, tmp_path: pathlib.Path) -> None:
    """The role session expires, the MFA session is gone, and then there is one again; at last the grant is closed."""
    it = way()
    it.first()
    clock = tmp_path / "clock"
    clock.write_text("0")
    sessions = it.person.home / ".cache/valetkey/sessions"
    [mfa] = sessions.glob("mfa-*.json")
    kept = mfa.read_text()
    # The recorded end has passed, which does not end the access.
    it.save(until=datetime.now(UTC) - timedelta(seconds=7))
    with serving(it, "acme", clock=clock) as (_, result):
        assert ask(result["acme"])[0] == 200
        for item in sessions.glob("*.json"):
            item.unlink()
        clock.write_text("3700")
        it.stage.sandbox.control.shift(it.owner.account, 3700)
        lapsed = until(result["acme"], 403, code="NoTerminal")
        assert "valetkey login acme" in lapsed["message"]
        mfa.write_text(kept)
        mfa.chmod(0o600)
        assert until(result["acme"], 200)["AccountId"] == it.owner.account
        it.owner.root("iam", "update_assume_role_policy", RoleName="Audit", PolicyDocument=json.dumps(CLOSED))
        clock.write_text("7400")
        assert until(result["acme"], 403, code="Ended")
    assert it.asked("sts:GetSessionToken") == 1


CLOSED = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


def until(served: dict[str, Any], status: int, *, code: str | None = None) -> Any:
    """The body of the first response with this status, and this code if one is given."""
    end = time.monotonic() + 50
    while time.monotonic() < end:
        got, body = ask(served)
        if got == status and (code is None or body["code"] == code):
            return body
        time.sleep(0.2)
    raise AssertionError((got, body))


@pytest.fixture
def it(way: Make) -> Any:
    """Access with a cached session, and the person's keys in every place that SDKs read before a container server."""
    it = way()
    it.first()
    it.aws_profile()
    it.person.env |= {
        "AWS_PROFILE": "default",
        "AWS_ACCESS_KEY_ID": it.user.access_key_id,
        "AWS_SECRET_ACCESS_KEY": it.user.secret_access_key,
    }
    return it


def test_a_child_uses_the_server_although_there_are_keys_by_default(it: Any) -> None:
    for tool in (BOTO, CLI):
        done = it.person.run("exec", "acme", "--server", "--", *tool)
        assert done.stdout.strip() == f"arn:aws:sts::{it.owner.account}:assumed-role/Audit/ann", done.stderr
    look = "import os; print(sorted(k for k in os.environ if k.startswith('AWS_')))"
    names = it.person.run("exec", "acme", "--server", "--", sys.executable, "-c", look).stdout
    assert "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" in names
    assert "AWS_ACCESS_KEY_ID" not in names
    assert "AWS_PROFILE" not in names
    done = it.person.run("exec", "acme", "--server", "--", *CLI, "--profile", "acme")
    assert done.returncode not in (0, 125)
    assert it.person.run("exec", "acme", "--server", "--", "sh", "-c", "exit 7").returncode == 7


def test_a_child_that_would_be_somebody_else_is_not_started(it: Any) -> None:
    with pytest.raises(ValetkeyError, match=f"would have run as {it.user.arn}"):
        check_caller(it.profile, it.person.env)
    # The identity cannot be verified.
    it.stage.sandbox.control.fault(
        kind="deny", service="sts", operation="GetCallerIdentity", account=it.owner.account, times=None
    )
    marker = it.person.home / "started"
    done = it.person.run("exec", "acme", "--server", "--", "touch", str(marker))
    assert done.returncode == 125
    assert "cannot verify" in done.stderr
    assert not marker.exists()
