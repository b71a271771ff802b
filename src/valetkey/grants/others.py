"""Which other roles of an account the same contractor can assume: by proof, conditions and Denies included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from valetkey.account.calls import Call, CallError, Perform, everything
from valetkey.errors import ValetkeyError
from valetkey.policy import parse_policy
from valetkey.policy.origin import Origin
from valetkey.prover import Reach, Unknown, who
from valetkey.prover.access_regions import Bounds
from valetkey.prover.proof import InternalError


@dataclass(frozen=True)
class Others:
    """Names of the account's other roles, by what is proved of their trust policies."""

    trusted: tuple[str, ...]
    """The contractor can assume these."""
    undecided: tuple[str, ...]
    """Whether the contractor can assume these is not decided."""


def other_roles(perform: Perform, contractor: str, *, but: str) -> Others | None:
    """The account's other roles that the contractor can assume; None: the roles could not be listed."""
    trusted, undecided = [], []
    try:
        for role in everything(perform, Call("iam", "list_roles", {"MaxItems": 1000}), "Roles"):
            if role["RoleName"] == but:
                continue
            found = trusts(role["AssumeRolePolicyDocument"], contractor, role_arn=role["Arn"])
            if found is None:
                undecided.append(role["RoleName"])
            elif found:
                trusted.append(role["RoleName"])
    except CallError:
        return None
    return Others(tuple(trusted), tuple(undecided))


def trusts(trust: Any, account: str, *, role_arn: str) -> bool | None:
    """Whether the trust policy of a role, as IAM returned it, lets a principal of the account assume the role under any
    conditions; None where the prover cannot decide it. Roles that let in everybody count."""
    try:
        reach = who(parse_policy(trust, kind="trust"), origin=Origin.RETURNED, resource=role_arn)
    except (ValetkeyError, InternalError):
        return None
    least = reach.least if isinstance(reach, Bounds) else reach
    if isinstance(least, Unknown):
        return None
    if _lets_in(least, account, role_arn):
        return True
    open_ = any(each.effect == "Allow" for each in least.unjudged)
    if open_ or (isinstance(reach, Bounds) and _lets_in(reach.most, account, role_arn)):
        return None
    return False


def _lets_in(reach: Reach, account: str, role_arn: str) -> bool:
    partition = role_arn.split(":")[1]
    return any(
        region.party.kind == "any account"
        or (region.party.kind == "account" and (region.party.name, region.party.partition) == (account, partition))
        for region in reach.regions
    )
