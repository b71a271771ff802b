"""Grants, plans and receipts as JSON (docs/reference/{grant,list,show,handoff,revoke}.md)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from types import UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from valetkey.grants import history, listing, revoke
from valetkey.grants.grant import PREFIX, Grant, instant
from valetkey.grants.status import Difference
from valetkey.grants.status import Standing as Status
from valetkey.report.results.openings import Opens, Outlives
from valetkey.report.results.proofs import Reach
from valetkey.report.results.shape import Shape, filled, plain, shaped
from valetkey.times import moment
from valetkey.trust.record import OWN
from valetkey.trust.term_rows import as_json
from valetkey.trust.terms import TERMS
from valetkey.trust.terms import Terms as AgreedTerms


def _said(hint: Any) -> Any:
    """Return the type of a term in JSON: times are strings, tuples are lists."""
    if hint is datetime:
        return str
    if get_origin(hint) in (Union, UnionType):
        return Union[tuple(map(_said, get_args(hint)))]  # noqa: UP007 - made of a list
    return list[_said(get_args(hint)[0])] if get_origin(hint) is tuple else hint  # type: ignore[misc]


_HINTS = get_type_hints(AgreedTerms)
_TERMS = [(term.name, _said(_HINTS[term.name])) for term in TERMS]
"""The terms, as `trust.terms` defines them: a new term is added to the JSON and to its schema."""


def _shape(name: str, fields: Sequence[tuple[str, Any]], base: type[Shape] = Shape) -> type[Shape]:
    made = msgspec.defstruct(name, fields, bases=(base,), frozen=True, kw_only=True, module=__name__)
    return cast(type[Shape], made)


Terms = _shape("Terms", _TERMS)


class Call(Shape, frozen=True):
    """One planned call to AWS."""

    action: str
    params: dict[str, Any]


class Proof(Shape, frozen=True):
    """The proof of a trust policy."""

    holds: bool
    failures: list[str]


class Drift(Shape, frozen=True):
    what: str
    agreed: str
    found: str
    missing: bool


class Change(Shape, frozen=True):
    """One change of a grant, as recorded in its tag."""

    at: str
    by: str
    what: str


GrantShape = _shape(
    "Grant",
    [
        ("valetkey", Literal["grant/v1"]),
        ("name", str),
        ("role_arn", str),
        ("account", str),
        *_TERMS,
        ("external_id_by", str),
        ("session", int),
        ("boundary", str | None),
        ("policies", list[str]),
        ("inline", list[str]),
        ("description", str),
        ("path", str),
        ("tags", dict[str, str]),
        ("request", str | None),
        ("user_id", str | None),
    ],
)
"""A grant as agreed; its terms are among its own fields."""

_JUDGED = [("proof", Proof | None), ("opens", Opens)]
Granted = _shape("Granted", [*_JUDGED, ("calls", list[str]), ("notes", list[str])], GrantShape)
"""A grant that was created: its proof, what its policies allow, and the calls performed."""
Planned = _shape("Planned", [*_JUDGED, ("calls", list[Call]), ("notes", list[str])], GrantShape)
"""A grant that a dry run would create."""


class Standing(Shape, frozen=True):
    """A grant in its present state on the role."""

    valetkey: Literal["standing/v1"]
    name: str
    role_arn: str
    account: str
    contractor: str
    state: str
    until: str | None
    days_left: float | None
    terms: Terms | None  # type: ignore[valid-type]
    external_id_by: str
    adopted: bool
    session: int | None
    boundary: str | None
    policies: list[str]
    inline: list[str]
    description: str | None
    tags: dict[str, str]
    request: str | None
    user_id: str | None
    created: str
    last_used: str | None
    suspended: bool
    changes: list[Change]
    drift: list[Drift]


class Shown(Standing, frozen=True):
    proof: Proof | None
    trust: dict[str, Any]
    changed: list[str]
    """What was changed since the grant was agreed, as one sentence each."""
    who: Reach | None
    """Who is admitted now; null without drift."""
    ways_out: list[str]


class Listed(Standing, frozen=True):
    """A grant in a list."""

    marks: list[str]
    problems: list[str]
    denied: int | None
    """Number of calls that AWS refused, from the trail; null: no trail was read."""


class Unread(Shape, frozen=True):
    """A profile with which nothing could be read."""

    profile: str
    problem: str


class Grants(Shape, frozen=True):
    valetkey: Literal["grants/v1"]
    account: str | None
    accounts: list[str]
    grants: list[Listed]
    damaged: list[str]
    unread: list[Unread]
    not_read: list[str]
    """Parts of the trail that could not be read."""
    unseen: list[str]
    """What the trail cannot show."""


class Differing(Shape, frozen=True):
    what: str
    asked: str
    on_role: str


class Differs(Shape, frozen=True):
    valetkey: Literal["differs/v1"]
    name: str
    differs: list[Differing]


class HandedOver(Shape, frozen=True):
    valetkey: Literal["handed-over/v1"]
    file: str
    fingerprint: str
    external_id: str | None
    encrypted: bool


class Removed(Shape, frozen=True):
    what: str
    call: str
    at: str


class Receipt(Shape, frozen=True):
    """The result of a revocation."""

    valetkey: Literal["receipt/v1"]
    name: str
    role_arn: str
    contractor: str
    removed: list[Removed]
    trust_closed: bool
    gone: Literal[True]
    gone_at: str
    other_roles: list[str] | None
    other_roles_undecided: list[str] | None
    waited_seconds: float
    wait_skipped: bool
    deny_put_again: int
    outlives: list[Outlives]
    outlives_unknown: list[str]
    survives: list[str]
    note: str


class Absent(Shape, frozen=True):
    """The role to revoke does not exist."""

    valetkey: Literal["receipt/v1"]
    name: str
    account: str
    removed: list[Removed]
    gone: Literal[True]
    near: list[str]


class Misfit(Shape, frozen=True):
    what: str
    agreed: str
    found: str


class Shut(Shape, frozen=True):
    """A role that was denied and closed, but not deleted."""

    valetkey: Literal["shut/v1"]
    name: str
    role_arn: str
    trust_closed: bool
    gone: Literal[False]
    removed: list[Removed]
    misfits: list[Misfit]


def grant_json(grant: Grant) -> dict[str, Any]:
    """Return a grant as agreed: kind "grant/v1"."""
    own = shaped(
        GrantShape,
        grant,
        valetkey="grant/v1",
        **as_json(grant.terms),
        session=grant.max_session,
        policies=grant.managed,
        inline=[name for name, _ in grant.inline],
        tags=dict(grant.tags),
    )
    return dict(plain(own))


def standing(result: Status, now: datetime) -> Standing:
    """Return a grant in its present state on the role: kind "standing/v1"."""
    role, record = result.role, result.record
    left = None if record.until is None else (record.until - now).total_seconds() / 86400
    return shaped(
        Standing,
        record,
        valetkey="standing/v1",
        name=role.name,
        role_arn=role.arn,
        account=role.account,
        state=result.state(now),
        adopted=record.is_adopted,
        until=instant(record.until),
        days_left=None if left is None else round(max(left, 0), 2),
        terms=None if result.terms is None else as_json(result.terms),
        session=role.max_session if role.max_session is not None else record.session,
        boundary=role.boundary,
        policies=role.managed,
        inline=[name for name in role.inline if name not in OWN],
        description=role.description,
        tags={key: value for key, value in role.tags.items() if not key.startswith(PREFIX)},
        created=moment(role.created),
        last_used=role.last_used and moment(role.last_used),
        suspended=result.suspended(now),
        changes=history.read(record.changes),
        drift=result.drift,
    )


def listed(
    accounts: Sequence[listing.Grants], rows: Sequence[listing.Listed], unread: Sequence[tuple[str, str]], now: datetime
) -> Grants:
    """Return the grants of the accounts, in the order of the rows."""
    ids = [grants.owner.account for grants in accounts]
    alone = len(ids) == 1 and not unread
    return Grants(
        valetkey="grants/v1",
        account=ids[0] if alone else None,
        accounts=ids,
        grants=[
            filled(
                Listed,
                standing(row.standing, now),
                marks=list(row.marks),
                problems=list(row.problems),
                denied=row.denied,
            )
            for row in rows
        ],
        damaged=[name if alone else f"{grants.owner.account}/{name}" for grants in accounts for name in grants.damaged],
        unread=[Unread(profile=name, problem=problem) for name, problem in unread],
        not_read=[line for grants in accounts if grants.trail for line in grants.trail.not_read],
        unseen=list(dict.fromkeys(line for grants in accounts if grants.trail for line in grants.trail.unseen)),
    )


def removed(done: tuple[revoke.Removed, ...]) -> list[Removed]:
    """Return the calls of a revocation."""
    return [shaped(Removed, item, call=item.call.action, at=moment(item.at)) for item in done]


def receipt(done: revoke.Receipt) -> Receipt:
    """Return what a revocation did, and what it cannot undo."""
    others = done.others
    return shaped(
        Receipt,
        done,
        valetkey="receipt/v1",
        removed=removed(done.removed),
        gone=True,
        gone_at=moment(done.gone_at),
        other_roles=None if others is None else others.trusted,
        other_roles_undecided=None if others is None else others.undecided,
        waited_seconds=round(done.waited, 1),
        wait_skipped=done.skipped,
        deny_put_again=done.undone,
        outlives=[Outlives.of(item) for item in done.taken.outlives],
        outlives_unknown=done.taken.unread,
        survives=revoke.SURVIVES,
        note=f"{revoke.SPREADS}. {revoke.NOT_WAITED}" if done.skipped else revoke.SPREADS,
    )


def shut(done: revoke.Shut, misfits: tuple[Difference, ...]) -> Shut:
    """Return a role that was denied and closed, but not deleted."""
    return shaped(Shut, done, valetkey="shut/v1", gone=False, removed=removed(done.done), misfits=misfits)
