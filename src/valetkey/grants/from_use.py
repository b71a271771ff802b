"""A smaller policy, proposed from what was used.

Rules:
- The proposal is cut out of the policies that the owner chose: the same resources, conditions and Denies, fewer
  actions. So it allows nothing that they do not, which is proved; what would be lost is shown by the same proof.
- Only what is known to be unused goes. Where the source says "the service was used" and not by which action, what is
  allowed of the service stays; so do the actions that the source does not tell apart.
- A denied call is no use: what the role's own policies deny is not in them, hence not in the proposal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from valetkey.catalog.actions import expand, listed
from valetkey.grants.consolidated import Kind, Rule, as_document, by_service, least, merged, opened_by, taken_apart
from valetkey.grants.effective import Effective, Named
from valetkey.policy import parse_policy
from valetkey.policy.statements import Statement
from valetkey.prover.comparison import Within, within

MOST_INLINE = 10_240
"""Characters of all inline policies of a role together, blanks not counted (IAM User Guide, reference_iam-quotas)."""


@dataclass(frozen=True)
class Use:
    """What was used, as far as a source knows."""

    source: str
    """In words, with its time."""
    actions: frozenset[str]
    """IAM actions, lower-cased."""
    services: frozenset[str] = frozenset()
    """Services (prefixes) that were used, and the source does not say by which action."""
    tracked: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By service that was used: the actions, lower-cased, of which the source would know. None given: all."""
    notes: tuple[str, ...] = ()
    """What the source does not show."""

    def keeps(self, action: str) -> bool:
        """Whether an action, lower-cased, stays: it was used, or may have been."""
        service = action.partition(":")[0]
        if action in self.actions or service in self.services:
            return True
        return service in self.tracked and action not in self.tracked[service]


@dataclass(frozen=True)
class Proposal:
    """A smaller policy, with what is proved of it."""

    document: dict[str, Any]
    use: Use
    used: tuple[str, ...]
    """Actions that were used and are allowed, in order."""
    kept_unseen: int
    """Actions that stay because the source does not tell whether they were used."""
    lost: dict[str, dict[Kind, tuple[str, ...]]]
    """Actions that would no longer be allowed, by service and kind."""
    not_allowed: tuple[str, ...]
    """Used, and not allowed by the policies as they are: by the policy of a resource, or by other policies at the
    time."""
    smaller: Within
    """That it allows nothing that the policies do not."""
    rest: Within
    """What the policies allow and it does not; `holds` when nothing would be lost."""

    @property
    def characters(self) -> int:
        """How long the document is, as AWS counts it."""
        return len(json.dumps(self.document, separators=(",", ":")))


def propose(effective: Effective, use: Use) -> Proposal:
    """Cut the owner's policies down to what was used. Raises InternalError."""
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


def _smaller(policies: tuple[Named, ...], use: Use) -> dict[str, Any]:
    allows = [cut for each in policies for statement in each.policy.allows if (cut := _cut(statement, use)) is not None]
    return as_document(merged(allows), (taken_apart(each) for named in policies for each in named.policy.denies))


def _cut(statement: Statement, use: Use) -> Rule | None:
    actions = least(list(dict.fromkeys(_kept(statement, use))))
    return replace(taken_apart(statement), actions=tuple(actions), not_action=False) if actions else None


def _kept(statement: Statement, use: Use) -> Iterator[str]:
    """Of the actions that a statement allows, those that stay; a pattern whose actions all stay, as it is."""
    for pattern in () if statement.not_action else statement.actions:
        service = pattern.lower().partition(":")[0]
        if service in use.services:
            yield pattern
    for action in use.actions:
        if statement.covers_action(action):
            yield listed(action) or action
    for service in use.services:
        if statement.not_action or any(_wide(each) for each in statement.actions):
            yield from (each for each in expand(f"{service}:*") if statement.covers_action(each.lower()))
    for service, tracked in use.tracked.items():
        for action in expand(f"{service}:*"):
            if action.lower() not in tracked and statement.covers_action(action.lower()):
                yield action


def _wide(pattern: str) -> bool:
    """Whether the service of a pattern is a pattern itself."""
    service = pattern.partition(":")[0]
    return "*" in service or "?" in service
