"""Prove that a policy allows only what a reference allows, or find a counterexample.

The box prover decides (`proof`). If its result is Unknown and the policy has entries that no request can match, it
searches again without them for a counterexample.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from valetkey.policy.legible import legible
from valetkey.prover.boxes import Limits
from valetkey.prover.effective_boxes import SidePolicies, sides
from valetkey.prover.proof import Counterexample, Proof, Question, Unknown, by_boxes


def prove(
    policy: SidePolicies,
    *,
    within: SidePolicies,
    resource: str | None = None,
    owner: str | None = None,
    caller: str | None = None,
    now: datetime | None = None,
    limits: Limits = Limits(),  # noqa: B008
) -> Proof | Counterexample | Unknown:
    """Prove that `policy` allows only requests that `within` allows.

    `resource` is the resource's ARN (of a trust policy: its role's); None: any. `owner` is the account of the resource;
    default: the one in `resource`, otherwise the caller's. `caller` is the ARN of the calling role (any session of it)
    or user; None: any caller (for identity policies: a user or session of the owner's account). `now` (aware): only
    requests from then on. Raises PolicyError for invalid arguments, InternalError.
    """
    question = Question(sides(policy), sides(within), resource, owner, caller, now, limits)
    result = by_boxes(question)
    return (_by_what_is_legible(question) or result) if isinstance(result, Unknown) else result


def _by_what_is_legible(question: Question) -> Counterexample | None:
    """A counterexample without the policy's entries that no request can match. It holds whatever these mean. None when
    a Deny has such an entry."""
    legible_, unjudged = legible(question.left)
    if not unjudged or any(item.effect == "Deny" for item in unjudged):
        return None
    result = by_boxes(replace(question, left=legible_))
    return result if isinstance(result, Counterexample) else None
