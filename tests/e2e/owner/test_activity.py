"""`activity` on the sandbox's own CloudTrail of one story: from LookupEvents, from S3 and from a folder."""

from __future__ import annotations

import contextlib
import json
import pathlib
from collections.abc import Callable
from typing import Any

import botocore.exceptions
from tests.trails import sandboxed

Run = Callable[..., Any]


def story(stage: Any, owner: Run) -> str:
    """Create a grant. Its person assumes the role with MFA, reads, and is denied a write; a call without the ExternalId
    is denied. Return the role's ARN."""
    contractor = stage.contractor.account
    ran = owner("grant", "audit", "--yes", "--to", contractor, "--until", "2d", "--json", "--policy", "SecurityAudit")
    grant = json.loads(ran.stdout)
    carol = stage.contractor.user("carol", _MAY_ASSUME, mfa=True)
    sts = stage.contractor.client("sts", carol)
    with contextlib.suppress(botocore.exceptions.ClientError):
        sts.assume_role(RoleArn=grant["role_arn"], RoleSessionName="carol")
    keys = sts.assume_role(
        RoleArn=grant["role_arn"], RoleSessionName="carol", ExternalId=grant["external_id"],
        SerialNumber=carol.mfa_serial, TokenCode=carol.code(),
    )["Credentials"]  # fmt: skip
    iam = stage.contractor.client("iam", keys)
    iam.list_roles()
    iam.list_users()
    with contextlib.suppress(botocore.exceptions.ClientError):
        iam.create_user(UserName="mallory")
    # The code goes to GetSessionToken, as with valetkey: the owner's trail then does not show MFA.
    before = sts.get_session_token(SerialNumber=carol.mfa_serial, TokenCode=carol.code())["Credentials"]
    keys = stage.contractor.client("sts", before).assume_role(
        RoleArn=grant["role_arn"], RoleSessionName="later", ExternalId=grant["external_id"]
    )["Credentials"]
    stage.contractor.client("sts", keys).get_caller_identity()
    return str(grant["role_arn"])


_MAY_ASSUME = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"], "Resource": "*"},
}


def check(stage: Any, said: dict[str, Any], *, both: bool) -> None:
    [session] = [item for item in said["sessions"] if item["who"]["session_name"] == "carol"]
    [later] = [item for item in said["sessions"] if item["who"]["session_name"] == "later"]
    assert later["who"]["person"] == ("carol" if both else "later")
    assert later["mfa"] == ("yes" if both else "required")
    assert (session["kind"], session["mfa"], session["events"]) == ("cli", "yes", 3)
    assert session["who"]["session_name"] == session["who"]["person"] == "carol"
    assert session["who"]["mfa_device"] == f"arn:aws:iam::{stage.contractor.account}:mfa/carol"
    assert [item["action"] for item in session["denied"]] == ["iam:CreateUser"]
    assert session["denied"][0]["resources"] == ["userName mallory"]
    assert session["writes"] == []
    assert {(call["action"], call["level"], call["count"]) for call in session["calls"]} == {
        ("iam:ListRoles", "List", 1),
        ("iam:ListUsers", "List", 1),
    }
    caller = f"arn:aws:iam::{stage.contractor.account}:user/carol"
    assert session["who"]["caller"] == (caller if both else None)
    assert [item["caller"] for item in said["refused"]] == ([caller] if both else [])
    assert said["reading"]["complete"]


def test_the_story_is_found_from_every_source(stage: Any, owner: Run, tmp_path: pathlib.Path) -> None:
    role = story(stage, owner)
    # LookupEvents, by the grant's name, in one region.
    ran = owner("activity", "audit", "--from", "lookup-events", "--region", "us-east-1", "--json")
    assert ran.returncode == 0, ran.stderr
    check(stage, json.loads(ran.stdout), both=False)
    assert any("90 days" in item for item in json.loads(ran.stdout)["unseen"])
    assert any("Only us-east-1 was looked up" in item for item in json.loads(ran.stdout)["unseen"])
    # A folder with both trails, by ARN, without credentials.
    bucket = f"trail-{stage.owner.account}"
    stage.owner.root("s3", "create_bucket", Bucket=bucket)
    for party in (stage.owner, stage.contractor):
        for key, data in sandboxed.files(party.account, sandboxed.events(party.root)):
            path = tmp_path / "trail" / key
            path.parent.mkdir(parents=True)
            path.write_bytes(data)
            stage.owner.root("s3", "put_object", Bucket=bucket, Key=f"logs/{key}", Body=data)
    ran = owner("activity", role, "--from", str(tmp_path / "trail"), "--json")
    assert ran.returncode == 0, ran.stderr
    check(stage, json.loads(ran.stdout), both=True)
    # The same from S3, with the documented permissions.
    for place in (f"s3://{bucket}/logs", f"s3://{bucket}/logs/AWSLogs/"):
        ran = owner("activity", "audit", "--from", place, "--since", "2d", "--json")
        assert ran.returncode == 0, ran.stderr
        check(stage, json.loads(ran.stdout), both=True)
    used_by_others(stage, owner, ("lookup-events", f"s3://{bucket}/logs"))
    # All roles that outsiders use, without a role's name.
    ran = owner("activity", "--all-outsiders", "--from", str(tmp_path / "trail"), "--own-accounts", "1" * 12, "--json")
    assert json.loads(ran.stdout)["sessions"] == []  # all accounts of an organization's folder are its own
    (tmp_path / "trail" / "AWSLogs" / sandboxed.ORGANIZATION).rename(tmp_path / "plain")
    ran = owner("activity", "--all-outsiders", "--from", str(tmp_path / "plain"), "--json")
    check(stage, json.loads(ran.stdout), both=True)


def used_by_others(stage: Any, owner: Run, sources: tuple[str, ...]) -> None:
    """`list --check`, `review` and `show --evidence` of the same grant, each with its documented permissions."""
    for number, source in enumerate(sources):
        words = ("--from", source, "--region", "us-east-1")
        ran = owner("list", "--check", "--within", "1d", *words, "--json")
        assert ran.returncode == 0, ran.stderr + ran.stdout
        [listed] = json.loads(ran.stdout)["grants"]
        assert (listed["denied"], listed["problems"]) == (1, [])
        assert listed["last_used"]
        ran = owner("review", "-o", f"review-{number}.json", *words)
        assert ran.returncode == 0, ran.stderr
        population = json.loads((stage.owner.home / f"review-{number}.json").read_text())["population"]
        assert f"CloudTrail ({source}), since " in population["entries"][0]["notes"][-1]
        assert "1 denied" in population["entries"][0]["notes"][-1]
        assert any("data events" in item for item in population["unseen"])
        ran = owner("show", "audit", "--evidence", "-o", f"evidence-{number}.json", *words)
        assert ran.returncode == 0, ran.stderr
        assert "1 denied" in json.loads((stage.owner.home / f"evidence-{number}.json").read_text())["activity"][0]


def test_a_bucket_that_may_not_be_read_is_an_error_and_a_day_that_may_not_is_said(stage: Any, owner: Run) -> None:
    stage.owner.root("s3", "create_bucket", Bucket=f"other-{stage.owner.account}")
    role = f"arn:aws:iam::{stage.owner.account}:role/audit"
    ran = owner("activity", role, "--from", f"s3://other-{stage.owner.account}")
    assert ran.returncode == 3
    assert "AccessDenied" in ran.stderr
    bucket = f"trail-{stage.owner.account}"
    stage.owner.root("s3", "create_bucket", Bucket=bucket)
    ran = owner("activity", role, "--from", f"s3://{bucket}")
    assert ran.returncode == 2
    assert "holds no account's folder" in ran.stderr
