"""`valetkey sandbox` as used from a shell."""

from __future__ import annotations

import json
import os
import pathlib
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from valetkey.cli._run import run
from valetkey.sandbox.client import Control
from valetkey.sandbox.local import finish

if TYPE_CHECKING:
    from tests.e2e.conftest import Party, Stage


@pytest.fixture
def person(stage: Stage) -> Iterator[Party]:
    """A person's computer. Stops any sandbox on it after the test."""
    stage.owner.env.pop("AWS_ENDPOINT_URL")
    yield stage.owner
    finish(stage.owner.home / ".local" / "state" / "valetkey" / "sandbox")


@dataclass
class Ran:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def say(
    person: Party, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Ran]]:
    """Run `valetkey sandbox WORDS` in this process, for commands that start no process."""

    def here(*words: str) -> Ran:
        for name in ("HOME", "COLUMNS"):
            monkeypatch.setenv(name, person.env[name])
        capfd.readouterr()
        code = run(["sandbox", *words])
        return Ran(code, *capfd.readouterr())

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield here
    for number, handler in before.items():
        signal.signal(number, handler)


def started(person: Party, *words: str) -> dict[str, Any]:
    """Start a sandbox in the background; return the output of `--json`."""
    ran = person.run("sandbox", "start", "--detach", "--json", *words)
    assert ran.returncode == 0, ran.stderr
    plain: dict[str, Any] = json.loads(ran.stdout)
    return plain


def client(person: Party, plain: dict[str, Any], profile: str, service: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A boto3 client as in a shell with the printed environment."""
    for name, value in plain["environment"].items():
        monkeypatch.setenv(name, value)
    return boto3.Session(profile_name=profile).client(service)


def test_start_chooses_what_refusals_say(person: Party) -> None:
    plain = started(person, "--refusals", "reasons")
    account = next(profile["account"] for profile in plain["profiles"] if profile["profile"] == "contractor")
    assert Control(plain["url"]).vary(account)["refusals"] == "reasons"
    wrong = person.run("sandbox", "start", "--refusals", "loud")
    assert wrong.returncode == 2


def test_start_prints_what_a_person_needs(person: Party) -> None:
    ran = person.run("sandbox", "start", "--detach")
    assert ran.returncode == 0, ran.stderr
    for word in ("111111111111", "222222222222", "owner", "contractor", "carol", "valetkey sandbox totp carol"):
        assert word in ran.stdout
    exported = dict(re.findall(r"^  export (\w+)=(\S+)$", ran.stdout, re.MULTILINE))
    assert {"AWS_ENDPOINT_URL", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} <= set(exported)
    assert exported["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    keys = pathlib.Path(exported["AWS_SHARED_CREDENTIALS_FILE"]).read_text()
    for secret in re.findall(r"= (\S+)", keys):
        assert secret not in ran.stdout


def test_the_printed_lines_work_in_a_shell(person: Party) -> None:
    ran = person.run("sandbox", "start", "--detach")
    lines = "\n".join(line for line in ran.stdout.splitlines() if line.startswith(("  export", "  unset")))
    who = f'{sys.executable} -c \'import boto3; print(boto3.client("sts").get_caller_identity()["Arn"])\''
    script = f"export AWS_ACCESS_KEY_ID=AKIAOTHER AWS_SECRET_ACCESS_KEY=x\n{lines}\nAWS_PROFILE=contractor {who}"
    shell = subprocess.run(["sh", "-ec", script], env=person.env, capture_output=True, text=True, timeout=30)
    assert shell.stdout.strip() == "arn:aws:iam::222222222222:user/carol", shell.stderr


def test_the_profiles_are_who_they_say(person: Party, say: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    plain = started(person, "--accounts", "3")
    assert [profile["profile"] for profile in plain["profiles"]] == [
        "owner", "contractor", "contractor-admin", "contractor3", "contractor3-admin",
    ]  # fmt: skip
    for profile in plain["profiles"]:
        arn = client(person, plain, profile["profile"], "sts", monkeypatch).get_caller_identity()["Arn"]
        assert arn == profile["arn"]
    assert client(person, plain, "owner", "iam", monkeypatch).list_roles()["Roles"] == []
    carol = client(person, plain, "contractor", "iam", monkeypatch)
    serial = plain["profiles"][1]["mfa_serial"]
    assert [device["SerialNumber"] for device in carol.list_mfa_devices()["MFADevices"]] == [serial]
    with pytest.raises(ClientError, match="AccessDenied"):
        carol.list_users()


def test_totp_prints_a_code_that_aws_takes_once(
    person: Party, say: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = started(person)
    sts = client(person, plain, "contractor", "sts", monkeypatch)
    serial = plain["profiles"][1]["mfa_serial"]
    ran = say("totp", "carol")
    assert ran.returncode == 0
    assert re.fullmatch(r"\d{6}\n", ran.stdout)
    assert re.search(r"good for \d+ s", ran.stderr)
    sts.get_session_token(SerialNumber=serial, TokenCode=ran.stdout.strip())
    with pytest.raises(ClientError):
        sts.get_session_token(SerialNumber=serial, TokenCode=ran.stdout.strip())
    following = json.loads(say("totp", "contractor", "--json").stdout)
    assert following["device"] == serial
    assert 0 < following["seconds_left"] <= 30
    sts.get_session_token(SerialNumber=serial, TokenCode=following["code"])
    assert say("totp", plain["profiles"][1]["arn"]).returncode == 0


def test_totp_of_somebody_without_a_device(person: Party, say: Callable[..., Ran]) -> None:
    assert say("totp", "carol").returncode == 2
    started(person)
    for name, words in (("admin", "no MFA device"), ("mallory", "no user"), ("arn:aws:iam::1:user/x", "no MFA device")):
        ran = say("totp", name)
        assert (ran.returncode, ran.stdout) == (2, "")
        assert words in ran.stderr


def test_iam_takes_time_when_it_is_told_to(person: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = started(person, "--iam-delay", "600", "--seed", "1")
    iam = client(person, plain, "owner", "iam", monkeypatch)
    nobody = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    iam.create_role(
        RoleName="new", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [nobody]})
    )
    assert iam.list_roles()["Roles"] == []
    Control(plain["url"]).shift("111111111111", 600)
    assert [role["RoleName"] for role in iam.list_roles()["Roles"]] == ["new"]


def test_status_and_stop(person: Party, say: Callable[..., Ran]) -> None:
    def status() -> tuple[int, dict[str, Any]]:
        ran = say("status", "--json")
        return ran.returncode, json.loads(ran.stdout)

    assert status() == (1, {"valetkey": "sandbox-status/v1", "running": False})
    plain = started(person)
    assert status() == (0, plain)
    assert "valetkey sandbox totp carol" in say("status").stdout
    folder = pathlib.Path(plain["environment"]["AWS_CONFIG_FILE"]).parent
    assert folder == person.home / ".local" / "state" / "valetkey" / "sandbox"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    stopped = say("stop", "--json")
    assert (stopped.returncode, json.loads(stopped.stdout)["stopped"]) == (0, True)
    assert Control(plain["url"]).pid() is None
    assert not folder.exists()
    assert status()[0] == 1
    again = say("stop")
    assert (again.returncode, again.stdout) == (0, "no sandbox was running\n")


def test_a_second_start_is_refused_and_harms_nothing(person: Party, say: Callable[..., Ran]) -> None:
    plain = started(person)
    ran = person.run("sandbox", "start", "--detach")
    assert ran.returncode == 2
    assert f"already running at {plain['url']}" in ran.stderr
    assert json.loads(say("status", "--json").stdout) == plain


def test_one_that_was_killed_is_forgotten(person: Party, say: Callable[..., Ran]) -> None:
    plain = started(person)
    os.kill(plain["pid"], signal.SIGKILL)
    deadline = time.monotonic() + 10
    while Control(plain["url"]).pid() is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert say("status").returncode == 1
    assert started(person)["pid"] != plain["pid"]


def test_a_taken_port_is_a_clear_error(person: Party, say: Callable[..., Ran]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = person.run("sandbox", "start", "--port", str(port))
    assert ran.returncode == 2
    assert f"port {port} on 127.0.0.1 is already in use" in ran.stderr
    assert "--port" in ran.stderr
    assert say("status").returncode == 1


def test_the_port_asked_for_is_taken(person: Party) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert started(person, "--port", str(port))["url"] == f"http://127.0.0.1:{port}"


def test_wrong_use(say: Callable[..., Ran]) -> None:
    for words in (
        ["--port", "70000"],
        ["--port", "x"],
        ["--accounts", "0"],
        ["--accounts", "10"],
        ["--host", "::"],
        ["--iam-delay", "601"],
        ["--iam-delay", "-1"],
    ):
        ran = say("start", "--detach", *words)
        assert (ran.returncode, ran.stdout) == (2, ""), words
        assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_in_the_foreground_it_ends_with_ctrl_c_and_leaves_nothing(person: Party, number: int) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "valetkey", "sandbox", "start", "--json"],
        env=person.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        text = ""
        while not text.endswith("\n}\n"):
            line = child.stdout.readline()
            assert line, "ended without a word"
            text += line
        url = json.loads(text)["url"]
        assert Control(url).pid() is not None
        child.send_signal(number)
        _, error = child.communicate(timeout=20)
    finally:
        child.kill()
    assert child.returncode == 0
    assert "has ended" in error
    assert "Traceback" not in error
    assert Control(url).pid() is None
    assert not (person.home / ".local" / "state" / "valetkey" / "sandbox").exists()


def test_without_the_extra_it_says_how_to_install_it(
    person: Party, say: Callable[..., Ran], tmp_path: pathlib.Path
) -> None:
    """Simulates an environment without the emulator's package metadata."""
    hide = tmp_path / "hide"
    hide.mkdir()
    (hide / "sitecustomize.py").write_text(
        "import importlib.metadata as m\n"
        "real = m.version\n"
        "def version(name):\n"
        "    if name in ('ministack', 'moto'): raise m.PackageNotFoundError(name)\n"
        "    return real(name)\n"
        "m.version = version\n"
    )
    person.env["PYTHONPATH"] = str(hide)
    ran = person.run("sandbox", "start", "--detach")
    assert ran.returncode == 2
    assert "pip install 'valetkey[sandbox]'" in ran.stderr
    assert say("status").returncode == 1
