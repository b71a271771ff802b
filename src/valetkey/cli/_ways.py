"""How a grant is entered: what exec, env and console have in common."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import cache
from typing import Annotated

from cyclopts import Parameter

from valetkey.errors import ValetkeyError


@Parameter(name="*")
@dataclass(frozen=True)
class Way:
    """Which way into the role, and where its code comes from."""

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

    @property
    def own_code(self) -> str:
        """The option that makes every run take a code of its own, which no `valetkey login` can give; or empty."""
        return "--long" if self.long else "--no-cache" if self.no_cache else ""


@cache
def first_line() -> str:
    """The code on the first line of standard input, read once; what follows it is left for the command.
    Raises ValetkeyError."""
    code = read_line().replace(" ", "")
    if not (len(code) == 6 and code.isascii() and code.isdigit()):
        raise ValetkeyError("the first line of standard input is not an MFA code", do="give six digits, and a line end")
    return code


def read_line() -> str:
    """One line of standard input, within 40 seconds. Raises ValetkeyError."""
    line = b""
    end = time.monotonic() + 40
    while not line.endswith(b"\n") and len(line) < 1000:
        # A byte at a time: whoever reads on from here gets the rest.
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
