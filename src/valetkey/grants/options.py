"""Compute the wanted grant from the owner's options and an access request.

Rules:
- A flag takes precedence over the request, and the request over the defaults. Only the account and the ExternalId of a
  request are taken as facts. Its other wishes are accepted if they give no more than the defaults; `beyond` returns
  those that give more, which need the owner's consent.
- A request never turns MFA off, never sets an end later than a flag, never allows an escalation.
- The ExternalId is the contractor's if a request contains one (the third party generates it: IAM User Guide,
  id_roles_create_for-user_externalid), else the owner's, else random. The record says who chose it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from valetkey.catalog import limits
from valetkey.catalog.managed_policies import DEFAULT_POLICIES
from valetkey.commandline import option, word
from valetkey.errors import ValetkeyError
from valetkey.exchange.files import AccessRequest
from valetkey.grants.grant import Grant
from valetkey.grants.policies import is_file
from valetkey.trust.named_principals import sso_role_forms
from valetkey.trust.terms import DraftTerms

_CANNOT_MFA = {
    "iam-role": "a role",
    "identity-center": "an Identity Center session",
    "federated": "a federated session",
    "root": "the account's root user",
}


@dataclass(frozen=True, kw_only=True)
class OwnerOptions(DraftTerms):
    """The owner's options: the terms and the rest; None or empty: not given. Durations in seconds."""

    name: str
    contractor: str | None = None
    policies: tuple[str, ...] = ()
    no_external_id: bool = False
    never: bool = False
    """The owner chose no end. If neither this nor `until` is set, no choice was made."""
    lasting: timedelta | None = None
    """Set together with `until` if the end was given as a time from now."""
    session: int | None = None
    boundary: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    description: str | None = None
    path: str = "/"


def with_request(asked: OwnerOptions, request: AccessRequest, *, now: datetime) -> OwnerOptions:
    """Complete the options from an access request. Raises ValetkeyError if the two contradict each other."""
    if asked.contractor not in (None, request.account):
        raise ValetkeyError(
            f"{option('--to', asked.contractor)} is not the account of the request, {request.account}",
            do="leave --to out, or ask the contractor for the right request",
        )
    if asked.external_id not in (None, request.external_id) or asked.no_external_id:
        raise ValetkeyError(
            "the request contains the contractor's ExternalId, and your options ask for something else",
            do="leave --external-id and --no-external-id out: the contractor's side refuses any other",
        )
    wished = None if asked.until or asked.never or request.until is None else request.until.replace(microsecond=0)
    if wished is not None and wished <= now:
        raise ValetkeyError("the expiry time in the request has passed", do="give one with --until")
    files = [word for word in request.policies if is_file(word)]
    if files and not asked.policies:
        raise ValetkeyError(
            f"the request asks for the policy {files[0]!r}, which is a file, not the name or ARN of a policy",
            do="ask the contractor for names or ARNs, or choose what to grant with --policy",
        )
    session = asked.session
    if session is None and request.session is not None:
        session = max(request.session, limits.ROLE_SESSION_MIN)
    return replace(
        asked,
        contractor=request.account,
        external_id=request.external_id,
        policies=asked.policies or request.policies,
        until=asked.until or wished,
        session=session,
    )


def beyond(asked: OwnerOptions, request: AccessRequest) -> tuple[str, ...]:
    """Describe what a request asks for beyond the defaults that no flag sets."""
    usual = {word.rsplit("/", 1)[-1] for word in DEFAULT_POLICIES}
    wished = [] if asked.policies else [word for word in request.policies if not _is_usual(word, usual)]
    more = [f"policy {word}" for word in wished]
    if asked.session is None and (request.session or 0) > limits.ROLE_SESSION_MIN:
        more.append(f"sessions of {request.session} s")
    return tuple(more)


def _is_usual(word: str, usual: set[str]) -> bool:
    """Return whether a word is a default policy, by name or as AWS's own ARN. A policy of the same name in an account
    is not."""
    bare = word.split(":policy/", 1)[-1] if ":iam::aws:policy/" in word else word
    return bare in usual or bare in DEFAULT_POLICIES


def hints(asked: OwnerOptions, request: AccessRequest | None) -> tuple[str, ...]:
    """Return what the owner should know about these terms, one sentence each."""
    said = []
    if asked.whole_account:
        said.append(
            f"Everyone in account {asked.contractor} who has the ExternalId is admitted, with no more than an access "
            "key or a role of that account: only the ExternalId and that account's own rules keep others out."
        )
    elif not asked.mfa:
        said.append(
            "Without MFA a stolen access key of the named identities is enough to assume the role; "
            "their own side (identity provider, IAM) has to require a second factor."
        )
    if asked.from_ip:
        said.append(
            "The addresses are checked when the role is assumed: a session may be used from anywhere. Calls through "
            "a VPC endpoint carry no such address and are refused."
        )
    if asked.no_external_id:
        said.append(
            "Without an ExternalId another customer of this contractor can send it to your role "
            "(the confused deputy); require one unless the contractor's tool cannot send it."
        )
    if request is not None and asked.mfa and request.identity in _CANNOT_MFA:
        # A federated session or root cannot assume a role at all, with or without MFA.
        may = request.identity in ("iam-role", "identity-center")
        decide = f", or you decide on {_without_mfa(request.identity_arn)}" if may else ""
        said.append(
            f"The request comes from {_CANNOT_MFA[request.identity]}, which can never carry MFA: "
            f"these people must use IAM users{decide}."
        )
    return tuple(said)


def _without_mfa(arn: str) -> str:
    """Return the options for a grant without MFA to an ARN; both forms of an Identity Center role if its path is not
    known."""
    with_region, *without = sso_role_forms(arn)
    also = f" ({word(without[0])} if their Identity Center is in us-east-1)" if without else ""
    return f"--no-mfa {option('--only', with_region)}{also}"


def wanted(
    asked: OwnerOptions,
    *,
    account: str,
    partition: str,
    managed: tuple[str, ...],
    inline: tuple[tuple[str, Mapping[str, Any]], ...],
    fresh_id: str,
    request: str | None,
    user_id: str | None = None,
) -> Grant:
    """Return the wanted grant.

    `fresh_id` is a random ExternalId, used if none was given; `request` is the fingerprint of the access request,
    `user_id` its requester. Raises ValetkeyError for contradictory options; `plan.check` checks the limits.
    """
    if asked.contractor is None:
        raise ValetkeyError("no contractor is named", do="give --to ACCOUNT or --request FILE")
    if asked.no_external_id and asked.external_id is not None:
        raise ValetkeyError("--external-id and --no-external-id exclude each other", do="give one of them")
    external_id: str | None
    if asked.no_external_id:
        external_id, by = None, "none"
    elif asked.external_id is not None:
        external_id, by = asked.external_id, "contractor" if request else "owner"
    else:
        external_id, by = fresh_id, "valetkey"
    terms = asked.agreed(contractor=asked.contractor, partition=partition, external_id=external_id)
    return Grant(
        name=asked.name,
        account=account,
        terms=terms,
        managed=managed,
        inline=inline,
        max_session=limits.ROLE_SESSION_MIN if asked.session is None else asked.session,
        boundary=asked.boundary,
        tags=asked.tags,
        description=usual_description(asked.contractor) if asked.description is None else asked.description,
        path=asked.path,
        external_id_by=by,
        request=request,
        user_id=user_id,
    )


def usual_description(contractor: str) -> str:
    """Return the default description of the role."""
    return f"Access for account {contractor}, granted with valetkey"
