"""Prepare a grant: everything that can be known before the first write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from valetkey.account.calls import REFUSED, Call, CallError, Perform
from valetkey.catalog import limits
from valetkey.errors import ValetkeyError
from valetkey.exchange.files import AccessRequest, Received
from valetkey.grants.grant import Grant, read_record
from valetkey.grants.make import prove
from valetkey.grants.options import OwnerOptions, wanted
from valetkey.grants.plan import Order, adopted, check, plan
from valetkey.grants.policies import (
    Managed,
    check_words,
    find_managed,
    from_files,
    managed_arn,
    managed_policy,
    versions_of,
)
from valetkey.grants.role import LiveRole, Owner, compact, read_owner, read_role
from valetkey.grants.taken import kind
from valetkey.trust.writing import write_trust

if TYPE_CHECKING:
    from valetkey.prover.effective_permissions import Opening
    from valetkey.trust.showing import ProvedTrust


@dataclass(frozen=True)
class Prepared:
    """A grant that is checked and planned, with the proof of its trust policy and an analysis of its policies."""

    owner: Owner
    grant: Grant
    role: LiveRole | None
    """The existing role, or None."""
    calls: tuple[Call, ...]
    proof: ProvedTrust
    opening: Opening
    order: Order
    """The order of the calls, and where a write must take effect first."""


def prepare(
    asked: OwnerOptions,
    *,
    request: Received | None,
    perform: Perform,
    read: Callable[[str], str],
    now: datetime,
    fresh_id: str,
) -> Prepared:
    """Check, look up, plan and prove; writes nothing. `read` returns a policy file's text.

    Raises ValetkeyError of every kind in this package: bad input before the first call, Differs, NotProved, CallError.
    """
    check_words(asked.policies)
    if asked.boundary is not None:
        managed_arn(asked.boundary)
    inline = from_files(asked.policies, read=read)
    answers = request.fingerprint if request else None

    def grant(account: str, partition: str, managed: tuple[str, ...]) -> Grant:
        return wanted(
            asked,
            account=account,
            partition=partition,
            managed=managed,
            inline=inline,
            fresh_id=fresh_id,
            request=answers,
            user_id=request.value.user_id if request else None,
        )

    check(grant("", _partition(asked, request), asked.policies or ("default",)))
    owner = read_owner(perform)
    if request is not None and request.value.partition != owner.partition:
        raise ValetkeyError(
            f"the request comes from the partition {request.value.partition}, this account is in {owner.partition}",
            do="no AWS call crosses partitions; the contractor needs an account in yours",
        )
    managed = find_managed(asked.policies, perform, owner)
    check_quota(len(managed), perform)
    boundary = managed_policy(perform, owner, asked.boundary) if asked.boundary else None
    role = read_role(perform, asked.name)
    final = adopted(
        grant(owner.account, owner.partition, tuple(policy.arn for policy in managed)), role, lasting=asked.lasting
    )
    # Keep the versions recorded by an earlier run: the policies were granted then.
    final = replace(final, versions=tuple(read_record(role).versions.items()) if role else versions_of(managed))
    calls = plan(final, role)
    trust = write_trust(final.terms)
    if role is None:
        check_size(trust, perform)
    opens = opened(final, managed, boundary)
    until = final.terms.until
    # Wait for the grant's own denies if the policies could change this role or others, or if the end is near.
    matters = bool(opens.escalations or opened(final, managed, boundary, own=False).escalations) or (
        until is not None and until - now < _NEAR
    )
    kinds = {
        name: kind(document)
        for name, document in (*((policy.arn, policy.document) for policy in managed), *final.inline)
    }
    denying = any(item != "allows" for item in kinds.values())
    order = Order(kinds, frozenset(({1, 2} if matters else set()) | ({2} if denying else set())))
    return Prepared(
        owner,
        final,
        role,
        tuple(step for step in order.steps(final, calls) if isinstance(step, Call)),
        prove(trust, final),
        opens,
        order,
    )


def _partition(asked: OwnerOptions, request: Received | None) -> str:
    """Return the partition of the options or the request; the owner's own is known only after the first call."""
    if request is not None:
        value: AccessRequest = request.value
        return value.partition
    for arn in (*asked.only, *asked.pin):
        if arn.count(":") >= 5:
            return arn.split(":")[1]
    return "aws"


def check_quota(number: int, perform: Perform) -> None:
    if number <= limits.MANAGED_POLICIES_MAX:
        return
    summary = perform(Call("iam", "get_account_summary"))["SummaryMap"]
    most = int(summary.get("AttachedPoliciesPerRoleQuota", limits.MANAGED_POLICIES_MAX))
    if number > most:
        raise ValetkeyError(
            f"{number} managed policies exceed this account's quota of {most} per role",
            do="name fewer, or raise the quota 'Managed policies per role' in Service Quotas",
        )


def check_size(trust: Mapping[str, Any], perform: Perform) -> None:
    """Raise ValetkeyError for a trust policy that is larger than this account's quota. If the quota cannot be read, AWS
    decides: CreateRole is the first call, and nothing is granted before it."""
    size = len(compact(trust))
    if size <= limits.TRUST_POLICY_MAX:
        return
    try:
        summary = perform(Call("iam", "get_account_summary"))["SummaryMap"]
    except CallError as error:
        if error.code not in REFUSED:
            raise
        return
    most = int(summary.get(limits.TRUST_POLICY_QUOTA, limits.TRUST_POLICY_MAX))
    if size > most:
        raise ValetkeyError(
            f"the trust policy has {size:,} characters, and this account allows {most:,}",
            do="name fewer principals, have them use one role of the contractor, or raise the quota "
            "'Role trust policy length' in Service Quotas",
        )


_NEAR = timedelta(minutes=15)
"""An end that is nearer may come before its deny has taken effect ("a few minutes")."""


def opened(grant: Grant, managed: tuple[Managed, ...], boundary: Managed | None, *, own: bool = True) -> Opening:
    from valetkey.policy import parse_policy
    from valetkey.prover.effective_permissions import opening

    documents = (*((policy.name, policy.document) for policy in managed), *grant.inline)
    return opening(
        [(name, parse_policy(document, kind="identity")) for name, document in documents],
        boundary=parse_policy(boundary.document, kind="boundary") if boundary else None,
        role_arn=grant.role_arn,
        own_denies=tuple(parse_policy(document, kind="identity") for document in grant.denies.values()) if own else (),
    )
