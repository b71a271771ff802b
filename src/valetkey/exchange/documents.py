"""The contents of the two files that the parties exchange, as values."""

from __future__ import annotations

from dataclasses import MISSING, Field, dataclass, field, fields, make_dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, get_type_hints

from valetkey.trust.term_rows import table
from valetkey.trust.terms import Terms


@dataclass(frozen=True, kw_only=True)
class AccessRequest:
    """What the contractor asks for. The owner decides; an access request grants nothing."""

    account: str
    """The contractor's account: 12 digits, from GetCallerIdentity."""
    partition: str
    external_id: str
    """The contractor's ExternalId for this customer: fresh and random (AWS: the third party generates it)."""
    identity: str
    """Kind of base identity: "iam-user", "iam-role", "identity-center", "federated" or "root"."""
    identity_arn: str
    issued: datetime
    user_id: str | None = None
    """The unique id of the IAM user ("AIDA..."). The owner's CloudTrail shows it for the user who assumed the role
    (userIdentity.principalId of a cross-account call; IAM User Guide, cloudtrail-integration)."""
    customer: str = ""
    """The contractor's name for the owner."""
    policies: tuple[str, ...] = ()
    """The policies asked for, by name or ARN."""
    until: datetime | None = None
    session: int | None = None
    """The session length asked for, in seconds."""
    reason: str = ""
    public_key: str | None = None
    """The contractor's age or SSH public key, used to encrypt the handoff."""


@dataclass(frozen=True, kw_only=True)
class Handoff:
    """What the contractor needs to assume the role, and the terms of the access. Terms that this class does not declare
    are added as fields (`completed`)."""

    role_arn: str
    external_id: str | None
    contractor: str
    """The contractor's account, which the role trusts: 12 digits."""
    partition: str
    max_session: int
    """The role's MaxSessionDuration in seconds."""
    mfa: bool
    issued: datetime
    mfa_max_age: int | None = None
    """The maximum number of seconds since MFA, or None."""
    until: datetime | None = None
    principals: tuple[str, ...] = ()
    """The ARNs that may assume the role; empty: the contractor's administrator decides."""
    session_name: str | None = None
    """The rule for session names: "username" (must be the IAM user's name), or None."""
    source_identity: bool = False
    session_tags: bool = False
    policies: tuple[str, ...] = ()
    """The role's policies, for information only; the role itself decides."""
    request: str | None = None
    """The fingerprint of the access request that this handoff answers, or None."""
    previous_external_id: str | None = None
    """During a rotation of the ExternalId: the previous one, which the role also accepts until `previous_until`."""
    previous_until: datetime | None = None
    whole_account: bool | None = None
    """Every principal in the contractor's account may assume the role without MFA."""
    from_ip: tuple[str, ...] = ()
    """The address ranges from which the role may be assumed; empty: any address."""

    @property
    def account(self) -> str:
        """The owner's account: 12 digits."""
        return self.role_arn.split(":")[4]


ADDED = "added"
"""Marks a field that `completed` adds. The field is written only if its value is not the default, so files without it
do not change."""


def completed(declared: type, terms: type[Terms]) -> type:
    """Return the handoff class with an optional key for each term that it does not declare; `handoff` in the term's row
    can name a different key. A term without a default cannot be added to handoff/v1."""
    have = {item.name for item in fields(declared)}
    own = {term.name for term in table(terms) if term.name not in have and not term.handoff_by_row}
    hints = get_type_hints(terms)
    added = [(item.name, hints[item.name], _optional(item)) for item in fields(terms) if item.name in own]
    if not added:
        return declared
    module = {"__module__": declared.__module__}
    return make_dataclass("Handoff", added, bases=(declared,), frozen=True, kw_only=True, namespace=module)


def _optional(term: Field[Any]) -> Any:
    assert term.default is not MISSING
    return field(default=term.default, metadata={ADDED: True})


if not TYPE_CHECKING:
    Handoff = completed(Handoff, Terms)
