"""The real Terraform with the output of `valetkey terraform`: a stand-in replaces the AWS provider
(tests/peers/provider.py); the S3 backend is the real one.

The backend is part of Terraform and finds credentials with the AWS SDK for Go, like the AWS provider.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from valetkey.exchange.texts.hcl import HclBlock, as_json, hcl, quoted

from .conftest import NOBODY

pytestmark = pytest.mark.timeout(180)  # each Terraform command starts several processes for each provider
Make = Callable[[str], Any]
GO = ("-no-color", "-input=false")
HEAD = 'terraform {\n  required_providers {\n    aws = { source = "hashicorp/aws" }\n  }\n}\n'
ALONE = """
data "aws_caller_identity" "me" {
}
output "me" {
  value = data.aws_caller_identity.me.arn
}
"""


def work(name: str) -> str:
    """The configuration that a person writes for one of several customers."""
    return f"""
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


def generated(machine: Any, *words: str) -> str:
    done = machine.it.person.run("terraform", *words)
    assert done.returncode == 0, done.stderr
    assert machine.it.asked("sts:GetSessionToken") == 0
    return str(done.stdout)


def groups(owner: Any) -> list[str]:
    return [group["GroupName"] for group in owner.root("iam", "list_groups")["Groups"]]


@pytest.mark.slow
def test_three_customers_in_one_run_in_parallel_with_one_prompt(machine: Any, tf: Make) -> None:
    blocks = generated(machine, *machine.owners)
    run = tf(HEAD + blocks + "".join(work(name) for name in machine.owners))
    run.init()
    code, shown, prompts = run.on_terminal("apply", *GO, "-auto-approve")
    assert code == 0, shown
    assert prompts == 1, shown
    assert "3 added" in shown
    assert run.outputs() == {name: machine.arn(name) for name in machine.owners}
    for name, owner in machine.owners.items():
        assert groups(owner) == [f"made-for-{name}"]
    assert (machine.it.asked("sts:GetSessionToken"), machine.it.asked("sts:AssumeRole")) == (1, 3)
    # From here on without a terminal.
    again = run("plan", *GO, "-detailed-exitcode")
    assert again.returncode == 0, again.stdout + again.stderr
    # A resource without a customer is not created with the person's own keys.
    (run.folder / "more.tf").write_text('resource "aws_iam_group" "lost" {\n  name = "lost"\n}\n')
    lost = run("apply", *GO, "-auto-approve")
    assert lost.returncode == 1
    assert f"AWS account ID not allowed: {machine.it.person.account}" in lost.stderr
    assert machine.it.asked("sts:GetSessionToken") == 1


def test_the_wrong_account_is_stopped_before_anything_is_made(machine: Any, tf: Make) -> None:
    machine.it.first()
    wrong = machine.it.person.run("terraform", "acme").stdout.replace(
        'profile             = "acme"', 'profile = "globex"'
    )
    run = tf(HEAD + wrong + 'resource "aws_iam_group" "x" {\n  name = "x"\n}\n')
    run.init()
    done = run("apply", *GO, "-auto-approve")
    assert done.returncode == 1
    assert f"AWS account ID not allowed: {machine.owners['globex'].account}" in done.stderr
    assert [groups(owner) for owner in machine.owners.values()] == [[], [], []]


def test_what_is_printed_is_laid_out_as_terraform_does_and_its_json_means_the_same(machine: Any, tf: Make) -> None:
    for words in (("acme",), ("acme", "globex"), ("acme", "--shape", "assume-role", "--bucket", "b")):
        run = tf(generated(machine, *words))
        done = run("fmt", "-check", "-diff")
        assert done.returncode == 0, done.stdout
    machine.it.first()
    run = tf(HEAD + ALONE)
    (run.folder / "made.tf.json").write_text(machine.it.person.run("terraform", "acme", "--format", "json").stdout)
    run.init()
    done = run("apply", *GO, "-auto-approve")
    assert done.returncode == 0, done.stdout + done.stderr
    assert run.outputs() == {"me": machine.arn("acme")}


@pytest.fixture
def bucket(machine: Any) -> str:
    owner = machine.owners["acme"]
    name = f"state-{owner.account}"
    owner.root("s3", "create_bucket", Bucket=name)
    return name


def mfa_profile(machine: Any) -> None:
    """Add to the AWS config the lines that `terraform --shape assume-role` prints on stderr."""
    done = machine.it.person.run("terraform", "acme", "--shape", "assume-role")
    [section] = re.findall(r"^\[profile acme-mfa\]\n.*$", done.stderr, re.MULTILINE)
    config = machine.home / ".aws/config"
    config.write_text(f"{config.read_text()}{section}\n")


@pytest.mark.parametrize("shape", ["profile", "assume-role"])
def test_the_backend_keeps_its_state_at_the_customers(shape: str, machine: Any, tf: Make, bucket: str) -> None:
    made = generated(machine, "acme", "--bucket", bucket, "--shape", shape)
    mfa_profile(machine)
    run = tf(HEAD + made + ALONE)
    code, shown, prompts = run.on_terminal("init", *GO)
    assert code == 0, shown
    assert prompts == 1
    done = run("apply", *GO, "-auto-approve")
    assert done.returncode == 0, done.stdout + done.stderr
    # The backend and the provider have separate sessions of the same role.
    assert run.outputs() == {"me": machine.arn("acme")}
    kept = machine.owners["acme"].root("s3", "get_object", Bucket=bucket, Key="terraform.tfstate")["Body"].read()
    assert machine.arn("acme").encode() in kept
    assert machine.it.asked("sts:GetSessionToken") == 1
    if shape == "profile":
        assert machine.it.asked("sts:AssumeRole") == 1


def test_the_backend_keeps_out_of_other_accounts(machine: Any, tf: Make, bucket: str) -> None:
    machine.it.first()
    made = machine.it.person.run("terraform", "acme", "--bucket", bucket).stdout
    assert f'"{machine.owners["acme"].account}"' in made
    done = tf(HEAD + made.replace(machine.owners["acme"].account, "123456789012"))("init", *GO)
    assert done.returncode == 1
    assert f"AWS account ID not allowed: {machine.owners['acme'].account}" in done.stderr


def test_the_backend_says_what_to_do_when_nobody_can_be_asked(machine: Any, tf: Make, bucket: str) -> None:
    done = tf(HEAD + generated(machine, "acme", "--bucket", bucket))("init", *GO)
    assert done.returncode == 1
    assert NOBODY in done.stdout + done.stderr
    assert machine.it.asked("sts:GetSessionToken") == 0


def test_a_profile_with_a_device_of_its_own_is_why_ours_has_none(machine: Any, tf: Make, bucket: str) -> None:
    it = machine.it
    config = machine.home / ".aws/config"
    config.write_text(
        f"{config.read_text()}[profile usual]\nregion = us-east-1\nsource_profile = default\n"
        f"role_arn = {it.profile.role_arn}\nexternal_id = {it.profile.external_id}\nmfa_serial = {it.user.mfa_serial}\n"
    )
    made = generated(machine, "acme", "--bucket", bucket)
    done = tf(HEAD + made.replace('"acme"', '"usual"'))("init", *GO)
    assert done.returncode == 1
    assert "AssumeRoleTokenProvider" in done.stdout + done.stderr


def test_terraform_reads_back_every_text_as_it_was_written(tf: Make) -> None:
    texts = ['a"b', "a\\b", "${path.module}", "%{ if true }x%{ endif }", "$${x}", "$$$${x}", "%%{x}", "a\nb\r\t"]
    texts.append("\u00e9\u2028\x7f\U0001f511")
    plain = "".join(f'output "h{number}" {{\n  value = {quoted(text)}\n}}\n' for number, text in enumerate(texts))
    run = tf(plain)
    more = [HclBlock("output", (f"j{number}",), {"value": text}) for number, text in enumerate(texts)]
    (run.folder / "more.tf.json").write_text(as_json(more))
    assert hcl(more).count("output") == len(texts)
    done = run("apply", *GO, "-auto-approve")
    assert done.returncode == 0, done.stdout + done.stderr
    result = run.outputs()
    for number, text in enumerate(texts):
        assert (result[f"h{number}"], result[f"j{number}"]) == (text, text), json.dumps(text)
