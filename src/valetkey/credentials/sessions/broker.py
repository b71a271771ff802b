"""From base identity to role session, composed of one step per file: key, MFA session (mfa.py), role (roles.py),
further roles.

    shared way   base key -> GetSessionToken with a code, once for all -> AssumeRole: an hour at most, renewed silently
    long way     base key -> AssumeRole with a code: as long as the role allows, one code for each role
    named        a role that asks for the user's name: the shared way or the long one (named_people.py)
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
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeGuard

from valetkey.account.calls import Keys
from valetkey.catalog import limits
from valetkey.credentials.profiles.again import set_up_again
from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.profiles.settings import PLAIN, SessionSettings
from valetkey.credentials.sessions.cache import Busy, Session, key
from valetkey.credentials.sessions.mfa_codes import check_device, check_secret, with_code
from valetkey.credentials.sessions.named_people import either_way, is_named, way_key
from valetkey.credentials.sessions.protocols import (
    LIMIT,
    Base,
    Deadline,
    Dismissed,
    Ended,
    NoTerminal,
    busy,
    deadline_in,
)
from valetkey.credentials.sessions.refusals import NO_ANSWER, SESSION_GONE, Refused, WrongCaller, about_further
from valetkey.credentials.sessions.roles import check_account, enter, role_call
from valetkey.credentials.sessions.tools import Tools
from valetkey.errors import ValetkeyError


@dataclass(frozen=True)
class Entering:
    """A role that is to be entered, and how. The repr shows no secret."""

    profile: Profile
    tools: Tools
    settings: SessionSettings = PLAIN
    """What the session carries."""
    long: bool = False
    """Not through the MFA session but with a code of its own, for as long as the role allows."""
    lasting: bool = False
    """For a receiver that cannot come back for new credentials: at least three quarters of the session are left."""
    since: datetime | None = None
    """When the profile was accepted last (aware, UTC): older sessions may be of a role that was removed and re-created
    under the same ARN, which AWS does not let back in."""
    seconds: float = LIMIT
    """The limit of the whole wait."""


@dataclass(frozen=True)
class Through:
    """The role that another one is assumed from."""

    role_arn: str
    key: str
    """The name of its session in the cache: a role that is entered from elsewhere is another entry."""
    session: Callable[[], Session]
    lost: Callable[[Session], None]
    """Drops a session that AWS no longer knows."""


def has_ended(profile: Profile, now: datetime) -> bool:
    """Whether the recorded end of the grant has passed. The owner may have moved it since: AWS decides, this warns."""
    return profile.until is not None and now >= profile.until


def about_end(refused: Refused, profile: Profile, now: datetime) -> Refused | Ended:
    """A refusal of the role, when the recorded end of the grant explains it."""
    if refused.code != "AccessDenied" or isinstance(refused, WrongCaller) or not has_ended(profile, now):
        return refused
    end = f"{profile.until:%Y-%m-%d %H:%M} UTC"
    return Ended(
        "AWS refused to let you assume the role, and according to the handoff, "
        f"the grant {profile.name} ended on {end}",
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
    return f"{_hours(chained)} at most: AWS allows no more through an MFA session{more}"


def _hours(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{seconds} s" if rest else f"{hours} h"


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


def role_session(entering: Entering) -> Session:
    """A session of a profile's role, from the cache or from AWS.

    Raises Refused, Ended where the recorded end explains the refusal, NoTerminal, Dismissed, Busy, ValetkeyError.
    """
    profile, tools = entering.profile, entering.tools
    base, connect, clock = tools.base, tools.connect, tools.clock
    left = deadline_in(entering.seconds, clock)
    if entering.long:
        _check_long(profile, base)

    def fetch() -> Session:
        if profile.mfa and base.session_token is None:
            check_device(_device(profile))  # what cannot work is said before anything is called
        check_account(profile, keys=base, connect=connect, cache=tools.cache, realm=base.realm)
        try:
            return get_in()
        except Refused as refused:
            raise about_end(refused, profile, clock()) from None

    def get_in() -> Session:
        # A temporary base identity cannot be asked for a code (GetSessionToken refuses it); it may carry MFA itself.
        if not profile.mfa or base.session_token is not None:
            return enter(profile, keys=base, connect=connect, clock=clock, settings=entering.settings)
        device = _device(profile)
        if entering.long:
            return _directly(entering, device, left)
        if not is_named(profile, base):
            return _through_mfa(entering, device, left)
        return either_way(
            profile,
            through=lambda: _through_mfa(entering, device, left),
            directly=lambda: _directly(entering, device, left),
            name=way_key(profile, base),
            cache=tools.cache,
            clock=clock,
            tell=tools.tell,
        )

    name = role_key(profile, base, settings=entering.settings, long=entering.long)
    return _cached(name, fetch, entering, left)


def _directly(entering: Entering, device: str, left: Deadline) -> Session:
    """With a code for this role alone."""
    tools = entering.tools
    check_secret(tools.base)

    def send(code: str) -> Session:
        return enter(
            entering.profile,
            keys=tools.base,
            connect=tools.connect,
            clock=tools.clock,
            settings=entering.settings,
            code=(device, code),
        )

    return with_code(device, send, cache=tools.cache, ask=tools.ask, clock=tools.clock, deadline=left)


def _through_mfa(entering: Entering, device: str, left: Deadline) -> Session:
    """From the MFA session; one that AWS no longer accepts is made again once."""
    profile, tools = entering.profile, entering.tools
    refused = ""
    while True:
        before = tools.clock()
        mfa = tools.mfa_session(device, max_age=profile.mfa_max_age, refused=refused, seconds=left())
        try:
            return enter(
                profile,
                keys=mfa.credentials,
                connect=tools.connect,
                clock=tools.clock,
                settings=entering.settings,
            )
        except Refused as problem:
            if problem.code not in SESSION_GONE or mfa.issued >= before or refused:
                raise
            refused = mfa.credentials.access_key_id


def further_session(entering: Entering, through: Through) -> Session:
    """A session of a role that is entered from another role's session.

    Where AWS does not know that session any more, it is dropped and asked for once more. Raises what `through.session`
    raises, Refused, Busy, ValetkeyError.
    """
    profile, tools, settings = entering.profile, entering.tools, entering.settings
    connect, clock = tools.connect, tools.clock

    def fetch() -> Session:
        before = clock()
        first = through.session()
        try:
            try:
                return enter(profile, keys=first.credentials, connect=connect, clock=clock, settings=settings)
            except Refused as refused:
                if refused.code not in SESSION_GONE or first.issued >= before:
                    raise
                through.lost(first)
            again = through.session().credentials
            return enter(profile, keys=again, connect=connect, clock=clock, settings=settings)
        except Refused as refused:
            raise about_end(about_further(refused, through.role_arn), profile, clock()) from None

    name = further_key(profile, through.key, settings=settings)
    return _cached(name, fetch, entering, deadline_in(entering.seconds, clock))


def further_key(profile: Profile, source_key: str, *, settings: SessionSettings = PLAIN) -> str:
    """The name of a further role's session in the cache."""
    return key("role", through=source_key, **role_call(profile, _Chained(), settings).params)


class _Chained:
    """Keys of which only the kind is known."""

    access_key_id = secret_access_key = session_token = "any"  # noqa: S105 - says no more than "a temporary one"


def _cached(name: str, fetch: Callable[[], Session], entering: Entering, left: Deadline) -> Session:
    """The session of this name, fetched by one process at a time."""
    cache, clock, lasting, since = entering.tools.cache, entering.tools.clock, entering.lasting, entering.since

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
        return not session.lasts(now)
    return not session.left(now) or now >= stale_at(session)


def _device(profile: Profile) -> str:
    if profile.mfa_serial is None:
        raise ValetkeyError(
            f"the role of {profile.name} requires MFA, and the profile names no device",
            do=set_up_again(profile, change="its mfa_serial"),
        )
    return profile.mfa_serial


def _check_long(profile: Profile, base: Keys) -> None:
    if base.session_token is not None:
        raise ValetkeyError(
            f"the base identity of {profile.name} is a temporary session, and AWS limits sessions from one to an hour",
            do="leave --long out, or use an IAM user's access key as base identity",
        )
