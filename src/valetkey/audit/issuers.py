"""Identity providers that many tenants share: which claims name the tenant, and whether conditions fix one tenant.

The issuers are those of `catalog.shared_issuers`. IAM has a list of shared issuers, and refuses to save a trust policy
that trusts one of them without testing the tenant's claim (id_roles_providers_oidc_secure-by-default, fact W12).
Existing trust policies stay, and the audit checks them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from valetkey.catalog.shared_issuers import ONE_TENANT, SAME_ISSUER, SHARED, Claim, Issuer


def host_of(provider: str) -> str:
    """An OIDC provider's issuer: the part after `oidc-provider/` in its ARN, or the bare name. A shared issuer is
    returned as spelt in `SHARED`: host names are case-insensitive, and a trailing slash names the same issuer."""
    host = _spelt(provider)
    known = host.lower().rstrip("/")
    known = SAME_ISSUER.get(known, known)
    return known if known in SHARED else host


def issuer_of(provider: str) -> Issuer | None:
    """The shared issuer of a provider; None for an issuer that is not known to be shared."""
    return SHARED.get(host_of(provider))


def home_of(provider: str) -> str:
    """The account in a provider's ARN; empty for a bare name."""
    return provider.split(":")[4] if provider.startswith("arn:") else ""


def serves_one_tenant(provider: str) -> bool:
    """Whether the issuer is known to serve one tenant."""
    return ONE_TENANT.fullmatch(_spelt(provider)) is not None


def keys_of(provider: str, claim: str) -> tuple[str, ...]:
    """The condition keys of a claim of this provider, in lower case. IAM's page does not say whether the key of an
    issuer whose URL ends in a slash contains the slash, so both spellings count."""
    if ":" in claim:
        return (claim.lower(),)
    host = _spelt(provider).lower()
    return tuple(dict.fromkeys(f"{item}:{claim}".lower() for item in (host, host.rstrip("/"), host_of(provider))))


def _spelt(provider: str) -> str:
    return provider.split(":oidc-provider/", 1)[-1]


def fixed(claim: Claim, value: str) -> bool:
    """Whether a value or pattern of a claim belongs to one tenant."""
    literal = re.split(r"[*?]", value, maxsplit=1)[0]
    match = claim.fixes.match(literal)
    # Before a wildcard, a name without a trailing separator is also a prefix of other names.
    return match is not None and (literal == value or match[0].endswith((":", "/")))


def all_fixed(claim: Claim, values: Iterable[str]) -> bool:
    """Whether there is at least one value, and each belongs to one tenant."""
    listed = list(values)
    return bool(listed) and all(fixed(claim, item) for item in listed)
