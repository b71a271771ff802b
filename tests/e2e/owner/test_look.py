"""`list`, `show` and `handoff` over HTTP on the sandbox: they report the actual state."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from typing import Any

from valetkey.exchange import Handoff, load

Run = Callable[..., Any]
FOREVER = ("--until", "never", "--yes")


def test_list_finds_every_grant_among_many_roles_and_nothing_else(stage: Any, owner: Run) -> None:
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}  # fmt: skip
    for number in range(3):
        stage.owner.root("iam", "create_role", RoleName=f"machine-{number}", AssumeRolePolicyDocument=json.dumps(trust))
    assert json.loads(owner("list", "--json").stdout)["grants"] == []
    for words in (
        ("b", "--until", "2h"),
        ("A", "--until", "never", "--policy", "ReadOnlyAccess", "--path", "/partners/"),
    ):
        assert owner("grant", words[0], "--yes", "--to", stage.contractor.account, *words[1:]).returncode == 0
    result = json.loads(owner("list", "--json").stdout)
    assert [grant["name"] for grant in result["grants"]] == ["b", "A"]  # sorted by end, the next one first
    assert result["account"] == stage.owner.account
    second, first = result["grants"]
    assert first["role_arn"].endswith(":role/partners/A")
    assert first["policies"] == ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
    assert first["contractor"] == stage.contractor.account
    assert (first["until"], first["state"], first["drift"]) == (None, "open", [])
    assert 0 < second["days_left"] < 0.1
    table = owner("list").stdout
    for word in ("A", "b", stage.contractor.account, "ReadOnlyAccess", "SecurityAudit", "no end", "2 h left"):
        assert word in table


def test_show_proves_the_trust_and_finds_what_was_changed_since(stage: Any, owner: Run) -> None:
    words = (
        "audit",
        "--to",
        stage.contractor.account,
        "--until",
        "30d",
        "--yes",
        "--external-id",
        "customer-4711-of-acme",
    )
    assert owner("grant", *words).returncode == 0
    good = owner("show", "audit", "--json")
    assert good.returncode == 0
    answer = json.loads(good.stdout)
    assert answer["proof"]["holds"] is True
    assert answer["terms"]["external_id"] == "customer-4711-of-acme"
    assert answer["external_id_by"] == "owner"
    assert 29 < answer["days_left"] <= 30
    table = owner("show", "audit")
    assert table.returncode == 0
    assert "customer-4711-of-acme" not in table.stdout
    assert "The role matches its record." in table.stdout
    root = stage.owner.root
    root("iam", "attach_role_policy", RoleName="audit", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    root("iam", "delete_role_policy", RoleName="audit", PolicyName="valetkey-until")
    root("iam", "update_role", RoleName="audit", MaxSessionDuration=43200)
    changed = owner("show", "audit", "--json")
    assert changed.returncode == 1
    drift = {(item["what"], item["agreed"], item["found"]) for item in json.loads(changed.stdout)["drift"]}
    assert drift == {
        ("managed policy", "none", "arn:aws:iam::aws:policy/AdministratorAccess"),
        ("inline policy", "valetkey-until", "not there"),
        ("session limit (s)", "3600", "43200"),
    }
    assert "AdministratorAccess" in owner("show", "audit").stdout


def test_show_says_when_the_trust_lets_others_in(stage: Any, owner: Run) -> None:
    assert owner("grant", "audit", *FOREVER, "--to", stage.contractor.account).returncode == 0
    role = stage.owner.root("iam", "get_role", RoleName="audit")["Role"]
    document = role["AssumeRolePolicyDocument"]
    document["Statement"][0].pop("Condition")
    stage.owner.root("iam", "update_assume_role_policy", RoleName="audit", PolicyDocument=json.dumps(document))
    shown = owner("show", "audit", "--json")
    assert shown.returncode == 1
    assert json.loads(shown.stdout)["state"] == "changed"
    refused = owner("handoff", "audit")
    assert refused.returncode == 1
    assert refused.stdout == ""


def test_what_is_not_there_is_said(stage: Any, owner: Run) -> None:
    for command in ("show", "handoff"):
        missing = owner(command, "nothing")
        assert missing.returncode == 2
        assert f"no role nothing in account {stage.owner.account}" in missing.stderr


def test_the_handoff_says_what_the_contractor_needs(stage: Any, owner: Run) -> None:
    carol = f"arn:aws:iam::{stage.contractor.account}:user/carol"
    words = ("--only", carol, "--name-people", "--mfa-max-age", "1h", "--session", "2h", "--until", "30d")
    made = json.loads(owner("grant", "audit", "--yes", "--to", stage.contractor.account, *words, "--json").stdout)
    written = owner("handoff", "audit", "-o", "out.json")
    assert written.returncode == 0, written.stderr
    path = stage.owner.home / "out.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    received = load(path.read_text(), Handoff, name="out.json")
    assert received.fingerprint in written.stdout
    handoff = received.value
    assert handoff.role_arn == made["role_arn"]
    assert handoff.external_id == made["external_id"]
    assert (handoff.contractor, handoff.partition) == (stage.contractor.account, "aws")
    assert (handoff.max_session, handoff.mfa, handoff.mfa_max_age) == (7200, True, 3600)
    assert handoff.principals == (carol,)
    assert handoff.session_name == "username"
    assert handoff.policies == ("SecurityAudit", "ViewOnlyAccess")
    assert f"{handoff.until:%Y-%m-%dT%H:%M:%SZ}" == made["until"]
    on_stdout = owner("handoff", "audit")
    assert load(on_stdout.stdout, Handoff, name="-").value.role_arn == made["role_arn"]
    assert "fingerprint" in on_stdout.stderr
    again = owner("handoff", "audit", "-o", "out.json", "--json")
    assert json.loads(again.stdout)["file"] == "out.json"


def test_the_handoff_replaces_no_other_file(stage: Any, owner: Run) -> None:
    assert owner("grant", "audit", *FOREVER, "--to", stage.contractor.account).returncode == 0
    path = stage.owner.home / "precious.txt"
    path.write_text("years of work")
    refused = owner("handoff", "audit", "-o", "precious.txt")
    assert refused.returncode == 2
    assert path.read_text() == "years of work"


def test_several_profiles_are_one_list_and_one_that_fails_is_said(stage: Any, owner: Run) -> None:
    assert owner("grant", "audit", "--to", stage.contractor.account, *FOREVER).returncode == 0
    both = owner("list", "--profile", "default", "--profile", "nobody", "--json")
    assert both.returncode == 3
    result = json.loads(both.stdout)
    assert (result["account"], result["accounts"]) == (None, [stage.owner.account])
    assert [grant["name"] for grant in result["grants"]] == ["audit"]
    assert [item["profile"] for item in result["unread"]] == ["nobody"]
    table = owner("list", "--profile", "default", "--profile", "nobody")
    assert "its grants are not in this list" in table.stderr
    (row,) = [line for line in table.stdout.splitlines() if "audit" in line]
    assert stage.owner.account in row
    assert "endless" in row


def test_list_check_finds_what_aws_has_changed_since_the_grant(stage: Any, owner: Run) -> None:
    words = ("audit", "--to", stage.contractor.account, "--policy", "SecurityAudit", "--until", "90d", "--yes")
    assert owner("grant", *words).returncode == 0
    good = owner("list", "--check")
    assert (good.returncode, "Nothing was found" in good.stdout) == (0, True)
    stage.owner.root("iam", "tag_role", RoleName="audit", Tags=[{"Key": "valetkey:versions", "Value": "1=v1"}])
    result = owner("list", "--check", "--json")
    (problem,) = json.loads(result.stdout)["grants"][0]["problems"]
    assert result.returncode == 1
    assert problem.startswith("SecurityAudit: granted as v1, now v")
    assert problem.endswith("what that adds is unknown: v1: iam:GetPolicyVersion: NoSuchEntity")
    assert problem in " ".join(owner("list", "--check").stdout.split())
    assert json.loads(owner("list", "--json").stdout)["grants"][0]["problems"] == [], "it is not asked"


def test_what_a_grant_may_do_is_answered_under_the_documented_permissions(stage: Any, owner: Any) -> None:
    words = ("--to", stage.contractor.account, "--until", "30d", "--policy", "SecurityAudit", "--yes")
    assert owner("grant", "audit", *words).returncode == 0
    answer = json.loads(owner("can", "audit", "iam:ListUsers", "--json").stdout)
    assert (answer["verdict"], answer["unread"]) == ("allowed", [])
    assert owner("can", "audit", "iam:CreateUser").returncode == 1
    shown = owner("show", "audit", "--permissions", "--compare", "ReadOnlyAccess", "--json")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["compared"]["relation"] == "neither"
    proposed = owner("show", "audit", "--from-use", "--json")
    assert proposed.returncode == 0, proposed.stderr
    # Nothing has been used: the sandbox's report is empty.
    assert json.loads(proposed.stdout)["used"] == []
