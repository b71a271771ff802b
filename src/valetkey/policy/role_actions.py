"""The actions of STS that a role's trust policy decides, and who can call them.

Sources: STS API reference, AssumeRole, AssumeRoleWithSAML, AssumeRoleWithWebIdentity; Service Authorization Reference,
AWS Security Token Service; IAM User Guide, id_credentials_sts-comparison.
"""

from __future__ import annotations

from valetkey.policy.principals import Caller

ASSUME_ROLE = "sts:AssumeRole"
WITH_SAML = "sts:AssumeRoleWithSAML"
WITH_WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"
ENTERING = (ASSUME_ROLE, WITH_SAML, WITH_WEB_IDENTITY)
"""The actions that enter a role."""
ALONGSIDE = ("sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext")
"""The actions that one of those needs besides, when it passes tags, a source identity or a context."""
ROLE_ACTIONS = (*ENTERING, *ALONGSIDE)
"""The actions that a trust policy decides."""


def lowered(actions: tuple[str, ...]) -> frozenset[str]:
    """For comparison: case does not count in actions."""
    return frozenset(map(str.lower, actions))


UNSIGNED = lowered((WITH_SAML, WITH_WEB_IDENTITY))
"""Lower-cased: called with an assertion of a provider, and signed by nobody."""

_REFUSED = {
    "root": "STS refuses AssumeRole by the root user, whatever the policies say",
    "federated user": "STS refuses AssumeRole with the credentials of GetFederationToken, whatever the policies say",
}


def refused_by_sts(caller: Caller, actions: tuple[str, ...]) -> str:
    """Why STS refuses this call whatever the policies say, as a sentence; "" where it does not. `actions` are
    lower-cased."""
    return _REFUSED.get(caller.kind, "") if ASSUME_ROLE.lower() in actions else ""
