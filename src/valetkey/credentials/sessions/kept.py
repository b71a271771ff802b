"""Whether AWS still knows a role session that is kept.

A role that was deleted and re-created under the same name has another unique id, and AWS does not let the old role's
sessions back in. Nothing tells so in advance; GetCallerIdentity does, in one call that needs no permission and that is
answered even under an explicit deny (STS API, GetCallerIdentity).

Rules:
- INVARIANT: a session is called gone only when AWS has answered so. A network that fails, a limit that is reached and
  any other error say nothing about it.
- AWS does not document the error for such a session: every code that says that the keys are not valid counts.
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
"""How long AWS is waited for."""

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException"})
_SKEW = 900
"""Seconds that this clock may be behind AWS's (AWS's texts name 5 and 15 minutes)."""

Known = Literal["known", "gone", "unknown"]


def look(perform: Perform, session: Session, *, now: datetime, seconds: float = SECONDS) -> Known:
    """Whether AWS knows this session, or says that it does not although it has not expired. `perform` calls with its
    keys.

    One call, waited for `seconds` at most. Raises nothing.
    """
    left = session.left(now)
    if left <= 0:
        return "unknown"
    found: list[Known] = []

    def ask() -> None:
        try:
            perform(Call("sts", "get_caller_identity"))
            found.append("known")
        except CallError as error:
            # Near its end it may have expired by AWS's clock already.
            has_expired = error.code in _EXPIRED and left < _SKEW
            found.append("gone" if error.code in SESSION_GONE and not has_expired else "unknown")
        except ValetkeyError:
            pass

    # A daemon: it is left behind when time is up.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return found[0] if found else "unknown"
