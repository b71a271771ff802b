"""valetkey resume: end the suspension of a grant."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from valetkey.cli._options import Output, OwnerAccount


def resume(
    name: str,
    /,
    *,
    yes: Annotated[bool, Parameter(negative="", help="Do not ask for confirmation.")] = False,
    output: Output = Output(),  # noqa: B008
    account: OwnerAccount = OwnerAccount(),  # noqa: B008
) -> int:
    """End a suspension: new sessions are allowed again, sessions issued before the resume stay denied.

    It asks first, at the terminal; without one it needs --yes.
    """
    from valetkey.cli import _changing, _owning, _questions
    from valetkey.grants.suspend import resume as go_on
    from valetkey.report import changing, grants

    _questions.need_somebody(yes=yes)
    perform = account.connect()
    owner, standing = _owning.find_grant(perform, name)
    grants.say_account(owner)
    _questions.consent(f"Let account {standing.record.contractor} into {name} again?", yes=yes)
    clock = _changing.aws_clock(account)
    done = go_on(standing, owner=owner, perform=perform, now=clock, waiting=_owning.waiting(), tell=grants.say_call)
    changing.say_resumed(done, as_json=output.as_json)
    return 0
