"""Roles as people make them in the console, by CloudFormation or Terraform."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.unit.grants.fake_iam import FakeIam

CONTRACTOR = "222222222222"
ROOT = {"AWS": f"arn:aws:iam::{CONTRACTOR}:root"}
ID = {"StringEquals": {"sts:ExternalId": "puppets-on-strings"}}
WEAK_MFA = {**ID, "BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}
MFA = {**ID, "Bool": {"aws:MultiFactorAuthPresent": "true"}}


def allow(principal: Any, condition: Any = None, action: Any = "sts:AssumeRole") -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    return {**statement, "Condition": condition} if condition else statement


def trust(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def made(iam: FakeIam, document: dict[str, Any], name: str = "puppeteers", path: str = "/") -> dict[str, Any]:
    """A role of the account in memory, with a policy and a tag of its own."""
    iam.roles[name] = {
        "RoleName": name,
        "Path": path,
        "Arn": f"arn:aws:iam::{iam.account}:role{path}{name}",
        "CreateDate": datetime(2024, 5, 1, tzinfo=UTC),
        "AssumeRolePolicyDocument": document,
        "Description": "by hand",
        "MaxSessionDuration": 3600,
        "Tags": [{"Key": "team", "Value": "shows"}],
        "inline": {"a,b": {"Version": "2012-10-17", "Statement": [allow_all("s3:List*")]}},
        "managed": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
    }
    return iam.roles[name]


def allow_all(action: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": "*"}
