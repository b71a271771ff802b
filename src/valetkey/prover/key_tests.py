"""What documents ask of a condition key, as the prover reads it, and what kinds of values are (cells)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from valetkey.policy.conditions import Condition
from valetkey.policy.variables import Variable, template
from valetkey.prover.automata import Glob

Value = str | tuple[str, ...] | None
Keys = Mapping[str, str | tuple[str, ...]]
Span = tuple[str | None, str | None]


class NotDecided(Exception):
    """The documents ask something of a key that is not decided here; its text says what."""


class Unspoken(NotDecided):
    """The documents mean callers of whom no request can speak: no prover is to be asked."""


class Asked(NamedTuple):
    """One condition of a document."""

    condition: Condition
    variables: bool
    deny: bool


class Cell(NamedTuple):
    """One kind of value of a key, by one such value; None: absent."""

    value: Value
    span: Span | None = None
    """For numbers and dates: the interval it stands for, its ends as texts."""


def kind_of(name: str) -> str:
    """The family of an operator: text, arn, number, date, bool, bytes, address or null."""
    for start, family in _FAMILIES:
        if name.startswith(start):
            return family
    raise AssertionError(name)


_FAMILIES = (
    ("String", "text"),
    ("Arn", "arn"),
    ("Numeric", "number"),
    ("Date", "date"),
    ("Bool", "bool"),
    ("Binary", "bytes"),
    ("IpAddress", "address"),
    ("NotIpAddress", "address"),
    ("Null", "null"),
)


def patterns(asked: Asked) -> list[Glob]:
    """The values of a text or ARN condition as patterns; those with variables are left out. Truth values are texts
    whose case does not count."""
    name = asked.condition.operator.name
    family = kind_of(name)
    if family == "bool":
        return [Glob(value, "whole", True) for value in asked.condition.values]
    if family not in ("text", "arn"):
        return []
    wild = "Like" in name or family == "arn"
    found = (template(value, variables=asked.variables, wildcards=wild) for value in asked.condition.values)
    fold = name.endswith("IgnoreCase")
    return [Glob(each, "arn" if family == "arn" else "whole", fold) for each in found if isinstance(each, str)]


def lone_variables(asked: Asked) -> tuple[list[Variable], bool]:
    """The values that are one variable and nothing else, and whether all values with variables are such."""
    condition = asked.condition
    family, lone, exact = kind_of(condition.operator.name), [], True
    if not asked.variables or family == "null":
        return [], True
    for value in condition.values:
        parts = template(value, variables=True, wildcards=True)
        if isinstance(parts, str):
            continue
        simple = family == "text" and not condition.operator.name.endswith("IgnoreCase")
        if simple and len(parts) == 1 and isinstance(parts[0], Variable):
            lone.append(parts[0])
        else:
            exact = False
    return lone, exact
