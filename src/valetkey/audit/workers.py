"""Compute the verdicts of a large account on several cores.

Below `WORTH` distinct documents, starting processes takes longer than it saves. A process that dies only costs time:
`audit` computes the missing verdicts.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import datetime
from functools import partial

from valetkey.account.values import Account
from valetkey.audit.run import VerdictKey, key_of
from valetkey.audit.scope import Scope
from valetkey.audit.subjects import TrustVerdict
from valetkey.audit.trusts import judge

WORTH = 2_000
"""The minimum number of distinct documents for which processes are started."""
_AT_ONCE = 100


def verdicts(
    account: Account,
    *,
    scope: Scope,
    now: datetime,
    cores: int,
    worth: int = WORTH,
    progress: Callable[[int, int], None] | None = None,
) -> dict[VerdictKey, TrustVerdict]:
    """The verdicts of an account's distinct trust policies, for `audit`; empty for fewer than `worth` of them or less
    than two cores. `progress` receives the number of finished documents and the total."""
    keys = list(dict.fromkeys(key for role in account.roles if (key := key_of(role)) is not None))
    if cores < 2 or len(keys) < worth:
        return {}
    result: dict[VerdictKey, TrustVerdict] = {}
    # Forking is safe because this process has one thread, and avoids importing everything again.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    try:
        with ProcessPoolExecutor(cores, mp_context=context, initializer=_leave_interrupts) as pool:
            work = pool.map(partial(_judge, scope=scope, now=now), keys, chunksize=_AT_ONCE)
            for number, (key, verdict) in enumerate(zip(keys, work, strict=True), 1):
                result[key] = verdict
                if progress is not None and (not number % _AT_ONCE or number == len(keys)):
                    progress(number, len(keys))
    except BrokenProcessPool:
        return result
    return result


def _leave_interrupts() -> None:
    """Ignore SIGINT: Ctrl-C reaches every process of a terminal, and the parent process ends this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _judge(key: VerdictKey, *, scope: Scope, now: datetime) -> TrustVerdict:
    text, account, partition, origin = key
    return judge(text, origin=origin, account=account, partition=partition, scope=scope, now=now)
