"""The policy that the contractor's admin attaches: to assume the role, and to read what `verify` needs to be
certain."""

from __future__ import annotations

from typing import Any

from valetkey.credentials.profiles.identity import Identity
from valetkey.exchange.files import Handoff
from valetkey.policy.iam_arns import iam_arn

ENTER, READ = "EnterThisRole", "OptionalReadOwnPoliciesForVerify"
"""The two statements. Without the second, a refusal that names no policy may be one's own account's."""

_DOCUMENTS = ("iam:GetPolicy", "iam:GetPolicyVersion")
_USER = (
    *("iam:GetUser", "iam:GetUserPolicy", "iam:ListAttachedUserPolicies", "iam:ListGroupsForUser"),
    *("iam:ListUserPolicies", "iam:GetGroupPolicy", "iam:ListAttachedGroupPolicies", "iam:ListGroupPolicies"),
)
_ROLE = ("iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies")


def caller_policy(handoff: Handoff) -> dict[str, Any]:
    """What the contractor's admin must attach to the people: this one role, nothing wider.

    Session tags and SourceIdentity need their own actions on the caller's side too (id_session-tags,
    id_credentials_temp_control-access_monitor). INVARIANT: the resource is the ARN of exactly one role, in any
    partition. Raises PolicyError for a handoff whose role ARN is not one.
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
    """Two statements: this one role (`caller_policy`), and reading one's own policies (docs/reference/permissions.md).
    Who is neither a user nor a role has no policies to read. Raises PolicyError as `caller_policy`."""
    policy = caller_policy(handoff)
    (enter,) = policy["Statement"]
    statements = [{"Sid": ENTER, **enter}]
    actions = {"iam-user": _USER, "iam-role": _ROLE, "identity-center": _ROLE}.get(identity.kind)
    if actions is not None:
        here = f"arn:{identity.partition}:iam::{identity.account}"
        # A session's ARN does not tell its role's path.
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
