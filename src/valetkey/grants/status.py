"""The state of a grant: the agreed terms, the present role, and the differences between the two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from valetkey.commandline import command
from valetkey.errors import ValetkeyError
from valetkey.exchange.files import Handoff, check
from valetkey.exchange.syntax import FieldError
from valetkey.grants.grant import OWN_ROLE, PREFIX, REVOKED, ForeignRole, Record, instant, read_record
from valetkey.grants.role import LiveRole, canonical
from valetkey.trust.drift import Difference, differences, terms_in
from valetkey.trust.drift_words import is_readable
from valetkey.trust.record import OWN, SESSIONS
from valetkey.trust.self_denies import SessionsDeny, read_sessions_deny
from valetkey.trust.term_rows import in_handoff
from valetkey.trust.terms import TERMS, Terms
from valetkey.trust.writing import closed_trust

if TYPE_CHECKING:
    from valetkey.trust.showing import ProvedTrust

__all__ = [
    "EXTERNAL_ID_LABEL",
    "Difference",
    "Standing",
    "differing_terms",
    "hand_over",
    "proof",
    "read_claimed",
    "read_grants",
    "read_standing",
    "sessions_deny",
    "terms_on",
    "words",
]

EXTERNAL_ID_LABEL = "ExternalId"
"""The name of the only difference whose values are masked when printed."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The role of a grant as read: its record, its terms, and every difference between the two."""

    role: LiveRole
    record: Record
    terms: Terms | None
    """The terms in the present trust policy; None when it does not have the form that valetkey writes."""
    drift: tuple[Difference, ...]

    @property
    def revoking(self) -> bool:
        """Whether a revocation is in progress: the unconditional deny is on the role, or only DeleteRole remains."""
        role = self.role
        bare = not (role.inline or role.managed)
        return REVOKED in role.inline or (bare and canonical(role.trust) == canonical(closed_trust()))

    @property
    def sessions_deny(self) -> SessionsDeny | None:
        """The deny on sessions of the grant; None if it has none."""
        return sessions_deny(self.role)

    def suspended(self, now: datetime) -> bool:
        """Return whether every session is denied now."""
        deny = self.sessions_deny
        return deny is not None and deny.suspends(now)

    def state(self, now: datetime) -> str:
        """Return one of: "revoking", "changing" (a change is in progress or was interrupted), "changed" (differs from
        its record), "incomplete", "ended", "suspended" or "open"."""
        if self.revoking:
            return "revoking"
        if self.record.changing is not None:
            return "changing"
        if any(not difference.missing for difference in self.drift):
            return "changed"
        if self.drift:
            return "incomplete"
        if self.record.until is not None and self.record.until <= now:
            return "ended"
        return "suspended" if self.suspended(now) else "open"


def sessions_deny(role: LiveRole) -> SessionsDeny | None:
    """Return the role's deny on sessions; None if it has none, or one that valetkey did not write."""
    document = role.inline.get(SESSIONS)
    return None if document is None else read_sessions_deny(document)


def read_standing(role: LiveRole) -> Standing:
    """Return the role of a grant with its record. Raises ForeignRole."""
    record = read_record(role)
    terms = _recorded_terms(role, record)
    return Standing(role=role, record=record, terms=terms, drift=tuple(_drift(role, record, terms)))


def read_claimed(role: LiveRole) -> Standing:
    """Like `read_standing`, but a role with a damaged record, or one of another version, is accepted as a grant that
    matches nothing.

    Anyone who can tag the role can damage the record; that must not keep the owner from revoking. Raises ForeignRole
    for a role without the tag `valetkey:version`.
    """
    try:
        return read_standing(role)
    except ForeignRole as damaged:
        if f"{PREFIX}version" not in role.tags:
            raise
        return unrecorded(role, damaged.what)


def unrecorded(role: LiveRole, why: str) -> Standing:
    """Return a role without a readable record: it matches nothing. `why` is the reason."""
    record = Record(
        contractor=role.tags.get(f"{PREFIX}contractor", ""),
        terms="",
        until=None,
        external_id_by="",
        request=None,
        user_id=None,
        session=0,
        boundary=None,
        managed=(),
        inline={},
    )
    missing = Difference("record", f"tags {PREFIX}* as `valetkey grant` writes them", why)
    return Standing(role=role, record=record, terms=None, drift=(missing,))


def read_grants(roles: Iterable[LiveRole]) -> tuple[tuple[Standing, ...], tuple[str, ...]]:
    """Return the grants among an account's roles, by name, and the names of roles whose record cannot be read: it is
    damaged, or missing while other traces of a grant are on the role."""
    grants, damaged = [], []
    for role in sorted(roles, key=lambda live_role: live_role.name.lower()):
        if OWN_ROLE in role.inline or any(key.startswith(PREFIX) for key in role.tags):
            try:
                grants.append(read_standing(role))
            except ForeignRole:
                damaged.append(role.name)
    return tuple(grants), tuple(damaged)


def proof(standing: Standing) -> ProvedTrust | None:
    """Return the proof that the role's present trust policy matches its terms; None if the terms cannot be read from
    it."""
    if standing.terms is None:
        return None
    from valetkey.trust.showing import admits_only

    if standing.record.is_adopted:
        from valetkey.trust.adopting import admits_at_most

        return admits_at_most(standing.role.trust, standing.terms, role_arn=standing.role.arn)
    return admits_only(standing.role.trust, standing.terms, role_arn=standing.role.arn)


def hand_over(standing: Standing, *, now: datetime) -> Handoff:
    """Return the handoff of a grant in its present state. Raises ValetkeyError (exit code 1) for one that differs from
    its record, or has ended."""
    state = standing.state(now)
    terms = standing.terms
    adopted = standing.record.is_adopted
    is_whole = state in ("open", "suspended")
    shown = proof(standing) if is_whole else None
    if terms is None or shown is None or not shown.holds:
        raise ValetkeyError(
            f"{standing.role.name} is not handed over: its state is {'not proved' if is_whole else state}",
            do=_advice(standing, state),
            where=standing.role.arn,
            exit_code=1,
        )
    if adopted:
        terms = _usable(standing, terms)
        # The end that `adopt` has set is a dated deny; it is not in the trust policy.
        ends = [item for item in (terms.until, standing.record.until) if item is not None]
        terms = replace(terms, until=min(ends, default=None))
    handoff = Handoff(
        role_arn=standing.role.arn,
        max_session=standing.role.max_session or standing.record.session,
        issued=now.replace(microsecond=0),
        **in_handoff(terms),
        policies=tuple(arn.rsplit("/", 1)[-1] for arn in standing.role.managed)
        + tuple(item for item in standing.record.inline if item not in OWN),
        request=standing.record.request,
    )
    try:
        check(handoff)
    except FieldError as error:
        # Created by hand, or by an older valetkey: `accept` would refuse the file.
        raise ValetkeyError(
            f"{standing.role.name} cannot be handed over: {error}",
            do="the path of a role cannot change: revoke it, and grant under another name or path",
            where=standing.role.arn,
            exit_code=1,
        ) from None
    return handoff


def _usable(standing: Standing, terms: Terms) -> Terms:
    """Return what the contractor has to send to be admitted: the terms that the role admits at most may contain too
    little. Raises ValetkeyError (exit code 1) if that is not proved."""
    from valetkey.trust.adopting import to_bring

    usable = to_bring(standing.role.trust, terms, role_arn=standing.role.arn)
    if usable is None:
        name = standing.role.name
        raise ValetkeyError(
            f"{name} is not handed over: it is not proved what the contractor has to send so that the role admits them",
            do=f"replace its trust policy: `{command('valetkey adopt', name, then='--tighten')}`",
            where=standing.role.arn,
            exit_code=1,
        )
    return usable


def _advice(standing: Standing, state: str) -> str:
    """Return what to do about a grant that cannot be handed over, by its state."""
    name, adopted = standing.role.name, standing.record.is_adopted
    match state:
        case "ended":
            ended = command("valetkey adopt" if adopted else "valetkey extend", name, then="--until DATE")
            return f"set a new end: `{ended}`; then hand it over"
        case "revoking":
            return f"a revocation is in progress: finish it with `{command('valetkey revoke', name)}`"
        case "changing":
            return (
                "a change is in progress or was interrupted: finish it with the same `valetkey change`, "
                "then hand it over"
            )
        case "incomplete":
            return "finish it: run the same `valetkey grant` again, then hand it over"
        case _:
            show, change, adopt = (command(f"valetkey {verb}", name) for verb in ("show", "change", "adopt"))
            ways = f"`{adopt}` accepts the role as it is"
            if adopted:
                ways += f", and with --tighten `{adopt}` replaces its trust policy"
            elif is_readable(standing.drift):
                ways = f"`{change}` sets the terms you want, {ways}"
            else:
                ways = f"`{command('valetkey revoke', name)}` ends it, {ways}"
            return f"see who is admitted now: `{show}`; then {ways}"


def terms_on(role: LiveRole, contractor: str) -> Terms | None:
    """Return the terms in the role's trust policy, or None if it does not have the form that valetkey writes."""
    return terms_in(role.trust, partition=role.arn.split(":")[1], contractor=contractor)


def _recorded_terms(role: LiveRole, record: Record) -> Terms | None:
    if not record.is_adopted:
        return terms_on(role, record.contractor)
    from valetkey.trust.adopting import recognized

    return recognized(role.trust, record, partition=role.arn.split(":")[1])


def _drift(role: LiveRole, record: Record, terms: Terms | None) -> Iterator[Difference]:
    return differences(
        record,
        terms,
        role_arn=role.arn,
        boundary=role.boundary,
        max_session=role.max_session,
        managed=role.managed,
        inline=role.inline,
        trust=role.trust,
    )


def differing_terms(agreed: Terms, wanted: Terms) -> Iterator[Difference]:
    """Yield every field in which two sets of terms differ, in words; `found` is the wanted value."""
    for term in TERMS:
        one, other = getattr(agreed, term.name), getattr(wanted, term.name)
        if one != other:
            yield Difference(term.title, words(one), words(other))


def words(value: Any) -> str:
    """Format the value of a term."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == ():
        return "none"
    if isinstance(value, datetime):
        return str(instant(value))
    if isinstance(value, tuple):
        return ", ".join(value)
    return str(value)
