"""Where a template's stack would be created, and how the resolution of a value can fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

NoteAssumption = Callable[[str], None]
"""Receives one assumption per call, as a sentence."""

NOTHING = object()
"""AWS::NoValue: the property or element is absent."""


class Unresolved(Exception):
    """The template does not determine a value; the text says why."""


class Undecided(Unresolved):
    """A condition depends on unknown values; `condition` is its name."""

    def __init__(self, condition: str) -> None:
        super().__init__(f"condition {condition} depends on unknown values")
        self.condition = condition


@dataclass(frozen=True, slots=True)
class Place:
    """The account, partition and region in which the stack would be created, and its parameters."""

    account: str | None
    partition: str
    region: str
    parameters: Mapping[str, str | None] = field(default_factory=dict)
    """Given parameter values (None: given but unknown). Other parameters have their defaults."""
