"""Wait for what AWS has accepted to become visible, with a limit.

IAM is eventually consistent: "changes that you make might not always be immediately visible" (IAM User Guide,
troubleshoot_general). What was written is read until it shows, and never longer than the limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from valetkey.account.calls import Call, CallError, Perform

_T = TypeVar("_T")

BUSY = frozenset({"ConcurrentModification", "EntityTemporarilyUnmodifiable", "Throttling", "ThrottlingException"})
"""Somebody else is writing to the same thing, or the account calls too often; AWS asks to try again."""
UNSEEN = BUSY | {"NoSuchEntity"}
"""What also comes right after a write of our own, while it is not visible everywhere."""


@dataclass(frozen=True)
class Waiting:
    """A clock in seconds (monotonic), a way to sleep, and how long to wait at most, in seconds."""

    clock: Callable[[], float]
    sleep: Callable[[float], None]
    limit: float = 60.0

    def until(self, look: Callable[[], _T | None], *, passing: frozenset[str] = UNSEEN) -> _T | None:
        """What `look` answers as soon as it is not None; None when the limit has passed.

        A CallError with a code in `passing` is waited out; every other is raised.
        """
        end = self.clock() + self.limit
        pause = 0.25
        while True:
            try:
                seen = look()
            except CallError as error:
                if error.code not in passing:
                    raise
                seen = None
            if seen is not None:
                return seen
            left = end - self.clock()
            if left <= 0:
                return None
            self.sleep(min(pause, left))
            pause = min(pause * 1.6, 5.0)

    def write(self, perform: Perform, call: Call, *, passing: frozenset[str] = UNSEEN) -> dict[str, Any]:
        """Perform one write, again while AWS refuses it with a code in `passing`. Raises CallError."""
        refused: list[CallError] = []

        def attempt() -> dict[str, Any] | None:
            try:
                return perform(call)
            except CallError as error:
                refused[:] = [error]
                raise

        done = self.until(attempt, passing=passing)
        if done is None:
            raise refused[0]
        return done
