"""valetkey show: one grant."""

from __future__ import annotations

from datetime import UTC, datetime

from valetkey.cli._options import Output, OwnerAccount


def show(name: str, /, *, output: Output = Output(), account: OwnerAccount = OwnerAccount()) -> int:  # noqa: B008
    """Show one grant: terms, trust policy, proof, days left, and what on the role differs from its terms.

    Exit code 1 when the trust policy is not proved to admit exactly the terms, or the role differs from its record.
    """
    from valetkey.cli._owning import found
    from valetkey.grants.status import proof
    from valetkey.report.grants import say_show

    now = datetime.now(UTC)
    owner, standing = found(account.connect(), name)
    shown = proof(standing)
    say_show(owner, standing, shown, now=now, as_json=output.as_json)
    return 0 if shown is not None and shown.holds and not standing.drift else 1
