"""Wait for accepted changes: to become visible (`Waiting`), and to take effect (`Settling`). Both have a limit.

IAM is eventually consistent: "changes that you make might not always be immediately visible" (IAM User Guide,
troubleshoot_general). A write is read back until it is visible, and never longer than the limit. Visible does not mean
enforced everywhere; AWS does not report when that is. Public measurements found 3 to 4 s, AWS's pages mention a few
minutes, and AWS guarantees no order among several writes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from valetkey.account.calls import Call, CallError, Perform

_T = TypeVar("_T")

BUSY = frozenset({"ConcurrentModification", "EntityTemporarilyUnmodifiable", "Throttling", "ThrottlingException"})
"""Another caller writes to the same resource, or the account exceeds a call rate; AWS asks for a retry."""
UNSEEN = BUSY | {"NoSuchEntity"}
"""Also errors directly after our own write, while it is not visible everywhere."""
SETTLE_SECONDS = 10.0
"""How long a change gets to take effect before another one relies on it: more than twice the measured time."""
TAKES = "seconds in most cases, up to a few minutes"
"""How long an IAM change takes to be enforced everywhere, as text for messages and receipts."""


@dataclass(frozen=True)
class Waiting:
    """A monotonic clock in seconds, a sleep function, and the limit in seconds."""

    clock: Callable[[], float]
    sleep: Callable[[float], None]
    limit: float = 60.0

    def until(self, look: Callable[[], _T | None], *, passing: frozenset[str] = UNSEEN) -> _T | None:
        """Call `look` until it returns a value that is not None, and return that; None at the limit.

        A CallError with a code in `passing` causes a retry; every other is raised.
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
        """Perform one write, and retry while AWS refuses it with a code in `passing`. Raises CallError."""
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


_UNDECIDED = frozenset(
    {"TimedOut", "Unreachable", "Garbled", "InternalFailure", "ServiceFailure", "ServiceUnavailable"}
    | {"500", "502", "503", "504"}
)
"""Codes of a CallError that do not show whether AWS has performed the call: no response, or an error inside AWS. If a
gateway responded instead of AWS, botocore returns the HTTP status as the code."""


class Writes:
    """Performs writes one after the other, and records which are done and which may be, for an interruption message."""

    def __init__(self, perform: Perform, waiting: Waiting, tell: Callable[[Call], None]) -> None:
        self.done: list[Call] = []
        self.begun: Call | None = None
        """The call in progress, or one with an unknown result: AWS may or may not have performed it."""
        self._perform = perform
        self._waiting = waiting
        self._tell = tell

    def one(self, call: Call, *, passing: frozenset[str] = UNSEEN, unheard: frozenset[str] = frozenset()) -> bool:
        """Perform one write, as `Waiting.write`. A refusal with a code in `unheard` means that an earlier attempt of
        the same call succeeded without a response: it is done, and False is returned. Raises CallError."""
        self._tell(call)
        self.begun = call
        is_heard = True
        try:
            self._waiting.write(self._perform, call, passing=passing)
        except CallError as error:
            is_heard = error.code not in unheard
            if is_heard:
                if error.code not in _UNDECIDED:
                    self.begun = None
                raise
        self.done.append(call)
        self.begun = None
        return is_heard


@dataclass(frozen=True)
class Settle:
    """A step of a plan: earlier writes must take effect before the next call."""


class Settling:
    """Waits until changes that close access have had time to take effect, before a call that could open it again.

    For every command that closes access: call `closed` after each write that closes, and `wait` before the first one
    that removes a deny. The wait counts from the last closing write, so other calls can be made in the meantime. If the
    run has made no such write, it counts from the start of the run, because IAM does not report when an earlier run
    made its own. `seconds` 0 skips it. `tell` is called with the seconds before each wait.
    """

    def __init__(
        self,
        waiting: Waiting,
        *,
        seconds: float = SETTLE_SECONDS,
        tell: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self.seconds = seconds
        self.waited = 0.0
        """Seconds spent waiting so far."""
        self._waiting = waiting
        self._tell = tell
        self._since = waiting.clock()

    def closed(self) -> None:
        """Record that a write that closes access was accepted now."""
        self._since = self._waiting.clock()

    def wait(self) -> bool:
        """Wait for the remaining time. Returns whether any was left."""
        left = self._since + self.seconds - self._waiting.clock()
        if left <= 0:
            return False
        self._tell(left)
        self._waiting.sleep(left)
        self.waited += left
        return True
