"""A grant as it stands: what was agreed, what the role is now, and where the two differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from valetkey.exchange.files import Handoff
from valetkey.grants.grant import (
    PREFIX,
    REVOKED,
    ForeignRole,
    Record,
    denies,
    digest,
    in_tag,
    instant,
    read_record,
    terms_digest,
)
from valetkey.grants.role import Role, canonical
from valetkey.policy.problem import Problem
from valetkey.trust.terms import Terms
from valetkey.trust.writing import closed_trust

if TYPE_CHECKING:
    from valetkey.trust.showing import Shown

EXTERNAL_ID = "ExternalId"
"""The name of the one difference whose values are masked when printed."""


@dataclass(frozen=True)
class Difference:
    """One point in which the role is not what the record, or the owner, says."""

    what: str
    agreed: str
    found: str
    missing: bool = False
    """Whether something agreed is simply not there yet, as after an interrupted `grant`."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One of our roles, read: its record, its terms, and every difference between the two."""

    role: Role
    record: Record
    terms: Terms | None
    """What the trust policy says now; None when it is not of the shape that valetkey writes."""
    drift: tuple[Difference, ...]

    @property
    def revoking(self) -> bool:
        """Whether a revocation has begun: the unconditional deny is on the role, or all but DeleteRole is done."""
        role = self.role
        bare = not (role.inline or role.managed)
        return REVOKED in role.inline or (bare and canonical(role.trust) == canonical(closed_trust()))

    def state(self, now: datetime) -> str:
        """One word: "revoking", "changed" (differs from its record), "incomplete", "ended" or "open"."""
        if self.revoking:
            return "revoking"
        if any(not each.missing for each in self.drift):
            return "changed"
        if self.drift:
            return "incomplete"
        return "ended" if self.record.until is not None and self.record.until <= now else "open"


def read_standing(role: Role) -> Standing:
    """One of our roles with its record. Raises ForeignRole."""
    record = read_record(role)
    terms = terms_on(role, record.contractor)
    return Standing(role=role, record=record, terms=terms, drift=tuple(_drift(role, record, terms)))


def read_grants(roles: Iterable[Role]) -> tuple[tuple[Standing, ...], tuple[str, ...]]:
    """The grants among an account's roles, by name, and the names of roles whose record cannot be read."""
    grants, damaged = [], []
    for role in sorted(roles, key=lambda each: each.name.lower()):
        if f"{PREFIX}version" in role.tags:
            try:
                grants.append(read_standing(role))
            except ForeignRole:
                damaged.append(role.name)
    return tuple(grants), tuple(damaged)


def proof(standing: Standing) -> Shown | None:
    """What is proved of the role's trust as it is now, against its terms; None when those cannot be read from it."""
    if standing.terms is None:
        return None
    from valetkey.trust.showing import admits_only

    return admits_only(standing.role.trust, standing.terms, role_arn=standing.role.arn)


def hand_over(standing: Standing, *, now: datetime) -> Handoff:
    """The handoff of a grant as it stands. Raises Problem (exit code 1) for one that is not as agreed, or has ended."""
    state = standing.state(now)
    terms = standing.terms
    shown = proof(standing) if state == "open" else None
    if terms is None or shown is None or not shown.holds:
        raise Problem(
            f"{standing.role.name} is not handed over: its state is {'not proved' if state == 'open' else state}",
            do=f"see `valetkey show {standing.role.name}`; an incomplete grant is finished by granting again",
            where=standing.role.arn,
            exit_code=1,
        )
    return Handoff(
        role_arn=standing.role.arn,
        external_id=terms.external_id,
        contractor=terms.contractor,
        partition=terms.partition,
        max_session=standing.record.session,
        mfa=terms.mfa,
        mfa_max_age=terms.mfa_max_age,
        issued=now.replace(microsecond=0),
        until=terms.until,
        principals=terms.only or terms.pin,
        session_name="username" if terms.name_people else None,
        source_identity=terms.source_identity,
        session_tags=terms.session_tags,
        policies=tuple(each.rsplit("/", 1)[-1] for each in standing.role.managed) + tuple(standing.record.inline),
        request=standing.record.request,
    )


def terms_on(role: Role, contractor: str) -> Terms | None:
    """The terms in the role's trust policy, or None when valetkey would not have written it."""
    from valetkey.trust.reading import read_terms

    try:
        return read_terms(role.trust, partition=role.arn.split(":")[1], contractor=contractor)
    except Problem:
        return None


def _drift(role: Role, record: Record, terms: Terms | None) -> Iterator[Difference]:
    if terms is None:
        yield Difference("trust policy", "as valetkey wrote it", "changed: not of a shape that valetkey writes")
    elif terms_digest(terms) != record.terms:
        if terms.contractor != record.contractor:
            yield Difference("contractor", record.contractor, terms.contractor)
        elif terms.orphans:
            yield Difference("pinned principals", "exist", f"deleted: {', '.join(terms.orphans)}")
        elif terms.until != record.until:
            yield Difference("end in the trust policy", str(instant(record.until)), str(instant(terms.until)))
        else:
            yield Difference("trust policy", "the recorded terms", "other conditions or principals")
    boundary = role.boundary and in_tag(role.boundary)
    if boundary != record.boundary:
        yield Difference("boundary", record.boundary or "none", role.boundary or "none")
    if role.max_session not in (None, record.session):
        yield Difference("session limit (s)", str(record.session), str(role.max_session))
    yield from _managed(role.managed, record.managed)
    yield from _inline(role, record)


def _managed(attached: Sequence[str], recorded: Sequence[str]) -> Iterator[Difference]:
    there = {in_tag(arn): arn for arn in attached}
    for arn in sorted(set(recorded) - set(there)):
        yield Difference("managed policy", arn, "not attached", missing=True)
    for arn in sorted(set(there) - set(recorded)):
        yield Difference("managed policy", "none", there[arn])


def _inline(role: Role, record: Record) -> Iterator[Difference]:
    ours = denies(role.arn, record.until)
    for name, document in ours.items():
        if name not in role.inline:
            yield Difference("inline policy", name, "not there", missing=True)
        elif canonical(role.inline[name]) != canonical(document):
            yield Difference("inline policy", name, f"{name}, changed")
    for name, digested in record.inline.items():
        if name not in role.inline:
            yield Difference("inline policy", name, "not there", missing=True)
        elif digest(role.inline[name]) != digested:
            yield Difference("inline policy", name, f"{name}, changed")
    for name in sorted(set(role.inline) - set(ours) - set(record.inline)):
        yield Difference("inline policy", "none", name)


def differing_terms(agreed: Terms, wanted: Terms) -> Iterator[Difference]:
    """Every field in which two sets of terms differ, in words; `found` is the wanted value."""
    for each in fields(agreed):
        one, other = getattr(agreed, each.name), getattr(wanted, each.name)
        if one != other:
            name = EXTERNAL_ID if each.name == "external_id" else each.name.replace("_", " ")
            yield Difference(name, words(one), words(other))


def words(value: Any) -> str:
    """A term's value for a person."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == ():
        return "none"
    if isinstance(value, datetime):
        return str(instant(value))
    if isinstance(value, tuple):
        return ", ".join(value)
    return str(value)
