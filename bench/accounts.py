"""Generated accounts to measure on: a GetAccountAuthorizationDetails dump of any number of roles, as the AWS CLI prints
it.

The same number and seed give the same file. The mix is that of a grown account: nearly half of the roles are for AWS
services and share a few trust policies; each pod, repository and vendor has its own; one role in fifty is a case of
`valetkey sandbox seed`. The dump is written role by role, so that a large account needs little memory.

    python -m bench.accounts 10000 dump.json
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any, TextIO

from moto.iam.aws_managed_policies import aws_managed_policies_data

from valetkey.sandbox.seed import _text
from valetkey.sandbox.seeds import SEEDS

OWNER = "111122223333"
ORGANISATION = "o-bench12345"
SIBLINGS = tuple(f"2000000000{number:02}" for number in range(20))
VENDORS = tuple(f"4000000000{number:02}" for number in range(40))
SIZES = (1_000, 10_000)

_SERVICES = ("lambda", "lambda", "lambda", "ec2", "ec2", "ecs-tasks", "ecs-tasks", "codebuild", "states", "events",
             "glue", "firehose", "apigateway", "rds", "monitoring.rds", "backup", "scheduler")  # fmt: skip
_AWS = ("AdministratorAccess", "ReadOnlyAccess", "SecurityAudit", "ViewOnlyAccess", "PowerUserAccess",
        "AWSLambdaBasicExecutionRole", "AmazonSSMManagedInstanceCore", "AmazonEKSWorkerNodePolicy",
        "AmazonECSTaskExecutionRolePolicy", "AmazonS3ReadOnlyAccess", "CloudWatchAgentServerPolicy",
        "AmazonEC2ContainerRegistryReadOnly", "AmazonDynamoDBFullAccess", "IAMReadOnlyAccess")  # fmt: skip
_ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:ListBucket", "dynamodb:GetItem", "dynamodb:Query", "sqs:SendMessage",
            "sqs:ReceiveMessage", "sns:Publish", "kms:Decrypt", "logs:CreateLogStream", "logs:PutLogEvents",
            "secretsmanager:GetSecretValue", "ssm:GetParameter", "ec2:Describe*", "ecr:GetDownloadUrlForLayer",
            "states:StartExecution", "lambda:InvokeFunction", "cloudwatch:PutMetricData")  # fmt: skip
_OWN_POLICIES = 120


def write(out: TextIO, roles: int, *, seed: int = 1) -> None:
    """Write a dump of `roles` roles."""
    chance = random.Random(seed)
    managed = _managed(chance)
    out.write('{\n    "UserDetailList": [],\n    "GroupDetailList": [],\n    "RoleDetailList": [\n')
    makers, weights = zip(*_MIX, strict=True)
    bad = cycle(item for item in SEEDS if item.trust is not None)
    for number in range(roles):
        name, path, trust = (
            _case(next(bad), number) if number % 50 == 49 else chance.choices(makers, weights)[0](chance, number)
        )
        text = json.dumps(_role(chance, name, path, trust), indent=4)
        out.write(text + (",\n" if number + 1 < roles else "\n"))
    out.write('    ],\n    "Policies": [\n')
    out.write(",\n".join(json.dumps(arn, indent=4) for arn in managed))
    out.write("\n    ]\n}\n")


def _trust(principal: Any, action: str = "sts:AssumeRole", **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    return {"Version": "2012-10-17", "Statement": [{**statement, "Condition": condition} if condition else statement]}


Made = tuple[str, str, Any]
"""A role's name, path and trust policy."""


def _service(chance: random.Random, number: int) -> Made:
    service = chance.choice(_SERVICES)
    path = "/service-role/" if chance.random() < 0.3 else "/"
    return f"{service}-{number}", path, _trust({"Service": f"{service}.amazonaws.com"})


def _linked(chance: random.Random, number: int) -> Made:
    service = f"{chance.choice(_SERVICES)}.amazonaws.com"
    return f"AWSServiceRoleFor{number}", f"/aws-service-role/{service}/", _trust({"Service": service})


def _own(chance: random.Random, number: int) -> Made:
    return f"app-{number}", "/", _trust({"AWS": f"arn:aws:iam::{OWNER}:root"})


def _chained(chance: random.Random, number: int) -> Made:
    return f"step-{number}", "/", _trust({"AWS": f"arn:aws:iam::{OWNER}:role/app-{chance.randrange(100)}"})


def _pod(chance: random.Random, number: int) -> Made:
    issuer = f"oidc.eks.eu-west-1.amazonaws.com/id/{chance.randrange(3):032X}"
    subject = f"system:serviceaccount:team-{chance.randrange(30)}:service-{number}"
    equal = {f"{issuer}:sub": subject, f"{issuer}:aud": "sts.amazonaws.com"}
    provider = {"Federated": f"arn:aws:iam::{OWNER}:oidc-provider/{issuer}"}
    return f"pod-{number}", "/", _trust(provider, "sts:AssumeRoleWithWebIdentity", StringEquals=equal)


def _staff(chance: random.Random, number: int) -> Made:
    provider = {"Federated": f"arn:aws:iam::{OWNER}:saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE"}
    document = _trust(provider, "sts:AssumeRoleWithSAML")
    document["Statement"][0]["Action"] = ["sts:AssumeRoleWithSAML", "sts:TagSession"]
    document["Statement"][0]["Condition"] = {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}
    return f"AWSReservedSSO_set{number}_{number:016x}", "/aws-reserved/sso.amazonaws.com/", document


def _repository(chance: random.Random, number: int) -> Made:
    host = "token.actions.githubusercontent.com"
    repository = f"repo:bench-corp/service-{number}:" + chance.choice(("*", "ref:refs/heads/main", "environment:prod"))
    provider = {"Federated": f"arn:aws:iam::{OWNER}:oidc-provider/{host}"}
    tests = {"StringLike": {f"{host}:sub": repository}, "StringEquals": {f"{host}:aud": "sts.amazonaws.com"}}
    return f"ci-{number}", "/", _trust(provider, "sts:AssumeRoleWithWebIdentity", **tests)


def _vendor(chance: random.Random, number: int) -> Made:
    external_id = f"{chance.getrandbits(128):032x}"
    principal = {"AWS": f"arn:aws:iam::{chance.choice(VENDORS)}:root"}
    mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}} if chance.random() < 0.3 else {}
    return f"vendor-{number}", "/", _trust(principal, StringEquals={"sts:ExternalId": external_id}, **mfa)


def _sibling(chance: random.Random, number: int) -> Made:
    return f"shared-{number}", "/", _trust({"AWS": f"arn:aws:iam::{chance.choice(SIBLINGS)}:root"})


def _stack_set(chance: random.Random, number: int) -> Made:
    admin = f"arn:aws:iam::{SIBLINGS[0]}:role/AWSCloudFormationStackSetAdministrationRole"
    return f"AWSCloudFormationStackSetExecutionRole{number}", "/", _trust({"AWS": admin})


def _organisation(chance: random.Random, number: int) -> Made:
    return f"org-{number}", "/", _trust({"AWS": "*"}, StringEquals={"aws:PrincipalOrgID": ORGANISATION})


_MIX = (
    (_service, 44),
    (_linked, 6),
    (_own, 11),
    (_chained, 4),
    (_pod, 9),
    (_staff, 5),
    (_repository, 7),
    (_vendor, 6),
    (_sibling, 3),
    (_stack_set, 2),
    (_organisation, 3),
)
"""Kinds of roles and their shares in percent."""


def _case(seed: Any, number: int) -> Made:
    partner = VENDORS[number % len(VENDORS)]
    names = {"OWNER": OWNER, "PARTNER": partner, "THIRD": VENDORS[0], "UNTIL": "2035-01-01T00:00:00Z"}
    names |= {"ORPHAN": f"AROA{number:017}", "NAME": f"{seed.name}-{number}"}
    return f"{seed.name}-{number}", seed.path, json.loads(_text(seed.trust, names))


def _role(chance: random.Random, name: str, path: str, trust: Any) -> dict[str, Any]:
    arn = f"arn:aws:iam::{OWNER}:role{path}{name}"
    inline = range(chance.choices((0, 1, 2), (60, 30, 10))[0])
    attached = {*chance.choices(range(_OWN_POLICIES), k=chance.randrange(3))}
    own = [f"arn:aws:iam::{OWNER}:policy/team-{number}" for number in sorted(attached)]
    aws = [_ARNS[chance.choice(_AWS[5:])]] if chance.random() < 0.5 else []
    powerful = [_ARNS[chance.choice(_AWS[:5])]] if chance.random() < 0.06 else []
    used = chance.random() < 0.6
    when = f"2026-{chance.randrange(1, 11):02}-{chance.randrange(1, 28):02}T12:00:00+00:00"
    return {
        "Path": path,
        "RoleName": name,
        "RoleId": f"AROA{chance.getrandbits(80):017X}"[:21],
        "Arn": arn,
        "CreateDate": f"202{chance.randrange(6)}-03-04T05:06:07+00:00",
        "AssumeRolePolicyDocument": trust,
        "InstanceProfileList": [],
        "RolePolicyList": [
            {"PolicyName": f"inline-{number}", "PolicyDocument": _policy(chance, f"{name}-{number}")}
            for number in inline
        ],
        "AttachedManagedPolicies": [
            {"PolicyName": item.rsplit("/", 1)[-1], "PolicyArn": item} for item in (*own, *aws, *powerful)
        ],
        "Tags": [{"Key": "team", "Value": f"team-{chance.randrange(30)}"}, {"Key": "stage", "Value": "prod"}],
        "RoleLastUsed": {"LastUsedDate": when, "Region": "eu-west-1"} if used else {},
    }


def _policy(chance: random.Random, name: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": sorted(chance.sample(_ACTIONS, chance.randrange(1, 6))),
                "Resource": [f"arn:aws:s3:::{name}-{part}/*" for part in range(chance.randrange(1, 3))],
            }
            for _ in range(chance.randrange(1, 4))
        ],
    }


_DATA = json.loads(aws_managed_policies_data)
_ARNS = {name: f"arn:aws:iam::aws:policy{_DATA[name]['Path']}{name}" for name in _AWS}


def _managed(chance: random.Random) -> list[dict[str, Any]]:
    documents = {_ARNS[name]: _DATA[name]["Document"] for name in _AWS}
    documents |= {
        f"arn:aws:iam::{OWNER}:policy/team-{number}": _policy(chance, f"team-{number}")
        for number in range(_OWN_POLICIES)
    }
    return [
        {
            "PolicyName": arn.rsplit("/", 1)[-1],
            "PolicyId": f"ANPA{number:017}",
            "Arn": arn,
            "Path": "/",
            "DefaultVersionId": "v1",
            "AttachmentCount": 1,
            "PermissionsBoundaryUsageCount": 0,
            "IsAttachable": True,
            "CreateDate": "2020-03-04T05:06:07+00:00",
            "UpdateDate": "2020-03-04T05:06:07+00:00",
            "PolicyVersionList": [
                {
                    "Document": document,
                    "VersionId": "v1",
                    "IsDefaultVersion": True,
                    "CreateDate": "2020-03-04T05:06:07+00:00",
                }
            ],
        }
        for number, (arn, document) in enumerate(documents.items())
    ]


def dumps() -> Iterator[tuple[int, Path]]:
    """Yield dumps of SIZES roles, as temporary files."""
    with tempfile.TemporaryDirectory(prefix="valetkey-bench-") as folder:
        for size in SIZES:
            path = Path(folder) / f"{size}.json"
            with path.open("w") as out:
                write(out, size)
            yield size, path


# VmHWM is this program's own peak; ru_maxrss may still contain that of the process that started it.
_READ = """
import re, sys, time
from pathlib import Path
from valetkey.account import read_files
began = time.process_time()
account = read_files([sys.argv[1]], read=lambda name: Path(name).read_bytes())
took = time.process_time() - began
trusts = len({role.trust for role in account.roles})
peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())
print(len(account.roles), trusts, took, int(peak[1]) // 1024 if peak else 0)
"""


def run() -> None:
    """Print how fast a dump is read, and how much memory that takes, in a separate process."""
    for size, path in dumps():
        ran = subprocess.run(
            [sys.executable, "-c", _READ, path], capture_output=True, text=True, check=True, timeout=300
        )
        roles, trusts, took, memory = ran.stdout.split()
        assert int(roles) == size, f"{roles} roles were read, not {size}"
        megabytes = path.stat().st_size / 2**20
        print(
            f"reading {size:>6,} roles ({trusts} trust policies, {megabytes:.0f} MB): {float(took):.2f} s, "
            f"{size / float(took):,.0f} roles/s, {memory} MB of memory at most"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write a generated GetAccountAuthorizationDetails dump.")
    parser.add_argument("roles", type=int)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    words = parser.parse_args()
    with words.file.open("w") as file:
        write(file, words.roles, seed=words.seed)
