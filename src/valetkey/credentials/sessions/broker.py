"""From base identity to role session, composed of one step per file: key, MFA session (mfa.py), role (roles.py),
further roles.

    shared       base key -> GetSessionToken with a code, once for all -> AssumeRole: an hour at most, renewed silently
    long         base key -> AssumeRole with a code: as long as the role allows, one code for each role
    named        a role that requires the user's name: shared or long, whichever AWS accepts (named_people.py)
    temporary    base session (role, Identity Center, `aws login`) -> AssumeRole: an hour at most, no code
    further      a role's session -> AssumeRole: an hour at most

Rules:
- A session from an MFA session or another role lasts at most an hour (id_roles_use, role chaining).
- INVARIANT: only credentials for the profile's account and role are returned; otherwise nothing is returned.
- A call is retried only if the result can differ. The total wait is below `seconds`, prompt included.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeGuard

from valetkey.account.calls import AccessKeys
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
    """A role to assume, and how. The repr shows no secret."""

    profile: Profile
    tools: Tools
    settings: SessionSettings = PLAIN
    """Settings of the session: name, tags, policies and others."""
    long: bool = False
    """Assume the role with a separate code instead of the MFA session, for as long as the role allows."""
    lasting: bool = False
    """For a receiver that cannot ask for new credentials: at least three quarters of the session's life are left."""
    since: datetime | None = None
    """The last acceptance of the profile (aware, UTC). An older session may belong to a role that was deleted and
    re-created under the same ARN; AWS rejects such a session."""
    seconds: float = LIMIT
    """The limit of the total wait."""


@dataclass(frozen=True)
class Through:
    """The role from which another one is assumed."""

    role_arn: str
    key: str
    """The name of its session in the cache. The same role assumed from another source is another entry."""
    session: Callable[[], Session]
    lost: Callable[[Session], None]
    """Drops a session that AWS no longer accepts."""


def has_ended(profile: Profile, now: datetime) -> bool:
    """Return whether the recorded end of the grant has passed. The owner may have extended it since: this only warns,
    AWS decides."""
    return profile.until is not None and now >= profile.until


def about_end(refused: Refused, profile: Profile, now: datetime) -> Refused | Ended:
    """Return Ended if the recorded end of the grant explains a refusal of the role, otherwise the refusal."""
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
    """Return when to fetch a new session (aware, UTC).

    botocore renews 15 minutes before expiry, so a session of an hour is stale with less than 20 minutes left. A shorter
    one is stale with less than a third left; otherwise it could not be used at all.
    """
    return session.credentials.expires - timedelta(seconds=min(1200, session.life / 3))


def limit_of(profile: Profile, base: AccessKeys, *, long: bool) -> str:
    """Return how long a session of this role may last this way, and what sets the limit, as text."""
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
    """Return the name of the role's session in the cache: a hash of everything that affects it. The two ways of one
    role have different names, so a long session never replaces a renewable one, or the reverse."""
    return key(
        "role",
        realm=base.realm,
        base=base.access_key_id,
        device=profile.mfa_serial if profile.mfa else None,
        long=long and profile.mfa,
        **role_call(profile, base, settings).params,
    )


def role_session(entering: Entering) -> Session:
    """Return a session of a profile's role, from the cache or from AWS.

    Raises Refused, Ended if the recorded end explains the refusal, NoTerminal, Dismissed, Busy, ValetkeyError.
    """
    profile, tools = entering.profile, entering.tools
    base, connect, clock = tools.base, tools.connect, tools.clock
    left = deadline_in(entering.seconds, clock)
    if entering.long:
        _check_long(profile, base)

    def fetch() -> Session:
        if profile.mfa and base.session_token is None:
            check_device(_device(profile))  # fail before any call to AWS
        check_account(profile, keys=base, connect=connect, cache=tools.cache, realm=base.realm)
        try:
            return get_in()
        except Refused as refused:
            raise about_end(refused, profile, clock()) from None

    def get_in() -> Session:
        # GetSessionToken rejects a temporary base identity, so no code is asked for; it may carry MFA itself.
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
    """Assume the role with a code for this role only."""
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
    """Assume the role from the MFA session. If AWS no longer accepts that session, make a new one, once."""
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
    """Return a session of a role that is assumed from another role's session.

    If AWS no longer accepts that session, it is dropped and requested once more. Raises what `through.session` raises,
    Refused, Busy, ValetkeyError.
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
    """Return the name of a further role's session in the cache."""
    return key("role", through=source_key, **role_call(profile, _Chained(), settings).params)


class _Chained:
    """Placeholder keys of a temporary session."""

    access_key_id = secret_access_key = session_token = "any"  # noqa: S105 - says no more than "a temporary one"


def _cached(name: str, fetch: Callable[[], Session], entering: Entering, left: Deadline) -> Session:
    """Return the session of this name; only one process at a time fetches it."""
    cache, clock, lasting, since = entering.tools.cache, entering.tools.clock, entering.lasting, entering.since

    def is_ours(session: Session | None) -> TypeGuard[Session]:
        return session is not None and (since is None or session.issued >= since)

    session = cache.get(name)
    if is_ours(session) and not _is_stale(session, clock(), lasting):
        return session
    with cache.lock(name, left(), busy=busy):
        session = cache.get(name)
        if is_ours(session) and not _is_stale(session, clock(), lasting):
            return session
        try:
            fresh = fetch()
        except (NoTerminal, Dismissed, Busy, Refused) as problem:
            # The old session has not expired, and the failure does not concern the access.
            is_silence = not isinstance(problem, Refused) or problem.code in NO_ANSWER
            if is_ours(session) and is_silence and not lasting and session.left(clock()) > 60:
                return session
            raise
        with contextlib.suppress(ValetkeyError):  # an entry that cannot be stored is fetched again
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


def _check_long(profile: Profile, base: AccessKeys) -> None:
    if base.session_token is not None:
        raise ValetkeyError(
            f"the base identity of {profile.name} is a temporary session, and AWS limits sessions from one to an hour",
            do="leave --long out, or use an IAM user's access key as base identity",
        )
