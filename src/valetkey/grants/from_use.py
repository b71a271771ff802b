"""Propose a smaller policy from recorded use.

Rules:
- The proposal is a subset of the policies that the owner chose: the same resources, conditions and Denies, fewer
  actions. So it allows nothing that they do not, which is proved; the same proof shows what would be lost.
- Only actions that are known to be unused are removed. If the source reports use of a service without actions,
  everything allowed for the service stays; so do actions that the source does not track.
- A denied call is not use: actions that the role's own policies deny are not in these policies, and so not in the
  proposal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from valetkey.catalog.actions import expand, listed
from valetkey.grants.consolidated import (
    AccessKind,
    Rule,
    as_document,
    by_service,
    least,
    merged,
    opened_by,
    taken_apart,
)
from valetkey.grants.effective import Effective, Named
from valetkey.policy import parse_policy
from valetkey.policy.statements import Statement
from valetkey.prover.comparison import Within, within

MOST_INLINE = 10_240
"""Characters of all inline policies of a role together, whitespace not counted (IAM User Guide,
reference_iam-quotas)."""


@dataclass(frozen=True)
class UsedActions:
    """What was used, as far as a source records it."""

    source: str
    """A description with its time."""
    actions: frozenset[str]
    """IAM actions, lower-cased."""
    services: frozenset[str] = frozenset()
    """Services (prefixes) that were used, for which the source does not record actions."""
    tracked: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """For each used service: the actions, lower-cased, that the source would record. A service without an entry: all
    actions."""
    notes: tuple[str, ...] = ()
    """What the source does not show."""

    def keeps(self, action: str) -> bool:
        """Return whether an action, lower-cased, stays: it was used, or may have been."""
        service = action.partition(":")[0]
        if action in self.actions or service in self.services:
            return True
        return service in self.tracked and action not in self.tracked[service]


@dataclass(frozen=True)
class Proposal:
    """A smaller policy, with the proofs about it."""

    document: dict[str, Any]
    use: UsedActions
    used: tuple[str, ...]
    """Actions that were used and are allowed, in order."""
    kept_unseen: int
    """The number of actions that stay because the source does not show whether they were used."""
    lost: dict[str, dict[AccessKind, tuple[str, ...]]]
    """Actions that would no longer be allowed, by service and kind."""
    not_allowed: tuple[str, ...]
    """Actions that were used and are not allowed by the present policies: they were allowed by a resource policy, or by
    other policies at the time."""
    smaller: Within
    """Whether it allows nothing that the policies do not."""
    rest: Within
    """What the policies allow and it does not; `holds` if nothing would be lost."""

    @property
    def characters(self) -> int:
        """The length of the document, as AWS counts it."""
        return len(json.dumps(self.document, separators=(",", ":")))


def propose(effective: Effective, use: UsedActions) -> Proposal:
    """Reduce the owner's policies to what was used. Raises InternalError."""
    chosen = effective.owners()
    document = _smaller(chosen, use)
    now = replace(effective, policies=chosen)
    policy = parse_policy(document, kind="identity")
    then = replace(effective, policies=(Named("proposal", policy, document),))
    before, after = opened_by(now.sides)[0], opened_by(then.sides)[0]
    return Proposal(
        document=document,
        use=use,
        used=tuple(sorted(use.actions & after)),
        kept_unseen=len(after - use.actions),
        lost=by_service(before - after),
        not_allowed=tuple(sorted(use.actions - before)),
        smaller=within(then.sides, now.sides, caller=effective.role_arn),
        rest=within(now.sides, then.sides, caller=effective.role_arn),
    )


def _smaller(policies: tuple[Named, ...], use: UsedActions) -> dict[str, Any]:
    allows = [
        cut for policy in policies for statement in policy.policy.allows if (cut := _cut(statement, use)) is not None
    ]
    return as_document(merged(allows), (taken_apart(deny) for named in policies for deny in named.policy.denies))


def _cut(statement: Statement, use: UsedActions) -> Rule | None:
    actions = least(list(dict.fromkeys(_kept(statement, use))))
    return replace(taken_apart(statement), actions=tuple(actions), not_action=False) if actions else None


def _kept(statement: Statement, use: UsedActions) -> Iterator[str]:
    """Yield the actions that stay, of those that a statement allows; a pattern whose actions all stay is unchanged."""
    for pattern in () if statement.not_action else statement.actions:
        service = pattern.lower().partition(":")[0]
        if service in use.services:
            yield pattern
    for action in use.actions:
        if statement.covers_action(action):
            yield listed(action) or action
    for service in use.services:
        if statement.not_action or any(_wide(item) for item in statement.actions):
            yield from (item for item in expand(f"{service}:*") if statement.covers_action(item.lower()))
    for service, tracked in use.tracked.items():
        for action in expand(f"{service}:*"):
            if action.lower() not in tracked and statement.covers_action(action.lower()):
                yield action


def _wide(pattern: str) -> bool:
    """Return whether the service of a pattern contains a wildcard."""
    service = pattern.partition(":")[0]
    return "*" in service or "?" in service
