"""Prepare a change of a grant in place: check everything that can be known, plan the steps, prove the trust policy.

The role, its ARN and its unique id stay. Policies are read only if policies or the boundary change, so an extension
takes few calls. There is no rollback: after an interrupted run, the access is within the old or the new terms. The same
command reads and plans again, and relative times ("30d") count from the first run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from valetkey.account.calls import Perform
from valetkey.catalog import limits
from valetkey.commandline import command
from valetkey.errors import ValetkeyError
from valetkey.grants import history
from valetkey.grants.change_plan import Cut, Step, plan_change
from valetkey.grants.drifted import as_noted, bases, is_as_recorded, is_drifted, refusal, wanted_from
from valetkey.grants.edit import Edit, RecordedGrant, base_of, edited
from valetkey.grants.grant import Grant, terms_digest
from valetkey.grants.make import prove
from valetkey.grants.missing import no_grant
from valetkey.grants.plan import check
from valetkey.grants.policies import (
    Managed,
    check_words,
    find_managed,
    from_files,
    is_file,
    managed_arn,
    managed_policy,
    versions_of,
)
from valetkey.grants.prepare import check_quota, check_size, opened
from valetkey.grants.role import Owner, read_role
from valetkey.grants.semantics import Meaning, People, meaning, people
from valetkey.grants.status import Standing, read_standing
from valetkey.grants.taken import PolicyEffect, kind
from valetkey.trust.drift_words import is_restorable
from valetkey.trust.record import CHANGES, Changing
from valetkey.trust.writing import write_trust

if TYPE_CHECKING:
    from valetkey.prover.effective_permissions import Opening
    from valetkey.trust.showing import ProvedTrust


@dataclass(frozen=True, kw_only=True)
class Changed:
    """A checked and planned change, with the proof of its trust policy and its meaning."""

    owner: Owner
    standing: Standing
    old: Grant
    wanted: Grant
    meaning: Meaning
    people: People
    opening: Opening | None
    """The actions that the policies of the wanted grant allow; None if neither policies nor boundary change."""
    proof: ProvedTrust
    steps: tuple[Step, ...]
    """Empty if the grant is already as wanted."""
    kinds: Mapping[str, PolicyEffect]
    changing: Changing
    entry: str
    again: bool
    """Whether this continues an interrupted change."""

    @property
    def cuts(self) -> bool:
        """Whether existing sessions are denied."""
        return any(isinstance(step, Cut) for step in self.steps)


def prepare_change(
    name: str,
    edit_at: Callable[[datetime], Edit],
    *,
    owner: Owner,
    perform: Perform,
    read: Callable[[str], str],
    now: datetime,
) -> Changed:
    """Check, look up, plan and prove; writes nothing. `edit_at` returns the wanted edit for the time from which
    relative times count; `read` returns the text of a policy file.

    Raises ValetkeyError of every kind in this package: bad input, a grant that differs from its record, NotProved,
    CallError.
    """
    edit = edit_at(now)
    words = (*edit.asked.policies, *edit.add_policies)
    check_words((*words, *edit.remove_policies))
    inline = from_files(words, read=read)
    role = read_role(perform, name)
    if role is None:
        raise no_grant(perform, name, owner.account)
    standing = read_standing(role)
    base = _changeable(standing)
    again = standing.record.changing is not None
    managed, added = (_named(item, perform, owner) for item in (edit.asked.policies, edit.add_policies))
    arns = {policy.arn: policy for policy in (*managed, *added)}

    # For a policy that is already on the role, the current version is not the one that was granted. Naming it with
    # --add-policy accepts the current version.
    now_agreed = [policy for arn, policy in arns.items() if arn not in base.grant.managed or policy in added]
    versions = dict(base.grant.versions) | dict(versions_of(now_agreed))

    def wanted_at(when: datetime, start: RecordedGrant = base) -> Grant:
        made = edited(
            start,
            edit_at(when),
            managed=[policy.arn for policy in managed],
            added=[policy.arn for policy in added],
            inline=inline,
            now=when,
            gone=lambda what: again or (newest is not None and newest.names(what)),
        )
        return replace(made, versions=tuple((arn, versions[arn]) for arn in made.managed if arn in versions))

    begun = standing.record.changing
    newest = _newest(standing, now)
    if is_drifted(standing) and not again:
        wanted = wanted_from(base, standing, edit, lambda start: wanted_at(now, start))
    else:
        wanted = _as_begun(base, standing, edit, wanted_at, (now, begun.at if begun is not None else _instant(newest)))
    if wanted.boundary is not None:
        managed_arn(wanted.boundary)
    check(wanted)
    if len(wanted.tags) + len(wanted.record) + CHANGES + 1 > limits.TAGS_MAX:
        raise ValetkeyError(
            f"the role would have more than AWS's {limits.TAGS_MAX} tags, with the record and its latest changes",
            do="give fewer --tag options or policies",
        )
    if wanted.terms != base.grant.terms:
        check_size(write_trust(wanted.terms), perform)
    old, documents = base.grant, None
    if _touches_policies(standing, old, wanted):
        check_quota(len(wanted.managed), perform)
        documents = _documents(standing, old, wanted, arns, perform, owner)
    touched = people(old.terms, wanted.terms, role_arn=wanted.role_arn, now=now)
    means = meaning(old, wanted, documents=documents, now=now)
    kinds = {arn: kind(document) for arn, document in (documents or {}).items()}
    changing = Changing(
        at=begun.at if begun else now.replace(microsecond=0),
        was=begun.was if begun else terms_digest(old.terms),
        cuts=touched.refuses or (begun is not None and begun.cuts),
    )
    words_of = " and ".join(f"{what} {element} to {other}" for what, element, other in _masked(means.fields))
    entry = history.entry(words_of, at=now, caller=owner.arn)
    changed = Changed(
        owner=owner,
        standing=standing,
        old=old,
        wanted=wanted,
        meaning=means,
        people=touched,
        opening=None if documents is None else _opening(wanted, documents),
        proof=prove(write_trust(wanted.terms), wanted),
        steps=(),
        kinds=kinds,
        changing=changing,
        entry=entry,
        again=again,
    )
    return replace(changed, steps=steps_of(changed, standing))


def _as_begun(
    base: RecordedGrant,
    standing: Standing,
    edit: Edit,
    wanted_at: Callable[[datetime, RecordedGrant], Grant],
    moments: tuple[datetime, datetime | None],
) -> Grant:
    """Return the wanted grant. For a change that was run before, possibly from a drifted trust policy, it is the one
    that was wanted then."""
    begun, record = standing.record.changing, standing.record
    starts = (base, *(bases(base, record) if begun is not None else ()))
    for start in starts:
        for when in reversed(moments):
            if when is not None and is_as_recorded(wanted := wanted_at(when, start), record):
                return wanted if begun is None else as_noted(wanted, base, edit)
    return wanted_at(moments[0], base)


_AGAIN = timedelta(hours=1)
"""For how long after a change the same command counts as a repetition of it, for example after its output was lost.
Relative times then count from the first run."""


def _newest(standing: Standing, now: datetime) -> history.Change | None:
    """Return the newest change of the role if it is recent enough to be the requested one."""
    newest = next(iter(history.read(standing.record.changes)), None)
    at = _instant(newest)
    return newest if at is not None and timedelta(0) <= now - at <= _AGAIN else None


def _instant(change: history.Change | None) -> datetime | None:
    try:
        return None if change is None else datetime.strptime(change.at, "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return None


def _changeable(standing: Standing) -> RecordedGrant:
    """Return the grant if it matches its record or a change of it was interrupted. Raises ValetkeyError (exit code
    1)."""
    name, record, terms = standing.role.name, standing.record, standing.terms
    if standing.revoking:
        raise ValetkeyError(
            f"a revocation of {name} is in progress", do=f"finish it: `{command('valetkey revoke', name)}`", exit_code=1
        )
    if record.is_adopted:
        raise ValetkeyError(
            f"{name} was made by other means and adopted: `valetkey change` does not edit its trust policy",
            do=f"`{command('valetkey adopt', name, then='--tighten')}` replaces it; `adopt --until` moves the end",
            where=standing.role.arn,
            exit_code=1,
        )
    # Drift that the record can correct is corrected by this change: every plan begins with the present role. From a
    # trust policy that somebody else has changed, `wanted_from` takes only agreed terms.
    drift = [difference for difference in standing.drift if not is_restorable([difference])]
    changing = record.changing
    known = terms is not None and changing is not None and terms_digest(terms) in (changing.was, record.terms)
    if terms is None or (drift and not known and (changing is not None or not is_drifted(standing))):
        raise refusal(standing)
    return base_of(standing, terms)


def _named(words: tuple[str, ...], perform: Perform, owner: Owner) -> tuple[Managed, ...]:
    named = [word for word in words if not is_file(word)]
    return find_managed(named, perform, owner) if named else ()


def _touches_policies(standing: Standing, old: Grant, wanted: Grant) -> bool:
    role = standing.role
    there = (sorted(role.managed), role.boundary, dict(old.inline))
    return there != (sorted(wanted.managed), wanted.boundary, dict(wanted.inline)) or bool(
        set(standing.record.inline) - set(role.inline)
    )


def _documents(
    standing: Standing,
    old: Grant,
    wanted: Grant,
    known: Mapping[str, Managed],
    perform: Perform,
    owner: Owner,
) -> dict[str, Mapping[str, Any] | None]:
    """Return the documents of all managed policies and boundaries, old and new. One that is removed may be unreadable
    (None)."""
    keeps = [*wanted.managed, *([wanted.boundary] if wanted.boundary else [])]
    drops = [*standing.role.managed, *old.managed, *(item for item in (old.boundary, standing.role.boundary) if item)]
    documents: dict[str, Mapping[str, Any] | None] = {}
    for arn in dict.fromkeys((*keeps, *drops)):
        if arn in known:
            documents[arn] = known[arn].document
            continue
        try:
            documents[arn] = managed_policy(perform, owner, arn).document
        except ValetkeyError:
            if arn in keeps:
                raise
            documents[arn] = None
    return documents


def _opening(wanted: Grant, documents: Mapping[str, Mapping[str, Any] | None]) -> Opening:
    managed = tuple(Managed(arn, documents[arn] or {}) for arn in wanted.managed)
    boundary = None if wanted.boundary is None else Managed(wanted.boundary, documents[wanted.boundary] or {})
    return opened(wanted, managed, boundary)


def _masked(fields: tuple[tuple[str, str, str], ...]) -> list[tuple[str, str, str]]:
    """Shorten ExternalIds. An ExternalId is no secret, but it identifies the grant: its first characters are enough for
    a note."""
    cut = ("ExternalId", "previous ExternalId")
    return [(what, *(f"{v[:4]}.." if what in cut and v != "none" else v for v in (a, b))) for what, a, b in fields]  # type: ignore[misc]


def steps_of(changed: Changed, standing: Standing) -> tuple[Step, ...]:
    """Return the remaining steps of a change for the present role; empty without readable terms."""
    terms = standing.terms
    if terms is None:
        return ()
    return plan_change(
        changed.wanted,
        standing.role,
        terms,
        people=changed.people,
        kinds=changed.kinds,
        changing=changed.changing,
        entries=standing.record.changes,
        entry=changed.entry,
    )
