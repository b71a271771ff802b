"""Locations of valetkey's own files, and files that only this user can read.

Rules:
- `$XDG_CONFIG_HOME/valetkey` (`~/.config/valetkey`) and `$XDG_CACHE_HOME/valetkey` (`~/.cache/valetkey`); a relative
  XDG path is ignored (XDG Base Directory Specification).
- INVARIANT: a file is written completely or not at all (temporary file, fsync, rename), mode 0600, in a directory of
  mode 0700 that belongs to this user and is not a symbolic link.
- A file is trusted only if it is a regular file of this user that no other user can read (or, for settings, write).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from valetkey.errors import ValetkeyError

_MAX_BYTES = 1_000_000


def config_dir(env: Mapping[str, str]) -> Path:
    """`$XDG_CONFIG_HOME/valetkey`. Raises ValetkeyError without HOME."""
    return _xdg(env, "XDG_CONFIG_HOME", ".config")


def cache_dir(env: Mapping[str, str]) -> Path:
    """`$XDG_CACHE_HOME/valetkey`. Raises ValetkeyError without HOME."""
    return _xdg(env, "XDG_CACHE_HOME", ".cache")


def runtime_dir(env: Mapping[str, str], *, make: bool = True) -> Path | None:
    """Return `$XDG_RUNTIME_DIR/valetkey`, for files that need not outlive the login session, and create it if absent.
    None where the system has no such directory or it cannot be used; without `make`, also where it is absent."""
    given = env.get("XDG_RUNTIME_DIR", "")
    if not given.startswith("/"):
        return None
    try:
        # Only the system creates this directory (XDG Base Directory Specification).
        ours = Path(given) / "valetkey"
        return make_dir(ours) if ours.is_dir() or (make and ours.parent.is_dir()) else None
    except ValetkeyError:
        return None


def _xdg(env: Mapping[str, str], name: str, default: str) -> Path:
    given = env.get(name, "")
    if given.startswith("/"):
        return Path(given) / "valetkey"
    home = env.get("HOME") or env.get("USERPROFILE")
    if not home:
        raise ValetkeyError("there is no home directory to keep valetkey's files in", do=f"set HOME or {name}")
    return Path(home) / default / "valetkey"


def make_dir(path: Path) -> Path:
    """Create a private directory, or check an existing one and remove other users' read access.

    Raises ValetkeyError when other users could have written to it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
        status = path.lstat()
    except OSError as error:
        raise ValetkeyError(
            f"{path} cannot be used: {error.strerror}", do="make it a directory of your own", where=str(path)
        ) from None
    wrong = ""
    if not stat.S_ISDIR(status.st_mode):
        wrong = "is a symbolic link" if stat.S_ISLNK(status.st_mode) else "is not a directory"
    elif not _is_mine(status):
        wrong = "belongs to another user"
    elif os.name == "posix" and status.st_mode & 0o022:
        wrong = "can be written by other users"
    if wrong:
        raise ValetkeyError(
            f"{path} {wrong}", do="remove it, or make it a directory of your own with mode 0700", where=str(path)
        )
    if os.name == "posix" and status.st_mode & 0o077:
        try:
            path.chmod(0o700)
        except OSError as error:
            raise ValetkeyError(
                f"{path} cannot be used: {error.strerror}", do="make it a directory of your own", where=str(path)
            ) from None
    return path


def write(path: Path, data: bytes) -> None:
    """Write a private file atomically. Raises ValetkeyError."""
    make_dir(path.parent)
    replace(path, data)


def replace(
    path: Path,
    data: bytes,
    *,
    mode: int = 0o600,
    do: str = "make sure that the disk has room and that you can write to the directory",
) -> None:
    """Replace `path` with a complete file (temporary file in the same directory, fsync, rename). `do` is the advice
    when it cannot be written. Raises ValetkeyError."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if mode != 0o600:
            temporary.chmod(mode)
        temporary.replace(path)
        _sync_dir(path.parent)
    except OSError as error:
        raise ValetkeyError(f"{path} cannot be written: {error.strerror}", do=do, where=str(path)) from None
    finally:
        # A read-only file system refuses even to unlink a file that does not exist.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(path: Path, seconds: float, *, busy: Callable[[], ValetkeyError], setting: str) -> Iterator[None]:
    """Hold an operating-system lock on `path`, whose directory exists. The lock ends with the process. Raises the
    result of `busy` when the lock is not free within `seconds`, and ValetkeyError when `path` cannot be locked.
    `setting` is the environment variable that moves the directory."""
    from filelock import FileLock, Timeout

    lock = FileLock(path, timeout=seconds, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        raise busy() from None
    except OSError as error:
        raise ValetkeyError(
            f"{path} cannot be locked: {error.strerror}",
            do=f"make sure that you can write to its directory, or set {setting} to another",
            where=str(path),
        ) from None
    try:
        yield
    finally:
        lock.release()


def read_named(path: Path, limit: int, *, do: str = "name an existing file") -> bytes:
    """Read a file that a person named, whoever owns it. Returns at most `limit` + 1 bytes; the caller refuses a result
    longer than `limit`. `do` is the advice when it cannot be read. Raises ValetkeyError."""
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "that is not a file name"
        raise ValetkeyError(f"{path} cannot be read: {why}", do=do, where=str(path)) from None


def read(path: Path, *, others_may_read: bool = False) -> bytes | None:
    """Return the bytes of a private file; None when it is absent or not trusted (see the rules above)."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return None
    try:
        file = os.fdopen(handle, "rb")
    except OSError:  # it is a directory
        os.close(handle)
        return None
    with file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or not _is_mine(status) or status.st_size > _MAX_BYTES:
            return None
        if os.name == "posix" and status.st_mode & (0o022 if others_may_read else 0o077):
            return None
        return file.read(_MAX_BYTES)


def _is_mine(status: os.stat_result) -> bool:
    return os.name != "posix" or status.st_uid == os.geteuid()


def _sync_dir(path: Path) -> None:
    if os.name == "posix":
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
