"""OIDC issuers that many tenants share, and the claims that identify the tenant.

Every customer of a shared issuer gets tokens signed by the same keys, so a trust policy that names the issuer alone
trusts all of them. Every other OIDC issuer (a self-hosted GitLab, an EKS cluster, a tenant's Okta or Entra ID, the
issuers of CircleCI and Bitbucket, which contain the organisation in their address) serves one tenant.

Sources: `AWS_TABLE` is the table of the IAM User Guide, id_roles_providers_oidc_secure-by-default ("Identity-provider
controls for shared OIDC providers"), as of `TABLE_DATE`. For these issuers, IAM rejects a trust policy that tests no
claim of the tenant; the table names that claim (fact W12). The other issuers, and the forms of the claims' values, are
from each issuer's own documentation and from id_roles_providers_create_oidc and reference_policies_iam-condition-keys
(keys of web identity federation, with GitHub's claims).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

TABLE_DATE = "2026-11"
"""The month in which `AWS_TABLE` was last compared with publications: the lists that two other public tools made from
the page. They have the same issuers and claims; the table on the page itself could not be read then."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim that can identify a tenant."""

    key: str
    """The condition key after the issuer's name and a colon; the whole key if it contains a colon itself."""
    fixes: re.Pattern[str]
    """The form that a value, up to its first wildcard, must begin with to identify one tenant."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """A shared issuer."""

    title: str
    claims: tuple[Claim, ...]
    """Each of them identifies the tenant; the first is used in the corrected document."""
    example: str
    """A value of the first claim, with placeholders."""
    audience: str = ""
    """A value of `aud`, with placeholders, if IAM rejects a trust policy for this issuer that does not test it; else
    empty."""


def _issuer(title: str, claim: str, fixes: str, example: str, audience: str = "", **more: str) -> Issuer:
    claims = [(claim, fixes), *more.items()]
    return Issuer(title, tuple(Claim(key, re.compile(pattern)) for key, pattern in claims), example, audience)


_CIRCLE = r"(organization|owner|account):[^:/*?]+:"
_ONE = r".+$"
_NUMBER = r"[0-9]+$"
# For an issuer without documented subjects: one subject, or two parts that end in a separator.
_PARTS = r"([^:/*?]+[:/][^:/*?]+[:/]|.+$)"
# The name of AWS's own service as audience does not identify a tenant.
_AUDIENCE = r"(?!sts\.amazonaws\.com)(?!https://sts\.amazonaws\.com).+$"

_GITHUB_SUBJECT = (
    # The default form, and the forms of a customised subject that contain the owner. job_workflow_ref alone does not:
    # it names the called workflow, and any repository can call a public one (GitHub, "Using OpenID Connect with
    # reusable workflows").
    r"(job_workflow_ref:[^*?]+:)?"
    r"((repo|repository):[^/:*?]+/|(repository_owner|repository_owner_id|enterprise_id):[^:*?]+(:|$))"
)
_GITHUB = {
    "repository": r"[^/:*?]+/",
    "repository_id": _NUMBER,
    "repository_owner_id": _NUMBER,
    "enterprise_id": _NUMBER,
}
_TURBONOMIC = _issuer(
    "IBM Turbonomic",
    "sub",
    r"system:serviceaccount:[^:*?]+:",
    "system:serviceaccount:<NAMESPACE OF YOUR INSTANCE>:<SERVICE ACCOUNT>",
)

AWS_TABLE: dict[str, Issuer] = {
    "agent.buildkite.com": _issuer("Buildkite", "sub", _CIRCLE, "organization:<ORGANISATION>:pipeline:<PIPELINE>:*"),
    "api.pulumi.com/oidc": _issuer(
        "Pulumi Cloud",
        "sub",
        r"pulumi:[a-z-]+:org:[^:*?]+:",
        "pulumi:deploy:org:<ORGANISATION>:project:<PROJECT>:*",
        audience="aws:<ORGANISATION>",
        aud=r"(aws:)?[A-Za-z0-9_-]+$",
    ),
    "app.terraform.io": _issuer(
        "HCP Terraform", "sub", _CIRCLE, "organization:<ORGANISATION>:project:<PROJECT>:workspace:<WORKSPACE>:*"
    ),
    "cognito-identity.amazonaws.com": _issuer(
        "Amazon Cognito", "aud", r"[a-z0-9-]+:[0-9a-f-]{36}$", "<REGION>:<IDENTITY POOL ID>"
    ),
    "gitlab.com": _issuer(
        "GitLab.com", "sub", r"project_path:[^/:*?]+/", "project_path:<GROUP>/<PROJECT>:ref_type:branch:ref:main"
    ),
    "oidc-configuration.audit-log.githubusercontent.com": _issuer(
        "GitHub audit log streaming", "sub", r"https://github\.com/[^/*?]+/?$", "https://github.com/<ENTERPRISE>"
    ),
    "oidc.codefresh.io": _issuer("Codefresh", "sub", _CIRCLE, "account:<ACCOUNT>:pipeline:<PIPELINE>:*"),
    "oidc.vercel.com": _issuer(
        "Vercel",
        "sub",
        _CIRCLE,
        "owner:<TEAM>:project:<PROJECT>:environment:production",
        audience="https://vercel.com/<TEAM>",
        aud=r"https://vercel\.com/[^/*?]+$",
    ),
    "proidc.upbound.io": _issuer(
        "Upbound", "sub", r"mcp:[^/:*?]+/", "mcp:<ORGANISATION>/<CONTROL PLANE>:provider:provider-aws"
    ),
    "sandboxes.cloud": _issuer("sandboxes.cloud", "aud", _AUDIENCE, "<AUDIENCE OF YOUR SANDBOX>"),
    "scalr.io": _issuer("Scalr", "sub", _CIRCLE, "account:<ACCOUNT>:environment:<ENVIRONMENT>:*"),
    "sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d": _issuer(
        "Azure Sentinel",
        "sts:RoleSessionName",
        r"MicrosoftSentinel_[0-9A-Za-z-]{8,}$",
        "MicrosoftSentinel_<WORKSPACE ID>",
    ),
    "studio.datachain.ai/api": _issuer(
        "DVC Studio", "sub", r"credentials:[^/:*?]+/", "credentials:<TEAM>/<CREDENTIALS>"
    ),
    "token.actions.githubusercontent.com": _issuer(
        "GitHub Actions",
        "sub",
        _GITHUB_SUBJECT,
        "repo:<ORGANISATION>/<REPOSITORY>:ref:refs/heads/main",
        **_GITHUB,
    ),
    "tokens.cloud.shisho.dev": _issuer("Shisho Cloud", "sub", _PARTS, "<SUBJECT OF YOUR ORGANISATION>"),
    "vstoken.actions.githubusercontent.com": _issuer(
        "GitHub Actions (vstoken)",
        "sub",
        _GITHUB_SUBJECT,
        "repo:<ORGANISATION>/<REPOSITORY>:ref:refs/heads/main",
        **_GITHUB,
    ),
    # The table gives no address for Turbonomic, because it depends on the platform. These are from IBM's pages and from
    # AWS's examples of resource control policies.
    "oidc.op1.openshiftapps.com/2c51blsaqa9gkjt0o9rt11mle8mmropu": _TURBONOMIC,
    "oidc.op1.openshiftapps.com/2f785sojlpb85i7402pk3qogugim5nfb": _TURBONOMIC,
    "rh-oidc.s3.us-east-1.amazonaws.com/22ejnvnnturfmt6km08idd0nt4hekbn7": _TURBONOMIC,
    "rh-oidc.s3.us-east-1.amazonaws.com/23e3sd27sju1hoou6ohfs68vbno607tr": _TURBONOMIC,
    "rh-oidc.s3.us-east-1.amazonaws.com/23ne21h005qjl3n33d8dui5dlrmv2tmg": _TURBONOMIC,
    "rh-oidc.s3.us-east-1.amazonaws.com/24jrf12m5dj7ljlfb4ta2frhrcoadm26": _TURBONOMIC,
}
"""By the issuer's address in lower case, without scheme and trailing slash."""

SHARED: dict[str, Issuer] = {
    **AWS_TABLE,
    "app.eu.terraform.io": _issuer(
        "HCP Terraform (EU)", "sub", _CIRCLE, "organization:<ORGANISATION>:project:<PROJECT>:workspace:<WORKSPACE>:*"
    ),
    "accounts.google.com": _issuer("Google", "sub", r"[0-9]{6,}$", "<UNIQUE ID OF THE SERVICE ACCOUNT>"),
    "graph.facebook.com": _issuer("Facebook", "id", _ONE, "<USER ID>"),
    "www.amazon.com": _issuer("Login with Amazon", "user_id", _ONE, "<USER ID>"),
    "appleid.apple.com": _issuer("Sign in with Apple", "sub", _ONE, "<USER ID>"),
}
"""All known shared issuers: AWS's table, the built-in and other ones."""

SAME_ISSUER = {"sandboxes.cloud/oidc": "sandboxes.cloud"}
"""Other addresses of a shared issuer."""

ONE_TENANT = re.compile(
    r"oidc\.eks(-[a-z0-9-]+)?\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|api\.aws)/id/[0-9A-Fa-f]+"
    r"|[a-z0-9-]+\.(oidc-eks|eks)\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|api\.aws)(/.*)?"
)
"""Issuers of a single Amazon EKS cluster: each cluster has its own address."""

GUESTS = ("cognito-identity.amazonaws.com", "amr", "unauthenticated", "authenticated")
"""The issuer that returns tokens to anyone who knows the id of an identity pool with guest access, its claim, and the
claim's value for a guest and for a signed-in user (Amazon Cognito Developer Guide, role-trust-and-permissions). Every
app that uses a pool contains its id."""
