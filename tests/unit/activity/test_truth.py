"""The whole answer against the truth table of a made-up trail of an organization."""

from __future__ import annotations

import pathlib
from collections import Counter
from datetime import timedelta

import pytest
from tests.trails.generate import CONTRACTOR, ORGANIZATION, OWNER, START, Truth, generate, story

from valetkey.activity import Activity, Folder, TimeSpan, Wanted, answer, read, role_key
from valetkey.activity.kinds import SESSION_KINDS


def answered(folder: pathlib.Path, truth: Truth, span: TimeSpan = TimeSpan()) -> Activity:  # noqa: B008
    key = role_key(truth.role)
    assert key
    reading, _ = read(Folder(folder), Wanted(roles=frozenset({key})), accounts=frozenset({OWNER}), span=span)
    assert reading.is_complete
    return answer(reading.events, span=span)


@pytest.mark.parametrize("seed", [7, 8])
def test_the_answer_is_the_truth(tmp_path: pathlib.Path, seed: int) -> None:
    truth = generate(tmp_path, rounds=2, seed=seed)
    result = answered(tmp_path, truth)
    assert truth.counted() == Counter(
        (
            activity.kind.name,
            # Without a source identity the contractor's trail, which is there too, names the user.
            activity.who.person,
            activity.mfa,
            activity.events,
            len(activity.denied),
            len(activity.writes),
            len(activity.data_reads),
            sum(calls.count for calls in activity.by_services),
            tuple(sorted(_actions(result, activity.id).items())),
        )
        for activity in result.sessions
    )


def _actions(activity: Activity, session: str) -> Counter[str]:
    return Counter(
        f"{event.service}:{event.name}{'!' + event.error if event.error else ''}"
        for owner, _, event in activity._rows
        if owner == session
    )


def test_every_kind_of_session_is_in_the_trail(tmp_path: pathlib.Path) -> None:
    truth = generate(tmp_path)
    assert {true.kind for true in truth.sessions} == {kind.name for kind in SESSION_KINDS}
    assert {activity.kind.name for activity in answered(tmp_path, truth).sessions} == {
        kind.name for kind in SESSION_KINDS
    }


def test_the_generator_is_the_same_for_the_same_seed(tmp_path: pathlib.Path) -> None:
    one, two = generate(tmp_path / "a"), generate(tmp_path / "b")
    assert one == two
    files = [sorted(path for path in (tmp_path / name).rglob("*.gz")) for name in ("a", "b")]
    assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]
    assert {record[0] for record in story(7, 1).records} >= {OWNER, CONTRACTOR}


def test_outsiders_are_found_without_a_role(tmp_path: pathlib.Path) -> None:
    truth = generate(tmp_path)
    reading, wanted = read(Folder(tmp_path), Wanted(outsiders=True, delegates=True), accounts=None)
    # The contractor's trail is in the organization's folder here: nobody is an outsider but the provider, and what
    # others did with the role that it acts through is theirs.
    assert wanted.roles == frozenset()
    assert [activity.kind.name for activity in answer(reading.events).sessions] == ["delegate"]
    (tmp_path / "AWSLogs" / ORGANIZATION).rename(tmp_path / "AWSLogs" / "plain")
    reading, wanted = read(Folder(tmp_path), Wanted(outsiders=True, delegates=True), accounts=None)
    assert wanted.roles == {role_key(truth.role)}
    assert len(answer(reading.events).sessions) == len(truth.sessions)
    reading, wanted = read(Folder(tmp_path), Wanted(outsiders=True, own=frozenset({CONTRACTOR})), accounts=None)
    assert (wanted.roles, reading.events) == (frozenset(), [])


def test_a_part_of_the_time_is_a_part_of_the_sessions(tmp_path: pathlib.Path) -> None:
    truth = generate(tmp_path, rounds=2)
    whole = answered(tmp_path, truth)
    days = [TimeSpan(START + timedelta(days=number), START + timedelta(days=number + 1)) for number in range(15)]
    parts = [answered(tmp_path, truth, day) for day in days]
    assert sum(line.calls for part in parts for line in part.lines("day")) == sum(
        activity.events for activity in whole.sessions
    )
    assert {line.key: line.calls for part in parts for line in part.lines("day")} == {
        line.key: line.calls for line in whole.lines("day")
    }


@pytest.mark.parametrize("by", ["session", "person", "action", "day", "ip"])
def test_every_grouping_has_every_call_once(tmp_path: pathlib.Path, by: str) -> None:
    result = answered(tmp_path, generate(tmp_path))
    lines = result.lines(by)  # type: ignore[arg-type]
    assert sum(line.calls for line in lines) == sum(activity.events for activity in result.sessions)
    assert sum(line.writes for line in lines) == sum(len(activity.writes) for activity in result.sessions)
    assert sum(line.denied for line in lines) == sum(len(activity.denied) for activity in result.sessions)
