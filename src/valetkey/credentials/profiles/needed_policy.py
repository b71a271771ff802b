"""The policy that the contractor's admin attaches: to assume the role, and to read what `verify` needs for a certain
answer."""

from __future__ import annotations

from typing import Any

from valetkey.credentials.profiles.identity import Identity
from valetkey.exchange.files import Handoff
from valetkey.policy.iam_arns import iam_arn

ENTER, READ = "EnterThisRole", "OptionalReadOwnPoliciesForVerify"
"""The Sids of the two statements. Without the second, a denial that names no policy may come from our own account."""

_DOCUMENTS = ("iam:GetPolicy", "iam:GetPolicyVersion")
_USER = (
    *("iam:GetUser", "iam:GetUserPolicy", "iam:ListAttachedUserPolicies", "iam:ListGroupsForUser"),
    *("iam:ListUserPolicies", "iam:GetGroupPolicy", "iam:ListAttachedGroupPolicies", "iam:ListGroupPolicies"),
)
_ROLE = ("iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies")


def caller_policy(handoff: Handoff) -> dict[str, Any]:
    """Return the policy that the contractor's admin must attach to its users or roles: this one role, nothing wider.

    Session tags and SourceIdentity also need their own actions on the caller's side (id_session-tags,
    id_credentials_temp_control-access_monitor). INVARIANT: the resource is the ARN of exactly one role, in any
    partition. Raises PolicyError if the handoff's role ARN is not one.
    """
    role, actions = iam_arn(handoff.role_arn, "role"), ["sts:AssumeRole"]
    actions += ["sts:SetSourceIdentity"] if handoff.source_identity else []
    actions += ["sts:TagSession"] if handoff.session_tags else []
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": actions if actions[1:] else actions[0], "Resource": str(role)},
        ],
    }


def needed_policy(handoff: Handoff, identity: Identity) -> dict[str, Any]:
    """Return two statements: this one role (`caller_policy`), and reading our own policies
    (docs/reference/permissions.md). The second is omitted for identities that are neither user nor role: they have no
    policies. Raises PolicyError as `caller_policy` does."""
    policy = caller_policy(handoff)
    (enter,) = policy["Statement"]
    statements = [{"Sid": ENTER, **enter}]
    actions = {"iam-user": _USER, "iam-role": _ROLE, "identity-center": _ROLE}.get(identity.kind)
    if actions is not None:
        here = f"arn:{identity.partition}:iam::{identity.account}"
        # A session's ARN does not contain the role's path.
        more = [f"{here}:group/*"] if identity.kind == "iam-user" else [f"{here}:role/*/{identity.name}"]
        statements.append(
            {
                "Sid": READ,
                "Effect": "Allow",
                "Action": sorted((*actions, *_DOCUMENTS)),
                "Resource": [
                    identity.principal,
                    *more,
                    f"{here}:policy/*",
                    f"arn:{identity.partition}:iam::aws:policy/*",
                ],
            }
        )
    return {**policy, "Statement": statements}
