"""A one-time code, asked for and sent: by one process at a time, and never the same one twice.

Rules:
- INVARIANT: one lock per device is held from the question to AWS's answer, so that nobody is asked twice at once and
  two processes cannot send one code.
- INVARIANT: a code that was sent is never sent again, by any process: AWS accepts each once, and a rejected one no more
  (botocore#1148; "invalid MFA one time pass code").
- A question that was dismissed or answered wrongly answers for all who come in the next seconds (Cache.refused).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TypeVar

from valetkey.account.calls import Keys
from valetkey.catalog import limits
from valetkey.credentials.profiles.again import ANY
from valetkey.credentials.sessions.cache import REMEMBER, Cache, key
from valetkey.credentials.sessions.protocols import Ask, Clock, Deadline, Dismissed, NoTerminal, busy
from valetkey.credentials.sessions.refusals import WrongCode
from valetkey.errors import ValetkeyError

CALLS = 8.0
"""Seconds kept back from a question for the calls after it."""
_ASKED = 4
"""Questions at most: one wrong code, and a source that gives a spent one."""
_NOT_TAKEN = "AWS did not accept this code (each works once): wait for the next one"
_SPENT = "this code was sent already (each works once): wait for the next one"

T = TypeVar("T")


def with_code(
    device: str,
    send: Callable[[str], T],
    *,
    cache: Cache,
    ask: Ask,
    clock: Clock,
    deadline: Deadline,
    insist: bool = False,
) -> T:
    """What `send(code)` answers with a code of the device. A wrong one is asked for once more.

    `insist`: the person has just said that they want to be asked. Raises what `send` raises (WrongCode, Refused),
    NoTerminal, Dismissed, Busy, ValetkeyError.
    """
    check_device(device)
    name = key("code", device=device)
    with cache.lock(name, deadline(), busy=busy):
        wait = 0 if insist else cache.refused(name, clock())
        if wait:
            raise Dismissed(
                "the question for the MFA code failed a moment ago; valetkey does not ask again at once",
                do=f"try again in {wait:.0f} seconds, or run `valetkey login`",
            )
        # Written before anybody is asked: where nothing can be kept (a full disk), a code would be asked for in vain,
        # and by every program again.
        cache.remember_refusal(name, clock(), seconds=0)
        try:
            return _ask_and_send(name, device, send, cache, ask, clock, deadline)
        except NoTerminal:
            raise
        except BaseException as error:
            # KeyboardInterrupt too: those who wait behind us must not ask the same person the same question.
            with contextlib.suppress(ValetkeyError):
                cache.remember_refusal(name, clock(), getattr(error, "remember", None) or REMEMBER)
            raise


def _ask_and_send(
    name: str, device: str, send: Callable[[str], T], cache: Cache, ask: Ask, clock: Clock, deadline: Deadline
) -> T:
    again = ""
    is_rejected = False
    for _ in range(_ASKED):
        code = ask(device, seconds=max(deadline() - CALLS, 1), again=again)
        limits.check("token code", code)
        if not cache.spend(name, code, clock()):
            again = _SPENT
            continue
        try:
            return send(code)
        except WrongCode:
            if is_rejected:
                raise
            is_rejected, again = True, _NOT_TAKEN
    raise Dismissed("every code given was sent already, and each works once", do="wait for the next code and try again")


def check_secret(base: Keys) -> None:
    """Raise NoKeyring where the base identity's secret cannot be read: before a code is asked for, which would then be
    of no use."""
    _ = base.secret_access_key


def check_device(serial: str) -> None:
    """Raise ValetkeyError for a device that gives no codes which AWS accepts for API access."""
    limits.check("mfa serial", serial)
    if ":u2f/" in serial:
        raise ValetkeyError(
            "this MFA device is a security key or passkey, which AWS does not accept for API access",
            do=f"add a virtual MFA device (authenticator app) to your user; then {ANY}",
            where=serial,
        )
    if serial.endswith(":mfa/root-account-mfa-device"):
        raise ValetkeyError(
            "this MFA device is the root user's, and the root user cannot assume roles",
            do=f"sign in as an IAM user with a virtual MFA device; then {ANY}",
            where=serial,
        )
