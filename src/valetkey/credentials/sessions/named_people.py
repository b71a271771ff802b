"""A role that requires the IAM user's name as session name (`grant --name-people`). There are two ways to assume it.

Its trust policy compares sts:RoleSessionName with ${aws:username}. Whether that variable has a value if the caller is
an MFA session is not documented clearly (fact U1): AWS's page on sts:RoleSessionName suggests no, its page on
aws:username suggests yes. With a user's long-term key it always has a value.

    through   the MFA session, as for every other role: one code for all customers
    directly  AssumeRole with the key and a separate code: one code for each session of this role

Rules:
- `through` is tried first. `directly` is tried if `through` was refused with AccessDenied and no other reason is known.
- INVARIANT: the person is not prompted for a useless code twice: not if `through` has succeeded before (then something
  else has changed), and not for some minutes after `directly` was refused too.
- The way that works for a role is stored beside its sessions for two days: it depends on AWS, not on the grant.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from valetkey.account.calls import AccessKeys
from valetkey.account.denial import PolicyType
from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.sessions.cache import Cache, Session, key
from valetkey.credentials.sessions.protocols import Base, Clock
from valetkey.credentials.sessions.refusal_sides import RefusingSide, side_of
from valetkey.credentials.sessions.refusals import Refused, WrongCaller, WrongCode
from valetkey.errors import ValetkeyError

THROUGH, DIRECTLY = "through", "directly"
AGAIN = 300
"""Seconds for which a refusal of both ways is cached, so that a program that retries does not ask again."""
WHY = (
    "AWS refused the role through the MFA session. The owner requires your user's name as session name, which AWS may "
    "not see in an MFA session: the role is tried with a code of its own"
)


def is_named(profile: Profile, base: AccessKeys) -> bool:
    """Return whether both ways apply: the role requires the name and MFA, and the base identity is a user's key."""
    return profile.mfa and profile.session_name == "username" and base.session_token is None


def way_key(profile: Profile, base: Base) -> str:
    """Return the name under which the way that works for the role is stored."""
    return key("way", realm=base.realm, base=base.access_key_id, role=profile.role_arn, external_id=profile.external_id)


def either_way(
    profile: Profile,
    *,
    through: Callable[[], Session],
    directly: Callable[[], Session],
    name: str,
    cache: Cache,
    clock: Clock,
    tell: Callable[[str], object],
) -> Session:
    """Return a session of the role, made in the way that AWS accepts. `name` is from `way_key`; `tell` prints why a
    second code is needed.

    Raises Refused: of `through` if `directly` is not tried, otherwise of `directly`; and other errors of the two.
    """
    learned = cache.learned(name)
    if learned == DIRECTLY:
        return directly()
    try:
        session = through()
    except Refused as refused:
        if not may_be_the_name(refused) or learned == THROUGH or cache.refused(name, clock()):
            raise
        _tell_once(f"{WHY} (wait for the next one, if you have just given one)", name, cache, clock, tell)
    else:
        if learned is None:
            _learn(cache, name, THROUGH)
        return session
    try:
        session = directly()
    except Refused as refused:
        if may_be_the_name(refused):
            refused.what += " (neither through the MFA session nor with a code of its own)"
            with contextlib.suppress(ValetkeyError):
                cache.remember_refusal(name, clock(), AGAIN)
        raise
    _learn(cache, name, DIRECTLY)
    tell(f"{profile.name} lets you in with a code of its own only: AWS does not see your user's name in an MFA session")
    return session


def may_be_the_name(refused: Refused) -> bool:
    """Return whether the session name can be the reason for a refusal: an AccessDenied that is explained neither by the
    caller nor by the code, nor by a policy that AWS names. With a wrong name no Allow of the trust policy applies; a
    Deny or any other policy is another reason."""
    if refused.code != "AccessDenied" or isinstance(refused, WrongCaller | WrongCode):
        return False
    denial = refused.denial
    if denial is None or side_of(denial) in (None, RefusingSide.UNKNOWN):
        return True
    return denial.policy in (PolicyType.TRUST, PolicyType.RESOURCE) and not denial.explicit


def _tell_once(text: str, name: str, cache: Cache, clock: Clock, tell: Callable[[str], object]) -> None:
    """Print a message, at most once in AGAIN seconds: a server renews in the background and has no terminal."""
    note_key = f"{name}-told"
    if not cache.refused(note_key, clock()):
        tell(text)
        with contextlib.suppress(ValetkeyError):
            cache.remember_refusal(note_key, clock(), AGAIN)


def _learn(cache: Cache, name: str, way: str) -> None:
    with contextlib.suppress(ValetkeyError):  # if it cannot be stored, both ways are tried again
        cache.learn(name, way)
