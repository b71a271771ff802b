"""Policies of a role, as the tests of permissions need them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from valetkey.grants.effective import Effective, Named, UnreadPolicy
from valetkey.policy import parse_policy
from valetkey.trust.record import OWN_ROLE, UNTIL
from valetkey.trust.self_denies import dated_deny, own_role_deny

ROLE = "arn:aws:iam::111111111111:role/audit"
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
END = datetime(2026, 12, 31, tzinfo=UTC)


def allow(action: Any, resource: Any = "*", condition: Any = None, **more: Any) -> dict[str, Any]:
    """One Allow."""
    block = {"Condition": condition} if condition else {}
    return {"Effect": "Allow", "Action": action, "Resource": resource, **block, **more}


def deny(action: Any, resource: Any = "*", condition: Any = None) -> dict[str, Any]:
    """One Deny."""
    return {**allow(action, resource, condition), "Effect": "Deny"}


def document(*statements: Mapping[str, Any]) -> dict[str, Any]:
    """A policy."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def effective(
    *statements: Mapping[str, Any], boundary: Any = None, own: bool = True, unread: tuple[UnreadPolicy, ...] = ()
) -> Effective:
    """A role with one policy, `chosen`, and the denies that a grant carries."""
    documents = {"chosen": document(*statements)} if statements else {}
    if own:
        documents |= {OWN_ROLE: own_role_deny(ROLE), UNTIL: dated_deny(END)}
    return Effective(
        "audit",
        ROLE,
        tuple(Named(name, parse_policy(item, kind="identity"), item) for name, item in documents.items()),
        None if boundary is None else Named("limit", parse_policy(boundary, kind="boundary"), boundary),
        unread,
    )
