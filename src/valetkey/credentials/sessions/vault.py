"""The OS keyring, for secrets that are worth more than one role session: base keys, TOTP seeds, the MFA session.

Rules:
- Read only on a cache miss: opening it takes longer than all other steps of a hit.
- Every wait for it is limited. A locked keyring shows a dialog that may never be answered, so the keyring is called in
  a separate thread, which is abandoned at the time limit. It then counts as absent for the rest of the run.
- A backend of low priority is ignored: `fail` and `null` (no D-Bus: WSL, SSH, containers), and files with a password
  prompt (keyring: "recommended" is a priority of 1 and more).
- Its responses and the texts of its exceptions never appear in an error.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from valetkey.credentials.sessions.cache import Cache, Session, dumped, undumped
from valetkey.errors import ValetkeyError

SERVICE = "valetkey"
"""The service name of all entries."""
NO_BACKEND = "this computer has no keyring"
SECONDS = 15.0
"""The time limit for the keyring: a person may have to unlock it."""
_PUT = 8.0
"""A shorter limit for storing, which comes last, after a prompt that may have used nearly all the time that an SDK
allows."""

T = TypeVar("T")


class NoKeyring(ValetkeyError):
    """There is no keyring, or it does not respond."""

    exit_code = 3


class Vault:
    """One process's access to the OS keyring."""

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._gone = ""

    def get(self, name: str) -> str | None:
        """Return the secret of this name, or None. Raises NoKeyring."""
        return self._ask(lambda ring: _text(ring.get_password(SERVICE, name)))

    def put(self, name: str, secret: str) -> None:
        """Store a secret. Raises NoKeyring."""
        self._ask(lambda ring: ring.set_password(SERVICE, name, secret), most=_PUT)

    def drop(self, name: str) -> None:
        """Delete a secret; a missing one is not an error. Raises NoKeyring."""

        def forget(ring: Any) -> None:
            if ring.get_password(SERVICE, name) is not None:
                ring.delete_password(SERVICE, name)

        self._ask(forget)

    def _ask(self, question: Callable[[Any], T], *, most: float = SECONDS) -> T:
        if self._gone:
            raise self._no_keyring()
        answers: list[T] = []
        failures: list[BaseException] = []

        def work() -> None:
            try:
                answers.append(question(_backend()))
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        seconds = min(self._seconds, most)
        thread.join(seconds)
        if answers:
            return answers.pop()
        error = failures.pop() if failures else None
        if error is None:
            self._gone = f"the keyring did not answer within {seconds:.0f} seconds; it may be locked"
        elif isinstance(error, NoKeyring):
            self._gone = error.what
        else:
            # Its text may contain anything: third-party backends may raise any exception.
            self._gone = f"the keyring failed ({type(error).__name__})"
        raise self._no_keyring()

    def _no_keyring(self) -> NoKeyring:
        return NoKeyring(self._gone, do="unlock your desktop's keyring, or see `keyring diagnose`")


def _backend() -> Any:
    import keyring

    result = keyring.get_keyring()
    if result.priority < 1:
        raise NoKeyring(NO_BACKEND)
    return result


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


class KeyringSessions:
    """MFA sessions in the keyring, or in the cache (files of mode 0600) if there is none.

    `tell` prints once per user that there is no keyring, and returns whether it could print.
    """

    def __init__(self, vault: Vault, cache: Cache, *, tell: Callable[[str], bool]) -> None:
        self._vault = vault
        self._cache = cache
        self._tell = tell
        self.kept_in = ""
        """Where the last one was stored: "keyring" or "file"."""

    def get(self, name: str, /) -> Session | None:
        """Return the session, expired or not. A file exists only if the keyring was not available the last time."""
        session = self._cache.get(name)
        if session is not None:
            return session
        try:
            text = self._vault.get(name)
        except NoKeyring:
            return None
        return None if text is None else undumped(text)

    def put(self, name: str, session: Session, /) -> None:
        try:
            self._vault.put(name, dumped(session))
        except NoKeyring as problem:
            self._cache.put(name, session)
            self.kept_in = "file"
            text = f"{problem.what}; your MFA session is kept in a file that only you can read"
            if not self._cache.said("no-keyring") and self._tell(text):
                self._cache.say("no-keyring")
        else:
            self._cache.drop(name)
            self.kept_in = "keyring"

    def drop(self, name: str, /) -> None:
        self._cache.drop(name)
        try:
            self._vault.drop(name)
        except NoKeyring:
            return
