"""valetkey revoke: end a grant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from valetkey.cli._options import Output, OwnerAccount
from valetkey.cli._unmanaged import Said, absent, end_access
from valetkey.commandline import command, option
from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from valetkey.grants.revoke import Shut
    from valetkey.grants.status import Difference, Standing


def revoke(
    name: str,
    /,
    *,
    yes: Annotated[bool, Parameter(negative="", help="Do not ask for confirmation.")] = False,
    confirm: Annotated[
        str | None, Parameter(help="The name again: delete the role even if it differs from its record.")
    ] = None,
    unmanaged: Annotated[
        bool, Parameter(negative="", help="Without a record: deny everything and close the trust policy of any role.")
    ] = False,
    delete: Annotated[bool, Parameter(negative="", help="With --unmanaged: remove the role as well.")] = False,
    no_wait: Annotated[
        bool, Parameter(negative="", help="Delete at once, without waiting for the deny to take effect.")
    ] = False,
    output: Output = Output(),  # noqa: B008
    account: OwnerAccount = OwnerAccount(),  # noqa: B008
) -> int:
    """End a grant: deny everything to live sessions, close the trust policy, delete every policy and the role.

    IAM applies a deny within seconds in most cases, up to a few minutes: it waits 10 seconds before it removes a policy
    that denies. It asks first, at the terminal; without one it needs --yes. A role that does not match its record is
    denied and closed, and deleted only if you type its name, or use --confirm NAME. After an interruption, run it again
    to finish.

    --unmanaged is for a role that admits an outside party and has no record, or a record that cannot be read.
    """
    from valetkey.cli import _owning, _questions
    from valetkey.grants.fitting import misfits
    from valetkey.grants.revoke import revoke as take_back
    from valetkey.grants.revoke import shut
    from valetkey.grants.waiting import SETTLE_SECONDS
    from valetkey.report import grants as report
    from valetkey.report import revoking

    bare = name.rpartition("/")[2] if name.startswith("arn:") else name
    if confirm not in (None, name, bare):
        raise ValetkeyError(
            f"--confirm names another role than {bare}", do=f"use {option('--confirm', bare)}, or leave it out"
        )
    if delete and not unmanaged:
        raise ValetkeyError("--delete is for --unmanaged: a grant is always deleted", do="leave --delete out")
    _questions.need_somebody(yes=yes)
    perform = account.connect()
    if unmanaged:
        said = Said(yes=yes, confirmed=confirm is not None, delete=delete, no_wait=no_wait, as_json=output.as_json)
        return end_access(name, said, perform=perform)
    owner, standing = _owning.find(perform, name, damaged=True)
    if standing is None:
        raise absent(perform, owner, bare, as_json=output.as_json)
    name = standing.role.name
    report.say_account(owner)
    reasons = misfits(standing)
    if reasons:
        revoking.say_misfits(name, reasons)
    about = tuple(revoking.misfit_lines(name, reasons)) if reasons else ()
    who = _who(standing)
    _questions.consent(
        f"Revoke the access of {who} to {name} in account {owner.account} for good?", yes=yes, about=about
    )
    waiting = _owning.waiting()
    done: Shut | None = None
    if reasons and confirm is None:
        done = shut(standing, perform=perform, now=_clock, waiting=waiting, tell=report.say_call)
        _agree_to_delete(done, reasons, yes=yes, as_json=output.as_json)
    receipt = take_back(
        standing,
        perform=perform,
        now=_clock,
        waiting=waiting,
        settle=0.0 if no_wait else SETTLE_SECONDS,
        tell=report.say_call,
        tell_wait=report.say_wait,
    )
    if done is not None:
        receipt = replace(receipt, removed=(*done.done, *receipt.removed))
    report.say_receipt(receipt, as_json=output.as_json)
    return 0


def _clock() -> datetime:
    return datetime.now(UTC)


def _who(standing: Standing) -> str:
    """Return the contractor that the record names. The record is a tag, which may contain any text."""
    from valetkey.policy.arns import is_account

    contractor = standing.record.contractor
    return f"account {contractor}" if is_account(contractor) else "everybody"


def _agree_to_delete(done: Shut, reasons: Sequence[Difference], *, yes: bool, as_json: bool) -> None:
    """Return when the person types the role's name. With --yes it makes no prompt. Raises ValetkeyError."""
    from valetkey.cli import _questions
    from valetkey.report import revoking
    from valetkey.report.text import say

    state, name = revoking.state_of(done), done.name
    try:
        if not yes:
            say(f"{state}.", stderr=True)
            about = (*revoking.misfit_lines(name, reasons), f"{state}.")
            question = f"Type {name} to delete it for good, or Enter to keep it: "
            if _questions.types_name(name, question, about=about, otherwise=state):
                return
        named = f"--yes {option('--confirm', name)}"
        raise ValetkeyError(
            f"{state}, because it does not match its record",
            do="see `valetkey show` and who uses it; if it is yours to delete: "
            f"{command('valetkey revoke', name, then=named)}",
            where=done.role_arn,
            exit_code=1,
        )
    except ValetkeyError:
        if as_json:
            revoking.say_shut(done, reasons)
        raise
