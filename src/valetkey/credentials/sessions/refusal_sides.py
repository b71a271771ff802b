"""Whose policy refused an AssumeRole across accounts, and what the contractor's user can do about it.

| AWS names | whose it is |
| --- | --- |
| identity-based policy, permissions boundary, session policy | the caller's own account |
| service control policy | the caller's organization: an SCP applies only to the principals of its own accounts (Organizations User Guide, orgs_manage_policies_scps) |
| role trust policy, resource-based policy | the role's account: the trust policy is the role's resource-based policy |
| resource control policy | the organization of the role's account (orgs_manage_policies_rcps) |
| VPC endpoint policy | the operator of the network that the call goes through; that may be either party |

Rules:
- AWS names one policy type even if several refuse. So a named side has refused, and the other side is not known.
- INVARIANT: if AWS names no policy type, or one that is unknown to valetkey, no side is claimed.
"""  # noqa: E501 - a table

from __future__ import annotations

from enum import Enum
from typing import assert_never

from valetkey.account.denial import Denial, PolicyType


class RefusingSide(Enum):
    """The party whose policy refused."""

    CALLER = "caller"
    """The contractor's own account, or its organization."""
    OWNER = "owner"
    """The role's account, or its organization."""
    NETWORK = "network"
    UNKNOWN = "unknown"
    """AWS gives a reason that is unknown to valetkey."""


ROTATED = "the owner may have rotated: accept the new handoff"
"""For a refusal that may be the owner's: AWS's response is the same for another ExternalId and for a grant that
ended."""


def side_of(denial: Denial | None) -> RefusingSide | None:
    """Return whose policy refused; None if AWS names no policy."""
    if denial is None or not denial.named:
        return None
    match denial.policy:
        case PolicyType.IDENTITY | PolicyType.BOUNDARY | PolicyType.SESSION | PolicyType.SCP:
            return RefusingSide.CALLER
        case PolicyType.TRUST | PolicyType.RESOURCE | PolicyType.RCP:
            return RefusingSide.OWNER
        case PolicyType.ENDPOINT:
            return RefusingSide.NETWORK
        case None:
            return RefusingSide.UNKNOWN
        case _:
            assert_never(denial.policy)


def refuses_for_owner(denial: Denial | None) -> bool:
    """Return whether AWS's message shows that the owner's side refused the AssumeRole itself, and not only a tag or a
    SourceIdentity that the call carried."""
    return denial is not None and side_of(denial) is RefusingSide.OWNER and denial.action == "sts:AssumeRole"


def says(denial: Denial) -> str:
    """Describe what refused, for the contractor's user, as an independent clause. "" if no side is known."""
    does = f"denies {denial.action}" if denial.explicit else f"does not allow {denial.action}"
    match denial.policy:
        case PolicyType.IDENTITY if not denial.explicit:
            return f"no policy of your own user or role allows {denial.action} on the role"
        case PolicyType.IDENTITY:
            return f"a policy of your own user or role {does}"
        case PolicyType.BOUNDARY:
            return f"your permissions boundary {does}"
        case PolicyType.SESSION:
            return f"the session policy of your sign-in {does}"
        case PolicyType.SCP:
            # AWS's message may also say "explicit deny" if no SCP allows the action.
            return f"a service control policy of your organization refuses {denial.action}"
        case PolicyType.TRUST | PolicyType.RESOURCE:
            return f"the trust policy of the owner's role {does} to you"
        case PolicyType.RCP:
            return f"a resource control policy of the owner's organization refuses {denial.action}"
        case PolicyType.ENDPOINT:
            return f"the policy of the VPC endpoint that your call goes through {does}"
        case None:
            return ""
        case _:
            assert_never(denial.policy)


def advice(denial: Denial) -> str:
    """Return who can change it, and how; "" if no side is known."""
    match denial.policy:
        case PolicyType.IDENTITY if not denial.explicit:
            return (
                "ask your admin to attach the policy that `accept` printed; a policy that was "
                "attached just now takes a moment to take effect"
            )
        case PolicyType.IDENTITY | PolicyType.BOUNDARY:
            return "ask your admin to lift it for this role"
        case PolicyType.SESSION:
            return "sign in without that session policy, or ask whoever set up the sign-in"
        case PolicyType.SCP:
            return "ask the administrator of your organization to exempt this role"
        case PolicyType.TRUST | PolicyType.RESOURCE:
            return f"ask the owner whether the grant still exists, with this ExternalId; {ROTATED}"
        case PolicyType.RCP:
            return "ask the owner: the administrator of their organization has to exempt this role"
        case PolicyType.ENDPOINT:
            return "ask the administrator of the network through which this computer calls AWS, or call from elsewhere"
        case None:
            return ""
        case _:
            assert_never(denial.policy)
