"""What a trust policy means for outsiders, read off the regions of requests that it lets in.

- internal: only the own account, own accounts or organisation, or AWS services get in.
- guarded: outsiders get in, and each needs an ExternalId that binds or MFA that binds.
- unguarded: some outsider gets in with neither; or anybody in AWS does who only needs an ExternalId: it is no secret.
- unreachable: somebody is named, and nobody can ever get in.
- unknown: not decided.

Own SAML providers and single-tenant OIDC issuers are internal, and noted. A shared issuer's identities are outsiders,
guarded when the claim that names the tenant is fixed (`issuers`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, collapse_addresses
from typing import Literal

from valetkey.audit.issuers import SHARED, fixed, host_of
from valetkey.audit.scope import Scope
from valetkey.catalog import key_names, limits
from valetkey.policy import role_actions
from valetkey.policy.arns import is_account
from valetkey.policy.operands import read_date, read_network
from valetkey.policy.operators import Family
from valetkey.policy.requests import Request
from valetkey.policy.role_actions import lowered
from valetkey.policy.statements import Policy, Statement
from valetkey.prover import Reach, Region, Values

Exposure = Literal["internal", "guarded", "unguarded", "unreachable", "unknown"]
Kind = Literal["account", "organisation", "unique id", "anybody", "provider"]

ENTERING = lowered(role_actions.ENTERING)
EXTERNAL_ID = key_names.EXTERNAL_ID_LOWER
MFA = key_names.MFA_PRESENT_LOWER
MFA_AGE = "aws:multifactorauthage"
TIME, EPOCH = "aws:currenttime", "aws:epochtime"
ORG_ID = "aws:principalorgid"
ORG_PATHS = "aws:principalorgpaths"
ACCOUNT = "aws:principalaccount"
_OF_THE_ROLE = "${aws:ResourceOrgID}"
_HOME = "${aws:ResourceAccount}"
# Not aws:VpcSourceIp: everybody may give any private address to a machine in a VPC of their own (IAM User Guide,
# reference_policies_condition-keys: use it together with aws:SourceVpc or aws:SourceVpce).
_SOURCES = ("aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn")


@dataclass(frozen=True, slots=True)
class Way:
    """One way in: a region of requests, and what binds every request of it."""

    statement: int
    """Index of the Allow statement that opens it, from 0."""
    external_ids: tuple[str, ...]
    """Values or patterns of which one must be sent; empty: none is needed."""
    mfa: bool
    """Whether MFA must be present."""
    until: str | None
    """The end, as spelt in the document."""
    sources: tuple[str, ...]
    """Limits on where the request comes from, like "aws:sourceip 192.0.2.0/24"."""
    subjects: tuple[str, ...]
    """Of a provider: the values or patterns of the claim that names the tenant; empty: anybody's."""
    everybody: bool
    """Whether principals that the document does not name are in it."""
    callers: tuple[str, ...]
    """Principals that it names."""
    kinds: frozenset[str]
    guarded: bool
    witness: Request


@dataclass(frozen=True, slots=True)
class Outsider:
    """A party that is not the owner's, with every way in that it has."""

    kind: Kind
    name: str
    """Account id, organisation id, unique id of a user or role, provider; empty for anybody."""
    partition: str
    ways: tuple[Way, ...]
    """The least guarded first."""
    label: str = ""
    """What the account is known as. Never a reason to trust it."""

    @property
    def guarded(self) -> bool:
        """Whether every way in is guarded."""
        return all(each.guarded for each in self.ways)

    @property
    def external_ids(self) -> tuple[str, ...]:
        """What must be sent as ExternalId, whichever way is taken; empty when some way needs none."""
        if not all(each.external_ids for each in self.ways):
            return ()
        return tuple(dict.fromkeys(value for each in self.ways for value in each.external_ids))

    @property
    def mfa(self) -> bool:
        """Whether MFA is needed, whichever way is taken."""
        return all(each.mfa for each in self.ways)

    @property
    def until(self) -> str | None:
        """The latest end of its ways; None when some way has none."""
        ends = [each.until for each in self.ways]
        return None if None in ends else max((end for end in ends if end), key=lambda end: read_date(end) or 0)

    @property
    def sources(self) -> tuple[str, ...]:
        """Source limits, whichever way is taken; empty when some way has none."""
        if not all(each.sources for each in self.ways):
            return ()
        return tuple(dict.fromkeys(value for each in self.ways for value in each.sources))

    @property
    def witness(self) -> Request:
        """A request that gets in, by the least guarded way."""
        return self.ways[0].witness


@dataclass(frozen=True, slots=True)
class Sorted:
    """The regions of a trust policy, sorted by whose they are."""

    outsiders: tuple[Outsider, ...]
    insiders: tuple[Region, ...]
    """Regions through which own principals, AWS services or own providers get in."""
    orphans: tuple[Region, ...]
    """Regions of deleted principals: nobody is behind them any more."""
    extras: tuple[tuple[Outsider, Region], ...]
    """Of outsiders that get in: regions for sts:TagSession, sts:SetSourceIdentity, sts:SetContext."""
    notes: tuple[str, ...]


def exposure_of(found: Sorted) -> Exposure:
    """The exposure that follows."""
    if found.outsiders:
        return "guarded" if all(each.guarded for each in found.outsiders) else "unguarded"
    return "internal" if found.insiders else "unreachable"


def sort(reach: Reach, policy: Policy, *, account: str, scope: Scope) -> Sorted:
    """Sort the regions of the trust policy of a role in `account`."""
    tied = {each.index: found for each in policy.allows if (found := _tied(each))}
    own = scope.own | {account}
    ways: dict[tuple[Kind, str, str], list[Way]] = {}
    insiders: list[Region] = []
    orphans: list[Region] = []
    extras: list[tuple[tuple[Kind, str, str], Region]] = []
    notes: dict[str, None] = {}
    for region in reach.regions:
        entering = any(each.lower() in ENTERING for each in region.actions)
        if region.party.kind == "deleted":
            orphans.extend([region] if entering else [])
            continue
        key = _outsider(region, own, scope.org_id, tied.get(region.statement, ()))
        if key is None:
            insiders.extend([region] if entering else [])
            if region.party.kind == "provider" and entering:
                notes[_note(region.party.name)] = None
            continue
        if entering:
            ways.setdefault(key, []).append(_way(region, key[0]))
        if any(each.lower() not in ENTERING for each in region.actions):
            extras.append((key, region))
    outsiders = {
        key: Outsider(*key, tuple(sorted(found, key=_rank)), _label(key, scope)) for key, found in ways.items()
    }
    return Sorted(
        tuple(outsiders.values()),
        tuple(insiders),
        tuple(orphans),
        tuple((outsiders[key], region) for key, region in extras if key in outsiders),
        tuple(notes),
    )


def _outsider(
    region: Region, own: frozenset[str], org_id: str | None, tied: tuple[str, ...]
) -> tuple[Kind, str, str] | None:
    """Which outsider a region belongs to; None for one of ours. `tied` are the organisations that its statement asks
    for. Every caller is of the role's partition (`prover.caller_classes`)."""
    party = region.party
    if party.kind == "service":
        return None
    if party.kind == "provider":
        return None if _own_provider(party.name, own) else ("provider", party.name, party.partition)
    if party.kind == "account" and party.name in own:
        return None
    organisations = _organisations(region.values) or tied
    if organisations and all(each in (org_id, _OF_THE_ROLE) for each in organisations):
        return None
    if party.kind in ("account", "unique id"):
        return ("account" if party.kind == "account" else "unique id"), party.name, party.partition
    if organisations:
        return "organisation", ", ".join(organisations), party.partition
    return "anybody", "", party.partition


def _own_provider(name: str, own: frozenset[str]) -> bool:
    """Whether it is an own SAML provider or a single-tenant OIDC issuer of the own account."""
    if not name.startswith("arn:"):
        return bool(name) and name not in SHARED
    return name.split(":")[4] in own and host_of(name) not in SHARED


def _note(name: str) -> str:
    if ":saml-provider/" in name:
        return f"own SAML provider {name.rsplit('/', 1)[-1]}: who comes in is decided there"
    return f"OIDC issuer {host_of(name)} serves one tenant, taken for the owner's: who comes in is decided there"


def _organisations(values: Mapping[str, Values]) -> tuple[str, ...]:
    """The organisations that a caller must be of, or nothing when none is asked for."""
    found = values.get(ORG_ID)
    return tuple(sorted(found.exact)) if found is not None and found.binds and not found.patterns else ()


def _tied(statement: Statement) -> tuple[str, ...]:
    """The organisations that an Allow asks for in ways that a region's values do not show: by path, of which a caller
    may have several and all are of its organisation; or the organisation or account of the role, which a variable
    names."""
    present = {
        each.key.lower()
        for each in statement.conditions
        if each.operator.family is Family.NULL and [value.lower() for value in each.values] == ["false"]
    }
    for each in statement.conditions:
        key, name = each.key.lower(), each.name
        some = name in ("ForAnyValue:StringLike", "ForAnyValue:StringEquals")
        every = name in ("ForAllValues:StringLike", "ForAllValues:StringEquals") and key in present
        if key == ORG_PATHS and (some or every):
            heads = {value.split("/", 1)[0] for value in each.values if "/" in value}
            whole = all("/" in value for value in each.values)
            if heads and whole and not any(set("*?$") & set(head) for head in heads):
                return tuple(sorted(heads))
        if key == ORG_ID and name == "StringEquals" and each.values == (_OF_THE_ROLE,) and statement.variables:
            return (_OF_THE_ROLE,)
        if key == ACCOUNT and name == "StringEquals" and each.values == (_HOME,) and statement.variables:
            return (_OF_THE_ROLE,)
    return ()


def _label(key: tuple[Kind, str, str], scope: Scope) -> str:
    kind, name, _ = key
    known = scope.known.get(name) if kind == "account" else None
    if known is not None:
        return known.name
    shared = SHARED.get(host_of(name)) if kind == "provider" else None
    return shared.title if shared else ""


def _rank(way: Way) -> tuple[bool, int, int]:
    return way.guarded, bool(way.external_ids) + way.mfa + bool(way.sources), way.statement


def _way(region: Region, kind: Kind) -> Way:
    ids = _external_ids(region.values.get(EXTERNAL_ID))
    mfa = _needs_mfa(region.values)
    sources = tuple(_sources(region.values))
    subjects = _subjects(region) if kind == "provider" else ()
    if kind == "provider":
        guarded = bool(subjects)
    elif kind == "anybody":
        # Of somebody whom nothing names, an ExternalId says nothing by itself: it is no secret. (MFA is vouched for by
        # the caller's own account, whosever it is: check T4.)
        guarded = mfa or (bool(ids) and bool(sources))
    else:
        guarded = bool(ids) or mfa
    return Way(
        region.statement,
        ids,
        mfa,
        _until(region.values.get(TIME)) or _until(region.values.get(EPOCH)),
        sources,
        subjects,
        region.everybody,
        region.callers,
        region.kinds,
        guarded,
        region.witness,
    )


def _external_ids(values: Values | None) -> tuple[str, ...]:
    """What must be sent; nothing when no value is needed, or a pattern of nothing but wildcards is enough."""
    if values is None or not values.binds:
        return ()
    if any(not each.strip("*?") for each in values.patterns):
        return ()
    return tuple(values.exact + values.patterns)


def _needs_mfa(values: Mapping[str, Values]) -> bool:
    found = values.get(MFA)
    if found is not None and found.binds and {each.lower() for each in found.exact} == {"true"}:
        return True
    age = values.get(MFA_AGE)
    return age is not None and not age.absent


def _until(values: Values | None) -> str | None:
    if values is None or not values.span:
        return None
    ends = [high for _, high in values.span]
    return None if None in ends else max((end for end in ends if end is not None), key=lambda end: read_date(end) or 0)


def _sources(values: Mapping[str, Values]) -> Iterable[str]:
    for key in _SOURCES:
        found = values.get(key)
        if found is None or not found.binds:
            continue
        each = found.exact + found.patterns
        if each and not _everywhere(each) and not any(map(_any_source, each)):
            yield f"{key} {', '.join(each)}"


def _everywhere(limits_: Iterable[str]) -> bool:
    """Whether these ranges of addresses hold one that is wider than /8 of IPv4 or /32 of IPv6, neighbours put together.

    Amazon S3 calls such a range public (Amazon S3 User Guide, access-control-block-public-access)."""
    networks = [network for each in limits_ if (network := read_network(each)) is not None]
    v4 = [IPv4Network((address, mask.bit_count())) for version, address, mask in networks if version == 4]
    v6 = [IPv6Network((address, mask.bit_count())) for version, address, mask in networks if version == 6]
    wide = [each.prefixlen < 8 for each in collapse_addresses(v4)]
    return any(wide) or any(each.prefixlen < 32 for each in collapse_addresses(v6))


def _any_source(text: str) -> bool:
    """Whether a VPC or endpoint of anybody's can fit a pattern: AWS chooses their ids, and all begin with 0, so that
    somebody who makes enough of them gets one that fits. The ARN of a VPC names its account."""
    if not set("*?") & set(text):
        return False
    parts = text.split(":", 5)
    return len(parts) < 6 or not is_account(parts[4])


def _subjects(region: Region) -> tuple[str, ...]:
    """The values of the claim that names the tenant, when it is fixed."""
    host = host_of(region.party.name)
    issuer = SHARED.get(host)
    if issuer is None:
        return ()
    found = region.values.get(f"{host}:{issuer.claim}".lower())
    if found is None or not found.binds:
        return ()
    each = found.exact + found.patterns
    return tuple(each) if each and all(fixed(issuer, one) for one in each) else ()


def sendable(external_id: str) -> bool:
    """Whether STS takes it as an ExternalId."""
    try:
        limits.check("external id", external_id)
    except limits.LimitError:
        return False
    return True
