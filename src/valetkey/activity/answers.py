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
        return frozenset(each.action for each in (*self.done, *self.by_services) if each.is_listed)


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
        own = [each for each in self.sessions if role_key(each.role) == role_key(role)]
        return _distinct(action for each in own for action in each.used)

    def lines(self, by: By) -> tuple[GroupLine, ...]:
        """Group the calls, those with the most first; days in chronological order."""
        key = _KEYS[by]
        found: dict[str, list[tuple[str, str, Event]]] = {}
        for session, person, event in self._rows:
            found.setdefault(key(session, person, event), []).append((session, person, event))
        lines = [_line(name, rows) for name, rows in found.items()]
        return tuple(sorted(lines, key=lambda each: (each.key,) if by == "day" else (-each.calls, each.key)))


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
        first=min(each.at for each in events),
        last=max(each.at for each in events),
        calls=len(events),
        writes=sum(not each.error and is_write(each) for each in events),
        denied=sum(each.is_denied for each in events),
        errors=sum(bool(each.error) and not each.is_denied for each in events),
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
    for each in groups:
        if not each.acts and not any(span.holds(made.at) for made in each.made_by):
            continue
        role = _role(each)
        addresses, agents, services = known.setdefault(role_key(role), (set(), set(), set()))
        expected = _expected(each, terms)
        person, kind, shown = who(each), kind_of(each), mfa(each, required=expected.mfa)
        seen = Seen(
            group=each,
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
        sessions.append(_session(each, role, person, shown, kind, tuple(flags(seen))))
        kept += [(each.id, person.person, event) for event in each.acts]
        addresses |= {event.address for event in each.acts if event.address and not event.invoked_by}
        agents |= {family(event.agent) for event in each.acts if event.agent and not event.invoked_by}
        services |= {event.service for event in each.acts if not event.invoked_by}
    return Activity(
        roles=_distinct(each.role for each in sessions),
        sessions=tuple(sessions),
        refused=tuple(_refused(rows)),
        _rows=tuple(kept),
    )


def _expected(group: Group, terms: ExpectedByRole) -> Expected:
    keys = (role_key(_role(each)) for each in group.lineage)
    return next((terms[key] for key in keys if key is not None and key in terms), _NOTHING)


def _role(group: Group) -> str:
    """The role's ARN. A SwitchRole event alone gives it without its path."""
    found = [each.role for each in group.acts if each.role] or [each.target for each in group.made_by]
    return max(found, key=len, default="")


def _session(
    group: Group, role: str, person: TrailPerson, shown: Mfa, kind: SessionKind, found: tuple[Flag, ...]
) -> SessionActivity:
    own = [each for each in group.acts if not each.invoked_by]
    good = [each for each in own if not each.error]
    everything = [*group.acts, *group.made_by]
    return SessionActivity(
        id=group.id,
        kind=kind,
        role=role,
        role_id=group.principal.partition(":")[0],
        who=person,
        mfa=shown,
        first=min(each.at for each in everything),
        last=max(each.at for each in everything),
        parent=group.parent.id if group.parent is not None else "",
        entry=tuple(each.id for each in group.made_by),
        keys=tuple(sorted(group.keys)),
        addresses=_distinct(each.address for each in own if each.address),
        agents=_distinct(family(each.agent) for each in own if each.agent),
        regions=_distinct(each.region for each in own if each.region),
        done=calls(good),
        writes=tuple(deed(each) for each in group.acts if not each.error and is_write(each)),
        data_reads=tuple(deed(each) for each in good if each.is_data and not is_write(each)),
        denied=tuple(deed(each) for each in group.acts if each.is_denied),
        errors=tuple(deed(each) for each in group.acts if each.error and not each.is_denied),
        by_services=calls(each for each in group.acts if each.invoked_by and not each.error),
        clicks=clicks(own) if kind.name == "console" else (),
        flags=found,
        events=len(group.acts),
    )


def _refused(events: Iterable[Event]) -> Iterator[RefusedAttempt]:
    for each in events:
        if each.tie in (Tie.ENTRY, Tie.OTHER_SIDE) and each.error:
            yield RefusedAttempt(
                at=each.at,
                caller=each.caller or each.principal,
                address=each.address,
                role=each.target,
                error=each.error,
                event=each.id,
            )


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sorted(texts)))
