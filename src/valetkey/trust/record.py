"""The record of a grant, on the role itself: what was agreed, written as tags and read back.

Rules:
- There is no database. What was agreed is on the role: the trust policy, tags beginning `valetkey:`, the description,
  the boundary, MaxSessionDuration. Whoever may read the role may read all of it; nothing there is a secret.
- A role is ours when its tags say so in a version this code knows; every other role is a ForeignRole, never touched.
- What does not fit into a tag (256 characters, few signs) is recorded by its SHA-256.
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
"""The tag `valetkey:origin` of a role that was made by other means."""
SESSIONS = "valetkey-sessions"
"""The policy of a `SessionsDeny`."""
PAUSED = "valetkey-changing"
"""The policy of a `pause_deny`."""
OWN = frozenset({OWN_ROLE, UNTIL, REVOKED, SESSIONS, PAUSED})
"""The inline policies that valetkey itself puts on a role: all of them only deny."""
CHANGES = 5
"""How many changes are kept on the role."""
CHANGING = f"{PREFIX}changing"
"""The tag of a change that is under way."""


@dataclass(frozen=True)
class Changing:
    """A change that is in progress or was interrupted: the record is the new one, the role may still be the old one."""

    at: datetime
    was: str
    """SHA-256 of the previous terms (`terms_digest`)."""
    cuts: bool
    """Whether existing sessions have to be denied."""

    @property
    def tag(self) -> str:
        """The value of the tag."""
        return f"{instant(self.at)} {self.was}{' cuts' if self.cuts else ''}"


class ForeignRole(ValetkeyError):
    """A role that is not a valetkey grant, or has a record version that is not known. It is not changed."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What the tags of one of our roles say was agreed."""

    contractor: str
    terms: str
    """SHA-256 of the terms (`terms_digest`)."""
    until: datetime | None
    external_id_by: str
    request: str | None
    user_id: str | None
    """The unique id of the IAM user who asked, as the access request gave it."""
    session: int
    boundary: str | None
    managed: tuple[str, ...]
    """Managed policy ARNs as `in_tag` writes them."""
    inline: Mapping[str, str]
    """SHA-256 of each of the owner's inline documents, by policy name."""
    trust: str | None = None
    """Of a role that was made by other means and adopted: the digest of its trust policy (`reading.trust_digest`)."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Which version ("v12") an AWS managed policy had when it was granted, by ARN; those of which that is recorded."""
    changing: Changing | None = None
    changes: tuple[str, ...] = ()
    """The last changes, the newest first, as `history.entry` writes them."""

    @property
    def is_adopted(self) -> bool:
        """Whether the role was made by other means: it carries no deny of valetkey's, and keeps its trust policy."""
        return self.trust is not None


def denies(role_arn: str, until: datetime | None) -> dict[str, dict[str, Any]]:
    """The inline denies that a grant on this role carries, by policy name."""
    dated = {UNTIL: dated_deny(until)} if until else {}
    return {OWN_ROLE: own_role_deny(role_arn), **dated}


def read_record(tags: Mapping[str, str], *, name: str, arn: str) -> Record:
    """What was agreed, from the role's tags. Raises ForeignRole."""
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
    """A document as one text whatever the order of its keys: to compare, and to digest."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def terms_digest(terms: Terms) -> str:
    """SHA-256 of terms as the record keeps it. Fields at their default do not count, so that new ones may come."""
    return digest(plain_terms(terms))


def plain_terms(terms: Terms) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for each in fields(terms):
        value = getattr(terms, each.name)
        if value == each.default:
            continue
        if isinstance(value, datetime):
            value = instant(value)
        plain[each.name] = sorted(value) if isinstance(value, tuple) else value
    return plain


def digest(document: Mapping[str, Any]) -> str:
    """ "sha256:" and 64 hexadecimal digits over the canonical JSON."""
    return "sha256:" + hashlib.sha256(canonical(document).encode()).hexdigest()


def in_tag(text: str) -> str:
    """The text where a tag can hold it, else its digest."""
    try:
        limits.check("tag value", text)
    except limits.LimitError:
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    return text


def instant(when: datetime | None) -> str | None:
    """ "2026-12-31T18:00:00Z"."""
    return moment(when) if when else None


def _moment(text: str | None) -> datetime | None:
    return read_moment(text) if text else None


def _changing(text: str) -> Changing:
    at, was, *more = text.split(" ")
    return Changing(read_moment(at), was, more == ["cuts"])


def _trust(said: Mapping[str, str]) -> str | None:
    """Raises ValueError, KeyError for an origin that this version does not know."""
    if "origin" not in said:
        return None
    if said["origin"] != ADOPTED:
        raise ValueError(f"origin {said['origin']!r}")
    return said["trust"]


def pair(name: str, document: Mapping[str, Any]) -> str:
    """An inline policy in a tag. Its name may hold a comma, which a tag cannot; a colon it cannot hold."""
    return f"{name.replace(',', ':')}@{digest(document)}"


def versions_tag(managed: Sequence[str], versions: Mapping[str, str]) -> str | None:
    """The value of the tag `valetkey:versions`: "1=v12 3=v4", by the numbers of the tags `valetkey:policy:N`."""
    numbered = enumerate(sorted(managed), 1)
    return " ".join(f"{number}={versions[arn]}" for number, arn in numbered if arn in versions) or None


def _versions(said: Mapping[str, str]) -> dict[str, str]:
    """What the tag says; a part that cannot be read counts as not recorded."""
    pairs = re.findall(r"(?:^| )([0-9]{1,2})=(v[0-9]{1,6})(?= |$)", said.get("versions", ""))
    return {said[f"policy:{number}"]: version for number, version in pairs if f"policy:{number}" in said}


def _pair(text: str) -> tuple[str, str]:
    name, at, value = text.rpartition("@")
    if not at:
        raise ValueError(f"{text!r}")
    return name.replace(":", ","), value
