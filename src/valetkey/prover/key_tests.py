"""The tests of a condition key in the documents, as the prover reads them, and the classes of its values (cells)."""

from __future__ import annotations

from typing import NamedTuple

from valetkey.policy.conditions import Condition
from valetkey.policy.operators import Comparison, Family, Operator
from valetkey.policy.undecided import not_known
from valetkey.policy.variables import Variable, template
from valetkey.prover.automata import Glob

Value = str | tuple[str, ...] | None
Span = tuple[str | None, str | None]


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


def patterns(asked: Asked) -> list[Glob]:
    """The values of a text or ARN condition as patterns; those with variables are left out. Truth values are texts
    whose case does not count. Raises NotDecided for an operator that is unknown to valetkey."""
    row, values = asked.condition.operator, asked.condition.values
    match row.family:
        case Family.TEXT:
            wild, fold = text_signs(row)
            found = (template(value, variables=asked.variables, wildcards=wild) for value in values)
            return [Glob(each, "whole", fold) for each in found if isinstance(each, str)]
        case Family.ARN:
            if row.comparison is not Comparison.LIKE:
                raise row.unknown()
            found = (template(value, variables=asked.variables, wildcards=True) for value in values)
            return [Glob(each, "arn", False) for each in found if isinstance(each, str)]
        case Family.BOOL:
            return [Glob(value, "whole", True) for value in values]
        case Family.NUMBER | Family.DATE | Family.BYTES | Family.ADDRESS | Family.NULL:
            return []
        case never:
            raise not_known(never)


def text_signs(row: Operator) -> tuple[bool, bool]:
    """Of an operator on texts: whether `*` and `?` are wildcards, and whether case does not count. Raises NotDecided
    for one that compares otherwise."""
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


def lone_variables(asked: Asked) -> tuple[list[Variable], bool]:
    """The values that are one variable and nothing else, and whether all values with variables are such."""
    row, lone, exact = asked.condition.operator, [], True
    if not asked.variables or row.family is Family.NULL:
        return [], True
    for value in asked.condition.values:
        parts = template(value, variables=True, wildcards=True)
        if isinstance(parts, str):
            continue
        # Only a variable that is compared letter by letter can be taken for the value of another key.
        simple = row.family is Family.TEXT and not text_signs(row)[1]
        if simple and len(parts) == 1 and isinstance(parts[0], Variable):
            lone.append(parts[0])
        else:
            exact = False
    return lone, exact
