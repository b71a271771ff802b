"""What the checks read: a trust policy with who can assume the role by it, and a role with everything around it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from valetkey.account.values import Role
from valetkey.audit.exposure import Exposure, Outsider, Sorted
from valetkey.audit.findings import Hit
from valetkey.audit.issuers import issuer_of
from valetkey.audit.permissions import Powers
from valetkey.audit.scope import Scope
from valetkey.errors import PolicyError
from valetkey.policy.arns import is_account
from valetkey.policy.legible import Unjudged
from valetkey.policy.origin import Origin
from valetkey.policy.statements import Policy, Statement
from valetkey.trust.drift import Difference
from valetkey.trust.record import Record


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
            if foreign or issuer_of(each) is not None:
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


@dataclass(frozen=True, slots=True)
class Subject:
    """One role and everything that its checks read."""

    role: Role
    verdict: Verdict
    powers: Powers | None
    """None where no outsider gets in."""
    record: Record | None
    damaged: str
    """Why its record cannot be read; empty when it can, or has none."""
    drift: tuple[Difference, ...]
    quota: int
    """Characters that a trust policy may have (AssumeRolePolicySizeQuota)."""
    shared: Mapping[str, Collection[str]]
    """Of the whole account: the outside parties that each ExternalId is asked of."""
    scope: Scope
    now: datetime

    @property
    def outsiders(self) -> tuple[Outsider, ...]:
        """Outsiders that get in."""
        return self.verdict.found.outsiders
