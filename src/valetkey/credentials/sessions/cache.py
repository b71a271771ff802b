"""Sessions cached between commands: `$XDG_CACHE_HOME/valetkey/sessions/KEY.json`.

Rules:
- The key is a hash of everything that affects the result. A changed profile or base identity is another entry.
- INVARIANT: one lock is held during check, prompt, fetch and store, so that waiting processes read what the first one
  stored. It is an operating-system lock: it is released when its process ends, and every wait for it is limited.
- An entry that is corrupt, not owned by the user, readable by others or of another version is ignored.
- Files older than the longest possible session are removed, and with them temporary files of killed processes.
- A prompt that was dismissed or answered wrongly is recorded for REMEMBER seconds, so that a program that retries
  cannot stack prompts. A code that was sent is recorded until it is invalid.
- The access keys of sessions made on this computer are recorded as digests for two days, longer than any session lasts.
- A cache with `keep=False` writes nothing below HOME: its locks and records are in XDG_RUNTIME_DIR, or do not exist; it
  reads the records of other caches. No session is written to disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from valetkey import files
from valetkey.credentials.sessions.values import Credentials
from valetkey.errors import ValetkeyError

REMEMBER = 10
"""Seconds for which a dismissed prompt counts for all waiting processes."""

_VOID = 300
"""Seconds after which a one-time code is invalid (30 s, plus the clock difference that AWS allows)."""
_KIND = "session/v1"
_STAYING = (".lock", ".caller")
_OLDEST = 2 * 86400
"""Seconds after which no file can hold a valid session (GetSessionToken: 36 hours at most)."""


class Busy(ValetkeyError):
    """Another process held the lock until the time limit."""


@dataclass(frozen=True)
class Session:
    """Credentials and when they were requested (aware, UTC). The age of an MFA session counts from that time."""

    credentials: Credentials
    issued: datetime

    @property
    def life(self) -> float:
        """Seconds from issue to expiry."""
        return (self.credentials.expires - self.issued).total_seconds()

    def lasts(self, now: datetime) -> bool:
        """Whether three quarters of it are left, for a receiver that cannot come back for new credentials."""
        return self.left(now) >= self.life * 3 / 4

    def left(self, now: datetime) -> float:
        """Return the seconds left; 0 for a session issued in the future (the clock was set back, so its age is
        unknown)."""
        if now < self.issued - timedelta(minutes=5):
            return 0
        return (self.credentials.expires - now).total_seconds()


def key(kind: str, **parts: object) -> str:
    """Return the name of an entry: a hash of everything that affects the result."""
    text = json.dumps([_KIND, kind, parts], sort_keys=True, default=str)
    return f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:40]}"


def dumped(session: Session) -> str:
    """Serialize a session, secrets included."""
    credentials = session.credentials
    plain = {
        "valetkey": _KIND,
        "access_key_id": credentials.access_key_id,
        "secret_access_key": credentials.secret_access_key,
        "session_token": credentials.session_token,
        "expires": credentials.expires.isoformat(),
        "account": credentials.account,
        "issued": session.issued.isoformat(),
    }
    return json.dumps(plain)


def undumped(data: str | bytes) -> Session | None:
    """Parse a session; None if the text is not a valid one."""
    try:
        plain = json.loads(data)
        if plain["valetkey"] != _KIND:
            return None
        return Session(
            Credentials(
                access_key_id=_text(plain["access_key_id"]),
                secret_access_key=_text(plain["secret_access_key"]),
                session_token=_text(plain["session_token"]),
                expires=_time(plain["expires"]),
                account=_text(plain["account"]),
            ),
            _time(plain["issued"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


class Cache:
    """The entries of one user, in the directory that `env` names (see files.cache_dir)."""

    def __init__(self, env: Mapping[str, str], *, keep: bool = True) -> None:
        self._root = files.cache_dir(env)
        self._aside = files.runtime_dir(env, make=not keep)
        self._writes = self._root if keep else self._aside
        """The directory of locks and records; None: there are none."""
        self._here: dict[str, Session] | None = None if keep else {}

    def get(self, name: str, /) -> Session | None:
        """Return the entry, expired or not; None if there is no valid one."""
        if self._here is not None:
            return self._here.get(name)
        data = files.read(self._path(name))
        return None if data is None else undumped(data)

    def put(self, name: str, session: Session, /) -> None:
        """Store an entry. Raises ValetkeyError."""
        if self._here is not None:
            self._here[name] = session
            return
        self._write(name, "json", dumped(session).encode())
        self._prune(session.issued)

    def drop(self, name: str, /) -> None:
        """Remove an entry."""
        if self._here is not None:
            self._here.pop(name, None)
            return
        with contextlib.suppress(OSError):  # a cache that is not writable has no entries
            self._path(name).unlink()

    def remember_refusal(self, name: str, now: datetime, seconds: float = REMEMBER) -> None:
        """Record that the prompt for this entry was dismissed or answered wrongly at `now`."""
        self._write(name, "refused", json.dumps([now.isoformat(), seconds]).encode())

    def refused(self, name: str, now: datetime) -> float:
        """Return the seconds for which the last refusal still counts; 0: prompt."""
        data = self._read(name, "refused")
        if data is None:
            return 0
        try:
            when, seconds = json.loads(data)
            since = (now - _time(when)).total_seconds()
            return max(min(float(seconds), _VOID) - since, 0) if since >= 0 else 0
        except (ValueError, TypeError, RecursionError):
            return 0

    def spend(self, name: str, code: str, now: datetime) -> bool:
        """Record that a code of this device is being sent. Returns False if it was sent before.

        The caller holds the lock. A used code is not a secret: AWS accepts each code once.
        """
        digest = hashlib.sha256(f"{name} {code}".encode()).hexdigest()[:20]
        try:
            result = json.loads(self._read(name, "sent") or b"[]")
            sent = {str(item): when for item, when in result if 0 <= (now - _time(when)).total_seconds() < _VOID}
        except (ValueError, TypeError, RecursionError):
            sent = {}
        if digest in sent:
            return False
        self._write(name, "sent", json.dumps([*sent.items(), (digest, now.isoformat())]).encode())
        return True

    def learn(self, name: str, what: str) -> None:
        """Store one ASCII word for this name. Raises ValetkeyError."""
        self._write(name, "learned", what.encode("ascii"))

    def learned(self, name: str) -> str | None:
        """Return the stored word, or None."""
        data = self._read(name, "learned")
        return None if data is None else data.decode("ascii", "replace")

    def note_issued(self, access_key_id: str) -> None:
        """Record that a session with this access key was made on this computer. Only a digest is stored."""
        self._write(_digest(access_key_id), "issued", b"")

    def was_issued(self, access_key_id: str) -> bool:
        """Return whether a session with this access key was made on this computer in the last two days."""
        return any(self._in(root, _digest(access_key_id), "issued").exists() for root in self._roots)

    def caller(self, name: str) -> str | None:
        """Return the ARN that `note_caller` stored under this name: the owner of an access key. None if there is
        none."""
        data = self._read(name, "caller")
        return None if data is None else data.decode("utf-8", "replace")

    def note_caller(self, name: str, arn: str) -> None:
        """Store the owner of an access key. AWS never reassigns a key to another user or session."""
        self._write(name, "caller", arn.encode())

    def said(self, name: str) -> bool:
        """Return whether this user has seen this message."""
        return (self._root / f"{name}.said").exists()

    def say(self, name: str) -> None:
        """Record that this user has seen this message."""
        if self._here is None:
            files.make_dir(self._root)
            files.write(self._root / f"{name}.said", b"")

    @contextlib.contextmanager
    def lock(self, name: str, seconds: float, *, busy: Callable[[], ValetkeyError]) -> Iterator[None]:
        """Hold the entry's lock, waiting at most `seconds` for it. Raises the error that `busy` returns at the time
        limit."""
        if self._writes is None:
            yield  # nothing is shared with other processes
            return
        files.make_dir(self._writes)
        files.make_dir(self._writes / "sessions")
        path = self._in(self._writes, name, "lock")
        with files.locked(path, max(seconds, 0), busy=busy, setting="XDG_CACHE_HOME"):
            yield

    def _prune(self, now: datetime) -> None:
        """Remove old files. Locks are not removed: a process that waits for a removed lock and one that creates it
        again would both hold it. Owners of access keys are not removed either: they never change."""
        for path in (*self._root.glob("sessions/*"), *self._root.glob("hot/*"), *self._root.glob("opened/*")):
            with contextlib.suppress(OSError):
                if path.suffix not in _STAYING and path.lstat().st_mtime < now.timestamp() - _OLDEST:
                    path.unlink()

    @property
    def _roots(self) -> tuple[Path, ...]:
        """The directories that may hold records; the one that is written first."""
        result = (self._writes, self._root, self._aside)
        return tuple(dict.fromkeys(item for item in result if item is not None))

    def _read(self, name: str, kind: str) -> bytes | None:
        result = (files.read(self._in(root, name, kind)) for root in self._roots)
        return next((item for item in result if item is not None), None)

    def _write(self, name: str, kind: str, data: bytes) -> None:
        if self._writes is not None:
            files.make_dir(self._writes)
            files.write(self._in(self._writes, name, kind), data)

    def _path(self, name: str) -> Path:
        return self._in(self._root, name, "json")

    @staticmethod
    def _in(root: Path, name: str, kind: str) -> Path:
        return root / "sessions" / f"{name}.{kind}"


def _digest(access_key_id: str) -> str:
    return hashlib.sha256(f"issued {access_key_id}".encode()).hexdigest()[:40]


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("not a text")
    return value


def _time(value: object) -> datetime:
    when = datetime.fromisoformat(_text(value))
    if when.tzinfo is None:
        raise ValueError("a time needs a zone")
    return when.astimezone(UTC)
