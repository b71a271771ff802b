"""Adopt a role that valetkey did not create: a record on the role makes it a grant; its trust policy does not change.

Rules:
- The trust policy decides, by proof: it admits exactly one outside account, under terms that are proved. The role's
  name, description and tags are not used.
- INVARIANT: nothing that adopting writes gives anyone more access, except a new end or ExternalId that the owner names.
  It adds tags, and with an end the dated deny; with `tighten` the trust policy is replaced by one that valetkey writes,
  proved before and after it is written, after the grant's own denies are on the role.
- An ExternalId is never invented: the contractor would not know it.
- Running it again reads and plans again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from valetkey.account.calls import Call, Perform
from valetkey.catalog import limits
from valetkey.commandline import command
from valetkey.errors import ValetkeyError
from valetkey.exchange.files import AccessRequest, Received
from valetkey.grants.grant import PREFIX, REVOKED, UNTIL, VERSION, Grant, in_tag, instant, terms_digest
from valetkey.grants.history import is_change
from valetkey.grants.make import prove
from valetkey.grants.missing import no_role
from valetkey.grants.plan import check
from valetkey.grants.policies import current_versions
from valetkey.grants.prepare import check_size
from valetkey.grants.role import LiveRole, Owner, canonical, compact, read_role
from valetkey.grants.stacks import Stack, stack_of
from valetkey.grants.status import Standing, proof, read_claimed, terms_on
from valetkey.trust.record import ADOPTED, OWN, PAUSED, SESSIONS, ForeignRole, pair
from valetkey.trust.self_denies import dated_deny, read_dated_deny
from valetkey.trust.terms import Terms
from valetkey.trust.writing import write_trust

if TYPE_CHECKING:
    from valetkey.trust.adopting import Admitted, ReadTerms
    from valetkey.trust.showing import ProvedTrust

RESERVED = ("/aws-reserved/", "/aws-service-role/")
"""Paths of roles that AWS manages (IAM User Guide, id_roles_create-service-linked-role; Identity Center)."""


class NotAdopted(ValetkeyError):
    """A role that cannot be adopted. Nothing was changed."""

    exit_code = 1


@dataclass(frozen=True, kw_only=True)
class Wish:
    """The owner's options for adopting a role."""

    name: str
    until: datetime | None = None
    never: bool = False
    tighten: bool = False
    external_id: str | None = None
    request: Received | None = None


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """A checked and planned adoption."""

    owner: Owner
    role: LiveRole
    contractor: str
    others: tuple[str, ...]
    """Others who are admitted, in words: the role's own account, services, identity providers."""
    terms: Terms
    """The terms that the present trust policy requires."""
    proof: ProvedTrust
    """The proof of the present trust policy; with `tightened`, of the trust policy that is written."""
    until: datetime | None
    """The end of the grant, from the trust policy or the dated deny."""
    weak: tuple[str, ...]
    """Weaknesses, a sentence each with advice; empty for a role that is tightened."""
    stack: Stack
    tightened: Grant | None
    """The grant that the role becomes with `tighten`, otherwise None."""
    record: Mapping[str, str]
    """The tags of the record."""
    calls: tuple[Call, ...]
    """Empty if the role is already adopted like this."""


def prepare_adoption(wish: Wish, *, owner: Owner, perform: Perform, now: datetime) -> Adoption:
    """Read, check, plan and prove; writes nothing. Raises NotAdopted, TermsError, LimitError, NotProved, CallError."""
    role = read_role(perform, wish.name)
    if role is None:
        raise no_role(perform, wish.name, owner.account, do="See `valetkey adopt --all`.")
    whole = whole_grant(role)
    if whole is not None and whole.terms is not None and (shown := proof(whole)) is not None and shown.holds:
        _check_request(wish, whole.record.contractor)
        _check_agreed(wish, whole, whole.terms)
        return Adoption(
            owner=owner,
            role=role,
            contractor=whole.record.contractor,
            others=(),
            terms=whole.terms,
            proof=shown,
            until=whole.record.until,
            weak=(),
            stack=Stack(),
            tightened=None,
            record={key: value for key, value in role.tags.items() if key.startswith(PREFIX)},
            calls=(),
        )
    result, read = judge(role)
    contractor, terms = read.terms.contractor, read.terms
    _check_request(wish, contractor)
    until = _end(wish, role, terms, now)
    stack = stack_of(perform, role.name)
    grant = _tightened(wish, role, result, terms, until, owner) if wish.tighten else None
    weak: tuple[str, ...] = ()
    if grant is not None:
        grant = replace(grant, versions=current_versions(perform, grant.managed))
        if terms_on(role, contractor) != grant.terms:
            check_size(write_trust(grant.terms), perform)
        record, shown, denies = grant.record, prove(write_trust(grant.terms), grant), grant.denies
    else:
        denies = {UNTIL: dated_deny(until)} if until is not None and until != terms.until else {}
        record, shown, weak = _record(role, terms, until, denies), read.shown, tuple(_weak(role, read, until))
    calls = (
        *_puts(role, denies),
        *([] if grant is None or terms_on(role, contractor) == grant.terms else [_trust(grant)]),
        *plan_tags(role, record),
    )
    own = [key for key in role.tags if not key.startswith(PREFIX) or is_change(key)]
    if len(own) + len(record) > limits.TAGS_MAX:
        raise NotAdopted(
            f"the role has {len(own)} tags, and the record takes {len(record)}: more than AWS's {limits.TAGS_MAX}",
            do="remove tags that you do not need",
        )
    return Adoption(
        owner=owner,
        role=role,
        contractor=contractor,
        others=result.others,
        terms=terms,
        proof=shown,
        until=until,
        weak=weak,
        stack=stack,
        tightened=grant,
        record=record,
        calls=calls,
    )


def _check_request(wish: Wish, contractor: str) -> None:
    if wish.request is not None and wish.request.value.account != contractor:
        raise NotAdopted(
            f"the request is of account {wish.request.value.account}, and the role admits {contractor}",
            do="ask the contractor for the right request",
        )


_AGAIN = timedelta(hours=1)
"""The tolerance for the end when the same command runs again: an end like 30d counts from each run."""


def _check_agreed(wish: Wish, whole: Standing, terms: Terms) -> None:
    """Check that the options match the record of a role that is already a grant. Raises NotAdopted."""
    name, until = whole.role.name, whole.record.until
    same_end = wish.until is None or (until is not None and abs(wish.until - until) <= _AGAIN)
    if not same_end or (wish.never and until is not None):
        other, do = "another end", command("valetkey change", name, then="--until DATE")
    elif _given_id(wish) not in (None, terms.external_id):
        other, do = "another ExternalId", command("valetkey rotate", name, then="--external-id ID")
    else:
        return
    raise NotAdopted(
        f"{name} is already a grant, and you asked for {other}",
        do=f"use `{do}`; nothing was changed",
        where=whole.role.arn,
    )


def _given_id(wish: Wish) -> str | None:
    return wish.external_id or (wish.request.value.external_id if wish.request else None)


def judge(role: LiveRole) -> tuple[Admitted, ReadTerms]:
    """Return who is admitted, and the terms of the one outside account. Raises NotAdopted."""
    from valetkey.trust.adopting import admitted, read_by_proof

    where = role.arn
    if role.path.startswith(RESERVED):
        raise NotAdopted(f"{role.name} is a role that AWS creates and manages", do="choose another role", where=where)
    if REVOKED in role.inline:
        raise NotAdopted(
            f"a revocation of {role.name} is in progress: it denies everything",
            do=f"finish it with `{command('valetkey revoke', role.name)}`, or remove the policy {REVOKED} first",
            where=where,
        )
    result = admitted(role.trust, role_arn=role.arn)
    if result.unknown:
        raise NotAdopted(
            f"it is not decided whom {role.name} admits: {result.unknown}",
            do="make its trust policy simpler; `valetkey who` shows what is known",
            where=where,
        )
    many = [f"account {item}" for item in result.accounts] + [f"the user or role {id_}" for id_ in result.ids]
    many += ["every AWS account"] if result.anybody else []
    if len(many) != 1 or len(result.accounts) != 1:
        said = f"{role.name} admits {', '.join(many)}" if many else f"{role.name} admits no outside account"
        raise NotAdopted(
            f"{said}; a grant is for exactly one",
            do="give each of them a separate role with `valetkey grant`" if many else "choose another role",
            where=where,
        )
    (account,) = result.accounts
    read = read_by_proof(role.trust, account, role_arn=role.arn)
    if read is None:
        raise NotAdopted(
            f"it could not be proved under which terms {role.name} admits account {account}",
            do="make its trust policy simpler; `valetkey who` shows what it admits",
            where=where,
        )
    return result, read


def _end(wish: Wish, role: LiveRole, terms: Terms, now: datetime) -> datetime | None:
    there = read_dated_deny(role.inline.get(UNTIL))
    if wish.never and (there or terms.until):
        raise NotAdopted(
            f"{role.name} has an end: {instant(there or terms.until)}", do="leave --until out, or give a later end"
        )
    if wish.until is None:
        return min(filter(None, (there, terms.until)), default=None)
    if terms.until is not None and wish.until > terms.until and not wish.tighten:
        raise NotAdopted(
            f"the trust policy ends at {instant(terms.until)}, before --until",
            do="give an earlier end, or replace the trust policy with --tighten",
        )
    return wish.until


def _weak(role: LiveRole, read: ReadTerms, until: datetime | None) -> list[str]:
    result = list(read.weak)
    if until is None:
        result.append("it has no end: `--until 90d` sets one")
    names = {arn.rsplit("/", 1)[-1] for arn in role.managed}
    if "AdministratorAccess" in names:
        result.append("AdministratorAccess lets them do everything, also in ways that outlive this role")
    if "ReadOnlyAccess" in names:
        result.append(
            "ReadOnlyAccess reads your data too (S3 objects, table items): SecurityAudit and ViewOnlyAccess "
            "read settings; `valetkey change` replaces it once the role is tightened"
        )
    return result


def _record(
    role: LiveRole, terms: Terms, until: datetime | None, denies: Mapping[str, Mapping[str, Any]]
) -> dict[str, str]:
    from valetkey.trust.reading import trust_digest

    inline = {name: document for name, document in {**role.inline, **denies}.items() if name not in (SESSIONS, PAUSED)}
    said: dict[str, str | None] = {
        "version": VERSION,
        "origin": ADOPTED,
        "contractor": terms.contractor,
        "terms": terms_digest(terms),
        "trust": trust_digest(role.trust, partition=terms.partition),
        "until": instant(until),
        "external-id-by": "none" if terms.external_id is None else "unknown",
        "session": str(role.max_session),
        "boundary": role.boundary and in_tag(role.boundary),
        **{f"policy:{number}": in_tag(arn) for number, arn in enumerate(sorted(role.managed), 1)},
        **{f"inline:{number}": pair(name, inline[name]) for number, name in enumerate(sorted(inline), 1)},
    }
    return {PREFIX + key: value for key, value in said.items() if value is not None}


def _tightened(
    wish: Wish, role: LiveRole, result: Admitted, terms: Terms, until: datetime | None, owner: Owner
) -> Grant:
    if result.others:
        raise NotAdopted(
            f"{role.name} was not tightened: {', '.join(result.others)} can also assume it and would lose access",
            do="give the contractor a role of its own with `valetkey grant`",
            where=role.arn,
        )
    request: AccessRequest | None = wish.request.value if wish.request else None
    external_id = _given_id(wish) or terms.external_id
    if external_id is None:
        raise NotAdopted(
            f"{role.name} requires no ExternalId of every caller, and valetkey does not invent one: "
            "the contractor would not know it",
            do="give the one that you agreed on with --external-id, or the contractor's --request",
            where=role.arn,
        )
    pin = tuple(arn for arn in terms.pin if arn not in terms.orphans)
    if terms.pin and not pin:
        raise NotAdopted(f"every principal that {role.name} names was deleted", do="revoke it", where=role.arn)
    named = (*terms.only, *pin)
    mfa = not any(":role/" in item for item in named)
    wanted = replace(
        terms,
        external_id=external_id,
        mfa=mfa,
        mfa_max_age=terms.mfa_max_age if mfa else None,
        pin=pin,
        whole_account=False,
        until=until,
    )
    grant = Grant(
        name=role.name,
        account=owner.account,
        terms=wanted,
        managed=role.managed,
        inline=tuple((name, text) for name, text in role.inline.items() if name not in OWN),
        max_session=role.max_session or limits.ROLE_SESSION_MIN,
        boundary=role.boundary,
        tags=tuple((key, value) for key, value in role.tags.items() if not key.startswith(PREFIX)),
        description=role.description or "",
        path=role.path,
        external_id_by="contractor" if request else "unknown" if external_id == terms.external_id else "owner",
        request=wish.request.fingerprint if wish.request else None,
        user_id=request.user_id if request else None,
    )
    check(grant)
    return grant


def _puts(role: LiveRole, denies: Mapping[str, Mapping[str, Any]]) -> list[Call]:
    return [
        Call("iam", "put_role_policy", {"RoleName": role.name, "PolicyName": name, "PolicyDocument": compact(document)})
        for name, document in denies.items()
        if canonical(role.inline.get(name, {})) != canonical(document)
    ]


def _trust(grant: Grant) -> Call:
    document = compact(write_trust(grant.terms))
    return Call("iam", "update_assume_role_policy", {"RoleName": grant.name, "PolicyDocument": document})


def plan_tags(role: LiveRole, record: Mapping[str, str]) -> list[Call]:
    """Plan the tags of the record. They come last: until they are written, the role is not a grant."""
    new = [{"Key": key, "Value": value} for key, value in record.items() if role.tags.get(key) != value]
    old = [key for key in role.tags if key.startswith(PREFIX) and key not in record and not is_change(key)]
    calls = [Call("iam", "tag_role", {"RoleName": role.name, "Tags": new})] if new else []
    return [*calls, *([Call("iam", "untag_role", {"RoleName": role.name, "TagKeys": sorted(old)})] if old else [])]


def whole_grant(role: LiveRole) -> Standing | None:
    """Return the grant that this role already is: written by valetkey and matching its record; else None."""
    try:
        standing = read_claimed(role)
    except ForeignRole:
        return None
    return None if standing.drift or standing.record.is_adopted or standing.revoking else standing


@dataclass(frozen=True)
class Candidate:
    """A role that admits an outside party and is not a grant."""

    role: LiveRole
    contractor: str
    """Empty if the role cannot be adopted."""
    weak: tuple[str, ...]
    why_not: str
    """Why it cannot be adopted; empty if it can."""


def candidates(roles: Iterable[LiveRole]) -> tuple[Candidate, ...]:
    """Return the roles of an account that admit an outside party and are not grants that match their record."""
    from valetkey.trust.adopting import admitted

    result = []
    for role in sorted(roles, key=lambda live_role: live_role.name.lower()):
        if role.path.startswith(RESERVED) or _is_agreed(role) or not admitted(role.trust, role_arn=role.arn).outsiders:
            continue
        try:
            _, read = judge(role)
        except NotAdopted as problem:
            result.append(Candidate(role, "", (), problem.what))
        else:
            weak = _weak(role, read, read_dated_deny(role.inline.get(UNTIL)) or read.terms.until)
            result.append(Candidate(role, read.terms.contractor, tuple(weak), ""))
    return tuple(result)


def _is_agreed(role: LiveRole) -> bool:
    try:
        return not read_claimed(role).drift
    except ForeignRole:
        return False
