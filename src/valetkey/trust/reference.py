"""The terms as an ordinary trust policy: the reference against which a trust policy is proved.

Independent of `writing` and different by design: it names callers by aws:PrincipalAccount and aws:PrincipalArn and
never by a Principal element, so that an error in one is not repeated in the other. It is never written to AWS.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from valetkey.catalog import key_names
from valetkey.policy import Policy, parse_policy
from valetkey.policy.arns import parse_arn
from valetkey.policy.principals import is_unique_id
from valetkey.policy.role_actions import ASSUME_ROLE, SET_SOURCE_IDENTITY, TAG_SESSION
from valetkey.trust.terms import Terms

ADMITS_NOBODY: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
"""A policy that allows nothing."""


def as_policy(terms: Terms, *, besides: Sequence[Mapping[str, Any]] = ()) -> Policy:
    """A trust policy that allows exactly the terms. It names a deleted principal (`Terms.orphans`) by its unique id,
    which no caller has. `besides` are additional statements."""
    statements: list[dict[str, Any]] = []
    for who in _who(terms):
        call: dict[str, Any] = {}
        if terms.mfa:
            call["StringEqualsIgnoreCase"] = {key_names.MFA_PRESENT: "true"}
        if terms.mfa_max_age is not None:
            call["NumericLessThan"] = {"aws:MultiFactorAuthAge": str(terms.mfa_max_age + 1)}
        if terms.name_people:
            call["StringLike"] = {"sts:RoleSessionName": "${aws:username}"}
        every: dict[str, Any] = {**who}
        if terms.until is not None:
            every["DateLessThan"] = _before(terms.until)
        asked = {} if terms.external_id is None else _with(terms.external_id)
        statements.append(_allow([ASSUME_ROLE], {**every, **call, **asked}))
        if terms.previous_external_id is not None:
            ends = {} if terms.previous_until is None else {"DateLessThan": _before(terms.previous_until)}
            former = {**every, **call, **_with(terms.previous_external_id), **ends}
            statements.append(_allow([ASSUME_ROLE], former))
        extras = [SET_SOURCE_IDENTITY] * terms.source_identity + [TAG_SESSION] * terms.session_tags
        if extras:
            statements.append(_allow(extras, every))
    if terms.from_ip:
        outside = {"NotIpAddress": {"aws:SourceIp": list(terms.from_ip)}}
        statements.append({"Effect": "Deny", "Principal": "*", "Action": "sts:*", "Condition": outside})
    return parse_policy({"Version": "2012-10-17", "Statement": [*statements, *besides]}, kind="trust")


def _with(external_id: str) -> dict[str, Any]:
    return {"ForAnyValue:StringEquals": {key_names.EXTERNAL_ID: [external_id]}}


def _before(end: datetime) -> dict[str, str]:
    return {"aws:EpochTime": str(int(end.astimezone(UTC).timestamp()))}


def _allow(actions: list[str], condition: dict[str, Any]) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": "*", "Action": actions, "Condition": condition}


def _who(terms: Terms) -> list[dict[str, Any]]:
    """The conditions on the caller, one for each statement. The account of a deleted principal is not known."""
    account = {"StringEquals": {"aws:PrincipalAccount": terms.contractor}}
    if terms.only:
        return [account | {"ArnLike": {"aws:PrincipalArn": list(terms.only)}}]
    if not terms.pin:
        return [account]
    arns = [pattern for name in terms.pin if not is_unique_id(name) for pattern in _pinned(name)]
    gone = [pattern for name in terms.orphans for pattern in (name, f"{name}:*")]
    named = [account | {"ArnLike": {"aws:PrincipalArn": arns}}] if arns else []
    return named + ([{"StringLike": {"aws:userid": gone}}] if gone else [])


def _pinned(name: str) -> list[str]:
    """The patterns of a pinned principal's ARN. A user has one. A role matches with any path: its name is unique in the
    account (reference_identifiers), and its sessions' ARNs contain only the name."""
    if ":user/" in name:
        return [name]
    arn = parse_arn(name)
    head = f"arn:{arn.partition}:iam::{arn.account}:role/"
    return [f"{head}{arn.name}", f"{head}*/{arn.name}"]
