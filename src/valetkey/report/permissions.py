"""What a grant's sessions may do, as lines (docs/reference/{can,show}.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from valetkey.catalog.actions import listed
from valetkey.commandline import command
from valetkey.grants.can import RESOURCE, ActionAnswer, Example
from valetkey.grants.consolidated import ACCESS_KINDS, AccessKind, Consolidated, Summary
from valetkey.grants.effective import ROLE_ASSUMPTIONS, Effective
from valetkey.grants.from_use import MOST_INLINE, Proposal
from valetkey.report.grants import say_account
from valetkey.report.results import permissions as results
from valetkey.report.text import clean, say, say_json, say_table
from valetkey.trust.record import instant

if TYPE_CHECKING:
    from valetkey.grants.compared import Compared
    from valetkey.grants.role import Owner
    from valetkey.grants.status import Standing
    from valetkey.prover.comparison import Within
    from valetkey.prover.proof import Counterexample

_VERDICTS = {"allowed": "yes", "denied": "no", "depends": "it depends", "unknown": "not decided"}
_SHOWN = 5
"""Maximum requests and actions that a list names; the remaining ones are counted."""


def say_can(owner: Owner, answer: ActionAnswer, standing: Standing, *, now: datetime, as_json: bool) -> None:
    """Print whether a session may do something."""
    if as_json:
        say_json(results.decided(answer))
        return
    say_account(owner)
    where = "any resource" if answer.resource == "*" else answer.resource
    _say(f"{_VERDICTS[answer.verdict]}: {answer.name} {answer.action} on {where}")
    if listed(answer.action) is None:
        _say(f"  AWS lists no action {answer.action}: check the spelling.")
    if answer.reason:
        _say(f"  because    {answer.reason}")
    if answer.depends_on:
        _say(f"  depends on {', '.join(answer.depends_on)}")
    for title, example in (("allowed", answer.allowed), ("denied", answer.denied)):
        if example is not None:
            _say(*_example(title, example, with_request=answer.verdict in ("depends", "unknown")))
    if answer.verdict == "allowed" and standing.record.until is not None and standing.record.until > now:
        _say(f"  until      {instant(standing.record.until)}, the end of the grant")
    if answer.verdict == "depends" and answer.depends_on != (RESOURCE,):
        _say("Give the value of a known key with --context KEY=VALUE.")
    _say("For a session that starts now. Assumed:", *(f"  {action}" for action in ROLE_ASSUMPTIONS))


def _example(title: str, example: Example, *, with_request: bool) -> Iterator[str]:
    nearest = example.outcome == "implicit_deny"
    if with_request:
        keys = [f"{key} = {_value(value)}" for key, value in example.context.items()]
        yield f"  {title:<10} for example on {example.resource}" + (f" with {', '.join(keys)}" if keys else "")
    if nearest:
        yield "  because    no statement allows it" + (
            f"; the nearest is in {example.decided_by[0]}" if example.decided_by else ""
        )
    for item in example.decided_by:
        if not nearest:
            yield f"  {'denied by ' if example.outcome == 'explicit_deny' else 'allowed by'} {item}"
        yield from (f"             {test}" for test in item.tests)


def _value(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else " and ".join(value)


def say_permissions(
    owner: Owner,
    effective: Effective,
    standing: Standing,
    summary: Summary,
    policy: Consolidated,
    against: Compared | None,
    *,
    now: datetime,
    as_json: bool,
) -> None:
    """Print what the sessions of a grant may do."""
    if as_json:
        say_json(results.permissions(effective, summary, policy, against))
        return
    say_account(owner)
    state = standing.state(now)
    names = ", ".join(item.name for item in effective.owners()) or "none"
    boundary = f", under the boundary {effective.boundary.name}" if effective.boundary is not None else ""
    _say(f"{effective.name}: {state}", effective.role_arn, f"Policies: {names}{boundary}")
    if effective.unread:
        _say(f"Not read, so this output is incomplete: {', '.join(map(str, effective.unread))}")
    if summary.undecided:
        _say(f"Not fully analyzed ({summary.undecided}): what was not analyzed counts as allowed.")
    if against is not None:
        _say(*_compared_lines(against), "Assumed:", *(f"  {action}" for action in ROLE_ASSUMPTIONS))
        return
    say("As one policy:", json.dumps(policy.document, indent=2, ensure_ascii=False))
    _say(*_worth_lines(policy))
    rows = [
        (service, *(str(len(kinds.get(kind, ()))) if kinds.get(kind) else "" for kind in ACCESS_KINDS))
        for service, kinds in summary.services.items()
    ]
    counts = summary.counts()
    title = "Actions now, each on some resource under some condition"
    say_table(["service", *ACCESS_KINDS], [*rows, ("all", *(str(counts[kind]) for kind in ACCESS_KINDS))], title=title)
    _say("Assumed:", *(f"  {action}" for action in ROLE_ASSUMPTIONS))


def _worth_lines(policy: Consolidated) -> Iterator[str]:
    if policy.covers.holds and policy.exact.holds:
        yield "Proved: it allows exactly what the role's policies and boundary allow."
        return
    if policy.covers.holds:
        yield "Proved: it allows all that the role's policies allow. It may allow more:"
    else:
        yield "Not proved: it may allow more or less than the role's policies."
    for item in (policy.exact, policy.covers):
        yield from _beyond_lines(item)


def _compared_lines(against: Compared) -> Iterator[str]:
    one, other = against.one, against.other
    say_of = {
        "the same": f"Proved: {one} allows exactly what {other} allows.",
        "less": f"Proved: {one} allows nothing that {other} does not allow, and less than it.",
        "more": f"Proved: {one} allows all that {other} allows, and more.",
        "neither": f"{one} and {other} each allow something that the other does not.",
        "unknown": f"How {one} and {other} compare is not decided.",
    }
    yield say_of[against.relation]
    yield "The denies that valetkey puts on a grant (its end, its own role) are left out on both sides."
    if against.unread:
        yield f"Not read: {', '.join(against.unread)}"
    for name, actions, result in (
        (one, against.only_one, against.one_within),
        (other, against.only_other, against.other_within),
    ):
        if result.beyond or result.undecided:
            yield f"Only {name}: {_in_words(actions)}"
            yield from _beyond_lines(result)


def _in_words(services: Mapping[str, Mapping[AccessKind, Sequence[str]]]) -> str:
    parts = []
    for kind in ACCESS_KINDS:
        actions = [item for kinds in services.values() for item in kinds.get(kind, ())]
        if actions:
            more = f" and {len(actions) - _SHOWN} more" if len(actions) > _SHOWN else ""
            parts.append(f"{len(actions)} {kind} ({', '.join(actions[:_SHOWN])}{more})")
    return "; ".join(parts) or "no whole action; resources or conditions of some"


def _beyond_lines(result: Within) -> Iterator[str]:
    for counterexample in result.beyond[:_SHOWN]:
        yield f"  example    {_request(counterexample)}"
    if len(result.beyond) > _SHOWN:
        yield f"  and {len(result.beyond) - _SHOWN} other kinds of requests"
    for action, why in result.undecided:
        yield f"  not decided: actions like {action}: {why}"


def _request(counterexample: Counterexample) -> str:
    keys = ", ".join(f"{key} = {value}" for key, value in counterexample.request.context.items())
    return f"{counterexample.request.action} on {counterexample.request.resource}" + (f" with {keys}" if keys else "")


def say_from_use(owner: Owner, effective: Effective, proposal: Proposal, *, as_json: bool) -> None:
    """Print a smaller policy, proposed from what was used."""
    if as_json:
        say_json(results.proposed(effective, proposal))
        return
    say_account(owner)
    _say(
        f"{effective.name}: a smaller policy, from {proposal.use.source}",
        f"  used       {len(proposal.used)} actions{_few(proposal.used)}",
        f"  kept       {proposal.kept_unseen} more actions; the source does not show whether they were used",
        f"  lost       {_in_words(proposal.lost) if proposal.lost else 'no whole action'}",
    )
    if proposal.not_allowed:
        _say(f"  not in it  {len(proposal.not_allowed)} that these policies do not allow{_few(proposal.not_allowed)}")
    say(json.dumps(proposal.document, indent=2, ensure_ascii=False))
    if proposal.smaller.holds:
        _say("Proved: it allows nothing that the grant's policies do not allow.")
    else:
        _say("Not proved that it allows nothing more:", *_beyond_lines(proposal.smaller))
    if proposal.rest.holds:
        _say("Proved: nothing would be lost.")
    else:
        _say("What would be lost:", *_beyond_lines(proposal.rest))
    if proposal.characters > MOST_INLINE:
        _say(f"It has {proposal.characters:,} characters; an inline policy takes {MOST_INLINE:,}.")
    _say("What the source does not show:", *(f"  {note}" for note in proposal.use.notes))
    change = command("valetkey change", effective.name, then="--policy ./smaller.json --dry-run")
    _say(f"To take it: save the policy as smaller.json, and {change}")


def _few(actions: Sequence[str]) -> str:
    named = [listed(action) or action for action in actions[:_SHOWN]]
    more = f" and {len(actions) - _SHOWN} more" if len(actions) > _SHOWN else ""
    return f": {', '.join(named)}{more}" if named else ""


def _say(*lines: str) -> None:
    """Print the lines; each stays one line, whatever it contains."""
    say(*(clean(line, keep=frozenset()) for line in lines))
