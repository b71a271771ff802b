"""What policies allow, as lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from valetkey.catalog.outliving_credentials import life

if TYPE_CHECKING:
    from valetkey.prover.effective_permissions import Opening, Outlives

_SHOWN = 8
_CONSOLE_TO_CLI = "signin:CreateOAuth2Token"


def opening_lines(opening: Opening) -> Iterator[str]:
    """Yield what the policies of a grant allow, before it is created."""
    counts = ", ".join(f"{number} {name}" for name, number in opening.levels.items() if number)
    yield f"The policies allow {counts or 'nothing'} (actions by AWS's access level)."
    if opening.undecided:
        yield f"The policies were not fully analyzed ({opening.undecided}): this list may contain more than they allow."
    if opening.reads_data:
        yield "They allow reading data:"
    for read in opening.reads_data:
        yield f"  - {read.what}: {_some(read.actions, 3)} ({', '.join(read.policies)})"
    if any(_CONSOLE_TO_CLI in item.actions for item in opening.outlives):
        yield f"They allow turning a console session into credentials for the CLI and for agents ({_CONSOLE_TO_CLI})."
    if opening.outlives:
        yield "They allow obtaining what a deny on the role, and so `revoke`, does not end:"
        yield from outlives_lines(opening.outlives)
    if opening.escalations:
        yield "They allow access beyond this role, which its end and its revocation would not close:"
        yield from _first([str(escalation) for escalation in opening.escalations])


def outlives_lines(outlives: Sequence[Outlives]) -> Iterator[str]:
    """Yield what sessions of a role can obtain that outlives a deny on the role."""
    lines = []
    for item in outlives:
        longest = life(item.kind.longest)
        until = longest if item.kind.longest is None else f"up to {longest}"
        lines.append(f"{item.kind.what}, {until}: {_some(item.actions, 2)} ({', '.join(item.policies)})")
    return _first(lines)


def _first(lines: Sequence[str]) -> Iterator[str]:
    for line in lines[:_SHOWN]:
        yield f"  - {line}"
    if len(lines) > _SHOWN:
        yield f"  - and {len(lines) - _SHOWN} more (all of them with --json)"


def _some(words: Sequence[str], count: int) -> str:
    more = f" and {len(words) - count} more" if len(words) > count else ""
    return ", ".join(words[:count]) + more
