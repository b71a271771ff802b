"""The OS keyring, through backends of the `keyring` package's own interface: working, failing, locked, slow, absent."""

from __future__ import annotations

import pathlib
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.errors import KeyringLocked, PasswordSetError

from valetkey.credentials.sessions.cache import Cache, Session
from valetkey.credentials.sessions.values import Credentials
from valetkey.credentials.sessions.vault import SERVICE, KeyringSessions, NoKeyring, Vault

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
MADE = Session(
    Credentials(
        access_key_id="ASIAMFA",
        secret_access_key="hush-mfa",
        session_token="token-mfa",
        expires=NOW + timedelta(hours=12),
        account="123456789012",
    ),
    NOW,
)


class Memory(KeyringBackend):
    priority = 5

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.asked = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.asked += 1
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


class Locked(Memory):
    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("hush-mfa is in here")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise PasswordSetError(password)


class Slow(Memory):
    """Shows a dialog that nobody answers."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.answer = threading.Event(), threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.asked += 1
        self.begun.set()
        self.answer.wait(50)
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        self.answer.wait(50)


class Plaintext(Memory):
    priority = 0.5


@pytest.fixture(autouse=True)
def _own_keyring() -> Iterator[None]:
    yield
    if isinstance(keyring.get_keyring(), Slow):
        keyring.get_keyring().answer.set()
    keyring.set_keyring(fail.Keyring())


def use(backend: KeyringBackend) -> Any:
    keyring.set_keyring(backend)
    return backend


def test_a_secret_is_kept_and_forgotten() -> None:
    ring, vault = use(Memory()), Vault()
    assert vault.get("seed:x") is None
    vault.put("seed:x", "SEED")
    assert vault.get("seed:x") == "SEED"
    assert ring.kept == {(SERVICE, "seed:x"): "SEED"}
    vault.drop("seed:x")
    vault.drop("seed:x")
    assert ring.kept == {}


@pytest.mark.parametrize("backend", [fail.Keyring, null.Keyring, Plaintext])
def test_no_backend_or_a_weak_one_is_no_keyring(backend: type[KeyringBackend]) -> None:
    use(backend())
    for question in (lambda v: v.get("x"), lambda v: v.put("x", "y"), lambda v: v.drop("x")):
        with pytest.raises(NoKeyring, match="this computer has no keyring"):
            question(Vault())


def test_a_failing_backends_text_is_not_quoted() -> None:
    use(Locked())
    with pytest.raises(NoKeyring, match="KeyringLocked") as caught:
        Vault().get("x")
    assert "hush" not in str(caught.value)
    with pytest.raises(NoKeyring, match="PasswordSetError") as caught:
        Vault().put("x", "hush-mfa")
    assert "hush" not in str(caught.value)


def test_a_locked_keyring_does_not_hang_us_and_is_not_asked_twice() -> None:
    ring, vault = use(Slow()), Vault(seconds=0.2)
    begun = time.monotonic()
    for _ in range(5):
        with pytest.raises(NoKeyring, match="it may be locked"):
            vault.get("x")
    assert time.monotonic() - begun < 30  # it does not hang; it is a fifth of a second as a rule
    assert ring.begun.wait(20)
    assert ring.asked == 1


def test_a_backend_that_is_recommended_is_a_keyring_and_a_weaker_one_is_none() -> None:
    class Recommended(Memory):
        priority = 1

    class Weaker(Memory):
        priority = 0.9

    use(Recommended())
    assert Vault().get("x") is None
    use(Weaker())
    with pytest.raises(NoKeyring) as caught:
        Vault().get("x")
    assert caught.value.exit_code == 3
    assert caught.value.do == "unlock your desktop's keyring, or see `keyring diagnose`"


def test_what_is_no_text_is_no_secret() -> None:
    ring = use(Memory())
    ring.kept[SERVICE, "x"] = b"bytes"
    assert Vault().get("x") is None


@pytest.mark.parametrize(("given", "asked", "put"), [({}, 15, 8), ({"seconds": 10}, 10, 8), ({"seconds": 2}, 2, 2)])
def test_a_keyring_has_fifteen_seconds_and_eight_to_put(
    given: dict[str, float], asked: float, put: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Putting comes after a question that may have taken nearly all the time that an SDK gives."""
    waited: list[float | None] = []

    class Never(threading.Thread):
        def start(self) -> None: ...

        def join(self, timeout: float | None = None) -> None:
            waited.append(timeout)

    monkeypatch.setattr(threading, "Thread", Never)
    for question, seconds in (
        (lambda vault: vault.get("x"), asked),
        (lambda vault: vault.drop("x"), asked),
        (lambda vault: vault.put("x", "y"), put),
    ):
        with pytest.raises(NoKeyring) as caught:
            question(Vault(**given))
        assert caught.value.what == f"the keyring did not answer within {seconds} seconds; it may be locked"
        assert waited.pop() == seconds


def test_a_keyring_is_asked_in_a_thread_that_does_not_keep_the_process() -> None:
    seen: list[bool] = []

    class Looking(Memory):
        def get_password(self, service: str, username: str) -> str | None:
            seen.append(threading.current_thread().daemon)
            return None

    use(Looking())
    Vault().get("x")
    assert seen == [True]


@pytest.mark.parametrize("error", [RuntimeError, SystemExit, KeyboardInterrupt])
def test_whatever_a_backend_raises_makes_it_absent_for_the_rest_of_the_run(error: type[BaseException]) -> None:
    class Failing(Memory):
        def get_password(self, service: str, username: str) -> str | None:
            self.asked += 1
            raise error("hush")

    ring, vault = use(Failing()), Vault()
    for question in (lambda: vault.get("x"), lambda: vault.put("x", "y"), lambda: vault.drop("x")):
        with pytest.raises(NoKeyring) as caught:
            question()
        assert caught.value.what == f"the keyring failed ({error.__name__})"
    assert (ring.asked, ring.kept) == (1, {})


def test_what_is_not_there_is_not_deleted() -> None:
    class Strict(Memory):
        def delete_password(self, service: str, username: str) -> None:
            assert (service, username) in self.kept
            super().delete_password(service, username)

    ring, vault = use(Strict()), Vault()
    vault.drop("x")
    vault.put("x", "y")
    vault.drop("x")
    assert ring.kept == {}


def sessions(home: pathlib.Path, said: list[str], *, heard: bool = True, seconds: float = 5) -> KeyringSessions:
    def tell(text: str) -> bool:
        said.append(text)
        return heard

    return KeyringSessions(Vault(seconds=seconds), Cache({"HOME": str(home)}), tell=tell)


def test_the_mfa_session_is_in_the_keyring_and_in_no_file(home: pathlib.Path) -> None:
    ring, said = use(Memory()), []
    kept = sessions(home, said)
    assert kept.get("mfa-1") is None
    kept.put("mfa-1", MADE)
    assert (kept.get("mfa-1"), kept.kept_in, said) == (MADE, "keyring", [])
    assert (SERVICE, "mfa-1") in ring.kept
    files = [item for item in (home / ".cache").rglob("*") if item.is_file()]
    assert all("hush" not in file.read_text() for file in files)
    kept.drop("mfa-1")
    assert kept.get("mfa-1") is None
    ring.kept[SERVICE, "mfa-2"] = "not ours"
    assert kept.get("mfa-2") is None


@pytest.mark.parametrize("backend", [fail.Keyring, Locked, Slow, Plaintext])
def test_without_a_keyring_it_is_a_private_file_and_that_is_said_once(
    backend: type[KeyringBackend], home: pathlib.Path
) -> None:
    use(backend())
    said: list[str] = []
    sessions(home, said, seconds=0.2).put("mfa-1", MADE)
    kept = sessions(home, said, seconds=0.2)
    assert kept.get("mfa-1") == MADE
    kept.put("mfa-2", MADE)
    assert kept.kept_in == "file"
    why = {
        fail.Keyring: "this computer has no keyring",
        Plaintext: "this computer has no keyring",
        Locked: "the keyring failed (PasswordSetError)",
        Slow: "the keyring did not answer within 0 seconds; it may be locked",
    }[backend]
    assert said == [f"{why}; your MFA session is kept in a file that only you can read"]
    for path in (home / ".cache/valetkey/sessions").glob("*.json"):
        assert path.stat().st_mode & 0o777 == 0o600


def test_without_a_keyring_there_is_no_session_and_none_to_drop(home: pathlib.Path) -> None:
    use(fail.Keyring())
    kept = sessions(home, [])
    assert kept.get("mfa-1") is None
    kept.put("mfa-1", MADE)
    kept.drop("mfa-1")
    assert kept.get("mfa-1") is None


def test_it_is_said_again_when_nobody_could_read_it(home: pathlib.Path) -> None:
    use(fail.Keyring())
    said: list[str] = []
    for _ in range(2):
        sessions(home, said, heard=False).put("mfa-1", MADE)
    assert len(said) == 2


def test_a_keyring_that_is_there_again_takes_over(home: pathlib.Path) -> None:
    use(fail.Keyring())
    sessions(home, []).put("mfa-1", MADE)
    use(Memory())
    kept = sessions(home, [])
    # A file is found without asking the keyring.
    assert kept.get("mfa-1") == MADE
    kept.put("mfa-1", MADE)
    assert not list((home / ".cache/valetkey/sessions").glob("*.json"))
    assert kept.get("mfa-1") == MADE
