"""Where a template's stack would be made, and what may come of a value there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Note = Callable[[str], None]
"""Receives the assumptions, one sentence at a time."""

NOTHING = object()
"""AWS::NoValue: the property or element is not there."""


class Unresolved(Exception):
    """A value that the template does not tell; the text says why."""


class Undecided(Unresolved):
    """A condition that depends on values which are not known; `condition` is its name."""

    def __init__(self, condition: str) -> None:
        super().__init__(f"condition {condition} depends on unknown values")
        self.condition = condition


@dataclass(frozen=True, slots=True)
class Place:
    """Where the stack would be made."""

    account: str | None
    partition: str
    region: str
    parameters: Mapping[str, str | None] = field(default_factory=dict)
    """Values of parameters that somebody gives (None: which one is not known); the others have their defaults."""
