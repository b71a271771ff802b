"""Pieces that the tests of this room read."""

from __future__ import annotations

import json
from typing import Any

OWN = "111111111111"
OTHER = "222222222222"


def trust(account: str = OTHER) -> dict[str, Any]:
    """A trust policy that lets an account in."""
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def allow(action: str = "s3:ListAllMyBuckets") -> dict[str, Any]:
    """A permissions policy."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}


def compact(document: Any) -> str:
    """A document as JSON without whitespace."""
    return json.dumps(document, separators=(",", ":"))


def detail(name: str = "partner", *, account: str = OWN, path: str = "/", **more: Any) -> dict[str, Any]:
    """A role as GetAccountAuthorizationDetails tells it through the CLI."""
    return {
        "Path": path,
        "RoleName": name,
        "RoleId": "AROAEXAMPLEEXAMPLE123",
        "Arn": f"arn:aws:iam::{account}:role{path}{name}",
        "CreateDate": "2026-01-02T03:04:05+00:00",
        "AssumeRolePolicyDocument": trust(),
        "InstanceProfileList": [],
        "RolePolicyList": [],
        "AttachedManagedPolicies": [],
        "Tags": [],
        "RoleLastUsed": {},
        **more,
    }
