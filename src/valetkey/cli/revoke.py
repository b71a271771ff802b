"""valetkey revoke: take the access back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter

from valetkey.cli.options import Account, Output


def revoke(
    name: str,
    /,
    *,
    yes: Annotated[bool, Parameter(negative="", help="Do not ask.")] = False,
    output: Output = Output(),  # noqa: B008
    account: Account = Account(),  # noqa: B008
) -> int:
    """Take the access back: refuse open sessions, close the trust, remove every policy and the role.

    At a terminal it asks first. Run again after an interruption, it finishes.
    """
    from valetkey.aws import connect
    from valetkey.cli import owning
    from valetkey.cli.questions import agree, at_terminal
    from valetkey.grants.revoke import revoke as take_back
    from valetkey.policy.problem import Problem
    from valetkey.report import grants as report

    perform = connect(profile=account.profile, region=account.region)
    owner, standing = owning.find(perform, name)
    if standing is None:
        report.say_gone(owner, name, as_json=output.as_json)
        return 0
    report.say_account(owner)
    contractor = standing.record.contractor
    if at_terminal() and not yes and not agree(f"Shut account {contractor} out of {name} for good?"):
        raise Problem("nothing was revoked", do="the grant stays as it is")
    receipt = take_back(
        standing,
        perform=perform,
        now=lambda: datetime.now(UTC),
        waiting=owning.waiting(),
        tell=report.say_call,
    )
    report.say_receipt(receipt, as_json=output.as_json)
    return 0
