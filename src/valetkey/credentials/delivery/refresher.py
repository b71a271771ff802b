"""Renew role sessions in the background, for callers that need an immediate response.

Rules:
- INVARIANT: a response comes from memory: there is no prompt and no call while a caller waits.
- A stale session (`broker.stale_at`) is renewed before SDKs ask for a new one. A failure is retried after 10 seconds,
  then after twice the time, up to one minute; 5 seconds after the last attempt if a caller got no credentials.
- Expired credentials are not returned. AWS decides whether the grant is still valid: its recorded end stops nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.sessions.broker import stale_at
from valetkey.credentials.sessions.cache import Session
from valetkey.credentials.sessions.protocols import Clock
from valetkey.credentials.sessions.values import Credentials
from valetkey.errors import ValetkeyError

_FIRST, _LONGEST = 5.0, 60.0
"""Seconds between attempts."""
_LOOK = 15.0
"""Maximum seconds between checks of the clock, which may have been set or have stopped during sleep."""


@dataclass(frozen=True)
class HeldSession:
    """A session, and the profile that it belongs to."""

    profile: Profile
    session: Session

    @property
    def due(self) -> datetime:
        """When to fetch a new session."""
        return stale_at(self.session)

    def is_good(self, now: datetime) -> bool:
        return self.session.left(now) > 0


Fetch = Callable[[str], HeldSession]
"""Returns a session for this profile; never prompts. Raises ValetkeyError."""


class Lapsed(ValetkeyError):
    """There are no valid credentials at the moment; new ones are being fetched."""

    exit_code = 3


class _Slot:
    def __init__(self, held: HeldSession) -> None:
        self.held = held
        self.problem: ValetkeyError | None = None
        self.tried: datetime | None = None
        self.pause = _FIRST

    def next_try(self, now: datetime) -> datetime:
        """Return when to fetch: not before the pause after the last attempt has ended.

        A session that is not valid now is due at once: after the clock was set back, its age is not known.
        """
        due = self.held.due if self.held.is_good(now) else min(now, self.held.due)
        if self.tried is None or self.tried > now:
            return due
        return max(due, self.tried + timedelta(seconds=self.pause))


class Keeper:
    """Keeps the sessions of several profiles renewed. `answer` may be called from any thread."""

    def __init__(
        self,
        first: Iterable[HeldSession],
        *,
        fetch: Fetch,
        clock: Clock,
        tell: Callable[[str, ValetkeyError | None], None] = lambda name, problem: None,
    ) -> None:
        """`first`: the initial sessions. `tell(name, problem)` is called when renewing starts to fail, and with None
        when it works again."""
        self._slots = {session.profile.name: _Slot(session) for session in first}
        self._fetch, self._clock, self._tell = fetch, clock, tell
        self._wake = threading.Event()
        self._ending = False

    def answer(self, name: str) -> Credentials:
        """Return the credentials for a profile. Raises ValetkeyError, with the reason and what to do, if there are
        none."""
        slot = self._slots[name]
        if slot.held.is_good(self._clock()):
            return slot.held.session.credentials
        problem = slot.problem
        slot.pause = _FIRST
        self._wake.set()
        raise problem or Lapsed(
            f"the session of {name} has ended and is being renewed", do="try again in a few seconds"
        )

    def renew(self) -> float:
        """Fetch what is due. Returns the seconds until the next fetch is due."""
        for name, slot in self._slots.items():
            if not self._ending and slot.next_try(now := self._clock()) <= now:
                self._renew(name, slot)
        now = self._clock()
        return max(0.0, min((item.next_try(now) - now).total_seconds() for item in self._slots.values()))

    def _renew(self, name: str, slot: _Slot) -> None:
        was_failing = slot.problem is not None
        try:
            slot.held = self._fetch(name)
            slot.problem = None
        except ValetkeyError as problem:
            slot.problem = problem
        except Exception as error:
            # An unexpected error must not end this thread, which serves all profiles. Only its type is reported: see
            # cli.run.
            slot.problem = Lapsed(
                f"the session of {name} cannot be renewed: a fault of valetkey's own ({type(error).__name__})",
                do="start `valetkey serve` again",
            )
        slot.tried = self._clock()
        is_failing = slot.problem is not None
        # A session that is due again at once is the old one: the broker returns it if AWS does not respond.
        slot.pause = min(slot.pause * 2, _LONGEST) if is_failing or slot.held.due <= slot.tried else _FIRST
        if is_failing is not was_failing:
            self._tell(name, slot.problem)

    def run(self) -> None:
        """Renew until `end` is called."""
        while not self._ending:
            wait = self.renew()
            self._wake.wait(min(wait, _LOOK))
            self._wake.clear()

    def end(self) -> None:
        """Make `run` return after the current fetch."""
        self._ending = True
        self._wake.set()
