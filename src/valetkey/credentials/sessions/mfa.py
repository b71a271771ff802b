"""The MFA session: one code for every customer of a base identity.

Rules (IAM User Guide, id_credentials_temp_request; STS API, GetSessionToken):
- Made with an IAM user's long-term key and a code; 12 hours by default, 36 hours at most.
- One per base identity and device, for all customers. A session older than a grant's maximum age is not used for that
  grant; a new code makes a younger one for all.
- `keep` stores it: in the OS keyring, or in the cache if there is none.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any, TypeGuard

from valetkey.account.calls import Call, CallError
from valetkey.credentials.sessions.cache import Cache, Session, key
from valetkey.credentials.sessions.mfa_codes import check_device, check_secret, with_code
from valetkey.credentials.sessions.protocols import Ask, Base, Clock, Connect, Kept, busy, deadline_in
from valetkey.credentials.sessions.refusals import explain
from valetkey.credentials.sessions.values import credentials_of
from valetkey.errors import ValetkeyError
from valetkey.policy.arns import NOBODY

MFA_LIFE = 43200
"""Seconds: the requested duration of an MFA session (the default of GetSessionToken)."""


def mfa_key(base: Base, serial: str) -> str:
    """Return the name under which the MFA session of a base identity and device is stored."""
    return key("mfa", realm=base.realm, base=base.access_key_id, device=serial)


def mfa_session(
    *,
    base: Base,
    serial: str,
    max_age: int | None,
    connect: Connect,
    cache: Cache,
    ask: Ask,
    clock: Clock,
    keep: Kept,
    refused: str,
    life: int,
    fresh: bool,
    seconds: float,
) -> Session:
    """Return the MFA session of a base identity and device, from where it is stored or with a code.

    `max_age` is the maximum number of seconds since MFA that the grant allows, or None. `refused` is the access key id
    of a stored session that AWS no longer accepts. `fresh`: the person wants a new session of `life` seconds, with a
    prompt. `seconds` limits the wait. The session's credentials are Keys: pass them to `connect`. Raises Refused,
    NoTerminal, Dismissed, Busy, ValetkeyError.
    """
    deadline = deadline_in(seconds, clock)
    check_device(serial)
    # The duration is not part of the name: the time left is checked when the session is used.
    name = mfa_key(base, serial)

    def usable(session: Session | None) -> TypeGuard[Session]:
        if fresh or session is None or session.credentials.access_key_id == refused:
            return False
        now = clock()
        # A margin for the call that uses it, which is made later.
        young = max_age is None or (now - session.issued).total_seconds() <= max_age - min(60, max_age // 4)
        return young and session.left(now) > 300

    def send(code: str) -> Session:
        issued = clock()
        params: dict[str, Any] = {"SerialNumber": serial, "TokenCode": code, "DurationSeconds": life}
        try:
            answer = connect(base)(Call("sts", "get_session_token", params))
        except CallError as error:
            raise explain(error) from None
        return Session(credentials_of(answer, _account_of(serial)), issued)

    session = keep.get(name)
    if usable(session):
        return session
    with cache.lock(name, deadline(), busy=busy):
        session = keep.get(name)
        if usable(session):
            return session
        if session is not None and session.credentials.access_key_id == refused:
            keep.drop(name)
        check_secret(base)
        made = with_code(serial, send, cache=cache, ask=ask, clock=clock, deadline=deadline, insist=fresh)
        keep.put(name, made)
        with contextlib.suppress(ValetkeyError):
            cache.note_issued(made.credentials.access_key_id)
        return made


def _account_of(serial: str) -> str:
    match = re.match("arn:[^:]*:iam::([^:]*):", serial)
    # A hardware token's serial is not an ARN. The account of an MFA session is never returned to a user.
    return match[1] if match else NOBODY
