"""The dependencies of the contractor's core on the computer, as one frozen value. The core reads no clock, environment
or terminal, and does not import boto3.

`cli/_machine.py` makes one for the command line, `library.py` one for programs; tests make their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from valetkey.account.base_identity import Chain
from valetkey.account.calls import AccessKeys, Perform
from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.sessions.protocols import Ask, Clock, SignedIn
from valetkey.credentials.sessions.tools import Tools
from valetkey.credentials.sessions.vault import Vault


class SignsIn(Protocol):
    """Resolves a base identity. Implemented by `valetkey.aws.signin.sign_in`. Raises NoBase, ConfigError."""

    def __call__(
        self,
        profile: str | None,
        /,
        *,
        region: str | None,
        partition: str | None,
        ask: Callable[[str], str] | None,
        stored: AccessKeys | None,
        chain: Chain,
        files: Mapping[str, str],
        child_env: Mapping[str, str],
    ) -> SignedIn: ...


class Calling(Protocol):
    """Returns a function that performs calls with keys, and the realm. Implemented by `valetkey.aws.signin.calling`.
    Raises NoBase, ConfigError."""

    def __call__(
        self, keys: AccessKeys, /, *, profile: str | None, region: str | None, partition: str, files: Mapping[str, str]
    ) -> tuple[Perform, str]: ...


class Terminal(Protocol):
    """Makes an Ask that prompts at the terminal.

    `what` is the purpose shown in the prompt, `login` the command to suggest without a terminal, `own_code` an option
    for which each run needs a separate code (Way.own_code). `own_interrupt`: Ctrl-C at the prompt affects this
    process only. `before` is called before the prompt; it may raise.
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
    """The computer, its user and the AWS endpoints that it reaches."""

    env: Mapping[str, str]
    clock: Clock
    sleep: Callable[[float], None]
    """Waits for a number of seconds."""
    sign_in: SignsIn
    calling: Calling
    terminal: Terminal
    tell: Callable[[str], bool]
    """Prints a message to the person. Returns whether there was a terminal."""
    vault: Vault
    """The OS keyring. After one failure, this value does not ask it again."""
    explained: Callable[[Profile, Tools, str], AbstractContextManager[None]]
    """A context in which a refusal of the role gets its most likely reason. The text is the region."""
