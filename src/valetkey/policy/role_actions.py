"""The STS actions that a role's trust policy decides, and the callers that STS accepts for them.

Sources: STS API reference, AssumeRole, AssumeRoleWithSAML, AssumeRoleWithWebIdentity; Service Authorization Reference,
AWS Security Token Service; IAM User Guide, id_credentials_sts-comparison.
"""

from __future__ import annotations

from valetkey.policy.principals import PrincipalKind
from valetkey.policy.undecided import not_known

ASSUME_ROLE = "sts:AssumeRole"
WITH_SAML = "sts:AssumeRoleWithSAML"
WITH_WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"
ENTERING = (ASSUME_ROLE, WITH_SAML, WITH_WEB_IDENTITY)
"""The actions that assume a role."""
TAG_SESSION = "sts:TagSession"
SET_SOURCE_IDENTITY = "sts:SetSourceIdentity"
SET_CONTEXT = "sts:SetContext"
ALONGSIDE = (TAG_SESSION, SET_SOURCE_IDENTITY, SET_CONTEXT)
"""The actions that such a call needs in addition when it passes tags, a source identity or a context."""
ROLE_ACTIONS = (*ENTERING, *ALONGSIDE)
"""The actions that a trust policy decides."""


def lowered(actions: tuple[str, ...]) -> frozenset[str]:
    """The actions in lower case, for comparison: actions are case-insensitive."""
    return frozenset(map(str.lower, actions))


UNSIGNED = lowered((WITH_SAML, WITH_WEB_IDENTITY))
"""The actions, lower-cased, that are called with a provider's assertion and are not signed."""


def enters_roles(kind: PrincipalKind) -> bool:
    """Whether STS allows callers of this kind to assume roles. A provider represents its users."""
    match kind:
        case "user" | "role" | "session" | "service" | "provider":
            return True
        case "root" | "federated user" | "anonymous" | "canonical user":
            return False
        case never:
            raise not_known(never)


def refused_by_sts(kind: PrincipalKind, actions: tuple[str, ...]) -> str:
    """Why STS refuses this call independently of the policies, as a sentence; "" when it does not. `actions` are
    lower-cased. Covers callers that can sign a call, and AssumeRole, which the other actions only accompany."""
    if ASSUME_ROLE.lower() not in actions or enters_roles(kind):
        return ""
    match kind:
        case "root":
            return "STS refuses AssumeRole by the root user, whatever the policies say"
        case "federated user":
            return "STS refuses AssumeRole with the credentials of GetFederationToken, whatever the policies say"
        case "user" | "role" | "session" | "service" | "provider" | "anonymous" | "canonical user":
            return ""
        case never:
            raise not_known(never)
