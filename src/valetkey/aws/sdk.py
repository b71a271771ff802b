"""A boto3 session for Python programs, whose credentials are renewed automatically."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias

import boto3
from botocore.credentials import RefreshableCredentials

from valetkey.aws.opening import core_session, named

SdkSession: TypeAlias = boto3.session.Session


class Expiring(Protocol):
    """Temporary credentials."""

    @property
    def access_key_id(self) -> str: ...
    @property
    def secret_access_key(self) -> str: ...
    @property
    def session_token(self) -> str: ...
    @property
    def expires(self) -> datetime:
        """Timezone-aware, UTC."""
        ...


def renewing_session(
    first: Expiring, renew: Callable[[], Expiring], *, profiles: Sequence[str | None], region: str | None
) -> SdkSession:
    """Return a session that starts with `first` and calls `renew` when less than 15 minutes are left.

    Its settings (endpoints, CA bundle, retries) are those of the first of `profiles` that exists. The profile is used
    for nothing else: the session uses no other credentials. Raises ConfigError, and what `renew` raises.
    """
    with named(None, "the base profile", None):
        there = core_session(None).available_profiles
        core = core_session(next((profile for profile in profiles if profile in there), None))
        core._credentials = RefreshableCredentials.create_from_metadata(
            _metadata(first), refresh_using=lambda: _metadata(renew()), method="valetkey"
        )
        return SdkSession(botocore_session=core, region_name=region)


def _metadata(keys: Expiring) -> dict[str, str]:
    return {
        "access_key": keys.access_key_id,
        "secret_key": keys.secret_access_key,
        "token": keys.session_token,
        "expiry_time": keys.expires.isoformat(),
    }
