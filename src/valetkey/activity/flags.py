"""Flags: what an owner should look at, each with the ids of the events that show it. A table with one row per flag.

A flag is not a verdict. "New" means: not in any earlier session that was read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from valetkey.activity.deeds import is_write, level
from valetkey.activity.events import APPROVING, Event, Tie, role_key
from valetkey.activity.expected import Expected
from valetkey.activity.kinds import mints_agent
from valetkey.activity.people import Mfa, TrailPerson
from valetkey.activity.sessions import Group

_MOST_IDS = 20
"""Event ids that a flag names; further ones are counted."""


@dataclass(frozen=True)
class Flag:
    """One thing to look at."""

    code: str
    words: str
    events: tuple[str, ...]
    """The first eventIDs."""
    count: int
    """Number of events that show it."""


@dataclass(frozen=True)
class Seen:
    """One session, with the values that occurred in earlier sessions."""

    group: Group
    who: TrailPerson
    mfa: Mfa
    kind: str
    expected: Expected
    is_first: bool
    addresses: frozenset[str]
    agents: frozenset[str]
    services: frozenset[str]
    approvals: tuple[Event, ...]


FlaggedEvents = Iterable[tuple[str, Sequence[Event]]]
"""Message, and the events that show it."""


def family(agent: str) -> str:
    """The program behind a user agent, without its version: "aws-cli", "Boto3", "a browser"."""
    if agent.startswith(("Mozilla/", "[Mozilla")):
        return "a browser"
    for name in ("aws-cli", "Terraform", "Pulumi", "Boto3", "aws-sdk-go-v2", "aws-sdk-js", "aws-sdk-java", "Botocore"):
        if name.lower() in agent.lower():
            return name
    return re.split(r"[/ ]", agent, maxsplit=1)[0].strip("[]") or "none"


def _people(group: Group) -> list[Event]:
    """Events of the person, without calls that services made for the session."""
    return [event for event in group.acts if not event.invoked_by]


def _no_mfa(seen: Seen) -> FlaggedEvents:
    if seen.mfa == "no" and seen.group.parent is None:
        yield "entered without MFA", seen.group.made_by or seen.group.acts


def _mfa_not_shown(seen: Seen) -> FlaggedEvents:
    if seen.mfa == "not shown" and seen.group.parent is None and seen.kind != "delegate":
        yield "MFA is not shown: give the caller's trail too, if you have it", seen.group.made_by or seen.group.acts


def _not_listed(seen: Seen) -> FlaggedEvents:
    if not seen.expected.people:
        return
    who = seen.who
    for what, name in (
        ("source identity", who.source_identity),
        ("caller", who.caller.rpartition("/")[2]),
        ("session name", "" if who.source_identity or who.caller else who.session_name),
    ):
        if name and name not in seen.expected.people:
            yield f"the {what} {name} is not on the grant's list", seen.group.made_by or seen.group.acts[:1]


def _new_address(seen: Seen) -> FlaggedEvents:
    yield from _new(seen, seen.addresses, lambda event: event.address, "address")


def _new_agent(seen: Seen) -> FlaggedEvents:
    yield from _new(seen, seen.agents, lambda event: family(event.agent), "user agent")


def _new_service(seen: Seen) -> FlaggedEvents:
    yield from _new(seen, seen.services, lambda event: event.service, "service")


def _new(seen: Seen, known: frozenset[str], value: Callable[[Event], str], what: str) -> FlaggedEvents:
    if seen.is_first:
        return
    result: dict[str, list[Event]] = {}
    for event in _people(seen.group):
        if value(event) and value(event) not in known:
            result.setdefault(value(event), []).append(event)
    for name, events in sorted(result.items()):
        yield f"first use of the {what} {name}", events


def _after_end(seen: Seen) -> FlaggedEvents:
    until = seen.expected.until
    late = [event for event in seen.group.acts if until is not None and event.at >= until]
    if late:
        yield f"called after the end of the grant, {_succeeded(late)}", late


def _suspended(seen: Seen) -> FlaggedEvents:
    during = [
        event
        for event in seen.group.acts
        if any(begin <= event.at and (end is None or event.at < end) for begin, end in seen.expected.suspended)
    ]
    if during:
        yield f"called while the grant was suspended, {_succeeded(during)}", during


def _succeeded(events: Sequence[Event]) -> str:
    done = sum(not event.error for event in events)
    return f"{done} of {len(events)} with success"


def _changed(name: str, fits: Callable[[Event], bool]) -> Callable[[Seen], FlaggedEvents]:
    def flagged(seen: Seen) -> FlaggedEvents:
        events = [event for event in seen.group.acts if not event.error and is_write(event) and fits(event)]
        if events:
            yield f"changed {name}: {', '.join(sorted({event.name for event in events}))}", events

    return flagged


_TRUST = frozenset({"UpdateAssumeRolePolicy", "CreateRole"})


def _chained(seen: Seen) -> FlaggedEvents:
    made = [event for event in seen.group.acts if event.target and not event.error]
    for target in sorted({event.target for event in made}):
        key, own = role_key(target), role_key(next((event.role for event in seen.group.acts if event.role), ""))
        if key is not None and own is not None and key[0] != own[0]:
            yield f"assumed a role of another account: {target}", [event for event in made if event.target == target]


def _called(
    name: str, words: str, fits: Callable[[Event], bool] = lambda event: True
) -> Callable[[Seen], FlaggedEvents]:
    def flagged(seen: Seen) -> FlaggedEvents:
        events = [event for event in seen.group.acts if event.name == name and not event.error and fits(event)]
        if events:
            yield words, events

    return flagged


def _agent(seen: Seen) -> FlaggedEvents:
    if seen.kind == "agent":
        yield "an AI agent acted, through AWS's MCP server", seen.group.acts


def _root_approved(seen: Seen) -> FlaggedEvents:
    if seen.kind != "delegate":
        return
    root = [event for event in seen.approvals if event.caller_type == "Root" and not event.error]
    if root:
        yield "temporary delegation that the root user approved, and nobody can revoke before its end", root


FLAGS: dict[str, Callable[[Seen], FlaggedEvents]] = {
    "no-mfa": _no_mfa,
    "mfa-not-shown": _mfa_not_shown,
    "not-listed": _not_listed,
    "new-address": _new_address,
    "new-agent": _new_agent,
    "new-service": _new_service,
    "after-end": _after_end,
    "while-suspended": _suspended,
    "trust-change": _changed("who may assume a role", lambda event: event.source == _IAM and event.name in _TRUST),
    "iam-change": _changed("IAM", lambda event: event.source == _IAM and event.name not in _TRUST),
    "trail-change": _changed("CloudTrail", lambda event: event.source == "cloudtrail.amazonaws.com"),
    "policy-change": _changed(
        "permissions of resources",
        lambda event: event.source not in (_IAM, _STS) and level(event) == "Permissions management",
    ),
    "chain-out": _chained,
    "login-export": _called(
        "CreateOAuth2Token",
        "exported its login (`aws login`)",
        lambda event: not mints_agent(event.token_for),
    ),
    "agent-login": _called(
        "CreateOAuth2Token", "let an AI agent act for it", lambda event: mints_agent(event.token_for)
    ),
    "agent": _agent,
    "root-approved": _root_approved,
}
_IAM = "iam.amazonaws.com"
_STS = "sts.amazonaws.com"


def flags(seen: Seen) -> Iterator[Flag]:
    """Yield the flags of a session."""
    for code, find in FLAGS.items():
        for words, events in find(seen):
            yield Flag(code, words, tuple(event.id for event in events[:_MOST_IDS]), len(events))


def approvals(events: Iterable[Event]) -> tuple[Event, ...]:
    """Return the approvals of temporary delegation among the events."""
    return tuple(event for event in events if event.tie is Tie.APPROVAL and event.name in APPROVING)
