"""Role sessions kept fresh in the background, for callers that must be answered at once.

Rules:
- INVARIANT: an answer comes from memory: nobody is asked and nothing is called while a caller waits.
- Renewed when stale (`broker.stale_at`), before SDKs ask for new ones; a failure is tried again after 10 seconds, then
  after twice as long, a minute at most; when a caller has found nothing, 5 seconds after the last try.
- What has expired is not handed out. Whether the grant goes on is AWS's to say: the recorded end cuts nothing off.
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
"""Seconds between tries."""
_LOOK = 15.0
"""Seconds between looks at the clock, which may have been set or have slept."""


@dataclass(frozen=True)
class Held:
    """A session, and the profile it was fetched for."""

    profile: Profile
    session: Session

    @property
    def due(self) -> datetime:
        """When to fetch a new one."""
        return stale_at(self.session)

    def is_good(self, now: datetime) -> bool:
        return self.session.left(now) > 0


Fetch = Callable[[str], Held]
"""A session of this profile, never asking anybody. Raises ValetkeyError."""


class Lapsed(ValetkeyError):
    """There are no credentials at the moment; new ones are being fetched."""

    exit_code = 3


class _Slot:
    def __init__(self, held: Held) -> None:
        self.held = held
        self.problem: ValetkeyError | None = None
        self.tried: datetime | None = None
        self.pause = _FIRST

    def next_try(self, now: datetime) -> datetime:
        """When to fetch: not before the pause after the last try is over.

        What is not good now is due now: the clock may have been set back, and then says nothing about its age.
        """
        due = self.held.due if self.held.is_good(now) else min(now, self.held.due)
        if self.tried is None or self.tried > now:
            return due
        return max(due, self.tried + timedelta(seconds=self.pause))


class Keeper:
    """Sessions of several profiles. `answer` may be called from any thread."""

    def __init__(
        self,
        first: Iterable[Held],
        *,
        fetch: Fetch,
        clock: Clock,
        tell: Callable[[str, ValetkeyError | None], None] = lambda name, problem: None,
    ) -> None:
        """`first`: what is held at the beginning. `tell(name, problem)` is called when renewing begins to fail, and
        with None when it works again."""
        self._slots = {each.profile.name: _Slot(each) for each in first}
        self._fetch, self._clock, self._tell = fetch, clock, tell
        self._wake = threading.Event()
        self._ending = False

    def answer(self, name: str) -> Credentials:
        """The credentials held for a name. Raises ValetkeyError: why there are none, and what to do."""
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
        """Fetch what is due; the seconds until something is due again."""
        for name, slot in self._slots.items():
            if not self._ending and slot.next_try(now := self._clock()) <= now:
                self._renew(name, slot)
        now = self._clock()
        return max(0.0, min((each.next_try(now) - now).total_seconds() for each in self._slots.values()))

    def _renew(self, name: str, slot: _Slot) -> None:
        was_failing = slot.problem is not None
        try:
            slot.held = self._fetch(name)
            slot.problem = None
        except ValetkeyError as problem:
            slot.problem = problem
        except Exception as error:
            # A fault of our own must not end the thread that all names live by. Only its kind: see cli.run.
            slot.problem = Lapsed(
                f"the session of {name} cannot be renewed: a fault of valetkey's own ({type(error).__name__})",
                do="start `valetkey serve` again",
            )
        slot.tried = self._clock()
        is_failing = slot.problem is not None
        # One that is due again at once is the old one: the broker hands it out when AWS does not answer.
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
        """Let `run` return, after the fetch that it is in."""
        self._ending = True
        self._wake.set()
