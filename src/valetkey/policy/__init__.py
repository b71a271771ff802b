"""The IAM policy language: read a policy, decide a request. Pure; imports nothing else of valetkey.

from valetkey.policy import Request, decide, parse_policy

trust = parse_policy(text, kind="trust")
answer = decide(Request(principal=..., action="sts:AssumeRole", resource=role_arn, context={...}), trust=trust)
answer.outcome, answer.allowed, answer.reason
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from valetkey.policy.lazy import lazy
from valetkey.policy.problem import Problem

if TYPE_CHECKING:
    from valetkey.policy.decision import Decision
    from valetkey.policy.documents import parse_policy
    from valetkey.policy.errors import PolicyError
    from valetkey.policy.evaluation import decide
    from valetkey.policy.requests import Request
    from valetkey.policy.statements import Policy, Statement

__all__ = ["Decision", "Policy", "PolicyError", "Problem", "Request", "Statement", "decide", "parse_policy"]

# Every room imports Problem from here at start-up; the engine is loaded when used (PEP 562).
_HOMES = {
    "Decision": "decision",
    "Policy": "statements",
    "PolicyError": "errors",
    "Request": "requests",
    "Statement": "statements",
    "decide": "evaluation",
    "parse_policy": "documents",
}

__getattr__ = lazy(__name__, _HOMES)
