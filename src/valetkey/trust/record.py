"""The record of a grant, stored as tags on the role itself.

Rules:
- There is no database. The record is on the role: the trust policy, tags beginning with `valetkey:`, the description,
  the boundary, MaxSessionDuration. Anyone who can read the role can read all of it; it contains no secret.
- A role is a grant if its tags have a record version that this code knows; any other role is a ForeignRole and is never
  changed.
- A value that does not fit into a tag (256 characters, few special characters) is recorded as its SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from valetkey.catalog import limits
from valetkey.errors import ValetkeyError
from valetkey.times import moment, read_moment
from valetkey.trust.self_denies import dated_deny, own_role_deny
from valetkey.trust.terms import Terms

PREFIX = "valetkey:"
VERSION = "1"
OWN_ROLE = "valetkey-own-role"
UNTIL = "valetkey-until"
REVOKED = "valetkey-revoked"
ADOPTED = "adopted"
"""The value of the tag `valetkey:origin` on an adopted role."""
SESSIONS = "valetkey-sessions"
"""The inline policy with a `SessionsDeny`."""
PAUSED = "valetkey-changing"
"""The inline policy with a `pause_deny`."""
OWN = frozenset({OWN_ROLE, UNTIL, REVOKED, SESSIONS, PAUSED})
"""The inline policies that valetkey itself puts on a role. They only deny."""
CHANGES = 5
"""Number of changes that are recorded on the role."""
CHANGING = f"{PREFIX}changing"
"""The tag of a change in progress."""


@dataclass(frozen=True)
class Changing:
    """A change that is in progress or was interrupted: the record is the new one, the role may still be the old one."""

    at: datetime
    was: str
    """SHA-256 of the previous terms (`terms_digest`)."""
    cuts: bool
    """Whether the change must deny existing sessions."""

    @property
    def tag(self) -> str:
        """The value of the tag."""
        return f"{instant(self.at)} {self.was}{' cuts' if self.cuts else ''}"


class ForeignRole(ValetkeyError):
    """A role that is not a valetkey grant, or whose record has an unknown version or is damaged. It is not changed."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """The agreement recorded in the tags of a grant's role."""

    contractor: str
    terms: str
    """SHA-256 of the terms (`terms_digest`)."""
    until: datetime | None
    external_id_by: str
    request: str | None
    user_id: str | None
    """The unique id of the requesting IAM user, from the access request."""
    session: int
    boundary: str | None
    managed: tuple[str, ...]
    """Managed policy ARNs as `in_tag` writes them."""
    inline: Mapping[str, str]
    """SHA-256 of each of the owner's inline documents, by policy name."""
    trust: str | None = None
    """For an adopted role: the digest of its trust policy (`reading.trust_digest`)."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """By ARN: the version ("v12") that an AWS managed policy had when it was granted, if recorded."""
    changing: Changing | None = None
    changes: tuple[str, ...] = ()
    """The last changes, newest first, in the format of `history.entry`."""

    @property
    def is_adopted(self) -> bool:
        """Whether the role was adopted: it has none of valetkey's standard denies, and keeps its own trust policy."""
        return self.trust is not None


def denies(role_arn: str, until: datetime | None) -> dict[str, dict[str, Any]]:
    """The standard inline denies of a grant on this role, by policy name."""
    dated = {UNTIL: dated_deny(until)} if until else {}
    return {OWN_ROLE: own_role_deny(role_arn), **dated}


def read_record(tags: Mapping[str, str], *, name: str, arn: str) -> Record:
    """Read the record from the role's tags. Raises ForeignRole."""
    said = {key.removeprefix(PREFIX): value for key, value in tags.items() if key.startswith(PREFIX)}
    if "version" not in said:
        raise ForeignRole(
            f"the role {name} is not a valetkey grant: it does not have the tag {PREFIX}version",
            do="choose another name; `valetkey adopt` makes an existing role a grant, and "
            "`valetkey revoke --unmanaged` ends the access to it",
            where=arn,
        )
    if said["version"] != VERSION:
        raise ForeignRole(
            f"the role {name} was granted by another version of valetkey (record {said['version']})",
            do="update valetkey",
            where=arn,
        )
    try:
        return Record(
            contractor=said["contractor"],
            terms=said["terms"],
            until=_moment(said.get("until")),
            external_id_by=said["external-id-by"],
            request=said.get("request"),
            user_id=said.get("user-id"),
            session=int(said["session"]),
            boundary=said.get("boundary"),
            managed=tuple(value for key, value in sorted(said.items()) if key.startswith("policy:")),
            inline=dict(_pair(value) for key, value in said.items() if key.startswith("inline:")),
            trust=_trust(said),
            versions=_versions(said),
            changing=_changing(said["changing"]) if "changing" in said else None,
            changes=tuple(said[key] for n in range(1, CHANGES + 1) if (key := f"change:{n}") in said),
        )
    except (KeyError, ValueError) as error:
        raise ForeignRole(
            f"the record of the role {name} is damaged: {error} in its {PREFIX}* tags cannot be read",
            do="`valetkey revoke` still works; `valetkey adopt` writes a new record of the role as it is now",
            where=arn,
        ) from None


def canonical(document: Mapping[str, Any]) -> str:
    """The document as canonical JSON, independent of the order of keys: for comparison and digests."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def terms_digest(terms: Terms) -> str:
    """The SHA-256 of terms in the record. Fields with their default value are left out, so that new fields do not
    change it."""
    return digest(plain_terms(terms))


def plain_terms(terms: Terms) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for item in fields(terms):
        value = getattr(terms, item.name)
        if value == item.default:
            continue
        if isinstance(value, datetime):
            value = instant(value)
        plain[item.name] = sorted(value) if isinstance(value, tuple) else value
    return plain


def digest(document: Mapping[str, Any]) -> str:
    """ "sha256:" and the SHA-256 of the canonical JSON, in 64 hexadecimal digits."""
    return "sha256:" + hashlib.sha256(canonical(document).encode()).hexdigest()


def in_tag(text: str) -> str:
    """The text if it is a valid tag value, otherwise its digest."""
    try:
        limits.check("tag value", text)
    except limits.LimitError:
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    return text


def instant(when: datetime | None) -> str | None:
    """Format a time like "2026-12-31T18:00:00Z"; None stays None."""
    return moment(when) if when else None


def _moment(text: str | None) -> datetime | None:
    return read_moment(text) if text else None


def _changing(text: str) -> Changing:
    at, was, *more = text.split(" ")
    return Changing(read_moment(at), was, more == ["cuts"])


def _trust(said: Mapping[str, str]) -> str | None:
    """The recorded digest of an adopted role's trust policy; None for other roles. Raises ValueError for an unknown
    origin, KeyError when the digest is missing."""
    if "origin" not in said:
        return None
    if said["origin"] != ADOPTED:
        raise ValueError(f"origin {said['origin']!r}")
    return said["trust"]


def pair(name: str, document: Mapping[str, Any]) -> str:
    """The tag value for an inline policy. A comma in its name, not valid in a tag, becomes a colon, which is not valid
    in a name."""
    return f"{name.replace(',', ':')}@{digest(document)}"


def versions_tag(managed: Sequence[str], versions: Mapping[str, str]) -> str | None:
    """The value of the tag `valetkey:versions`: "1=v12 3=v4", by the numbers of the tags `valetkey:policy:N`."""
    numbered = enumerate(sorted(managed), 1)
    return " ".join(f"{number}={versions[arn]}" for number, arn in numbered if arn in versions) or None


def _versions(said: Mapping[str, str]) -> dict[str, str]:
    """Parse the tag `valetkey:versions`. Invalid parts count as not recorded."""
    pairs = re.findall(r"(?:^| )([0-9]{1,2})=(v[0-9]{1,6})(?= |$)", said.get("versions", ""))
    return {said[f"policy:{number}"]: version for number, version in pairs if f"policy:{number}" in said}


def _pair(text: str) -> tuple[str, str]:
    name, at, value = text.rpartition("@")
    if not at:
        raise ValueError(f"{text!r}")
    return name.replace(":", ","), value
