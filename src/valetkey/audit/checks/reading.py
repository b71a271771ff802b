"""The check on unread permissions of roles that outsiders can assume. `run` reports unread parts of the account."""

from __future__ import annotations

from collections.abc import Iterator

from valetkey.audit.findings import INCOMPLETE, Hit
from valetkey.audit.registry import check
from valetkey.audit.subjects import Subject


@check(
    INCOMPLETE,
    title="Not everything was read",
    severity="high",
    why=(
        "A role, a trust policy or a permission that was not read or not resolved may let somebody in, or let them do "
        "more than is shown."
    ),
    fix="give what is missing (the file, the parameter's value, the permission to read it), or accept it with "
    "--allow-incomplete",
    page="access_policies_managed-vs-inline.html",
)
def permissions_not_read(subject: Subject) -> Iterator[Hit]:
    if subject.powers is not None and subject.powers.missing:
        yield Hit(f"what outsiders may do is not all known: {'; '.join(subject.powers.missing)}")
