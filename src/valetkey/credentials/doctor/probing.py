"""Find out why AWS denies a role: try to assume it, then variants, and report which causes are ruled out and which
remain.

Rules:
- AWS may name the type of the policy that denied the call, or nothing: both have been seen across accounts. If it names
  one of our side, that policy is the cause. If it names one of the owner's side, our side is not the cause.
- Named or not, a wrong ExternalId, a trust policy for another principal and an ended grant give the same denial by the
  trust policy (tests/e2e/contractor/test_same_answer.py). Whether a missing role has a different message is not
  documented. INVARIANT: these causes are never distinguished here; they are listed together, for the owner.
- A variant is the correct call with one change. If a variant is allowed, that change is the cause, and everything else
  is right.
- A cause is ruled out only by a fact of our side, or by a variant that was allowed.
- Sessions have the shortest duration that AWS allows, and are discarded at once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from valetkey.account.calls import AccessKeys
from valetkey.account.denial import Denial, PolicyType
from valetkey.catalog import limits
from valetkey.commandline import command
from valetkey.credentials.doctor.diagnosis import AnsweredCheck
from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.sessions.named_people import is_named, may_be_the_name
from valetkey.credentials.sessions.protocols import Connect
from valetkey.credentials.sessions.refusal_sides import ROTATED, RefusingSide, advice, says, side_of
from valetkey.credentials.sessions.refusals import SESSION_GONE, Refused, WrongCaller, address_limit
from valetkey.credentials.sessions.roles import check_account, enter
from valetkey.errors import ValetkeyError


@dataclass(frozen=True)
class Try:
    """One attempt to assume the role."""

    way: str
    result: str
    """The result: "in", "refused" (AccessDenied) or "failed" (another error)."""
    says: str = ""


@dataclass(frozen=True)
class Cause:
    """A possible cause."""

    id: str
    what: str
    who: str = ""
    """Who can find out: "owner", "your admin" or "you"."""
    how: str = ""
    """How to find out, or why valetkey does not know; for a cause that is ruled out: what rules it out."""


@dataclass(frozen=True)
class Probing:
    """The result of all attempts."""

    tries: tuple[Try, ...]
    reason: str
    """The cause, if a variant has shown it or AWS has named it; else empty."""
    ruled_out: tuple[Cause, ...]
    open: tuple[Cause, ...]
    """The causes that give this same error and are not ruled out: the address if it is limited, then the owner's."""
    denial: Denial | None = None
    """The parsed message of the denial of the correct call."""

    @property
    def is_in(self) -> bool:
        return self.tries[0].result == "in"


RIGHT_WAY = "the right way"
# Each variant: its name, and the cause if it is allowed.
_NO_ID = (
    "without the ExternalId",
    "the ExternalId: the role admits you without one and refuses the one in the handoff",
)
_NO_MFA = ("without MFA", "MFA: the role admits you without it and refuses you with it")
_FRESH = ("with a fresh MFA code", "the age of the MFA session: the role requires a younger one than the handoff says")

OWNERS = (
    Cause("role", "the role no longer exists, or is too new to be visible yet", "owner", "`valetkey list`"),
    Cause(
        "external-id",
        "the role requires another ExternalId than the one in the handoff",
        "owner",
        f"`valetkey show`; {ROTATED}",
    ),
    Cause("principal", "the role trusts another account, or other users than this one", "owner", "`valetkey show`"),
    Cause("ended", "the grant has ended, or is suspended", "owner", "`valetkey show`"),
    Cause("condition", "the role requires more: an address, a region ...", "owner", "its trust policy, and their RCPs"),
)
"""The causes that only the owner can distinguish: AWS returns the same error for all."""
ADDRESS = "address"
"""The id of the cause that `_addresses` returns."""


def _addresses(profile: Profile, denial: Denial | None) -> tuple[Cause, ...]:
    """Return the address as a cause if the grant limits it. A denial by a resource control policy is not due to the
    grant."""
    limit = address_limit(profile)
    if not limit or (denial is not None and denial.policy is PolicyType.RCP):
        return ()
    how = "`sourceIPAddress` of the refused AssumeRole in your own CloudTrail, some minutes later"
    return (Cause(ADDRESS, f"your address: {limit}", "you", how),)


_RCP = Cause(
    "rcp", "a resource control policy of the owner's organization", "owner", "AWS Organizations, by their administrator"
)


_NAME = Cause(
    "name",
    "the role requires your user's name, and AWS may not see it in an MFA session (AWS does not document this)",
    "you",
    "`valetkey verify` tries the role with a code of its own",
)


def probe(
    profile: Profile,
    *,
    base: AccessKeys,
    session: Callable[[str], tuple[AccessKeys, bool]],
    renew: Callable[[], AccessKeys],
    connect: Connect,
    clock: Callable[[], datetime],
    checks: tuple[AnsweredCheck, ...],
) -> Probing:
    """Try the correct call, and its variants if it is denied.

    `session(refused)` returns the keys of the MFA session, and whether a code was requested for it; `refused` is the
    access key id of a session that AWS no longer accepts, or empty. `renew()` always requests a code. `checks` are the
    local ones, which rule out causes. Raises Refused for a base identity of another account, and what `session`
    raises.
    """
    shortest = dataclasses.replace(profile, max_session=limits.SESSION_MIN)
    through_mfa = profile.mfa and base.session_token is None
    keys, fresh = session("") if through_mfa else (base, False)
    if not through_mfa:
        check_account(profile, keys=base, connect=connect)
    first, refused = _try(RIGHT_WAY, shortest, keys, connect, clock)
    if through_mfa and not fresh and isinstance(refused, Refused) and refused.code in SESSION_GONE:
        keys, fresh = session(keys.access_key_id)
        first, refused = _try(RIGHT_WAY, shortest, keys, connect, clock)
    if refused is None:
        return Probing((first,), "", (), ())
    if first.result == "failed" or isinstance(refused, WrongCaller):
        return Probing((first,), refused.what, (), ())
    denial = refused.denial
    side = side_of(denial)
    ruled_out = tuple(_ruled_out(checks, mfa=through_mfa, denial=denial))
    own = _blocked(checks)
    if denial is not None and side in (RefusingSide.CALLER, RefusingSide.NETWORK):
        reason = f"{says(denial)}: {advice(denial)}"
        return Probing((first,), own if own and side is RefusingSide.CALLER else reason, ruled_out, (), denial)
    if own and side is not RefusingSide.OWNER:
        # Our own account denies the call, so nothing on the owner's side can be seen.
        return Probing((first,), own, ruled_out, (), denial)
    variants = _variants(shortest, base, keys, through_mfa, None if fresh else renew)
    others, reason = _until_in(variants, connect, clock)
    tries = (first, *others)
    if reason:
        return Probing(tries, reason, (*ruled_out, *_shown(tries[-1].way)), (), denial)
    ours = () if side is RefusingSide.OWNER else tuple(_ours(checks))
    named = (_NAME,) if is_named(profile, base) and may_be_the_name(refused) else ()
    address = _addresses(profile, denial)
    return Probing(tries, "", ruled_out, (*address, *_owners(denial), *ours, *named), denial)


def _blocked(checks: tuple[AnsweredCheck, ...]) -> str:
    """Return what blocks on our own side, or ""."""
    return next(
        (check.answer.says for check in checks if check.check.id in OURS and check.answer.result == "blocks"), ""
    )


def _until_in(
    variants: Iterable[tuple[tuple[str, str], Profile, AccessKeys]], connect: Connect, clock: Callable[[], datetime]
) -> tuple[tuple[Try, ...], str]:
    """Try the variants until one is allowed. Returns the attempts, and the cause that this shows ("" if none was
    allowed)."""
    tries: list[Try] = []
    for (way, shows), changed, using in variants:
        one, _ = _try(way, changed, using, connect, clock)
        tries.append(one)
        if one.result == "in":
            return tuple(tries), shows
    return tuple(tries), ""


def _owners(denial: Denial | None) -> tuple[Cause, ...]:
    """Return the causes on the owner's side that give this error."""
    if denial is None or side_of(denial) is not RefusingSide.OWNER:
        return OWNERS
    if denial.policy is PolicyType.RCP:
        return (_RCP,)
    trust = (
        dataclasses.replace(cause, how="its trust policy") if cause.id == "condition" else cause for cause in OWNERS
    )
    # A role that does not exist has no Deny statement.
    return tuple(cause for cause in trust if not (denial.explicit and cause.id == "role"))


def _try(
    way: str, profile: Profile, keys: AccessKeys, connect: Connect, clock: Callable[[], datetime]
) -> tuple[Try, Refused | None]:
    try:
        enter(profile, keys=keys, connect=connect, clock=clock)
        return Try(way, "in", "the session was dropped"), None
    except Refused as refused:
        if refused.code == "AccessDenied":
            clause = f" {refused.denial.clause}" if refused.denial is not None else ""
            return Try(way, "refused", f"AccessDenied{clause}"), refused
        return Try(way, "failed", f"{refused.code}: {refused.what}"), refused


def _variants(
    profile: Profile,
    base: AccessKeys,
    keys: AccessKeys,
    through_mfa: bool,
    renew: Callable[[], AccessKeys] | None,
) -> Iterator[tuple[tuple[str, str], Profile, AccessKeys]]:
    """Yield the correct call with one change each. The variant that asks a person for a code is last."""
    if profile.external_id is not None:
        yield _NO_ID, dataclasses.replace(profile, external_id=None), keys
    if through_mfa:
        yield _NO_MFA, profile, base
    if through_mfa and renew is not None:
        try:
            again = renew()
        except ValetkeyError:
            return  # no person to ask, or no code: this variant is not tried
        yield _FRESH, profile, again


# A check with the answer `ok` rules out its cause.
_BY_CHECK = {
    "clock": "the clock",
    "identity": "the account and the kind of the base identity",
    "permission": "the caller's own policies and permissions boundary",
    "organization": "the service control policies over the caller",
    "grant-end": "the end of the grant, as the handoff has it",
}


_OF_CHECK = {
    "permission": (PolicyType.IDENTITY, PolicyType.BOUNDARY, PolicyType.SESSION),
    "organization": (PolicyType.SCP,),
}
"""The policy types that each check reads. If AWS names one of them, the check does not rule it out."""


def _ruled_out(checks: tuple[AnsweredCheck, ...], *, mfa: bool, denial: Denial | None) -> Iterator[Cause]:
    yield Cause("keys", "the keys", how="AWS knows them: it answered sts:GetCallerIdentity")
    if mfa:
        yield Cause("mfa", "the MFA device and code", how="AWS issued an MFA session for them, and the call carried it")
    yield Cause("length", "the length of the session", how="the shortest that AWS makes was asked for")
    for check in checks:
        named = denial is not None and denial.policy in _OF_CHECK.get(check.check.id, ())
        if check.answer.result == "ok" and check.check.id in _BY_CHECK and not named:
            yield Cause(check.check.id, _BY_CHECK[check.check.id], how=check.answer.says)


def _shown(way: str) -> Iterator[Cause]:
    """Yield the causes that an allowed variant rules out: all of the owner's causes except the one that it changed."""
    for cause in OWNERS:
        if (cause.id, way) != ("external-id", _NO_ID[0]):
            yield dataclasses.replace(cause, who="", how=f"the role admitted you {way}")


OURS = {
    "permission": "the caller's own account does not allow the call",
    "organization": "a service control policy over the caller refuses it",
}
"""The checks of our own account's permissions, and the cause for each."""


def _ours(checks: tuple[AnsweredCheck, ...]) -> Iterator[Cause]:
    """Yield the causes on our own side that are not ruled out: they give the same error."""
    for check in checks:
        if check.check.id in OURS and check.answer.result != "ok":
            yield Cause(f"own-{check.check.id}", OURS[check.check.id], "your admin", check.answer.says)


def message(profile: Profile, caller: str, probing: Probing, *, masked: str, now: datetime) -> str:
    """Return a message to paste to the owner: what was tried, what is ruled out, what to check. `masked` is the
    ExternalId in the form that may be shown. Empty if the owner has nothing to check."""
    if not probing.open:
        return ""
    role = profile.role_arn.rsplit("/", 1)[1]
    denial = probing.denial
    is_rcp = denial is not None and denial.policy is PolicyType.RCP
    lines = [
        f"AWS refuses me sts:AssumeRole on your role {denial.clause if denial else 'and names no policy'}.",
        f"  role        {profile.role_arn}",
        f"  I am        {caller}",
        f"  ExternalId  {masked}",
        f"  MFA         {'sent' if profile.mfa else 'not asked for'}",
        *([f"  address     the handoff limits it to {', '.join(profile.from_ip)}"] if profile.from_ip else []),
        f"  when        {now:%Y-%m-%d %H:%M} UTC (a refused try is in my CloudTrail, not in yours)",
        "Ruled out on my side:",
        *(f"  - {cause.what}" for cause in probing.ruled_out),
        "The cause can only be this, which the administrator of your organization can look up:"
        if is_rcp
        else "AWS returns the same answer for each of these, and only you can tell them apart:",
        *(f"  - {cause.what}" for cause in probing.open if cause.who == "owner"),
        *(
            ("If the grant still exists, that policy must exempt this role.",)
            if is_rcp
            else (
                f"`{command('valetkey show', role)}` shows all but the last.",
                "If the grant still exists, please send me a new handoff:",
                f"  {command('valetkey handoff', role, then='-o handoff.json')}",
            )
        ),
    ]
    return "\n".join(lines)
