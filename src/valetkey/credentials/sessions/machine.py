"""What the contractor's core takes from the computer that it runs on, as one frozen value: it reads no clock, no
environment and no terminal, and imports no boto3.

`cli/_machine.py` makes one for the command line, `library.py` one for programs, a test any.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from valetkey.account.base_identity import Chain
from valetkey.account.calls import Keys, Perform
from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.sessions.protocols import Ask, Clock, SignedIn
from valetkey.credentials.sessions.tools import Tools
from valetkey.credentials.sessions.vault import Vault


class SignsIn(Protocol):
    """Resolves a base identity, as `valetkey.aws.signin.sign_in` does. Raises NoBase, ConfigError."""

    def __call__(
        self,
        profile: str | None,
        /,
        *,
        region: str | None,
        partition: str | None,
        ask: Callable[[str], str] | None,
        stored: Keys | None,
        chain: Chain,
        files: Mapping[str, str],
        child_env: Mapping[str, str],
    ) -> SignedIn: ...


class Calling(Protocol):
    """Performs calls with keys, and answers the realm too, as `valetkey.aws.signin.calling` does. Raises NoBase,
    ConfigError."""

    def __call__(
        self, keys: Keys, /, *, profile: str | None, region: str | None, partition: str, files: Mapping[str, str]
    ) -> tuple[Perform, str]: ...


class Terminal(Protocol):
    """Makes an Ask for the person at the terminal.

    `what` is what the question says it is for, `login` the command to name where nobody can be asked, `own_code` an
    option that takes a code all the same (Way.own_code). `own_interrupt`: Ctrl-C at the question is for this process
    alone. `before` is called before the question; it may raise.
    """

    def __call__(
        self,
        what: str,
        /,
        *,
        login: str = ...,
        own_code: str = ...,
        own_interrupt: bool = ...,
        before: Callable[[], None],
    ) -> Ask: ...


@dataclass(frozen=True)
class Machine:
    """This computer, its user and the AWS that it reaches."""

    env: Mapping[str, str]
    clock: Clock
    sleep: Callable[[float], None]
    """Waits for some seconds."""
    sign_in: SignsIn
    calling: Calling
    terminal: Terminal
    tell: Callable[[str], bool]
    """Says something to the person, if there is one; whether there was."""
    vault: Vault
    """The OS keyring; once it has not answered, it is not asked again by this value."""
    explained: Callable[[Profile, Tools, str], AbstractContextManager[None]]
    """Gives a refusal of the role that passes through its most likely reason; the text is the region."""
