"""The demo's steps and summary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from valetkey.report.text import clean, console, say, say_table


class _Party(Protocol):
    @property
    def account(self) -> str: ...


class _Step(Protocol):
    @property
    def who(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def expect(self) -> str: ...


class _StepResult(Protocol):
    @property
    def step(self) -> _Step: ...
    @property
    def ok(self) -> bool: ...
    @property
    def happened(self) -> str: ...
    @property
    def calls(self) -> tuple[str, ...]: ...
    @property
    def seconds(self) -> float: ...
    @property
    def output(self) -> str: ...


def say_opening(owner: _Party, contractor: _Party) -> None:
    """Print the two accounts in one line."""
    say(f"AWS on this computer, IAM enforced. Owner: account {owner.account}, contractor: {contractor.account}.", "")


def say_step(number: int, result: _StepResult, *, verbose: bool) -> None:
    """Print one line per step; with `verbose` also its AWS calls, and for a failed step its complete output."""
    from rich.text import Text

    mark = Text(" ok " if result.ok else "FAIL", style="green" if result.ok else "bold red")
    line = Text(f"{number:2} ").append_text(mark)
    line.append(f" {result.step.who:<10} {result.step.what:<47} {clean(result.happened)}")
    out = console()
    out.print(line)
    if verbose:
        for call in result.calls:
            out.print(Text(f"        {clean(call)}", style="dim"))
    if not result.ok:
        out.print(Text("\n".join(f"        | {clean(row)}" for row in result.output.splitlines()), style="dim"))


def say_sessions(result: _StepResult) -> None:
    """Print the sessions from the output of the last step: its first table."""
    first, _, _ = result.output.partition("known by")
    lines = [line.rstrip() for line in first.splitlines()[:-1]]
    if result.ok:
        say("", *(line for line in lines if line))


def say_summary(results: Sequence[_StepResult]) -> None:
    """Print the expected and the actual results."""
    rows = []
    for expect in ("done", "refused"):
        these = [item for item in results if item.step.expect == expect]
        rows.append([f"must be {expect}", str(len(these)), str(sum(item.ok for item in these))])
    say_table(["steps that", "expected", "happened"], rows, title="")
    seconds = sum(item.seconds for item in results)
    verdict = "Every success and every refusal happened" if all(item.ok for item in results) else "Not as expected"
    say(f"{verdict} ({len(results)} steps, {seconds:.0f} s).")
