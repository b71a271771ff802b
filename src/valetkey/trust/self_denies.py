"""What a grant's role may never do: its own denies. What its policies open is `prover.effective_permissions`.

Rules:
- Every grant carries `own_role_deny`; a grant with an end carries `dated_deny`, so that no live session outlasts the
  trust; a revocation begins with `kill_deny`, so that live sessions are refused as
  soon as IAM has applied it (seconds as a rule, up to a few minutes: IAM User Guide, troubleshoot_general).
- A deny reaches calls that are made with the role's own credentials. What such a call handed out before may live on:
  `policy.outlives`.
- An explicit Deny wins over every Allow (IAM User Guide, reference_policies_evaluation-logic).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

_READS_OF_ROLES = (
    "iam:Get*",
    "iam:List*",
    "iam:GenerateServiceLastAccessedDetails",
    "iam:SimulatePrincipalPolicy",
)


def own_role_deny(role_arn: str) -> dict[str, Any]:
    """A policy that denies the role everything on itself but reading: its trust, policies, boundary, tags, passing it
    on, deleting it. Written as NotAction, so that a write that AWS adds tomorrow is denied too.

    It closes this door only: a managed policy attached to the role, another role or a user are other resources
    (`Opening.escalations` names what is left).
    """
    # `*`, `?` and `$` may occur in a path and would be read as wildcards and variables (reference_policies_variables).
    literal = re.sub(r"[*?$]", lambda sign: f"${{{sign.group()}}}", role_arn)
    return _deny("DenyChangingThisRole", {"NotAction": list(_READS_OF_ROLES), "Resource": literal})


def dated_deny(until: datetime) -> dict[str, Any]:
    """A policy that denies everything from `until` (aware) on; whole seconds, the fraction is cut off (earlier)."""
    if until.tzinfo is None:
        raise ValueError("until needs a zone")
    instant = until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {"DateGreaterThanEquals": {"aws:CurrentTime": instant}}
    return _deny("DenyAfterTheEnd", {"Action": "*", "Resource": "*", "Condition": condition})


def kill_deny() -> dict[str, Any]:
    """A policy that denies everything, iam:* on its own role too, to new sessions and to those that are open."""
    return _deny("DenyEverything", {"Action": "*", "Resource": "*"})


def held_deny() -> dict[str, Any]:
    """`kill_deny` on a role that nobody has agreed to delete yet, since its record does not fit it: the same deny under
    another Sid of the same length, so that the next run knows."""
    return _deny("DenyAllAndKeep", {"Action": "*", "Resource": "*"})


def _deny(sid: str, rest: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Sid": sid, "Effect": "Deny", **rest}]}
