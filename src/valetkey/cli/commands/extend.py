"""valetkey extend: move the end of a grant to a later time."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from cyclopts import Parameter

from valetkey.cli._options import NEVER, Output, OwnerAccount

_Flag = Annotated[bool, Parameter(negative="")]


def extend(
    name: str,
    /,
    *,
    until: Annotated[str, Parameter(help="The new end: 2026-12-31, 2026-12-31T18:00Z, 30d, or never.")],
    dry_run: Annotated[_Flag, Parameter(help="Show the effect, the calls and the proof; write nothing.")] = False,
    yes: Annotated[_Flag, Parameter(help="Do not ask for confirmation.")] = False,
    output: Output = Output(),  # noqa: B008
    account: OwnerAccount = OwnerAccount(),  # noqa: B008
) -> int:
    """Move the end of a grant to a later time, also for a grant that has ended.

    Live sessions are kept. An end before the present one is refused: `valetkey change --until` sets any.
    """
    from valetkey.cli import _changing, _owning
    from valetkey.grants.edit import Edit
    from valetkey.grants.options import OwnerOptions

    def edit_at(now: datetime) -> Edit:
        when, lasting = _owning.end(until, now=now)
        asked = OwnerOptions(name=name, until=when, lasting=lasting, never=until == NEVER)
        return Edit(asked=asked, given=frozenset({"until"}), later_only=True)

    return _changing.run(name, edit_at, account=account, output=output, dry_run=dry_run, yes=yes)
