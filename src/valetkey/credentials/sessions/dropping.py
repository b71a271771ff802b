"""Drop cached sessions: one customer's, or all.

Rules:
- A session is dropped from all places: the cache, the stored responses of `credential-process`, the notes of `exec` and
  `env`, the OS keyring.
- Locks and records of sent codes are not removed: without them a code could be sent twice.
- The keyring cannot be listed. The lock of an MFA session has the same name as the session, and locks are never
  removed, so every MFA session ever made on this computer is found.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from valetkey import files
from valetkey.credentials.profiles.names import file_id
from valetkey.credentials.sessions.cache import undumped
from valetkey.credentials.sessions.vault import NO_BACKEND, NoKeyring, Vault


@dataclass(frozen=True)
class Dropped:
    """The sessions that were dropped."""

    roles: int = 0
    """Role sessions."""
    mfa: int = 0
    """MFA sessions, from files and the keyring."""
    keyring: str = ""
    """Why the keyring may still hold MFA sessions, or empty."""


def drop_all(env: Mapping[str, str], vault: Vault) -> Dropped:
    """Drop every session. Raises ValetkeyError if there is no home directory."""
    root = files.cache_dir(env)
    names = {path.stem for path in (root / "sessions").glob("mfa-*") if path.suffix in (".json", ".lock")}
    mfa, keyring = drop_mfa(names, env, vault)
    roles = sum(map(_unlink, (root / "sessions").glob("*.json")))
    for path in (*(root / "hot").glob("*"), *(root / "opened").glob("*"), *(root / "last").glob("*")):
        _unlink(path)
    return Dropped(roles, mfa, keyring)


def drop_mfa(names: Iterable[str], env: Mapping[str, str], vault: Vault) -> tuple[int, str]:
    """Drop MFA sessions by their names in the cache. Returns the number dropped, and why the keyring may still hold
    one."""
    count, keyring = 0, ""
    for name in names:
        was_there = _unlink(files.cache_dir(env) / "sessions" / f"{name}.json")
        try:
            if not keyring:
                was_there |= vault.get(name) is not None
                vault.drop(name)
        except NoKeyring as problem:
            # If there is no keyring, it never held a session.
            keyring = problem.what
        count += was_there
    return count, "" if keyring == NO_BACKEND else keyring


def drop_profile(name: str, accounts: Iterable[str], env: Mapping[str, str]) -> int:
    """Drop the role sessions of these accounts, and every note of the profile. Returns the number of sessions.

    A session's file does not record its profile. Another profile of the same customer assumes its role again, without a
    code while the MFA session lasts.
    """
    root, count = files.cache_dir(env), 0
    wanted = frozenset(accounts)
    for path in (root / "sessions").glob("role-*.json"):
        session = undumped(files.read(path) or b"")
        if session is not None and session.credentials.account in wanted:
            count += _unlink(path)
    own = file_id(name)
    for path in (root / "hot" / own, root / "last" / f"{own}.json", *(root / "opened").glob("*")):
        if path.parent.name != "opened" or path.name.rpartition(":")[0] == own:
            _unlink(path)
    return count


def _unlink(path: Path) -> bool:
    with contextlib.suppress(OSError):
        path.unlink()
        return True
    return False
