"""Condition blocks in the evaluator: each condition is compiled to a test on a request's condition keys.

Source: IAM User Guide, reference_policies_elements_condition_operators and
reference_policies_multi-value-conditions. Where AWS documents nothing (`undocumented` lists the forms), the test
returns `unsure`: in `decide`, an Allow then does not match and a Deny does.

INVARIANT: a test with `unsure` True matches everything that it matches with `unsure` False.
"""

from __future__ import annotations

import operator as compare
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from valetkey.policy import operands
from valetkey.policy.globs import compiled
from valetkey.policy.letter_case import fold, loose
from valetkey.policy.operators import Comparison, Family, Operator, SetOperator, reader
from valetkey.policy.undecided import not_known
from valetkey.policy.variables import Keys, Template, broken, resolve, several, template

Fit = bool | None | Literal["doubt"]
DOUBT: Literal["doubt"] = "doubt"
Match = Callable[[str, Keys], Fit]
"""Whether one value of a request matches any value of the condition; None when the request's value cannot be parsed;
DOUBT when AWS does not document whether it matches."""

Prepare = Callable[[Sequence[str], bool], Match]
"""Builds a Match from the condition's values; the flag says whether policy variables are in effect."""
Test = Callable[[Keys], bool]


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one condition key, as in the document."""

    operator: Operator
    set_operator: SetOperator | None
    if_exists: bool
    key: str
    """As spelled in the document; keys are compared without case."""
    values: tuple[str, ...]
    where: str
    """JSON path of the key."""

    @property
    def name(self) -> str:
        """The operator in AWS's spelling, "ForAnyValue:StringLikeIfExists"."""
        prefix = f"{self.set_operator}:" if self.set_operator else ""
        return f"{prefix}{self.operator.name}{'IfExists' if self.if_exists else ''}"


def _equal(values: Sequence[str], variables: bool) -> Match:
    read = [template(value, variables=variables, wildcards=False) for value in values]
    plain = frozenset(value for value in read if isinstance(value, str))
    with_variables = [value for value in read if not isinstance(value, str)]
    if not with_variables:
        return lambda value, keys: value in plain
    return lambda value, keys: value in plain or _some(with_variables, keys, value.__eq__)


def _some(templates: Sequence[Template], keys: Keys, fits: Callable[[str], Fit]) -> Fit:
    """Whether one of the templates matches after the request's values are substituted."""
    doubt = False
    for parts in templates:
        text = resolve(parts, keys)
        if text is None:  # no value: matches nothing (documented); several values: AWS allows them in no variable
            doubt = doubt or several(parts, keys)
            continue
        result = fits(text)
        if result is True:
            return True
        doubt = doubt or result == DOUBT
    return DOUBT if doubt else False


def _equal_ignoring_case(values: Sequence[str], variables: bool) -> Match:
    read = [template(value, variables=variables, wildcards=False) for value in values]
    texts = [value for value in read if isinstance(value, str)]
    plain, alike = frozenset(map(fold, texts)), frozenset(map(loose, texts))
    ascii_only = all(map(str.isascii, texts))
    with_variables = [value for value in read if not isinstance(value, str)]

    def match(value: str, keys: Keys) -> Fit:
        if fold(value) in plain:
            return True
        result = _some(with_variables, keys, lambda text: same_ignoring_case(value, text)) if with_variables else False
        if result is False and not (ascii_only and value.isascii()) and loose(value) in alike:
            return DOUBT
        return result

    return match


def same_ignoring_case(one: str, other: str) -> Fit:
    """Whether two texts are equal ignoring case; DOUBT where that depends on letters other than A to Z."""
    if fold(one) == fold(other):
        return True
    return DOUBT if not (one.isascii() and other.isascii()) and loose(one) == loose(other) else False


def _like(values: Sequence[str], variables: bool) -> Match:
    read = [template(value, variables=variables, wildcards=True) for value in values]
    tests = [compiled(value) for value in read if isinstance(value, str)]
    with_variables = [value for value in read if not isinstance(value, str)]

    def match(value: str, keys: Keys) -> Fit:
        if any(test(value) for test in tests):
            return True
        return _some(with_variables, keys, lambda pattern: compiled(pattern)(value)) if with_variables else False

    return match


def _arn(values: Sequence[str], variables: bool) -> Match:
    read = [template(value, variables=variables, wildcards=True) for value in values]
    tests = [operands.compile_arn(value) for value in read if isinstance(value, str)]
    with_variables = [value for value in read if not isinstance(value, str)]

    def match(value: str, keys: Keys) -> Fit:
        whole = operands.is_arn(value)
        doubt = False
        for test in tests:
            if test is None:
                doubt = True
            elif whole and test(value):
                return True
        result = _some(with_variables, keys, lambda pattern: _fits_arn(pattern, value)) if with_variables else False
        if result is True:
            return True
        return DOUBT if doubt or result == DOUBT else False if whole else None

    return match


def _fits_arn(pattern: str, value: str) -> Fit:
    test = operands.compile_arn(pattern)
    return DOUBT if test is None else operands.is_arn(value) and test(value)


def _ordered(read: Callable[[str], Any], holds: Callable[[Any, Any], bool]) -> Prepare:
    def prepare(values: Sequence[str], variables: bool) -> Match:
        wanted = [read(value) for value in values]

        def match(value: str, keys: Keys) -> Fit:
            have = read(value)
            return None if have is None else any(holds(have, want) for want in wanted)

        return match

    return prepare


def _bool(values: Sequence[str], variables: bool) -> Match:
    wanted = frozenset(value.lower() for value in values)
    return lambda value, keys: value.lower() in wanted


def _address(values: Sequence[str], variables: bool) -> Match:
    networks = [network for network in map(operands.read_network, values) if network]

    def match(value: str, keys: Keys) -> Fit:
        have = operands.read_address(value)
        if have is None:
            return None
        version, address = have
        return any(version == ours and address & mask == base for ours, base, mask in networks)

    return match


def matcher(row: Operator) -> Prepare:
    """How an operator's values are parsed and compared. Raises NotDecided for an unknown operator."""
    match row.family:
        case Family.TEXT:
            return _text_matcher(row)
        case Family.ARN:
            if row.comparison is Comparison.LIKE:
                return _arn
        case Family.NUMBER:
            return _ordered(operands.read_number, _order(row))
        case Family.DATE:
            return _ordered(operands.read_date, _order(row))
        case Family.BYTES:
            return _ordered(operands.read_bytes, _order(row))
        case Family.BOOL:
            if row.comparison is Comparison.EQUAL:
                return _bool
        case Family.ADDRESS:
            if row.comparison is Comparison.WITHIN:
                return _address
        case Family.NULL:
            pass
        case never:
            raise not_known(never)
    raise row.unknown()


def _text_matcher(row: Operator) -> Prepare:
    match row.comparison:
        case Comparison.EQUAL:
            return _equal
        case Comparison.EQUAL_IGNORING_CASE:
            return _equal_ignoring_case
        case Comparison.LIKE:
            return _like
        case Comparison.LESS | Comparison.LESS_OR_EQUAL | Comparison.GREATER | Comparison.GREATER_OR_EQUAL:
            raise row.unknown()
        case Comparison.WITHIN | Comparison.ABSENT:
            raise row.unknown()
        case never:
            raise not_known(never)


def _order(row: Operator) -> Callable[[Any, Any], bool]:
    match row.comparison:
        case Comparison.EQUAL:
            return compare.eq
        case Comparison.LESS:
            return compare.lt
        case Comparison.LESS_OR_EQUAL:
            return compare.le
        case Comparison.GREATER:
            return compare.gt
        case Comparison.GREATER_OR_EQUAL:
            return compare.ge
        case Comparison.EQUAL_IGNORING_CASE | Comparison.LIKE | Comparison.WITHIN | Comparison.ABSENT:
            raise row.unknown()
        case never:
            raise not_known(never)


def silent(condition: Condition, *, variables: bool) -> bool:
    """Whether the condition is undocumented for every request: it has no values, or one that its operator cannot
    parse."""
    reads = reader(condition.operator.family)
    if not condition.values or (reads is not None and any(reads(value) is None for value in condition.values)):
        return True
    return variables and reads is None and any("${" in value and broken(value) for value in condition.values)


def compile_condition(condition: Condition, *, unsure: bool, variables: bool) -> Test:
    """Compile a condition to a test on a request's keys. `unsure` is the result where AWS documents none.

    Raises NotDecided for an unknown operator."""
    key, row = condition.key.lower(), condition.operator
    if silent(condition, variables=variables):
        return lambda keys: unsure
    if row.family is Family.NULL and row.comparison is Comparison.ABSENT:
        absent = frozenset(operands.read_bool(value) for value in condition.values)
        return lambda keys: (key not in keys) in absent
    prepare = matcher(row)
    match = prepare(condition.values, variables)
    # A negated test of a missing key is true; a positive test is false, unless it has IfExists.
    missing = condition.if_exists or row.negated
    if condition.set_operator == "ForAllValues":
        return _for_all(match, key, row.negated, unsure)
    if condition.set_operator == "ForAnyValue":
        return _for_any(match, key, row.negated, unsure, missing=condition.if_exists and unsure)
    if prepare is _equal and not row.negated and not any("${" in value for value in condition.values):
        return _one_of(frozenset(condition.values), key, missing, unsure)
    return _single(match, key, row.negated, unsure, missing)


def _one_of(values: frozenset[str], key: str, missing: bool, unsure: bool) -> Test:
    """StringEquals without variables, the most frequent test, as one lookup."""
    if unsure:
        return lambda keys: missing if (value := keys.get(key)) is None else value in values or type(value) is tuple
    if missing:
        return lambda keys: key not in keys or keys[key] in values
    return lambda keys: keys.get(key) in values


def _single(match: Match, key: str, negated: bool, unsure: bool, missing: bool) -> Test:
    def test(keys: Keys) -> bool:
        value = keys.get(key)
        if value is None:
            return missing
        if type(value) is not str:
            return unsure  # several values without a set operator, which AWS requires
        return _each(match, value, keys, negated, unsure)

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
    """The result for one value. A value that cannot be parsed does not match a positive operator; under a negated one
    it is `unsure`."""
    fits = match(value, keys)
    if fits is True or fits is False:
        return fits is not negated
    return unsure if negated or fits == DOUBT else False


def _several(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """The values for a set operator. A missing key, an empty value or only empty values give the empty set."""
    if not value:
        return ()
    if isinstance(value, str):
        return (value,)
    return value if any(value) else ()
