"""From base identity to role session: base keys, then an MFA session, then AssumeRole with the ExternalId.

Rules:
- A code is asked for once per base identity and device: the MFA session (12 hours) serves every customer.
- An MFA session older than a grant's maximum age is not used for it; asking anew makes a younger one for all.
- Through an MFA session a role session lasts an hour at most (AWS treats it as role chaining).
- INVARIANT: credentials that are answered are for the profile's account and role, or nothing is answered.
- Nothing is retried that cannot end differently; the whole wait is under `seconds`, prompt included.
Sources: IAM User Guide, id_credentials_temp_request (GetSessionToken) and id_roles_use (role chaining).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from valetkey.account.calls import Call, Perform
from valetkey.credentials.cache import Cache, Session
from valetkey.credentials.profiles import Profile
from valetkey.credentials.values import Credentials
from valetkey.policy.problem import Problem

LIMIT = 50.0
"""Seconds for everything: the AWS SDK for Go kills a credential process after 60."""


class Keys(Protocol):
    """Keys to call with."""

    @property
    def access_key_id(self) -> str: ...
    @property
    def secret_access_key(self) -> str: ...
    @property
    def session_token(self) -> str | None: ...


class Base(Keys, Protocol):
    """The base identity, resolved, and where its STS calls go (`valetkey.aws.sign_in` makes one)."""

    @property
    def endpoint(self) -> str:
        """The URL of the STS endpoint: part of every cache key."""
        ...


class Ask(Protocol):
    """Ask the person for the current code of an MFA device.

    `seconds` is how long they have; `again` says why they are asked a second time, or is empty. Answers 6 digits.
    Raises NoTerminal when nobody can be asked, Dismissed when they do not answer.
    """

    def __call__(self, device: str, /, *, seconds: float, again: str = "") -> str: ...


Connect = Callable[[Keys], Perform]
"""Performs calls with the given keys, at the base identity's endpoint."""
Clock = Callable[[], datetime]
"""The time now (aware, UTC)."""


class NoTerminal(Problem):
    """A code is needed and nobody can be asked."""


class Dismissed(Problem):
    """The person did not give a code."""

    exit_code = 3


class Refused(Problem):
    """AWS refused a step; `code` is its error code, `message` its text."""

    exit_code = 3

    def __init__(self, what: str, *, code: str, message: str, do: str = "", where: str = "") -> None:
        super().__init__(what, do=do, where=where)
        self.code = code
        self.message = message


def mfa_session(
    *, base: Base, serial: str, max_age: int | None, connect: Connect, cache: Cache, ask: Ask, clock: Clock
) -> Session:
    """The MFA session of a base identity and device, from the cache or with a code.

    `max_age` is the seconds since MFA that the grant allows, or None. Raises Refused, NoTerminal, Dismissed, Busy.
    The session's credentials are Keys: pass them to `connect`.
    """
    raise NotImplementedError


def role_call(profile: Profile, keys: Keys) -> Call:
    """The right way in: sts:AssumeRole with ExternalId, session name and the longest session that AWS allows
    for these keys. Raises Problem when the profile cannot say it."""
    raise NotImplementedError


def enter(profile: Profile, *, keys: Keys, connect: Connect, clock: Clock) -> Session:
    """Assume the profile's role once with these keys (base keys, or an MFA session's); nothing is cached.

    Raises Refused, with what to do for every way in which AWS refuses.
    """
    raise NotImplementedError


def role_credentials(
    profile: Profile,
    *,
    base: Base,
    connect: Connect,
    cache: Cache,
    ask: Ask,
    clock: Clock,
    lasting: bool = False,
    seconds: float = LIMIT,
) -> Credentials:
    """Credentials of the profile's role, from the cache or from AWS.

    `lasting`: for a receiver that cannot come back for new ones; then at least three quarters of the session are left.
    `seconds` limits the whole wait. Raises Refused, NoTerminal, Dismissed, Busy, Problem.
    """
    raise NotImplementedError
