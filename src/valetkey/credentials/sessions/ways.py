"""How a role is to be entered, as one value: `exec`, `env` and `console` make it from their options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Way:
    """Which way into the role, what restricts it, and where its code comes from."""

    long: bool = False
    """A code for this role alone, and the longest session that it allows."""
    read_only: bool = False
    """Restrict the session to AWS's ReadOnlyAccess."""
    no_cache: bool = False
    """Neither use nor write a kept session."""
    region: str | None = None
    """Where to work; None: as the AWS profile and the environment say."""
    code: Callable[[], str] | None = None
    """The code that was given beforehand; None: somebody is asked."""

    @property
    def own_code(self) -> str:
        """The option that makes every run take a code of its own, which no `valetkey login` can give; or empty."""
        return "--long" if self.long else "--no-cache" if self.no_cache else ""

    @property
    def is_kept(self) -> bool:
        """Whether what is found out on this way may be kept for the next time."""
        return not self.no_cache and self.code is None


USUAL = Way()
"""Through the MFA session, with nothing restricted."""
