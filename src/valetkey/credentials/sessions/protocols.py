"""What the steps from base identity to role session share: keys, the question for a code, and how a step may end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from valetkey.account.calls import Keys, Perform
from valetkey.credentials.sessions.cache import Busy, Session
from valetkey.errors import ValetkeyError

LIMIT = 50.0
"""Seconds for everything: the AWS SDK for Go kills a credential process after 60."""


class Base(Keys, Protocol):
    """The base identity, resolved, and where its STS calls go (`valetkey.aws.sign_in` makes one).

    Its secret may lie in the OS keyring: it is read when a call is made with it, not before.
    """

    @property
    def realm(self) -> str:
        """The URL of the STS endpoint without its region, so that one MFA session serves customers in every region:
        part of every cache key."""
        ...


class SignedIn(Base, Protocol):
    """A base identity with its description for people, and its calls."""

    @property
    def source(self) -> str:
        """Where the keys were found, in botocore's words, or STORED for the OS keyring."""
        ...

    @property
    def region(self) -> str: ...
    @property
    def endpoint(self) -> str:
        """URL of the STS endpoint."""
        ...

    @property
    def connect(self) -> Connect: ...


class Ask(Protocol):
    """The current code of an MFA device, from a person or from a program.

    `seconds` is how long they have; `again` says why they are asked a second time, or is empty. Answers 6 digits.
    Raises NoTerminal if there is no way to ask, Dismissed if there is no answer.
    """

    def __call__(self, device: str, /, *, seconds: float, again: str = "") -> str: ...


class Kept(Protocol):
    """Where sessions of one kind are kept: the cache, or the OS keyring."""

    def get(self, name: str, /) -> Session | None: ...
    def put(self, name: str, session: Session, /) -> None: ...
    def drop(self, name: str, /) -> None: ...


Connect = Callable[[Keys], Perform]
"""Performs calls with the given keys, at the base identity's endpoint."""
Clock = Callable[[], datetime]
"""The time now (aware, UTC)."""
Deadline = Callable[[], float]
"""The seconds that are left, 0 at least."""


class NoTerminal(ValetkeyError):
    """A code is needed and there is no way to ask for it."""

    exit_code = 3


class Dismissed(ValetkeyError):
    """The person did not give a code. `remember`: seconds before the next question."""

    exit_code = 3
    remember: float | None = None


class Ended(ValetkeyError):
    """AWS refused the role, and the recorded end of the grant has passed."""

    exit_code = 1


def deadline_in(seconds: float, clock: Clock) -> Deadline:
    end = clock().timestamp() + seconds
    return lambda: max(end - clock().timestamp(), 0.0)


def busy() -> ValetkeyError:
    """What is raised when another process has held a lock until our time was up."""
    return Busy(
        "another valetkey process is still waiting for an MFA code or for AWS",
        do="answer its question, or end it, and try again",
        exit_code=3,
    )
