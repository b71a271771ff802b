"""A request, and policies that probably allow it."""

from __future__ import annotations

import copy
import random
from typing import Any

from .cases import Case, Document, Statement
from .conditions import add_test, falsify, recase
from .pools import ACCOUNTS, ARNS, KEYS, NAMES, OWNER, PARTITIONS, PATHS
from .principals import kind_of, principal_arn, principal_for, random_caller, resource_for, spared

FULL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def allowed(rng: random.Random) -> Case:
    request = _request(rng)
    made: Case = {"request": request}
    kind = kind_of(request["principal"])
    person = kind not in ("service", "web", "saml")
    sts = request["action"].startswith("sts:")
    if sts or request["action"].startswith("kms:") or (request["resource"] != "*" and rng.random() < 0.6):
        made["trust" if sts else "resource"] = random_document(rng, request, principal=True, resource=not sts)
    roll = rng.random()
    if request["action"] == "sts:AssumeRole" and person and roll < 0.02:
        del made["trust"]
    elif not sts:
        roll *= 0.78  # without a trust policy, the caller's side must be evaluated
    if person:
        if roll < 0.62:
            made["identity"] = [random_document(rng, request) for _ in range(rng.choice((1, 1, 1, 2)))]
        elif roll < 0.78:
            made["identity"] = []
    elif roll < 0.1:
        made["identity"] = []
    if person and kind != "root" and rng.random() < 0.2:
        made["boundary"] = random_document(rng, request)
        if rng.random() < 0.2:
            falsify(rng, request, made["boundary"]["Statement"][0])
    if kind in ("session", "federated") and rng.random() < 0.3:
        made["session"] = random_document(rng, request)
        if rng.random() < 0.3:
            falsify(rng, request, made["session"]["Statement"][0])
    if person and rng.random() < 0.14:
        made["scps"] = [
            [random_document(rng, request), *([copy.deepcopy(FULL)] if rng.random() < 0.5 else [])]
            for _ in range(rng.choice((1, 1, 2)))
        ]
    if rng.random() < 0.1:
        made["rcps"] = [[deny_only(rng, request)] for _ in range(rng.choice((1, 1, 2)))]
    return made


def _request(rng: random.Random) -> dict[str, Any]:
    partition, account = rng.choice(PARTITIONS), rng.choice(ACCOUNTS)
    home = partition if rng.random() < 0.9 else rng.choice(PARTITIONS)
    principal = random_caller(rng, partition, account)
    kind = kind_of(principal)
    action = {"web": "sts:AssumeRoleWithWebIdentity", "saml": "sts:AssumeRoleWithSAML"}.get(kind, "sts:AssumeRole")
    resource = f"arn:{home}:iam::{OWNER}:role/{rng.choice(PATHS)}{rng.choice(NAMES)}"
    if action == "sts:AssumeRole":
        roll = rng.random()
        if roll < 0.08:
            action = rng.choice(("sts:TagSession", "sts:SetSourceIdentity"))
        elif roll < 0.24 and kind != "service":
            action, resource = rng.choice(
                (
                    ("s3:GetObject", f"arn:{home}:s3:::{rng.choice(('bucket', 'dev', 'a.c'))}/{rng.choice(PATHS)}key"),
                    ("secretsmanager:GetSecretValue", f"arn:{home}:secretsmanager:eu-west-1:{OWNER}:secret:dev-AbCdEf"),
                    ("kms:Decrypt", f"arn:{home}:kms:eu-west-1:{OWNER}:key/{rng.choice(NAMES)}"),
                    ("ec2:DescribeInstances", "*"),
                )
            )
    values: dict[str, str | list[str]] = {}
    for key, _, pool, many in rng.sample(KEYS, rng.randrange(3, 14)):
        values[key] = rng.sample(pool, rng.randrange(1, 4 if len(pool) > 3 else 3)) if many else rng.choice(pool)
    if kind not in ("service", "web", "saml") and rng.random() < 0.7:
        values["aws:PrincipalArn"] = principal_arn(principal)
        values["aws:PrincipalAccount"] = account
    if kind == "user" and rng.random() < 0.7:
        values["aws:username"] = principal.rsplit("/", 1)[1]
    return {
        "principal": principal,
        "action": action,
        "resource": resource,
        "resource_account": account if resource == "*" else OWNER,
        "context": {recase(rng, key, 0.1): value for key, value in values.items()},
    }


def random_document(
    rng: random.Random, request: dict[str, Any], *, principal: bool = False, resource: bool | None = None
) -> Document:
    with_resource = resource if resource is not None else not principal
    made = [_statement(rng, request, principal=principal, resource=with_resource)]
    while len(made) < 3 and rng.random() < 0.3:
        extra = _statement(rng, request, principal=principal, resource=with_resource)
        if rng.random() < 0.55:
            extra["Effect"] = "Deny"
            # Most denies should not match: exclude the caller, or make one more part fail.
            if resource and principal and rng.random() < 0.5:
                extra["NotPrincipal"] = spared(rng, request)
                del extra["Principal"]
            elif rng.random() < 0.75:
                falsify(rng, request, extra)
        elif rng.random() < 0.7:
            falsify(rng, request, extra)
        made.insert(rng.randrange(len(made) + 1), extra)
    document: Document = {"Version": "2012-10-17", "Statement": made}
    roll = rng.random()
    if roll < 0.03:
        document["Version"] = "2008-10-17"
    elif roll < 0.05:
        del document["Version"]
    return document


def deny_only(rng: random.Random, request: dict[str, Any]) -> Document:
    statement = _statement(rng, request, principal=False, resource=True)
    statement["Effect"] = "Deny"
    statement.pop("NotAction", None)
    statement.setdefault("Action", ["sts:*", "s3:*"])
    if rng.random() < 0.7:
        falsify(rng, request, statement)
    return {"Version": "2012-10-17", "Statement": [statement]}


def _statement(rng: random.Random, request: dict[str, Any], *, principal: bool, resource: bool) -> Statement:
    made: Statement = {"Effect": "Allow"}
    if principal:
        made["Principal"] = principal_for(rng, request)
    service, verb = request["action"].split(":")
    # A trust policy may contain only actions of sts.
    others = ("sts:TagSession", "sts:AssumeRoleWithSAML", f"{service}:Get*Identity", f"{service}:{verb}X")
    if resource or not principal:
        others += ("ec2:Describe*", "s3:GetObject", "iam:PassRole", "ec2:*")
    if rng.random() < 0.06:
        made["NotAction"] = [rng.choice(others)]
    else:
        named = rng.choice(("*", f"{service}:*", f"{service}:{verb[:4]}*", f"{service}:{verb[:-1]}?"))
        made["Action"] = [rng.choice((request["action"], named, recase(rng, request["action"], 0.5)))]
        if rng.random() < 0.2:
            made["Action"].append(rng.choice(others))
    if resource:
        made["Resource"] = [resource_for(rng, request)]
        if rng.random() < 0.15:
            made["Resource"].append(resource_for(rng, request))
        if rng.random() < 0.05:
            made["NotResource"] = [rng.choice((*ARNS[:4], "arn:aws:iam::*:role/x*"))]
            del made["Resource"]
    for _ in range(rng.choice((0, 0, 1, 1, 1, 2, 2))):
        add_test(rng, request, made)
    return made
