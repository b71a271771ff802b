"""The same run on the sandbox: its clocks are moved instead of waited for, and its devices show their codes."""

from __future__ import annotations

from collections.abc import Sequence

from valetkey.sandbox.client import Control


class SandboxTime:
    """The owner's clock; waiting moves the clocks of all the accounts."""

    def __init__(self, control: Control, accounts: Sequence[str]) -> None:
        self._control, self._accounts = control, accounts

    def now(self) -> float:
        return self._control.now(self._accounts[0])

    def sleep(self, seconds: float) -> None:
        for account in self._accounts:
            self._control.shift(account, seconds)


class SandboxCodes:
    """The codes of a device of the sandbox; its account's clock moves on where the current one was used."""

    def __init__(self, control: Control, serial: str) -> None:
        self._control, self._serial = control, serial

    def next(self) -> str:
        return self._control.totp(self._serial)[0]
