"""Suspend and resume a grant: one inline deny on everything, and afterwards a deny on older sessions.

Rules:
- The trust policy does not change: it is the only place of the terms. Admitted callers can still assume the role, and
  are denied everything; such a session stays denied after `resume`, because it was issued before.
- With an end, one policy does both: it denies everything until then, and afterwards the sessions issued before.
- `resume` replaces the deny in one call, so the role is never without one.
- AWS does not document whether a session from sts:GetScopedCredentials counts as issued when its source session was
  (fact U9): `Resumed.may_live_until` is the time after which no session from before the suspension can exist.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from valetkey.account.calls import Call, CallError, Perform
from valetkey.catalog import limits
from valetkey.commandline import command
from valetkey.errors import ValetkeyError
from valetkey.grants import history
from valetkey.grants.grant import instant
from valetkey.grants.make import Interrupted, interruption
from valetkey.grants.role import Owner, compact, read_role
from valetkey.grants.status import Standing, read_standing
from valetkey.grants.waiting import Waiting, Writes
from valetkey.times import read_moment
from valetkey.trust.record import SESSIONS
from valetkey.trust.self_denies import SessionsDeny


@dataclass(frozen=True, kw_only=True)
class Suspended:
    """A grant that is suspended."""

    standing: Standing
    deny: SessionsDeny
    calls: tuple[Call, ...]
    """The calls that were performed; empty if it was already suspended like this."""


@dataclass(frozen=True, kw_only=True)
class Resumed:
    """A grant that is no longer suspended."""

    standing: Standing
    deny: SessionsDeny
    calls: tuple[Call, ...]
    """The calls that were performed; empty if it was not suspended."""
    may_live_until: datetime | None
    """When the last session issued before the suspension expires; None if none can still exist."""


def suspend(
    standing: Standing,
    *,
    until: datetime | None,
    owner: Owner,
    perform: Perform,
    now: datetime,
    waiting: Waiting,
    tell: Callable[[Call], None] = lambda call: None,
) -> Suspended:
    """Deny everything to a grant, until a time or until `resume`. Raises ValetkeyError, Interrupted."""
    _check_whole(standing)
    there = standing.sessions_deny
    if there is not None and there.suspends(now) and there.until == until:
        deny = there  # a run that was interrupted, or repeated
    else:
        since = there.since if there is not None and there.suspends(now) else None
        deny = SessionsDeny(since=since or now.replace(microsecond=0), until=until)
    what = "suspended" if until is None else f"suspended until {instant(until)}"
    return Suspended(
        standing=standing,
        deny=deny,
        calls=_put(standing, deny, what, owner=owner, perform=perform, now=now, waiting=waiting, tell=tell),
    )


def resume(
    standing: Standing,
    *,
    owner: Owner,
    perform: Perform,
    now: Callable[[], datetime],
    waiting: Waiting,
    tell: Callable[[Call], None] = lambda call: None,
) -> Resumed:
    """End a suspension: sessions issued before now stay denied. `now` is AWS's time. Raises ValetkeyError,
    Interrupted."""
    _check_whole(standing)
    there = standing.sessions_deny
    if there is None:
        raise ValetkeyError(
            f"{standing.role.name} is not suspended", do=f"see `{command('valetkey show', standing.role.name)}`"
        )
    at = now()
    if there.since is None:
        deny, lives = there, None  # already resumed: a run that was interrupted, or repeated
    else:
        has_ended = there.until is not None and there.until <= at
        deny = there if has_ended else SessionsDeny.of_before(at)
        ends = there.since + timedelta(seconds=_longest(standing))
        lives = ends if ends > at else None
    calls = _put(standing, deny, "resumed", owner=owner, perform=perform, now=at, waiting=waiting, tell=tell)
    return Resumed(standing=standing, deny=deny, calls=calls, may_live_until=lives)


def suspensions(standing: Standing) -> tuple[tuple[datetime, datetime | None], ...]:
    """Return the start and end of each suspension (end None: still suspended), in order: from the deny on the role, and
    from the lines of its last changes, which anyone who can tag the role can write."""
    result: list[tuple[datetime, datetime | None]] = []
    begun: tuple[datetime, datetime | None] | None = None
    for change in reversed(history.read(standing.record.changes)):
        at, end = _time(change.at), _time(change.what.removeprefix("suspended until "))
        if at is None:
            continue
        if change.what == "suspended" or end is not None:
            # Suspended again before the end: a new end, and the same start.
            running = begun is not None and (begun[1] is None or at < begun[1])
            if begun is not None and not running:
                result.append(begun)
            begun = (begun[0] if begun is not None and running else at, end)
        elif change.what == "resumed" and begun is not None:
            result.append((begun[0], at if begun[1] is None else min(at, begun[1])))
            begun = None
    deny = standing.sessions_deny
    if deny is not None and deny.since is not None:
        begun = (deny.since, deny.until)
    elif begun is not None and begun[1] is None:
        begun = None  # the role has no deny: the time of its removal is not known
    return (*result, *([begun] if begun is not None else []))


def _time(text: str) -> datetime | None:
    try:
        return read_moment(text)
    except ValueError:
        return None


def _longest(standing: Standing) -> int:
    """Return the longest duration of a session in seconds; AWS's maximum if the limit was changed recently."""
    if any(" session " in change for change in standing.record.changes):
        return limits.ROLE_SESSION_MAX
    return standing.role.max_session or standing.record.session


def _check_whole(standing: Standing) -> None:
    name = standing.role.name
    if standing.revoking:
        raise ValetkeyError(
            f"a revocation of {name} is in progress, which denies everything permanently",
            do=f"finish it: `{command('valetkey revoke', name)}`",
            exit_code=1,
        )
    if SESSIONS in standing.role.inline and standing.sessions_deny is None:
        raise ValetkeyError(
            f"the inline policy {SESSIONS} of {name} was changed: it is not one that valetkey writes",
            do=f"see `{command('valetkey show', name)}`, and delete or correct that policy first; nothing was changed",
            where=standing.role.arn,
            exit_code=1,
        )


def _put(
    standing: Standing,
    deny: SessionsDeny,
    what: str,
    *,
    owner: Owner,
    perform: Perform,
    now: datetime,
    waiting: Waiting,
    tell: Callable[[Call], None],
) -> tuple[Call, ...]:
    """Write the deny first, then the line of the history. Each is skipped if it exists already."""
    name, record = standing.role.name, standing.record
    about = {"RoleName": name}
    calls = []
    if standing.sessions_deny != deny:
        put = {"PolicyName": SESSIONS, "PolicyDocument": compact(deny.document)}
        calls.append(Call("iam", "put_role_policy", {**about, **put}))
    newest = next(iter(history.read(record.changes)), None)
    if calls or newest is None or newest.what != what:
        tags = history.pushed(record.changes, history.entry(what, at=now, caller=owner.arn))
        calls.append(Call("iam", "tag_role", {**about, "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}))
    writes = Writes(perform, waiting, tell)
    try:
        for call in calls:
            writes.one(call)
        seen = waiting.until(lambda: _shows(perform, name, deny)) if calls else True
    except CallError as error:
        raise _interrupted(standing, error.what, writes, error.do).with_details(error.details) from None
    except KeyboardInterrupt:
        raise _interrupted(standing, interruption(writes.begun), writes, exit_code=130) from None
    if seen is None:
        raise _interrupted(standing, f"AWS does not show the deny on {name} yet", writes)
    return tuple(writes.done)


def _shows(perform: Perform, name: str, deny: SessionsDeny) -> bool | None:
    role = read_role(perform, name)
    return True if role is not None and read_standing(role).sessions_deny == deny else None


def _interrupted(standing: Standing, what: str, writes: Writes, advice: str = "", *, exit_code: int = 3) -> Interrupted:
    unsure = "the deny may be on the role" if writes.begun else "nothing was changed"
    holds = "the deny is on the role" if writes.done else unsure
    return Interrupted(
        what,
        do=f"{f'{advice}; then ' if advice else ''}run the same command again to finish; {holds}",
        where=standing.role.arn,
        exit_code=exit_code,
    )
