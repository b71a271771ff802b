"""The sandbox for end-to-end tests: one server process per test run, fresh random accounts per test.

`sandbox` is the running server (`.url`, `.control`). `stage` provides parties: an owner, a contractor, or more. A party
is an account with its own HOME, in which commands run as its people would run them.
"""

from __future__ import annotations

import json
import os
import pathlib
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
import pexpect
import pytest
from filelock import FileLock
from tests import warm

from valetkey.sandbox.accounts import REGION, Root
from valetkey.sandbox.accounts import User as Made
from valetkey.sandbox.client import Control
from valetkey.sandbox.process import spawn

MFA_PROMPT = r"(?i)(?:mfa|code)[^\r\n]*: ?$"
"""The prompt that `run_tty` answers with `code()`."""


@dataclass(frozen=True)
class Sandbox:
    """The running sandbox that every test of this run shares."""

    url: str
    control: Control


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One server process for all workers. It ends when the process that started the test run ends."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        with spawn(owner=os.getpid()) as running:
            yield Sandbox(running.url, Control(running.url))
        return
    state = tmp_path_factory.getbasetemp().parent / "sandbox.json"
    with FileLock(f"{state}.lock", timeout=60):
        if not state.exists():
            # The parent of every worker is the controller; this worker may end before the others.
            state.write_text(json.dumps({"url": spawn(owner=os.getppid()).url}))
    url = json.loads(state.read_text())["url"]
    yield Sandbox(url, Control(url))


@pytest.fixture
def stage(sandbox: Sandbox, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(sandbox, tmp_path, monkeypatch)


class Stage:
    """Fresh accounts for one test."""

    def __init__(self, sandbox: Sandbox, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sandbox = sandbox
        self._folder = folder
        self._monkeypatch = monkeypatch
        self._parties = 0
        self.owner = self.party("owner")
        self.contractor = self.party("contractor")

    def party(self, name: str = "party") -> Party:
        """Create another account with its own HOME."""
        self._parties += 1
        home = self._folder / f"{name}-{self._parties}"
        home.mkdir()
        account = str(random.SystemRandom().randrange(10**11, 10**12))
        return Party(self.sandbox, account, home, self._monkeypatch)


@dataclass(frozen=True)
class User:
    """An IAM user of a party with its keys and MFA device."""

    name: str
    arn: str
    access_key_id: str
    secret_access_key: str
    mfa_serial: str | None
    sandbox: Sandbox
    session_token: None = None

    def code(self) -> str:
        """An unused MFA code. If the current one has been used, the account's clock is moved forward by 30 s."""
        assert self.mfa_serial, f"{self.name} was made without mfa=True"
        return self.sandbox.control.totp(self.mfa_serial)[0]


class Party:
    """An account and a computer of its person."""

    def __init__(self, sandbox: Sandbox, account: str, home: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sandbox = sandbox
        self.account = account
        self.home = home
        self._monkeypatch = monkeypatch
        self.root = Root(sandbox.url, account)
        """Perform a call as the account's root: `party.root("iam", "get_role", RoleName="x")`."""
        kept = ("PATH", "LANG", "TMPDIR", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
        self.env: dict[str, str] = {
            **{name: os.environ[name] for name in kept if name in os.environ},
            "HOME": str(home),
            "AWS_ENDPOINT_URL": sandbox.url,
            "AWS_CONFIG_FILE": str(home / ".aws" / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(home / ".aws" / "credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_COLOR": "1",
            "COLUMNS": "160",
        }

    def user(self, name: str, *policies: str | Mapping[str, Any], mfa: bool = False) -> User:
        """Create a user with an access key; a policy is a managed policy's ARN or an inline document."""
        made: Made = self.root.user(name, *policies, mfa=mfa)
        return User(made.name, made.arn, made.access_key_id, made.secret_access_key, made.mfa_serial, self.sandbox)

    def login(self, user: User, profile: str = "default") -> None:
        """Write the user's keys to ~/.aws/credentials (and a region to ~/.aws/config); other profiles are kept."""
        folder = self.home / ".aws"
        folder.mkdir(exist_ok=True)
        _section(
            folder / "credentials",
            profile,
            f"aws_access_key_id = {user.access_key_id}\naws_secret_access_key = {user.secret_access_key}\n",
        )
        _section(folder / "config", profile if profile == "default" else f"profile {profile}", f"region = {REGION}\n")

    def session(self, keys: Any = None, profile: str | None = None) -> boto3.Session:
        """A boto3 session with a user's keys, a `Credentials`, or the `Credentials` dict of an STS response.

        Without keys, boto3 finds credentials in this party's HOME; this process then has the party's environment until
        the test ends.
        """
        if keys is None:
            for name, value in self.env.items():
                self._monkeypatch.setenv(name, value)
            return boto3.Session(profile_name=profile, region_name=None if profile else REGION)
        if isinstance(keys, Mapping):
            result = (keys["AccessKeyId"], keys["SecretAccessKey"], keys.get("SessionToken"))
        else:
            result = (keys.access_key_id, keys.secret_access_key, keys.session_token)
        return boto3.Session(*result, region_name=REGION)

    def client(self, service: str, keys: Any = None, profile: str | None = None) -> Any:
        """A boto3 client of `session(keys, profile)` for the sandbox."""
        return self.session(keys, profile).client(service, endpoint_url=self.sandbox.url)

    def run(self, *words: str, input: str | None = None, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run `valetkey WORDS` as this party, without a terminal, also if the tests are run from one."""
        command = [sys.executable, "-m", "valetkey", *words]
        return warm.run(command, env=self.env, cwd=self.home, input=input or "", timeout=timeout)

    def run_tty(
        self,
        *words: str,
        code: Callable[[], str] | None = None,
        answers: Sequence[tuple[str, str]] = (),
        timeout: float = 50,
        redirect: str = "",
    ) -> tuple[int, str]:
        """Run `valetkey WORDS` on its own terminal; return the exit code (128 + signal when killed) and all output.

        An MFA prompt is answered with `code()`. `answers` are (regular expression, answer) in any order, each used for
        every prompt that it matches; "^C" is the key. `redirect` is in shell syntax: "</dev/null 2>log".
        """
        command = [sys.executable, "-m", "valetkey", *words]
        if redirect and ("|" in redirect or not warm.fits(command, self.env)):
            # The shell stays until the end: the terminal closes when no process has it open any more.
            command = ["/bin/sh", "-c", f'trap : INT; "$0" "$@" {redirect}; exit $?', *command]
            redirect = ""
        child = warm.on_terminal(
            command, env=self.env, cwd=self.home, timeout=timeout, dimensions=(50, 160), redirect=redirect
        )
        patterns = [pexpect.EOF, *(prompt for prompt, _ in answers), *([MFA_PROMPT] if code else [])]
        shown = ""
        try:
            while True:
                hit = child.expect(patterns)
                shown += child.before or ""
                if hit == 0:
                    break
                shown += child.after
                assert code or hit <= len(answers)
                said = answers[hit - 1][1] if hit <= len(answers) else code()  # type: ignore[misc]
                child.send("\x03") if said == "^C" else child.sendline(said)
        except pexpect.TIMEOUT:
            raise AssertionError(f"still running after {timeout} s, showing:\n{shown}{child.before}") from None
        finally:
            ended = warm.end(child)
        return ended, shown


def _section(path: pathlib.Path, name: str, body: str) -> None:
    """Write one section of an INI file, replacing one of the same name."""
    text = path.read_text() if path.exists() else ""
    text = re.sub(rf"(?ms)^\[{re.escape(name)}\]\n.*?(?=^\[|\Z)", "", text)
    path.write_text(f"{text}[{name}]\n{body}")
    path.chmod(0o600)
