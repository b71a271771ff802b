"""Prove that a policy allows nothing that a reference does not, or show a request that it does.

The boxes answer (`proof`); what they leave open, cvc5 is asked where it is installed (`smt`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from valetkey.policy.legible import legible
from valetkey.prover.boxes import Limits
from valetkey.prover.effective_boxes import Side, sides, statements
from valetkey.prover.proof import Counterexample, Proof, Unknown, by_boxes

_FOR_SOLVERS = 2_000
"""Names of actions: a solver is given no more, because writing them down alone would take it minutes."""


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
    begun = time.monotonic()
    left, right = sides(policy), sides(within)
    found = by_boxes(left, right, resource, owner, caller, now, limits)
    if isinstance(found, Unknown) and found.final:
        return _by_what_is_legible(left, right, resource, owner, caller, now, limits) or found
    if not isinstance(found, Unknown):
        return found
    if sum(len(each.actions) for side in (left, right) for each in statements(side)) > _FOR_SOLVERS:
        return found
    from valetkey.prover.smt.proving import second_opinion

    seconds = limits.seconds - (time.monotonic() - begun)
    given: dict[str, Any] = {"resource": resource, "owner": owner, "caller": caller, "now": now}
    return second_opinion(left, right, seconds=max(seconds, 1.0), why=found.reason, **given)


def _by_what_is_legible(left: Mapping[str, Any], right: Mapping[str, Any], *question: Any) -> Counterexample | None:
    """A request that gets in whomever the entries of `left` mean of which no request can speak."""
    rest_, unjudged = legible(left)
    if not unjudged or any(each.effect == "Deny" for each in unjudged):
        return None
    found = by_boxes(rest_, right, *question)
    return found if isinstance(found, Counterexample) else None
