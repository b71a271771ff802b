"""Properties of every request of a region: an ExternalId, MFA, a source, an end, a tenant's claim."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

from valetkey.audit.guesses import met_by_chance
from valetkey.audit.issuers import all_fixed, host_of, issuer_of, keys_of
from valetkey.catalog import key_names, limits
from valetkey.catalog.shared_issuers import GUESTS
from valetkey.policy.arns import is_account
from valetkey.policy.evaluation import could_allow, decide
from valetkey.policy.legible import legible
from valetkey.policy.operands import read_date, read_network
from valetkey.policy.statements import Policy
from valetkey.prover import Region, RegionValues

EXTERNAL_ID = key_names.EXTERNAL_ID_LOWER
MFA = key_names.MFA_PRESENT_LOWER
MFA_AGE = "aws:multifactorauthage"
TIME, EPOCH = "aws:currenttime", "aws:epochtime"
# Not aws:VpcSourceIp: anyone can use any private address in their own VPC (IAM User Guide,
# reference_policies_condition-keys: use it together with aws:SourceVpc or aws:SourceVpce).
_SOURCES = ("aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn")


def external_ids(values: RegionValues | None, contractor: str) -> tuple[str, ...]:
    """The values or patterns of which one must be sent; empty where none is needed, or where other ids match by
    chance."""
    if values is None or not values.binds:
        return ()
    return () if met_by_chance(values.patterns, contractor) else tuple(values.exact + values.patterns)


def takes_guests(region: Region, policy: Policy, *, certain: bool) -> str:
    """Why guests of the identity pool get in too; empty where they do not, or the provider has no guests. Without
    `certain`, a guest also counts if undocumented behavior may admit it."""
    host, claim, guest, _ = GUESTS
    if host_of(region.party.name) != host:
        return ""
    context = {key: value for key, value in region.witness.context.items() if key.lower() != f"{host}:{claim}"}
    asked = replace(region.witness, context={**context, f"{host}:{claim}": (guest,)})
    sides = legible({"trust": [policy]})[0]
    if not (decide(asked, **sides).allowed if certain else could_allow(asked, **sides)):
        return ""
    return "guests of the identity pool get in too, and the id of the pool is in every app that uses it"


def needs_mfa(values: Mapping[str, RegionValues]) -> bool:
    region_values = values.get(MFA)
    if region_values is not None and region_values.binds and {item.lower() for item in region_values.exact} == {"true"}:
        return True
    age = values.get(MFA_AGE)
    return age is not None and not age.absent


def until(values: RegionValues | None) -> str | None:
    if values is None or not values.span:
        return None
    ends = [high for _, high in values.span]
    return None if None in ends else max((end for end in ends if end is not None), key=lambda end: read_date(end) or 0)


def sources_of(values: Mapping[str, RegionValues]) -> Iterable[str]:
    for key in _SOURCES:
        region_values = values.get(key)
        if region_values is None or not region_values.binds:
            continue
        required = region_values.exact + region_values.patterns
        if required and not _everywhere(required) and not any(map(_any_source, required)):
            yield f"{key} {', '.join(required)}"


def _everywhere(limits_: Iterable[str]) -> bool:
    """Whether these address ranges, adjacent ones merged, contain one wider than an IPv4 /8 or IPv6 /32, or cover more
    addresses than 16 such ranges.

    Amazon S3 calls such ranges public (Amazon S3 User Guide, access-control-block-public-access)."""
    networks = [network for limit in limits_ if (network := read_network(limit)) is not None]
    v4 = [IPv4Network((address, mask.bit_count())) for version, address, mask in networks if version == 4]
    v6 = [IPv6Network((address, mask.bit_count())) for version, address, mask in networks if version == 6]
    for networks_, widest in ((list(collapse_addresses(v4)), 8), (list(collapse_addresses(v6)), 32)):
        if any(item.prefixlen < widest for item in networks_):
            return True
        bits = networks_[0].max_prefixlen if networks_ else 0
        if sum(item.num_addresses for item in networks_) > 16 << (bits - widest) if networks_ else False:
            return True
    return False


def _any_source(text: str) -> bool:
    """Whether anyone's VPC or endpoint can match a pattern. AWS chooses their ids, which all begin with 0: with enough
    of them, one matches. The ARN of a VPC names its account and cannot."""
    if not set("*?") & set(text):
        return False
    parts = text.split(":", 5)
    return len(parts) < 6 or not is_account(parts[4])


def tenants(region: Region) -> tuple[str, ...]:
    """The values of the claim that names the tenant; empty where no such claim is fixed."""
    name = region.party.name
    issuer = issuer_of(name)
    for claim in issuer.claims if issuer else ():
        for key in keys_of(name, claim.key):
            values = region.values.get(key)
            if values is not None and values.binds and all_fixed(claim, values.exact + values.patterns):
                return tuple(values.exact + values.patterns)
    return ()


def sendable(external_id: str) -> bool:
    """Whether STS accepts it as an ExternalId."""
    try:
        limits.check("external id", external_id)
    except limits.LimitError:
        return False
    return True
