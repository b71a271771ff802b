"""Whether a role matches its record. If not, a revocation denies and closes it, and asks before it deletes it.

Rules:
- The record consists of tags, and anyone who can tag a role can write one. Tags alone must never make `revoke` delete a
  role that valetkey did not create. They are therefore checked against what tagging cannot change: the trust policy,
  which must have the form that valetkey writes and the recorded digest, and the grant's own inline denies, which are
  written before any other policy.
- An interrupted grant (something is missing) and an interrupted revocation (something is removed) are normal, and
  match. So does a pinned principal that the contractor has deleted since.
- A role that was created by other means and adopted has no such deny. There the trust policy decides, by proof: the
  role matches if it is unchanged since it was adopted, and admits only the recorded contractor.
- INVARIANT: a role that did not match does not match later because it was denied and closed: its deny records that
  (`held_deny`).
"""

from __future__ import annotations

from collections.abc import Iterator

from valetkey.grants.grant import OWN_ROLE, REVOKED
from valetkey.grants.role import canonical
from valetkey.grants.status import Standing
from valetkey.trust.drift import PINNED, TRUST, Difference
from valetkey.trust.record import OWN
from valetkey.trust.self_denies import held_deny, kill_deny
from valetkey.trust.writing import closed_trust

_INLINE = "inline policy"


def misfits(standing: Standing) -> tuple[Difference, ...]:
    """Return every reason why the role may not be the one of its record; empty if it matches."""
    return tuple(_misfits(standing))


def _misfits(standing: Standing) -> Iterator[Difference]:
    role = standing.role
    deny = canonical(role.inline.get(REVOKED, {}))
    begun, held = deny == canonical(kill_deny()), deny == canonical(held_deny())
    # A revocation has denied everything. `begun`: the role matched or a person agreed to delete it; `held`: neither.
    others = [*role.managed, *(set(role.inline) - OWN)]
    closed = (begun or held or not others) and canonical(role.trust) == canonical(closed_trust())
    if held:
        yield Difference("record", "fits the role", "did not fit when the role was denied and closed")
    for difference in standing.drift:
        is_own_deny = difference.what == _INLINE and difference.found == REVOKED and (begun or held)
        is_closing = difference.what == TRUST and closed
        if not (difference.missing or is_own_deny or is_closing or difference.what == PINNED):
            yield difference
    if standing.record.is_adopted:
        if not begun and not closed:
            yield from _serves_others(standing)
    elif others and not begun and OWN_ROLE not in role.inline:
        # `grant` writes it before the first policy that allows; tagging cannot add it.
        yield Difference(_INLINE, OWN_ROLE, "missing, although the role has other policies")


def _serves_others(standing: Standing) -> Iterator[Difference]:
    """Yield a difference unless the trust policy of an adopted role admits only the recorded contractor. Such a role
    has no deny of its own that identifies it, so the trust policy decides, not the tags."""
    from valetkey.trust.adopting import admitted

    role, contractor = standing.role, standing.record.contractor
    result = admitted(role.trust, role_arn=role.arn)
    more = [
        *(f"account {account}" for account in result.accounts if account != contractor),
        *result.others,
        *result.ids,
    ]
    more += ["accounts that are not named"] if result.anybody else []
    if result.unknown:
        yield Difference("who is admitted", f"account {contractor} alone", f"not known: {result.unknown}")
    elif more or contractor not in result.accounts:
        yield Difference("who is admitted", f"account {contractor} alone", ", ".join(more) or "not that account")
