"""Prove that a policy allows nothing that a reference does not, or show a request that it does.

The boxes answer (`proof`). Where the policy names callers of whom no request can speak, what it says of the others is
asked besides.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from valetkey.policy.legible import legible
from valetkey.prover.boxes import Limits
from valetkey.prover.effective_boxes import Side, sides
from valetkey.prover.proof import Counterexample, Proof, Question, Unknown, by_boxes


def prove(
    policy: Side,
    *,
    within: Side,
    resource: str | None = None,
    owner: str | None = None,
    caller: str | None = None,
    now: datetime | None = None,
    limits: Limits = Limits(),  # noqa: B008
) -> Proof | Counterexample | Unknown:
    """Does `policy` allow nothing that `within` does not?

    `resource` is the ARN acted on (of a trust policy: its role); None: any. `owner` is the account of the resource;
    default: the one in `resource`, else the caller's. `caller` is the ARN of the role (any session of it) or user who
    calls; None: anybody (for identity policies: a user or session of the owner's account). `now` (aware): only requests
    from then on. Raises PolicyError for sides that are none, InternalError.
    """
    question = Question(sides(policy), sides(within), resource, owner, caller, now, limits)
    found = by_boxes(question)
    return (_by_what_is_legible(question) or found) if isinstance(found, Unknown) else found


def _by_what_is_legible(question: Question) -> Counterexample | None:
    """A request that is admitted whomever the entries of the policy mean of which no request can speak."""
    legible_, unjudged = legible(question.left)
    if not unjudged or any(each.effect == "Deny" for each in unjudged):
        return None
    found = by_boxes(replace(question, left=legible_))
    return found if isinstance(found, Counterexample) else None
