"""Refuse a handoff for a role in our own account or in another customer's account.

A customer writes the handoff. Without these checks, a hostile handoff could name a role in the contractor's account or
in another customer's, and a command for one account (`terraform destroy`) would run in another.

Rules:
- INVARIANT: a role in our own account is never accepted, and no answer to a prompt overrules that. Our own accounts are
  that of the caller, those of the requests made here, and those that the accepted profiles sign in with.
- INVARIANT: a role in an account where another customer has a profile is accepted only if `--customer`, or our request
  that the handoff answers, names exactly that customer. No answer to a prompt overrules that.
- The check uses local data only, without a call: accepted profiles, requests, the AWS config. It cannot know a
  customer's account that this computer has never seen.
- A customer without a name is identified by its account; a profile set up by hand in the AWS config, by its profile
  name.
- An account is a number in a partition: the same number in another partition is another account.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from valetkey.awsfiles import config_path, credentials_path
from valetkey.commandline import option
from valetkey.credentials.profiles.awsconfig import profiles_in
from valetkey.credentials.profiles.identity import Identity
from valetkey.credentials.profiles.profile import Profile
from valetkey.errors import PolicyError, ValetkeyError
from valetkey.exchange.files import AccessRequest, Handoff
from valetkey.policy.iam_arns import entity


class WrongAccount(ValetkeyError):
    """The role of the handoff is in an account that is not allowed. Nothing was written."""

    exit_code = 1


class NamedAccount(NamedTuple):
    """An AWS account."""

    partition: str
    id: str
    """12 digits."""


def account_of(value: Handoff | Profile) -> NamedAccount:
    """Return the account of the role in a handoff or a profile."""
    return NamedAccount(value.partition, value.account)


def by_hand(env: Mapping[str, str]) -> dict[str, str]:
    """Return the role ARNs of profiles set up by hand in the AWS files, by profile name. Raises ConfigError."""
    result = {**profiles_in(config_path(env)), **profiles_in(credentials_path(env), bare=True)}
    return {name: own["role_arn"].strip() for name, own in result.items() if own.get("role_arn", "").strip()}


def own_accounts(
    identity: Identity, known: Iterable[AccessRequest], profiles: Iterable[Profile]
) -> frozenset[NamedAccount]:
    """Return every account that is known to be our own."""
    return frozenset(
        {
            NamedAccount(identity.partition, identity.account),
            *(NamedAccount(request.partition, request.account) for request in known),
            *(NamedAccount(profile.partition, profile.contractor) for profile in profiles),
        }
    )


def refuse_own(handoff: Handoff, own: frozenset[NamedAccount]) -> None:
    """Raise WrongAccount for a role in our own account."""
    if account_of(handoff) in own | {NamedAccount(handoff.partition, handoff.contractor)}:
        raise WrongAccount(
            f"the role is in {handoff.account}, which is your own account: what you run for this customer would be run "
            "there",
            do="do not use this handoff, and ask who sent it. A handoff is for a role in the customer's account",
            where="$.role_arn",
        )


def refuse_others(
    handoff: Handoff,
    *,
    profiles: Iterable[Profile],
    aws_profiles: Mapping[str, str],
    said: Iterable[str],
    again: Profile | None,
) -> None:
    """Raise WrongAccount for a role in an account where another customer has a profile.

    `said` are the customer's names: from `--customer`, and from our request that the handoff answers. `again` is the
    existing profile with the same name and role, if any.
    """
    here = account_of(handoff)
    names = {item.casefold() for item in said}
    if again is not None and names <= {again.customer.casefold(), here.id}:
        return  # accepted before for this customer and this role
    in_it = [profile for profile in profiles if account_of(profile) == here]
    named = [profile for profile in in_it if profile.customer not in ("", here.id)]
    if named:
        others = [profile for profile in named if profile.customer.casefold() not in names]
        if others:
            _refuse(here, others[0].name, others[0].customer)
        return
    hand_made = [] if in_it else sorted(name for name, arn in aws_profiles.items() if _account(arn) == here)
    first = in_it[0].name if in_it else hand_made[0] if hand_made else None
    if first is not None and not names & {here.id, *(item.casefold() for item in hand_made)}:
        _refuse(here, first, here.id)


def _refuse(account: NamedAccount, profile: str, customer: str) -> None:
    whose = "" if customer == account.id else f" of the customer {customer}"
    raise WrongAccount(
        f"the role is in the account {account.id}, where your profile {profile}{whose} is: what you run for one "
        "customer would be run in the account of another",
        do=f"if it is from that very customer, say {option('--customer', customer)}; if it is not, do not use it",
        where="$.role_arn",
    )


def _account(arn: str) -> NamedAccount | None:
    try:
        result = entity(arn)
    except PolicyError:
        return None
    return NamedAccount(result.partition, result.account)
