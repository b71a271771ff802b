"""A contractor's programs on the contractor's computer, with and without a terminal."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pexpect
import pytest
from tests.peers import aws2, javascript, provider, terraform

PROMPT = r"MFA code for [^\r\n]*: ?$"
NOBODY = "valetkey: there is no terminal to ask for the MFA code\n  do: run `valetkey "
"""The part of valetkey's error that a program shows when there is no terminal for a prompt."""
GROUPS = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["iam:*Group", "s3:*"], "Resource": "*"},
    ],
}


class Machine:
    """The contractor's computer: one person, several customers, programs."""

    def __init__(self, it: Any, stage: Any, folder: pathlib.Path) -> None:
        self.it = it
        self.home: pathlib.Path = it.person.home
        self.folder = folder
        self.owners = {"acme": it.owner, "globex": stage.party("globex"), "initech": stage.party("initech")}
        """The customers by profile name; each role may write groups and objects."""
        for name, owner in self.owners.items():
            if name != "acme":
                it.role("Audit", owner=owner)
                it.save(name, owner=owner)
            it.aws_profile(name)
            owner.root(
                "iam", "put_role_policy", RoleName="Audit", PolicyName="groups", PolicyDocument=json.dumps(GROUPS)
            )

    def arn(self, name: str) -> str:
        """The ARN of the person's role session at a customer."""
        return f"arn:aws:sts::{self.owners[name].account}:assumed-role/Audit/ann"

    def env(self, changes: Mapping[str, str] | None = None) -> dict[str, str]:
        return {**self.it.person.env, "AWS_PAGER": "", **(changes or {})}

    def run(self, words: Sequence[str], env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a program without a terminal."""
        return subprocess.run(
            words,
            env=self.env(env),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=110,
            start_new_session=True,
        )

    def on_terminal(self, words: Sequence[str], env: Mapping[str, str] | None = None) -> tuple[int, str, int]:
        """Run a program on its own terminal, with a code for each prompt: exit code, output, number of prompts."""
        child = pexpect.spawn(
            words[0],
            list(words[1:]),
            env=self.env(env),  # type: ignore[arg-type]
            cwd=str(self.folder),
            timeout=110,
            encoding="utf-8",
            dimensions=(50, 200),
        )
        shown, prompts = "", 0
        while child.expect([pexpect.EOF, PROMPT]):
            shown += str(child.before) + str(child.after)
            prompts += 1
            child.sendline(self.it.user.code())
        shown += str(child.before)
        child.close()
        return child.exitstatus or 0, shown, prompts


@pytest.fixture
def machine(way: Callable[..., Any], stage: Any, tmp_path: pathlib.Path) -> Machine:
    folder = tmp_path / "work"
    folder.mkdir()
    return Machine(way(), stage, folder)


BOTO3 = (
    "import boto3, sys; session = boto3.Session(profile_name=(sys.argv[1:] or [None])[0]);"
    "print(session.client('sts').get_caller_identity()['Arn'])"
)


def who(client: str) -> list[str]:
    """The command line of a program that prints its caller's ARN, and no other ARN."""
    aws = ["sts", "get-caller-identity", "--query", "Arn", "--output", "text"]
    match client:
        case "aws v1":
            return [sys.executable, "-m", "awscli", *aws]
        case "aws v2":
            return [*aws2(), *aws]
        case "boto3":
            return [sys.executable, "-c", BOTO3]
        case _:
            return javascript()


def named(client: str, profile: str) -> list[str]:
    """The same command line with the profile as an argument."""
    return [*who(client), *([] if client in ("boto3", "javascript") else ["--profile"]), profile]


CLIENTS = ("aws v1", "aws v2", "boto3", "javascript")


class Terraform:
    """Terraform in its own folder, with the stand-in for the AWS provider from a mirror on disk."""

    def __init__(self, machine: Machine, folder: pathlib.Path, main: str) -> None:
        self.machine = machine
        self.words = terraform()
        self.folder = folder
        folder.mkdir()
        (folder / "main.tf").write_text(main)
        self.env = {
            "TF_CLI_CONFIG_FILE": str(provider(folder)),
            "TF_DATA_DIR": str(folder / "data"),
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
            "AWS_S3_USE_PATH_STYLE": "true",
        }

    def __call__(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run it without a terminal."""
        return self.machine.run([*self.words, f"-chdir={self.folder}", *words], {**self.env, **env})

    def on_terminal(self, *words: str) -> tuple[int, str, int]:
        return self.machine.on_terminal([*self.words, f"-chdir={self.folder}", *words], self.env)

    def init(self) -> None:
        done = self("init", "-no-color", "-input=false")
        assert done.returncode == 0, done.stdout + done.stderr

    def outputs(self) -> dict[str, Any]:
        done = self("output", "-json")
        assert done.returncode == 0, done.stderr
        return {name: item["value"] for name, item in json.loads(done.stdout).items()}


@pytest.fixture
def tf(machine: Machine, tmp_path: pathlib.Path) -> Callable[[str], Terraform]:
    return lambda main: Terraform(machine, tmp_path / f"tf{len(os.listdir(tmp_path))}", main)
