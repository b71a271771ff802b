"""A role that asks for the IAM user's name as session name (`grant --name-people`): two ways in, and which one is used.

Its trust compares sts:RoleSessionName with ${aws:username}. Whether that variable has a value when the caller is an MFA
session is not settled (fact U1): AWS's page on sts:RoleSessionName can be read as no, its page on aws:username as yes.
With a user's long-term key it always has one.

    through   the MFA session, as for every other role: one code serves all customers
    directly  AssumeRole with the key and a code of its own: one code for each session of this role

Rules:
- `through` comes first. `directly` is tried when `through` was refused with AccessDenied, and nothing else is known to
  be the reason.
- INVARIANT: no code is asked for in vain twice: not where `through` has admitted before (something else has changed
  since), and not for some minutes after `directly` was refused too.
- What was learned about a role is kept beside its sessions, for two days: it is AWS's way, and not the grant's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from valetkey.account.calls import Keys
from valetkey.account.denial import PolicyType
from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.sessions.cache import Cache, Session, key
from valetkey.credentials.sessions.protocols import Base, Clock
from valetkey.credentials.sessions.refusal_sides import Side, side_of
from valetkey.credentials.sessions.refusals import Refused, WrongCaller, WrongCode
from valetkey.errors import ValetkeyError

THROUGH, DIRECTLY = "through", "directly"
AGAIN = 300
"""Seconds for which a refusal of both ways is cached, so that a program that retries does not ask again."""
WHY = (
    "AWS refused the role through the MFA session. The owner requires your user's name as session name, which AWS may "
    "not see in an MFA session: the role is tried with a code of its own"
)


def is_named(profile: Profile, base: Keys) -> bool:
    """Whether there are two ways: the name is asked for, MFA too, and the base identity is a user's key."""
    return profile.mfa and profile.session_name == "username" and base.session_token is None


def way_key(profile: Profile, base: Base) -> str:
    """The name under which is kept what was learned about the role."""
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
    """A session of the role, made in the way that AWS accepts. `name` is from `way_key`; `tell` prints why a second
    code is needed.

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
    """Whether a refusal can come from the session name: an AccessDenied that neither the caller nor the code explains,
    nor a policy that AWS names. No Allow of the trust applies then; a Deny and any other policy are another reason."""
    if refused.code != "AccessDenied" or isinstance(refused, WrongCaller | WrongCode):
        return False
    denial = refused.denial
    if denial is None or side_of(denial) in (None, Side.UNKNOWN):
        return True
    return denial.policy in (PolicyType.TRUST, PolicyType.RESOURCE) and not denial.explicit


def _tell_once(text: str, name: str, cache: Cache, clock: Clock, tell: Callable[[str], object]) -> None:
    """Not again for some minutes: a server renews in the background, and has no terminal."""
    told = f"{name}-told"
    if not cache.refused(told, clock()):
        tell(text)
        with contextlib.suppress(ValetkeyError):
            cache.remember_refusal(told, clock(), AGAIN)


def _learn(cache: Cache, name: str, way: str) -> None:
    with contextlib.suppress(ValetkeyError):  # what cannot be kept is learned again
        cache.learn(name, way)
