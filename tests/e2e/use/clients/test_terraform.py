"""The real Terraform: its AWS provider through a stand-in (tests/peers/provider.py), its S3 backend as it is.

The backend is inside Terraform's own program and finds credentials with the AWS SDK for Go, as the AWS provider does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

HEAD = 'terraform {\n  required_providers {\n    aws = { source = "hashicorp/aws" }\n  }\n}\n'


def customer(name: str, account: str) -> str:
    return f"""
provider "aws" {{
  alias               = "{name}"
  profile             = "{name}"
  allowed_account_ids = ["{account}"]
}}
data "aws_caller_identity" "{name}" {{
  provider = aws.{name}
}}
resource "aws_iam_group" "{name}" {{
  provider = aws.{name}
  name     = "made-for-{name}"
}}
output "{name}" {{
  value = data.aws_caller_identity.{name}.arn
}}
"""


def groups(owner: Any) -> list[str]:
    return [each["GroupName"] for each in owner.root("iam", "list_groups")["Groups"]]


@pytest.mark.slow
def test_three_customers_in_one_run_in_parallel_with_one_prompt(machine: Any, tf: Callable[[str], Any]) -> None:
    run = tf(HEAD + "".join(customer(name, owner.account) for name, owner in machine.owners.items()))
    run.init()
    code, shown, prompts = run.on_terminal("apply", "-no-color", "-input=false", "-auto-approve")
    assert code == 0, shown
    assert prompts == 1, shown
    assert "3 added" in shown
    assert run.outputs() == {name: machine.arn(name) for name in machine.owners}
    for name, owner in machine.owners.items():
        assert groups(owner) == [f"made-for-{name}"]
    assert machine.it.asked("sts:GetSessionToken") == 1
    assert machine.it.asked("sts:AssumeRole") == 3
    # From here on without a terminal.
    again = run("plan", "-no-color", "-input=false", "-detailed-exitcode")
    assert again.returncode == 0, again.stdout + again.stderr
    gone = run("destroy", "-no-color", "-input=false", "-auto-approve")
    assert gone.returncode == 0, gone.stdout + gone.stderr
    assert [groups(owner) for owner in machine.owners.values()] == [[], [], []]
    assert machine.it.asked("sts:GetSessionToken") == 1


def test_the_wrong_account_is_stopped_before_anything_is_made(machine: Any, tf: Callable[[str], Any]) -> None:
    machine.it.first()
    run = tf(HEAD + customer("acme", machine.owners["globex"].account))
    run.init()
    done = run("apply", "-no-color", "-input=false", "-auto-approve")
    assert done.returncode == 1
    assert f"AWS account ID not allowed: {machine.owners['acme'].account}" in done.stderr
    assert groups(machine.owners["acme"]) == []


BACKEND = """
terraform {{
  backend "s3" {{
    bucket              = "{bucket}"
    key                 = "state"
    region              = "us-east-1"
    profile             = "{profile}"
    allowed_account_ids = ["{account}"]
  }}
}}
output "said" {{
  value = "here"
}}
"""


def backend(machine: Any, bucket: str, profile: str = "acme") -> str:
    return BACKEND.format(bucket=bucket, profile=profile, account=machine.owners["acme"].account)


@pytest.fixture
def bucket(machine: Any) -> str:
    owner = machine.owners["acme"]
    name = f"state-{owner.account}"
    owner.root("s3", "create_bucket", Bucket=name)
    return name


def test_the_s3_backend_keeps_its_state_at_the_customers(machine: Any, tf: Callable[[str], Any], bucket: str) -> None:
    run = tf(backend(machine, bucket))
    code, shown, prompts = run.on_terminal("init", "-no-color", "-input=false")
    assert code == 0, shown
    assert prompts == 1
    done = run("apply", "-no-color", "-input=false", "-auto-approve")
    assert done.returncode == 0, done.stdout + done.stderr
    kept = machine.owners["acme"].root("s3", "get_object", Bucket=bucket, Key="state")["Body"].read()
    assert b'"here"' in kept
    assert (machine.it.asked("sts:GetSessionToken"), machine.it.asked("sts:AssumeRole")) == (1, 1)


def test_the_s3_backend_says_what_to_do_when_nobody_can_be_asked(
    machine: Any, tf: Callable[[str], Any], bucket: str
) -> None:
    done = tf(backend(machine, bucket))("init", "-no-color", "-input=false")
    assert done.returncode == 1
    assert "valetkey exec acme -- true" in done.stdout + done.stderr
    assert machine.it.asked("sts:GetSessionToken") == 0


def test_a_profile_with_a_device_of_its_own_is_why_ours_has_none(
    machine: Any, tf: Callable[[str], Any], bucket: str
) -> None:
    it = machine.it
    config = machine.home / ".aws/config"
    config.write_text(
        f"{config.read_text()}[profile usual]\nregion = us-east-1\nsource_profile = default\n"
        f"role_arn = {it.profile.role_arn}\nexternal_id = {it.profile.external_id}\nmfa_serial = {it.user.mfa_serial}\n"
    )
    done = tf(backend(machine, bucket, "usual"))("init", "-no-color", "-input=false")
    assert done.returncode == 1
    assert "AssumeRoleTokenProvider" in done.stdout + done.stderr
