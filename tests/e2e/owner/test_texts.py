"""`handoff --as`, `show --as command`, `grant --like`, over HTTP with the documented permissions."""

from __future__ import annotations

import configparser
import json
import shlex
from collections.abc import Callable
from typing import Any

import boto3

Run = Callable[..., Any]
ASSUME = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}
READ_ONLY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:List*", "Resource": "*"}]}


def test_the_line_of_a_grant_finds_it_as_asked_for_and_a_model_makes_another(stage: Any, owner: Run) -> None:
    (stage.owner.home / "lists.json").write_text(json.dumps(READ_ONLY))
    words = ["--to", stage.contractor.account, "--until", "2031-01-01", "--yes", "--session", "2h", "--tag", "a=b c"]
    made = owner(
        "grant", "audit", *words, "--policy", "SecurityAudit", "--policy", "lists.json", "--description", "It's"
    )
    assert made.returncode == 0, made.stderr
    shown = owner("show", "audit", "--as", "command")
    assert shown.returncode == 0, shown.stderr
    assert "./lists.json is the role's inline policy policy-lists" in shown.stderr
    again = owner(*shlex.split(shown.stdout)[1:], "--yes", "--json")
    assert again.returncode == 0, again.stdout + again.stderr
    assert json.loads(again.stdout)["calls"] == []
    (stage.owner.home / "lists.json").unlink()
    # The inline policy is copied from the model's role.
    other = stage.party("other").account
    second = owner("grant", "second", "--like", "audit", "--to", other, "--until", "30d", "--yes", "--json")
    assert second.returncode == 0, second.stderr
    plain, first = json.loads(second.stdout), json.loads(again.stdout)
    for key in ("policies", "inline", "session", "mfa", "description"):
        assert plain[key] == first[key], key
    assert (plain["contractor"], plain["tags"]) == (other, {"a": "b c"})
    assert plain["external_id"] != first["external_id"]
    missing = owner("grant", "third", "--like", "audit", "--yes")
    assert (missing.returncode, "--until" in missing.stderr) == (2, True)
    gone = owner("grant", "third", "--like", "nothing", "--until", "30d", "--yes")
    assert (gone.returncode, "no role nothing" in gone.stderr) == (2, True)


def test_a_contractor_with_boto3_alone_gets_in_with_what_is_handed_over(stage: Any, owner: Run) -> None:
    made = owner("grant", "audit", "--to", stage.contractor.account, "--until", "30d", "--yes", "--json")
    external_id = json.loads(made.stdout)["external_id"]
    mail = owner("handoff", "audit", "--as", "text")
    assert mail.returncode == 0, mail.stderr
    assert external_id in mail.stdout
    party = stage.contractor
    alice = party.user("alice", ASSUME, mfa=True)
    party.login(alice)
    text = mail.stdout
    section = text[text.index("[profile audit]") : text.index("\n\nsource_profile")]
    config = party.home / ".aws" / "config"
    config.write_text(
        config.read_text()
        + section.replace(f"{party.account}:mfa/YOUR-DEVICE", str(alice.mfa_serial).split("::")[1])
        + "\n"
    )
    parser = configparser.RawConfigParser()
    parser.read(config)
    assert parser["profile audit"]["mfa_serial"] == alice.mfa_serial
    session = party.session(profile="audit")
    assert isinstance(session, boto3.Session)
    provider = session._session.get_component("credential_provider").get_provider("assume-role")
    provider._prompter = lambda _: alice.code()
    result = session.client("sts").get_caller_identity()
    assert result["Arn"].startswith(f"arn:aws:sts::{stage.owner.account}:assumed-role/audit/")

    out = owner("handoff", "audit", "--as", "shell", "-o", "enter.sh", "--json")
    said = json.loads(out.stdout)
    assert (said["valetkey"], said["form"], said["file"]) == ("handover-text/v1", "shell", "enter.sh")
    assert (stage.owner.home / "enter.sh").read_text() == said["text"]
    assert owner("handoff", "audit", "--as", "shell", "-o", "enter.sh").returncode == 0
    refused = owner("handoff", "audit", "--as", "terraform", "-o", "enter.sh")
    assert (refused.returncode, "exists" in refused.stderr) == (2, True)
    sealed = owner("handoff", "audit", "--as", "text", "--encrypt-to", "age1x")
    assert sealed.returncode == 2


def test_a_role_that_is_not_as_agreed_is_not_handed_over(stage: Any, owner: Run) -> None:
    owner("grant", "audit", "--to", stage.contractor.account, "--until", "30d", "--yes")
    stage.owner.root("iam", "put_role_policy", RoleName="audit", PolicyName="x", PolicyDocument=json.dumps(READ_ONLY))
    for form in ("text", "console", "terraform", "shell"):
        ran = owner("handoff", "audit", "--as", form)
        assert (ran.returncode, ran.stdout) == (1, "")
