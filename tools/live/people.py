"""The person of the run: an IAM user with a device that shows codes, and the sources of these codes.

AWS: a code is valid once, in its 30 seconds and one step to either side (fact H9).
"""

from __future__ import annotations

import base64
import binascii
import getpass
import hmac
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

STEP = 30


class Time(Protocol):
    """The clock of the run."""

    def now(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...


class RealTime:
    """This computer's clock."""

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Codes(Protocol):
    """Returns codes, each of them once."""

    def next(self) -> str: ...


class NoCode(Exception):
    """No code is available."""


class BadSeed(ValueError):
    """A seed that is not base32. The message does not quote it."""


@dataclass(frozen=True)
class Person:
    """The user of the contractor's profile."""

    name: str
    arn: str
    serial: str | None
    """Serial number of the device that shows codes; None: there is none."""


def code_at(seed: bytes, step: int) -> str:
    """Return the 6 digits of a 30 s step (RFC 6238 with HMAC-SHA-1, RFC 4226)."""
    digest = hmac.digest(seed, struct.pack(">Q", step), "sha1")
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


class SeedCodes:
    """Codes computed from the device's base32 seed. Waits for the next one, 30 s at most."""

    def __init__(self, seed: str, clock: Time, say: Callable[[str], None]) -> None:
        """Raises BadSeed."""
        plain = "".join(seed.split()).upper().rstrip("=")
        try:
            self._seed = base64.b32decode(plain + "=" * (-len(plain) % 8))
        except (binascii.Error, ValueError):
            raise BadSeed("the seed is not base32") from None
        if not self._seed:
            raise BadSeed("there is no seed")
        self._clock, self._say, self._used = clock, say, -1

    def next(self) -> str:
        step = int(self._clock.now()) // STEP
        if step <= self._used:
            step = self._used + 1
            wait = max(step * STEP - self._clock.now(), 0.0) + 0.5
            self._say(f"    waiting {wait:.0f} s for the next code")
            self._clock.sleep(wait)
        self._used = step
        return code_at(self._seed, step)


class AskedCodes:
    """Codes that a person types at the terminal, without echo."""

    def __init__(self, serial: str) -> None:
        self._device, self._count = serial.rpartition("/")[2], 0

    def next(self) -> str:
        try:
            with Path("/dev/tty").open(encoding="utf-8"):
                pass
        except OSError:
            raise NoCode("there is no terminal to ask for a code at") from None
        again = " (wait for a new one)" if self._count else ""
        self._count += 1
        for _ in range(3):
            try:
                code = getpass.getpass(f"    MFA code of {self._device}{again}: ").strip()
            except EOFError:
                break
            if code.isascii() and code.isdigit() and len(code) == 6:
                return code
        raise NoCode("no code was given")
