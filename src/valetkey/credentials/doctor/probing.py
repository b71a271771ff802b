"""Why does AWS refuse the way in? Try it, and variants of it, and say what that rules out and what it cannot tell.

Rules:
- AWS may name the kind of policy that refused, or nothing: both have been seen across accounts. A policy of our own
  side that it names is what stands in the way. One of the owner's side leaves our side out of the question.
- Named or not, a wrong ExternalId, a trust that names somebody else and a grant that has ended are one refusal by the
  trust policy (tests/e2e/contractor/test_same_answer.py); whether an absent role has a text of its own is documented
  nowhere. INVARIANT: these are never told apart here; they are listed together, for the owner.
- A variant is the right way with one thing changed. One that is admitted shows that thing to be what stands in the
  way, and everything else to be right.
- A cause is ruled out by a fact of this side, or by a variant that got in; by nothing else.
- Sessions are the shortest AWS makes, and dropped unseen.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from valetkey.account.calls import Keys
from valetkey.account.denial import Denial, PolicyType
from valetkey.catalog import limits
from valetkey.commandline import command
from valetkey.credentials.doctor.diagnosis import Found
from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.sessions.named_people import is_named, may_be_the_name
from valetkey.credentials.sessions.protocols import Connect
from valetkey.credentials.sessions.refusal_sides import ROTATED, Side, advice, says, side_of
from valetkey.credentials.sessions.refusals import SESSION_GONE, Refused, WrongCaller, address_limit
from valetkey.credentials.sessions.roles import check_account, enter
from valetkey.errors import ValetkeyError


@dataclass(frozen=True)
class Try:
    """One way tried."""

    way: str
    result: str
    """"in", "refused" (AccessDenied) or "failed" (AWS said something else)."""
    says: str = ""


@dataclass(frozen=True)
class Cause:
    """Something that could be the reason."""

    id: str
    what: str
    who: str = ""
    """Who can find out: "owner", "your admin" or "you"."""
    how: str = ""
    """How they find out, or why it is unknown to valetkey; of a cause that is ruled out: what rules it out."""


@dataclass(frozen=True)
class Probing:
    """What the tries have shown."""

    tries: tuple[Try, ...]
    reason: str
    """What blocks, where a variant has shown it or AWS has said it; else empty."""
    ruled_out: tuple[Cause, ...]
    open: tuple[Cause, ...]
    """What gives this same answer and is not ruled out: the address where it is limited, then the owner's."""
    denial: Denial | None = None
    """What AWS's text says of the right way's refusal."""

    @property
    def is_in(self) -> bool:
        return self.tries[0].result == "in"


RIGHT_WAY = "the right way"
# Each variant: its name, and what it shows to stand in the way when it is admitted.
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
"""What the owner alone can tell apart: AWS's answer is the same."""
ADDRESS = "address"
"""The id of the cause below."""


def _addresses(profile: Profile, denial: Denial | None) -> tuple[Cause, ...]:
    """The address as a cause, where the grant limits it. A resource control policy is not the grant's."""
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
    base: Keys,
    session: Callable[[str], tuple[Keys, bool]],
    renew: Callable[[], Keys],
    connect: Connect,
    clock: Callable[[], datetime],
    found: tuple[Found, ...],
) -> Probing:
    """Try the right way, and its variants when it is refused.

    `session(refused)` answers the MFA session's keys and whether a code was asked for just now; `refused` is the access
    key id of one that AWS no longer accepts. `renew()` asks for a code in any case. `found` are the local checks, which
    rule causes out. Raises Refused for a base identity of another account, and what `session` raises.
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
    ruled_out = tuple(_ruled_out(found, mfa=through_mfa, denial=denial))
    own = _blocked(found)
    if denial is not None and side in (Side.CALLER, Side.NETWORK):
        reason = f"{says(denial)}: {advice(denial)}"
        return Probing((first,), own if own and side is Side.CALLER else reason, ruled_out, (), denial)
    if own and side is not Side.OWNER:
        # Our own account refuses: nothing that the owner has could be seen behind it.
        return Probing((first,), own, ruled_out, (), denial)
    variants = _variants(shortest, base, keys, through_mfa, None if fresh else renew)
    others, reason = _until_in(variants, connect, clock)
    tries = (first, *others)
    if reason:
        return Probing(tries, reason, (*ruled_out, *_shown(tries[-1].way)), (), denial)
    ours = () if side is Side.OWNER else tuple(_ours(found))
    named = (_NAME,) if is_named(profile, base) and may_be_the_name(refused) else ()
    address = _addresses(profile, denial)
    return Probing(tries, "", ruled_out, (*address, *_owners(denial), *ours, *named), denial)


def _blocked(found: tuple[Found, ...]) -> str:
    """What of our own side blocks, "" for nothing."""
    return next((each.answer.says for each in found if each.check.id in OURS and each.answer.result == "blocks"), "")


def _until_in(
    variants: Iterable[tuple[tuple[str, str], Profile, Keys]], connect: Connect, clock: Callable[[], datetime]
) -> tuple[tuple[Try, ...], str]:
    """Try the variants until one admits: what was tried, and what that shows ("" when none admitted)."""
    tries: list[Try] = []
    for (way, shows), changed, using in variants:
        one, _ = _try(way, changed, using, connect, clock)
        tries.append(one)
        if one.result == "in":
            return tuple(tries), shows
    return tuple(tries), ""


def _owners(denial: Denial | None) -> tuple[Cause, ...]:
    """What of the owner's side gives this answer."""
    if denial is None or side_of(denial) is not Side.OWNER:
        return OWNERS
    if denial.policy is PolicyType.RCP:
        return (_RCP,)
    trust = (dataclasses.replace(each, how="its trust policy") if each.id == "condition" else each for each in OWNERS)
    # A role that is not there has no Deny statement.
    return tuple(each for each in trust if not (denial.explicit and each.id == "role"))


def _try(
    way: str, profile: Profile, keys: Keys, connect: Connect, clock: Callable[[], datetime]
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
    base: Keys,
    keys: Keys,
    through_mfa: bool,
    renew: Callable[[], Keys] | None,
) -> Iterator[tuple[tuple[str, str], Profile, Keys]]:
    """The right way with one thing changed; the one that asks the person again is last."""
    if profile.external_id is not None:
        yield _NO_ID, dataclasses.replace(profile, external_id=None), keys
    if through_mfa:
        yield _NO_MFA, profile, base
    if through_mfa and renew is not None:
        try:
            again = renew()
        except ValetkeyError:
            return  # nobody to ask, or no code: this variant stays untried
        yield _FRESH, profile, again


# A check that is `ok` rules its cause out.
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
"""The policies that a check looks at: what AWS itself names is not ruled out by what was read."""


def _ruled_out(found: tuple[Found, ...], *, mfa: bool, denial: Denial | None) -> Iterator[Cause]:
    yield Cause("keys", "the keys", how="AWS knows them: it answered sts:GetCallerIdentity")
    if mfa:
        yield Cause("mfa", "the MFA device and code", how="AWS issued an MFA session for them, and the call carried it")
    yield Cause("length", "the length of the session", how="the shortest that AWS makes was asked for")
    for each in found:
        named = denial is not None and denial.policy in _OF_CHECK.get(each.check.id, ())
        if each.answer.result == "ok" and each.check.id in _BY_CHECK and not named:
            yield Cause(each.check.id, _BY_CHECK[each.check.id], how=each.answer.says)


def _shown(way: str) -> Iterator[Cause]:
    """What a variant that got in has ruled out: all that the owner would have to look at, but what it changed."""
    for each in OWNERS:
        if (each.id, way) != ("external-id", _NO_ID[0]):
            yield dataclasses.replace(each, who="", how=f"the role admitted you {way}")


OURS = {
    "permission": "the caller's own account does not allow the call",
    "organization": "a service control policy over the caller refuses it",
}
"""The checks of what our own account allows, and the cause that each is about."""


def _ours(found: tuple[Found, ...]) -> Iterator[Cause]:
    """What is not known of our own side gives the same answer too."""
    for each in found:
        if each.check.id in OURS and each.answer.result != "ok":
            yield Cause(f"own-{each.check.id}", OURS[each.check.id], "your admin", each.answer.says)


def message(profile: Profile, caller: str, probing: Probing, *, masked: str, now: datetime) -> str:
    """A message to the owner, to be pasted: what was tried, what is ruled out, what to look at. `masked` is the
    ExternalId as it may be shown. Empty when there is nothing for the owner to find out."""
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
        *(f"  - {each.what}" for each in probing.ruled_out),
        "The cause can only be this, which the administrator of your organization can look up:"
        if is_rcp
        else "AWS returns the same answer for each of these, and only you can tell them apart:",
        *(f"  - {each.what}" for each in probing.open if each.who == "owner"),
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
