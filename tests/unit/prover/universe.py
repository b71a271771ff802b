"""Small worlds of requests, written out: what a proof says of all requests must be true of each of these."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tests.unit.prover.proving import AGE, ID, IP, MFA, OWNER, ROLE, STRANGER, TAG, THEM

from valetkey.policy import Request, decide

GITHUB = f"arn:aws:iam::{OWNER}:oidc-provider/token.actions.githubusercontent.com"
SAML = f"arn:aws:iam::{OWNER}:saml-provider/corp"
BOB, EVE = f"arn:aws:iam::{THEM}:user/team/bob", f"arn:aws:iam::{THEM}:user/eve"
WORKER = f"arn:aws:iam::{THEM}:role/team/worker"
SESSIONS = tuple(f"arn:aws:sts::{THEM}:assumed-role/{name}" for name in ("worker/alice", "worker/carl", "other/alice"))
CALLERS = (
    BOB,
    EVE,
    f"arn:aws:iam::{THEM}:user/bob",
    *SESSIONS,
    f"arn:aws:iam::{OWNER}:user/team/bob",
    f"arn:aws:iam::{OWNER}:user/bob",
    f"arn:aws:sts::{OWNER}:assumed-role/worker/alice",
    f"arn:aws:iam::{STRANGER}:user/mallory",
    f"arn:aws:sts::{STRANGER}:assumed-role/worker/alice",
    "ec2.amazonaws.com",
    "lambda.amazonaws.com",
    GITHUB,
    SAML,
    "accounts.google.com",
)
TIMES = ("2025-06-01T00:00:00Z", "2026-06-01T00:00:00Z", "2027-06-01T00:00:00Z")
MFAS: tuple[dict[str, str], ...] = ({}, {MFA: "false"}, {MFA: "true", AGE: "10"}, {MFA: "true", AGE: "5000"})


def _calls(caller: str) -> str:
    """The action by which this caller assumes a role."""
    if "saml-provider" in caller:
        return "sts:AssumeRoleWithSAML"
    return "sts:AssumeRoleWithWebIdentity" if caller in (GITHUB, "accounts.google.com") else "sts:AssumeRole"


def entering(keys: Iterable[str] = ()) -> Iterator[Request]:
    """Requests that can be made of a role's door, with every combination of these keys' values."""
    values: Mapping[str, Sequence[Any]] = {
        ID: (None, "example-1", "Example-1", "example-2", "example-a", "example-33", "x4", "other-5"),
        TAG: (None, "", "red", "Red", "reD", "r", "R", "blue"),
        IP: (None, "10.0.0.1", "192.0.2.1", "2001:db8::1"),
        "aws:TagKeys": (None, ["team"], ["cost"], ["team", "cost"], ["team", "more"], ["more"], [""]),
        "aws:CurrentTime": TIMES,
        MFA: MFAS,
    }
    names = list(keys)
    for caller in CALLERS:
        sessions: list[dict[str, str]] = [{}]
        if caller.startswith(f"arn:aws:sts::{THEM}:assumed-role/worker"):
            sessions.append({"aws:PrincipalArn": WORKER})
        signed = caller.startswith("arn:aws:") and "-provider/" not in caller
        beside = ("sts:TagSession", "sts:SetSourceIdentity") if not names else ()
        for action, own in itertools.product((_calls(caller), *beside), sessions):
            for item in itertools.product(*(values[name] for name in names)):
                context: dict[str, Any] = dict(own)
                for name, value in zip(names, item, strict=True):
                    if name == MFA:
                        context |= value
                    elif value is not None:
                        context[name] = value
                if MFA in context and not signed:
                    continue
                if ID in context and _calls(caller) != "sts:AssumeRole":
                    continue
                yield Request(caller, action, ROLE, context=context)


def answers(requests: Sequence[Request], side: Mapping[str, Any]) -> list[bool]:
    """What the evaluator says of each."""
    return [decide(request, **side).allowed for request in requests]
