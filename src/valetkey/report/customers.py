"""The customers as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from valetkey.report.text import say, say_json, say_table

if TYPE_CHECKING:
    from valetkey.credentials.profiles.customers import Client, Damaged


def say_clients(clients: Sequence[Client], damaged: Sequence[Damaged], *, now: datetime, as_json: bool) -> None:
    """docs/reference/clients.md has the schema."""
    if as_json:
        say_json(
            {
                "clients": [_plain(each) for each in clients],
                "damaged": [{"name": each.name, "what": each.problem.what} for each in damaged],
            }
        )
        return
    if clients:
        say_table(
            ("name", "customer", "account", "region", "session", "grant ends"), [_row(each, now) for each in clients]
        )
    elif not damaged:
        say("There are no customers yet. `valetkey accept FILE` takes a customer's handoff.")
    for each in damaged:
        say(f"{each.name}: {each.problem.what}", stderr=True)
        if each.problem.do:
            say(f"  do: {each.problem.do}", stderr=True)


def _row(client: Client, now: datetime) -> tuple[str, ...]:
    profile = client.profile
    ends = "no end" if profile.until is None else f"{profile.until:%Y-%m-%d %H:%M} UTC"
    if client.has_ended:
        ends = f"ended {ends}"
    left = "none" if client.session_until is None else f"{_minutes(client.session_until, now)} min left"
    return (profile.name, profile.customer, profile.account, client.region or "none", left, ends)


def _minutes(end: datetime, now: datetime) -> int:
    return int((end - now).total_seconds() // 60)


def _plain(client: Client) -> dict[str, object]:
    profile = client.profile
    return {
        "name": profile.name,
        "customer": profile.customer or None,
        "account": profile.account,
        "partition": profile.partition,
        "role_arn": profile.role_arn,
        "region": client.region,
        "session_until": _stamp(client.session_until),
        "until": _stamp(profile.until),
        "ended": client.has_ended,
    }


def _stamp(when: datetime | None) -> str | None:
    return when.isoformat().replace("+00:00", "Z") if when else None
