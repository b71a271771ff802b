"""A change of a grant whose trust policy somebody else has changed.

Rules:
- INVARIANT: a term of the changed trust policy is wanted only if it was agreed or the owner gives it as an option. Of
  the agreed terms the record holds the end, the contractor and a SHA-256. So the change is made only if the digest
  shows that it restores the agreed terms, or that the trust policy matches them except for the end, or if every term is
  given as an option. Otherwise it is refused.
- "Old" is the present role: requests in the meantime are measured by it, and removals come first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

from valetkey.commandline import command
from valetkey.errors import ValetkeyError
from valetkey.grants.adopt_prepare import NotAdopted, judge
from valetkey.grants.edit import Edit, RecordedGrant
from valetkey.grants.grant import Grant
from valetkey.grants.role import LiveRole
from valetkey.grants.status import Standing
from valetkey.trust.drift_words import changes, is_readable, is_restorable
from valetkey.trust.record import Record, terms_digest
from valetkey.trust.terms import TERMS, DraftTerms


def is_drifted(standing: Standing) -> bool:
    """Return whether the trust policy has the form that valetkey writes and admits the contractor, but differs from the
    agreed terms."""
    return standing.terms is not None and is_readable(standing.drift) and not is_restorable(standing.drift)


def bases(base: RecordedGrant, record: Record) -> tuple[RecordedGrant, RecordedGrant]:
    """Return the possible starts of an edit: the present trust policy with the recorded end, and the same without an
    earlier ExternalId that it accepts."""
    terms = replace(base.grant.terms, until=record.until)
    alone = replace(terms, previous_external_id=None, previous_until=None)
    one, other = (replace(base, grant=replace(base.grant, terms=item)) for item in (terms, alone))
    return one, other


def is_as_recorded(wanted: Grant, record: Record) -> bool:
    """Return whether its terms have the digest in the record."""
    return terms_digest(wanted.terms) == record.terms


def wanted_from(
    base: RecordedGrant, standing: Standing, edit: Edit, wanted_of: Callable[[RecordedGrant], Grant]
) -> Grant:
    """Return the wanted grant for a drifted one; `wanted_of` edits a base. Raises ValetkeyError (exit code 1) if it
    would contain terms of the trust policy that were not agreed."""
    record = standing.record
    starts = bases(base, record)
    for grant in starts:
        if is_as_recorded(wanted := wanted_of(grant), record):
            return as_noted(wanted, base, edit)
    if is_as_recorded(starts[0].grant, record):
        return wanted_of(starts[0])
    if lacking := _lacking(edit):
        raise refusal(standing, lacking)
    return wanted_of(starts[1])


def as_noted(wanted: Grant, base: RecordedGrant, edit: Edit) -> Grant:
    """Take from the record who chose the ExternalId, unless the edit answers a request: the terms are those of the
    record."""
    if edit.request is not None:
        return wanted
    noted = base.grant
    return replace(wanted, external_id_by=noted.external_id_by, request=noted.request, user_id=noted.user_id)


def refusal(standing: Standing, lacking: tuple[str, ...] = ()) -> ValetkeyError:
    """Return the error that this change is refused (exit code 1), with the alternatives. `lacking` are the options that
    are missing."""
    name = standing.role.name
    what = changes([difference for difference in standing.drift if not is_restorable([difference])] or standing.drift)[
        0
    ]
    change, adopt = command("valetkey change", name), command("valetkey adopt", name)
    ways = [f"`{change}` with every term that you want (not given: {', '.join(lacking)})"] if lacking else []
    ways += [f"accept the role as it is with `{adopt}`"] if is_adoptable(standing.role) else []
    others = f"{', '.join(ways)}, or " if ways else ""
    return ValetkeyError(
        f"{name} differs from its record ({what}), so the effect of a change cannot be determined",
        do=f"see who is admitted with `{command('valetkey show', name)}`; {others}end it with `valetkey revoke`; "
        "nothing was changed",
        where=standing.role.arn,
        exit_code=1,
    )


def is_adoptable(role: LiveRole) -> bool:
    """Whether `valetkey adopt` accepts the role as it is: its trust policy is proved to admit one outside account."""
    try:
        judge(role)
    except NotAdopted:
        return False
    return True


def _lacking(edit: Edit) -> tuple[str, ...]:
    """Return the options of terms that are not given."""
    given = set(edit.given)
    if edit.asked.no_external_id:
        given.add("external_id")
    if "mfa" in given and not edit.asked.mfa:
        given.add("mfa_max_age")
    if given & {"only", "pin"}:
        given |= {"only", "pin"}
    own = {item.name for item in fields(DraftTerms)}
    # --pin is never missing: --only any means that no principal is named.
    return tuple(
        term.flag for term in TERMS if term.flag and term.name in own and term.name not in given and term.name != "pin"
    )
