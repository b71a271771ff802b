"""Times as AWS and valetkey's own files write them: UTC, whole seconds."""

from __future__ import annotations

from datetime import UTC, datetime

_FORM = "%Y-%m-%dT%H:%M:%SZ"


def moment(when: datetime) -> str:
    """Return the time as "2026-12-31T18:00:00Z"; a fraction of a second is cut off."""
    return when.astimezone(UTC).strftime(_FORM)


def read_moment(text: str) -> datetime:
    """Parse a time that `moment` wrote. Raises ValueError for any other text."""
    return datetime.strptime(text, _FORM).replace(tzinfo=UTC)
