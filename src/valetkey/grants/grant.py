"""A grant: a role in the owner's account together with its terms. `trust.record` defines its record on the role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from valetkey.grants.role import LiveRole
from valetkey.trust import record as on_role
from valetkey.trust.record import (
    OWN_ROLE,
    PREFIX,
    REVOKED,
    UNTIL,
    VERSION,
    ForeignRole,
    Record,
    denies,
    digest,
    in_tag,
    instant,
    terms_digest,
    versions_tag,
)
from valetkey.trust.terms import Terms

__all__ = [
    "OWN_ROLE",
    "PREFIX",
    "REVOKED",
    "UNTIL",
    "VERSION",
    "ForeignRole",
    "Grant",
    "Record",
    "denies",
    "digest",
    "in_tag",
    "instant",
    "read_record",
    "terms_digest",
]


@dataclass(frozen=True, kw_only=True)
class Grant:
    """The wanted state of a grant: everything about the role, known before it exists."""

    name: str
    """The role's name; together with the account it identifies the grant."""
    account: str
    """The owner's account: 12 digits."""
    terms: Terms
    managed: tuple[str, ...]
    """ARNs of the managed policies to attach."""
    inline: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    """The owner's policy documents, by inline policy name, without the grant's own denies."""
    max_session: int = 3600
    """MaxSessionDuration in seconds."""
    boundary: str | None = None
    """ARN of the permissions boundary."""
    tags: tuple[tuple[str, str], ...] = ()
    """The owner's own tags."""
    description: str = ""
    path: str = "/"
    external_id_by: str = "valetkey"
    """Who chose the ExternalId: "contractor" (the access request), "owner" (--external-id), "valetkey" (random), or
    "none" if there is none."""
    request: str | None = None
    """Fingerprint of the access request that this grant answers."""
    user_id: str | None = None
    """Unique id of the requesting IAM user, if the request contains it: it identifies the user in CloudTrail."""
    versions: tuple[tuple[str, str], ...] = ()
    """ARN and version ("v12") of AWS managed policies when they were granted. AWS may change them later (`growth`)."""

    @property
    def role_arn(self) -> str:
        """The role's present or future ARN."""
        return f"arn:{self.terms.partition}:iam::{self.account}:role{self.path}{self.name}"

    @property
    def denies(self) -> dict[str, dict[str, Any]]:
        """The grant's own inline denies by policy name. They are written before any policy that allows."""
        return denies(self.role_arn, self.terms.until)

    @property
    def record(self) -> dict[str, str]:
        """The tags that make the role a grant."""
        said: dict[str, str | None] = {
            "version": VERSION,
            "contractor": self.terms.contractor,
            "terms": terms_digest(self.terms),
            "until": instant(self.terms.until),
            "external-id-by": self.external_id_by,
            "request": self.request,
            "user-id": self.user_id,
            "session": str(self.max_session),
            "boundary": self.boundary and in_tag(self.boundary),
            "versions": versions_tag(self.managed, dict(self.versions)),
            **{f"policy:{number}": in_tag(arn) for number, arn in enumerate(sorted(self.managed), 1)},
            **{
                f"inline:{number}": on_role.pair(name, document)
                for number, (name, document) in enumerate(sorted(self.inline, key=lambda item: item[0]), 1)
            },
        }
        return {PREFIX + key: value for key, value in said.items() if value is not None}


def read_record(role: LiveRole) -> Record:
    """Read the record of the grant from the role's tags. Raises ForeignRole."""
    return on_role.read_record(role.tags, name=role.name, arn=role.arn)
