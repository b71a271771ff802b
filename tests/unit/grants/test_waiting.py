"""Waiting for AWS: until something shows, a write is taken, a write takes effect; and what is known meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from valetkey.account.calls import Call, CallError
from valetkey.grants.waiting import BUSY, SETTLE_SECONDS, UNSEEN, Settling, Waiting, Writes

PUT, TAG = Call("iam", "put_role_policy"), Call("iam", "tag_role")


class Clock:
    """A clock that sleeping moves on, and how long each sleep was."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def waiting(clock: Clock, limit: float = 60.0) -> Waiting:
    return Waiting(clock=lambda: clock.now, sleep=clock.sleep, limit=limit)


def answers(*given: Any) -> Callable[..., Any]:
    """One after the other; an exception is raised, the last one for ever."""
    left = list(given)

    def look(*_: Any) -> Any:
        each = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(each, BaseException):
            raise each
        return each

    return look


def refusal(code: str, call: Call = PUT) -> CallError:
    return CallError(call, code, "no")


@pytest.mark.parametrize("seen", [True, False, 0, "", ()])
def test_what_is_seen_at_once_is_not_waited_for(clock: Clock, seen: Any) -> None:
    """Nothing seen is None, and nothing else."""
    assert waiting(clock).until(answers(seen)) is seen
    assert clock.pauses == []


def test_the_pauses_grow_and_stay_short_and_the_last_one_ends_at_the_limit(clock: Clock) -> None:
    assert waiting(clock).until(answers(None)) is None
    assert clock.now == pytest.approx(160.0)
    assert clock.pauses[:3] == [0.25, pytest.approx(0.4), pytest.approx(0.64)]
    *most, last = clock.pauses
    assert most == sorted(most)
    assert max(most) == 5.0
    assert last <= 5.0


def test_it_is_looked_once_more_when_the_time_is_over(clock: Clock) -> None:
    looks: list[float] = []

    def look() -> str | None:
        looks.append(clock.now)
        return "there" if clock.now >= 101.0 else None

    assert waiting(clock, limit=1.0).until(look) == "there"
    assert looks == [100.0, 100.25, pytest.approx(100.65), 101.0]


def test_without_time_it_is_looked_once(clock: Clock) -> None:
    assert waiting(clock, limit=0.0).until(answers(None, "later")) is None
    assert clock.pauses == []


def test_the_codes_that_are_waited_out() -> None:
    assert {"ConcurrentModification", "EntityTemporarilyUnmodifiable", "Throttling", "ThrottlingException"} == BUSY
    assert BUSY | {"NoSuchEntity"} == UNSEEN


@pytest.mark.parametrize("code", sorted(UNSEEN))
def test_a_refusal_that_passes_is_waited_out(clock: Clock, code: str) -> None:
    assert waiting(clock).until(answers(refusal(code), refusal(code), "done")) == "done"
    assert len(clock.pauses) == 2
    assert waiting(clock).write(answers(refusal(code), {"A": 1}), PUT) == {"A": 1}


def test_any_other_refusal_is_raised_at_once(clock: Clock) -> None:
    with pytest.raises(CallError, match="AccessDenied"):
        waiting(clock).until(answers(refusal("AccessDenied")))
    with pytest.raises(CallError, match="NoSuchEntity"):
        waiting(clock).until(answers(refusal("NoSuchEntity")), passing=BUSY)
    with pytest.raises(CallError, match="NoSuchEntity"):
        waiting(clock).write(answers(refusal("NoSuchEntity")), PUT, passing=BUSY)
    assert clock.pauses == []


def test_a_write_that_is_refused_to_the_end_fails_as_it_did_last(clock: Clock) -> None:
    with pytest.raises(CallError, match="Throttling:"):
        waiting(clock).write(answers(refusal("NoSuchEntity"), refusal("Throttling")), PUT)
    assert clock.now == pytest.approx(160.0)


# -- writes ---------------------------------------------------------------

UNDECIDED = (
    *("TimedOut", "Unreachable", "Garbled", "InternalFailure", "ServiceFailure", "ServiceUnavailable"),
    *("500", "502", "503", "504"),
)


def writes(clock: Clock, perform: Any) -> tuple[Writes, list[Call]]:
    said: list[Call] = []
    return Writes(perform, waiting(clock), said.append), said


def test_a_write_is_said_before_it_is_made_and_known_after_it(clock: Clock) -> None:
    seen: list[Any] = []

    def perform(call: Call, /) -> dict[str, Any]:
        seen.append((list(said), result.begun, list(result.done)))
        return {}

    result, said = writes(clock, perform)
    assert (result.done, result.begun) == ([], None)
    assert result.one(PUT)
    assert result.one(TAG)
    assert seen == [([PUT], PUT, []), ([PUT, TAG], TAG, [PUT])]
    assert (result.done, result.begun) == ([PUT, TAG], None)


@pytest.mark.parametrize("code", UNDECIDED)
def test_a_write_without_an_answer_may_have_been_made(clock: Clock, code: str) -> None:
    result, _ = writes(clock, answers(refusal(code)))
    with pytest.raises(CallError):
        result.one(PUT)
    assert (result.done, result.begun) == ([], PUT)


@pytest.mark.parametrize("code", ["AccessDenied", "LimitExceeded", "501", "400"])
def test_a_write_that_is_refused_was_not_made(clock: Clock, code: str) -> None:
    result, _ = writes(clock, answers({}, refusal(code)))
    result.one(TAG)
    with pytest.raises(CallError):
        result.one(PUT)
    assert (result.done, result.begun) == ([TAG], None)


def test_a_write_that_got_through_unheard_is_done(clock: Clock) -> None:
    result, _ = writes(clock, answers(refusal("EntityAlreadyExists")))
    assert result.one(PUT, unheard=frozenset({"EntityAlreadyExists"})) is False
    assert (result.done, result.begun) == ([PUT], None)


def test_a_write_passes_what_it_is_told_to_pass(clock: Clock) -> None:
    result, _ = writes(clock, answers(refusal("NoSuchEntity"), {}))
    assert result.one(PUT)
    result, _ = writes(clock, answers(refusal("NoSuchEntity"), {}))
    with pytest.raises(CallError, match="NoSuchEntity"):
        result.one(PUT, passing=BUSY)


# -- settling ---------------------------------------------------------------


def test_a_change_gets_ten_seconds_to_take_effect(clock: Clock) -> None:
    assert SETTLE_SECONDS == 10.0
    settling = Settling(waiting(clock))
    assert (settling.seconds, settling.waited) == (10.0, 0.0)
    assert settling.wait() is True
    assert (clock.pauses, settling.waited) == ([10.0], 10.0)
    clock.now += 1
    assert settling.wait() is False
    settling.closed()
    clock.now += 4
    assert settling.wait() is True
    assert (clock.pauses, settling.waited) == ([10.0, 6.0], 16.0)


@pytest.mark.parametrize(("passed", "waits"), [(9.5, [0.5]), (10.0, []), (11.0, [])])
def test_what_other_calls_took_is_not_waited_for_again(clock: Clock, passed: float, waits: list[float]) -> None:
    told: list[float] = []
    settling = Settling(waiting(clock), tell=told.append)
    clock.now += passed
    assert settling.wait() is bool(waits)
    assert told == clock.pauses == waits


def test_no_seconds_are_no_wait(clock: Clock) -> None:
    settling = Settling(waiting(clock), seconds=0)
    settling.closed()
    assert settling.wait() is False
    assert clock.pauses == []
