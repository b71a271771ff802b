"""One trust policy, read, proved and checked: once for each distinct text and owner, however many roles carry it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from valetkey.audit.exposure import Exposure, Sorted, exposure_of, sort
from valetkey.audit.findings import UNKNOWN, Hit
from valetkey.audit.issuers import SHARED, host_of
from valetkey.audit.scope import Scope
from valetkey.errors import PolicyError
from valetkey.policy.arns import is_account
from valetkey.policy.legible import Unjudged
from valetkey.policy.lenient import parse_lenient
from valetkey.policy.origin import Origin
from valetkey.policy.statements import Policy, Statement
from valetkey.prover import Reach, Unknown
from valetkey.prover import who as prove
from valetkey.prover.access_regions import Bounds
from valetkey.prover.proof import InternalError

Who = Callable[..., Reach | Unknown]
_NOBODY = Sorted((), (), (), (), ())


@dataclass(frozen=True, slots=True)
class Trust:
    """A trust policy and who gets in by it: what the checks read."""

    text: str
    origin: Origin
    partition: str
    own: frozenset[str]
    """Accounts that are no outsiders."""
    scope: Scope
    now: datetime
    policy: Policy
    defects: tuple[PolicyError, ...]
    found: Sorted
    """Who gets in for certain."""
    unjudged: tuple[Unjudged, ...] = ()
    """Entries of Principal elements that say nothing of whom they name."""
    alive: frozenset[int] = frozenset()
    """Allow statements by which somebody may get in, which AWS does not document."""

    def named(self, statement: Statement) -> Iterator[str]:
        """Outsiders that an Allow statement names: "*", accounts, principals, unique ids, shared issuers."""
        principals = statement.principals
        if principals is None:
            return
        if principals.everyone:
            yield "*"
        for each in principals.aws:
            if not (self._home(each) and account_of(each) in self.own):
                yield each
        yield from principals.canonical
        for each in principals.federated:
            foreign = each.startswith("arn:") and account_of(each) not in self.own
            if foreign or host_of(each) in SHARED:
                yield each

    def _home(self, principal: str) -> bool:
        return not principal.startswith("arn:") or principal.split(":")[1] == self.partition


def account_of(principal: str) -> str:
    """The account of an AWS principal or provider; empty for a unique id."""
    if is_account(principal):
        return principal
    parts = principal.split(":")
    return parts[4] if len(parts) > 5 else ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement of one trust policy, fit to be handed between processes."""

    exposure: Exposure
    reason: str
    """Why it is unknown or unreachable."""
    found: Sorted
    assumed: tuple[str, ...]
    hits: tuple[tuple[str, Hit], ...]
    """What the checks of trust policies found, each with the check's id."""


def judge(
    text: str,
    *,
    origin: Origin,
    account: str,
    partition: str,
    scope: Scope,
    now: datetime,
    who: Who | None = None,
) -> Verdict:
    """Judge the trust policy of a role in `account` (12 digits). Raises nothing."""
    from valetkey.audit.checks import access
    from valetkey.audit.checks import policy as policy_checks

    checks = access.CHECKS | policy_checks.CHECKS

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
        refused = tuple(("T18", hit) for hit in checks["T18"](trust))
        return Verdict("unknown", f"not decided: {least.reason}", _NOBODY, (), refused)
    found = sort(least, read.policy, account=account, partition=partition, scope=scope)
    trust = Trust(text, origin, partition, own, scope, now, read.policy, read.defects, found, least.unjudged)
    exposure, undecided = _exposure(trust), ""
    if isinstance(reach, Bounds):
        # INVARIANT: an exposure that depends on what AWS does not document is unknown. The more is let in, the higher
        # the exposure, so what both bounds give holds for everything between them.
        most = sort(reach.most, read.policy, account=account, partition=partition, scope=scope)
        if _exposure(replace(trust, found=most)) != exposure:
            undecided = reach.reason
        else:
            found = replace(found, notes=(*found.notes, f"more may get in: {reach.reason}"))
        alive = frozenset(region.statement for region in reach.most.regions)
        trust = replace(trust, found=found, alive=alive)
    hits = tuple((check, hit) for check, find in checks.items() for hit in find(trust))
    open_ = [each for each in least.unjudged if each.effect == "Allow"]
    if open_:
        # INVARIANT: what is found of the others holds; nothing calmer is said than what may be found of these.
        hits = (*hits, *((UNKNOWN, Hit(f"not decided: {each}", each.entry.where)) for each in open_))
        undecided = undecided or ("" if exposure == "unguarded" else str(open_[0]))
    if undecided:
        return Verdict("unknown", f"not decided: {undecided}", found, least.assumed, hits)
    if exposure != "unreachable":
        return Verdict(exposure, "", found, least.assumed, hits)
    reason = next((hit.text for check, hit in hits if check == "T14"), "no request is let in")
    return Verdict("unreachable", reason, found, least.assumed, hits)


def _exposure(trust: Trust) -> Exposure:
    exposure = exposure_of(trust.found)
    if exposure != "unreachable" or not trust.policy.allows:
        return exposure
    named = any(True for each in trust.policy.allows for _ in trust.named(each))
    return "unreachable" if named else "internal"


def unknown(reason: str) -> Verdict:
    """The verdict where nothing could be decided."""
    return Verdict("unknown", reason, _NOBODY, (), ())
