"""Parse, prove and check one trust policy. Roles with the same text and owner share the verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from valetkey.audit.checks import TRUST_CHECKS
from valetkey.audit.exposure import Exposure, Sorted, exposure_of, sort
from valetkey.audit.findings import UNKNOWN, Hit
from valetkey.audit.scope import Scope
from valetkey.audit.subjects import Trust, TrustVerdict
from valetkey.errors import PolicyError
from valetkey.policy.lenient import parse_lenient
from valetkey.policy.origin import Origin
from valetkey.prover import Reach, Unknown
from valetkey.prover import who as prove
from valetkey.prover.access_regions import Bounds
from valetkey.prover.proof import InternalError

FindReach = Callable[..., Reach | Unknown]
_NOBODY = Sorted((), (), (), (), ())


def judge(
    text: str,
    *,
    origin: Origin,
    account: str,
    partition: str,
    scope: Scope,
    now: datetime,
    who: FindReach | None = None,
) -> TrustVerdict:
    """Return the verdict on the trust policy of a role in `account` (12 digits). Raises nothing."""
    read = parse_lenient(text, "trust")
    if read.policy is None:
        first = read.defects[0]
        return unknown(f"the trust policy cannot be read: {first.what} ({first.where})")
    try:
        role = f"arn:{partition}:iam::{account}:role/audited"
        reach = (who or prove)(read.policy, origin=origin, resource=role, now=now)
    except (InternalError, PolicyError) as error:
        reach = Unknown(f"{type(error).__name__}: {error}")
    own = scope.own | {account}
    least = reach.least if isinstance(reach, Bounds) else reach
    if isinstance(least, Unknown):
        trust = Trust(text, origin, partition, own, scope, now, read.policy, read.defects, _NOBODY)
        refused = tuple(("T18", hit) for hit in TRUST_CHECKS["T18"].find(trust))
        return TrustVerdict("unknown", f"not decided: {least.reason}", _NOBODY, (), refused)
    result = sort(least, read.policy, account=account, scope=scope)
    trust = Trust(text, origin, partition, own, scope, now, read.policy, read.defects, result, least.unjudged)
    exposure, undecided = _exposure(trust), ""
    if isinstance(reach, Bounds):
        # INVARIANT: an exposure that depends on undocumented behavior is unknown. The exposure rises with the set of
        # admitted requests, so an exposure that both bounds share holds for everything between them.
        most = sort(reach.most, read.policy, account=account, scope=scope, certain=False)
        if _exposure(replace(trust, found=most)) != exposure:
            undecided = reach.reason
        else:
            result = replace(result, notes=(*result.notes, f"more may get in: {reach.reason}"))
        alive = frozenset(region.statement for region in reach.most.regions)
        trust = replace(trust, found=result, alive=alive)
    hits = tuple((item.id, hit) for item in TRUST_CHECKS.values() for hit in item.find(trust))
    undecided_allows = [item for item in least.unjudged if item.effect == "Allow"]
    if undecided_allows:
        # INVARIANT: findings on the other entries hold; the exposure is never better than these entries may make it.
        hits = (*hits, *((UNKNOWN, Hit(f"not decided: {item}", item.entry.where)) for item in undecided_allows))
        undecided = undecided or ("" if exposure == "unguarded" else str(undecided_allows[0]))
    if undecided:
        return TrustVerdict("unknown", f"not decided: {undecided}", result, least.assumed, hits)
    if exposure != "unreachable":
        return TrustVerdict(exposure, "", result, least.assumed, hits)
    reason = next((hit.text for check, hit in hits if check == "T14"), "no request is admitted")
    return TrustVerdict("unreachable", reason, result, least.assumed, hits)


def _exposure(trust: Trust) -> Exposure:
    exposure = exposure_of(trust.found)
    if exposure != "unreachable" or not trust.policy.allows:
        return exposure
    named = any(True for statement in trust.policy.allows for _ in trust.named(statement))
    return "unreachable" if named else "internal"


def unknown(reason: str) -> TrustVerdict:
    """The verdict where nothing could be proved."""
    return TrustVerdict("unknown", reason, _NOBODY, (), ())
