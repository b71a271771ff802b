"""From base identity to role session: base keys, then an MFA session, then AssumeRole with the ExternalId.

Rules:
- A code is asked for once per base identity and device: the MFA session (12 hours) serves every customer.
- An MFA session older than a grant's maximum age is not used for it; asking anew makes a younger one for all.
- Through an MFA session a role session lasts an hour at most (AWS treats it as role chaining).
- INVARIANT: credentials that are answered are for the profile's account and role, or nothing is answered.
- Nothing is retried that cannot end differently; the whole wait is under `seconds`, prompt included.
Sources: IAM User Guide, id_credentials_temp_request (GetSessionToken) and id_roles_use (role chaining).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from valetkey.account.calls import Call, CallError, Perform
from valetkey.credentials.cache import Busy, Cache, Session, key
from valetkey.credentials.profiles import Profile
from valetkey.credentials.refusals import NO_ANSWER, SESSION_GONE, Refused, WrongCode, about_caller, explain
from valetkey.credentials.values import Credentials
from valetkey.policy import limits
from valetkey.policy.problem import Problem

LIMIT = 50.0
"""Seconds for everything: the AWS SDK for Go kills a credential process after 60."""
MFA_LIFE = 43200
"""Seconds: how long an MFA session is asked for (GetSessionToken's own default)."""
_CALLS = 8.0
"""Seconds kept back from a prompt for the calls after it."""


class Keys(Protocol):
    """Keys to call with."""

    @property
    def access_key_id(self) -> str: ...
    @property
    def secret_access_key(self) -> str: ...
    @property
    def session_token(self) -> str | None: ...


class Base(Keys, Protocol):
    """The base identity, resolved, and where its STS calls go (`valetkey.aws.sign_in` makes one)."""

    @property
    def realm(self) -> str:
        """The URL of the STS endpoint without its region, so that one MFA session serves customers in every region:
        part of every cache key."""
        ...


class Ask(Protocol):
    """Ask the person for the current code of an MFA device.

    `seconds` is how long they have; `again` says why they are asked a second time, or is empty. Answers 6 digits.
    Raises NoTerminal when nobody can be asked, Dismissed when they do not answer.
    """

    def __call__(self, device: str, /, *, seconds: float, again: str = "") -> str: ...


Connect = Callable[[Keys], Perform]
"""Performs calls with the given keys, at the base identity's endpoint."""
Clock = Callable[[], datetime]
"""The time now (aware, UTC)."""


class NoTerminal(Problem):
    """A code is needed and nobody can be asked."""

    exit_code = 3


class Dismissed(Problem):
    """The person did not give a code."""

    exit_code = 3


class Ended(Problem):
    """The grant's end has passed."""

    exit_code = 1


def still_granted(profile: Profile, now: datetime) -> None:
    """Raise Ended once the grant's end has passed: no call can succeed then."""
    if profile.until is not None and now >= profile.until:
        raise Ended(
            f"the grant {profile.name} ended on {profile.until:%Y-%m-%d %H:%M} UTC",
            do="ask the owner to grant it again and run `valetkey accept` with the new handoff",
        )


def stale_at(session: Session) -> datetime:
    """When to fetch a new one (aware, UTC).

    botocore renews from 15 minutes before the end, so that a session of an hour is stale with less than 20 minutes
    left; a shorter one with less than a third, so that it can be used at all.
    """
    return session.credentials.expires - timedelta(seconds=min(1200, session.life / 3))


def _is_stale(session: Session, now: datetime, lasting: bool) -> bool:
    if lasting:
        return session.left(now) < session.life * 3 / 4
    return session.left(now) <= 0 or now >= stale_at(session)


def mfa_session(
    *,
    base: Base,
    serial: str,
    max_age: int | None,
    connect: Connect,
    cache: Cache,
    ask: Ask,
    clock: Clock,
    refused: str = "",
    seconds: float = LIMIT,
) -> Session:
    """The MFA session of a base identity and device, from the cache or with a code.

    `max_age` is the seconds since MFA that the grant allows, or None. `refused` is the access key id of a cached
    session that AWS no longer takes. `seconds` limits the wait. The session's credentials are Keys: pass them to
    `connect`. Raises Refused, NoTerminal, Dismissed, Busy, Problem.
    """
    deadline = _deadline(clock, seconds)
    _check_device(serial)
    name = key("mfa", realm=base.realm, base=base.access_key_id, device=serial, seconds=MFA_LIFE)

    def usable(found: Session | None) -> bool:
        if found is None or found.credentials.access_key_id == refused:
            return False
        now = clock()
        # The call that uses it comes a moment later, and may not come too late.
        young = max_age is None or (now - found.issued).total_seconds() <= max_age - min(60, max_age // 4)
        return young and found.left(now) > 300

    found = cache.get(name)
    if found is not None and usable(found):
        return found
    with cache.lock(name, deadline(), busy=_busy):
        found = cache.get(name)
        if found is not None and usable(found):
            return found
        if found is not None and found.credentials.access_key_id == refused:
            cache.drop(name)
        wait = cache.refused(name, clock())
        if wait:
            raise Dismissed(
                "the question for the MFA code failed a moment ago, and is not asked again at once",
                do=f"try again in {wait:.0f} seconds",
            )
        try:
            fresh = _ask_and_fetch(serial, connect(base), ask, clock, deadline)
        except NoTerminal:
            raise
        except BaseException:
            # KeyboardInterrupt too: those who wait behind us must not ask the same person the same question.
            with contextlib.suppress(Problem):
                cache.remember_refusal(name, clock())
            raise
        cache.put(name, fresh)
        return fresh


def role_call(profile: Profile, keys: Keys) -> Call:
    """The right way in: sts:AssumeRole with ExternalId, session name and the longest session that AWS allows
    for these keys. Raises Problem when the profile cannot say it."""
    direct = keys.session_token is None
    params: dict[str, Any] = {
        "RoleArn": profile.role_arn,
        "RoleSessionName": _session_name(profile),
        "DurationSeconds": profile.max_session if direct else min(profile.max_session, limits.CHAINED_SESSION_MAX),
    }
    if profile.external_id is not None:
        params["ExternalId"] = profile.external_id
    return Call("sts", "assume_role", params)


def enter(profile: Profile, *, keys: Keys, connect: Connect, clock: Clock) -> Session:
    """Assume the profile's role once with these keys (base keys, or an MFA session's); nothing is cached.

    Raises Refused, with what to do for every way in which AWS refuses.
    """
    call = role_call(profile, keys)
    perform = connect(keys)
    issued = clock()
    try:
        answer = perform(call)
    except CallError as error:
        refused = explain(error, profile.name)
        if refused.code == "AccessDenied":
            # Needs no permission, so that it works whatever the policies are (STS API, GetCallerIdentity).
            with contextlib.suppress(CallError):
                caller = perform(Call("sts", "get_caller_identity")).get("Arn", "")
                refused = about_caller(caller, profile, refused)
        raise refused from None
    arn = answer["AssumedRoleUser"]["Arn"]
    role = profile.role_arn.rsplit("/", 1)[1]
    wanted = f"arn:{profile.partition}:sts::{profile.account}:assumed-role/{role}/"
    if not arn.startswith(wanted):
        raise Refused(
            "AWS answered with credentials of another role; they were dropped",
            code="WrongRole",
            message=arn,
            do="check AWS_ENDPOINT_URL and the `endpoint_url` settings of the base profile",
            where=call.action,
        )
    return Session(_credentials(answer, profile.account), issued)


def role_session(
    profile: Profile,
    *,
    base: Base,
    connect: Connect,
    cache: Cache,
    ask: Ask,
    clock: Clock,
    lasting: bool = False,
    since: datetime | None = None,
    seconds: float = LIMIT,
) -> Session:
    """A session of the profile's role, from the cache or from AWS.

    `lasting`: for a receiver that cannot come back for new ones; then at least three quarters of the session are left.
    `since`: when the profile was accepted last; older sessions may be of a role that was removed and made anew under
    the same ARN, which AWS does not let back in.
    `seconds` limits the whole wait. Raises Ended, Refused, NoTerminal, Dismissed, Busy, Problem.
    """
    deadline = _deadline(clock, seconds)
    still_granted(profile, clock())
    call = role_call(profile, base)
    name = key(
        "role",
        realm=base.realm,
        base=base.access_key_id,
        device=profile.mfa_serial if profile.mfa else None,
        **call.params,
    )

    def usable(found: Session | None) -> bool:
        if found is None or (since is not None and found.issued < since):
            return False
        return not _is_stale(found, clock(), lasting)

    found = cache.get(name)
    if found is not None and usable(found):
        return found
    with cache.lock(name, deadline(), busy=_busy):
        found = cache.get(name)
        if found is not None and usable(found):
            return found
        try:
            fresh = _fetch(profile, base, connect, cache, ask, clock, deadline)
        except (NoTerminal, Dismissed, Busy, Refused) as problem:
            # The old one is still good for a while, and the failure says nothing about the access.
            is_silence = not isinstance(problem, Refused) or problem.code in NO_ANSWER
            if found is not None and is_silence and not lasting and found.left(clock()) > 60:
                return found
            raise
        cache.put(name, fresh)
        return fresh


def _fetch(
    profile: Profile,
    base: Base,
    connect: Connect,
    cache: Cache,
    ask: Ask,
    clock: Clock,
    deadline: Callable[[], float],
) -> Session:
    # A temporary base identity cannot be asked for a code (GetSessionToken refuses it); it may carry MFA itself.
    if not profile.mfa or base.session_token is not None:
        check_account(profile, keys=base, connect=connect)
        return enter(profile, keys=base, connect=connect, clock=clock)
    if profile.mfa_serial is None:
        raise Problem(
            f"the role of {profile.name} asks for MFA, and the profile names no device",
            do="run `valetkey accept` with the handoff again",
        )
    refused = ""
    while True:
        before = clock()
        mfa = mfa_session(
            base=base,
            serial=profile.mfa_serial,
            max_age=profile.mfa_max_age,
            connect=connect,
            cache=cache,
            ask=ask,
            clock=clock,
            refused=refused,
            seconds=deadline(),
        )
        try:
            return enter(profile, keys=mfa.credentials, connect=connect, clock=clock)
        except Refused as problem:
            if problem.code not in SESSION_GONE or mfa.issued >= before or refused:
                raise
            refused = mfa.credentials.access_key_id


def check_account(profile: Profile, *, keys: Keys, connect: Connect) -> None:
    """Raise Refused when the base identity is not of the contractor's account. To be called before it enters directly.

    INVARIANT: no customer's ExternalId is sent out of another customer's account, into its log. The usual chain may
    find a role session that `env` has exported, or a user that another customer has made. (An MFA session is of the
    account of its device.)
    """
    call = Call("sts", "get_caller_identity")
    try:
        caller = connect(keys)(call)["Arn"]
    except CallError as error:
        raise explain(error, profile.name) from None
    if caller.split(":")[4] != profile.contractor:
        found = Refused("", code="AccessDenied", message="", where=call.action)
        raise about_caller(caller, profile, found)


def _ask_and_fetch(serial: str, perform: Perform, ask: Ask, clock: Clock, deadline: Callable[[], float]) -> Session:
    again = ""
    while True:
        code = ask(serial, seconds=max(deadline() - _CALLS, 1), again=again)
        limits.check("token code", code)
        issued = clock()
        try:
            answer = perform(
                Call(
                    "sts",
                    "get_session_token",
                    {"SerialNumber": serial, "TokenCode": code, "DurationSeconds": MFA_LIFE},
                )
            )
        except CallError as error:
            problem = explain(error)
            if isinstance(problem, WrongCode) and not again:
                again = "AWS did not take this code (each works once): wait for the next one"
                continue
            raise problem from None
        return Session(_credentials(answer, _account_of(serial)), issued)


def _credentials(answer: dict[str, Any], account: str) -> Credentials:
    given = answer["Credentials"]
    expires: datetime = given["Expiration"]
    return Credentials(
        access_key_id=given["AccessKeyId"],
        secret_access_key=given["SecretAccessKey"],
        session_token=given["SessionToken"],
        expires=expires.astimezone(UTC),
        account=account,
    )


def _session_name(profile: Profile) -> str:
    """The IAM user's name, so that the owner's log names the person."""
    name = profile.user_name
    if profile.session_name == "username":
        if name is None:
            raise Problem(
                f"the owner wants the session of {profile.name} to carry your IAM user's name, and it is not known",
                do="run `valetkey accept` with the handoff again, signed in as an IAM user",
            )
        limits.check("session name", name)
        return name
    return name if name is not None and len(name) > 1 else f"valetkey-{name or profile.contractor}"


def _check_device(serial: str) -> None:
    limits.check("mfa serial", serial)
    if ":u2f/" in serial:
        raise Problem(
            "this MFA device is a security key or passkey, which AWS does not take for API access",
            do="add a virtual MFA device (authenticator app) to your user, then run `valetkey accept` again",
            where=serial,
        )
    if serial.endswith(":mfa/root-account-mfa-device"):
        raise Problem(
            "this MFA device is the root user's, and root may not assume roles",
            do="sign in as an IAM user with a virtual MFA device, then run `valetkey accept` again",
            where=serial,
        )


def _account_of(serial: str) -> str:
    parts = serial.split(":")
    # A hardware token's serial is no ARN; the account of an MFA session is never handed out.
    return parts[4] if len(parts) > 4 else "000000000000"


def _deadline(clock: Clock, seconds: float) -> Callable[[], float]:
    end = clock().timestamp() + seconds
    return lambda: max(end - clock().timestamp(), 0.0)


def _busy() -> Problem:
    return Busy(
        "another valetkey is still waiting for an MFA code or for AWS",
        do="answer its question, or end it, and try again",
        exit_code=3,
    )
