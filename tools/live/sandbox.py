"""The same run on the sandbox: its clocks are moved instead of waited for, and the codes of its devices are read."""

from __future__ import annotations

from collections.abc import Sequence

from valetkey.sandbox.client import Control


class SandboxTime:
    """The owner's clock. Waiting moves the clocks of all accounts."""

    def __init__(self, control: Control, accounts: Sequence[str]) -> None:
        self._control, self._accounts = control, accounts

    def now(self) -> float:
        return self._control.now(self._accounts[0])

    def sleep(self, seconds: float) -> None:
        for account in self._accounts:
            self._control.shift(account, seconds)


class SandboxCodes:
    """The codes of a device of the sandbox. Its account's clock moves on if the current code has been used."""

    def __init__(self, control: Control, serial: str) -> None:
        self._control, self._serial = control, serial

    def next(self) -> str:
        return self._control.totp(self._serial)[0]
