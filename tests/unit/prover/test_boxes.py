"""The budget of a proof: what it counts, and when it looks at the clock."""

from __future__ import annotations

import pytest

from valetkey.prover import boxes
from valetkey.prover.boxes import Budget, Limits, TooLong


class Clock:
    def __init__(self) -> None:
        self.at = 0.0
        self.looks = 0

    def monotonic(self) -> float:
        self.looks += 1
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(boxes, "time", made)
    return made


def test_the_clock_is_looked_at_once_in_256_steps(clock: Clock) -> None:
    budget = Budget(Limits(seconds=1, steps=5000))
    clock.looks = 0
    for _ in range(2048):
        budget.spend()
    assert clock.looks == 8
    clock.at = 2
    for _ in range(255):
        budget.spend()
    with pytest.raises(TooLong, match="more than 1 seconds"):
        budget.spend()


def test_the_last_step_of_the_limit_may_be_spent(clock: Clock) -> None:
    budget = Budget(Limits(steps=10))
    budget.spend(10)
    with pytest.raises(TooLong, match="more than 10 steps"):
        budget.spend()
