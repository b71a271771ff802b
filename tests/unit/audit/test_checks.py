"""Every check: documents and roles that have it, and near misses that must not."""

from __future__ import annotations

import dataclasses
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.unit.audit.roles import (
    ADMIN,
    ALICE,
    AUD,
    AUDITOR,
    BOTH,
    BY_ID,
    BY_MFA,
    BY_SAML,
    EKS,
    GITHUB,
    ID,
    LOOK,
    NOW,
    OTHER,
    OWN,
    ROOT,
    SAML,
    SISTER,
    SUB,
    WEB,
    A,
    B,
    allow,
    checks,
    deny,
    role,
    run,
    trust,
)

from valetkey.account.values import Role
from valetkey.audit import TABLE, Scope
from valetkey.audit.findings import Finding
from valetkey.audit.scope import KnownVendor
from valetkey.catalog.shared_issuers import SHARED
from valetkey.sandbox import issuers

MFA, EXT, ORG = "aws:MultiFactorAuthPresent", "sts:ExternalId", "aws:PrincipalOrgID"
US = Scope(
    own=frozenset({SISTER}), org_id="o-ourown1234", known={B: KnownVendor("Vendor", ("https://vendor.example",))}
)
NEW_RELIC, SPACELIFT = "arn:aws:iam::754728514883:root", "arn:aws:iam::324880187172:root"
END = "2026-12-31T00:00:00Z"
DATED = {"DateLessThan": {"aws:CurrentTime": END}}
ENDS = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Deny",
            "Action": "*",
            "Resource": "*",
            "Condition": {"DateGreaterThanEquals": {"aws:CurrentTime": END}},
        },
    }
)


POOLS = "cognito-identity.amazonaws.com"


def web(provider: str, condition: Any = None) -> Any:
    return allow({"Federated": provider}, condition, WEB)


def may(*actions: str, resource: str = "*") -> dict[str, str]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return {"does": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}


NO_TOKENS = json.dumps({"Statement": [{"Effect": "Deny", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}]})


def guarded(name: str = "partner", **more: Any) -> Role:
    """A role with nothing wrong about who gets in."""
    return role(trust(allow(ROOT, BOTH)), name, **more)


HAS: dict[str, dict[str, Role | str]] = {
    "T1": {
        "bare account": trust(allow(ROOT)),
        "bare number": trust(allow(A)),
        "bare role": trust(allow(AUDITOR)),
        "empty condition": trust(allow(ROOT, {})),
        "only a network": trust(allow(ROOT, {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})),
        "another partition's own form": role(
            trust(allow(f"arn:aws-us-gov:iam::{A}:root")),
            partition="aws-us-gov",
            arn=f"arn:aws-us-gov:iam::{OWN}:role/partner",
        ),
        "wildcard action": trust(allow(ROOT, None, "sts:Assume*")),
        "not action": trust({"Effect": "Allow", "Principal": {"AWS": ROOT}, "NotAction": "sts:TagSession"}),
        "beside a service": trust(allow({"Service": "ec2.amazonaws.com", "AWS": [ROOT]})),
    },
    "T2": {
        "MFA alone": trust(allow(ROOT, BY_MFA)),
        "MFA by a Deny": trust(allow(ROOT), deny({"BoolIfExists": {MFA: "false"}})),
    },
    "T3": {"id alone": trust(allow(ROOT, BY_ID)), "a user with id": trust(allow(ALICE, BY_ID))},
    "T4": {
        "star": trust(allow("*")),
        "star under AWS": trust(allow({"AWS": "*"})),
        "star in a list": trust(allow([OWN, "*"])),
        "MFA of anybody": trust(allow("*", BY_MFA)),
        "a network": trust(allow("*", {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})),
    },
    "T5": {"id": trust(allow("*", BY_ID)), "id and MFA": trust(allow("*", BOTH))},
    "T6": {
        "if exists": trust(allow("*", {"StringEqualsIfExists": {ORG: "o-ourown1234"}})),
        "ForAllValues": trust(allow("*", {"ForAllValues:StringEquals": {ORG: "o-ourown1234"}})),
        "paths, ForAllValues": trust(
            allow("*", {"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-ourown1234/*"}})
        ),
        "not another": trust(allow("*", {"StringNotEquals": {ORG: "o-partner999"}})),
    },
    "T7": {
        "BoolIfExists": trust(allow(ROOT, {"BoolIfExists": {MFA: "true"}})),
        "Bool false": trust(allow(ROOT, {"Bool": {MFA: "false"}})),
        "Deny Bool false": trust(allow(ROOT), deny({"Bool": {MFA: "false"}})),
        "Null": trust(allow(ROOT, {"Null": {MFA: "false"}})),
        "age if exists": trust(allow(ROOT, {"NumericLessThanIfExists": {"aws:MultiFactorAuthAge": "3600"}})),
        "with an id": trust(allow(ROOT, {**BY_ID, "BoolIfExists": {MFA: "true"}})),
    },
    "T8": {
        "like anything": trust(allow(ROOT, {"StringLike": {EXT: "*"}})),
        "if exists": trust(allow(ROOT, {"StringEqualsIfExists": {EXT: ID}})),
        "not equals": trust(allow(ROOT, {"StringNotEquals": {EXT: "x"}})),
        "ForAllValues": trust(allow(ROOT, {"ForAllValues:StringEquals": {EXT: ID}})),
        "Null": trust(allow(ROOT, {"Null": {EXT: "false"}})),
        "what the caller's own tag says": trust(allow(ROOT, {"StringEquals": {EXT: "${aws:PrincipalTag/id}"}})),
        "Deny that an absent id passes": trust(allow(ROOT), deny({"StringEquals": {EXT: "another-id"}})),
        "with MFA": trust(allow(ROOT, {**BY_MFA, "StringLike": {EXT: "*"}})),
    },
    "T9": {
        "own account": trust(allow(ROOT, {"StringEquals": {EXT: OWN}})),
        "its account": trust(allow(ROOT, {"StringEquals": {EXT: A}})),
        "role name": role(trust(allow(ROOT, {"StringEquals": {EXT: "Partner-Access"}})), "partner-access"),
        "public default": trust(allow(ROOT, {"StringEquals": {EXT: "4CEBE3B"}})),
        "short": trust(allow(ROOT, {"StringEquals": {EXT: "abc123"}})),
        "a number": trust(allow(ROOT, {"StringEquals": {EXT: "20260101"}})),
        "short pattern": trust(allow(ROOT, {"StringLike": {EXT: "abcd*"}})),
        "one of two": trust(allow(ROOT, {"StringEquals": {EXT: [ID, "12345"]}})),
    },
    "T10": {
        "blank": trust(allow(ROOT, {"StringEquals": {EXT: "our company"}})),
        "one character": trust(allow(ROOT, {"StringEquals": {EXT: "x"}})),
        "letters of elsewhere": trust(allow(ROOT, {"StringEquals": {EXT: "schlüssel-1234"}})),
        "one of two": trust(allow(ROOT, {"StringEquals": {EXT: [ID, "our company"]}})),
        "a pattern with a blank": trust(allow(ROOT, {"StringLike": {EXT: "our company*"}})),
    },
    "T11": {
        "the same, bare": trust(allow(ROOT, BOTH), allow([ROOT])),
        "one user, bare": trust(allow(ROOT, BOTH), allow(ALICE)),
        "MFA only in one": trust(allow(ROOT, BOTH), allow(A, BY_ID)),
    },
    "T12": {
        "id": trust(allow(ROOT), deny({"StringNotEquals": {EXT: ID}})),
        "MFA": trust(allow(ROOT, BY_ID), deny({"BoolIfExists": {MFA: "false"}})),
    },
    "T13": {
        "role": trust(allow([ROOT, "AROAEXAMPLEGONE12345"], BOTH)),
        "user alone": trust(allow("AIDAEXAMPLEGONE12345", BOTH)),
    },
    "T14": {
        "over": trust(allow(ROOT, {**BOTH, "DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}})),
        "over, in seconds": trust(allow(ROOT, {"DateLessThan": {"aws:EpochTime": "1700000000"}})),
        "deleted": trust(allow("AROAEXAMPLEGONE12345")),
        "id cannot be sent": trust(allow(ROOT, {"StringEquals": {EXT: "our company"}})),
        "MFA of an identity of GitHub": trust(allow({"Federated": GITHUB}, BY_MFA, WEB)),
        "beside one that works": trust(
            allow(ROOT, BOTH), allow(OTHER, {"DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}})
        ),
    },
    "T15": {
        "no date": guarded(),
        "trust alone": role(trust(allow(ROOT, {**BOTH, **DATED}))),
        "permissions alone": guarded(inline={"look": LOOK, "end": ENDS}),
    },
    "T17": {
        "sts:*": trust(allow(ROOT, BOTH, "sts:*")),
        "sts:Assume*": trust(allow(ROOT, BOTH, "sts:Assume*")),
        "tags": trust(allow(ROOT, BOTH), allow(ROOT, None, "sts:TagSession")),
        "source identity": trust(allow(ROOT, BOTH), allow(ROOT, None, ["sts:SetSourceIdentity"])),
    },
    "T18": {
        "Resource": trust(allow(ROOT, BOTH, Resource="*")),
        "NotPrincipal": trust({"Effect": "Allow", "NotPrincipal": {"AWS": OTHER}, "Action": "sts:AssumeRole"}),
        "a wildcard in a principal": trust(allow(f"arn:aws:iam::{A}:user/*", BOTH)),
        "a misspelt operator": trust(allow(ROOT, {**BOTH, "StringEqual": {EXT: ID}})),
    },
    "T19": {
        "GitHub, audience": trust(web(GITHUB, {"StringEquals": AUD})),
        "GitHub, any repository": trust(web(GITHUB, {"StringLike": {SUB: "repo:*"}})),
        "GitHub, ForAllValues": trust(web(GITHUB, {"ForAllValues:StringLike": {SUB: "repo:acme/*"}})),
        "Cognito, no pool": trust(web(POOLS)),
        "Cognito, guests too": trust(
            web(POOLS, {"StringEquals": {f"{POOLS}:aud": "eu-west-1:0b9f4c9e-7f5d-4a2b-9a0a-6f1c2d3e4f50"}})
        ),
        "an issuer that is on no list": trust(
            web(
                f"arn:aws:iam::{OWN}:oidc-provider/login.acme.example",
                {"StringEquals": {"login.acme.example:sub": "deploy"}},
            )
        ),
        "GitLab": trust(
            web(f"arn:aws:iam::{OWN}:oidc-provider/gitlab.com", {"StringLike": {"gitlab.com:sub": "project_path:*"}})
        ),
        "SAML, no audience": trust(allow({"Federated": SAML}, None, BY_SAML)),
        "a cluster, every account": trust(web(EKS)),
        "a provider of others": trust(allow({"Federated": SAML.replace(OWN, B)}, None, BY_SAML)),
    },
    "T20": {
        "in no list": guarded(),
        "an organisation": trust(allow("*", {"StringEquals": {ORG: "o-partner999", EXT: ID}})),
    },
    "T21": {
        "objects": guarded(inline=may("s3:GetObject")),
        "by name": guarded(attached=("arn:aws:iam::aws:policy/ReadOnlyAccess",)),
        "by level": guarded(inline=may("dynamodb:*")),
        "logs of a database": guarded(inline=may("rds:DownloadDBLogFilePortion")),
    },
    "T22": {
        "everything": guarded(inline={"a": ADMIN}),
        "by name": guarded(attached=("arn:aws:iam::aws:policy/AdministratorAccess",)),
        "its own trust": guarded(inline=may("iam:UpdateAssumeRolePolicy", resource=f"arn:aws:iam::{OWN}:role/partner")),
        "its own policies": guarded(inline=may("iam:PutRolePolicy")),
        "passing roles": guarded(inline=may("iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction")),
        "assuming on": guarded(inline=may("sts:AssumeRole")),
    },
    "T24": {
        "a role": trust(allow(AUDITOR, BOTH)),
        "an own role": trust(allow(f"arn:aws:iam::{OWN}:role/deploy", BY_MFA)),
        "a service": trust(allow({"Service": "ec2.amazonaws.com"}, BY_MFA)),
        "a role by condition": trust(allow(ROOT, {**BOTH, "ArnLike": {"aws:PrincipalArn": AUDITOR}})),
    },
    "T25": {
        "never": guarded(last_used=None),
        "long ago": guarded(last_used=NOW - timedelta(days=91)),
    },
    "T27": {
        "said in the description": guarded(description="For the auditors' Console access"),
        "said in a tag": guarded(tags={"use": "switch-role"}),
    },
    "T28": {
        "another partition": trust(allow([ROOT, f"arn:aws-cn:iam::{A}:root"], BOTH)),
        "a session": trust(allow(f"arn:aws:sts::{A}:assumed-role/auditor/alice", BY_ID)),
        "a federated user": trust(allow(f"arn:aws:sts::{A}:federated-user/alice", BY_ID)),
    },
    "T29": {
        "near": trust(allow([f"arn:aws:iam::{A}:user/{n:060}" for n in range(20)], BOTH)),
        "over": trust(allow([f"arn:aws:iam::{A}:user/{n:060}" for n in range(24)], BOTH)),
    },
    "T30": {"service role path": guarded(path="/service-role/")},
    "T31": {
        "S3 Access Grants": guarded(inline=may("s3:GetDataAccess")),
        "by pattern": guarded(inline=may("ecr:Get*")),
        "by name": guarded(attached=("arn:aws:iam::aws:policy/ReadOnlyAccess",)),
        "an operation that AWS does not list yet": guarded(inline=may("signin:CreateBearerToken")),
        "both that are needed": guarded(inline=may("codeartifact:GetAuthorizationToken", "sts:GetServiceBearerToken")),
        "everything but IAM": guarded(attached=("arn:aws:iam::aws:policy/PowerUserAccess",)),
    },
}

HAS_NOT: dict[str, dict[str, Role | str]] = {
    "T1": {
        "id": trust(allow(ROOT, BY_ID)),
        "MFA": trust(allow(ROOT, BY_MFA)),
        "own account": trust(allow(OWN)),
        "another account of ours": trust(allow(SISTER)),
        "id by a Deny": trust(allow(ROOT), deny({"StringNotEquals": {EXT: ID}})),
        "MFA by a Deny": trust(allow(ROOT), deny({"BoolIfExists": {MFA: "false"}})),
        "only tags": trust(allow(ROOT, None, "sts:TagSession")),
        "a stack set's administration": trust(
            allow(f"arn:aws:iam::{OWN}:role/AWSCloudFormationStackSetAdministrationRole")
        ),
        "our organisation": trust(allow(ROOT, {"StringEquals": {ORG: "o-ourown1234"}})),
        "over": trust(allow(ROOT, {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}})),
        "denied": trust(allow(ROOT), deny({}, {"AWS": ROOT})),
    },
    "T2": {"both": trust(allow(ROOT, BOTH)), "own account": trust(allow(OWN, BY_MFA)), "neither": trust(allow(ROOT))},
    "T3": {
        "both": trust(allow(ROOT, BOTH)),
        "a role, which has none": trust(allow(AUDITOR, BY_ID)),
        "neither": trust(allow(ROOT)),
    },
    "T4": {
        "our organisation": trust(allow("*", {"StringEquals": {ORG: "o-ourown1234"}})),
        "one account": trust(allow("*", {"StringEquals": {"aws:PrincipalAccount": A}, **BY_MFA})),
        "our roles": trust(allow("*", {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OWN}:role/*"}})),
        "all but us denied": trust(allow("*"), deny({"StringNotEquals": {"aws:PrincipalAccount": OWN}})),
        "id": trust(allow("*", BY_ID)),
    },
    "T5": {
        "an account": trust(allow(ROOT, BY_ID)),
        "our organisation": trust(allow("*", {"StringEquals": {ORG: "o-ourown1234", EXT: ID}})),
    },
    "T6": {
        "equals": trust(allow("*", {"StringEquals": {ORG: "o-ourown1234"}})),
        "by path": trust(allow("*", {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-ourown1234/*"}})),
        "another, strictly": trust(allow("*", {"StringEquals": {ORG: "o-partner999", EXT: ID}})),
    },
    "T7": {
        "Bool": trust(allow(ROOT, BY_MFA)),
        "age": trust(allow(ROOT, {"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}})),
        "Deny BoolIfExists": trust(allow(ROOT, BY_ID), deny({"BoolIfExists": {MFA: "false"}})),
        "both forms": trust(allow(ROOT, {**BY_MFA, "BoolIfExists": {MFA: "true"}})),
        "of our own": trust(allow(OWN, {"BoolIfExists": {MFA: "true"}})),
        "another statement's": trust(
            allow(ROOT, BY_ID), allow(f"arn:aws:iam::{OWN}:root", {"BoolIfExists": {MFA: "true"}})
        ),
        "a Deny about others": trust(allow(ROOT, BY_ID), deny({"Bool": {MFA: "false"}}, {"AWS": OWN})),
    },
    "T8": {
        "equals": trust(allow(ROOT, BY_ID)),
        "a prefix": trust(allow(ROOT, {"StringLike": {EXT: "acme-production-*"}})),
        "list": trust(allow(ROOT, {"StringEquals": {EXT: [ID, "another-id-of-20-chars"]}})),
        "Deny": trust(allow(ROOT), deny({"StringNotEquals": {EXT: ID}})),
        "Deny if exists": trust(allow(ROOT), deny({"StringNotEqualsIfExists": {EXT: ID}})),
        "several operators": trust(allow(ROOT, {"StringEquals": {EXT: ID}, "StringLike": {EXT: "*"}})),
    },
    "T9": {
        "random": trust(allow(ROOT, BY_ID)),
        "UUID": trust(allow(ROOT, {"StringEquals": {EXT: "0b9f4c9e-7f5d-4a2b-9a0a-6f1c2d3e4f50"}})),
        "none": trust(allow(ROOT, BY_MFA)),
    },
    "T10": {
        "all signs": trust(allow(ROOT, {"StringEquals": {EXT: "a_+=,.@:/-Z9"}})),
        "two characters": trust(allow(ROOT, {"StringEquals": {EXT: "ab"}})),
        "a prefix": trust(allow(ROOT, {"StringLike": {EXT: "org@*"}})),
        "somebody else's": trust(allow(ROOT, BOTH), deny({"StringEquals": {EXT: "our company"}})),
    },
    "T11": {
        "one statement": trust(allow(ROOT, BOTH)),
        "two, as strict": trust(allow(ROOT, BOTH), allow(ALICE, BOTH)),
        "another party's": trust(allow(ROOT, BY_ID), allow(OTHER, BY_MFA)),
        "another principal's": trust(allow(ALICE, BOTH), allow(AUDITOR, BY_ID)),
        "tags": trust(allow(ROOT, BOTH), allow(ROOT, None, "sts:TagSession")),
        "ours": trust(allow(ROOT, BOTH), allow(OWN)),
    },
    "T12": {
        "in the Allow": trust(allow(ROOT, BOTH)),
        "in both": trust(allow(ROOT, BOTH), deny({"StringNotEquals": {EXT: ID}})),
        "a Deny that does not bind": trust(allow(ROOT), deny({"Bool": {MFA: "false"}})),
    },
    "T13": {"names": trust(allow([ROOT, ALICE, AUDITOR], BOTH))},
    "T14": {
        "not yet over": trust(allow(ROOT, {**BOTH, **DATED})),
        "our organisation": trust(allow("*", {"StringEquals": {ORG: "o-ourown1234"}})),
        "everybody, for all but us denied": trust(allow("*"), deny({"StringNotEquals": {"aws:PrincipalAccount": OWN}})),
        "ours over": trust(allow(OWN, {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}})),
        "one of two ids": trust(allow(ROOT, {"StringEquals": {EXT: [ID, "our company"]}})),
        "named twice": trust(allow(ROOT, BOTH), allow(ROOT, BOTH)),
        "only tags": trust(allow(ROOT, BOTH), allow(ROOT, None, "sts:TagSession")),
    },
    "T15": {
        "both": role(trust(allow(ROOT, {**BOTH, **DATED})), inline={"look": LOOK, "end": ENDS}),
        "ours": trust(allow(OWN)),
    },
    "T17": {
        "entering": trust(allow(ROOT, BOTH)),
        "ours": trust(allow(OWN, None, "sts:*")),
        "limited": trust(
            allow(ROOT, BOTH), allow(ROOT, {"StringEquals": {"aws:RequestTag/team": "audit"}}, "sts:TagSession")
        ),
    },
    "T18": {
        "plain": trust(allow(ROOT, BOTH)),
        "Statement alone": json.dumps({"Version": "2012-10-17", "Statement": allow(ROOT, BOTH)}),
        "no version": json.dumps({"Statement": [allow(ROOT, BOTH)]}),
        "true without quotes": trust(allow(ROOT, {**BY_ID, "Bool": {MFA: True}})),
    },
    "T19": {
        "GitHub, a repository": trust(
            web(GITHUB, {"StringEquals": {**AUD, SUB: "repo:acme/site:ref:refs/heads/main"}})
        ),
        "GitHub, an organisation": trust(web(GITHUB, {"StringLike": {SUB: ["repo:acme/*", "repo:acme-labs/*"]}})),
        "SAML": trust(
            allow({"Federated": SAML}, {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}, BY_SAML)
        ),
        "a service account": trust(
            web(EKS, {"StringEquals": {EKS.split("oidc-provider/")[1] + ":sub": "system:serviceaccount:a:b"}})
        ),
        "a pool, whoever has signed in": trust(
            web(
                POOLS,
                {
                    "StringEquals": {f"{POOLS}:aud": "eu-west-1:0b9f4c9e-7f5d-4a2b-9a0a-6f1c2d3e4f50"},
                    "ForAnyValue:StringLike": {f"{POOLS}:amr": "authenticated"},
                },
            )
        ),
    },
    "T20": {
        "known": trust(allow(OTHER, BOTH)),
        "ours": trust(allow(SISTER)),
        "our organisation": trust(allow("*", {"StringEquals": {ORG: "o-ourown1234"}})),
    },
    "T21": {
        "names only": guarded(inline=may("s3:ListAllMyBuckets", "s3:GetBucketLocation", "ec2:Describe*Instances")),
        "ours": role(trust(allow(OWN)), inline=may("s3:GetObject")),
        "denied": guarded(
            inline={
                **may("s3:GetObject"),
                "no": json.dumps({"Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}}),
            }
        ),
        "cut by the boundary": guarded(inline=may("s3:*"), boundary=f"arn:aws:iam::{OWN}:policy/bound"),
    },
    "T22": {
        "reading": guarded(inline=may("iam:Get*", "iam:List*")),
        "ours": role(trust(allow(OWN)), inline={"a": ADMIN}),
        "cut by the boundary": guarded(inline={"a": ADMIN}, boundary=f"arn:aws:iam::{OWN}:policy/bound"),
    },
    "T24": {
        "users": trust(allow(ROOT, BOTH)),
        "a user": trust(allow(ALICE, BOTH)),
        "a role without": trust(allow(AUDITOR, BY_ID)),
        "a service without": trust(allow({"Service": "ec2.amazonaws.com"})),
        "our account": trust(allow(OWN, BY_MFA)),
    },
    "T25": {
        "used": guarded(),
        "new": guarded(last_used=None, created=NOW - timedelta(days=10)),
        "not told": guarded(last_used=None, last_use_known=False),
        "ours": role(trust(allow(OWN)), last_used=None),
    },
    "T27": {
        "said, no id": role(trust(allow(ROOT, BY_MFA)), description="For the console"),
        "not said": guarded(description="For consolers of the bereaved"),
    },
    "T28": {
        "usual": trust(allow([ROOT, ALICE, AUDITOR, B], BOTH)),
        "a session of ours": trust(allow(f"arn:aws:sts::{OWN}:assumed-role/deploy/x")),
        "all of another partition": role(
            trust(allow(f"arn:aws-cn:iam::{A}:root", BOTH)),
            partition="aws-cn",
            arn=f"arn:aws-cn:iam::{OWN}:role/partner",
        ),
    },
    "T29": {
        "small": guarded(),
        "blanks do not count": role(json.dumps(json.loads(trust(allow(ROOT, BOTH))), indent=200)),
    },
    "T30": {
        "own path": guarded(path="/partners/"),
        "a service": role(trust(allow({"Service": "ec2.amazonaws.com"})), path="/service-role/"),
    },
    "T31": {
        "reading metadata": guarded(inline=may("s3:ListBucket", "ecr:DescribeImages", "iam:Get*")),
        "half of what is needed": guarded(inline=may("codeartifact:GetAuthorizationToken")),
        "denied": guarded(inline={**may("ecr:*"), "no": NO_TOKENS}),
        "cut by the boundary": guarded(inline=may("ecr:*"), boundary=f"arn:aws:iam::{OWN}:policy/bound"),
        "everything, as T22 says": guarded(inline={"a": ADMIN}),
        "ours": role(trust(allow(OWN)), inline=may("ecr:*")),
    },
}
POLICIES = {f"arn:aws:iam::{OWN}:policy/bound": LOOK}


def _found(case: Role | str, check: str) -> list[Finding]:
    answer = run(case, scope=US, policies=POLICIES)
    assert answer.roles[0].exposure != "unknown", answer.roles[0].reason
    return [finding for finding in answer.findings if finding.check == check]


def test_every_check_is_tested() -> None:
    elsewhere = {"T16", "T23", "T26"}  # need a record: test_records
    every = {f"T{number}" for number in range(1, 32)}
    assert HAS.keys() == HAS_NOT.keys() == every - elsewhere
    assert TABLE.keys() == every | {"unknown", "incomplete"}


def test_the_page_gives_each_check_its_severity() -> None:
    page = (Path(__file__).parents[3] / "docs" / "auditing.md").read_text()
    rows = dict(re.findall(r"^\| (T\d+) \| (.+?) \|", page, re.MULTILINE))
    assert rows.keys() == TABLE.keys() - {"unknown", "incomplete"}
    for check, severities in rows.items():
        assert TABLE[check].severity in severities.split(", "), check


@pytest.mark.parametrize(("check", "case"), [(check, case) for check, cases in HAS.items() for case in cases])
def test_has(check: str, case: str) -> None:
    findings = _found(HAS[check][case], check)
    assert findings, case
    for finding in findings:
        assert finding.text
        assert ID not in finding.text
        assert finding.severity in ("info", "low", "medium", "high", "critical")


@pytest.mark.parametrize(("check", "case"), [(check, case) for check, cases in HAS_NOT.items() for case in cases])
def test_has_not(check: str, case: str) -> None:
    assert _found(HAS_NOT[check][case], check) == []


def test_a_right_grant_has_nothing_but_what_is_true_of_every_grant_without_an_end() -> None:
    answer = run(role(trust(allow(OTHER, BOTH))), scope=US)
    assert checks(answer) == {"T15"}
    assert answer.failing("low") == ()
    dated = role(trust(allow(OTHER, {**BOTH, **DATED})), inline={"look": LOOK, "end": ENDS})
    assert checks(run(dated, scope=US)) == set()
    for values in ([], "${aws:PrincipalTag/end}"):  # of which AWS does not say when it ends
        document = json.loads(ENDS)
        document["Statement"]["Condition"] = {"DateGreaterThanEquals": {"aws:CurrentTime": values}}
        undated = role(trust(allow(OTHER, {**BOTH, **DATED})), inline={"look": LOOK, "end": json.dumps(document)})
        assert checks(run(undated, scope=US)) == {"T15"}


@pytest.mark.parametrize("check", ["T1", "T2", "T3", "T7", "T8", "T12"])
def test_the_corrected_document_is_guarded_as_it_should_be(check: str) -> None:
    """The fix is itself audited: what was found is gone, and nobody new gets in."""
    for name, case in HAS[check].items():
        text = case if isinstance(case, str) else case.trust
        for finding in _found(case, check):
            if finding.document is None:
                assert "Service" in str(text), name
                continue
            mended = json.dumps(finding.document).replace("<the ExternalId agreed with the contractor>", ID)
            after = run(dataclasses.replace(case, trust=mended) if isinstance(case, Role) else mended, scope=US)
            left = {(item.check, item.where) for item in after.findings if item.check == check}
            assert (check, finding.where) not in left, name
            assert after.roles[0].exposure == "guarded", name


@pytest.mark.parametrize("host", sorted(SHARED))
def test_iam_saves_the_corrected_trust_in_a_shared_issuer(host: str) -> None:
    """IAM looks for a claim of its own choice when a trust is saved (id_roles_providers_oidc_secure-by-default)."""
    built_in = ("cognito-identity.amazonaws.com", "accounts.google.com", "graph.facebook.com", "www.amazon.com")
    provider = host if host in built_in else f"arn:aws:iam::{OWN}:oidc-provider/{host}"
    bare = {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity"}
    findings = [finding for finding in _found(trust(bare), "T19") if finding.document is not None]
    assert len(findings) == 1
    document: Any = findings[0].document
    assert [issuers.missing(item) for item in document["Statement"]] == [None]
    if host in issuers.CLAIMS:
        assert issuers.missing(bare) is not None


def test_a_fix_that_was_not_filled_in_lets_nobody_in() -> None:
    (finding,) = _found(trust(allow(ROOT)), "T1")
    assert "<the ExternalId" in json.dumps(finding.document)
    assert run(json.dumps(finding.document)).roles[0].exposure == "unreachable"


def test_a_fix_keeps_the_id_that_was_meant() -> None:
    (finding,) = _found(trust(allow(ROOT, {"StringEqualsIfExists": {EXT: ID}})), "T8")
    assert finding.document is not None
    assert finding.document["Statement"][0]["Condition"] == {"StringEquals": {EXT: ID}}


@pytest.mark.parametrize(
    ("principal", "value"),
    [(NEW_RELIC, {"StringEquals": {EXT: "1234567"}}), (SPACELIFT, {"StringLike": {EXT: "acme@*"}})],
)
def test_how_a_vendor_works_is_a_named_exception(principal: str, value: Any) -> None:
    (finding,) = _found(trust(allow(principal, value)), "T9")
    assert finding.severity == "info"
    assert "your" in finding.text
    stranger = _found(trust(allow(ROOT, value)), "T9")
    assert [item.severity for item in stranger] == ["medium"]


def test_one_id_for_two_parties() -> None:
    one, other = trust(allow(ROOT, BOTH)), trust(allow(OTHER, BOTH))
    answer = run(one, other)
    shared = [finding for finding in answer.findings if finding.check == "T9"]
    assert {finding.role for finding in shared} == {item.arn for item in answer.roles}
    assert all("2 parties" in finding.text for finding in shared)
    assert "T9" not in checks(run(one, one))


def test_severities_follow_what_is_at_stake() -> None:
    assert _found(trust(allow("*")), "T4")[0].severity == "critical"
    assert _found(trust(allow(ROOT, {"BoolIfExists": {MFA: "true"}})), "T7")[0].severity == "high"
    assert _found(trust(allow(ROOT, {**BY_ID, "BoolIfExists": {MFA: "true"}})), "T7")[0].severity == "medium"
    assert _found(guarded(inline={"a": ADMIN}), "T22")[0].severity == "critical"
    assert _found(guarded(inline=may("rds:DownloadDBLogFilePortion")), "T21")[0].severity == "low"
    assert _found(guarded(inline=may("s3:GetObject")), "T21")[0].severity == "medium"


def test_the_findings_come_gravest_first() -> None:
    answer = run(trust(allow(ROOT, BOTH)), trust(allow("*")), trust(allow(ROOT)))
    order = ["info", "low", "medium", "high", "critical"]
    ranks = [order.index(finding.severity) for finding in answer.findings]
    assert ranks == sorted(ranks, reverse=True)


def test_a_statement_beside_a_broken_one_is_the_one_that_is_named_and_mended() -> None:
    broken = {"Principal": {"AWS": OWN}, "Action": "sts:AssumeRole"}
    answer = run(trust(broken, allow(ROOT)))
    (bare,) = (finding for finding in answer.findings if finding.check == "T1")
    assert "through statement 2 " in bare.text
    assert bare.where == "$.Statement[1]"
    assert bare.document is not None
    assert bare.document["Statement"][0] == broken
    assert set(bare.document["Statement"][1]["Condition"]) == {"StringEquals", "Bool"}


@pytest.mark.parametrize(
    "text",
    [
        trust(allow(ROOT)).replace('"Effect"', '"Effect": "Deny", "Effect"'),
        trust({**allow(ROOT), "condition": BY_ID}).replace('"Effect"', '"effect"'),
        trust("text", allow(ROOT)),
    ],
)
def test_no_document_is_made_of_one_whose_meaning_is_guessed(text: str) -> None:
    findings = run(text).findings
    assert {"T18"} < {finding.check for finding in findings}
    assert all(finding.document is None for finding in findings)
