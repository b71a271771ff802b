"""What is in the two files that pass between the parties, as values."""

from __future__ import annotations

from dataclasses import MISSING, Field, dataclass, field, fields, make_dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, get_type_hints

from valetkey.trust.term_rows import table
from valetkey.trust.terms import Terms


@dataclass(frozen=True, kw_only=True)
class AccessRequest:
    """What the contractor asks for. The owner decides; nothing in here grants anything."""

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
    """The unique id of that IAM user ("AIDA..."): what the owner's CloudTrail shows of who assumed the role
    (userIdentity.principalId of a call from another account; IAM User Guide, cloudtrail-integration)."""
    customer: str = ""
    """The contractor's own name for the owner."""
    policies: tuple[str, ...] = ()
    """Wished policies, by name or ARN."""
    until: datetime | None = None
    session: int | None = None
    """Wished session length in seconds."""
    reason: str = ""
    public_key: str | None = None
    """The contractor's age or SSH public key, to encrypt the handoff to."""


@dataclass(frozen=True, kw_only=True)
class Handoff:
    """What the contractor needs to get in, and the terms it gets in under. The term of a later version is a field as
    well (`completed`)."""

    role_arn: str
    external_id: str | None
    contractor: str
    """The contractor's account the role trusts: 12 digits."""
    partition: str
    max_session: int
    """The role's MaxSessionDuration in seconds."""
    mfa: bool
    issued: datetime
    mfa_max_age: int | None = None
    """Seconds since MFA at most, or None."""
    until: datetime | None = None
    principals: tuple[str, ...] = ()
    """The ARNs that may come in; empty: whoever the contractor's admin lets."""
    session_name: str | None = None
    """The session-name rule: "username" (must be the IAM user's name), or None."""
    source_identity: bool = False
    session_tags: bool = False
    policies: tuple[str, ...] = ()
    """What the role carries, to read; the role itself is what counts."""
    request: str | None = None
    """The fingerprint of the access request this answers, if there was one."""
    previous_external_id: str | None = None
    """While the ExternalId is rotated: the previous one, which the role also accepts until `previous_until`."""
    previous_until: datetime | None = None
    whole_account: bool | None = None
    """Everybody in the contractor's account may enter without MFA."""
    from_ip: tuple[str, ...] = ()
    """Address ranges from which the role may be entered; empty: from anywhere."""

    @property
    def account(self) -> str:
        """The owner's account: 12 digits."""
        return self.role_arn.split(":")[4]


ADDED = "added"
"""In the metadata of a field that follows from a term: it is in a file only where its value is not the default, so that
files without it stay as they are."""


def completed(declared: type, terms: type[Terms]) -> type:
    """The handoff with an optional key for each term that it does not declare; `handoff` in the term's row can name
    another key. A term without a default cannot be added to handoff/v1."""
    have = {each.name for each in fields(declared)}
    own = {each.name for each in table(terms) if each.name not in have and not each.handoff_by_row}
    hints = get_type_hints(terms)
    added = [(each.name, hints[each.name], _optional(each)) for each in fields(terms) if each.name in own]
    if not added:
        return declared
    module = {"__module__": declared.__module__}
    return make_dataclass("Handoff", added, bases=(declared,), frozen=True, kw_only=True, namespace=module)


def _optional(term: Field[Any]) -> Any:
    assert term.default is not MISSING
    return field(default=term.default, metadata={ADDED: True})


if not TYPE_CHECKING:
    Handoff = completed(Handoff, Terms)
