"""Output of `valetkey revoke` other than its receipt (docs/reference/revoke.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from valetkey.grants.status import EXTERNAL_ID_LABEL
from valetkey.report.results import grants as results
from valetkey.report.text import clean, mask, say, say_json

if TYPE_CHECKING:
    from valetkey.grants.revoke import Receipt, Shut
    from valetkey.grants.role import Owner
    from valetkey.grants.status import Difference
    from valetkey.grants.unmanaged import Unmanaged


def unmanaged_lines(owner: Owner, result: Unmanaged) -> tuple[str, ...]:
    """Describe a role that is revoked without a record, for the person who confirms it."""
    role = result.standing.role
    who = ", ".join(result.outsiders) or "nobody: an earlier run closed the trust policy"
    said = [
        f"Account {owner.account} ({owner.partition}), as {owner.arn}",
        f"{role.name} admits from outside: {who}",
        f"last used: {f'{role.last_used:%Y-%m-%d %H:%M}Z' if role.last_used else 'not seen within 400 days'}",
        *([f"It is also used by {', '.join(result.uses)}: they lose their access too."] if result.uses else []),
    ]
    return tuple(_line(item) for item in said)


def say_unmanaged_about(about: Sequence[str]) -> None:
    """Print the description of the role on stderr, before anything is changed."""
    say(*about, stderr=True)


def say_unmanaged(role: Unmanaged, saved: str, done: Shut | Receipt, *, as_json: bool) -> None:
    """Print the result for a role that was revoked without a record."""
    from valetkey.grants.revoke import SPREADS, Shut
    from valetkey.grants.unmanaged import undo
    from valetkey.report.grants import say_receipt
    from valetkey.report.results import adopting

    is_shut = isinstance(done, Shut)
    if as_json:
        shown = adopting.Unmanaged(
            valetkey="unmanaged/v1",
            name=done.name,
            role_arn=done.role_arn,
            used_by=list(role.uses),
            saved=saved,
            shut=results.shut(done, ()) if isinstance(done, Shut) else None,
            receipt=None if isinstance(done, Shut) else results.receipt(done),
        )
        say_json(shown)
        return
    if not isinstance(done, Shut):
        say_receipt(done, as_json=False)
    elif not done.done:
        say(f"{done.name} was already denied and closed; nothing was changed.")
    else:
        say(f"{state_of(done)}. {SPREADS}.")
    say(f"The previous state of the role is saved in {saved}")
    if is_shut:
        say("To undo it, restore its trust policy and remove the deny:")
        say(*(f"  {item}" for item in undo(done.name, saved)))


def say_absent(owner: Owner, name: str, near: Sequence[str]) -> None:
    """Print as JSON that the role does not exist. The error itself goes to stderr."""
    say_json(
        results.Absent(valetkey="receipt/v1", name=name, account=owner.account, removed=[], gone=True, near=list(near))
    )


def misfit_lines(name: str, misfits: Sequence[Difference]) -> Iterator[str]:
    """Yield why a role may not be the one that its record describes. Its values come from the role and cannot start a
    line."""
    yield f"{name} does not fit its record, and tags can be forged:"
    for difference in misfits:
        agreed, result = (
            (mask(difference.agreed), mask(difference.found))
            if difference.what == EXTERNAL_ID_LABEL
            else (difference.agreed, difference.found)
        )
        yield f"  {_line(difference.what)}: recorded {_line(agreed)}; on the role {_line(result)}"


def say_misfits(name: str, misfits: Sequence[Difference]) -> None:
    """Print on stderr why a role may not be the one that its record describes."""
    say(*misfit_lines(name, misfits), stderr=True)


def state_of(shut: Shut) -> str:
    """Describe the state of a role that was denied and closed."""
    trust = (
        "and its trust policy admits nobody" if shut.trust_closed else "but its trust policy was not confirmed closed"
    )
    return f"{shut.name} denies everything to every session, {trust}; it was not deleted"


def say_shut(shut: Shut, misfits: Sequence[Difference]) -> None:
    """Print as JSON a role that was denied and closed, but not deleted."""
    say_json(results.shut(shut, tuple(misfits)))


def _line(text: str) -> str:
    return clean(text, keep=frozenset())
