"""The grants of one or several accounts as a list, with marks and problems.

Rules:
- Marks and problems use only the result of the reading call (GetAccountAuthorizationDetails). It contains no documents
  of managed policies, so "administrator" depends on AWS's own policies and the inline documents.
- Checking how AWS's policies have grown needs calls (`growth.read_versions`): only `--check` makes them. An adopted
  role has no record of policy versions: that alone is no problem. A policy that was not agreed is a difference, and its
  missing version is not a second problem.
- RoleLastUsed has a delay of some hours, and a new grant is unused for a while: "never used" counts after
  `NEVER_USED_DAYS`. "unused" replaces it, so that one role is not listed twice for the same reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from valetkey.grants.growth import Ahead, Versions, look_ahead
from valetkey.grants.role import LiveRole, Owner
from valetkey.grants.status import Standing
from valetkey.policy.globs import has_wildcard
from valetkey.policy.principals import is_unique_id
from valetkey.trust.record import in_tag

NEVER_USED_DAYS = 7
_ADMINISTRATOR = frozenset({"AdministratorAccess", "IAMFullAccess"})
"""AWS's policies with which a role can give itself every permission."""


@dataclass(frozen=True)
class GrantUse:
    """The use of one grant in a trail."""

    last: datetime | None
    """The time of the last successful call."""
    denied: int
    """The number of calls that AWS refused; they do not count as use."""
    problems: tuple[str, ...]
    """Findings to review, a few words each."""


@dataclass(frozen=True)
class Trail:
    """The use of one account's grants in a trail."""

    uses: Mapping[str, GrantUse] = field(default_factory=dict)
    """By role ARN."""
    not_read: tuple[str, ...] = ()
    """What could not be read, in sentences; then use may be missing."""
    unseen: tuple[str, ...] = ()
    """What the trail cannot show, in sentences."""


@dataclass(frozen=True)
class Listed:
    """One grant in a list."""

    standing: Standing
    marks: tuple[str, ...]
    """Some of "administrator", "endless", "adopted"."""
    problems: tuple[str, ...]
    """The findings of `list --check`, a few words each; empty if there are none."""
    denied: int | None = None
    """The number of calls that AWS refused, from the trail; None: no trail was read."""


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
        """Whether `list --check` finds nothing, and everything was read."""
        if self.trail is not None and self.trail.not_read:
            return False
        return not self.damaged and not any(item.problems for item in self.listed)


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
    """Return the list of one account.

    `within`: a grant that ends sooner has a problem; `unused`: so has a role that was unused for longer. `versions` are
    AWS's policies by ARN (`growth.read_versions`); None: do not check whether they have grown. `trail` is the use in
    CloudTrail.
    """
    uses = {} if trail is None else trail.uses

    def one(result: Standing) -> Listed:
        use = uses.get(result.role.arn)
        standing = result if use is None else _used(result, use)
        ahead = look_ahead(standing, versions, now=now, unused=unused)
        problems = _problems(standing, ahead, now=now, within=within)
        if use is None:
            return Listed(standing, tuple(_marks(standing)), tuple(problems))
        return Listed(standing, tuple(_marks(standing)), (*problems, *use.problems), use.denied)

    return Grants(owner, tuple(map(one, standings)), tuple(damaged), trail)


def _used(standing: Standing, use: GrantUse) -> Standing:
    """Set the later of both last uses: RoleLastUsed has a delay of some hours, and a trail may lack data events."""
    seen = [item for item in (standing.role.last_used, use.last) if item is not None]
    return replace(standing, role=replace(standing.role, last_used=max(seen, default=None)))


def by_end(accounts: Iterable[Grants]) -> list[Listed]:
    """Return all grants by their end, the earliest first, those without an end last."""
    every = [item for account in accounts for item in account.listed]

    def key(listed: Listed) -> tuple[bool, float, str, str]:
        until, role = listed.standing.record.until, listed.standing.role
        return until is None, until.timestamp() if until else 0.0, role.account, role.name.lower()

    return sorted(every, key=key)


def _marks(standing: Standing) -> Iterator[str]:
    if is_administrator(standing.role):
        yield "administrator"
    if standing.record.until is None:
        yield "endless"
    if standing.record.is_adopted:
        yield "adopted"


def is_administrator(role: LiveRole) -> bool:
    """Return whether the role can do everything, or give itself every permission, by AWS's own policies or an inline
    one. A boundary is not considered."""
    names = {arn.rsplit("/", 1)[-1] for arn in role.managed if ":iam::aws:policy/" in arn}
    return bool(names & _ADMINISTRATOR) or any(_allows_all(item) for item in role.inline.values())


def _allows_all(document: Mapping[str, Any]) -> bool:
    statements = document.get("Statement")
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, Mapping) or statement.get("Effect") != "Allow":
            continue
        actions, resources = _many(statement.get("Action")), _many(statement.get("Resource"))
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
    idle = [item.text for item in ahead if item.kind == "unused"]
    if not idle and standing.role.last_used is None and now - standing.role.created > timedelta(days=NEVER_USED_DAYS):
        idle = ["was never used"]
    yield from idle
    yield from (item.text for item in ahead if item.kind != "unused" and not _expected(item, standing))


def _expected(ahead: Ahead, standing: Standing) -> bool:
    """Return whether a missing version is expected: the role is adopted, or the policy was not agreed."""
    record = standing.record
    unrecorded = ahead.kind == "unknown" and ahead.about not in record.versions
    return unrecorded and (record.is_adopted or in_tag(ahead.about) not in record.managed)


def _principals(role: LiveRole) -> Iterator[str]:
    statements = role.trust.get("Statement")
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal") if isinstance(statement, Mapping) else None
        for name in _many(principal.get("AWS")) if isinstance(principal, Mapping) else ():
            if isinstance(name, str) and not has_wildcard(name):
                yield name
