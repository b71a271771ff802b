"""The parts of a grant's terms that activity is checked against. `cli` fills them in from the grant; without one they
are empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Expected:
    """The terms of a grant that a trail can show to be kept or broken."""

    people: tuple[str, ...] = ()
    """User names allowed as source identity or session name; empty: any."""
    mfa: bool = False
    """Whether the role's trust policy requires MFA of every caller, both now and as agreed."""
    until: datetime | None = None
    """The end of the grant."""
    suspended: tuple[tuple[datetime, datetime | None], ...] = ()
    """Start and end of each suspension (None: not ended)."""


ExpectedByRole = Mapping[tuple[str, str], Expected]
"""Terms by account and name of the role (`role_key`)."""
