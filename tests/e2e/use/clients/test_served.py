"""The same programs with `serve` and `exec --server`: credentials over HTTP on this computer."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .conftest import CLIENTS, who

EXEC = [sys.executable, "-m", "valetkey", "exec", "acme", "--server", "--"]
GO = ("-no-color", "-input=false")


@pytest.fixture
def served(machine: Any) -> Iterator[dict[str, dict[str, str]]]:
    """The environment for each customer while `valetkey serve acme globex` runs."""
    machine.it.first()
    child = subprocess.Popen(
        [sys.executable, "-m", "valetkey", "serve", "acme", "globex", "--json"],
        env=machine.env(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert child.stdout is not None
        yield {
            item["name"]: {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": item["url"],
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": item["token_file"],
                "AWS_REGION": "us-east-1",
                "AWS_DEFAULT_REGION": "us-east-1",  # AWS CLI v1 reads only this one
            }
            for item in json.loads(child.stdout.readline())["served"]
        }
    finally:
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.communicate(timeout=10)
        child.kill()


def test_every_client_at_every_customer_at_once(machine: Any, served: dict[str, dict[str, str]]) -> None:
    nothing_else = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
    wanted = [(client, name) for client in CLIENTS for name in served]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda item: machine.run(who(item[0]), {**served[item[1]], **nothing_else}), wanted))
    for (client, name), item in zip(wanted, done, strict=True):
        assert machine.arn(name) in item.stdout, (client, name, item.stderr)
    assert machine.it.asked("sts:AssumeRole") == 2


@pytest.mark.parametrize("client", CLIENTS)
def test_own_keys_in_reach_win_over_the_server_and_exec_server_takes_them_away(
    client: str, machine: Any, served: dict[str, dict[str, str]]
) -> None:
    beside = machine.run(who(client), served["acme"])
    assert machine.it.user.arn in beside.stdout, beside.stderr
    inside = machine.run([*EXEC, *who(client)])
    assert machine.arn("acme") in inside.stdout, inside.stderr


BACKEND = """
terraform {{
  required_providers {{
    aws = {{ source = "hashicorp/aws" }}
  }}
  backend "s3" {{
    bucket              = "{bucket}"
    key                 = "state"
    allowed_account_ids = ["{account}"]
  }}
}}
provider "aws" {{
  allowed_account_ids = ["{account}"]
}}
data "aws_caller_identity" "me" {{
}}
output "me" {{
  value = data.aws_caller_identity.me.arn
}}
"""


@pytest.mark.timeout(180)
def test_terraform_and_its_backend(machine: Any, tf: Callable[[str], Any]) -> None:
    machine.it.first()
    owner = machine.owners["acme"]
    bucket = f"state-{owner.account}"
    owner.root("s3", "create_bucket", Bucket=bucket)
    run = tf(BACKEND.format(bucket=bucket, account=owner.account))
    for words in (("init", *GO), ("apply", *GO, "-auto-approve")):
        done = machine.run([*EXEC, *run.words, f"-chdir={run.folder}", *words], run.env)
        assert done.returncode == 0, done.stdout + done.stderr
    kept = owner.root("s3", "get_object", Bucket=bucket, Key="state")["Body"].read()
    assert machine.arn("acme").encode() in kept
