"""Identity providers that many tenants share: which claim says whose identity it is, and how it must begin.

Whoever has an account with a shared issuer gets a token signed by the same keys, so that a trust in the issuer alone
trusts all of them. Every other OIDC issuer (an own GitLab, an EKS cluster, a tenant's Okta or Entra ID, CircleCI's and
Bitbucket's issuers, which hold the organisation in their address) serves one tenant.

IAM itself saves no trust in the issuers of a list of its own that tests no claim of the tenant
(id_roles_providers_oidc_secure-by-default, fact W12), and leaves those that exist: the audit looks at what exists.

Sources: IAM User Guide, id_roles_providers_create_oidc and reference_policies_iam-condition-keys (keys of web identity
federation); each issuer's own page on the shape of `sub`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Issuer:
    """A shared issuer."""

    title: str
    claim: str
    """The condition key after the issuer's name and a colon."""
    fixes: re.Pattern[str]
    """What a value, up to its first wildcard, must begin with so that it belongs to one tenant."""
    example: str
    """A value for the corrected document, with the parts to fill in."""
    audience: str = ""
    """What `aud` is, with the parts to fill in, where IAM saves no trust in this issuer that does not test it
    (id_roles_providers_oidc_secure-by-default); else empty."""


def _issuer(title: str, claim: str, fixes: str, example: str, audience: str = "") -> Issuer:
    return Issuer(title, claim, re.compile(fixes), example, audience)


_CIRCLE = r"(organization|owner|account):[^:/*?]+:"
_ONE = r".+$"

SHARED: dict[str, Issuer] = {
    "token.actions.githubusercontent.com": _issuer(
        "GitHub Actions",
        "sub",
        # The default form, and those of a customised subject that name the owner. job_workflow_ref by itself does not:
        # it names the workflow that is called, and a public one is called from whosever repository (GitHub, "Using
        # OpenID Connect with reusable workflows").
        r"(job_workflow_ref:[^*?]+:)?"
        r"((repo|repository):[^/:*?]+/|(repository_owner|repository_owner_id|enterprise_id):[^:*?]+(:|$))",
        "repo:<ORGANISATION>/<REPOSITORY>:ref:refs/heads/main",
    ),
    "gitlab.com": _issuer(
        "GitLab.com", "sub", r"project_path:[^/:*?]+/", "project_path:<GROUP>/<PROJECT>:ref_type:branch:ref:main"
    ),
    "app.terraform.io": _issuer(
        "HCP Terraform", "sub", _CIRCLE, "organization:<ORGANISATION>:project:<PROJECT>:workspace:<WORKSPACE>:*"
    ),
    "app.eu.terraform.io": _issuer(
        "HCP Terraform (EU)", "sub", _CIRCLE, "organization:<ORGANISATION>:project:<PROJECT>:workspace:<WORKSPACE>:*"
    ),
    "agent.buildkite.com": _issuer("Buildkite", "sub", _CIRCLE, "organization:<ORGANISATION>:pipeline:<PIPELINE>:*"),
    "oidc.vercel.com": _issuer(
        "Vercel",
        "sub",
        _CIRCLE,
        "owner:<TEAM>:project:<PROJECT>:environment:production",
        audience="https://vercel.com/<TEAM>",
    ),
    "scalr.io": _issuer("Scalr", "sub", _CIRCLE, "account:<ACCOUNT>:environment:<ENVIRONMENT>:*"),
    "oidc.codefresh.io": _issuer("Codefresh", "sub", _CIRCLE, "account:<ACCOUNT>:pipeline:<PIPELINE>:*"),
    "api.pulumi.com/oidc": _issuer(
        "Pulumi Cloud",
        "sub",
        r"pulumi:[a-z-]+:org:[^:*?]+:",
        "pulumi:deploy:org:<ORGANISATION>:project:<PROJECT>:*",
        audience="aws:<ORGANISATION>",
    ),
    "cognito-identity.amazonaws.com": _issuer(
        "Amazon Cognito", "aud", r"[a-z0-9-]+:[0-9a-f-]{36}$", "<REGION>:<IDENTITY POOL ID>"
    ),
    "accounts.google.com": _issuer("Google", "sub", r"[0-9]{6,}$", "<UNIQUE ID OF THE SERVICE ACCOUNT>"),
    "graph.facebook.com": _issuer("Facebook", "id", _ONE, "<USER ID>"),
    "www.amazon.com": _issuer("Login with Amazon", "user_id", _ONE, "<USER ID>"),
    "appleid.apple.com": _issuer("Sign in with Apple", "sub", _ONE, "<USER ID>"),
}
"""By the issuer's address without its scheme."""


def host_of(provider: str) -> str:
    """An OIDC provider's issuer: what stands after `oidc-provider/` in its ARN, or the bare name. A shared one, however
    it is spelt, as in `SHARED`: names of hosts know no case."""
    host = provider.split(":oidc-provider/", 1)[-1]
    return host.lower() if host.lower() in SHARED else host


def fixed(issuer: Issuer, value: str) -> bool:
    """Whether a value or pattern of the issuer's claim belongs to one tenant."""
    literal = re.split(r"[*?]", value, maxsplit=1)[0]
    found = issuer.fixes.match(literal)
    # Before a wildcard, a name that no separator ends is the beginning of other names too.
    return found is not None and (literal == value or found[0].endswith((":", "/")))
