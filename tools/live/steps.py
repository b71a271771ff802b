"""The table of steps, and the results of running them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tools.live.world import World

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
Outcome = Mapping[str, Json]
Run = Callable[["World"], Outcome]
State = Literal["done", "failed", "skipped"]


class Skipped(Exception):
    """A step that does not apply. The message says why."""


@dataclass(frozen=True)
class Step:
    """One row of the table."""

    name: str
    facts: tuple[str, ...]
    """Numbers in docs/aws-facts.md that the outcome settles or confirms."""
    run: Run = field(repr=False)

    @property
    def title(self) -> str:
        return (self.run.__doc__ or self.name).split("\n", 1)[0].rstrip(".")


@dataclass(frozen=True)
class Result:
    """Result of one step."""

    step: Step
    state: State
    seconds: float
    outcome: Outcome = field(default_factory=dict)
    why: str = ""
    """Reason why a step failed or was skipped."""


_table: list[Step] = []


def step(name: str, *facts: str) -> Callable[[Run], Run]:
    """Add a function to the table; `table` defines the order."""

    def add(run: Run) -> Run:
        _table.append(Step(name, facts, run))
        return run

    return add


def table() -> tuple[Step, ...]:
    """Return every step, in the order of execution."""
    from tools.live import (
        steps_clock,
        steps_console,
        steps_documents,
        steps_entry,
        steps_manual,
        steps_refusals,
        steps_revoke,
        steps_trails,
    )

    # The trails come last: they show what the other steps did.
    modules = (
        steps_refusals,
        steps_entry,
        steps_revoke,
        steps_documents,
        steps_console,
        steps_clock,
        steps_manual,
        steps_trails,
    )
    order = {module.__name__: number for number, module in enumerate(modules)}
    return tuple(sorted(_table, key=lambda item: order[item.run.__module__]))


def run_steps(world: World, steps: Sequence[Step]) -> Iterator[Result]:
    """Run the steps one by one. An exception in a step is only its own failure: the next one still runs."""
    for number, item in enumerate(steps, 1):
        world.say(f"[{number}/{len(steps)}] {item.title} ...")
        started = world.time.now()

        def result(state: State, outcome: Outcome | None = None, why: str = "") -> Result:
            return Result(item, state, round(world.time.now() - started, 1), outcome or {}, why)  # noqa: B023 - used at once

        try:
            done = result("done", item.run(world))
        except Skipped as why:
            done = result("skipped", why=str(why))
        except Exception as error:
            done = result("failed", why=f"{type(error).__name__}: {error}")
        world.say(f"    {done.state}" + (f": {done.why}" if done.why else ""))
        yield done
