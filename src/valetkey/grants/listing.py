"""The grants of one or several accounts as a list: what to mark, and which have a problem.

Rules:
- A grant is marked, and a problem is found, by what the reading call says (GetAccountAuthorizationDetails). It holds no
  documents of managed policies, so that "administrator" is told by AWS's own policies and by the inline documents.
- How AWS's policies have grown since they were granted costs calls (`growth.read_versions`): only `--check` asks. An
  adopted role has no record of the versions it had: that alone is no problem. A policy that was not agreed is a
  difference, and no second problem because its version is not recorded.
- RoleLastUsed is some hours behind, and a new grant is unused for a while: "never used" counts after `UNUSED_DAYS`.
  Long disuse takes its place, so that one role is not named twice for the same thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from valetkey.grants.growth import Ahead, Versions, look_ahead
from valetkey.grants.role import Owner, Role
from valetkey.grants.status import Standing
from valetkey.policy.globs import has_wildcard
from valetkey.policy.principals import is_unique_id
from valetkey.trust.record import in_tag

UNUSED_DAYS = 7
_ADMINISTRATOR = frozenset({"AdministratorAccess", "IAMFullAccess"})
"""AWS's policies with which a role can give itself everything."""


@dataclass(frozen=True)
class Use:
    """What a trail shows of one grant."""

    last: datetime | None
    """The last call that succeeded."""
    denied: int
    """Calls that AWS refused; they are no use."""
    problems: tuple[str, ...]
    """What is to be looked at, a few words each."""


@dataclass(frozen=True)
class Trail:
    """What a trail shows of the grants of one account."""

    uses: Mapping[str, Use] = field(default_factory=dict)
    """By ARN of the role."""
    not_read: tuple[str, ...] = ()
    """What could not be read, in sentences; then something may be missing."""
    unseen: tuple[str, ...] = ()
    """What the trail cannot show, in sentences."""


@dataclass(frozen=True)
class Listed:
    """One grant in a list."""

    standing: Standing
    marks: tuple[str, ...]
    """"administrator", "endless", "adopted"."""
    problems: tuple[str, ...]
    """What `list --check` finds, a few words each; empty: nothing."""
    denied: int | None = None
    """Calls that AWS refused, by the trail; None: no trail was read."""


@dataclass(frozen=True)
class Grants:
    """The grants of one account."""

    owner: Owner
    listed: tuple[Listed, ...]
    damaged: tuple[str, ...]
    """Names of roles whose record cannot be read."""
    trail: Trail | None = None

    @property
    def is_right(self) -> bool:
        """Whether `list --check` finds nothing, and nothing was left unread."""
        if self.trail is not None and self.trail.not_read:
            return False
        return not self.damaged and not any(each.problems for each in self.listed)


def listed(
    owner: Owner,
    standings: Iterable[Standing],
    damaged: Iterable[str],
    *,
    now: datetime,
    within: timedelta,
    unused: timedelta | None = None,
    versions: Mapping[str, Versions] | None = None,
    trail: Trail | None = None,
) -> Grants:
    """The list of one account. `within`: an end that is nearer is a problem; `unused`: so is a role that was not used
    for longer. `versions` are AWS's policies by ARN (`growth.read_versions`); None: whether they have grown is not
    asked. `trail` is what CloudTrail shows."""
    uses = {} if trail is None else trail.uses

    def one(found: Standing) -> Listed:
        use = uses.get(found.role.arn)
        standing = found if use is None else _used(found, use)
        ahead = look_ahead(standing, versions, now=now, unused=unused)
        problems = _problems(standing, ahead, now=now, within=within)
        if use is None:
            return Listed(standing, tuple(_marks(standing)), tuple(problems))
        return Listed(standing, tuple(_marks(standing)), (*problems, *use.problems), use.denied)

    return Grants(owner, tuple(map(one, standings)), tuple(damaged), trail)


def _used(standing: Standing, use: Use) -> Standing:
    """With the later of both last uses: RoleLastUsed is some hours behind, and a trail may lack data events."""
    seen = [each for each in (standing.role.last_used, use.last) if each is not None]
    return replace(standing, role=replace(standing.role, last_used=max(seen, default=None)))


def by_end(accounts: Iterable[Grants]) -> list[Listed]:
    """Every grant, the next end first; those without an end come last."""
    every = [each for account in accounts for each in account.listed]

    def key(each: Listed) -> tuple[bool, float, str, str]:
        until, role = each.standing.record.until, each.standing.role
        return until is None, until.timestamp() if until else 0.0, role.account, role.name.lower()

    return sorted(every, key=key)


def _marks(standing: Standing) -> Iterator[str]:
    if is_administrator(standing.role):
        yield "administrator"
    if standing.record.until is None:
        yield "endless"
    if standing.record.is_adopted:
        yield "adopted"


def is_administrator(role: Role) -> bool:
    """Whether the role can do everything, or give it to itself, by AWS's own policies or an inline one. What a boundary
    takes away is not counted."""
    names = {each.rsplit("/", 1)[-1] for each in role.managed if ":iam::aws:policy/" in each}
    return bool(names & _ADMINISTRATOR) or any(_allows_all(each) for each in role.inline.values())


def _allows_all(document: Mapping[str, Any]) -> bool:
    statements = document.get("Statement")
    for each in statements if isinstance(statements, list) else [statements]:
        if not isinstance(each, Mapping) or each.get("Effect") != "Allow":
            continue
        actions, resources = _many(each.get("Action")), _many(each.get("Resource"))
        if "*" in resources and any(str(action).lower() in ("*", "*:*", "iam:*") for action in actions):
            return True
    return False


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _problems(standing: Standing, ahead: Sequence[Ahead], *, now: datetime, within: timedelta) -> Iterator[str]:
    until, state = standing.record.until, standing.state(now)
    if standing.revoking:
        yield "a revocation is not finished"
        return
    if until is None:
        yield "has no end"
    elif until <= now:
        yield "has ended, and the role still exists"
    elif until - now <= within:
        days = round((until - now) / timedelta(days=1))
        yield f"ends in {days} days" if until - now >= timedelta(days=2) else "ends within two days"
    if gone := dict.fromkeys(filter(is_unique_id, _principals(standing.role))):
        yield f"a principal was deleted: {', '.join(gone)}"
    elif state in ("changed", "incomplete", "changing"):
        yield f"differs from its record ({state})" if state != "changing" else "a change is not finished"
    idle = [each.text for each in ahead if each.kind == "unused"]
    if not idle and standing.role.last_used is None and now - standing.role.created > timedelta(days=UNUSED_DAYS):
        idle = ["was never used"]
    yield from idle
    yield from (each.text for each in ahead if each.kind != "unused" and not _expected(each, standing))


def _expected(ahead: Ahead, standing: Standing) -> bool:
    """Whether it is no wonder that the version is not recorded: the role is adopted, or the policy was not agreed."""
    record = standing.record
    unrecorded = ahead.kind == "unknown" and ahead.about not in record.versions
    return unrecorded and (record.is_adopted or in_tag(ahead.about) not in record.managed)


def _principals(role: Role) -> Iterator[str]:
    statements = role.trust.get("Statement")
    for each in statements if isinstance(statements, list) else [statements]:
        principal = each.get("Principal") if isinstance(each, Mapping) else None
        for name in _many(principal.get("AWS")) if isinstance(principal, Mapping) else ():
            if isinstance(name, str) and not has_wildcard(name):
                yield name
