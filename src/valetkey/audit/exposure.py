"""The exposure of a trust policy, derived from the regions of requests that it allows.

- internal: only the role's account, the owner's accounts or organization, or AWS services get in.
- guarded: outsiders get in, and each needs MFA, or an ExternalId that is required and hard to guess (`guesses`).
- unguarded: some outsider gets in with neither; or anyone in AWS gets in with only an ExternalId, which is not a
  secret, or MFA, which everyone can have in their own account.
- unreachable: the policy names outsiders, and nobody can ever get in.
- unknown: not decided.

The account's SAML providers and single-tenant OIDC issuers are internal, and noted. A shared issuer's identities are
outsiders; they are guarded if a claim that names the tenant is fixed (`issuers`) and guests of an identity pool do not
get in.

Only requests of AWS services contain aws:SourceAccount, aws:SourceArn and similar keys, because services act on behalf
of a resource (reference_policies_condition-keys): where one is required, no other caller gets in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from valetkey.audit.guesses import guess, met_by_chance
from valetkey.audit.issuers import home_of, host_of, issuer_of, serves_one_tenant
from valetkey.audit.required import (
    EPOCH,
    EXTERNAL_ID,
    TIME,
    external_ids,
    needs_mfa,
    sources_of,
    takes_guests,
    tenants,
    until,
)
from valetkey.audit.scope import Scope
from valetkey.policy import role_actions
from valetkey.policy.arns import is_account
from valetkey.policy.operands import read_date
from valetkey.policy.operators import Family
from valetkey.policy.requests import Request
from valetkey.policy.role_actions import lowered
from valetkey.policy.statements import Policy, Statement
from valetkey.prover import Reach, Region, RegionValues

Exposure = Literal["internal", "guarded", "unguarded", "unreachable", "unknown"]
OutsiderKind = Literal["account", "organisation", "unique id", "anybody", "provider"]

ENTERING_LOWER = lowered(role_actions.ENTERING)
ORG_ID = "aws:principalorgid"
ORG_PATHS = "aws:principalorgpaths"
ACCOUNT = "aws:principalaccount"
_OF_THE_ROLE = "${aws:ResourceOrgID}"
_HOME = "${aws:ResourceAccount}"
SOURCE_ACCOUNT, SOURCE_ARN = "aws:sourceaccount", "aws:sourcearn"
_OF_SERVICES = (SOURCE_ACCOUNT, SOURCE_ARN, "aws:sourceorgid", "aws:sourceorgpaths")


@dataclass(frozen=True, slots=True)
class WayIn:
    """One way in: a region of requests, and the requirements on every request of it."""

    statement: int
    """Index of the Allow statement, from 0."""
    external_ids: tuple[str, ...]
    """Values or patterns of which one must be sent; empty: none is needed."""
    mfa: bool
    """Whether MFA must be present."""
    until: str | None
    """The end, as spelt in the document."""
    sources: tuple[str, ...]
    """Restrictions on the request's source, such as "aws:sourceip 192.0.2.0/24"."""
    subjects: tuple[str, ...]
    """For a provider: the values or patterns of the claim that names the tenant; empty: any tenant."""
    everybody: bool
    """Whether it admits principals that the document does not name."""
    callers: tuple[str, ...]
    """The principals that the document names."""
    kinds: frozenset[str]
    guarded: bool
    witness: Request
    hollow: str = ""
    """Why a required ExternalId or claim is ineffective; empty otherwise. It never contains an ExternalId."""


@dataclass(frozen=True, slots=True)
class Outsider:
    """A party that does not belong to the owner, with all its ways in."""

    kind: OutsiderKind
    name: str
    """Account id, organization id, unique id of a user or role, or provider; empty for "anybody"."""
    partition: str
    ways: tuple[WayIn, ...]
    """The least guarded first."""
    label: str = ""
    """The known name of the account or issuer. Never a reason to trust it."""

    @property
    def guarded(self) -> bool:
        """Whether every way in is guarded."""
        return all(way_in.guarded for way_in in self.ways)

    @property
    def external_ids(self) -> tuple[str, ...]:
        """The ExternalIds of all ways; empty where some way needs none."""
        if not all(way_in.external_ids for way_in in self.ways):
            return ()
        return tuple(dict.fromkeys(value for way_in in self.ways for value in way_in.external_ids))

    @property
    def mfa(self) -> bool:
        """Whether every way needs MFA."""
        return all(way_in.mfa for way_in in self.ways)

    @property
    def until(self) -> str | None:
        """The latest end of its ways; None where some way has none."""
        ends = [way_in.until for way_in in self.ways]
        return None if None in ends else max((end for end in ends if end), key=lambda end: read_date(end) or 0)

    @property
    def sources(self) -> tuple[str, ...]:
        """The source restrictions of all ways; empty where some way has none."""
        if not all(way_in.sources for way_in in self.ways):
            return ()
        return tuple(dict.fromkeys(value for way_in in self.ways for value in way_in.sources))

    @property
    def witness(self) -> Request:
        """A request that gets in, by the least guarded way."""
        return self.ways[0].witness


@dataclass(frozen=True, slots=True)
class Sorted:
    """The regions of a trust policy, grouped by party."""

    outsiders: tuple[Outsider, ...]
    insiders: tuple[Region, ...]
    """Regions of the owner's principals, AWS services and the account's providers."""
    orphans: tuple[Region, ...]
    """Regions of deleted principals, which nobody can use."""
    extras: tuple[tuple[Outsider, Region], ...]
    """Regions for sts:TagSession, sts:SetSourceIdentity and sts:SetContext of outsiders that get in."""
    notes: tuple[str, ...]
    on_behalf: tuple[tuple[Region, tuple[str, ...]], ...] = ()
    """Regions of AWS services that must act on behalf of resources in other accounts, with those accounts."""


def exposure_of(result: Sorted) -> Exposure:
    """Derive the exposure from the sorted regions."""
    if result.outsiders:
        return "guarded" if all(outsider.guarded for outsider in result.outsiders) else "unguarded"
    return "internal" if result.insiders else "unreachable"


def sort(reach: Reach, policy: Policy, *, account: str, scope: Scope, certain: bool = True) -> Sorted:
    """Sort the regions of the trust policy of a role in `account`. `certain`: the regions contain only requests that
    certainly get in, not those that may get in where AWS's behavior is undocumented."""
    tied = {statement.index: result for statement in policy.allows if (result := _tied(statement))}
    own = scope.own | {account}
    ways: dict[tuple[OutsiderKind, str, str], list[WayIn]] = {}
    insiders: list[Region] = []
    orphans: list[Region] = []
    extras: list[tuple[tuple[OutsiderKind, str, str], Region]] = []
    notes: dict[str, None] = {}
    on_behalf: list[tuple[Region, tuple[str, ...]]] = []
    for region in reach.regions:
        entering = any(action.lower() in ENTERING_LOWER for action in region.actions)
        if region.party.kind != "service" and _only_services(region):
            continue
        if region.party.kind == "deleted":
            orphans.extend([region] if entering else [])
            continue
        key = _outsider(region, own, scope.org_id, tied.get(region.statement, ()))
        if key is None:
            insiders.extend([region] if entering else [])
            if region.party.kind == "provider" and entering:
                notes[_note(region.party.name)] = None
            if entering and (others := _foreign_sources(region, own)):
                on_behalf.append((region, others))
            continue
        if entering:
            ways.setdefault(key, []).append(_way(region, key, own, policy, certain=certain))
        if any(action.lower() not in ENTERING_LOWER for action in region.actions):
            extras.append((key, region))
    _leave_covered(ways, policy)
    outsiders = {
        key: Outsider(*key, tuple(sorted(value, key=_rank)), _label(key, scope)) for key, value in ways.items()
    }
    return Sorted(
        tuple(outsiders.values()),
        tuple(insiders),
        tuple(orphans),
        tuple((outsiders[key], region) for key, region in extras if key in outsiders),
        tuple(notes),
        tuple(on_behalf),
    )


def _only_services(region: Region) -> bool:
    """Whether every request of the region contains a key that only requests of AWS services contain."""
    return any(key in region.values and not region.values[key].absent for key in _OF_SERVICES)


def _foreign_sources(region: Region, own: frozenset[str]) -> tuple[str, ...]:
    """The outside accounts whose resources a service must act for; empty where no account is required, or one of the
    owner's is among them."""
    if region.party.kind != "service":
        return ()
    sources: dict[str, None] = {}
    for key in (SOURCE_ACCOUNT, SOURCE_ARN):
        values = region.values.get(key)
        if values is None or not values.binds:
            continue
        for item in values.exact + values.patterns:
            parts = item.split(":", 5)
            account = item if key == SOURCE_ACCOUNT else parts[4] if len(parts) > 5 else ""
            if is_account(account):
                sources[account] = None
    if sources.keys() & own:  # both keys must match: the stricter one may require the owner's account
        return ()
    return tuple(sources)


def _leave_covered(ways: dict[tuple[OutsiderKind, str, str], list[WayIn]], policy: Policy) -> None:
    """Remove the ways of a unique id that only a condition names, where anyone gets in by the same statement with the
    same guards."""
    named = {principal for statement in policy.allows if statement.principals for principal in statement.principals.aws}
    anybody = {
        (way.statement, way.external_ids, way.mfa)
        for key, result in ways.items()
        if key[0] == "anybody"
        for way in result
    }
    for key in [item for item in ways if item[0] == "unique id" and item[1] not in named]:
        ways[key] = [way for way in ways[key] if (way.statement, way.external_ids, way.mfa) not in anybody]
        if not ways[key]:
            del ways[key]


def _outsider(
    region: Region, own: frozenset[str], org_id: str | None, tied: tuple[str, ...]
) -> tuple[OutsiderKind, str, str] | None:
    """The outsider of a region; None for an insider. `tied` are the organizations that its statement requires. Every
    caller is in the role's partition (`prover.caller_classes`)."""
    party = region.party
    if party.kind == "service":
        return None
    if party.kind == "provider":
        return None if _own_provider(party.name, own) else ("provider", party.name, party.partition)
    if party.kind == "account" and party.name in own:
        return None
    organisations = _organisations(region.values) or tied
    if organisations and all(organisation in (org_id, _OF_THE_ROLE) for organisation in organisations):
        return None
    if party.kind in ("account", "unique id"):
        return ("account" if party.kind == "account" else "unique id"), party.name, party.partition
    if organisations:
        return "organisation", ", ".join(organisations), party.partition
    return "anybody", "", party.partition


def _own_provider(name: str, own: frozenset[str]) -> bool:
    """Whether it is a SAML provider, or an OIDC issuer that is not known to be shared, of an own account."""
    return bool(name) and issuer_of(name) is None and (home_of(name) in own or not name.startswith("arn:"))


def _note(name: str) -> str:
    if ":saml-provider/" in name:
        return f"own SAML provider {name.rsplit('/', 1)[-1]}: who comes in is decided there"
    if serves_one_tenant(name):
        return f"OIDC issuer {host_of(name)} serves one tenant, taken for the owner's: who comes in is decided there"
    return (
        f"OIDC issuer {host_of(name)} is on no list of shared issuers, and is taken for the owner's: who comes in is "
        "decided there"
    )


def _organisations(values: Mapping[str, RegionValues]) -> tuple[str, ...]:
    """The organizations of which a caller must be a member; empty where none is required."""
    region_values = values.get(ORG_ID)
    return (
        tuple(sorted(region_values.exact))
        if region_values is not None and region_values.binds and not region_values.patterns
        else ()
    )


def _tied(statement: Statement) -> tuple[str, ...]:
    """The organizations that an Allow requires in a form that a region's values do not show: by path (a caller may have
    several, all in its organization), or as the role's organization or account, which a variable names."""
    present = {
        condition.key.lower()
        for condition in statement.conditions
        if condition.operator.family is Family.NULL and [value.lower() for value in condition.values] == ["false"]
    }
    for condition in statement.conditions:
        key, name = condition.key.lower(), condition.name
        some = name in ("ForAnyValue:StringLike", "ForAnyValue:StringEquals")
        every = name in ("ForAllValues:StringLike", "ForAllValues:StringEquals") and key in present
        if key == ORG_PATHS and (some or every):
            heads = {value.split("/", 1)[0] for value in condition.values if "/" in value}
            whole = all("/" in value for value in condition.values)
            if heads and whole and not any(set("*?$") & set(head) for head in heads):
                return tuple(sorted(heads))
        if key == ORG_ID and name == "StringEquals" and condition.values == (_OF_THE_ROLE,) and statement.variables:
            return (_OF_THE_ROLE,)
        if key == ACCOUNT and name == "StringEquals" and condition.values == (_HOME,) and statement.variables:
            return (_OF_THE_ROLE,)
    return ()


def _label(key: tuple[OutsiderKind, str, str], scope: Scope) -> str:
    kind, name, _ = key
    known = scope.known.get(name) if kind == "account" else None
    if known is not None:
        return known.name
    shared = issuer_of(name) if kind == "provider" else None
    return shared.title if shared else ""


def _rank(way: WayIn) -> tuple[bool, int, int]:
    return way.guarded, bool(way.external_ids) + way.mfa + bool(way.sources), way.statement


def _way(
    region: Region, key: tuple[OutsiderKind, str, str], own: frozenset[str], policy: Policy, *, certain: bool
) -> WayIn:
    kind, name, _ = key
    ids = external_ids(region.values.get(EXTERNAL_ID), name)
    hollow = next(filter(None, (guess(id_, contractor=name, own=own) for id_ in ids)), "")
    if not hollow and met_by_chance(ids, name):
        hollow = "it is found by trying"
    mfa = needs_mfa(region.values)
    sources = tuple(sources_of(region.values))
    subjects = tenants(region) if kind == "provider" else ()
    if kind == "provider":
        hollow = takes_guests(region, policy, certain=certain) if subjects else ""
        guarded = bool(subjects) and not hollow
    elif kind == "anybody":
        # For an unnamed caller, an ExternalId alone proves nothing, because it is not a secret. MFA proves nothing at
        # all: only the caller's own account asserts it.
        guarded = bool(ids) and not hollow and bool(sources)
    else:
        guarded = (bool(ids) and not hollow) or mfa
    return WayIn(
        region.statement,
        ids,
        mfa,
        until(region.values.get(TIME)) or until(region.values.get(EPOCH)),
        sources,
        subjects,
        region.everybody,
        region.callers,
        region.kinds,
        guarded,
        region.witness,
        hollow,
    )
