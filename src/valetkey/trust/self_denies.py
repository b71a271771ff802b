"""What a grant's role may never do: its own denies. What its policies open is `prover.effective_permissions`.

Rules:
- Every grant carries `own_role_deny`; a grant with an end carries `dated_deny`, so that no live session outlasts the
  trust; a revocation begins with `kill_deny`, so that live sessions are refused as
  soon as IAM has applied it (seconds in most cases, up to a few minutes: IAM User Guide, troubleshoot_general).
- A suspended grant carries a `SessionsDeny`; after `resume`, or a change that no longer admits somebody, it denies the
  sessions issued earlier.
- A deny reaches calls that are made with the role's own credentials. What such a call handed out before may live on:
  `policy.outlives`.
- An explicit Deny wins over every Allow (IAM User Guide, reference_policies_evaluation-logic).
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
    """A policy that denies the role everything on itself but reading: its trust, policies, boundary, tags, passing it
    on, deleting it. Written as NotAction, so that a write that AWS adds tomorrow is denied too.

    It protects only this role: a managed policy attached to the role, another role or a user are other resources
    (`Opening.escalations` names what is left).
    """
    # `*`, `?` and `$` may occur in a path and would be read as wildcards and variables (reference_policies_variables).
    literal = re.sub(r"[*?$]", lambda sign: f"${{{sign.group()}}}", role_arn)
    return _deny("DenyChangingThisRole", {"NotAction": list(_READS_OF_ROLES), "Resource": literal})


def dated_deny(until: datetime) -> dict[str, Any]:
    """A policy that denies everything from `until` (aware) on; whole seconds, the fraction is cut off (earlier)."""
    if until.tzinfo is None:
        raise ValueError("until needs a zone")
    condition = {"DateGreaterThanEquals": {"aws:CurrentTime": moment(until)}}
    return _deny("DenyAfterTheEnd", {"Action": "*", "Resource": "*", "Condition": condition})


def read_dated_deny(document: Mapping[str, Any] | None) -> datetime | None:
    """The end in a `dated_deny`; None for a document that valetkey would not have written."""
    try:
        end = read_moment((document or {})["Statement"][0]["Condition"]["DateGreaterThanEquals"]["aws:CurrentTime"])
    except (KeyError, IndexError, TypeError, ValueError):
        return None
    return end if dated_deny(end) == document else None


def kill_deny() -> dict[str, Any]:
    """A policy that denies everything, iam:* on its own role too, to new sessions and to those that are open."""
    return _deny("DenyEverything", {"Action": "*", "Resource": "*"})


def held_deny() -> dict[str, Any]:
    """`kill_deny` on a role that nobody has agreed to delete yet, since its record does not fit it: the same deny under
    another Sid of the same length, so that the next run knows."""
    return _deny("DenyAllAndKeep", {"Action": "*", "Resource": "*"})


@dataclass(frozen=True)
class SessionsDeny:
    """What the policy `valetkey-sessions` on a role denies: everything (`since`), or sessions issued before a time."""

    since: datetime | None = None
    """When the grant was suspended; None: it is not."""
    until: datetime | None = None
    """When the suspension ends by itself; None: at `resume`."""
    before: datetime | None = None
    """Of a grant that is not suspended: sessions issued before this are denied."""

    @classmethod
    def of_before(cls, now: datetime) -> SessionsDeny:
        """The deny on every session that was issued before now (AWS's time), and a little after."""
        return cls(before=(now + _MARGIN).replace(microsecond=0))

    def suspends(self, now: datetime) -> bool:
        """Whether every session is denied at this time."""
        return self.since is not None and (self.until is None or now < self.until)

    @property
    def document(self) -> dict[str, Any]:
        """The policy. The time of the suspension is in its Sid, for `resume` to know how long it was.

        AWS ends sessions in the same way: "Revoke active sessions" (IAM User Guide, id_roles_use_revoke-sessions).
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
    """What such a policy on a role says; None for one that valetkey would not have written."""
    try:
        first, *more = document["Statement"]
        since = until = before = None
        if first["Sid"].startswith("SuspendedSince"):
            since = datetime.strptime(first["Sid"].removeprefix("SuspendedSince"), _SID).replace(tzinfo=UTC)
            until = read_moment(more[0]["Condition"]["DateLessThan"]["aws:TokenIssueTime"]) if more else None
        else:
            before = read_moment(first["Condition"]["DateLessThan"]["aws:TokenIssueTime"])
        found = SessionsDeny(since, until, before)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return None
    return found if found.document == document else None


def pause_deny() -> dict[str, Any]:
    """A deny on everything for the seconds of a change whose steps cannot be put in an order that never gives more."""
    return _deny("DenyDuringTheChange", {"Action": "*", "Resource": "*"})


_SID = "%Y%m%dT%H%M%SZ"
_MARGIN = timedelta(seconds=2)
"""AWS's clock is known within a second, and its issue times are whole seconds."""


def _deny(sid: str, rest: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Sid": sid, "Effect": "Deny", **rest}]}
