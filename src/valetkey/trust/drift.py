"""Drift: the differences between a role and its record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from valetkey.errors import ValetkeyError
from valetkey.trust.record import (
    PAUSED,
    SESSIONS,
    UNTIL,
    Record,
    denies,
    digest,
    in_tag,
    instant,
    terms_digest,
)
from valetkey.trust.self_denies import pause_deny, read_sessions_deny
from valetkey.trust.terms import Terms

TRUST = "trust policy"
PINNED = "pinned principals"
END = "end in the trust policy"
RECORDED = "the recorded terms"
CONTRACTOR = "contractor"
MANAGED, INLINE, BOUNDARY, SESSION = "managed policy", "inline policy", "boundary", "session limit (s)"
"""Values of `Difference.what`, and RECORDED of `Difference.agreed`."""


@dataclass(frozen=True)
class Difference:
    """One difference between the role and its record, or the owner's options."""

    what: str
    agreed: str
    found: str
    missing: bool = False
    """Whether something agreed is missing, as after an interrupted `grant`."""


def terms_in(document: Mapping[str, Any], *, partition: str, contractor: str) -> Terms | None:
    """The terms of a trust policy, or None when it is not in a form that valetkey writes."""
    from valetkey.trust.reading import read_terms

    try:
        return read_terms(document, partition=partition, contractor=contractor)
    except ValetkeyError:
        return None


def differences(
    record: Record,
    terms: Terms | None,
    *,
    role_arn: str,
    boundary: str | None,
    max_session: int | None,
    managed: Sequence[str],
    inline: Mapping[str, Mapping[str, Any]],
    trust: Mapping[str, Any] | None = None,
) -> Iterator[Difference]:
    """Yield every difference between a role and its record. `terms` are the terms of its current trust policy, None
    when valetkey does not write that form; `managed` are the ARNs of attached policies, `inline` the documents by
    policy name, `trust` the trust policy itself, which is compared for an adopted role."""
    if record.is_adopted:
        yield from _adopted(record, terms, trust or {}, role_arn)
    elif terms is None:
        yield Difference(TRUST, "as valetkey wrote it", "changed: not in a form that valetkey writes")
    elif terms.contractor != record.contractor:
        # Also if the digest matches: then only the tag was changed.
        yield Difference(CONTRACTOR, record.contractor, terms.contractor)
    elif terms_digest(terms) != record.terms:
        if terms.orphans:
            yield Difference(PINNED, "exist", f"deleted: {', '.join(terms.orphans)}")
        elif terms.until != record.until:
            yield Difference(END, _end(record.until), _end(terms.until))
        else:
            yield Difference(TRUST, RECORDED, "other conditions or principals")
    if (boundary and in_tag(boundary)) != record.boundary:
        yield Difference(BOUNDARY, record.boundary or "none", boundary or "none")
    if max_session not in (None, record.session):
        yield Difference(SESSION, str(record.session), str(max_session))
    yield from _managed(managed, record.managed)
    yield from _inline(role_arn, inline, record)


def _adopted(record: Record, terms: Terms | None, trust: Mapping[str, Any], role_arn: str) -> Iterator[Difference]:
    """Compare the trust policy of an adopted role with its digest. If it is unchanged, its terms are those that were
    proved at adoption (`adopting`)."""
    from valetkey.trust.reading import trust_digest

    if trust_digest(trust, partition=role_arn.split(":")[1]) != record.trust:
        yield Difference(TRUST, "as it was when the role was adopted", "changed since")
    elif terms is None:
        yield Difference(TRUST, RECORDED, "other terms than those recorded")
    elif terms.contractor != record.contractor:
        yield Difference(CONTRACTOR, record.contractor, terms.contractor)
    elif record.until != terms.until and UNTIL not in record.inline:
        yield Difference("end", _end(record.until), "neither the trust policy nor a policy says it")


def _end(until: datetime | None) -> str:
    return instant(until) or "none"


def _managed(attached: Sequence[str], recorded: Sequence[str]) -> Iterator[Difference]:
    there = {in_tag(arn): arn for arn in attached}
    for arn in sorted(set(recorded) - set(there)):
        yield Difference(MANAGED, arn, "not attached", missing=True)
    for arn in sorted(set(there) - set(recorded)):
        yield Difference(MANAGED, "none", there[arn])


def _inline(role_arn: str, inline: Mapping[str, Mapping[str, Any]], record: Record) -> Iterator[Difference]:
    # An adopted role has none of these denies, or has them in its record.
    ours = {} if record.is_adopted else denies(role_arn, record.until)
    for name, document in ours.items():
        if name not in inline:
            yield Difference(INLINE, name, "not there", missing=True)
        elif inline[name] != document:
            yield Difference(INLINE, name, f"{name}, changed")
    for name, digested in record.inline.items():
        if name not in inline:
            yield Difference(INLINE, name, "not there", missing=True)
        elif digest(inline[name]) != digested:
            yield Difference(INLINE, name, f"{name}, changed")
    passing = {name for name, is_ours in _PASSING.items() if name in inline and is_ours(inline[name])}
    for name in sorted(set(inline) - set(ours) - set(record.inline) - passing):
        yield Difference(INLINE, "none", name)


_PASSING: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    SESSIONS: lambda document: bool(read_sessions_deny(document)),
    PAUSED: lambda document: document == pause_deny(),
}
"""For each temporary deny of a grant: whether a policy of that name is one. They need no record: a policy that only
denies gives no permissions, whoever wrote it."""
