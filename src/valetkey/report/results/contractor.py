"""The contractor's side as JSON: requests, acceptance, verification, customers (docs/reference)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from valetkey.credentials.doctor import verification
from valetkey.credentials.profiles import customers
from valetkey.report.results.shape import Shape, shaped


class Request(Shape, frozen=True):
    """The result of `request`."""

    file: str
    encrypted: bool
    fingerprint: str
    customer: str | None
    account: str
    partition: str
    identity: str
    identity_arn: str
    user_id: str | None
    external_id: str


class Accepted(Shape, frozen=True):
    """The result of `accept`, and the policy that the contractor's admin must attach."""

    profile: str
    customer: str
    role_arn: str
    account: str
    fingerprint: str | None
    origin: str
    """The source of the profile: a handoff, typed values, or an AWS profile."""
    unknown: list[str]
    """Terms that are not known."""
    request: str | None
    mfa_serial: str | None
    base: str | None
    base_arn: str | None
    until: str | None
    config: str
    changed: bool
    backup: str | None
    policy: dict[str, Any]
    notices: list[str]


class Probe(Shape, frozen=True):
    way: str
    result: str
    says: str
    applies: bool
    failed: bool


class Verification(Shape, frozen=True):
    profile: str
    role_arn: str
    holds: bool
    likely: str | None
    probes: list[Probe]


class Tried(Shape, frozen=True):
    """The result for one customer's profile, or why there is none."""

    profile: str
    account: str | None
    role_arn: str | None
    holds: bool | None
    """Null: it could not be tested."""
    likely: str | None
    probes: list[Probe]
    problem: str | None
    do: str | None


class Verifications(Shape, frozen=True):
    """The results for every customer's profile."""

    profiles: list[Tried]


def verified(result: verification.Verification) -> Verification:
    """Return the result of every test."""
    profile, likely = result.profile, result.likely or None
    holds = result.exit_code == 0
    return shaped(Verification, result, profile=profile.name, role_arn=profile.role_arn, holds=holds, likely=likely)


class Customer(Shape, frozen=True):
    name: str
    customer: str | None
    account: str
    partition: str
    role_arn: str
    region: str | None
    session_until: str | None
    until: str | None
    ended: bool
    origin: str
    unknown: list[str]


class Damaged(Shape, frozen=True):
    name: str
    what: str


class Customers(Shape, frozen=True):
    customers: list[Customer]
    damaged: list[Damaged]


def listed(result: Sequence[customers.Customer], damaged: Sequence[customers.Damaged]) -> Customers:
    """Return every customer, and the profiles that cannot be used."""
    return Customers(
        customers=[
            shaped(
                Customer,
                customer.profile,
                customer=customer.profile.customer or None,
                region=customer.region,
                session_until=stamp(customer.session_until),
                until=stamp(customer.profile.until),
                ended=customer.has_ended,
                origin=customer.profile.origin.value,
                unknown=sorted(customer.profile.unknown),
            )
            for customer in result
        ],
        damaged=[shaped(Damaged, item, what=item.problem.what) for item in damaged],
    )


def stamp(when: datetime | None) -> str | None:
    """Format a recorded time, UTC."""
    return when.isoformat().replace("+00:00", "Z") if when else None
