"""The access terms of a trust: who may come in, under which conditions, until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Terms:
    """What a trust policy shall admit, known before any role exists."""

    contractor: str
    """The contractor's account: 12 digits."""
    partition: str = "aws"
    external_id: str | None = None
    """The required sts:ExternalId, or None for none."""
    mfa: bool = True
    """Whether aws:MultiFactorAuthPresent must be true."""
    mfa_max_age: int | None = None
    """Seconds since MFA at most (aws:MultiFactorAuthAge), or None for no limit. Needs `mfa`."""
    only: tuple[str, ...] = ()
    """User or role ARNs of the contractor, checked through aws:PrincipalArn; empty: anyone of the account.
    They need not exist yet. `AWSReservedSSO_NAME_*` may end in a wildcard for the random suffix."""
    pin: tuple[str, ...] = ()
    """User or role ARNs put into Principal: they must exist and are bound to their unique ids by AWS."""
    name_people: bool = False
    """Require sts:RoleSessionName = ${aws:username} (IAM users only)."""
    source_identity: bool = False
    """Admit sts:SetSourceIdentity."""
    session_tags: bool = False
    """Admit sts:TagSession."""
    until: datetime | None = None
    """End (aware, UTC, whole seconds): aws:CurrentTime must be before it."""
