"""Types shared by the steps from base identity to role session: keys, the prompt for a code, and the errors of a
step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from valetkey.account.calls import AccessKeys, Perform
from valetkey.credentials.sessions.cache import Busy, Session
from valetkey.errors import ValetkeyError

LIMIT = 50.0
"""Seconds for all steps together: the AWS SDK for Go kills a credential process after 60."""


class Base(AccessKeys, Protocol):
    """A resolved base identity, and the endpoint of its STS calls (made by `valetkey.aws.signin.sign_in`).

    Its secret may be in the OS keyring: it is read only when a call is made with it.
    """

    @property
    def realm(self) -> str:
        """The URL of the STS endpoint without its region. It is part of every cache key, so that one MFA session serves
        customers in all regions."""
        ...


class SignedIn(Base, Protocol):
    """A base identity with its description for people, and its calls."""

    @property
    def source(self) -> str:
        """Where the keys were found, in botocore's terms, or STORED for the OS keyring."""
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
    """Returns the current code of an MFA device, from a person or a program: 6 digits.

    `seconds` is the time limit. `again` is why a second code is needed, or empty. Raises NoTerminal if there is no way
    to prompt, Dismissed if there is no answer.
    """

    def __call__(self, device: str, /, *, seconds: float, again: str = "") -> str: ...


class Kept(Protocol):
    """A store for sessions of one kind: the cache, or the OS keyring."""

    def get(self, name: str, /) -> Session | None: ...
    def put(self, name: str, session: Session, /) -> None: ...
    def drop(self, name: str, /) -> None: ...


Connect = Callable[[AccessKeys], Perform]
"""Performs calls with the given keys, at the base identity's endpoint."""
Clock = Callable[[], datetime]
"""The time now (aware, UTC)."""
Deadline = Callable[[], float]
"""Returns the seconds left, at least 0."""


class NoTerminal(ValetkeyError):
    """A code is needed and there is no way to prompt for it."""

    exit_code = 3


class Dismissed(ValetkeyError):
    """The person did not give a code. `remember`: seconds before the next prompt."""

    exit_code = 3
    remember: float | None = None


class Ended(ValetkeyError):
    """AWS refused the role, and the recorded end of the grant has passed."""

    exit_code = 1


def deadline_in(seconds: float, clock: Clock) -> Deadline:
    end = clock().timestamp() + seconds
    return lambda: max(end - clock().timestamp(), 0.0)


def busy() -> ValetkeyError:
    """Return the error for a lock that another process held until the time limit."""
    return Busy(
        "another valetkey process is still waiting for an MFA code or for AWS",
        do="answer its question, or end it, and try again",
        exit_code=3,
    )
