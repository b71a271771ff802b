"""The steps of a change and their order: what takes away comes first where somebody is refused, and nothing gives more
meanwhile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.grants.fake_iam import FakeIam

from valetkey.account.calls import Call
from valetkey.grants.change_plan import Cut, Step, plan_change
from valetkey.grants.grant import OWN_ROLE, UNTIL, Grant
from valetkey.grants.plan import plan
from valetkey.grants.role import LiveRole, read_role
from valetkey.grants.semantics import People
from valetkey.grants.taken import PolicyEffect
from valetkey.grants.waiting import Settle
from valetkey.trust import Terms
from valetkey.trust.record import CHANGING, PAUSED, SESSIONS, Changing
from valetkey.trust.self_denies import SessionsDeny, pause_deny
from valetkey.trust.writing import write_trust

END = datetime(2026, 12, 31, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ALLOWS, DENIES = (
    {"Statement": [{"Effect": effect, "Action": "s3:Get*", "Resource": "*"}]} for effect in ("Allow", "Deny")
)
LESS: dict[str, Any] = {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
BOTH: dict[str, Any] = {"Statement": [*ALLOWS["Statement"], *DENIES["Statement"]]}
KINDS: Mapping[str, PolicyEffect] = {"allow-1": "allows", "allow-2": "allows", "deny-1": "denies", "deny-2": "denies"}
NOBODY, ADMITS, REFUSES, OTHERS = (People(admits, refuses) for refuses in (False, True) for admits in (False, True))


@pytest.fixture
def grant(iam: FakeIam) -> Grant:
    """A small grant: every other one is made out of it."""
    return Grant(
        name="audit",
        account=iam.account,
        terms=Terms(contractor="222222222222", external_id="the-first", until=END),
        managed=("allow-1",),
    )


def role_of(iam: FakeIam, grant: Grant) -> LiveRole:
    for call in plan(grant, None):
        iam(call)
    role = read_role(iam, "audit")
    assert role is not None
    return role


def steps_of(
    wanted: Grant,
    role: LiveRole,
    grant: Grant,
    people: People = NOBODY,
    *,
    cuts: bool | None = None,
    entries: tuple[str, ...] = (),
) -> tuple[Step, ...]:
    changing = Changing(NOW, "was", people.refuses if cuts is None else cuts)
    return plan_change(
        wanted, role, grant.terms, people=people, kinds=KINDS, changing=changing, entries=entries, entry="line"
    )


_SHORT = {
    "put_role_policy": "put",
    "delete_role_policy": "delete",
    "attach_role_policy": "attach",
    "detach_role_policy": "detach",
    "update_assume_role_policy": "trust",
    "put_role_permissions_boundary": "boundary",
    "delete_role_permissions_boundary": "no boundary",
    "update_role": "update",
}


def words(steps: tuple[Step, ...]) -> list[str]:
    """The steps in short; the tags of the record as "record" and "unrecord"."""
    said = []
    for step in steps:
        match step:
            case Settle():
                said.append("wait")
            case Cut():
                said.append("cut")
            case Call(operation="tag_role", params=params):
                keys = [tag["Key"] for tag in params["Tags"]]
                said.append("record" if CHANGING in keys else f"tag {','.join(keys)}")
            case Call(operation="untag_role"):
                said.append("unrecord")
            case _:
                name = step.params.get("PolicyName") or step.params.get("PolicyArn") or ""
                said.append(f"{_SHORT[step.operation]} {name}".strip())
    return said


def middle(steps: tuple[Step, ...]) -> list[str]:
    """What is between the record and its end."""
    first, *rest, last = words(steps)
    assert (first, last) == ("record", "unrecord")
    return rest


def other(grant: Grant, **terms: Any) -> Grant:
    return replace(grant, terms=replace(grant.terms, **terms))


def test_a_grant_that_is_as_wanted_takes_no_step(iam: FakeIam, grant: Grant) -> None:
    role = role_of(iam, grant)
    assert steps_of(grant, role, grant) == ()
    assert steps_of(grant, replace(role, tags={**role.tags, "team": "x", "valetkey:change:1": "y"}), grant) == ()


def test_the_record_comes_first_with_the_mark_and_the_line_and_the_mark_goes_last(iam: FakeIam, grant: Grant) -> None:
    role = role_of(iam, replace(grant, managed=("allow-1", "allow-2")))
    wanted = replace(grant, max_session=7200)
    first, *_, last = steps_of(wanted, role, grant, entries=("e1", "e2", "e3", "e4", "e5"))
    assert isinstance(first, Call)
    assert (first.service, first.operation, first.params["RoleName"]) == ("iam", "tag_role", "audit")
    assert {tag["Key"]: tag["Value"] for tag in first.params["Tags"]} == {
        **wanted.record,
        CHANGING: "2026-11-23T12:00:00Z was",
        **{f"valetkey:change:{number}": item for number, item in enumerate(("line", "e1", "e2", "e3", "e4"), 1)},
    }
    about = {"RoleName": "audit", "TagKeys": [CHANGING, "valetkey:policy:2"]}
    assert last == Call("iam", "untag_role", about)


def test_a_line_of_the_record_that_is_no_longer_so_is_taken_off(iam: FakeIam, grant: Grant) -> None:
    role = role_of(iam, grant)
    stale = replace(role, tags={**role.tags, "valetkey:user-id": "x", "valetkey:boundary": "y"})
    assert steps_of(grant, stale, grant) == (
        Call("iam", "untag_role", {"RoleName": "audit", "TagKeys": ["valetkey:boundary", "valetkey:user-id"]}),
    )


def test_a_record_alone_that_changes_is_written_with_its_line(iam: FakeIam, grant: Grant) -> None:
    role = role_of(iam, grant)
    assert words(steps_of(replace(grant, request="six-words"), role, grant)) == ["record", "unrecord"]


def test_a_change_that_was_interrupted_waits_first_and_is_not_recorded_again(iam: FakeIam, grant: Grant) -> None:
    wanted = replace(grant, managed=("allow-1", "allow-2"))
    role = role_of(iam, wanted)
    begun = replace(role, tags={**role.tags, CHANGING: "2026-11-23T12:00:00Z was"}, managed=("allow-1",))
    assert words(steps_of(wanted, begun, grant)) == ["wait", "attach allow-2", "unrecord"]
    # All is done but the mark.
    assert words(steps_of(wanted, replace(begun, managed=wanted.managed), grant)) == ["unrecord"]
    # What is there differs, and the mark is not: somebody took it away.
    assert words(steps_of(wanted, replace(role, managed=("allow-1",)), grant)) == [
        "record",
        "attach allow-2",
        "unrecord",
    ]


WAYS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "policy more": ({}, {"managed": ("allow-1", "allow-2")}),
    "policy less": ({"managed": ("allow-1", "allow-2")}, {}),
    "deny more": ({}, {"managed": ("allow-1", "deny-1")}),
    "deny less": ({"managed": ("allow-1", "deny-1")}, {}),
    "unknown more": ({}, {"managed": ("allow-1", "x")}),
    "unknown less": ({"managed": ("allow-1", "x")}, {}),
    "inline more": ({}, {"inline": (("p", ALLOWS),)}),
    "inline less": ({"inline": (("p", ALLOWS),)}, {}),
    "inline deny more": ({}, {"inline": (("p", DENIES),)}),
    "inline deny less": ({"inline": (("p", DENIES),)}, {}),
    "inline both more": ({}, {"inline": (("p", BOTH),)}),
    "inline both less": ({"inline": (("p", BOTH),)}, {}),
    "inline other": ({"inline": (("p", ALLOWS),)}, {"inline": (("p", LESS),)}),
    "inline deny to allow": ({"inline": (("p", DENIES),)}, {"inline": (("p", ALLOWS),)}),
    "inline allow to deny": ({"inline": (("p", ALLOWS),)}, {"inline": (("p", DENIES),)}),
    "boundary more": ({}, {"boundary": "b"}),
    "boundary less": ({"boundary": "b"}, {}),
    "boundary other": ({"boundary": "b"}, {"boundary": "c"}),
    "session longer": ({}, {"max_session": 7200}),
    "session shorter": ({"max_session": 7200}, {}),
    "description": ({}, {"description": "x"}),
    "tag": ({"tags": (("a", "1"), ("b", "1"))}, {"tags": (("a", "1"), ("b", "2"), ("c", "3"))}),
}
PAUSE = [f"put {PAUSED}", "wait"]
ENDS = ["wait", f"delete {PAUSED}"]


@pytest.mark.parametrize(
    ("way", "together", "shrunk"),
    [
        ("policy more", ["attach allow-2", "trust"], ["trust", "wait", "cut", "wait", "attach allow-2"]),
        ("policy less", ["detach allow-2", "wait", "trust"], ["detach allow-2", "wait", "trust", "wait", "cut"]),
        ("deny more", ["attach deny-1", "wait", "trust"], ["attach deny-1", "wait", "trust", "wait", "cut"]),
        ("deny less", ["detach deny-1", "trust"], ["trust", "wait", "cut", "wait", "detach deny-1"]),
        ("unknown more", ["attach x", "wait", "trust"], [*PAUSE, "attach x", "trust", "wait", "cut", *ENDS]),
        ("unknown less", ["detach x", "wait", "trust"], [*PAUSE, "detach x", "trust", "wait", "cut", *ENDS]),
        ("inline more", ["put p", "trust"], ["trust", "wait", "cut", "wait", "put p"]),
        ("inline less", ["delete p", "wait", "trust"], ["delete p", "wait", "trust", "wait", "cut"]),
        ("inline deny more", ["put p", "wait", "trust"], ["put p", "wait", "trust", "wait", "cut"]),
        ("inline deny less", ["delete p", "trust"], ["trust", "wait", "cut", "wait", "delete p"]),
        ("inline both more", ["put p", "wait", "trust"], [*PAUSE, "put p", "trust", "wait", "cut", *ENDS]),
        ("inline both less", ["delete p", "wait", "trust"], [*PAUSE, "delete p", "trust", "wait", "cut", *ENDS]),
        ("inline other", ["put p", "wait", "trust"], ["delete p", "wait", "trust", "wait", "cut", "wait", "put p"]),
        ("inline deny to allow", ["put p", "wait", "trust"], [*PAUSE, "put p", "trust", "wait", "cut", *ENDS]),
        ("inline allow to deny", ["put p", "wait", "trust"], [*PAUSE, "put p", "trust", "wait", "cut", *ENDS]),
        ("boundary more", ["boundary", "wait", "trust"], ["boundary", "wait", "trust", "wait", "cut"]),
        ("boundary less", ["no boundary", "trust"], ["trust", "wait", "cut", "wait", "no boundary"]),
        ("boundary other", ["boundary", "wait", "trust"], [*PAUSE, "boundary", "trust", "wait", "cut", *ENDS]),
        ("session longer", ["update", "trust"], ["trust", "wait", "cut", "wait", "update"]),
        ("session shorter", ["update", "wait", "trust"], ["update", "wait", "trust", "wait", "cut"]),
        ("description", ["update", "trust"], ["trust", "wait", "cut", "wait", "update"]),
        ("tag", ["tag b,c", "wait", "trust"], [*PAUSE, "tag b,c", "trust", "wait", "cut", *ENDS]),
    ],
)
def test_each_kind_of_change_with_a_trust_that_admits_more_and_one_that_admits_others(
    iam: FakeIam, grant: Grant, way: str, together: list[str], shrunk: list[str]
) -> None:
    before, after = WAYS[way]
    start = replace(grant, **before)
    wanted = other(replace(grant, **after), external_id="the-second")
    role = role_of(iam, start)
    assert middle(steps_of(wanted, role, start, ADMITS)) == together
    assert middle(steps_of(wanted, role, start, OTHERS)) == shrunk
    assert middle(steps_of(replace(grant, **after), role, start)) == [
        item for item in together if item not in ("wait", "trust")
    ]


@pytest.mark.parametrize(
    ("people", "steps"),
    [
        # Nobody is refused: what adds comes before what removes, so that a call that both allow is never refused.
        (NOBODY, ["attach allow-2", "put p", "detach allow-1", "trust"]),
        (ADMITS, ["attach allow-2", "put p", "detach allow-1", "wait", "trust"]),
        (REFUSES, ["detach allow-1", "delete p", "trust", "wait", "cut", "wait", "put p", "attach allow-2"]),
        (OTHERS, ["detach allow-1", "delete p", "wait", "trust", "wait", "cut", "wait", "put p", "attach allow-2"]),
    ],
)
def test_what_is_swapped_by_whom_the_trust_admits(iam: FakeIam, grant: Grant, people: People, steps: list[str]) -> None:
    start = replace(grant, inline=(("p", ALLOWS),))
    wanted = other(replace(grant, managed=("allow-2",), inline=(("p", LESS),)), external_id="the-second")
    assert middle(steps_of(wanted, role_of(iam, start), start, people)) == steps


def test_denies_come_before_what_is_added_and_go_after_what_is_removed(iam: FakeIam, grant: Grant) -> None:
    start = replace(grant, managed=("allow-1", "deny-1"))
    wanted = replace(grant, managed=("allow-2", "deny-2"))
    assert middle(steps_of(wanted, role_of(iam, start), start)) == [
        "attach deny-2",
        "wait",
        "attach allow-2",
        "detach allow-1",
        "wait",
        "detach deny-1",
    ]


def test_one_call_that_is_neither_less_nor_more_stands_between(iam: FakeIam, grant: Grant) -> None:
    start = replace(grant, managed=("allow-1", "deny-1"), inline=(("p", ALLOWS), ("q", BOTH)))
    wanted = replace(grant, managed=("allow-2", "deny-2"), inline=(("p", LESS), ("q", ALLOWS)))
    steps = ["attach deny-2", "detach allow-1", "delete p", "wait", "put q", "wait", "put p", "attach allow-2"]
    role = role_of(iam, start)
    assert middle(steps_of(wanted, role, start)) == [*steps, "detach deny-1"]
    renamed = other(wanted, external_id="the-second")
    assert middle(steps_of(renamed, role, start, ADMITS)) == [*steps, "detach deny-1", "wait", "trust"]
    assert middle(steps_of(renamed, role, start)) == [*steps, "detach deny-1", "trust"]
    # Somebody is refused and nobody admitted: it comes after the cut.
    assert middle(steps_of(renamed, role, start, REFUSES)) == [
        *("attach deny-2", "detach allow-1", "delete p", "trust", "wait", "cut", "wait"),
        *("put q", "wait", "put p", "attach allow-2", "detach deny-1"),
    ]


def test_two_such_calls_are_made_in_a_pause(iam: FakeIam, grant: Grant) -> None:
    start = replace(grant, managed=("allow-1", "deny-1", "x"), inline=(("p", ALLOWS),))
    wanted = replace(grant, managed=("allow-2", "deny-2", "y"), inline=(("p", LESS),))
    role = role_of(iam, start)
    work = [
        *("attach deny-2", "detach allow-1", "attach y", "detach x", "put p", "attach allow-2", "detach deny-1"),
    ]
    assert middle(steps_of(wanted, role, start)) == [*PAUSE, *work, *ENDS]
    pause = next(step for step in steps_of(wanted, role, start) if words((step,)) == [f"put {PAUSED}"])
    assert isinstance(pause, Call)
    assert json.loads(pause.params["PolicyDocument"]) == pause_deny()
    # A run that was stopped in the pause goes on with it, and ends it.
    paused = replace(role, inline={**role.inline, PAUSED: pause_deny()})
    assert middle(steps_of(wanted, paused, start)) == [*work, *ENDS]
    assert middle(steps_of(start, paused, start)) == [f"delete {PAUSED}"]


def test_the_trust_is_the_one_of_the_wanted_terms(iam: FakeIam, grant: Grant) -> None:
    wanted = other(grant, external_id="the-second")
    (trust,) = (
        item
        for item in steps_of(wanted, role_of(iam, grant), grant)
        if isinstance(item, Call) and words((item,)) == ["trust"]
    )
    assert trust.params["RoleName"] == "audit"
    assert json.loads(trust.params["PolicyDocument"]) == write_trust(wanted.terms)


def test_session_and_description_are_sent_together(iam: FakeIam, grant: Grant) -> None:
    """UpdateRole without a session length sets it to one hour."""
    role = role_of(iam, grant)
    _, update, _ = steps_of(replace(grant, description="x"), role, grant)
    assert update == Call("iam", "update_role", {"RoleName": "audit", "Description": "x", "MaxSessionDuration": 3600})
    # Where the reading call does not tell the length, it counts as more.
    unknown = replace(role, max_session=None)
    wanted = other(grant, external_id="the-second")
    assert middle(steps_of(wanted, unknown, grant, REFUSES)) == ["trust", "wait", "cut", "wait", "update"]


@pytest.mark.parametrize(
    ("until", "steps", "shrunk"),
    [
        (END + timedelta(days=1), [f"put {UNTIL}"], ["trust", "wait", "cut", "wait", f"put {UNTIL}"]),
        (END - timedelta(days=1), [f"put {UNTIL}"], [f"put {UNTIL}", "trust", "wait", "cut"]),
        (None, [f"delete {UNTIL}"], ["trust", "wait", "cut", "wait", f"delete {UNTIL}"]),
    ],
    ids=["later", "earlier", "none"],
)
def test_a_later_end_adds_and_an_earlier_one_takes_away(
    iam: FakeIam, grant: Grant, until: datetime | None, steps: list[str], shrunk: list[str]
) -> None:
    wanted = other(grant, until=until)
    role = role_of(iam, grant)
    assert middle(steps_of(wanted, role, wanted)) == steps
    assert middle(steps_of(wanted, role, grant, REFUSES)) == shrunk


@pytest.mark.parametrize("name", [OWN_ROLE, UNTIL])
def test_an_own_deny_that_is_lost_or_was_changed_is_put_first(iam: FakeIam, grant: Grant, name: str) -> None:
    role = role_of(iam, grant)
    for inline in ({**role.inline, name: ALLOWS}, {key: role.inline[key] for key in role.inline if key != name}):
        changed = replace(role, inline=inline)
        assert middle(steps_of(grant, changed, grant)) == [f"put {name}"]
        wanted = replace(grant, managed=("allow-1", "allow-2"))
        assert middle(steps_of(wanted, changed, grant)) == [f"put {name}", "wait", "attach allow-2"]


def test_a_first_end_is_a_deny_that_comes_first(iam: FakeIam, grant: Grant) -> None:
    endless = other(grant, until=None)
    assert middle(steps_of(grant, role_of(iam, endless), endless, REFUSES)) == [f"put {UNTIL}", "trust", "wait", "cut"]


CUT_BEFORE = NOW - timedelta(seconds=1)


@pytest.mark.parametrize(
    ("deny", "cuts"),
    [
        (None, True),
        (SessionsDeny(before=CUT_BEFORE), True),
        (SessionsDeny(before=NOW), False),
        (SessionsDeny(before=NOW + timedelta(days=1)), False),
        # A suspension without an end reaches them, and ends in such a deny.
        (SessionsDeny(since=CUT_BEFORE), False),
        (SessionsDeny(since=CUT_BEFORE, until=END), True),
    ],
)
def test_sessions_are_denied_unless_a_deny_reaches_them_already(
    iam: FakeIam, grant: Grant, deny: SessionsDeny | None, cuts: bool
) -> None:
    role = role_of(iam, grant)
    if deny is not None:
        role = replace(role, inline={**role.inline, SESSIONS: deny.document})
    wanted = other(grant, external_id="the-second")
    assert ("cut" in words(steps_of(wanted, role, grant, REFUSES))) is cuts
    # Of a change that was interrupted: the trust is as wanted, and the sessions of before are still to be denied.
    assert ("cut" in words(steps_of(wanted, role, wanted, NOBODY, cuts=True))) is cuts
    assert "cut" not in words(steps_of(wanted, role, grant, ADMITS))


def test_what_is_added_waits_for_whatever_was_taken_away_before(iam: FakeIam, grant: Grant) -> None:
    """Where a deny reaches the sessions of before already, none is put: the wait is for the rest."""
    role = role_of(iam, grant)
    stopped = replace(role, inline={**role.inline, SESSIONS: SessionsDeny(since=CUT_BEFORE).document})
    more = replace(grant, managed=("allow-1", "allow-2"))
    renamed = other(more, external_id="the-second")
    assert middle(steps_of(renamed, stopped, grant, REFUSES)) == ["trust", "wait", "attach allow-2"]
    swapped = replace(grant, managed=("allow-2",))
    assert middle(steps_of(swapped, stopped, grant, cuts=True)) == ["detach allow-1", "wait", "attach allow-2"]
    assert middle(steps_of(more, stopped, grant, cuts=True)) == ["attach allow-2"]
    less = other(replace(grant, managed=("allow-2",)), external_id="the-second")
    assert middle(steps_of(less, stopped, grant, OTHERS)) == [
        "detach allow-1",
        "wait",
        "trust",
        "wait",
        "attach allow-2",
    ]


def test_a_pause_waits_for_what_was_done_in_it(iam: FakeIam, grant: Grant) -> None:
    start = replace(grant, managed=("x", "y"))
    wanted = replace(grant, managed=("x", "z"))
    role = role_of(iam, start)
    paused = replace(role, inline={**role.inline, PAUSED: pause_deny()})
    assert middle(steps_of(wanted, role, start)) == [*PAUSE, "attach z", "detach y", *ENDS]
    assert middle(steps_of(replace(start, tags=(("a", "1"),)), paused, start)) == ["tag a", *ENDS]
    # The trust was replaced in it, and the sessions of before are still to be denied.
    assert middle(steps_of(start, paused, start, cuts=True)) == ["wait", "cut", *ENDS]
