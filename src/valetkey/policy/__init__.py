"""The IAM policy language: read a policy, decide a request. Pure.

from valetkey.policy import Request, decide, parse_policy

trust = parse_policy(text, kind="trust")
answer = decide(Request(principal=..., action="sts:AssumeRole", resource=role_arn, context={...}), trust=trust)
answer.outcome, answer.allowed, answer.reason

prove(trust, within=reference, resource=role_arn)  # Proof, Counterexample or Unknown
who(trust, origin=Origin.SENT, resource=role_arn).regions  # every request that is allowed
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from valetkey._lazy import lazy

if TYPE_CHECKING:
    from valetkey.policy.decision import Decision
    from valetkey.policy.documents import parse_policy
    from valetkey.policy.evaluation import decide
    from valetkey.policy.origin import Origin
    from valetkey.policy.requests import Request
    from valetkey.policy.statements import Policy, Statement

__all__ = [
    "Decision",
    "Origin",
    "Policy",
    "Request",
    "Statement",
    "decide",
    "parse_policy",
]

# Imported on first use (PEP 562).
_HOMES = {
    "Decision": "decision",
    "Origin": "origin",
    "Policy": "statements",
    "Request": "requests",
    "Statement": "statements",
    "decide": "evaluation",
    "parse_policy": "documents",
}

__getattr__ = lazy(__name__, _HOMES)
