"""Wait for what AWS has accepted: to become visible (`Waiting`), and to take effect (`Settling`). Both have a limit.

IAM is eventually consistent: "changes that you make might not always be immediately visible" (IAM User Guide,
troubleshoot_general). What was written is read until it shows, and never longer than the limit. That it shows does not
mean that it is enforced everywhere; nothing in AWS tells when that is. Public measurements saw 3 to 4 s, AWS's pages
speak of a few minutes, and no order among several writes is promised.
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
SETTLE_SECONDS = 10.0
"""How long a change gets to take effect before another one relies on it: more than twice what was measured."""
TAKES = "seconds in most cases, up to a few minutes"
"""How long a change of IAM takes to be enforced everywhere, in words for messages and receipts."""


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


_UNDECIDED = frozenset(
    {"TimedOut", "Unreachable", "Garbled", "InternalFailure", "ServiceFailure", "ServiceUnavailable"}
    | {"500", "502", "503", "504"}
)
"""Codes of a CallError that do not say whether AWS has performed the call: no answer, or a fault of AWS's own. Where a
gateway answered in AWS's place, botocore gives the HTTP status as the code."""


class Writes:
    """Performs writes one after the other, and knows what is done and what may be, for an interruption to say."""

    def __init__(self, perform: Perform, waiting: Waiting, tell: Callable[[Call], None]) -> None:
        self.done: list[Call] = []
        self.begun: Call | None = None
        """The call under way, or one whose outcome is not known: AWS may have performed it or not."""
        self._perform = perform
        self._waiting = waiting
        self._tell = tell

    def one(self, call: Call, *, passing: frozenset[str] = UNSEEN, unheard: frozenset[str] = frozenset()) -> bool:
        """Perform one, as `Waiting.write`. A refusal with a code in `unheard` says that an earlier attempt of the same
        call got through unheard: it is done, and False is answered. Raises CallError."""
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
    """A step of a plan: what was written so far has to take effect before the next call is made."""


class Settling:
    """Waits until what closes access has had time to take effect, before a call that could open it again.

    For every command that closes something: call `closed` after each write that closes, and `wait` before the first
    one that takes a deny away. The wait counts from the last closing write, so that other calls go on meanwhile; in a
    run that has made none it counts from the run's start, since IAM does not tell when an earlier run made its own.
    `seconds` 0 skips it. `told` is called with the seconds before each wait.
    """

    def __init__(
        self,
        waiting: Waiting,
        *,
        seconds: float = SETTLE_SECONDS,
        told: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self.seconds = seconds
        self.waited = 0.0
        """Seconds spent waiting so far."""
        self._waiting = waiting
        self._told = told
        self._since = waiting.clock()

    def closed(self) -> None:
        """A write that closes something was accepted just now."""
        self._since = self._waiting.clock()

    def wait(self) -> bool:
        """Wait for what is left; whether there was anything left."""
        left = self._since + self.seconds - self._waiting.clock()
        if left <= 0:
            return False
        self._told(left)
        self._waiting.sleep(left)
        self.waited += left
        return True
