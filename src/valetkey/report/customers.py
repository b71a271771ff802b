"""The customers as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from valetkey.report.text import say, say_json, say_table

if TYPE_CHECKING:
    from valetkey.credentials.profiles.customers import Customer, Damaged


def say_customers(customers: Sequence[Customer], damaged: Sequence[Damaged], *, now: datetime, as_json: bool) -> None:
    """Print the customers. docs/reference/customers.md has the schema."""
    if as_json:
        from valetkey.report.results.contractor import listed

        say_json(listed(customers, damaged))
        return
    if customers:
        say_table(
            ("name", "customer", "account", "region", "session", "grant ends"),
            [_row(customer, now) for customer in customers],
        )
    elif not damaged:
        say("There are no customers yet. Add one with `valetkey accept` or `valetkey import`.")
    for item in damaged:
        say(f"{item.name}: {item.problem.what}", stderr=True)
        if item.problem.do:
            say(f"  do: {item.problem.do}", stderr=True)


def _row(customer: Customer, now: datetime) -> tuple[str, ...]:
    profile = customer.profile
    if not profile.knows("until"):
        ends = "unknown"
    else:
        ends = "no end" if profile.until is None else f"{profile.until:%Y-%m-%d %H:%M} UTC"
    if customer.has_ended:
        ends = f"ended {ends}"
    left = "none" if customer.session_until is None else f"{_minutes(customer.session_until, now)} min left"
    return (profile.name, profile.customer, profile.account, customer.region or "none", left, ends)


def _minutes(end: datetime, now: datetime) -> int:
    return int((end - now).total_seconds() // 60)
