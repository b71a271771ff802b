"""Existing roles, over HTTP on the sandbox: adopted, tightened, revoked, with or without a record."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest

Run = Callable[..., Any]
ID = {"StringEquals": {"sts:ExternalId": "puppets-on-7-strings"}}
ASSUME = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}


def made(stage: Any, *more: Any, condition: Any = None, name: str = "puppeteers") -> str:
    """Create a role as the console does; return its ARN."""
    root = {"AWS": f"arn:aws:iam::{stage.contractor.account}:root"}
    statements = [
        {"Effect": "Allow", "Principal": root, "Action": "sts:AssumeRole", "Condition": condition or ID},
        *more,
    ]
    trust = json.dumps({"Version": "2012-10-17", "Statement": statements})
    made = stage.owner.root("iam", "create_role", RoleName=name, AssumeRolePolicyDocument=trust)
    policy = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    stage.owner.root("iam", "attach_role_policy", RoleName=name, PolicyArn=policy)
    return str(made["Role"]["Arn"])


def enters(stage: Any, arn: str, external_id: str = "puppets-on-7-strings") -> bool:
    """Whether a contractor's user with only an access key can assume the role."""
    name = "plain"
    if not hasattr(stage, "plain"):
        stage.plain = stage.contractor.user(name, ASSUME)
    sts = stage.contractor.client("sts", stage.plain)
    try:
        sts.assume_role(RoleArn=arn, RoleSessionName="test", ExternalId=external_id)
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


def test_a_role_made_by_hand_is_adopted_tightened_handed_over_and_revoked(
    stage: Any, owner: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = made(stage, condition={**ID, "BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}})
    listed = json.loads(owner("adopt", "--all", "--json").stdout)["candidates"]
    assert [(item["name"], item["contractor"]) for item in listed] == [("puppeteers", stage.contractor.account)]
    assert owner("adopt", "puppeteers").returncode == 2  # no terminal for the question
    plan = owner("adopt", arn, "--dry-run", "--json")
    assert [call["action"] for call in json.loads(plan.stdout)["calls"]] == ["iam:TagRole"]
    done = owner("adopt", arn, "--yes")
    assert done.returncode == 0, done.stderr
    assert "BoolIfExists" in done.stderr
    assert "Terraform" in done.stderr
    assert enters(stage, arn)
    assert owner("show", arn).returncode == 0
    assert json.loads(owner("show", "puppeteers", "--json").stdout)["adopted"] is True
    (result,) = json.loads(owner("list", "--json").stdout)["grants"]
    assert (result["state"], result["marks"]) == ("open", ["endless", "adopted"])
    check = owner("list", "--check")
    assert check.returncode == 1
    assert "has no end" in check.stdout
    handoff = json.loads(owner("handoff", "puppeteers").stdout)
    assert handoff["external_id"] == "puppets-on-7-strings"
    assert owner("suspend", "puppeteers", "--yes").returncode == 0
    assert owner("resume", "puppeteers", "--yes").returncode == 0
    tight = owner("adopt", "puppeteers", "--tighten", "--until", "90d", "--yes")
    assert tight.returncode == 0, tight.stderr
    assert "must send the ExternalId puppets-on-7-strings" in tight.stderr
    assert not enters(stage, arn)
    assert owner("show", "puppeteers").returncode == 0
    assert owner("list", "--check", "--within", "1d").returncode == 0
    other = owner("show", arn.replace(stage.owner.account, "999999999999"))
    assert other.returncode == 1
    assert "999999999999" in other.stderr
    assert owner("revoke", arn, "--yes", "--no-wait").returncode == 0
    assert not enters(stage, arn)


def test_the_emergency_button_needs_no_record_and_keeps_what_was(stage: Any, owner: Run) -> None:
    service = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    arn = made(stage, service)
    assert enters(stage, arn)
    refused = owner("revoke", "puppeteers", "--unmanaged", "--yes")
    assert refused.returncode == 1
    assert "ec2.amazonaws.com" in refused.stderr
    assert enters(stage, arn)
    done = owner("revoke", arn, "--unmanaged", "--yes", "--confirm", "puppeteers", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    saved = Path(said["saved"])
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    kept = json.loads(saved.read_text())
    assert kept["trust"]["Statement"][1]["Principal"] == {"Service": "ec2.amazonaws.com"}
    assert said["shut"]["trust_closed"]
    assert not enters(stage, arn)
    stage.owner.root(
        "iam", "update_assume_role_policy", RoleName="puppeteers", PolicyDocument=json.dumps(kept["trust"])
    )
    stage.owner.root("iam", "delete_role_policy", RoleName="puppeteers", PolicyName="valetkey-revoked")
    assert enters(stage, arn)
    words = ("--unmanaged", "--delete", "--no-wait", "--yes", "--confirm", "puppeteers")
    assert owner("revoke", "puppeteers", *words).returncode == 0
    assert not enters(stage, arn)


def test_a_vendor_s_account_comes_in_from_its_addresses_alone(stage: Any, owner: Run) -> None:
    words = ("--no-mfa", "--external-id", "puppets-on-7-strings", "--whole-account", "--until", "30d", "--yes")
    for name, address in (("here", "127.0.0.1/32"), ("there", "198.51.100.0/24")):
        done = owner("grant", name, "--to", stage.contractor.account, *words, "--from-ip", address)
        assert done.returncode == 0, done.stderr
        assert "Everyone in account" in done.stderr
    arn = f"arn:aws:iam::{stage.owner.account}:role/"
    assert enters(stage, f"{arn}here")
    assert not enters(stage, f"{arn}here", "another-external-id")
    assert not enters(stage, f"{arn}there")
    assert owner("grant", "x", "--to", stage.contractor.account, *words[:1], "--whole-account", "--yes").returncode == 2


def test_a_person_is_asked_and_types_the_name_where_others_use_the_role(stage: Any, owner: Run) -> None:
    own = {"Effect": "Allow", "Principal": {"AWS": stage.owner.account}, "Action": "sts:AssumeRole"}
    arn = made(stage, own)
    code, shown = owner("revoke", "puppeteers", "--unmanaged", tty=True, answers=[("Type puppeteers", "y")])
    assert code == 1
    assert "its name was not given again: nothing was changed" in " ".join(shown.split())
    code, shown = owner("adopt", "puppeteers", tty=True, answers=[("as a grant for account", "no")])
    assert code == 1
    assert enters(stage, arn)
    code, shown = owner("revoke", "puppeteers", "--unmanaged", tty=True, answers=[("Type puppeteers", "puppeteers")])
    assert code == 0, shown
    assert not enters(stage, arn)
