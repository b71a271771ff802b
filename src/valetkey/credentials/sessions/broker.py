"""From base identity to role session, composed of one step per file: key, MFA session (mfa.py), role (roles.py),
further roles.

    shared way   base key -> GetSessionToken with a code, once for all -> AssumeRole: an hour at most, renewed silently
    long way     base key -> AssumeRole with a code: as long as the role allows, one code for each role
    named        a role that asks for the user's name: the shared way or the long one, whichever lets in (named.py)
    temporary    base session (role, Identity Center, `aws login`) -> AssumeRole: an hour at most, no code
    further      a role's session -> AssumeRole: an hour at most

Rules:
- Through an MFA session or another role a session lasts an hour at most (id_roles_use, role chaining).
- INVARIANT: credentials that are answered are for the profile's account and role, or nothing is answered.
- Nothing is retried that cannot end differently; the whole wait is under `seconds`, prompt included.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeGuard

from valetkey.catalog import limits
from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.profiles.settings import PLAIN, SessionSettings
from valetkey.credentials.sessions.cache import Busy, Cache, Session, key
from valetkey.credentials.sessions.mfa import MFA_LIFE, mfa_session
from valetkey.credentials.sessions.mfa_codes import check_device, check_secret, with_code
from valetkey.credentials.sessions.named_people import either_way, is_named, way_key
from valetkey.credentials.sessions.protocols import (
    LIMIT,
    Ask,
    Base,
    Clock,
    Connect,
    Dismissed,
    Ended,
    Kept,
    Keys,
    NoTerminal,
    busy,
    deadline_in,
)
from valetkey.credentials.sessions.refusals import NO_ANSWER, SESSION_GONE, Refused, WrongCaller, about_further
from valetkey.credentials.sessions.roles import check_account, enter, role_call
from valetkey.errors import ValetkeyError

__all__ = [
    "LIMIT",
    "MFA_LIFE",
    "Ask",
    "Base",
    "Clock",
    "Connect",
    "Dismissed",
    "Ended",
    "Keys",
    "NoTerminal",
    "about_end",
    "check_account",
    "enter",
    "further_session",
    "has_ended",
    "limit_of",
    "mfa_session",
    "role_call",
    "role_key",
    "role_session",
    "stale_at",
]


def has_ended(profile: Profile, now: datetime) -> bool:
    """Whether the recorded end of the grant has passed. The owner may have moved it since: AWS decides, this warns."""
    return profile.until is not None and now >= profile.until


def about_end(refused: Refused, profile: Profile, now: datetime) -> Refused | Ended:
    """A refusal of the role, when the recorded end of the grant explains it."""
    if refused.code != "AccessDenied" or isinstance(refused, WrongCaller) or not has_ended(profile, now):
        return refused
    end = f"{profile.until:%Y-%m-%d %H:%M} UTC"
    return Ended(
        f"AWS refused to let you into the role, and by the handoff the grant {profile.name} ended on {end}",
        do="ask the owner to extend it (`valetkey extend`), or for a new grant, and accept the new handoff",
        where=refused.where,
    )


def stale_at(session: Session) -> datetime:
    """When to fetch a new one (aware, UTC).

    botocore renews from 15 minutes before the end, so that a session of an hour is stale with less than 20 minutes
    left; a shorter one with less than a third, so that it can be used at all.
    """
    return session.credentials.expires - timedelta(seconds=min(1200, session.life / 3))


def limit_of(profile: Profile, base: Keys, *, long: bool) -> str:
    """How long a session of this role may last on this way, and what says so."""
    chained = min(profile.max_session, limits.CHAINED_SESSION_MAX)
    if base.session_token is not None:
        return f"{_hours(chained)} at most: your sign-in is a temporary session, and AWS calls this role chaining"
    if not profile.mfa or long:
        if not profile.knows("max_session"):
            return f"{_hours(profile.max_session)}, as the profile asks for: the role's own limit is not known"
        return f"{_hours(profile.max_session)} at most: the role's own limit (MaxSessionDuration)"
    if profile.session_name == "username":
        return f"{_hours(chained)} at most through an MFA session, {_hours(profile.max_session)} with a code of its own"
    more = f"; --long gives {_hours(profile.max_session)} for a code" if profile.max_session > chained else ""
    return f"{_hours(chained)} at most: AWS gives no more through an MFA session{more}"


def _hours(seconds: int) -> str:
    return f"{seconds // 3600} h" if seconds % 3600 == 0 else f"{seconds} s"


def role_key(profile: Profile, base: Base, *, settings: SessionSettings = PLAIN, long: bool = False) -> str:
    """The name of the role's session in the cache: a hash of everything that changes it. The two ways of one role
    differ by their length, so that a long session never stands in for a renewable one, nor the other way."""
    return key(
        "role",
        realm=base.realm,
        base=base.access_key_id,
        device=profile.mfa_serial if profile.mfa else None,
        long=long and profile.mfa,
        **role_call(profile, base, settings).params,
    )


def role_session(
    profile: Profile,
    *,
    base: Base,
    connect: Connect,
    cache: Cache,
    ask: Ask,
    clock: Clock,
    keep: Kept | None = None,
    settings: SessionSettings = PLAIN,
    long: bool = False,
    lasting: bool = False,
    since: datetime | None = None,
    seconds: float = LIMIT,
    tell: Callable[[str], object] = lambda text: None,
) -> Session:
    """A session of the profile's role, from the cache or from AWS.

    `keep` is where MFA sessions are kept. `long`: not through the MFA session but with a code of its own, for as
    long as the role allows. `lasting`: for a receiver that cannot come back for new ones; then at least three quarters
    of the session are left. `since`: when the profile was accepted last; older sessions may be of a role that was
    removed and made anew under the same ARN, which AWS does not let back in.
    `seconds` limits the whole wait. `tell` says to the person why a second code is asked for. Raises Refused, Ended
    where the recorded end explains the refusal, NoTerminal, Dismissed, Busy, ValetkeyError.
    """
    left = deadline_in(seconds, clock)
    if long:
        _check_long(profile, base)

    def fetch() -> Session:
        if profile.mfa and base.session_token is None:
            check_device(_device(profile))  # what cannot work is said before anything is called
        check_account(profile, keys=base, connect=connect, cache=cache, realm=base.realm)
        try:
            return get_in()
        except Refused as refused:
            raise about_end(refused, profile, clock()) from None

    def get_in() -> Session:
        # A temporary base identity cannot be asked for a code (GetSessionToken refuses it); it may carry MFA itself.
        if not profile.mfa or base.session_token is not None:
            return enter(profile, keys=base, connect=connect, clock=clock, settings=settings)
        device = _device(profile)
        if long:
            return directly(device)
        if not is_named(profile, base):
            return through(device)
        return either_way(
            profile,
            through=lambda: through(device),
            directly=lambda: directly(device),
            name=way_key(profile, base),
            cache=cache,
            clock=clock,
            tell=tell,
        )

    def directly(device: str) -> Session:
        check_secret(base)

        def send(code: str) -> Session:
            given = (device, code)
            return enter(profile, keys=base, connect=connect, clock=clock, settings=settings, code=given)

        return with_code(device, send, cache=cache, ask=ask, clock=clock, deadline=left)

    def through(device: str) -> Session:
        refused = ""
        while True:
            before = clock()
            mfa = mfa_session(
                base=base,
                serial=device,
                max_age=profile.mfa_max_age,
                connect=connect,
                cache=cache,
                ask=ask,
                clock=clock,
                keep=keep,
                refused=refused,
                seconds=left(),
            )
            try:
                return enter(profile, keys=mfa.credentials, connect=connect, clock=clock, settings=settings)
            except Refused as problem:
                if problem.code not in SESSION_GONE or mfa.issued >= before or refused:
                    raise
                refused = mfa.credentials.access_key_id

    name = role_key(profile, base, settings=settings, long=long)
    return _cached(name, fetch, cache=cache, clock=clock, since=since, lasting=lasting, seconds=left())


def further_session(
    profile: Profile,
    *,
    source: Callable[[], Session],
    lost: Callable[[Session], None],
    source_arn: str,
    source_key: str,
    connect: Connect,
    cache: Cache,
    clock: Clock,
    settings: SessionSettings = PLAIN,
    lasting: bool = False,
    since: datetime | None = None,
    seconds: float = LIMIT,
) -> Session:
    """A session of a role that is entered from another role's session.

    `source()` answers that session, `source_arn` is its role, `source_key` its name in the cache: a role that is
    entered from elsewhere is another entry. `lost(session)` drops one that AWS does not know any more, after which
    `source()` is asked once more. Raises what `source` raises, Refused, Busy, ValetkeyError.
    """

    def fetch() -> Session:
        before = clock()
        first = source()
        try:
            try:
                return enter(profile, keys=first.credentials, connect=connect, clock=clock, settings=settings)
            except Refused as refused:
                if refused.code not in SESSION_GONE or first.issued >= before:
                    raise
                lost(first)
            return enter(profile, keys=source().credentials, connect=connect, clock=clock, settings=settings)
        except Refused as refused:
            raise about_end(about_further(refused, source_arn), profile, clock()) from None

    name = further_key(profile, source_key, settings=settings)
    return _cached(name, fetch, cache=cache, clock=clock, since=since, lasting=lasting, seconds=seconds)


def further_key(profile: Profile, source_key: str, *, settings: SessionSettings = PLAIN) -> str:
    """The name of a further role's session in the cache."""
    return key("role", through=source_key, **role_call(profile, _Chained(), settings).params)


class _Chained:
    """Keys of which only the kind is known."""

    access_key_id = secret_access_key = session_token = "any"  # noqa: S105 - says no more than "a temporary one"


def _cached(
    name: str,
    fetch: Callable[[], Session],
    *,
    cache: Cache,
    clock: Clock,
    since: datetime | None,
    lasting: bool,
    seconds: float,
) -> Session:
    """The session of this name, fetched by one process at a time."""
    left = deadline_in(seconds, clock)

    def is_ours(found: Session | None) -> TypeGuard[Session]:
        return found is not None and (since is None or found.issued >= since)

    found = cache.get(name)
    if is_ours(found) and not _is_stale(found, clock(), lasting):
        return found
    with cache.lock(name, left(), busy=busy):
        found = cache.get(name)
        if is_ours(found) and not _is_stale(found, clock(), lasting):
            return found
        try:
            fresh = fetch()
        except (NoTerminal, Dismissed, Busy, Refused) as problem:
            # The old one is still good for a while, and the failure says nothing about the access.
            is_silence = not isinstance(problem, Refused) or problem.code in NO_ANSWER
            if is_ours(found) and is_silence and not lasting and found.left(clock()) > 60:
                return found
            raise
        with contextlib.suppress(ValetkeyError):  # what cannot be kept is fetched again: it only costs time
            cache.note_issued(fresh.credentials.access_key_id)
            cache.put(name, fresh)
        return fresh


def _is_stale(session: Session, now: datetime, lasting: bool) -> bool:
    if lasting:
        return session.left(now) < session.life * 3 / 4
    return session.left(now) <= 0 or now >= stale_at(session)


def _device(profile: Profile) -> str:
    if profile.mfa_serial is None:
        raise ValetkeyError(
            f"the role of {profile.name} asks for MFA, and the profile names no device",
            do="run `valetkey accept` with the handoff again",
        )
    return profile.mfa_serial


def _check_long(profile: Profile, base: Keys) -> None:
    if base.session_token is not None:
        raise ValetkeyError(
            f"the base identity of {profile.name} is a temporary session, and AWS gives an hour at most from one",
            do="leave --long out, or use an IAM user's access key as base identity",
        )
