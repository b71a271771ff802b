"""Output of `valetkey list` (docs/reference/list.md)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from valetkey.grants.listing import Grants, Listed, by_end
from valetkey.report.grants import policies_of, say_account, until_words
from valetkey.report.results import grants as results
from valetkey.report.text import say, say_json, say_table

if TYPE_CHECKING:
    from valetkey.errors import ValetkeyError


def say_list(
    accounts: Sequence[Grants],
    unread: Sequence[tuple[str, ValetkeyError]] = (),
    *,
    now: datetime,
    as_json: bool,
    check: bool = False,
) -> None:
    """Print every grant of these accounts. `unread` are the profiles with which nothing could be read."""
    rows = by_end(accounts)
    if as_json:
        say_json(results.listed(accounts, rows, [(name, problem.what) for name, problem in unread], now))
        return
    several = len(accounts) + len(unread) > 1
    for account in accounts:
        say_account(account.owner)
        if account.damaged:
            of = f" of account {account.owner.account}" if several else ""
            say(f"Roles{of} whose valetkey record cannot be read: {', '.join(account.damaged)}", stderr=True)
        if not account.listed:
            say(f"No grants in account {account.owner.account}.")
    for name, problem in unread:
        say(f"profile {name}: {problem.what}; its grants are not in this list", stderr=True)
    if check:
        rows = [row for row in rows if row.problems]
    if rows:
        columns = ["grant", "contractor", "policies", "until", "last used", "state"]
        if any(grants.trail is not None for grants in accounts):
            columns.append("denied")
        say_table(
            [*(["account"] if several else []), *columns, *(["found"] if check else [])],
            [_row(row, now, several=several, check=check) for row in rows],
        )
    elif check and not unread and all(grants.is_right for grants in accounts):
        say("Nothing was found: every grant is as agreed, used, and has an end that is not near.")
    for account in accounts:
        if account.trail is not None:
            of = f" of account {account.owner.account}" if several else ""
            if account.trail.unseen:
                say(f"What CloudTrail cannot show{of}:", *(f"  - {item}" for item in account.trail.unseen))
            say(*account.trail.not_read, stderr=True)


def _row(listed: Listed, now: datetime, *, several: bool, check: bool) -> list[str]:
    standing = listed.standing
    role = standing.role
    return [
        *([role.account] if several else []),
        role.name,
        standing.record.contractor,
        ", ".join(policies_of(standing)),
        until_words(standing.record.until, now),
        f"{role.last_used:%Y-%m-%d %H:%M}Z" if role.last_used else "not seen",
        ", ".join((standing.state(now), *listed.marks)),
        *([] if listed.denied is None else [str(listed.denied)]),
        *(["; ".join(listed.problems)] if check else []),
    ]
