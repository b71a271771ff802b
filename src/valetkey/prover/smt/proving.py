"""What `prove` could not decide, asked of cvc5 where that is installed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from importlib.util import find_spec
from typing import Any

from valetkey.policy.documents import parse_policy
from valetkey.policy.evaluation import decide
from valetkey.policy.principals import is_unique_id
from valetkey.policy.role_actions import ALONGSIDE
from valetkey.policy.statements import Policy
from valetkey.prover.effective_boxes import statements
from valetkey.prover.proof import ASSUMED, ASSUMED_OF_PERMISSIONS, Counterexample, InternalError, Proof, Unknown
from valetkey.prover.smt import NotReplayed, solve

_NOTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}


def _no_witness(ids: list[str]) -> list[Policy]:
    """Denies what shows nothing: actions that enter no role, and callers with these unique ids (`proof.Proof`)."""
    extras: dict[str, Any] = {"Effect": "Deny", "Principal": "*", "Action": list(ALONGSIDE), "Resource": "*"}
    named = [text for entry in ids for text in (entry, f"{entry}:*")]
    by_id = {**extras, "Action": "*", "Condition": {"StringLike": {"aws:userid": named}}}
    made = [extras, by_id] if ids else [extras]
    return [parse_policy({"Version": "2012-10-17", "Statement": made}, kind="rcp")]


def _unique_ids(side: Mapping[str, Any]) -> list[str]:
    """The unique ids that its Principal elements name."""
    elements = [each.principals for each in statements(side) if each.principals is not None]
    return sorted({entry for element in elements for entry in element.aws if is_unique_id(entry)})


def second_opinion(
    left: Mapping[str, Any],
    right: Mapping[str, Any],
    *,
    resource: str | None,
    owner: str | None,
    caller: str | None,
    now: datetime | None,
    seconds: float,
    why: str,
) -> Proof | Counterexample | Unknown:
    """cvc5's answer in `prove`'s words; `why` is what kept `prove` from one. Raises InternalError."""
    if find_spec("cvc5") is None:
        return Unknown(f"{why} (with the extra smt, cvc5 would be asked)")
    try:
        return _solved(left, right, resource, owner, caller, now, seconds, why)
    except NotReplayed as defect:
        raise InternalError(str(defect)) from defect


def _solved(
    left: Mapping[str, Any],
    right: Mapping[str, Any],
    resource: str | None,
    owner: str | None,
    caller: str | None,
    now: datetime | None,
    seconds: float,
    why: str,
) -> Proof | Counterexample | Unknown:
    begun = time.monotonic()
    asked: dict[str, Any] = {"resource": resource, "owner": owner, "caller": caller, "now": now}
    found = solve(left, right, seconds=seconds, **asked)
    if found.verdict == "unknown":
        return Unknown(f"{why}; cvc5: {found.reason}")
    if found.request is not None:
        decision, reference = decide(found.request, **left), decide(found.request, **right)
        opened = next((part.statement - 1 for part in decision.parts), 0)
        return Counterexample(found.request, decision, reference, opened)
    # Is it within nothing at all, or does anybody get in?
    nothing = {"identity": parse_policy(_NOTHING, kind="identity")}
    ids = _unique_ids(left)
    for without in (ids, []) if ids else ([],):
        narrowed = {**left, "rcps": [*left.get("rcps", ()), _no_witness(without)]}
        left_over = max(seconds - (time.monotonic() - begun), 1.0)
        some = solve(narrowed, nothing, seconds=left_over, **asked)
        if some.verdict == "unknown":
            return Unknown(f"{why}; cvc5, whether anybody gets in: {some.reason}")
        if some.request is not None:
            break
    assumed = ASSUMED if "trust" in left or "trust" in right else ASSUMED_OF_PERMISSIONS
    return Proof(some.request, found.checks + some.checks, time.monotonic() - begun, assumed)
