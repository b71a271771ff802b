"""Test a grant as AWS advises third parties: the correct call must succeed, and every wrong call must be denied.

Rules (IAM User Guide, id_roles_common-scenarios_third-party: "test that the role cannot be assumed without the external
ID"):
- A probe is the correct call with one change, by the same identity, directly after the correct call succeeded.
- Only AccessDenied is a denial; any other error shows nothing.
- INVARIANT: a denial counts as the owner's only if AWS's message names a policy of the owner's side (refusal_sides.py),
  or names none and our own account's policies are known to allow the call. A denial that names another policy never
  counts.
- Sessions have the shortest duration that AWS allows, and are discarded at once.
- For an unknown term (Profile.unknown), a probe only learns whether it is required; a probe that succeeds is then not
  an error. Only the ExternalId and MFA can be learned this way.
- If the role requires the user's name and the MFA session is denied (named_people.py), every call that carries MFA uses
  a new code: a denial of the MFA session shows nothing there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from valetkey.account.calls import AccessKeys, Perform
from valetkey.account.denial import Denial
from valetkey.catalog import limits
from valetkey.credentials.doctor.caller_policies import OwnSide, context_of
from valetkey.credentials.doctor.likely_cause import sentence
from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.profiles.requests import fresh_external_id
from valetkey.credentials.sessions.cache import Session
from valetkey.credentials.sessions.named_people import may_be_the_name
from valetkey.credentials.sessions.protocols import Connect
from valetkey.credentials.sessions.refusal_sides import RefusingSide, advice, refuses_for_owner, says, side_of
from valetkey.credentials.sessions.refusals import SESSION_GONE, Refused, WrongCaller
from valetkey.credentials.sessions.roles import check_account, enter, role_call

CallContext = dict[str, str]
"""The condition keys of a call."""

FIRST_SAYS = "Successful calls appear in the owner's CloudTrail (and in yours), refused calls in yours only."
WAIT = 60
"""Seconds to wait for a new role to become visible: IAM is eventually consistent (troubleshoot_general)."""
_PAUSE = 3.0

_NOT_OWNERS = (RefusingSide.CALLER, RefusingSide.NETWORK)
RIGHT_WAY, NO_ID, WRONG_ID, NO_MFA = "right way", "no ExternalId", "wrong ExternalId", "no MFA"


ByCode = Callable[[Callable[[tuple[str, str]], Session]], Session]
"""Asks for a code of the MFA device and returns `send((device, code))`."""


@dataclass(frozen=True)
class Probe:
    """One attempt to assume the role."""

    way: str
    """The attempt: "right way", "no ExternalId", "wrong ExternalId" or "no MFA"."""
    result: str
    """The result: "right", "wrong", "inconclusive"; or "learned": the role does not require this, and the agreed term
    is unknown."""
    says: str
    applies: bool = True
    """False: the grant does not have this condition, so there is nothing to deny."""
    failed: bool = False
    """AWS did not respond, or with an error that is not a denial."""


@dataclass(frozen=True)
class Verification:
    """The result of all attempts."""

    profile: Profile
    probes: tuple[Probe, ...]
    likely: str = ""
    """The most likely cause why the correct call was denied; empty if it was not, or if AWS names the cause."""

    @property
    def exit_code(self) -> int:
        """0: everything that applies is shown to be right; 1: something is wrong or not shown; 3: AWS failed."""
        asked = [probe for probe in self.probes if probe.applies]
        if any(probe.result == "wrong" for probe in asked):
            return 1
        if any(probe.failed for probe in asked):
            return 3
        return 0 if all(probe.result in ("right", "learned") for probe in asked) else 1


def verify(
    profile: Profile,
    *,
    base: AccessKeys,
    session: Callable[[str], AccessKeys],
    connect: Connect,
    own_side: Callable[[Perform], OwnSide],
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
    region: str = "",
    wait: float = WAIT,
    by_code: ByCode | None = None,
) -> Verification:
    """Try the correct call and every wrong call for the profile's role.

    `session(refused)` returns the MFA session's keys; `refused` is the access key id of a session that AWS no longer
    accepts, or empty. `own_side(perform)` reads the caller's policies. `region` is where the calls go. The correct call
    is retried for `wait` seconds. `by_code(send)` asks for a code and returns `send((device, code))`; None unless the
    role may refuse an MFA session (named_people.is_named). Raises Refused for an MFA session that AWS does not grant
    and for a base identity of another account, and what `session` and `by_code` raise.
    """
    shortest = dataclasses.replace(profile, max_session=limits.SESSION_MIN)
    attempts = _Attempts(connect, own_side, clock, region, by_code)
    result = _right_way(shortest, attempts, base=base, session=session, sleep=sleep, wait=wait)
    if isinstance(result, tuple):
        return _not_in(profile, *result)
    says = f"in as {profile.role_arn}; the session was dropped{_BY_CODE if result.coded else ''}"
    probes = [Probe(RIGHT_WAY, "right", says)]
    right = attempts.context(shortest, result.keys, mfa=result.with_mfa)
    for way, changed, using, skip in _tries(shortest, base, result.keys):
        probes.append(skip or _wrong_way(way, changed, using, attempts, result, right))
    return Verification(profile, tuple(probes))


@dataclass
class _Attempts:
    """Makes the attempts, and reads the caller's own policies once, if a denial requires it."""

    connect: Connect
    own_side: Callable[[Perform], OwnSide]
    clock: Callable[[], datetime]
    region: str
    by_code: ByCode | None
    _known: OwnSide | None = None

    def go(self, changed: Profile, using: AccessKeys, *, coded: bool) -> None:
        """Assume the role. Raises Refused."""
        if coded and self.by_code is not None:
            self.by_code(lambda given: enter(changed, keys=using, connect=self.connect, clock=self.clock, code=given))
        else:
            enter(changed, keys=using, connect=self.connect, clock=self.clock)

    def context(self, changed: Profile, using: AccessKeys, *, mfa: bool) -> CallContext:
        return context_of(role_call(changed, using).params, mfa=mfa, region=self.region, now=self.clock())

    def known(self, keys: AccessKeys) -> OwnSide:
        self._known = self._known or self.own_side(self.connect(keys))
        return self._known


@dataclass(frozen=True)
class _In:
    """The correct call succeeded: with these keys, and possibly with a new code."""

    keys: AccessKeys
    coded: bool
    with_mfa: bool


def _right_way(
    profile: Profile,
    attempts: _Attempts,
    *,
    base: AccessKeys,
    session: Callable[[str], AccessKeys],
    sleep: Callable[[float], None],
    wait: float,
) -> _In | tuple[Refused, tuple[bool | None, str]]:
    """Retry the correct call until it succeeds or waiting cannot help; then return the denial, and what our own
    policies say."""
    # A temporary base identity cannot get an MFA session; it may carry MFA itself.
    through_mfa = profile.mfa and base.session_token is None
    keys = session("") if through_mfa else base
    if not through_mfa:
        check_account(profile, keys=base, connect=attempts.connect)
    end, coded = attempts.clock().timestamp() + wait, False
    while True:
        try:
            attempts.go(profile, keys, coded=coded)
            return _In(keys, coded, coded or keys is not base)
        except Refused as refused:
            left = end - attempts.clock().timestamp()
            if through_mfa and refused.code in SESSION_GONE:
                keys, through_mfa = session(keys.access_key_id), False
                continue
            if attempts.by_code and not coded and left <= 0 and may_be_the_name(refused):
                check_account(profile, keys=base, connect=attempts.connect)
                keys, coded = base, True
                continue
            judged: tuple[bool | None, str] = (None, "")
            side = side_of(refused.denial)
            is_spreading = refused.code == "AccessDenied" and not isinstance(refused, WrongCaller)
            if is_spreading and (left <= 0 or side is not RefusingSide.OWNER):
                context = attempts.context(profile, keys, mfa=coded or keys is not base)
                judged = attempts.known(keys).judge(context, profile.role_arn)
                # Waiting does not help if our own policies are known to deny the call. If AWS names one of them but
                # those that are read allow the call, the policies may be new and not yet effective, like a new role:
                # waiting may help.
                is_spreading = judged[0] is True if side in _NOT_OWNERS else judged[0] is not False
                is_spreading = is_spreading and side is not RefusingSide.NETWORK
            if left <= 0 or not is_spreading:
                return refused, judged
            sleep(min(_PAUSE, left))


def _wrong_way(
    way: str, changed: Profile, using: AccessKeys, attempts: _Attempts, result: _In, right: CallContext
) -> Probe:
    carries_mfa = result.with_mfa and way != NO_MFA
    try:
        attempts.go(changed, using, coded=result.coded and carries_mfa)
        return Probe(way, "wrong" if changed.knows(_TERM[way]) else "learned", _LETS_IN[way])
    except Refused as refused:
        if refused.code != "AccessDenied":
            return _unclear(way, refused)
        if (by_text := _named(way, refused.denial)) is not None:
            return by_text
        known = attempts.known(result.keys)
        context = attempts.context(changed, using, mfa=carries_mfa)
        return _judge(way, known, right, context, changed.role_arn)


_BY_CODE = ". It took a code of its own: the MFA session was refused, in which AWS may not see your user's name"
_LETS_IN = {
    NO_ID: "this role admits you without the ExternalId: tell the owner",
    WRONG_ID: "this role admits you with any ExternalId: tell the owner",
    NO_MFA: "this role admits you without MFA: tell the owner",
}


_TERM = {NO_ID: "external_id", WRONG_ID: "external_id", NO_MFA: "mfa"}
_SENT_NONE = {
    NO_ID: "this role admits you without an ExternalId: another customer who learns its "
    "name could trick you into using it; tell the owner",
    NO_MFA: "this role admits you without MFA: tell the owner",
}


def tries(profile: Profile) -> int:
    """Return the maximum number of AssumeRole calls that `verify` makes for this profile if the first one succeeds."""
    return 1 + 2 * (profile.external_id is not None) + profile.mfa


def _tries(
    profile: Profile, base: AccessKeys, keys: AccessKeys
) -> tuple[tuple[str, Profile, AccessKeys, Probe | None], ...]:
    """Return every wrong call: name, changed profile, keys, and the result if no call is needed."""
    no_id = _sent_none(profile, NO_ID, "no ExternalId") if profile.external_id is None else None
    wrong_id = _not_asked(WRONG_ID, "no ExternalId") if profile.external_id is None else None
    no_mfa = None
    if not profile.mfa and base.session_token is None:
        no_mfa = _sent_none(profile, NO_MFA, "no MFA")
    elif not profile.mfa and profile.knows("mfa"):
        no_mfa = _not_asked(NO_MFA, "no MFA")
    elif base.session_token is not None:
        no_mfa = Probe(
            NO_MFA, "inconclusive", "not tried: your sign-in is a temporary session, which may carry MFA itself"
        )
    return (
        (NO_ID, dataclasses.replace(profile, external_id=None), keys, no_id),
        (WRONG_ID, dataclasses.replace(profile, external_id=fresh_external_id()), keys, wrong_id),
        (NO_MFA, profile, base, no_mfa),
    )


def _sent_none(profile: Profile, way: str, what: str) -> Probe:
    """Return the result for a condition that the correct call did not meet: it is not required, as agreed or not."""
    return _not_asked(way, what) if profile.knows(_TERM[way]) else Probe(way, "learned", _SENT_NONE[way])


def _not_asked(way: str, what: str) -> Probe:
    return Probe(way, "inconclusive", f"the probe does not apply: the grant asks for {what}", applies=False)


def _named(way: str, denial: Denial | None) -> Probe | None:
    """Return the result of a denial if AWS names a policy; None if it names none."""
    if denial is None or side_of(denial) is None:
        return None
    if refuses_for_owner(denial):
        return Probe(way, "right", f"refused by the owner: {says(denial)}")
    if side_of(denial) is RefusingSide.UNKNOWN:
        return Probe(way, "inconclusive", f"refused for a reason that valetkey does not know: {denial.clause}")
    whose = "by your own account" if side_of(denial) is RefusingSide.CALLER else "for another reason"
    return Probe(way, "inconclusive", f"refused {whose}: {says(denial)}")


def _judge(way: str, own: OwnSide, right: Mapping[str, str], probe: Mapping[str, str], role_arn: str) -> Probe:
    why = own.lets(right=right, probe=probe, role_arn=role_arn)
    if why:
        return Probe(way, "inconclusive", f"refused, but not certainly by the owner: {why}")
    return Probe(way, "right", "refused by the owner's role")


def _unclear(way: str, refused: Refused) -> Probe:
    return Probe(way, "inconclusive", f"no refusal and no entry: {refused.code}: {refused.what}", failed=True)


def _who_does_what(profile: Profile, allowed: bool | None) -> str:
    """Return who has to do what after a denial that names no policy; `allowed` is the result for our own account."""
    entering = f"sts:AssumeRole on {profile.role_arn}"
    owner = "the owner has to look whether the grant still exists, with this ExternalId (`valetkey show`)"
    if allowed is True:
        return f"Your own account allows the call: {owner}"
    if allowed is False:
        return f"Your account's admin has to allow you {entering}"
    return f"Your account's admin has to look whether you are allowed {entering}; if you are, {owner}"


def _not_in(profile: Profile, refused: Refused, judged: tuple[bool | None, str]) -> Verification:
    """Return the result if the correct call did not succeed: then no other denial shows anything."""
    likely = refused.likely
    denial = refused.denial
    is_known = denial is not None and side_of(denial) not in (None, RefusingSide.UNKNOWN)
    if isinstance(refused, WrongCaller):
        first = Probe(RIGHT_WAY, "wrong", f"AccessDenied: {refused.what}: {refused.do}")
    elif denial is not None and is_known:
        do = advice(denial)
        first = Probe(RIGHT_WAY, "wrong", f"AccessDenied: {says(denial)}. {do[0].upper()}{do[1:]}")
        likely = sentence(profile, *judged, denial)
    elif refused.code == "AccessDenied":
        named = f": {denial.clause}" if side_of(denial) is RefusingSide.UNKNOWN and denial is not None else ""
        first = Probe(RIGHT_WAY, "wrong", f"AccessDenied{named}. {_who_does_what(profile, judged[0])}")
        likely = sentence(profile, *judged, denial)
    else:
        first = _unclear(RIGHT_WAY, refused)
    why = "not tried: a refusal counts only after the right way succeeded"
    rest = [
        _not_asked(way, what) if not asked else Probe(way, "inconclusive", why)
        for way, asked, what in (
            (NO_ID, profile.external_id is not None or not profile.knows("external_id"), "no ExternalId"),
            (WRONG_ID, profile.external_id is not None, "no ExternalId"),
            (NO_MFA, profile.mfa or not profile.knows("mfa"), "no MFA"),
        )
    ]
    return Verification(profile, (first, *rest), likely)
