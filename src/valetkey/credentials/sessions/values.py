"""Credentials as values whose repr shows no secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Temporary credentials for one account. The repr shows no secret."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expires: datetime
    """Expiry (aware, UTC)."""
    account: str
    """The account that the credentials are for: 12 digits."""


def credentials_of(answer: dict[str, Any], account: str) -> Credentials:
    """Return the credentials in a response of STS."""
    given = answer["Credentials"]
    expires: datetime = given["Expiration"]
    return Credentials(
        access_key_id=given["AccessKeyId"],
        secret_access_key=given["SecretAccessKey"],
        session_token=given["SessionToken"],
        expires=expires.astimezone(UTC),
        account=account,
    )
