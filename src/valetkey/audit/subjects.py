"""The input of the checks: a trust policy with the callers that it admits, and a role with its context."""

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
    """A trust policy and the callers that it admits."""

    text: str
    origin: Origin
    partition: str
    own: frozenset[str]
    """The accounts that are not outsiders."""
    scope: Scope
    now: datetime
    policy: Policy
    defects: tuple[PolicyError, ...]
    found: Sorted
    """The callers that certainly get in."""
    unjudged: tuple[Unjudged, ...] = ()
    """Entries of Principal elements whose meaning is not known."""
    alive: frozenset[int] = frozenset()
    """Indexes of Allow statements that may admit a caller where AWS's behavior is undocumented."""

    def named(self, statement: Statement) -> Iterator[str]:
        """Yield the outsiders that an Allow statement names: "*", accounts, principals, unique ids, shared issuers."""
        principals = statement.principals
        if principals is None:
            return
        if principals.everyone:
            yield "*"
        for principal in principals.aws:
            if not (self._home(principal) and account_of(principal) in self.own):
                yield principal
        yield from principals.canonical
        for item in principals.federated:
            foreign = item.startswith("arn:") and account_of(item) not in self.own
            if foreign or issuer_of(item) is not None:
                yield item

    def _home(self, principal: str) -> bool:
        return not principal.startswith("arn:") or principal.split(":")[1] == self.partition


def account_of(principal: str) -> str:
    """The account of an AWS principal or provider; empty for a unique id."""
    if is_account(principal):
        return principal
    parts = principal.split(":")
    return parts[4] if len(parts) > 5 else ""


@dataclass(frozen=True, slots=True)
class TrustVerdict:
    """The verdict on one trust policy; it can be pickled."""

    exposure: Exposure
    reason: str
    """Why it is unknown or unreachable, or under which conditions it holds; may be empty."""
    found: Sorted
    assumed: tuple[str, ...]
    hits: tuple[tuple[str, Hit], ...]
    """The results of the checks on trust policies, each with the check's id."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One role and all input of its checks."""

    role: Role
    verdict: TrustVerdict
    powers: Powers | None
    """None where no outsider gets in."""
    record: Record | None
    damaged: str
    """Why its record cannot be read; empty where it can, or there is none."""
    drift: tuple[Difference, ...]
    quota: int
    """The maximum length of a trust policy, in characters (AssumeRolePolicySizeQuota)."""
    shared: Mapping[str, Collection[str]]
    """The outside parties from which each ExternalId is required, in the whole account."""
    scope: Scope
    now: datetime

    @property
    def outsiders(self) -> tuple[Outsider, ...]:
        """The outsiders that get in."""
        return self.verdict.found.outsiders
