"""A clock per account that tests can move.

Everything in the sandbox that AWS decides by time uses the clock of one account:

| what | whose clock |
| --- | --- |
| codes of an MFA device, `aws:MultiFactorAuthAge` | the account of the device's user |
| GetSessionToken and GetFederationToken: issue, Expiration | the caller's account |
| AssumeRole: issue, Expiration of the role session | the role's account |
| `aws:CurrentTime`, `aws:EpochTime` in a trust policy | the role's account |
| `aws:CurrentTime`, `aws:EpochTime` in every other policy | the caller's account |
| dates in IAM's responses, event times of CloudTrail | the account they belong to |

`Expiration` in a response uses the same clock as the checks. SigV4 dates, and everything outside IAM, STS and
CloudTrail, use the computer's clock.

Replaces: the name `time` in ministack's `services.iam`, `services.sts` and `core.iam_evaluator`; resetting the sandbox
resets the clocks.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import struct_time
from typing import Any

_offsets: dict[str, float] = {}
_account: ContextVar[str | None] = ContextVar("valetkey_clock_account", default=None)


def now(account: str | None = None) -> float:
    """Return the time of `account`, or of the current account, in seconds since 1970."""
    return time.time() + _offsets.get(account or _current(), 0.0)


def shift(account: str, seconds: float) -> float:
    """Move the clock of `account` by `seconds` (back if negative). Returns its new time."""
    _offsets[account] = _offsets.get(account, 0.0) + seconds
    return now(account)


@contextmanager
def of(account: str) -> Iterator[None]:
    """Use the clock of `account` within the block."""
    token = _account.set(account)
    try:
        yield
    finally:
        _account.reset(token)


def stamp(seconds: float) -> str:
    """Format a time as AWS writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def reset() -> None:
    """Reset every clock to the computer's time."""
    _offsets.clear()


def install() -> None:
    from ministack.core import iam_evaluator
    from ministack.services import iam, sts

    for module in (iam, sts, iam_evaluator):
        module.time = _Time()
    emptied = sts.reset

    def reset_all() -> None:
        emptied()
        reset()

    sts.reset = reset_all


def _current() -> str:
    from ministack.core.responses import get_account_id

    return _account.get() or str(get_account_id())


class _Time:
    """Replacement for the module `time`. Everything but the present time is passed through."""

    def time(self) -> float:
        return now()

    def gmtime(self, seconds: float | None = None) -> struct_time:
        return time.gmtime(now() if seconds is None else seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)
