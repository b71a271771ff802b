"""How to assume a role, as one value. `exec`, `env` and `console` make it from their options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Way:
    """How to assume the role, how to restrict the session, and where its code comes from."""

    long: bool = False
    """A code for this role only, and the longest session that it allows."""
    read_only: bool = False
    """Restrict the session to AWS's ReadOnlyAccess."""
    no_cache: bool = False
    """Neither read nor write the cache."""
    region: str | None = None
    """The AWS region; None: as the AWS profile and the environment set it."""
    code: Callable[[], str] | None = None
    """Returns the code given in advance; None: prompt."""

    @property
    def own_code(self) -> str:
        """The option for which each run needs a separate code, which no `valetkey login` can provide; or empty."""
        return "--long" if self.long else "--no-cache" if self.no_cache else ""

    @property
    def is_kept(self) -> bool:
        """Whether the results of this run may be stored for the next one."""
        return not self.no_cache and self.code is None


USUAL_WAY = Way()
"""Through the MFA session, without restrictions."""
