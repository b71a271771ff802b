"""Sources of MFA codes. Each source is an Ask, and the first one that can answer is used.

    given         --mfa-code-stdin
    command       mfa_process of the base profile in the AWS config (aws-vault's name for it): a password manager, ykman
    seed          a TOTP seed in the OS keyring, stored by `valetkey login --store-seed`
    terminal      valetkey.cli._terminal
    pinentry      a dialog, if there is no terminal

A source that cannot answer raises NoTerminal, and the next one is tried. Dismissed ends the search.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable, Sequence

from valetkey.credentials.sessions.protocols import Ask, Clock, Dismissed, NoTerminal
from valetkey.credentials.sessions.totp import STEP, code_at
from valetkey.credentials.sessions.vault import NoKeyring, Vault
from valetkey.errors import ValetkeyError


def first_of(sources: Sequence[Ask]) -> Ask:
    """Return an Ask that tries the sources in order. If none can answer, it raises the first NoTerminal that has
    advice, else the last one."""

    def ask(device: str, /, *, seconds: float, again: str = "") -> str:
        nobody: NoTerminal | None = None
        for source in sources:
            try:
                return source(device, seconds=seconds, again=again)
            except NoTerminal as problem:
                nobody = nobody if nobody is not None and nobody.do else problem
        raise nobody or NoTerminal("valetkey has no way to ask for the MFA code")

    return ask


def given(code: str) -> Ask:
    """Return an Ask for one code that was given in advance."""

    def ask(device: str, /, *, seconds: float, again: str = "") -> str:
        if again:
            raise Dismissed("AWS did not accept the given MFA code, or it was sent before", do="give the next one")
        return code

    return ask


def command(line: str, *, clock: Clock, sleep: Callable[[float], None]) -> Ask:
    """Return an Ask that runs a command and reads six digits from its output. The command runs without a shell and with
    an empty standard input; its standard error is shown ("touch your key")."""

    def ask(device: str, /, *, seconds: float, again: str = "") -> str:
        if again:
            seconds -= _wait_for_next(seconds, clock, sleep)
        try:
            words = shlex.split(line)
            ran = subprocess.run(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=max(seconds, 1), check=False
            )
        except subprocess.TimeoutExpired:
            raise _failed("did not end in time") from None
        except (OSError, ValueError, IndexError) as error:
            raise _failed(f"cannot be run: {getattr(error, 'strerror', None) or 'it is not a command line'}") from None
        if ran.returncode != 0:
            raise _failed(f"ended with {ran.returncode}")
        match = re.fullmatch(rb"\s*([0-9]{3})\s?([0-9]{3})\s*", ran.stdout)
        if match is None:
            raise _failed("printed something else than six digits")
        return (match[1] + match[2]).decode("ascii")

    return ask


def seed(find: Callable[[str], str | None], *, clock: Clock, sleep: Callable[[float], None]) -> Ask:
    """Return an Ask for the code of the seed that `find(device)` returns. If it returns None or raises NoKeyring, there
    is no seed."""

    def ask(device: str, /, *, seconds: float, again: str = "") -> str:
        try:
            result = find(device)
        except NoKeyring as problem:
            raise NoTerminal(problem.what) from None
        if result is None:
            raise NoTerminal("the keyring has no seed of this MFA device")
        if again:
            _wait_for_next(seconds, clock, sleep)
        return code_at(result, clock().timestamp())

    return ask


def kept_seed(vault: Vault, device: str) -> str | None:
    """Return the seed of a device from the keyring, or None. Raises NoKeyring."""
    return vault.get(f"seed:{device}")


def keep_seed(vault: Vault, device: str, seed: str) -> None:
    """Store a seed in the keyring. Raises NoKeyring."""
    vault.put(f"seed:{device}", seed)


def _wait_for_next(seconds: float, clock: Clock, sleep: Callable[[float], None]) -> float:
    """Wait until a device shows its next code. Returns the seconds waited. Raises Dismissed if there is not enough
    time."""
    left = STEP - clock().timestamp() % STEP + 0.2
    if left > seconds:
        raise Dismissed(
            "AWS did not accept the MFA code, and the next one comes too late", do=f"try again in {left:.0f} seconds"
        )
    sleep(left)
    return left


def _failed(why: str) -> ValetkeyError:
    return Dismissed(
        f"mfa_process {why}", do="run it by hand; it is in the base profile of your AWS config", where="mfa_process"
    )
