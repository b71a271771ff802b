"""Check whether AWS still accepts a cached role session.

A role that was deleted and re-created under the same name has another unique id, and AWS rejects the old role's
sessions. Only a call shows it: GetCallerIdentity needs no permission and is answered even under an explicit deny (STS
API, GetCallerIdentity).

Rules:
- INVARIANT: a session is called gone only if AWS has answered so. A network failure, a time limit or any other error
  shows nothing about it.
- AWS does not document the error for such a session: every code for keys that are not valid counts.
"""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Literal

from valetkey.account.calls import Call, CallError, Perform
from valetkey.credentials.sessions.cache import Session
from valetkey.credentials.sessions.refusals import SESSION_GONE
from valetkey.errors import ValetkeyError

SECONDS = 5.0
"""The time limit for the response of AWS."""

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException"})
_SKEW = 900
"""Seconds that this clock may be behind AWS's clock (AWS documents 5 and 15 minutes)."""

CacheState = Literal["known", "gone", "unknown"]


def look(perform: Perform, session: Session, *, now: datetime, seconds: float = SECONDS) -> CacheState:
    """Return "known" if AWS accepts this session, "gone" if AWS rejects it before its expiry, otherwise "unknown".
    `perform` calls with its keys.

    Makes one call, with a limit of `seconds`. Raises nothing.
    """
    left = session.left(now)
    if left <= 0:
        return "unknown"
    result: list[CacheState] = []

    def ask() -> None:
        try:
            perform(Call("sts", "get_caller_identity"))
            result.append("known")
        except CallError as error:
            # Near its expiry, it may already have expired by AWS's clock.
            has_expired = error.code in _EXPIRED and left < _SKEW
            result.append("gone" if error.code in SESSION_GONE and not has_expired else "unknown")
        except ValetkeyError:
            pass

    # A daemon thread: it is abandoned at the time limit.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return result.pop() if result else "unknown"
