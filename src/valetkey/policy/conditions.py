"""Condition blocks: every operator is a row of one table.

Source: IAM User Guide, reference_policies_elements_condition_operators and
reference_policies_multi-value-conditions. Where AWS says nothing (a value that cannot be read under a negated
operator, `ForAnyValue:…IfExists` on a missing key), the statement's effect decides: an Allow does not match, a Deny
does. That is the parameter `unsure`.
"""

from __future__ import annotations

import operator as compare
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from valetkey.policy import operands
from valetkey.policy.globs import compiled
from valetkey.policy.variables import Keys, Template, resolve, template

Match = Callable[[str, Keys], bool | None]
"""Whether one value of a request fits any value of the condition; None when the value cannot be read."""

Test = Callable[[Keys], bool]
SetOperator = Literal["ForAllValues", "ForAnyValue"]


@dataclass(frozen=True, slots=True)
class Operator:
    """One row: AWS's name, the words between key and value in a reason, and how values are read and compared."""

    name: str
    words: str
    prepare: Callable[[Sequence[str], bool], Match]
    """Makes a Match of the condition's values; the flag says whether variables count."""
    reads: Callable[[str], object] | None = None
    """How a value of the document must be readable, or None for any text (which then may hold variables)."""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one key, as the document has it."""

    operator: Operator
    set_operator: SetOperator | None
    if_exists: bool
    key: str
    """As spelt in the document; keys are compared without case."""
    values: tuple[str, ...]
    where: str
    """JSON path of the key."""

    @property
    def name(self) -> str:
        """The operator in AWS's spelling, "ForAnyValue:StringLikeIfExists"."""
        prefix = f"{self.set_operator}:" if self.set_operator else ""
        return f"{prefix}{self.operator.name}{'IfExists' if self.if_exists else ''}"


def _equal(values: Sequence[str], variables: bool, fold: Callable[[str], str] = str) -> Match:
    read = [template(value, variables=variables, wildcards=False) for value in values]
    plain = frozenset(fold(value) for value in read if isinstance(value, str))
    open_ = [value for value in read if not isinstance(value, str)]

    def match(value: str, keys: Keys) -> bool:
        value = fold(value)
        return value in plain or any(_put(each, keys, fold) == value for each in open_)

    return match


def _put(parts: Template, keys: Keys, fold: Callable[[str], str]) -> str | None:
    text = resolve(parts, keys)
    return None if text is None else fold(text)


def _equal_ignoring_case(values: Sequence[str], variables: bool) -> Match:
    return _equal(values, variables, str.lower)


def _like(values: Sequence[str], variables: bool) -> Match:
    read = [template(value, variables=variables, wildcards=True) for value in values]
    tests = [compiled(value) for value in read if isinstance(value, str)]
    open_ = [value for value in read if not isinstance(value, str)]

    def match(value: str, keys: Keys) -> bool:
        return any(test(value) for test in tests) or any(
            (pattern := resolve(each, keys)) is not None and compiled(pattern)(value) for each in open_
        )

    return match


def _arn(values: Sequence[str], variables: bool) -> Match:
    read = [template(value, variables=variables, wildcards=True) for value in values]
    patterns = [operands.compile_arn(value) for value in read if isinstance(value, str)]
    tests = [test for test in patterns if test is not None]
    broken = len(tests) < len(patterns)
    open_ = [value for value in read if not isinstance(value, str)]

    def match(value: str, keys: Keys) -> bool | None:
        if not operands.is_arn(value):
            return None
        if any(test(value) for test in tests):
            return True
        unsure = broken
        for each in open_:
            text = resolve(each, keys)
            if text is None:
                continue  # a variable without a value fits nothing, which is documented
            test = operands.compile_arn(text)
            if test is not None and test(value):
                return True
            unsure = unsure or test is None
        return None if unsure else False

    return match


def _ordered(read: Callable[[str], Any], holds: Callable[[Any, Any], bool]) -> Callable[[Sequence[str], bool], Match]:
    def prepare(values: Sequence[str], variables: bool) -> Match:
        wanted = [read(value) for value in values]

        def match(value: str, keys: Keys) -> bool | None:
            have = read(value)
            return None if have is None else any(holds(have, want) for want in wanted)

        return match

    return prepare


def _bool(values: Sequence[str], variables: bool) -> Match:
    wanted = frozenset(value.lower() for value in values)
    return lambda value, keys: value.lower() in wanted


def _address(values: Sequence[str], variables: bool) -> Match:
    networks = [network for network in map(operands.read_network, values) if network]

    def match(value: str, keys: Keys) -> bool | None:
        have = operands.read_address(value)
        if have is None:
            return None
        version, address = have
        return any(version == ours and address & mask == base for ours, base, mask in networks)

    return match


_number, _date = operands.read_number, operands.read_date
_TABLE = (
    Operator("StringEquals", "=", _equal),
    Operator("StringNotEquals", "other than", _equal, negated=True),
    Operator("StringEqualsIgnoreCase", "= (in any case)", _equal_ignoring_case),
    Operator("StringNotEqualsIgnoreCase", "other than (in any case)", _equal_ignoring_case, negated=True),
    Operator("StringLike", "like", _like),
    Operator("StringNotLike", "unlike", _like, negated=True),
    Operator("NumericEquals", "=", _ordered(_number, compare.eq), _number),
    Operator("NumericNotEquals", "other than", _ordered(_number, compare.eq), _number, negated=True),
    Operator("NumericLessThan", "<", _ordered(_number, compare.lt), _number),
    Operator("NumericLessThanEquals", "<=", _ordered(_number, compare.le), _number),
    Operator("NumericGreaterThan", ">", _ordered(_number, compare.gt), _number),
    Operator("NumericGreaterThanEquals", ">=", _ordered(_number, compare.ge), _number),
    Operator("DateEquals", "=", _ordered(_date, compare.eq), _date),
    Operator("DateNotEquals", "other than", _ordered(_date, compare.eq), _date, negated=True),
    Operator("DateLessThan", "before", _ordered(_date, compare.lt), _date),
    Operator("DateLessThanEquals", "not after", _ordered(_date, compare.le), _date),
    Operator("DateGreaterThan", "after", _ordered(_date, compare.gt), _date),
    Operator("DateGreaterThanEquals", "not before", _ordered(_date, compare.ge), _date),
    Operator("Bool", "=", _bool, operands.read_bool),
    Operator("BinaryEquals", "=", _ordered(operands.read_bytes, compare.eq), operands.read_bytes),
    Operator("IpAddress", "in", _address, operands.read_network),
    Operator("NotIpAddress", "outside", _address, operands.read_network, negated=True),
    Operator("ArnEquals", "like", _arn),
    Operator("ArnNotEquals", "unlike", _arn, negated=True),
    Operator("ArnLike", "like", _arn),
    Operator("ArnNotLike", "unlike", _arn, negated=True),
    Operator("Null", "absent =", _bool, operands.read_bool),
)
OPERATORS = {row.name.lower(): row for row in _TABLE}
"""Every operator by its lower-cased name: AWS's engines take operator names in any case."""

_SETS: dict[str, SetOperator] = {"forallvalues": "ForAllValues", "foranyvalue": "ForAnyValue"}


def read_operator(name: str) -> tuple[Operator, SetOperator | None, bool] | None:
    """Take "ForAllValues:StringLikeIfExists" (any case) apart: row, set operator, IfExists. None when unknown.

    Null takes neither a set operator nor IfExists.
    """
    prefix, colon, base = name.lower().rpartition(":")
    if_exists = base.endswith("ifexists")
    row = OPERATORS.get(base.removesuffix("ifexists"))
    if row is None or (colon and prefix not in _SETS) or (row.name == "Null" and (colon or if_exists)):
        return None
    return row, _SETS[prefix] if colon else None, if_exists


def compile_condition(condition: Condition, *, unsure: bool, variables: bool) -> Test:
    """One test on a request's keys. `unsure` is the answer where AWS documents none."""
    key, row = condition.key.lower(), condition.operator
    unreadable = row.reads is not None and any(row.reads(value) is None for value in condition.values)
    if unreadable or not condition.values:
        return lambda keys: unsure
    if row.name == "Null":
        absent = frozenset(operands.read_bool(value) for value in condition.values)
        return lambda keys: (key not in keys) in absent
    match = row.prepare(condition.values, variables)
    # Trap: a negated test of a missing key is true, a positive one false, unless IfExists says so.
    missing = condition.if_exists or row.negated
    if condition.set_operator == "ForAllValues":
        return _for_all(match, key, row.negated, unsure)
    if condition.set_operator == "ForAnyValue":
        return _for_any(match, key, row.negated, unsure, missing=condition.if_exists and unsure)
    if row.prepare is _equal and not row.negated and not any("${" in value for value in condition.values):
        return _one_of(frozenset(condition.values), key, missing)
    return _single(match, key, row.negated, unsure, missing)


def _one_of(values: frozenset[str], key: str, missing: bool) -> Test:
    """StringEquals without variables, the most frequent test, as one look-up. Several values sent: no match."""
    if missing:
        return lambda keys: key not in keys or keys[key] in values
    return lambda keys: keys.get(key) in values


def _single(match: Match, key: str, negated: bool, unsure: bool, missing: bool) -> Test:
    def test(keys: Keys) -> bool:
        value = keys.get(key)
        if value is None:
            return missing
        if type(value) is not str:
            return False  # several values without a set operator: AWS requires one, and matches nothing
        fits = match(value, keys)
        return fits is True if not negated else unsure if fits is None else not fits

    return test


def _for_all(match: Match, key: str, negated: bool, unsure: bool) -> Test:
    def test(keys: Keys) -> bool:
        values = _several(keys.get(key))
        return all(_each(match, value, keys, negated, unsure) for value in values)

    return test


def _for_any(match: Match, key: str, negated: bool, unsure: bool, *, missing: bool) -> Test:
    def test(keys: Keys) -> bool:
        if key not in keys:
            return missing
        return any(_each(match, value, keys, negated, unsure) for value in _several(keys[key]))

    return test


def _each(match: Match, value: str, keys: Keys, negated: bool, unsure: bool) -> bool:
    fits = match(value, keys)
    if not negated:
        return fits is True
    return unsure if fits is None else not fits


def _several(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """The values for a set operator. No key, no value or only empty ones are the null set."""
    if not value:
        return ()
    if isinstance(value, str):
        return (value,)
    return value if any(value) else ()
