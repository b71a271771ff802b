"""What `valetkey revoke` says besides its receipt (docs/reference/revoke.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from valetkey.grants.status import EXTERNAL_ID
from valetkey.report.results import grants as results
from valetkey.report.text import clean, mask, say, say_json

if TYPE_CHECKING:
    from valetkey.grants.revoke import Shut
    from valetkey.grants.role import Owner
    from valetkey.grants.status import Difference


def say_absent(owner: Owner, name: str, near: Sequence[str]) -> None:
    """As JSON: there is no such role. The error itself goes to stderr."""
    say_json(
        results.Absent(valetkey="receipt/v1", name=name, account=owner.account, removed=[], gone=True, near=list(near))
    )


def misfit_lines(name: str, misfits: Sequence[Difference]) -> Iterator[str]:
    """Why a role may not be the one that its record tells of. Its values come from the role: none begins a line."""
    yield f"{name} does not fit its record, and tags can be forged:"
    for each in misfits:
        agreed, found = (mask(each.agreed), mask(each.found)) if each.what == EXTERNAL_ID else (each.agreed, each.found)
        yield f"  {_line(each.what)}: recorded {_line(agreed)}; on the role {_line(found)}"


def say_misfits(name: str, misfits: Sequence[Difference]) -> None:
    """On stderr: why a role may not be the one that its record tells of."""
    say(*misfit_lines(name, misfits), stderr=True)


def state_of(shut: Shut) -> str:
    """What holds of a role that was denied and closed, in words."""
    trust = "and its trust admits nobody" if shut.trust_closed else "while its trust could not be seen closed"
    return f"{shut.name} denies everything to every session, {trust}; it was not deleted"


def say_shut(shut: Shut, misfits: Sequence[Difference]) -> None:
    """As JSON: a role that was denied and closed, and not deleted."""
    say_json(results.shut(shut, tuple(misfits)))


def _line(text: str) -> str:
    return clean(text, keep=frozenset())
