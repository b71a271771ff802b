"""Identity providers that many tenants share: which conditions say whose identity it is, and whether they fix one.

The issuers are those of `catalog.shared_issuers`. IAM itself saves no trust in the issuers of a list of its own that
tests no claim of the tenant (id_roles_providers_oidc_secure-by-default, fact W12), and leaves those that exist: the
audit looks at what exists.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from valetkey.catalog.shared_issuers import ONE_TENANT, SAME_ISSUER, SHARED, Claim, Issuer


def host_of(provider: str) -> str:
    """An OIDC provider's issuer: what stands after `oidc-provider/` in its ARN, or the bare name. A shared one, however
    it is spelt, as in `SHARED`: names of hosts know no case, and a slash at the end names the same issuer."""
    host = _spelt(provider)
    known = host.lower().rstrip("/")
    known = SAME_ISSUER.get(known, known)
    return known if known in SHARED else host


def issuer_of(provider: str) -> Issuer | None:
    """The shared issuer behind a provider; None for an issuer that is not known to be shared."""
    return SHARED.get(host_of(provider))


def home_of(provider: str) -> str:
    """The account in a provider's ARN; empty for a bare name."""
    return provider.split(":")[4] if provider.startswith("arn:") else ""


def serves_one_tenant(provider: str) -> bool:
    """Whether it is known that the issuer serves one tenant."""
    return ONE_TENANT.fullmatch(_spelt(provider)) is not None


def keys_of(provider: str, claim: str) -> tuple[str, ...]:
    """The condition keys of a claim of this provider, lower-cased: IAM's page on issuers whose address ends in a slash
    does not say whether the key has it, so each spelling counts."""
    if ":" in claim:
        return (claim.lower(),)
    host = _spelt(provider).lower()
    return tuple(dict.fromkeys(f"{each}:{claim}".lower() for each in (host, host.rstrip("/"), host_of(provider))))


def _spelt(provider: str) -> str:
    return provider.split(":oidc-provider/", 1)[-1]


def fixed(claim: Claim, value: str) -> bool:
    """Whether a value or pattern of a claim belongs to one tenant."""
    literal = re.split(r"[*?]", value, maxsplit=1)[0]
    found = claim.fixes.match(literal)
    # Before a wildcard, a name that no separator ends is the beginning of other names too.
    return found is not None and (literal == value or found[0].endswith((":", "/")))


def all_fixed(claim: Claim, values: Iterable[str]) -> bool:
    """Whether there are values, and each belongs to one tenant."""
    listed = list(values)
    return bool(listed) and all(fixed(claim, each) for each in listed)
