"""Other roles of an account that the same contractor can assume: by proof, including conditions and Denies."""

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
    """Names of the account's other roles, by the result of the proof of their trust policies."""

    trusted: tuple[str, ...]
    """The contractor can assume these."""
    undecided: tuple[str, ...]
    """It is not decided whether the contractor can assume these."""


def other_roles(perform: Perform, contractor: str, *, but: str) -> Others | None:
    """Return the account's other roles that the contractor can assume; None if the roles could not be listed."""
    trusted, undecided = [], []
    try:
        for role in everything(perform, Call("iam", "list_roles", {"MaxItems": 1000}), "Roles"):
            if role["RoleName"] == but:
                continue
            result = trusts(role["AssumeRolePolicyDocument"], contractor, role_arn=role["Arn"])
            if result is None:
                undecided.append(role["RoleName"])
            elif result:
                trusted.append(role["RoleName"])
    except CallError:
        return None
    return Others(tuple(trusted), tuple(undecided))


def trusts(trust: Any, account: str, *, role_arn: str) -> bool | None:
    """Return whether a principal of the account can assume the role under any conditions, by its trust policy as IAM
    returned it; None if the prover cannot decide it. A role that admits everyone counts."""
    try:
        reach = who(parse_policy(trust, kind="trust"), origin=Origin.RETURNED, resource=role_arn)
    except (ValetkeyError, InternalError):
        return None
    least = reach.least if isinstance(reach, Bounds) else reach
    if isinstance(least, Unknown):
        return None
    if _lets_in(least, account, role_arn):
        return True
    may_admit = any(item.effect == "Allow" for item in least.unjudged)
    if may_admit or (isinstance(reach, Bounds) and _lets_in(reach.most, account, role_arn)):
        return None
    return False


def _lets_in(reach: Reach, account: str, role_arn: str) -> bool:
    partition = role_arn.split(":")[1]
    return any(
        region.party.kind == "any account"
        or (region.party.kind == "account" and (region.party.name, region.party.partition) == (account, partition))
        for region in reach.regions
    )
