"""The meaning of a change: who is newly admitted or refused, and which permissions are added or removed. By proof, and
in words.

Rules:
- The words come from the terms, field by field. Whether the change admits or refuses anyone at all is proved
  (`prover.prove`, in both directions): "no caller" requires a proof. Without a proof, a caller is assumed.
- `people` ignores ends: it compares who is admitted, not until when.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from valetkey.catalog import limits
from valetkey.catalog.actions import level
from valetkey.grants.grant import Grant, instant
from valetkey.grants.status import differing_terms
from valetkey.policy import parse_policy
from valetkey.prover import Proof, prove
from valetkey.prover.action_sets import LEVELS
from valetkey.prover.effective_permissions import open_actions
from valetkey.trust.reference import as_policy
from valetkey.trust.terms import Terms


@dataclass(frozen=True)
class People:
    """How a change of terms affects who is admitted, without the ends."""

    admits: bool
    """The new terms admit a caller that the old terms refuse."""
    refuses: bool
    """The new terms refuse a caller that the old terms admit."""


@dataclass(frozen=True)
class Permissions:
    """The effect of a change of policies and boundary: actions by AWS's access level."""

    adds: Mapping[str, tuple[str, ...]]
    removes: Mapping[str, tuple[str, ...]]
    otherwise: bool
    """The actions are the same, and the documents differ in resources or conditions."""
    unread: tuple[str, ...]
    """Policies of the present grant that could not be read."""
    undecided: str = ""
    """Why the policies were not fully analyzed, or empty. Actions that were not analyzed count as allowed."""


@dataclass(frozen=True)
class Meaning:
    """A change in words, with the proved parts."""

    adds: tuple[str, ...]
    """Calls to assume the role that are newly admitted; empty: proved that there are none."""
    removes: tuple[str, ...]
    permissions: Permissions | None
    """None if neither policies nor boundary change."""
    fields: tuple[tuple[str, str, str], ...]
    """Every field that changes: its name, the old and the new value."""


def people(old: Terms, new: Terms, *, role_arn: str, now: datetime) -> People:
    """Return whether the new terms admit callers that the old ones refuse, and the reverse."""
    stopped = _revives(old, new, now)
    if not stopped and replace(old, until=None) == replace(new, until=None):
        return People(False, False)
    one, other = _undated(old, now, expired=stopped), _undated(new, now)
    if one is None:
        return People(admits=True, refuses=False)
    return People(
        admits=not (other is not None and _within(other, one, role_arn)),
        refuses=not (other is not None and _within(one, other, role_arn)),
    )


def _revives(old: Terms, new: Terms, now: datetime) -> bool:
    """Whether the new end may allow sessions again that only the old end denies, from an ExternalId that has expired.
    The role's sessions with the previous ExternalId continue after it has expired; a later end must not revive them."""
    ended, expired = old.until, old.previous_until
    if ended is None or expired is None or (new.until is not None and new.until <= now):
        return False
    return ended <= now and expired <= now < expired + timedelta(seconds=limits.SESSION_MAX)


def _undated(terms: Terms, now: datetime, *, expired: bool = False) -> Terms | None:
    """Return the terms without their ends and without deleted principals; None if no principal is left. `expired`:
    with a previous ExternalId that has expired too."""
    if terms.pin and set(terms.pin) == set(terms.orphans):
        return None
    is_dropped = terms.previous_until is not None and terms.previous_until <= now and not expired
    previous = None if is_dropped else terms.previous_external_id
    left = tuple(arn for arn in terms.pin if arn not in terms.orphans)
    return replace(terms, until=None, pin=left, previous_external_id=previous, previous_until=None)


def _within(one: Terms, other: Terms, role_arn: str) -> bool:
    return one == other or isinstance(prove(as_policy(one), within=as_policy(other), resource=role_arn), Proof)


def meaning(
    old: Grant, new: Grant, *, documents: Mapping[str, Mapping[str, Any] | None] | None, now: datetime
) -> Meaning:
    """Return the meaning of a change from one grant to the other.

    `documents` are those of all managed policies and boundaries of both, by ARN, None for one that could not be read.
    It is None if none was read because none changes.
    """
    adds, removes = _words(old.terms, new.terms, now)
    admits = refuses = False
    if old.terms != new.terms:
        admits = not _within(new.terms, old.terms, new.role_arn)
        refuses = not _within(old.terms, new.terms, new.role_arn)
    return Meaning(
        adds=(tuple(adds) or ("calls that the old terms refuse",)) if admits else (),
        removes=(tuple(removes) or ("calls that the old terms admit",)) if refuses else (),
        permissions=None if documents is None else _permissions(old, new, documents),
        fields=tuple(fields(old, new)),
    )


def _permissions(old: Grant, new: Grant, documents: Mapping[str, Mapping[str, Any] | None]) -> Permissions:
    (before, one), (after, other) = _actions(old, documents), _actions(new, documents)
    mine = {*old.managed, *([old.boundary] if old.boundary else [])}
    return Permissions(
        adds=by_level(after - before),
        removes=by_level(before - after),
        otherwise=before == after,
        unread=tuple(sorted(item for item in mine if documents.get(item) is None)),
        undecided=one or other,
    )


def _actions(grant: Grant, documents: Mapping[str, Mapping[str, Any] | None]) -> tuple[frozenset[str], str]:
    named = (*((arn, documents.get(arn)) for arn in grant.managed), *grant.inline)
    boundary = None if grant.boundary is None else documents.get(grant.boundary)
    return open_actions(
        [(name, parse_policy(document, kind="identity")) for name, document in named if document is not None],
        boundary=None if boundary is None else parse_policy(boundary, kind="boundary"),
    )


def by_level(actions: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """Group actions by AWS's access level, sorted; one that AWS does not list counts as a write."""
    result: dict[str, list[str]] = {item: [] for item in LEVELS}
    for action in sorted(actions):
        result[level(action) or "Write"].append(action)
    return {item: tuple(listed) for item, listed in result.items() if listed}


def fields(old: Grant, new: Grant) -> Iterator[tuple[str, str, str]]:
    """Yield every field that differs: its name, the old value and the new one, for people."""
    names = {"only", "pin"}
    for difference in differing_terms(old.terms, new.terms):
        if difference.what not in names:
            yield difference.what, difference.agreed, difference.found
    for name in ("only", "pin"):
        one, other = getattr(old.terms, name), getattr(new.terms, name)
        if one != other:
            yield name, _short(one), _short(other)
    for what, before, after in (
        ("session", f"{old.max_session} s", f"{new.max_session} s"),
        ("boundary", _bare(old.boundary), _bare(new.boundary)),
        ("description", old.description or "none", new.description or "none"),
    ):
        if before != after:
            yield what, before, after
    had, has = _policies(old), _policies(new)
    for name in sorted(had.keys() | has.keys()):
        if name not in has:
            yield "policy", name.rsplit("/", 1)[-1], "none"
        elif name not in had:
            yield "policy", "none", name.rsplit("/", 1)[-1]
        elif had[name] != has[name]:
            yield "policy", name, "another document"
    was, now = dict(old.versions), dict(new.versions)
    for arn in sorted(set(old.managed) & set(new.managed)):
        if was.get(arn) != now.get(arn):
            yield f"version of {_bare(arn)}", was.get(arn, "not recorded"), now.get(arn, "not recorded")
    mine, theirs = dict(old.tags), dict(new.tags)
    for key in sorted(mine.keys() | theirs.keys()):
        if mine.get(key) != theirs.get(key):
            yield f"tag {key}", mine.get(key, "none"), theirs.get(key, "none")


def _policies(grant: Grant) -> dict[str, Any]:
    return {**dict.fromkeys(grant.managed), **dict(grant.inline)}


def _bare(arn: str | None) -> str:
    return arn.rsplit("/", 1)[-1] if arn else "none"


def _short(arns: tuple[str, ...]) -> str:
    return " ".join(arn.split(":", 5)[-1] for arn in arns) or "none"


def _words(old: Terms, new: Terms, now: datetime) -> tuple[list[str], list[str]]:
    adds: list[str] = []
    removes: list[str] = []
    _named(old, new, adds, removes)
    if old.external_id != new.external_id:
        kept = new.previous_external_id is not None and new.previous_external_id == old.external_id
        adds.append("calls with the new ExternalId" if new.external_id else "calls without an ExternalId")
        if kept:
            removes.append(f"calls with the previous ExternalId, from {instant(new.previous_until)} on")
        elif new.external_id:
            removes.append("calls with the previous ExternalId" if old.external_id else "calls without an ExternalId")
    elif old.previous_until != new.previous_until and old.previous_until is not None and old.previous_until > now:
        removes.append("calls with the previous ExternalId, earlier than agreed")
    for without, is_wider in (
        ("calls without MFA", (old.mfa, new.mfa)),
        ("sessions not named after their IAM user", (old.name_people, new.name_people)),
    ):
        if is_wider == (True, False):
            adds.append(without)
        elif is_wider == (False, True):
            removes.append(without)
    for what, had, has in (
        ("setting a source identity", old.source_identity, new.source_identity),
        ("setting session tags", old.session_tags, new.session_tags),
    ):
        if had != has:
            (adds if has else removes).append(what)
    if old.mfa and new.mfa and old.mfa_max_age != new.mfa_max_age:
        longer = new.mfa_max_age is None or (old.mfa_max_age is not None and new.mfa_max_age > old.mfa_max_age)
        limit = old.mfa_max_age if longer else new.mfa_max_age
        (adds if longer else removes).append(f"calls with MFA older than {limit} s")
    if old.until != new.until:
        later = new.until is None or (old.until is not None and new.until > old.until)
        limits = instant(old.until if later else new.until)
        (adds if later else removes).append(f"calls after {limits}")
    return adds, removes


def _named(old: Terms, new: Terms, adds: list[str], removes: list[str]) -> None:
    had, has = set(old.only or old.pin), set(new.only or new.pin)
    if had == has:
        return
    if not has:
        adds.append(f"everyone in account {new.contractor} whom its administrators allow")
    elif not had:
        removes.append(f"everyone in account {new.contractor} except {', '.join(sorted(has))}")
    else:
        adds += sorted(has - had)
        removes += sorted(had - has)
