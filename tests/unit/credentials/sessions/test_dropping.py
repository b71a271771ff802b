"""Sessions that are dropped: one customer's or all, wherever a copy is; locks stay."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import keyring
import pytest
from keyring.backends import fail

from valetkey.credentials.profiles.names import file_id
from valetkey.credentials.sessions.cache import Cache, Session
from valetkey.credentials.sessions.dropping import Dropped, drop_all, drop_profile
from valetkey.credentials.sessions.values import Credentials
from valetkey.credentials.sessions.vault import Vault

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


def test_one_customer_s_sessions_and_notes_are_dropped_and_no_other_s(env: dict[str, str], home: pathlib.Path) -> None:
    before, own = left(home), file_id("acme")
    assert drop_profile("acme", ["111111111111"], env) == 1
    gone = {"sessions/role-a.json", f"hot/{own}", f"last/{own}.json", f"opened/{own}:usual"}
    assert left(home) == before - gone
    assert drop_profile("acme", ["111111111111"], env) == 0


def test_all_are_dropped_and_locks_stay(env: dict[str, str], home: pathlib.Path) -> None:
    assert drop_all(env, Vault()) == Dropped(roles=2, mfa=1)
    assert {each for each in left(home) if not each.endswith(".lock")} == set()
    assert "sessions/mfa-m.lock" in left(home)
