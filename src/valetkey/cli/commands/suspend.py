"""valetkey suspend: deny everything to all sessions of a grant for a time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter

from valetkey.cli._options import Output, OwnerAccount


def suspend(
    name: str,
    /,
    *,
    until: Annotated[str | None, Parameter(help="When the suspension ends by itself: 2027-01-07, or 14d.")] = None,
    yes: Annotated[bool, Parameter(negative="", help="Do not ask for confirmation.")] = False,
    output: Output = Output(),  # noqa: B008
    account: OwnerAccount = OwnerAccount(),  # noqa: B008
) -> int:
    """Deny everything to all sessions of a grant, live and new, until `valetkey resume` or a date.

    The trust policy and the terms do not change. It asks first, at the terminal; without one it needs --yes.
    """
    from valetkey.cli import _options, _owning, _questions
    from valetkey.grants.suspend import suspend as stop
    from valetkey.report import changing, grants

    now = datetime.now(UTC)
    ends = None if until is None else _options.until(until, now=now)
    _questions.need_somebody(yes=yes)
    perform = account.connect()
    owner, standing = _owning.find_grant(perform, name)
    grants.say_account(owner)
    for_how_long = "until you resume it" if ends is None else f"until {ends:%Y-%m-%dT%H:%M:%SZ}"
    _questions.consent(f"Deny everything to account {standing.record.contractor} in {name}, {for_how_long}?", yes=yes)
    done = stop(
        standing, until=ends, owner=owner, perform=perform, now=now, waiting=_owning.waiting(), tell=grants.say_call
    )
    changing.say_suspended(done, as_json=output.as_json)
    return 0
