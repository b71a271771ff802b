"""Check a handoff before anything is written: is it for this account, does it answer our request, does it admit us?

Rules (AWS, "The confused deputy problem", and id_roles_common-scenarios_third-party):
- The handoff is for the account and partition that we are signed in to, and has not expired.
- The ExternalId is the one requested for this customer. If no matching request is known, a person decides.
- A handoff older than the one accepted for this role is refused, because it would undo the owner's later changes. The
  same handoff again changes no terms and corrects the profile.
- A role or an ExternalId belongs to one customer: one that another customer's profile uses is refused.
- The role is neither in our own account nor in another customer's (whose_account.py).
- Terms that this identity can never meet (MFA with Identity Center, a different principal) are refused now, not at the
  first AccessDenied.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from valetkey.catalog import limits
from valetkey.commandline import option
from valetkey.credentials.profiles.identity import Identity, refuse_root
from valetkey.credentials.profiles.names import ProfileError, check_name
from valetkey.credentials.profiles.profile import Profile, TermsOrigin, load, names
from valetkey.credentials.profiles.requests import latest
from valetkey.credentials.profiles.whose_account import account_of, own_accounts, refuse_others, refuse_own
from valetkey.errors import ValetkeyError
from valetkey.exchange.files import AccessRequest, Handoff, Received, fingerprint
from valetkey.policy.iam_arns import is_same_role

_TERMS = (
    *("role_arn", "external_id", "contractor", "mfa", "mfa_max_age", "max_session", "until", "session_name"),
    *("principals", "from_ip", "request", "issued"),
)
"""The fields that a profile copies from its handoff, with the same names."""
_AHEAD = timedelta(minutes=10)
"""Tolerated clock difference: how far the owner's clock may be ahead of ours."""


class NotAccepted(ValetkeyError):
    """A valid handoff that cannot be accepted. Nothing was written."""

    exit_code = 1


@dataclass(frozen=True)
class Acceptance:
    """The result of the checks: a handoff that can be accepted."""

    handoff: Handoff
    fingerprint: str
    """To compare by voice with the owner's."""
    customer: str
    """The contractor's name for the owner; the owner's account id if there is none."""
    request: AccessRequest | None
    """Our request that the handoff answers."""
    question: str
    """A question that a person has to answer with yes first, or empty."""
    notices: tuple[str, ...]
    origin: TermsOrigin = TermsOrigin.HANDOFF
    unknown: frozenset[str] = frozenset()
    """As in Profile. Unknown terms have assumed values in `handoff`."""


def judge(
    received: Received,
    *,
    identity: Identity,
    known: tuple[AccessRequest, ...],
    profiles: tuple[Profile, ...],
    customer: str | None,
    name: str | None,
    now: datetime,
    aws_profiles: Mapping[str, str] | None = None,
    origin: TermsOrigin = TermsOrigin.HANDOFF,
    unknown: frozenset[str] = frozenset(),
) -> Acceptance:
    """Check a handoff as read, or a role as typed (typed.py); the terms in `unknown` are unknown. `known` are the
    requests made here, `profiles` the accepted profiles, `aws_profiles` the role ARNs of profiles set up by hand,
    `name` the profile to write. Raises NotAccepted, WrongAccount, LimitError."""
    handoff: Handoff = received.value
    if handoff.external_id is not None:
        limits.check("external id", handoff.external_id)
    _check_texts(handoff)
    refuse_own(handoff, own_accounts(identity, known, profiles))
    _check_identity(handoff, identity)
    if handoff.until is not None and handoff.until <= now:
        raise NotAccepted(
            f"the access ended at {handoff.until:%Y-%m-%d %H:%M} UTC",
            do="ask the owner for a new grant and its handoff",
        )
    if handoff.issued > now + _AHEAD:
        raise NotAccepted(
            f"the handoff was written at {handoff.issued:%Y-%m-%d %H:%M} UTC, which is in the future",
            do="check this computer's clock (`valetkey doctor`); if it is right, ask the owner, whose clock is not",
            where="$.issued",
        )
    request = _request(handoff, known, customer)
    there = next((profile for profile in profiles if profile.name == name), None)
    # Accepted before: a person has already confirmed this role and this ExternalId.
    again = there if there is not None and is_same_role(there.role_arn, handoff.role_arn) else None
    is_known = again is not None and again.external_id == handoff.external_id
    said = tuple(filter(None, (request.customer if request else None, customer)))
    result = next(iter(said), None) or (again.customer if again else None)
    _check_deputy(handoff, profiles, result, name)
    refuse_others(handoff, profiles=profiles, aws_profiles=aws_profiles or {}, said=said, again=again)
    _check_replay(handoff, there)
    return Acceptance(
        handoff=handoff,
        fingerprint=received.fingerprint,
        customer=result or handoff.account,
        request=request,
        question="" if request or is_known else _question(handoff, result, unknown),
        notices=(*_notices(received, handoff, there, unknown), *_twins(handoff, profiles, name)),
        origin=origin,
        unknown=unknown,
    )


def _check_texts(handoff: Handoff) -> None:
    """Raise NotAccepted unless texts are single lines and the rule for session names is known."""
    for name, texts in (("principals", handoff.principals), ("policies", handoff.policies)):
        if not all(text.isprintable() and 0 < len(text) <= 2048 for text in texts):
            raise NotAccepted(
                f"the handoff's {name} contain text that is not a name",
                do="ask the owner for the file again",
                where=f"$.{name}",
            )
    if handoff.session_name not in (None, "username"):
        raise NotAccepted(
            "the handoff has a rule for session names that this version does not know",
            do="update valetkey",
            where="$.session_name",
        )


def _check_identity(handoff: Handoff, identity: Identity) -> None:
    switch = "sign in to that account, or name one of your profiles with --profile"
    if identity.partition != handoff.partition:
        raise NotAccepted(
            f"the role is in the partition {handoff.partition}, you are signed in to {identity.partition}",
            do=switch,
        )
    if identity.account != handoff.contractor:
        raise NotAccepted(
            f"the handoff is for the account {handoff.contractor}, you are signed in to {identity.account}",
            do=switch + "; if neither is yours, the owner mistyped it: do not use this handoff",
        )
    refuse_root(identity)
    if identity.kind == "federated":
        raise NotAccepted(
            "you are signed in with GetFederationToken, which cannot assume roles",
            do="sign in as an IAM user or a role",
        )
    if identity.kind != "iam-user" and handoff.mfa:
        # reference_policies_condition-keys: sessions of roles, Identity Center and SAML carry no MFA context. Temporary
        # credentials of an IAM user may (facts W6, U4); their kind is iam-user here.
        raise NotAccepted(
            f"the role requires MFA, which AWS accepts from IAM users only; you are signed in as {identity.kind} "
            f"{identity.name}",
            do="sign in as an IAM user with an authenticator app, or ask the owner for a grant with --no-mfa --only",
        )
    if identity.kind != "iam-user" and handoff.session_name == "username":
        raise NotAccepted(
            "the role requires the IAM user's name as session name, and you are not an IAM user",
            do="sign in as an IAM user, or ask the owner for a grant without --name-people",
        )
    if handoff.principals and not any(_is(identity, principal) for principal in handoff.principals):
        raise NotAccepted(
            f"the role admits {', '.join(handoff.principals)}; you are {identity.principal}",
            do="sign in as one of them, or name one of your profiles with --profile",
        )


def _is(identity: Identity, principal: str) -> bool:
    """Return whether a principal of the handoff is our identity. The ARN of a role session does not contain the role's
    path."""
    if identity.kind == "iam-user":
        return principal == identity.arn
    head = f"arn:{identity.partition}:iam::{identity.account}:role/"
    return principal.startswith(head) and fnmatch.fnmatchcase(identity.name, principal.rsplit("/", 1)[-1])


def _request(handoff: Handoff, known: tuple[AccessRequest, ...], customer: str | None) -> AccessRequest | None:
    """Return the request that this handoff answers: matched by fingerprint, else by customer, else by ExternalId."""
    answered = next((request for request in known if fingerprint(request) == handoff.request), None)
    same_id = next((request for request in known if request.external_id == handoff.external_id), None)
    # An account id does not name the customer of a request; it confirms the account (whose_account.py).
    customer = None if customer == handoff.account else customer
    named = latest(customer, known) if customer else None
    first = answered or named or same_id
    if first is None:
        return None
    if customer and first.customer and first.customer.casefold() != customer.casefold():
        raise NotAccepted(
            f"the handoff answers your request to {first.customer}, not one to {customer}",
            do="leave --customer out, or ask the owner for the right handoff",
        )
    wanted = latest(first.customer, known) or first
    if handoff.external_id != wanted.external_id:
        has = "no ExternalId" if handoff.external_id is None else "another ExternalId"
        raise NotAccepted(
            f"the role requires {has} where you requested one from {wanted.customer or 'the owner'}",
            do=f"ask the owner for `grant --request` with your request {fingerprint(wanted)}, and a new handoff",
            where="$.external_id",
        )
    return wanted


def _check_deputy(handoff: Handoff, profiles: tuple[Profile, ...], customer: str | None, name: str | None) -> None:
    """Refuse a role or ExternalId that another customer uses: that customer could send us into this one's account.

    Several imported profiles (importing.py) may use one role, or share an ExternalId from before the import. Such a
    profile can still be accepted again.
    """
    own = [item for item in profiles if item.name == name]
    is_again = any(is_same_role(item.role_arn, handoff.role_arn) for item in own)
    is_shared = any(item.shares_external_id and item.external_id == handoff.external_id for item in own)
    for profile in profiles:
        if profile.name == name:
            if not is_same_role(profile.role_arn, handoff.role_arn):
                raise NotAccepted(
                    f"the profile {name} is for another role, {profile.role_arn}",
                    do="choose another name with --name",
                )
            continue
        if is_same_role(profile.role_arn, handoff.role_arn) and not is_again:
            raise NotAccepted(
                f"the profile {profile.name} uses this role already",
                do=f"say {option('--name', profile.name)} to update it",
            )
        same_customer = account_of(profile) == account_of(handoff) or (
            bool(customer) and profile.customer.casefold() == (customer or "").casefold()
        )
        is_taken = handoff.external_id is not None and profile.external_id == handoff.external_id
        if is_taken and not same_customer and not is_shared:
            raise NotAccepted(
                f"the profile {profile.name}, for the account {profile.account}, uses this ExternalId already",
                do="ask this owner for an ExternalId of its own: `valetkey request` makes one per customer",
            )


def _check_replay(handoff: Handoff, there: Profile | None) -> None:
    """Refuse a superseded handoff: its ExternalId, end date and rules may have been revoked by the owner."""
    if there is not None and there.issued is not None and handoff.issued < there.issued:
        raise NotAccepted(
            f"the handoff is of {handoff.issued:%Y-%m-%d %H:%M:%S} UTC, and {there.name} was accepted already with a "
            f"newer one, of {there.issued:%Y-%m-%d %H:%M:%S} UTC",
            do="use the newest handoff; ask the owner for one if you are not sure",
            where="$.issued",
        )


def _question(handoff: Handoff, customer: str | None, unknown: frozenset[str]) -> str:
    whom = f" to {customer}" if customer else ""
    if "external_id" in unknown:
        return (
            "No ExternalId was given. If the role requires none, another customer who learns its "
            "name could trick you into using it. Accept it?"
        )
    if handoff.external_id is None:
        return (
            "The role requires no ExternalId: another customer who learns its name "
            "could trick you into using it. Accept it?"
        )
    return f"valetkey has no record of a request{whom}, so it is unknown whether this ExternalId is yours. Accept it?"


def _notices(
    received: Received, handoff: Handoff, there: Profile | None, unknown: frozenset[str] = frozenset()
) -> list[str]:
    notices = []
    if (
        there is not None
        and received.fingerprint
        and all(getattr(there, term) == getattr(handoff, term) for term in _TERMS)
    ):
        notices.append("this handoff was accepted already; nothing in its terms changes")
    if received.unknown:
        notices.append(
            f"the file has keys this version does not know: {', '.join(json.dumps(item) for item in received.unknown)}"
        )
    if handoff.external_id is None and "external_id" not in unknown:
        notices.append("the role requires no ExternalId")
    if not handoff.mfa and "mfa" not in unknown:
        notices.append("the role requires no MFA")
    return notices


def _twins(handoff: Handoff, profiles: tuple[Profile, ...], name: str | None) -> list[str]:
    """Return a notice if other profiles use this role. Imported profiles may share one; each is accepted separately."""
    twins = sorted(
        profile.name
        for profile in profiles
        if profile.name != name and is_same_role(profile.role_arn, handoff.role_arn)
    )
    again = f"accept it for each with {option('--name', twins[0])}" if twins else ""
    return [f"{', '.join(twins)} uses this role too, and is not changed: {again}"] if twins else []


def accepted(env: Mapping[str, str], *, renewing: str | None) -> tuple[Profile, ...]:
    """Return every accepted profile. A profile that cannot be read raises ProfileError unless it is the one being
    renewed: it could belong to another customer."""
    result = []
    for name in names(env):
        try:
            result.append(load(name, env))
        except ProfileError:
            if name != renewing:
                raise
    return tuple(result)


def profile_name(name: str) -> str:
    """Return the name if a valetkey profile may have it. Raises ValetkeyError."""
    if name == "default":
        raise ValetkeyError(
            "as the profile `default`, every tool that names no profile would work in the customer's account",
            do="choose another name with --name",
        )
    return check_name(name)


def default_name(role_arn: str, profiles: tuple[Profile, ...]) -> str:
    """Return the default profile name: that of an existing profile with this role, else ROLE-ACCOUNT."""
    have = next((profile.name for profile in profiles if is_same_role(profile.role_arn, role_arn)), None)
    if have is not None:
        return have
    role = re.sub(r"[^A-Za-z0-9._@+-]", "-", role_arn.rsplit("/", 1)[-1]).lstrip("._@+-")[:51]
    return check_name(f"{role or 'role'}-{role_arn.split(':')[4]}")


def profile_for(
    acceptance: Acceptance,
    *,
    name: str,
    identity: Identity,
    source_profile: str | None,
    base_files: tuple[str, ...] = (),
    mfa_serial: str | None,
    region: str | None,
    before: Profile | None = None,
) -> Profile:
    """Return the profile with everything needed to assume the role. `source_profile` None: the base identity comes from
    the environment (see Profile.base_from_environment). `base_files` as in Profile. `before` is the profile that is
    replaced, if any.

    If it is unknown whether the role requires MFA, a code is sent if there is a device: a role that does not require
    MFA accepts it too.
    """
    handoff = acceptance.handoff
    if source_profile == name:
        raise NotAccepted(
            f"the profile {name} would be its own source", do="sign in with another profile, or choose another --name"
        )
    unknown = acceptance.unknown
    return Profile(
        name=name,
        role_arn=handoff.role_arn,
        origin=acceptance.origin,
        unknown=unknown,
        external_id=handoff.external_id,
        contractor=handoff.contractor,
        source_profile=source_profile,
        base_from_environment=source_profile is None,
        base_arn=identity.arn,
        base_files=base_files,
        mfa=mfa_serial is not None if "mfa" in unknown else handoff.mfa,
        mfa_serial=mfa_serial,
        mfa_max_age=handoff.mfa_max_age,
        max_session=handoff.max_session,
        until=handoff.until,
        session_name=handoff.session_name,
        source_identity=handoff.source_identity or "source_identity" in unknown,
        session_tags=handoff.session_tags or "session_tags" in unknown,
        user_name=identity.name if identity.kind == "iam-user" else None,
        region=region,
        principals=handoff.principals,
        from_ip=handoff.from_ip,
        customer=acceptance.customer,
        request=handoff.request,
        # A typed role has no date: a handoff that was superseded stays superseded.
        issued=handoff.issued if acceptance.origin is TermsOrigin.HANDOFF else before.issued if before else None,
        original=before.original if before else None,
        shares_external_id=before is not None
        and before.shares_external_id
        and before.external_id == handoff.external_id,
    )
