"""Choose a customer's profile at the terminal. Recently used profiles come first, and a part of a name is enough."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from valetkey.errors import ValetkeyError

_SHOWN = 20
"""Number of rows shown at a time."""
_TRIES = 10


@dataclass(frozen=True)
class Choice:
    """A profile to choose, with other names that a person may know it by."""

    name: str
    account: str
    customer: str = ""

    @property
    def row(self) -> str:
        return "  ".join(filter(None, (self.name, self.account, self.customer)))


def choose(choices: Sequence[Choice], ask: Callable[[str], str]) -> str:
    """Return the name that the person chooses. `ask` shows a question and returns the typed text. Raises ValetkeyError
    when nothing is chosen, and the errors of `ask`."""
    if not choices:
        raise ValetkeyError("there are no profiles", do="run `valetkey accept FILE` with a handoff first")
    left = tuple(choices)
    hint = ""
    for _ in range(_TRIES):
        shown = left[:_SHOWN]
        rows = [f"  {number:2}  {choice.row}\n" for number, choice in enumerate(shown, 1)]
        more = f"      and {len(left) - len(shown)} more\n" if len(left) > len(shown) else ""
        typed = ask(f"{''.join(rows)}{more}{hint}Which customer? (a number, or part of the name) ")
        if not typed:
            break
        if typed.isdecimal() and 1 <= int(typed) <= len(shown):
            return shown[int(typed) - 1].name
        result = matching(typed, choices)
        if len(result) == 1:
            return result[0].name
        left, hint = (result, "") if result else (tuple(choices), f"No profile matches {typed!r}.\n")
    raise ValetkeyError("no customer was chosen", do="run it again, or name one: valetkey use NAME", exit_code=1)


def matching(typed: str, choices: Sequence[Choice]) -> tuple[Choice, ...]:
    """Return the choices with exactly this name; else those that contain the text in name, account or customer; else
    those that contain its letters in this order. Only the exact match is case-sensitive."""
    wanted = typed.casefold()
    for test in (
        lambda item: typed == item.name,
        lambda item: wanted in item.row.casefold(),
        lambda item: _has_letters(wanted, item.row.casefold()),
    ):
        result = tuple(choice for choice in choices if test(choice))
        if result:
            return result
    return ()


def _has_letters(wanted: str, text: str) -> bool:
    rest = iter(text)
    return all(letter in rest for letter in wanted if not letter.isspace())
