"""Callers, and principals and resources in policies that name them, or almost."""

from __future__ import annotations

import random
from typing import Any

from .conditions import pattern
from .pools import ACCOUNTS, KEYS, NAMES, OWNER, PARTITIONS, PATHS, PROVIDERS, SERVICES


def random_caller(rng: random.Random, partition: str, account: str) -> str:
    roll, name = rng.random(), rng.choice(NAMES)
    iam, sts = f"arn:{partition}:iam::{account}:", f"arn:{partition}:sts::{account}:"
    if roll < 0.40:
        return f"{iam}user/{rng.choice(PATHS)}{name}"
    if roll < 0.73:
        return f"{sts}assumed-role/{name}/{rng.choice(NAMES)}"
    if roll < 0.80:
        return f"{sts}federated-user/{name}"
    if roll < 0.82:
        return f"{iam}root"
    if roll < 0.88:
        return rng.choice(SERVICES)
    if roll < 0.94:
        if rng.random() < 0.5:
            return rng.choice(PROVIDERS)
        return f"arn:{partition}:iam::{OWNER}:oidc-provider/{rng.choice(PROVIDERS)}"
    return f"arn:{partition}:iam::{OWNER}:saml-provider/{name}"


def kind_of(principal: str) -> str:
    for mark, kind in (
        (":user/", "user"),
        (":assumed-role/", "session"),
        (":federated-user/", "federated"),
        (":root", "root"),
        (":oidc-provider/", "web"),
        (":saml-provider/", "saml"),
        (".amazonaws.", "service"),
    ):
        if mark in principal:
            return kind
    return "web"


def principal_arn(principal: str) -> str:
    if ":assumed-role/" not in principal:
        return principal
    _, partition, _, _, account, rest = principal.split(":", 5)
    return f"arn:{partition}:iam::{account}:role/{rest.split('/')[1]}"


def principal_for(rng: random.Random, request: dict[str, Any]) -> dict[str, list[str]]:
    caller, kind = request["principal"], kind_of(request["principal"])
    if kind == "service":
        made: dict[str, list[str]] = {"Service": [caller]}
    elif kind in ("web", "saml"):
        made = {"Federated": [caller]}
    else:
        _, partition, _, _, account, rest = caller.split(":", 5)
        root = f"arn:{partition}:iam::{account}:root"
        forms = ["*", root, root, root, account, account]
        if kind == "session":
            role = rest.split("/")[1]
            forms += [f"arn:{partition}:iam::{account}:role/{rng.choice(PATHS)}{role}"] * 3 + [caller]
        elif kind == "federated":
            forms += [caller, f"arn:{partition}:iam::{account}:user/{rest.split('/')[1]}"]
        else:
            forms += [caller] * 3
        made = {"AWS": [rng.choice(forms)]}
    if rng.random() < 0.25:
        extra = other_principal(rng)
        for kind_, ids in extra.items():
            made[kind_] = made.get(kind_, []) + ids
    return made


def spared(rng: random.Random, request: dict[str, Any]) -> dict[str, list[str]]:
    """A NotPrincipal that lists the caller, its role and its account, or only some of them."""
    made = principal_for(rng, request)
    caller = request["principal"]
    if kind_of(caller) in ("user", "session", "federated", "root"):
        _, partition, _, _, account, _ = caller.split(":", 5)
        names = [caller, principal_arn(caller), f"arn:{partition}:iam::{account}:root"]
        made["AWS"] = list(dict.fromkeys(name for name in names if rng.random() < 0.85)) or [caller]
    return made


def other_principal(rng: random.Random) -> dict[str, list[str]]:
    roll = rng.random()
    if roll < 0.1:
        return {"Service": [rng.choice(SERVICES)]}
    if roll < 0.18:
        return {"Federated": [rng.choice(PROVIDERS)]}
    if roll < 0.22:
        return {"AWS": [rng.choice(("AROAEXAMPLEEXAMPLE123", "AIDAEXAMPLEEXAMPLE123"))]}
    partition, account = rng.choice(PARTITIONS), rng.choice(ACCOUNTS)
    if roll < 0.4:
        return {"AWS": [rng.choice((account, f"arn:{partition}:iam::{account}:root"))]}
    if roll < 0.43:
        return {"AWS": ["*"]}
    while True:
        caller = random_caller(rng, partition, account)
        if kind_of(caller) in ("user", "session", "federated"):
            break
    if ":assumed-role/" in caller and rng.random() < 0.7:
        caller = principal_arn(caller)
    return {"AWS": [caller]}


def resource_for(rng: random.Random, request: dict[str, Any]) -> str:
    arn = request["resource"]
    roll = rng.random()
    if roll < 0.35:
        return "*"
    if arn == "*":
        return rng.choice(("*", "arn:aws:ec2:*:*:instance/*", f"arn:aws:iam::{OWNER}:role/dev"))
    if roll < 0.65:
        return arn
    head, tail = arn.rsplit("/", 1) if "/" in arn else arn.rsplit(":", 1)
    mark = arn[len(head)]
    if roll < 0.66:
        return f"{head}{mark}${{{rng.choice(KEYS).name}}}*"
    name = next((k for k, v in request["context"].items() if v == tail), None)
    if name and rng.random() < 0.6:
        return f"{head}{mark}${{{name}}}"
    if roll < 0.8:
        return f"{head}{mark}{pattern(rng, tail)}"
    parts = arn.split(":", 5)
    if roll < 0.9:
        parts[rng.choice((1, 3, 4))] = "*"
        return ":".join(parts)
    kind = parts[5].split("/")[0]
    return ":".join(parts[:5]) + (f":{kind}/*" if "/" in parts[5] else ":*")
