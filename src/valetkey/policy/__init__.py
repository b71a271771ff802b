"""The IAM policy language: read a policy, decide a request. Pure; imports nothing else of valetkey.

from valetkey.policy import Request, decide, parse_policy

trust = parse_policy(text, kind="trust")
answer = decide(Request(principal=..., action="sts:AssumeRole", resource=role_arn, context={...}), trust=trust)
answer.outcome, answer.allowed, answer.reason

prove(trust, within=reference, resource=role_arn)  # Proof, Counterexample or Unknown
who(trust, origin=Origin.SENT, resource=role_arn).regions  # everything that is let in
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from valetkey.policy.lazy import lazy
from valetkey.policy.problem import Problem

if TYPE_CHECKING:
    from valetkey.policy.boxes import Limits
    from valetkey.policy.decision import Decision
    from valetkey.policy.documents import parse_policy
    from valetkey.policy.errors import PolicyError
    from valetkey.policy.evaluation import decide
    from valetkey.policy.openings import Opening, opening
    from valetkey.policy.origin import Origin
    from valetkey.policy.people import Party
    from valetkey.policy.proof import Counterexample, Proof, Unknown, prove
    from valetkey.policy.regions import Reach, Region, Values, who
    from valetkey.policy.requests import Request
    from valetkey.policy.statements import Policy, Statement

__all__ = [
    "Counterexample",
    "Decision",
    "Limits",
    "Opening",
    "Origin",
    "Party",
    "Policy",
    "PolicyError",
    "Problem",
    "Proof",
    "Reach",
    "Region",
    "Request",
    "Statement",
    "Unknown",
    "Values",
    "decide",
    "opening",
    "parse_policy",
    "prove",
    "who",
]

# Every room imports Problem from here at start-up; the engine is loaded when used (PEP 562).
_HOMES = {
    "Counterexample": "proof",
    "Decision": "decision",
    "Limits": "boxes",
    "Opening": "openings",
    "Origin": "origin",
    "Party": "people",
    "Policy": "statements",
    "PolicyError": "errors",
    "Proof": "proof",
    "Reach": "regions",
    "Region": "regions",
    "Request": "requests",
    "Statement": "statements",
    "Unknown": "proof",
    "Values": "regions",
    "decide": "evaluation",
    "opening": "openings",
    "parse_policy": "documents",
    "prove": "proof",
    "who": "regions",
}

__getattr__ = lazy(__name__, _HOMES)
