"""The IAM policy language: read a policy, decide a request. Pure; imports nothing else of valetkey.

from valetkey.policy import Request, decide, parse_policy

trust = parse_policy(text, kind="trust")
answer = decide(Request(principal=..., action="sts:AssumeRole", resource=role_arn, context={...}), trust=trust)
answer.outcome, answer.allowed, answer.reason
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
