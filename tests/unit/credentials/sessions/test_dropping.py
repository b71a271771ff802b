"""Sessions that are dropped: one customer's or all, wherever a copy is; locks stay."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail
from tests.unit.credentials.sessions.test_vault import Locked, Memory

from valetkey.credentials.profiles.names import file_id
from valetkey.credentials.sessions.cache import Cache, Session
from valetkey.credentials.sessions.dropping import Dropped, drop_all, drop_mfa, drop_profile
from valetkey.credentials.sessions.values import Credentials
from valetkey.credentials.sessions.vault import SERVICE, Vault

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def no_keyring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def env(home: pathlib.Path) -> dict[str, str]:
    """Sessions of two customers, a session of MFA, and the notes of two profiles."""
    kept = {"HOME": str(home)}
    for name, account in (("role-a", "111111111111"), ("role-b", "222222222222"), ("mfa-m", "333333333333")):
        keys = Credentials(
            access_key_id="ASIA1",
            secret_access_key="hush",
            session_token="token",
            expires=NOW + timedelta(hours=1),
            account=account,
        )
        Cache(kept).put(name, Session(keys, NOW))
    root = home / ".cache/valetkey"
    for name in ("acme", "globex"):
        for file in (f"hot/{file_id(name)}", f"last/{file_id(name)}.json", f"opened/{file_id(name)}:usual"):
            (root / file).parent.mkdir(mode=0o700, exist_ok=True)
            (root / file).write_text("note")
    (root / "sessions/mfa-m.lock").write_text("")
    return kept


def left(home: pathlib.Path) -> set[str]:
    root = home / ".cache/valetkey"
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


class Kept(Memory):
    """A keyring with MFA sessions in it, and what is none."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self.kept = {(SERVICE, name): "x" for name in names}


def test_one_customer_s_sessions_and_notes_are_dropped_and_no_other_s(env: dict[str, str], home: pathlib.Path) -> None:
    before, own = left(home), file_id("acme")
    assert drop_profile("acme", ["111111111111"], env) == 1
    gone = {"sessions/role-a.json", f"hot/{own}", f"last/{own}.json", f"opened/{own}:usual"}
    assert left(home) == before - gone
    assert drop_profile("acme", ["111111111111"], env) == 0


def test_a_profile_whose_name_begins_alike_keeps_its_notes(env: dict[str, str], home: pathlib.Path) -> None:
    for name in ("aaa", "acme-prod", "zzz"):
        (home / f".cache/valetkey/opened/{name}:usual").write_text("note")
    (home / ".cache/valetkey/opened/acme:long-read-only").write_text("note")
    before = left(home)
    assert drop_profile("acme", [], env) == 0
    own = {"hot/acme", "last/acme.json", "opened/acme:usual", "opened/acme:long-read-only"}
    assert left(home) == before - own


def test_sessions_of_every_account_named_are_counted(env: dict[str, str], home: pathlib.Path) -> None:
    (home / ".cache/valetkey/sessions/role-broken.json").write_text("{")
    assert drop_profile("none", ["222222222222", "111111111111", "333333333333"], env) == 2
    # An MFA session is no customer's, whatever its account.
    assert {item for item in left(home) if item.endswith(".json") and item.startswith("sessions")} == {
        "sessions/mfa-m.json",
        "sessions/role-broken.json",
    }


@pytest.mark.parametrize(
    ("ring", "count", "why"),
    [
        # Where there is no keyring nothing was ever put into it.
        (fail.Keyring(), 1, ""),
        (Locked(), 1, "the keyring failed (KeyringLocked)"),
        (Kept(), 1, ""),
        # In a file and in the keyring it is one; what only the keyring has is found by its lock.
        (Kept("mfa-m", "mfa-old", "seed:device"), 2, ""),
    ],
)
def test_all_are_dropped_and_locks_stay(
    ring: KeyringBackend, count: int, why: str, env: dict[str, str], home: pathlib.Path
) -> None:
    keyring.set_keyring(ring)
    root = home / ".cache/valetkey/sessions"
    for name in ("mfa-old.lock", "role-a.lock", "code-x.sent", "mfa-x.refused"):
        (root / name).write_text("")
    assert drop_all(env, Vault()) == Dropped(roles=2, mfa=count, keyring=why)
    # Neither is what is known of codes that were sent.
    kinds = ("mfa-m.lock", "mfa-old.lock", "role-a.lock", "code-x.sent", "mfa-x.refused")
    assert left(home) == {f"sessions/{name}" for name in kinds}
    if isinstance(ring, Kept):
        assert {name for _, name in ring.kept} <= {"seed:device"}
    assert drop_all(env, Vault()) == Dropped(keyring=why)


def test_a_keyring_that_does_not_answer_is_asked_once_and_the_files_go_all_the_same(
    env: dict[str, str], home: pathlib.Path
) -> None:
    class Counting(Locked):
        def get_password(self, service: str, username: str) -> str | None:
            self.asked += 1
            return super().get_password(service, username)

    ring = Counting()
    keyring.set_keyring(ring)
    other = home / ".cache/valetkey/sessions/mfa-n.json"
    other.write_text("x")
    assert drop_mfa(["mfa-m", "mfa-n", "mfa-nowhere"], env, Vault()) == (2, "the keyring failed (KeyringLocked)")
    assert ring.asked == 1
    assert not other.exists()
