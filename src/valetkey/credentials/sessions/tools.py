"""The dependencies of every step of the broker, as one frozen value. It is made once for a base identity."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from valetkey.credentials.sessions import mfa
from valetkey.credentials.sessions.cache import Cache, Session
from valetkey.credentials.sessions.protocols import LIMIT, Ask, Base, Clock, Connect, Kept
from valetkey.credentials.sessions.vault import KeyringSessions


@dataclass(frozen=True)
class Tools:
    """A base identity, and how to make calls, store sessions and prompt for codes. The repr shows no secret."""

    base: Base
    connect: Connect
    cache: Cache
    keep: Kept
    """The store for MFA sessions."""
    ask: Ask
    clock: Clock
    tell: Callable[[str], object] = lambda text: None
    """Prints a message to the person, if there is a terminal: why a second code is needed."""

    def asking(self, ask: Ask) -> Tools:
        """Return a copy with another source of MFA codes."""
        return dataclasses.replace(self, ask=ask)

    @property
    def kept_in(self) -> str:
        """Where the last MFA session was stored: "keyring", "file", or empty for nowhere."""
        return self.keep.kept_in if isinstance(self.keep, KeyringSessions) else ""

    def mfa_session(
        self,
        serial: str,
        *,
        max_age: int | None,
        refused: str = "",
        life: int = mfa.MFA_LIFE,
        fresh: bool = False,
        seconds: float = LIMIT,
    ) -> Session:
        """Return the MFA session of a device. Arguments and errors as in mfa.mfa_session."""
        return mfa.mfa_session(
            base=self.base,
            serial=serial,
            max_age=max_age,
            connect=self.connect,
            cache=self.cache,
            ask=self.ask,
            clock=self.clock,
            keep=self.keep,
            refused=refused,
            life=life,
            fresh=fresh,
            seconds=seconds,
        )
