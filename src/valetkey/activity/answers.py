"""The answer: sessions with their calls and flags, and refused attempts. Computed from rows alone, so that every engine
with the same rows gives the same answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from valetkey.activity.deeds import Calls, Click, Deed, action, calls, clicks, deed, is_write
from valetkey.activity.events import Event, Tie, role_key
from valetkey.activity.expected import Expected, ExpectedByRole
from valetkey.activity.flags import Flag, Seen, approvals, family, flags
from valetkey.activity.kinds import SessionKind, kind_of
from valetkey.activity.layout import TimeSpan
from valetkey.activity.people import Mfa, TrailPerson, mfa, who
from valetkey.activity.sessions import Group, group

By = Literal["session", "person", "action", "day", "ip"]


@dataclass(frozen=True, kw_only=True)
class SessionActivity:
    """One session of a role."""

    id: str
    kind: SessionKind
    role: str
    """ARN of the role, as in the events."""
    role_id: str
    """Unique id: a different id under the same name is a different role."""
    who: TrailPerson
    mfa: Mfa
    first: datetime
    last: datetime
    parent: str
    """Id of the session that made it; empty: none."""
    entry: tuple[str, ...]
    """eventIDs of the calls that made it."""
    keys: tuple[str, ...]
    addresses: tuple[str, ...]
    agents: tuple[str, ...]
    regions: tuple[str, ...]
    done: tuple[Calls, ...]
    """Successful calls that the session made itself."""
    writes: tuple[Deed, ...]
    data_reads: tuple[Deed, ...]
    denied: tuple[Deed, ...]
    errors: tuple[Deed, ...]
    """Calls that failed for another reason."""
    by_services: tuple[Calls, ...]
    """Calls that services made for the session."""
    clicks: tuple[Click, ...]
    """For a console: what was opened."""
    flags: tuple[Flag, ...]
    events: int
    """Number of events, without those that made the session."""

    @property
    def used(self) -> frozenset[str]:
        """The IAM actions that the session used, or that services used for it; never denied or failed ones. Calls
        without an IAM action are not included."""
        return frozenset(item.action for item in (*self.done, *self.by_services) if item.is_listed)


@dataclass(frozen=True, kw_only=True)
class GroupLine:
    """One row of a grouping other than by session."""

    key: str
    sessions: tuple[str, ...]
    people: tuple[str, ...]
    first: datetime
    last: datetime
    calls: int
    writes: int
    denied: int
    errors: int


@dataclass(frozen=True, kw_only=True)
class RefusedAttempt:
    """A refused attempt to assume the role; only the caller's trail has it."""

    at: datetime
    caller: str
    address: str
    role: str
    error: str
    event: str


@dataclass(frozen=True, kw_only=True)
class Activity:
    """What was done through roles."""

    roles: tuple[str, ...]
    sessions: tuple[SessionActivity, ...]
    refused: tuple[RefusedAttempt, ...]
    _rows: tuple[tuple[str, str, Event], ...] = ()
    """Session, person and event, for the groupings."""

    def used(self, role: str) -> tuple[str, ...]:
        """The IAM actions that a role's own sessions used, sorted. Calls of a session in a further role count for that
        role."""
        own = [activity for activity in self.sessions if role_key(activity.role) == role_key(role)]
        return _distinct(action for activity in own for action in activity.used)

    def lines(self, by: By) -> tuple[GroupLine, ...]:
        """Group the calls, those with the most first; days in chronological order."""
        key = _KEYS[by]
        result: dict[str, list[tuple[str, str, Event]]] = {}
        for session, person, event in self._rows:
            result.setdefault(key(session, person, event), []).append((session, person, event))
        lines = [_line(name, rows) for name, rows in result.items()]
        return tuple(sorted(lines, key=lambda line: (line.key,) if by == "day" else (-line.calls, line.key)))


_NOTHING = Expected()
_KEYS: Mapping[By, Callable[[str, str, Event], str]] = {
    "session": lambda session, person, event: session,
    "person": lambda session, person, event: person,
    "action": lambda session, person, event: action(event),
    "day": lambda session, person, event: f"{event.at:%Y-%m-%d}",
    "ip": lambda session, person, event: event.invoked_by or event.address,
}


def _line(key: str, rows: Sequence[tuple[str, str, Event]]) -> GroupLine:
    events = [event for _, _, event in rows]
    return GroupLine(
        key=key,
        sessions=_distinct(session for session, _, _ in rows),
        people=_distinct(person for _, person, _ in rows),
        first=min(item.at for item in events),
        last=max(item.at for item in events),
        calls=len(events),
        writes=sum(not item.error and is_write(item) for item in events),
        denied=sum(item.is_denied for item in events),
        errors=sum(bool(item.error) and not item.is_denied for item in events),
    )


def answer(
    events: Iterable[Event],
    *,
    terms: ExpectedByRole = MappingProxyType({}),
    span: TimeSpan = TimeSpan(),  # noqa: B008 - frozen
) -> Activity:
    """Return sessions, flags and refused attempts, from the rows of the requested roles.

    A session is checked against the terms of its role. In a further role without terms, the terms of the session that
    made it apply.
    A session that was made before the period and did nothing in it is not in the answer.
    """
    rows = list(events)
    groups = group(rows)
    allowed = approvals(rows)
    sessions: list[SessionActivity] = []
    kept: list[tuple[str, str, Event]] = []
    known: dict[tuple[str, str] | None, tuple[set[str], set[str], set[str]]] = {}
    for item in groups:
        if not item.acts and not any(span.holds(made.at) for made in item.made_by):
            continue
        role = _role(item)
        addresses, agents, services = known.setdefault(role_key(role), (set(), set(), set()))
        expected = _expected(item, terms)
        person, kind, shown = who(item), kind_of(item), mfa(item, required=expected.mfa)
        seen = Seen(
            group=item,
            who=person,
            mfa=shown,
            kind=kind.name,
            expected=expected,
            is_first=not (addresses or agents or services),
            addresses=frozenset(addresses),
            agents=frozenset(agents),
            services=frozenset(services),
            approvals=allowed,
        )
        sessions.append(_session(item, role, person, shown, kind, tuple(flags(seen))))
        kept += [(item.id, person.person, event) for event in item.acts]
        addresses |= {event.address for event in item.acts if event.address and not event.invoked_by}
        agents |= {family(event.agent) for event in item.acts if event.agent and not event.invoked_by}
        services |= {event.service for event in item.acts if not event.invoked_by}
    return Activity(
        roles=_distinct(activity.role for activity in sessions),
        sessions=tuple(sessions),
        refused=tuple(_refused(rows)),
        _rows=tuple(kept),
    )


def _expected(group: Group, terms: ExpectedByRole) -> Expected:
    keys = (role_key(_role(item)) for item in group.lineage)
    return next((terms[key] for key in keys if key is not None and key in terms), _NOTHING)


def _role(group: Group) -> str:
    """The role's ARN. A SwitchRole event alone gives it without its path."""
    result = [event.role for event in group.acts if event.role] or [event.target for event in group.made_by]
    return max(result, key=len, default="")


def _session(
    group: Group, role: str, person: TrailPerson, shown: Mfa, kind: SessionKind, flags: tuple[Flag, ...]
) -> SessionActivity:
    own = [event for event in group.acts if not event.invoked_by]
    good = [event for event in own if not event.error]
    everything = [*group.acts, *group.made_by]
    return SessionActivity(
        id=group.id,
        kind=kind,
        role=role,
        role_id=group.principal.partition(":")[0],
        who=person,
        mfa=shown,
        first=min(event.at for event in everything),
        last=max(event.at for event in everything),
        parent=group.parent.id if group.parent is not None else "",
        entry=tuple(event.id for event in group.made_by),
        keys=tuple(sorted(group.keys)),
        addresses=_distinct(event.address for event in own if event.address),
        agents=_distinct(family(event.agent) for event in own if event.agent),
        regions=_distinct(event.region for event in own if event.region),
        done=calls(good),
        writes=tuple(deed(event) for event in group.acts if not event.error and is_write(event)),
        data_reads=tuple(deed(event) for event in good if event.is_data and not is_write(event)),
        denied=tuple(deed(event) for event in group.acts if event.is_denied),
        errors=tuple(deed(event) for event in group.acts if event.error and not event.is_denied),
        by_services=calls(event for event in group.acts if event.invoked_by and not event.error),
        clicks=clicks(own) if kind.name == "console" else (),
        flags=flags,
        events=len(group.acts),
    )


def _refused(events: Iterable[Event]) -> Iterator[RefusedAttempt]:
    for event in events:
        if event.tie in (Tie.ENTRY, Tie.OTHER_SIDE) and event.error:
            yield RefusedAttempt(
                at=event.at,
                caller=event.caller or event.principal,
                address=event.address,
                role=event.target,
                error=event.error,
                event=event.id,
            )


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sorted(texts)))
