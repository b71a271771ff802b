"""The one sandbox that a person starts by hand: where its files are, how it is found and how it is ended.

Its folder is $XDG_STATE_HOME/valetkey/sandbox (~/.local/state/valetkey/sandbox), for its user only:

    sandbox.json        url, process id, profiles and MFA devices; no secret
    config, credentials the AWS files of the ready profiles
    xdg/                valetkey's own settings and cache of the rehearsal

INVARIANT: all of it is removed when the sandbox has ended; the accounts and keys in it have ended with the process.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from valetkey import files
from valetkey.sandbox.client import Control
from valetkey.sandbox.errors import SandboxError
from valetkey.sandbox.process import Running, end, spawn
from valetkey.sandbox.variants import Refusals


@dataclass(frozen=True)
class Profile:
    """A ready AWS profile of the sandbox."""

    name: str
    account: str
    user: str
    arn: str
    mfa_serial: str | None = None


@dataclass(frozen=True)
class Local:
    """A running sandbox, as its folder describes it."""

    url: str
    pid: int
    folder: str
    profiles: tuple[Profile, ...]

    @property
    def environment(self) -> dict[str, str]:
        """Environment of a shell in which the AWS tools and valetkey use the sandbox, and not the user's own files."""
        folder = Path(self.folder)
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_CONFIG_FILE": str(folder / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
            "XDG_CONFIG_HOME": str(folder / "xdg" / "config"),
            "XDG_CACHE_HOME": str(folder / "xdg" / "cache"),
        }

    def device(self, who: str) -> str:
        """Return the MFA device of a user, by name ("carol") or profile. An ARN is returned unchanged. Raises
        SandboxError."""
        if who.startswith("arn:"):
            return who
        named = [profile for profile in self.profiles if who in (profile.user, profile.name)]
        serials = {profile.mfa_serial for profile in named if profile.mfa_serial}
        if len(serials) == 1:
            return serials.pop()
        having = ", ".join(profile.user for profile in self.profiles if profile.mfa_serial) or "nobody"
        what = f"{who} has no MFA device" if named else f"the sandbox has no user {who}"
        raise SandboxError(what, do=f"name one that has ({having}), or the ARN of any user or device")


def place(env: Mapping[str, str]) -> Path:
    """Return the folder of this user's sandbox. Raises SandboxError."""
    state = env.get("XDG_STATE_HOME", "")
    if Path(state).is_absolute():  # the XDG specification says to ignore relative paths
        return Path(state) / "valetkey" / "sandbox"
    home = env.get("HOME", "")
    if not home:
        raise SandboxError("there is no HOME to keep the sandbox's files in", do="set HOME or XDG_STATE_HOME")
    return Path(home) / ".local" / "state" / "valetkey" / "sandbox"


def begin(
    folder: Path, *, port: int = 0, accounts: int = 2, owner: int | None = None, refusals: Refusals = "bare"
) -> tuple[Local, Running]:
    """Start a furnished sandbox and write its folder. `owner` as for `process.spawn`, `refusals` as in variants.py.
    Raises SandboxError."""
    from filelock import FileLock, Timeout

    from valetkey.sandbox.accounts import MOST, furnish

    if not 1 <= accounts <= MOST:
        raise SandboxError(f"the sandbox has 1 to {MOST} accounts, not {accounts}", do="choose with --accounts")
    if not 0 <= port <= 65535:
        raise SandboxError(f"{port} is not a port", do="choose 1 to 65535, or 0 for a free one")
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with FileLock(f"{folder}.lock", timeout=30):
            there = find(folder)
            if there is not None:
                raise SandboxError(
                    f"a sandbox is already running at {there.url}",
                    do="see `valetkey sandbox status`, or end it with `valetkey sandbox stop`",
                )
            running = spawn(port, owner=owner)
            try:
                seats = furnish(running.url, accounts)
                if refusals != "bare":
                    Control(running.url).vary(refusals=refusals)
                local = Local(
                    running.url,
                    running.pid,
                    str(folder),
                    tuple(Profile(s.profile, s.account, s.user.name, s.user.arn, s.user.mfa_serial) for s in seats),
                )
                _discard(folder)
                folder.mkdir(mode=0o700)
                region = "region = us-east-1\n"
                files.replace(folder / "config", _ini((f"profile {seat.profile}", region) for seat in seats).encode())
                keys = ((seat.profile, _KEYS.format(seat.user)) for seat in seats)
                files.replace(folder / "credentials", _ini(keys).encode())
                text = json.dumps({"valetkey": "sandbox/v1", **asdict(local)}, indent=2) + "\n"
                files.replace(folder / "sandbox.json", text.encode())
            except BaseException:
                running.stop()
                _discard(folder)
                raise
            return local, running
    except Timeout:
        raise SandboxError("another `valetkey sandbox start` is running", do="wait for it, then try again") from None


def find(folder: Path) -> Local | None:
    """Return the running sandbox of this folder, or None. Files that an ended one has left are ignored."""
    try:
        plain: dict[str, Any] = json.loads((folder / "sandbox.json").read_text())
        if plain.pop("valetkey") != "sandbox/v1":
            return None
        plain["profiles"] = tuple(Profile(**profile) for profile in plain["profiles"])
        local = Local(**plain)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    # Another process may have the port or the process id by now: only a sandbox with this id counts.
    return local if Control(local.url, timeout=5).pid() == local.pid else None


def running(folder: Path) -> Local:
    """Return the running sandbox of this folder. Raises SandboxError if there is none."""
    local = find(folder)
    if local is None:
        raise SandboxError("no sandbox is running", do="start one with `valetkey sandbox start`")
    return local


def code(folder: Path, who: str) -> tuple[str, int, str]:
    """Return an unused current code, its remaining seconds, and its MFA device. `who` as for `Local.device`. Raises
    SandboxError."""
    local = running(folder)
    device = local.device(who)
    return (*Control(local.url).totp(device), device)


def finish(folder: Path, running: Running | None = None) -> Local | None:
    """End the sandbox of this folder and remove the folder. Returns the sandbox that was running, or None. May be
    called twice.

    `running` is given by the process that started it.
    """
    local = find(folder)
    if running is not None:
        running.stop()
    elif local is not None:
        end(local.pid)
    _discard(folder)
    return local


_KEYS = "aws_access_key_id = {0.access_key_id}\naws_secret_access_key = {0.secret_access_key}\n"


def _ini(sections: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"[{name}]\n{body}" for name, body in sections)


def _discard(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
