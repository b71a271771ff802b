"""valetkey show: one grant."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from cyclopts import Parameter

from valetkey.cli._options import Output, OwnerAccount


def show(
    name: str,
    /,
    *,
    as_: Annotated[
        Literal["command"] | None, Parameter(name="--as", help="Print the `grant` line that would make the role.")
    ] = None,
    show_external_id: Annotated[bool, Parameter(negative="", help="Print ExternalIds in full.")] = False,
    output: Output = Output(),  # noqa: B008
    account: OwnerAccount = OwnerAccount(),  # noqa: B008
) -> int:
    """Show one grant: terms, trust policy, proof, days left, and what on the role differs from its terms.

    Where it differs, it says what was changed, who gets in now, and what to do. It never writes.
    Exit code 1 when the trust policy is not proved to admit exactly the terms, or the role differs from its record.
    """
    from valetkey.cli._owning import found
    from valetkey.grants.status import proof
    from valetkey.report.grants import say_show

    owner, standing = found(account.connect(), name)
    if as_ == "command":
        from valetkey.grants.command import grant_line
        from valetkey.report.texts import say_command

        made = grant_line(standing)
        say_command(made.line, made.files, standing.role.name, as_json=output.as_json)
        return 0
    now = datetime.now(UTC)
    shown = proof(standing)
    say_show(owner, standing, shown, now=now, as_json=output.as_json, show_ids=show_external_id)
    return 0 if shown is not None and shown.holds and not standing.drift else 1
