"""The table of condition operators. Each row has what is compared (family) and how (comparison).

Every engine (the evaluator, the key partition, the tests' referee) decides by `family` and `comparison` alone, with
`match`; no engine looks at a name. So a new operator is a row. A new way to compare is a member of `Comparison`, which
mypy then requires in every engine. A test runs random values of every row through all engines.

Source: IAM User Guide, reference_policies_elements_condition_operators.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from valetkey.policy import operands
from valetkey.policy.undecided import NotDecided, not_known


class Family(StrEnum):
    """What an operator compares."""

    TEXT = "text"
    ARN = "arn"
    NUMBER = "number"
    DATE = "date"
    BOOL = "bool"
    BYTES = "bytes"
    ADDRESS = "address"
    NULL = "null"
    """No value: whether the key is present."""


class Comparison(StrEnum):
    """How an operator compares a value of the request with one of the document."""

    EQUAL = "equal"
    EQUAL_IGNORING_CASE = "equal ignoring case"
    LIKE = "like"
    """`*` and `?` are wildcards."""
    LESS = "less"
    LESS_OR_EQUAL = "less or equal"
    GREATER = "greater"
    GREATER_OR_EQUAL = "greater or equal"
    WITHIN = "within"
    """An address in a range."""
    ABSENT = "absent"


Reader = Callable[[str], object]
SetOperator = Literal["ForAllValues", "ForAnyValue"]


@dataclass(frozen=True, slots=True)
class Operator:
    """One row of the table."""

    name: str
    """AWS's name, without set operator and IfExists."""
    family: Family
    comparison: Comparison
    words: str
    """The text between key and value in a reason."""
    negated: bool = False
    """Whether the operator negates the comparison."""

    def unknown(self) -> NotDecided:
        """The error for an engine that does not implement this comparison in this family."""
        return NotDecided(f"valetkey does not know the condition operator {self.name}")


def reader(family: Family) -> Reader | None:
    """The parser of a document's values; it returns None for an invalid value. None instead of a parser means any
    text, which may contain policy variables. Raises NotDecided."""
    match family:
        case Family.TEXT | Family.ARN:
            return None
        case Family.NUMBER:
            return operands.read_number
        case Family.DATE:
            return operands.read_date
        case Family.BOOL | Family.NULL:
            return operands.read_bool
        case Family.BYTES:
            return operands.read_bytes
        case Family.ADDRESS:
            return operands.read_network
        case never:
            raise not_known(never)


_F, _C = Family, Comparison
OPERATOR_ROWS = (
    Operator("StringEquals", _F.TEXT, _C.EQUAL, "="),
    Operator("StringNotEquals", _F.TEXT, _C.EQUAL, "other than", negated=True),
    Operator("StringEqualsIgnoreCase", _F.TEXT, _C.EQUAL_IGNORING_CASE, "= (in any case)"),
    Operator("StringNotEqualsIgnoreCase", _F.TEXT, _C.EQUAL_IGNORING_CASE, "other than (in any case)", negated=True),
    Operator("StringLike", _F.TEXT, _C.LIKE, "like"),
    Operator("StringNotLike", _F.TEXT, _C.LIKE, "unlike", negated=True),
    Operator("NumericEquals", _F.NUMBER, _C.EQUAL, "="),
    Operator("NumericNotEquals", _F.NUMBER, _C.EQUAL, "other than", negated=True),
    Operator("NumericLessThan", _F.NUMBER, _C.LESS, "<"),
    Operator("NumericLessThanEquals", _F.NUMBER, _C.LESS_OR_EQUAL, "<="),
    Operator("NumericGreaterThan", _F.NUMBER, _C.GREATER, ">"),
    Operator("NumericGreaterThanEquals", _F.NUMBER, _C.GREATER_OR_EQUAL, ">="),
    Operator("DateEquals", _F.DATE, _C.EQUAL, "="),
    Operator("DateNotEquals", _F.DATE, _C.EQUAL, "other than", negated=True),
    Operator("DateLessThan", _F.DATE, _C.LESS, "before"),
    Operator("DateLessThanEquals", _F.DATE, _C.LESS_OR_EQUAL, "not after"),
    Operator("DateGreaterThan", _F.DATE, _C.GREATER, "after"),
    Operator("DateGreaterThanEquals", _F.DATE, _C.GREATER_OR_EQUAL, "not before"),
    Operator("Bool", _F.BOOL, _C.EQUAL, "="),
    Operator("BinaryEquals", _F.BYTES, _C.EQUAL, "="),
    Operator("IpAddress", _F.ADDRESS, _C.WITHIN, "in"),
    Operator("NotIpAddress", _F.ADDRESS, _C.WITHIN, "outside", negated=True),
    Operator("ArnEquals", _F.ARN, _C.LIKE, "like"),  # ArnEquals and ArnLike "behave identically"
    Operator("ArnNotEquals", _F.ARN, _C.LIKE, "unlike", negated=True),
    Operator("ArnLike", _F.ARN, _C.LIKE, "like"),
    Operator("ArnNotLike", _F.ARN, _C.LIKE, "unlike", negated=True),
    Operator("Null", _F.NULL, _C.ABSENT, "absent ="),
)
OPERATORS = {row.name.lower(): row for row in OPERATOR_ROWS}
"""Every operator by its lower-cased name: AWS's engines take operator names in any case."""

_SETS: dict[str, SetOperator] = {"forallvalues": "ForAllValues", "foranyvalue": "ForAnyValue"}


def read_operator(name: str) -> tuple[Operator, SetOperator | None, bool] | None:
    """Parse "ForAllValues:StringLikeIfExists" (any case) to row, set operator, IfExists. Returns None for an unknown
    name, and for Null with a set operator or IfExists.
    """
    prefix, colon, base = name.lower().rpartition(":")
    if_exists = base.endswith("ifexists")
    row = OPERATORS.get(base.removesuffix("ifexists"))
    if row is None or (colon and prefix not in _SETS):
        return None
    if row.family is Family.NULL and (colon or if_exists):
        return None
    return row, _SETS[prefix] if colon else None, if_exists
