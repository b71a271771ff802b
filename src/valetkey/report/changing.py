"""Changes of a grant, suspensions and the history, as lines and as JSON (docs/reference/{change,suspend,show}.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from valetkey.account.calls import Call
from valetkey.commandline import command
from valetkey.grants.change_plan import Cut
from valetkey.grants.status import EXTERNAL_ID_LABEL
from valetkey.report.grant_json import proof_json
from valetkey.report.grant_notes import misspelt
from valetkey.report.openings import opening_lines
from valetkey.report.results import changes as results
from valetkey.report.results.openings import Opens
from valetkey.report.results.shape import shaped
from valetkey.report.text import clean, mask, say, say_json
from valetkey.times import moment
from valetkey.trust.drift import PINNED
from valetkey.trust.drift_words import changes, is_restorable
from valetkey.trust.record import PAUSED

if TYPE_CHECKING:
    from valetkey.grants.change import Changed, Done
    from valetkey.grants.semantics import Permissions
    from valetkey.grants.suspend import Resumed, Suspended
    from valetkey.trust.drift import Difference

DENIED = (
    "The change refuses a caller that was admitted: sessions from before the change are denied before a permission "
    "is added"
)
NOT_SETTLED = (
    "credentials that such a session gets with sts:GetScopedCredentials in between may count as newer: whether AWS "
    "refuses them is not settled (U9)"
)
_MASKED = (EXTERNAL_ID_LABEL, "previous ExternalId")


def change_lines(changed: Changed) -> tuple[str, ...]:
    """Describe the effect of a change, for the person who confirms it."""
    return tuple(_lines(changed))


def _lines(changed: Changed) -> Iterator[str]:
    owner, means = changed.owner, changed.meaning
    yield f"Account {owner.account} ({owner.partition}), as {owner.arn}"
    if changed.again:
        yield f"A change of {moment(changed.changing.at)} was interrupted: this run continues it."
    if not changed.steps:
        return
    yield from (f"Put right: {clean(change, keep=frozenset())}." for change in changes(_restored(changed)))
    if not is_restorable(_restored(changed)):
        yield f"The contractor is {changed.wanted.terms.contractor}, by the record on the role and by its trust policy."
    yield f"What changes in {changed.wanted.name}:"
    rows = [(what, f"{_hidden(what, field)} -> {_hidden(what, element)}") for what, field, element in means.fields]
    rows.append(("adds", "; ".join(means.adds) or "nobody"))
    rows.append(("removes", "; ".join(means.removes) or "nobody"))
    if means.permissions is not None:
        rows.append(("policies", permissions_words(means.permissions)))
    width = max(len(what) for what, _ in rows)
    for what, text in rows:
        yield f"  {what:<{width}}  {clean(text, keep=frozenset())}"
    if changed.opening is not None:
        yield from opening_lines(changed.opening)
    before = dict(changed.old.inline)
    yield from misspelt([item for item in changed.wanted.inline if before.get(item[0]) != item[1]])
    yield f"{DENIED}." if changed.cuts else "Live sessions are kept."
    if _pauses(changed):
        yield (
            "Everything is denied for about 20 seconds during the change: these changes cannot be made one after "
            "the other."
        )


def _restored(changed: Changed) -> list[Difference]:
    """Return the differences between the role and its terms that the change corrects. A change that is continued caused
    its own differences."""
    return [] if changed.again else [difference for difference in changed.standing.drift if difference.what != PINNED]


def _hidden(what: str, text: str) -> str:
    return mask(text) if what in _MASKED and text != "none" else text


def permissions_words(permissions: Permissions) -> str:
    """Return words like "+ 3 read, 2 list actions; - 1 write action"."""
    said = [f"{sign} {_counted(by_level)}" for sign, by_level in _signed(permissions) if by_level]
    if permissions.otherwise:
        said.append("the same actions, on other resources or conditions, or in other documents")
    if permissions.undecided:
        said.append(f"not fully analyzed ({permissions.undecided}): what was not analyzed counts as allowed")
    if permissions.unread:
        said.append(f"what {', '.join(permissions.unread)} allowed is unknown: it could not be read")
    return "; ".join(said)


def _signed(permissions: Permissions) -> tuple[tuple[str, Mapping[str, Sequence[str]]], ...]:
    return ("+", permissions.adds), ("-", permissions.removes)


def _counted(by_level: Mapping[str, Sequence[str]]) -> str:
    total = sum(map(len, by_level.values()))
    levels = ", ".join(f"{len(actions)} {level.lower()}" for level, actions in by_level.items())
    return f"{levels} action{'' if total == 1 else 's'}"


def _pauses(changed: Changed) -> bool:
    return any(isinstance(step, Call) and step.params.get("PolicyName") == PAUSED for step in changed.steps)


def say_change(lines: Sequence[str]) -> None:
    """Print the description on stderr, before anything is written."""
    say(*lines, stderr=True)


def say_change_plan(changed: Changed, *, as_json: bool) -> None:
    """Print the calls and the proof of a dry run."""
    if as_json:
        say_json(_planned(changed))
        return
    if not changed.steps:
        say(f"Dry run: {changed.wanted.name} already has these settings. There is nothing to do.")
        return
    say("Dry run, nothing is written. The steps would be:")
    for number, step in enumerate(changed.steps, 1):
        if isinstance(step, Call):
            what = step.params.get("PolicyName") or step.params.get("PolicyArn") or ""
            say(f"{number:2}  {step.action} {changed.wanted.name}{f' {what}' if what else ''}")
        elif isinstance(step, Cut):
            say(f"{number:2}  iam:PutRolePolicy {changed.wanted.name}: sessions issued before that moment are denied")
        else:
            say(f"{number:2}  wait until the changes have taken effect")
    say("Proof: for every caller and every request, the new trust policy admits exactly what the new terms allow.")


def say_changed(done: Done, *, as_json: bool) -> None:
    """Print the result of a change, also when nothing had to be changed."""
    changed = done.change
    if as_json:
        say_json(_changed(done))
        return
    if not done.calls:
        say(f"{changed.wanted.name} already has these settings. Nothing was changed.")
        return
    say(f"{changed.wanted.name} is changed: {changed.wanted.role_arn}")
    if done.cut is not None:
        say(f"Sessions that were issued before {moment(done.cut)} are denied.")
    say("Proof: for every caller and every request, the role admits exactly what the terms allow.")
    if changed.old.terms.external_id != changed.wanted.terms.external_id:
        ends = changed.wanted.terms.previous_until
        say(
            f"The previous ExternalId is accepted until {moment(ends)}."
            if ends
            else "The previous ExternalId is refused."
        )
        say(f"Next: {command('valetkey handoff', changed.wanted.name, then='-o handoff.json')}")


def _planned(changed: Changed) -> results.PlannedChange:
    calls = [{"action": step.action, "params": dict(step.params)} for step in changed.steps if isinstance(step, Call)]
    return shaped(
        results.PlannedChange,
        **_meaning(changed),
        sessions_before=None,
        waited_seconds=0.0,
        **proof_json(changed.proof),
        calls=calls,
        dry_run=True,
    )


def _changed(done: Done) -> results.Changed:
    return shaped(
        results.Changed,
        **_meaning(done.change),
        sessions_before=done.cut and moment(done.cut),
        waited_seconds=round(done.waited, 1),
        **proof_json(done.proof),
        calls=[call.action for call in done.calls],
        dry_run=False,
    )


def _meaning(changed: Changed) -> dict[str, Any]:
    """Return the fields that the shapes of a change and its plan share."""
    means, wanted = changed.meaning, changed.wanted
    return {
        "valetkey": "changed/v1",
        "name": wanted.name,
        "role_arn": wanted.role_arn,
        "account": changed.owner.account,
        "adds": means.adds,
        "removes": means.removes,
        "policies": None if means.permissions is None else _policies(means.permissions),
        "fields": [
            results.Field(what=what, old=_hidden(what, field), new=_hidden(what, item))
            for what, field, item in means.fields
        ],
        "sessions": "denied" if changed.cuts else "kept",
        "paused": _pauses(changed),
        "resumed": changed.again,
        "opens": None if changed.opening is None else Opens.of(changed.opening),
        "previous_until": wanted.terms.previous_until and moment(wanted.terms.previous_until),
    }


def _policies(permissions: Permissions) -> results.Policies:
    return shaped(
        results.Policies,
        permissions,
        same_actions=permissions.otherwise,
        undecided=permissions.undecided or None,
    )


def say_suspended(done: Suspended, *, as_json: bool) -> None:
    """Print the result of a suspension."""
    role, deny = done.standing.role, done.deny
    if as_json:
        say_json(
            results.Suspended(
                valetkey="suspended/v1",
                name=role.name,
                role_arn=role.arn,
                since=moment(deny.since) if deny.since else None,
                until=moment(deny.until) if deny.until else None,
                calls=[call.action for call in done.calls],
            )
        )
        return
    ends = f"until {moment(deny.until)}" if deny.until else f"until {command('valetkey resume', role.name)}"
    say(f"{role.name} is suspended {ends}: every session is denied within seconds in most cases, up to a few minutes.")
    if deny.until is not None:
        say("Sessions that were issued before that time stay denied after it.")
    say(
        "The trust policy is unchanged: admitted principals can still assume the role, but every action is denied. "
        "This does not affect what a session obtained before."
    )


def say_resumed(done: Resumed, *, as_json: bool) -> None:
    """Print the result of a resume."""
    role, before = done.standing.role, done.deny.before or done.deny.until
    lives = done.may_live_until
    if as_json:
        say_json(
            results.Resumed(
                valetkey="resumed/v1",
                name=role.name,
                role_arn=role.arn,
                sessions_before=moment(before) if before else None,
                may_live_until=moment(lives) if lives else None,
                note=f"Sessions from before may still exist; {NOT_SETTLED}." if lives else None,
                calls=[call.action for call in done.calls],
            )
        )
        return
    say(f"{role.name} is resumed: sessions that were issued before {before and moment(before)} stay denied.")
    if lives is not None:
        say(
            f"Sessions from before the suspension may still exist until {moment(lives)}; {NOT_SETTLED}. "
            "From then on none can exist."
        )
