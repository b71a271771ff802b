"""`request --as`: the owner's tools create a role from the text. `audit` reports it as guarded, and it admits exactly
the contractor."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import subprocess
from typing import Any

import botocore.exceptions
import pytest
from tests import peers

from valetkey.cli import _run as cli
from valetkey.exchange.texts import console, shell

ASSUME = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}


def within(stage: Any, *words: str) -> tuple[int, str, str]:
    """Run a contractor's command in this process; return the exit code, stdout and stderr."""
    return in_process(stage.contractor, *words)


def in_process(party: Any, *words: str) -> tuple[int, str, str]:
    party.session()  # this process has the party's environment from here on
    party._monkeypatch.chdir(party.home)
    party._monkeypatch.setattr("valetkey.cli._terminal._TTY", str(party.home / "no-terminal"))
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        code = cli.run(words)
    return code, out.getvalue(), err.getvalue()


def asked(stage: Any, tool: str, *words: str) -> dict[str, Any]:
    """The output of `request acme --as TOOL --json`, run by a contractor's user without permissions."""
    party = stage.contractor
    party.login(party.user("nobody", mfa=True))
    code, out, err = within(stage, "request", "acme", "--as", tool, "--until", "2031-03-01", "--json", *words)
    assert code == 0, err
    return dict(json.loads(out))


def with_shell(stage: Any, text: str, tmp_path: Any) -> None:
    """Perform the calls of the script. (docs/without-valetkey.md runs it with the AWS CLI.)"""
    for call in shell.read(text):
        stage.owner.root(call.service, call.operation, **call.params)


def with_console(stage: Any, text: str, tmp_path: Any) -> None:
    """Perform the calls of the console, with the texts that are pasted there."""
    trust, inline, attached, name, session = console.read(text)
    root = stage.owner.root
    root("iam", "create_role", RoleName=name, AssumeRolePolicyDocument=trust, MaxSessionDuration=session)
    for arn in attached:
        root("iam", "attach_role_policy", RoleName=name, PolicyArn=arn)
    for policy, document in inline.items():
        root("iam", "put_role_policy", RoleName=name, PolicyName=policy, PolicyDocument=document)


def with_cloudformation(stage: Any, text: str, tmp_path: Any) -> None:
    root = stage.owner.root
    root(
        "cloudformation",
        "create_stack",
        StackName="contractor",
        TemplateBody=text,
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    (stack,) = root("cloudformation", "describe_stacks", StackName="contractor")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    assert outputs["RoleArn"] == f"arn:aws:iam::{stage.owner.account}:role/contractor-{stage.contractor.account}"


ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
MAKERS = {"shell": with_shell, "console": with_console, "cloudformation": with_cloudformation}


def admits_exactly(stage: Any, external_id: str) -> None:
    """Assert that only the contractor with ExternalId and MFA gets in, and that `audit` reports guarded."""
    arn = f"arn:aws:iam::{stage.owner.account}:role/contractor-{stage.contractor.account}"
    alice = stage.contractor.user("alice", ASSUME, mfa=True)
    mallory = stage.party("mallory").user("mallory", ASSUME, mfa=True)

    def enter(user: Any, **params: Any) -> Any:
        client = stage.contractor.client("sts", user)
        return client.assume_role(RoleArn=arn, RoleSessionName="test", **params)["Credentials"]

    def code(user: Any) -> dict[str, str]:
        return {"SerialNumber": user.mfa_serial, "TokenCode": user.code()}

    keys = enter(alice, ExternalId=external_id, **code(alice))
    assert stage.owner.client("iam", keys).list_users()["Users"] is not None
    for user, params in (
        (alice, {"ExternalId": external_id}),
        (alice, {"ExternalId": f"{external_id}x", **code(alice)}),
        (alice, code(alice)),
        (mallory, {"ExternalId": external_id, **code(mallory)}),
    ):
        with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
            enter(user, **params)
    stage.owner.login(stage.owner.user("auditor", {"Version": "2012-10-17", "Statement": [ALL]}))
    _, out, _ = in_process(stage.owner, "audit", "--json")
    roles = {role["arn"]: role["exposure"] for role in json.loads(out)["roles"]}
    assert roles[arn] == "guarded"


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_what_is_sent_for_terraform_is_valid_and_makes_a_guarded_role(stage: Any, tmp_path: Any) -> None:
    """With the real Terraform; its AWS provider is the stand-in of tests/peers."""
    words = peers.terraform()
    said = asked(stage, "terraform")
    folder = tmp_path / "owner"
    folder.mkdir()
    (folder / "main.tf").write_text((stage.contractor.home / said["file"]).read_text())
    owner = stage.owner
    owner.login(owner.user("admin", {"Version": "2012-10-17", "Statement": [ALL]}))
    env = {**owner.env, "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": str(peers.provider(tmp_path))}
    for command in (["init"], ["validate"], ["apply", "-auto-approve"], ["output", "-raw", "role_arn"]):
        run = [*words, *command, "-no-color"]
        ran = subprocess.run(run, cwd=folder, env=env, capture_output=True, text=True, timeout=110)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout == f"arn:aws:iam::{owner.account}:role/contractor-{stage.contractor.account}"
    admits_exactly(stage, said["external_id"])


@pytest.mark.parametrize("tool", MAKERS)
def test_what_is_sent_makes_a_guarded_role(stage: Any, tool: str, tmp_path: Any) -> None:
    said = asked(stage, tool, "--reason", "audit 2031")
    assert said["proof"] == {"holds": True, "failures": []}
    text = (stage.contractor.home / said["file"]).read_text()
    MAKERS[tool](stage, text, tmp_path)
    admits_exactly(stage, said["external_id"])


def test_words_that_do_not_go_together(stage: Any) -> None:
    party = stage.contractor
    party.login(party.user("nobody"))
    for words, why in (
        (("--as", "shell"), "--until"),
        (("--as", "shell", "--until", "30d", "--template-url", "https://x"), "--template-url"),
        (("--as", "shell", "--until", "30d", "--public-key", "age1x"), "--public-key"),
        (("--until", "never"), "--until never"),
        (("--as", "terraform", "--until", "never", "--policy", "./own.json"), "own.json"),
        (("--as", "cloudformation", "--until", "never", "--template-url", "http://x/y?versionId=1"), "https"),
    ):
        code, _, err = within(stage, "request", "acme", *words)
        assert (code, why in err) == (2, True), (words, err)
    assert not list(party.home.glob("valetkey-request*"))


def test_the_role_that_comes_back_is_accepted_with_the_externalid_that_was_sent(stage: Any) -> None:
    said = asked(stage, "console")
    code, out, err = within(stage, "request", "acme", "--as", "console", "--until", "2031-03-01")
    assert code == 0, err
    assert out == (stage.contractor.home / said["file"]).read_text()
    assert "valetkey accept --role ARN --customer acme" in err
    code, _, err = within(stage, "request", "acme", "--as", "console", "--until", "2032-03-01")
    assert (code, "--yes" in err) == (2, True)
    role = f"arn:aws:iam::{stage.owner.account}:role/contractor-{stage.contractor.account}"
    words = ("accept", "--role", role, "--customer", "acme", "--name", "acme", "--yes", "--json")
    code, out, err = within(stage, *words)
    assert code == 0, err
    kept = json.loads((stage.contractor.home / ".config/valetkey/profiles/acme.json").read_text())
    assert kept["terms"]["external_id"] == said["external_id"]


def test_a_link_is_in_the_mail_only_for_the_proved_template(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "https://bucket.s3.eu-central-1.amazonaws.com/acme.json?versionId=abc"
    there = {url: b"another"}
    monkeypatch.setattr("valetkey.aws.form.read_public", lambda at, **_: there[at])
    stage.contractor.login(stage.contractor.user("nobody"))
    words = ("request", "acme", "--as", "cloudformation", "--until", "2031-03-01", "--template-url", url, "--json")
    code, out, err = within(stage, *words)
    assert (code, json.loads(out)["error"]["exit_code"], "not the template" in err) == (2, 2, True)
    # The command wrote the template to upload.
    there[url] = (stage.contractor.home / "valetkey-request-acme.template.json").read_bytes()
    code, out, err = within(stage, *words)
    assert code == 0, err
    said = json.loads(out)
    assert said["quick_create"] in said["mail"]
    assert "templateURL=https%3A%2F%2Fbucket.s3" in said["quick_create"]
    assert said["sha256"] == hashlib.sha256(there[url]).hexdigest()
    assert said["sha256"] in said["mail"]
