"""Grouping of events into sessions, by credential rather than by event.

Rules, in this order (CloudTrail sets some fields only on some services' events, so one event that has them decides for
all events of its credential):
1. `signInSessionArn`: one sign-in, even if its keys change.
2. A console: principal and creation time. The console makes a new access key for every request.
3. The access key: CLI, SDKs, chained roles.
4. Principal and creation time, where there is no key.
5. Otherwise, a pause of half an hour separates sessions.
CreateOAuth2Token names the session that it makes, not the session that calls it. Calls that a service makes for a
session have their own key and belong to that session.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from valetkey.activity.events import Event, Tie, instant

_PAUSE = timedelta(minutes=30)
_NEAR = timedelta(minutes=5)
"""Maximum time between a step of a console sign-in without creation time and the creation of its session."""
_NOW, _SECOND = timedelta(), timedelta(seconds=1)

Anchor = tuple[str, str, str]
"""Identity of a session: the rule that applies, and the values it groups by."""


@dataclass
class Group:
    """The events of one session, in order of time."""

    anchor: Anchor
    acts: list[Event] = field(default_factory=list)
    entries: list[Event] = field(default_factory=list)
    """AssumeRole events that made it, from the trail of the role's account: by an outsider, or by another session."""
    other_side: list[Event] = field(default_factory=list)
    """The same, from the trail of the caller's account."""
    parent: Group | None = None
    """The session that made this one: by AssumeRole, login export or scoped credentials."""

    @property
    def id(self) -> str:
        """A short id, the same with every engine."""
        return hashlib.sha256("\0".join(self.anchor).encode()).hexdigest()[:10]

    @property
    def principal(self) -> str:
        """Unique id of the role and session name."""
        return next(
            (event.principal for event in self.acts if event.principal),
            next((event.issued_principal for event in self.made_by), ""),
        )

    @property
    def created(self) -> str:
        """Creation time, as written in the record."""
        return next((event.created for event in self.acts if event.created), "")

    @property
    def keys(self) -> frozenset[str]:
        """Its access key ids."""
        return frozenset(event.key for event in self.acts if event.key) | {
            event.issued_key for event in self.made_by if event.issued_key
        }

    @property
    def made_by(self) -> list[Event]:
        """The calls that made it, from both accounts' trails."""
        return self.entries + self.other_side

    @property
    def lineage(self) -> list[Group]:
        """This session, its parent, and so on to the first. Stops at a cycle, which records can contain."""
        groups: list[Group] = []
        at: Group | None = self
        while at is not None and all(at is not item for item in groups):
            groups.append(at)
            at = at.parent
        return groups


def group(events: Iterable[Event]) -> list[Group]:
    """Group the events of roles into sessions, in order of time. Refused entries are in no session."""
    ordered = sorted(events, key=lambda event: (event.at, event.id))
    acts = [event for event in ordered if event.tie is Tie.ACT]
    groups = _grouped(acts)
    _enter(groups, ordered)
    _descend(groups)
    result = [item for item in groups.values() if item.acts or item.made_by]
    return sorted(result, key=lambda item: (_began(item), item.anchor))


def _began(group: Group) -> datetime:
    return min(event.at for event in (*group.acts, *group.made_by))


def _pair(event: Event) -> Anchor:
    return "made", event.principal, event.created


def _credential(event: Event) -> Anchor | None:
    """The credential that signed an event; None if the record does not contain it."""
    if event.from_console and event.created:
        return _pair(event)
    if event.key:
        return "key", event.key, ""
    if event.sign_in:
        return "sign-in", event.sign_in, ""
    return _pair(event) if event.created else None


def _grouped(acts: Sequence[Event]) -> dict[Anchor, Group]:
    credentials: dict[Anchor, list[Event]] = defaultdict(list)
    loose: list[Event] = []
    for event in acts:
        credential = _credential(event)
        loose.append(event) if credential is None else credentials[credential].append(event)
    consoles = {_pair(act) for act in acts if act.from_console and act.created}
    groups: dict[Anchor, Group] = {}
    served: list[tuple[Anchor, list[Event]]] = []
    for credential, events in credentials.items():
        anchor = _anchor(credential, events, consoles)
        if anchor[0] == "key" and all(item.invoked_by for item in events):
            served.append((anchor, events))
        else:
            groups.setdefault(anchor, Group(anchor)).acts.extend(events)
    by_pair: dict[Anchor, Anchor] = {}
    for anchor, item in groups.items():
        for event in item.acts:
            if event.created:
                by_pair.setdefault(_pair(event), anchor)
    for anchor, events in served:
        home = by_pair.get(_pair(events[0]), anchor) if events[0].created else anchor
        groups.setdefault(home, Group(home)).acts.extend(events)
    _place(loose, groups)
    for item in groups.values():
        item.acts.sort(key=lambda event: (event.at, event.id))
    return groups


def _anchor(credential: Anchor, events: Sequence[Event], consoles: set[Anchor]) -> Anchor:
    for event in events:
        if event.sign_in:
            return "sign-in", event.sign_in, ""
    if credential[0] != "key":
        return credential
    # Some services do not mark calls from the console yet: the browser's user agent shows it.
    pair = _pair(events[0])
    if pair in consoles and all(is_console_agent(item.agent) for item in events):
        return pair
    return credential


def is_console_agent(agent: str) -> bool:
    """Whether a user agent is a browser's or the console's own."""
    return agent.startswith(("Mozilla/", "[S3Console", "console.", "signin.", "AWS Internal", "[Mozilla"))


def _place(loose: Sequence[Event], groups: dict[Anchor, Group]) -> None:
    """Place events without key and creation time: in a session created at about that time, otherwise by pauses."""
    by_principal: dict[str, list[Group]] = defaultdict(list)
    for item in groups.values():
        by_principal[item.principal].append(item)
    last: dict[str, tuple[datetime, Group]] = {}
    for event in loose:
        near = [
            (abs(made - event.at), number)
            for number, item in enumerate(by_principal[event.principal])
            if item.anchor[0] == "made" and (made := instant(item.created)) is not None
        ]
        if near and min(near)[0] <= _NEAR:
            by_principal[event.principal][min(near)[1]].acts.append(event)
            continue
        before = last.get(event.principal)
        if before is None or event.at - before[0] > _PAUSE:
            anchor = ("pause", event.principal, event.at.isoformat())
            home = groups.setdefault(anchor, Group(anchor))
        else:
            home = before[1]
        home.acts.append(event)
        last[event.principal] = (event.at, home)


def _enter(groups: dict[Anchor, Group], events: Sequence[Event]) -> None:
    """Attach each call that made a session to that session, by the issued key, or by principal and second."""
    by_key: dict[str, Group] = {}
    by_second: dict[tuple[str, datetime], Group] = {}
    for item in groups.values():
        for event in item.acts:
            if event.key:
                by_key.setdefault(event.key, item)
            made = instant(event.created) if event.created and item.anchor[0] != "key" else None
            if made is not None and event.principal:
                by_second.setdefault((event.principal, made.replace(microsecond=0)), item)
    for event in events:
        if not event.target or not event.issued_key or event.error:
            continue
        home = by_key.get(event.issued_key)
        if home is None:
            second = event.at.replace(microsecond=0)
            near = (by_second.get((event.issued_principal, second + shift)) for shift in (_NOW, _SECOND, -_SECOND))
            home = next((item for item in near if item is not None), None)
        if home is None:
            # The session made no calls, or none that were read.
            anchor = ("key", event.issued_key, "")
            home = by_key[event.issued_key] = groups.setdefault(anchor, Group(anchor))
        (home.other_side if event.tie is Tie.OTHER_SIDE else home.entries).append(event)


def _descend(groups: dict[Anchor, Group]) -> None:
    """Set the parent of each session."""
    of_event = {event.id: item for item in groups.values() for event in item.acts}
    makers = [
        (event, item)
        for item in groups.values()
        for event in item.acts
        if event.name in ("CreateOAuth2Token", "GetScopedCredentials")
    ]
    by_sign_in = {event.minted_sign_in: maker for event, maker in makers if event.minted_sign_in}
    by_key = {event.issued_key: maker for event, maker in makers if event.issued_key}
    by_pair = {_pair(event): maker for event, maker in makers if event.created and not event.token_for}
    for item in groups.values():
        parent = next((of_event[event.id] for event in item.entries if event.id in of_event), None)
        if parent is None and item.anchor[0] == "sign-in":
            parent = by_sign_in.get(item.anchor[1])
        if parent is None:
            parent = next((by_key[key] for key in sorted(item.keys) if key in by_key), None)
        if parent is None and item.anchor[0] == "key" and not item.made_by and item.acts and item.created:
            # `aws login`: the same principal and creation time as the console session that exported it.
            parent = by_pair.get(_pair(item.acts[0]))
        if parent is not item:
            item.parent = parent
