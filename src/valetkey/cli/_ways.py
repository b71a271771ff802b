"""Session options shared by exec, env and console."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import cache
from typing import Annotated

from cyclopts import Parameter

from valetkey.credentials.sessions.ways import Way
from valetkey.errors import ValetkeyError


@Parameter(name="*")
@dataclass(frozen=True)
class WayOptions:
    """The kind of role session, and the source of its MFA code."""

    long: Annotated[
        bool,
        Parameter(negative="", help="Use an MFA code for this role alone, and request the longest session it allows."),
    ] = False
    read_only: Annotated[
        bool, Parameter(name="--read-only", negative="", help="Restrict the session to AWS's ReadOnlyAccess.")
    ] = False
    no_cache: Annotated[
        bool, Parameter(name="--no-cache", negative="", help="Neither use nor write the session cache.")
    ] = False
    mfa_code_stdin: Annotated[
        bool, Parameter(name="--mfa-code-stdin", negative="", help="Read the MFA code from the first line of stdin.")
    ] = False

    region: Annotated[
        str | None, Parameter(help="AWS region to use instead of the one in the AWS profile or AWS_REGION.")
    ] = None

    @property
    def way(self) -> Way:
        """Return the same options as a Way for the contractor's core."""
        code = first_line if self.mfa_code_stdin else None
        if self.region is not None:
            check_region(self.region)
        return Way(long=self.long, read_only=self.read_only, no_cache=self.no_cache, region=self.region, code=code)


def check_region(region: str) -> None:
    """Raise ValetkeyError for text that cannot be the name of a region."""
    from valetkey.awsfiles import is_region

    if not is_region(region):
        raise ValetkeyError(f"--region: {region[:40]!r} is not a region", do="name one like eu-central-1")


@cache
def first_line() -> str:
    """Return the MFA code on the first line of standard input, which is read once; the rest is left for the command.
    Raises ValetkeyError."""
    code = read_line().replace(" ", "")
    if not (len(code) == 6 and code.isascii() and code.isdigit()):
        raise ValetkeyError("the first line of standard input is not an MFA code", do="give six digits, and a line end")
    return code


def read_line() -> str:
    """Read one line of standard input, within 40 seconds. Raises ValetkeyError."""
    line = b""
    end = time.monotonic() + 40
    while not line.endswith(b"\n") and len(line) < 1000:
        # One byte at a time, so that the next reader gets the rest.
        some = _byte(end)
        if not some:
            break
        line += some
    return line.decode("ascii", "replace").strip()


def _byte(end: float) -> bytes:
    import select

    if not select.select([0], [], [], max(end - time.monotonic(), 0))[0]:
        raise ValetkeyError("no line came from standard input within 40 seconds", do="give it sooner", exit_code=3)
    return os.read(0, 1)
