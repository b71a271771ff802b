"""A condition of a document as the prover reads it, and the equivalence classes of a key's values (cells)."""

from __future__ import annotations

from typing import NamedTuple

from valetkey.policy.conditions import Condition
from valetkey.policy.operators import Comparison, Family, Operator
from valetkey.policy.undecided import not_known
from valetkey.policy.variables import Variable, template
from valetkey.prover.automata import Glob

KeyValue = str | tuple[str, ...] | None
TextSpan = tuple[str | None, str | None]


class KeyTest(NamedTuple):
    """One condition of a document."""

    condition: Condition
    variables: bool
    deny: bool


class Cell(NamedTuple):
    """One equivalence class of a key's values, represented by one value. None: the key is absent."""

    value: KeyValue
    span: TextSpan | None = None
    """For numbers and dates: the interval that the value represents, with its ends as texts."""


def patterns(asked: KeyTest) -> list[Glob]:
    """The values of a text or ARN condition as patterns, without those that have variables. Booleans are texts compared
    without case. Raises NotDecided for an unknown operator."""
    row, values = asked.condition.operator, asked.condition.values
    match row.family:
        case Family.TEXT:
            wild, fold = text_signs(row)
            result = (template(value, variables=asked.variables, wildcards=wild) for value in values)
            return [Glob(item, "whole", fold) for item in result if isinstance(item, str)]
        case Family.ARN:
            if row.comparison is not Comparison.LIKE:
                raise row.unknown()
            result = (template(value, variables=asked.variables, wildcards=True) for value in values)
            return [Glob(item, "arn", False) for item in result if isinstance(item, str)]
        case Family.BOOL:
            return [Glob(value, "whole", True) for value in values]
        case Family.NUMBER | Family.DATE | Family.BYTES | Family.ADDRESS | Family.NULL:
            return []
        case never:
            raise not_known(never)


def text_signs(row: Operator) -> tuple[bool, bool]:
    """For an operator on texts: whether `*` and `?` are wildcards, and whether case is ignored. Raises NotDecided for
    any other comparison."""
    match row.comparison:
        case Comparison.EQUAL:
            return False, False
        case Comparison.EQUAL_IGNORING_CASE:
            return False, True
        case Comparison.LIKE:
            return True, False
        case Comparison.LESS | Comparison.LESS_OR_EQUAL | Comparison.GREATER | Comparison.GREATER_OR_EQUAL:
            raise row.unknown()
        case Comparison.WITHIN | Comparison.ABSENT:
            raise row.unknown()
        case never:
            raise not_known(never)


def lone_variables(asked: KeyTest) -> tuple[list[Variable], bool]:
    """The values that are a single variable, and whether all values with variables are of that form."""
    row, lone, exact = asked.condition.operator, [], True
    if not asked.variables or row.family is Family.NULL:
        return [], True
    for value in asked.condition.values:
        parts = template(value, variables=True, wildcards=True)
        if isinstance(parts, str):
            continue
        # Only a variable that is compared exactly can be replaced by the value of another key.
        simple = row.family is Family.TEXT and not text_signs(row)[1]
        if simple and len(parts) == 1 and isinstance(parts[0], Variable):
            lone.append(parts[0])
        else:
            exact = False
    return lone, exact
