"""What a grant's terms say that activity is judged by. `cli` fills it in from the grant; without one it is empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Expected:
    """The terms of a grant, as far as a trail can show that they were kept."""

    people: tuple[str, ...] = ()
    """User names that may be source identity or session name; none: anybody."""
    mfa: bool = False
    """Whether the role's trust policy, as it is now and as it was agreed, lets nobody in without MFA."""
    until: datetime | None = None
    """The end of the grant."""
    suspended: tuple[tuple[datetime, datetime | None], ...] = ()
    """When it was suspended, and until when (None: still is)."""


Terms = Mapping[tuple[str, str], Expected]
"""By account and name of the role (`role_key`)."""
