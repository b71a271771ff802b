"""Prompt for a one-time code and send it: one process at a time, and each code once.

Rules:
- INVARIANT: one lock per device is held from the prompt to the response of AWS, so that a person never gets two prompts
  at once and two processes cannot send the same code.
- INVARIANT: a code that was sent is never sent again, by any process: AWS accepts each code once, and a rejected code
  is never accepted later (botocore#1148; "invalid MFA one time pass code").
- A prompt that was dismissed or answered wrongly counts for all callers in the next seconds (Cache.refused).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TypeVar

from valetkey.account.calls import AccessKeys
from valetkey.catalog import limits
from valetkey.credentials.profiles.again import SET_UP_AGAIN
from valetkey.credentials.sessions.cache import REMEMBER, Cache, key
from valetkey.credentials.sessions.protocols import Ask, Clock, Deadline, Dismissed, NoTerminal, busy
from valetkey.credentials.sessions.refusals import WrongCode
from valetkey.errors import ValetkeyError

CALLS = 8.0
"""Seconds of the time limit that a prompt leaves for the calls after it."""
_ASKED = 4
"""The maximum number of prompts: one wrong code, and a source that returns used codes."""
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
    """Call `send` with a code of the device and return its result. A wrong code causes one more prompt.

    `insist`: the person has just asked for a prompt. Raises what `send` raises (WrongCode, Refused), NoTerminal,
    Dismissed, Busy, ValetkeyError.
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
        # Written before the prompt: if the disk is full, a code would be useless, and every program would prompt again.
        cache.remember_refusal(name, clock(), seconds=0)
        try:
            return _ask_and_send(name, device, send, cache, ask, clock, deadline)
        except NoTerminal:
            raise
        except BaseException as error:
            # KeyboardInterrupt too: waiting processes must not show the same prompt again.
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


def check_secret(base: AccessKeys) -> None:
    """Raise NoKeyring if the base identity's secret cannot be read. Called before the prompt, because a code would be
    useless."""
    _ = base.secret_access_key


def check_device(serial: str) -> None:
    """Raise ValetkeyError for a device whose codes AWS does not accept for API access."""
    limits.check("mfa serial", serial)
    if ":u2f/" in serial:
        raise ValetkeyError(
            "this MFA device is a security key or passkey, which AWS does not accept for API access",
            do=f"add a virtual MFA device (authenticator app) to your user; then {SET_UP_AGAIN}",
            where=serial,
        )
    if serial.endswith(":mfa/root-account-mfa-device"):
        raise ValetkeyError(
            "this MFA device is the root user's, and the root user cannot assume roles",
            do=f"sign in as an IAM user with a virtual MFA device; then {SET_UP_AGAIN}",
            where=serial,
        )
