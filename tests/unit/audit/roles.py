"""Roles and trust policies for the tests of the audit, in few words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from valetkey.account.values import Account, Role
from valetkey.audit import Accepted, Audit, Scope, audit
from valetkey.policy import Origin

OWN, SISTER, A, B = "111111111111", "444444444444", "222222222222", "333333333333"
ROOT, OTHER = f"arn:aws:iam::{A}:root", f"arn:aws:iam::{B}:root"
ALICE, AUDITOR = f"arn:aws:iam::{A}:user/alice", f"arn:aws:iam::{A}:role/auditor"
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
ID = "vk-7x3kq9wd5mfz2h8p"
BY_ID = {"StringEquals": {"sts:ExternalId": ID}}
BY_MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
BOTH = {**BY_ID, **BY_MFA}
GITHUB = f"arn:aws:iam::{OWN}:oidc-provider/token.actions.githubusercontent.com"
EKS = f"arn:aws:iam::{OWN}:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABCDEF"
SAML = f"arn:aws:iam::{OWN}:saml-provider/corp"
WEB, BY_SAML = "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"
SUB = "token.actions.githubusercontent.com:sub"
AUD = {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}

ADMIN = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
LOOK = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:DescribeInstances","Resource":"*"}]}'


def allow(principal: Any = ROOT, condition: Any = None, action: Any = "sts:AssumeRole", **more: Any) -> dict[str, Any]:
    """An Allow; a principal that is a text or a list is one under "AWS"."""
    who = principal if isinstance(principal, dict) or principal == "*" else {"AWS": principal}
    statement = {"Effect": "Allow", "Principal": who, "Action": action, **more}
    return statement if condition is None else {**statement, "Condition": condition}


def deny(condition: Any, principal: Any = "*", action: Any = "sts:AssumeRole") -> dict[str, Any]:
    return {**allow(principal, condition, action), "Effect": "Deny"}


def trust(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def role(text: str | None, name: str = "partner", *, path: str = "/", **more: Any) -> Role:
    """A role that was made long ago and used yesterday, and may look at instances."""
    usual: dict[str, Any] = {
        "inline": {"look": LOOK},
        "max_session": 3600,
        "tags": {},
        "created": NOW - timedelta(days=300),
        "last_used": NOW - timedelta(days=1),
        "last_use_known": True,
    }
    arn = f"arn:aws:iam::{OWN}:role{path}{name}"
    given = {**usual, "arn": arn, "account": OWN, "partition": "aws", "where": "dump.json: $.RoleDetailList[0]"}
    given |= {"origin": Origin.RETURNED, **more}
    return Role(name=name, path=path, trust=text, **given)


def account(*roles: Role, policies: Mapping[str, str] | None = None) -> Account:
    return Account(id=OWN, partition="aws", roles=roles, policies=policies or {}, sources=("dump.json",))


def run(
    *roles: Role | str,
    scope: Scope | None = None,
    baseline: Sequence[Accepted] = (),
    policies: Mapping[str, str] | None = None,
) -> Audit:
    """Audit these roles, or roles with these trust policies."""
    made = [item if isinstance(item, Role) else role(item, f"role-{n}") for n, item in enumerate(roles)]
    return audit(account(*made, policies=policies), scope=scope or Scope(), now=NOW, baseline=baseline)


def checks(answer: Audit) -> set[str]:
    return {finding.check for finding in answer.findings}
