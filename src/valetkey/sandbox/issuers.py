"""OIDC issuers that many tenants share, and the claim that a trust policy must test when it is saved.

AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html. IAM checks it when
a role is created and when its trust policy is updated: an existing one without the claim remains, and works. The page
states neither the error's code nor its message (here: as for every document that IAM does not save), nor the allowed
values (here: any).

The list is AWS's own, separate from the audit's (`valetkey.audit.issuers`), which has more issuers.
"""

from __future__ import annotations

from typing import Any

from valetkey.sandbox.documents import strings

_SUBJECT = (
    "agent.buildkite.com",
    "app.terraform.io",
    "gitlab.com",
    "oidc-configuration.audit-log.githubusercontent.com",
    "oidc.codefresh.io",
    "proidc.upbound.io",
    "scalr.io",
    "studio.datachain.ai/api",
    "tokens.cloud.shisho.dev",
    "vstoken.actions.githubusercontent.com",
)
_AUDIENCE = ("api.pulumi.com/oidc", "cognito-identity.amazonaws.com", "oidc.vercel.com", "sandboxes.cloud")
_SENTINEL = "sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d"

CLAIMS: dict[str, tuple[str, ...]] = {
    **{issuer: (f"{issuer}:sub",) for issuer in _SUBJECT},
    **{issuer: (f"{issuer}:aud",) for issuer in _AUDIENCE},
    "token.actions.githubusercontent.com": (
        "token.actions.githubusercontent.com:sub",
        "token.actions.githubusercontent.com:job_workflow_ref",
    ),
    _SENTINEL: ("sts:RoleSessionName",),
}
"""By the issuer's address without its scheme: the condition keys, of which one must be tested."""


def missing(statement: dict[str, Any]) -> str | None:
    """Return the condition key that an Allow statement must test and does not, or None."""
    principal = statement.get("Principal")
    if statement.get("Effect") != "Allow" or not isinstance(principal, dict):
        return None
    tested = {
        key.lower() for tests in (statement.get("Condition") or {}).values() if isinstance(tests, dict) for key in tests
    }
    for name in strings(principal.get("Federated", [])):
        wanted = CLAIMS.get(name.split(":oidc-provider/", 1)[-1].lower().rstrip("/"), ())
        if wanted and not any(key in tested for key in map(str.lower, wanted)):
            return wanted[0]
    return None
