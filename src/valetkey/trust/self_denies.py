"""The deny policies that valetkey puts on a grant's role. What the role may do: `prover.effective_permissions`.

Rules:
- Every grant has `own_role_deny`. A grant with an end has `dated_deny`, so that no active session outlasts the trust. A
  revocation begins with `kill_deny`, so that active sessions are denied as soon as IAM has applied it (usually seconds,
  up to a few minutes: IAM User Guide, troubleshoot_general).
- A suspended grant has a `SessionsDeny`. After `resume`, or after a change that excludes callers, it denies the
  sessions issued earlier.
- A deny applies to calls with the role's own credentials. Credentials and sessions that such a call created earlier may
  remain valid: `catalog.outliving_credentials`.
- An explicit deny overrides every Allow (IAM User Guide, reference_policies_evaluation-logic).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from valetkey.times import moment, read_moment

_READS_OF_ROLES = (
    "iam:Get*",
    "iam:List*",
    "iam:GenerateServiceLastAccessedDetails",
    "iam:SimulatePrincipalPolicy",
)


def own_role_deny(role_arn: str) -> dict[str, Any]:
    """A policy that denies the role every action on itself except reading: changing its trust policy, policies,
    boundary and tags, passing and deleting it. It uses NotAction, so that write actions that AWS adds are denied too.

    It protects only this role: a managed policy attached to the role, another role or a user are other resources
    (`Opening.escalations` lists what remains possible).
    """
    # `*`, `?` and `$` are valid in a path and would act as wildcards and variables (reference_policies_variables).
    literal = re.sub(r"[*?$]", lambda sign: f"${{{sign.group()}}}", role_arn)
    return _deny("DenyChangingThisRole", {"NotAction": list(_READS_OF_ROLES), "Resource": literal})


def dated_deny(until: datetime) -> dict[str, Any]:
    """A policy that denies everything from `until` (aware) on, truncated to whole seconds (earlier). Raises ValueError
    for a time without a zone."""
    if until.tzinfo is None:
        raise ValueError("until needs a zone")
    condition = {"DateGreaterThanEquals": {"aws:CurrentTime": moment(until)}}
    return _deny("DenyAfterTheEnd", {"Action": "*", "Resource": "*", "Condition": condition})


def read_dated_deny(document: Mapping[str, Any] | None) -> datetime | None:
    """The end in a `dated_deny`; None for any other document."""
    try:
        (statement,) = (document or {})["Statement"]
        end = read_moment(statement["Condition"]["DateGreaterThanEquals"]["aws:CurrentTime"])
    except (KeyError, TypeError, ValueError):
        return None
    return end if dated_deny(end) == document else None


def kill_deny() -> dict[str, Any]:
    """A policy that denies everything to new and active sessions, including iam:* on the role itself."""
    return _deny("DenyEverything", {"Action": "*", "Resource": "*"})


def held_deny() -> dict[str, Any]:
    """`kill_deny` for a role that does not match its record, before the user confirms its deletion. Another Sid of the
    same length tells the next run about it."""
    return _deny("DenyAllAndKeep", {"Action": "*", "Resource": "*"})


@dataclass(frozen=True)
class SessionsDeny:
    """What the policy `valetkey-sessions` on a role denies: everything (`since`), or sessions issued before a time."""

    since: datetime | None = None
    """When the grant was suspended; None: it is not suspended."""
    until: datetime | None = None
    """When the suspension ends automatically; None: at `resume`."""
    before: datetime | None = None
    """For a grant that is not suspended: sessions issued before this time are denied."""

    @classmethod
    def of_before(cls, now: datetime) -> SessionsDeny:
        """Deny every session that was issued before `now` (AWS's time), plus a margin."""
        return cls(before=(now + _MARGIN).replace(microsecond=0))

    def suspends(self, now: datetime) -> bool:
        """Whether every session is denied at this time."""
        return self.since is not None and (self.until is None or now < self.until)

    @property
    def document(self) -> dict[str, Any]:
        """The policy document. Its Sid has the time of the suspension, from which `resume` computes the duration.

        AWS revokes sessions in the same way: "Revoke active sessions" (IAM User Guide, id_roles_use_revoke-sessions).
        """
        statements: list[dict[str, Any]] = []
        every = {"Effect": "Deny", "Action": "*", "Resource": "*"}
        if self.since is not None:
            statement: dict[str, Any] = {"Sid": f"SuspendedSince{self.since.astimezone(UTC):{_SID}}", **every}
            if self.until is not None:
                statement["Condition"] = {"DateLessThan": {"aws:CurrentTime": moment(self.until)}}
            statements.append(statement)
        before = self.until or self.before
        if before is not None:
            condition = {"DateLessThan": {"aws:TokenIssueTime": moment(before)}}
            statements.append({"Sid": "DenySessionsOfBefore", **every, "Condition": condition})
        return {"Version": "2012-10-17", "Statement": statements}


def read_sessions_deny(document: Mapping[str, Any]) -> SessionsDeny | None:
    """Parse such a policy; None for any other document."""
    try:
        first, *more = document["Statement"]
        since = until = before = None
        if first["Sid"].startswith("SuspendedSince"):
            since = datetime.strptime(first["Sid"].removeprefix("SuspendedSince"), _SID).replace(tzinfo=UTC)
            for second in more:
                until = read_moment(second["Condition"]["DateLessThan"]["aws:TokenIssueTime"])
        else:
            before = read_moment(first["Condition"]["DateLessThan"]["aws:TokenIssueTime"])
        deny = SessionsDeny(since, until, before)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return deny if deny.document == document else None


def pause_deny() -> dict[str, Any]:
    """A policy that denies everything during a change, if some step of it would temporarily give more permissions in
    any order of the steps."""
    return _deny("DenyDuringTheChange", {"Action": "*", "Resource": "*"})


_SID = "%Y%m%dT%H%M%SZ"
_MARGIN = timedelta(seconds=2)
"""AWS's clock is known to one second, and issue times are whole seconds."""


def _deny(sid: str, rest: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Sid": sid, "Effect": "Deny", **rest}]}
