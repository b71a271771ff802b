"""Compute the wanted grant from the present grant and the owner's changes.

Rules:
- A given option replaces the value; everything else stays. The role, its ARN and its id always stay.
- The base is the record. After an interrupted change the record is the new one, so the same command again changes
  nothing new; names to remove that are already removed are then not an error.
- A list of principals never becomes empty by removing names: an empty list admits the whole account.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from valetkey.commandline import option
from valetkey.errors import ValetkeyError
from valetkey.grants.grant import PREFIX, Grant, digest, in_tag
from valetkey.grants.options import OwnerOptions
from valetkey.grants.policies import inline_name, is_file
from valetkey.grants.status import Standing
from valetkey.trust.terms import DraftTerms, Terms

ANY_PERSON = "any"
"""The value of --only that removes the list."""
NONE = "none"
"""The value of --boundary and --mfa-max-age that removes them."""


class CannotChange(ValetkeyError):
    """A change that contradicts itself or the grant."""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """The owner's changes: the values in `asked` whose fields are in `given`."""

    asked: OwnerOptions
    given: frozenset[str]
    """Fields of Asked."""
    add_policies: tuple[str, ...] = ()
    remove_policies: tuple[str, ...] = ()
    add_only: tuple[str, ...] = ()
    remove_only: tuple[str, ...] = ()
    overlap: timedelta | None = None
    """How long the previous ExternalId stays valid; None: not at all."""
    later_only: bool = False
    """Whether an end before the present one is refused (`extend`)."""
    request: str | None = None
    """Fingerprint of the access request that brings the ExternalId."""
    user_id: str | None = None


@dataclass(frozen=True)
class RecordedGrant:
    """A grant according to its record."""

    grant: Grant
    unresolved: tuple[str, ...]
    """Policies that the record has only as digests and that are not on the role, from an interrupted change."""


def base_of(standing: Standing, terms: Terms) -> RecordedGrant:
    """Return the grant of a role whose terms can be read."""
    role, record = standing.role, standing.record
    by_tag = {in_tag(arn): arn for arn in role.managed}
    missing = [item for item in record.managed if not item.startswith("arn:") and item not in by_tag]
    inline = []
    for name, recorded in sorted(record.inline.items()):
        document = role.inline.get(name)
        if document is not None and digest(document) == recorded:
            inline.append((name, document))
        else:
            missing.append(name)
    boundary = record.boundary
    if boundary is not None and not boundary.startswith("arn:"):
        boundary = role.boundary
    grant = Grant(
        name=role.name,
        account=role.account,
        terms=terms,
        managed=tuple(by_tag.get(item, item) for item in record.managed if item not in missing),
        inline=tuple(inline),
        max_session=record.session,
        boundary=boundary,
        tags=tuple((key, value) for key, value in role.tags.items() if not key.lower().startswith((PREFIX, "aws:"))),
        description=role.description or "",
        path=role.path,
        external_id_by=record.external_id_by,
        request=record.request,
        user_id=record.user_id,
        versions=tuple(record.versions.items()),
    )
    return RecordedGrant(grant, tuple(missing))


def edited(
    base: RecordedGrant,
    edit: Edit,
    *,
    managed: Sequence[str],
    added: Sequence[str],
    inline: Sequence[tuple[str, Mapping[str, Any]]],
    now: datetime,
    gone: Callable[[str], bool],
) -> Grant:
    """Return the wanted grant.

    `managed` and `added` are the ARNs from --policy and --add-policy, `inline` the documents of the files in both.
    `gone` returns whether a missing item that is to be removed was removed by an earlier run of the same change. Raises
    CannotChange.
    """
    grant, asked = base.grant, edit.asked
    terms = _terms(grant.terms, edit, now=now, gone=gone)
    documents = dict(grant.inline)
    arns = list(grant.managed)
    if "policies" in edit.given:
        arns, documents = list(managed), {}
    for arn in added:
        if arn not in arns:
            arns.append(arn)
    documents.update(inline)
    for word in edit.remove_policies:
        _remove(word, arns, documents, gone=gone)
    left = [item for item in base.unresolved if item not in documents and "policies" not in edit.given]
    if left := [item for item in left if item not in map(_own_name, edit.remove_policies)]:
        raise CannotChange(
            f"an earlier change was interrupted, and its policy {left[0]} is not on the role",
            do="give its file or ARN again with --add-policy, or remove it with --remove-policy",
        )
    tags = dict(grant.tags) | dict(asked.tags if "tags" in edit.given else ())
    by, request, user_id = grant.external_id_by, grant.request, grant.user_id
    if terms.external_id != grant.terms.external_id or edit.request is not None:
        by = "none" if terms.external_id is None else "contractor" if edit.request else "owner"
        request, user_id = edit.request or request, edit.user_id if edit.request else user_id
    return replace(
        grant,
        terms=terms,
        managed=tuple(arns),
        inline=tuple(documents.items()),
        max_session=asked.session if "session" in edit.given and asked.session is not None else grant.max_session,
        boundary=_boundary(asked.boundary) if "boundary" in edit.given else grant.boundary,
        tags=tuple(tags.items()),
        description=(asked.description or "") if "description" in edit.given else grant.description,
        external_id_by=by,
        request=request,
        user_id=user_id,
    )


def _boundary(given: str | None) -> str | None:
    return None if given == NONE else given


def _own_name(word: str) -> str:
    return inline_name(word) if is_file(word) else word


def _remove(
    word: str, arns: list[str], documents: dict[str, Mapping[str, Any]], *, gone: Callable[[str], bool]
) -> None:
    name = _own_name(word)
    if name in documents:
        del documents[name]
        return
    result = [arn for arn in arns if word in (arn, arn.rsplit("/", 1)[-1], arn.split(":policy/")[-1])]
    if len(result) > 1:
        raise CannotChange(f"{word} names {' and '.join(result)}", do="give the ARN")
    if not result and not gone(name.rsplit("/", 1)[-1]):
        have = ", ".join([item.rsplit("/", 1)[-1] for item in arns] + list(documents))
        raise CannotChange(f"the grant has no policy {word}", do=f"it has {have}")
    for arn in result:
        arns.remove(arn)


def _terms(terms: Terms, edit: Edit, *, now: datetime, gone: Callable[[str], bool]) -> Terms:
    values = {item: getattr(edit.asked, item) for item in edit.given if item in DraftTerms.__dataclass_fields__}
    for name in ("only", "from_ip"):
        if values.get(name) == (ANY_PERSON,):
            values[name] = ()
    # The two lists exclude each other: giving one replaces the other.
    for element, other in (("only", "pin"), ("pin", "only")):
        if element in values and other not in values:
            values[other] = ()
    if edit.asked.no_external_id:
        values["external_id"] = None
    # A maximum age is a term only together with MFA.
    if values.get("mfa") is False:
        values.setdefault("mfa_max_age", None)
    wanted = replace(terms, **values)
    wanted = _people(wanted, edit, gone=gone)
    if edit.later_only:
        _check_later(terms, wanted)
    return _external_ids(terms, wanted, edit, now=now)


def _external_ids(terms: Terms, wanted: Terms, edit: Edit, *, now: datetime) -> Terms:
    previous, ends = terms.previous_external_id, terms.previous_until
    if wanted.external_id != terms.external_id:
        previous = ends = None
        if edit.overlap and terms.external_id is not None:
            previous, ends = terms.external_id, (now + edit.overlap).replace(microsecond=0)
    elif ends is not None and ends <= now and wanted != terms:
        previous = ends = None  # it has expired: leave it out of a trust policy that is written anyway
    if ends is not None and wanted.until is not None:
        ends = min(ends, wanted.until)
    return replace(wanted, previous_external_id=previous, previous_until=ends)


def _people(wanted: Terms, edit: Edit, *, gone: Callable[[str], bool]) -> Terms:
    if (edit.add_only or edit.remove_only) and wanted.pin:
        raise CannotChange(
            "the grant uses --pin, and --add-only and --remove-only edit the list of --only",
            do="list all principals with --pin, or with --only",
        )
    only = list(wanted.only)
    if edit.add_only and not only:
        raise CannotChange(
            "the grant already admits everyone in the contractor's account whom its administrators allow",
            do="to admit only these principals, use --only",
        )
    only += [item for item in edit.add_only if item not in only]
    for name in edit.remove_only:
        if name in only:
            only.remove(name)
        elif not gone(name.split(":", 5)[-1]):
            raise CannotChange(f"the grant does not name {name}", do=f"it names {', '.join(only) or 'nobody'}")
    if edit.remove_only and not only:
        raise CannotChange(
            "this removes the last principal that the grant names",
            do="use `valetkey suspend` or `valetkey revoke`; "
            f"to admit the whole account, use {option('--only', ANY_PERSON)}",
        )
    return replace(wanted, only=tuple(only))


def _check_later(terms: Terms, wanted: Terms) -> None:
    if terms.until is None:
        raise CannotChange("the grant has no end", do="set one with `valetkey change --until`")
    if wanted.until is not None and wanted.until < terms.until:
        raise CannotChange(
            f"the grant already ends later, at {terms.until:%Y-%m-%dT%H:%M:%SZ}",
            do="to end it earlier, use `valetkey change --until`; nothing was changed",
        )
