"""Condition blocks as formulas: the rules of `valetkey.policy.conditions`, written a second time.

Texts and ARNs are in `texts`.
"""

from __future__ import annotations

import base64
import ipaddress
import math
from collections.abc import Callable, Sequence
from decimal import Decimal

from tests.referee.fields import LAST_MOMENT
from tests.referee.formulas import Beyond, Formula, Term, Terms
from tests.referee.texts import Fit, Keys, any_case, arn_fit, digits, short_pattern, text_comparison, text_fit
from tests.referee.values import Address, Moment, Number, Text, Value, iso, null_set

from valetkey.policy.conditions import Condition, silent
from valetkey.policy.globs import ANY, STAR
from valetkey.policy.operands import read_date, read_network
from valetkey.policy.operators import Comparison, Family, Operator
from valetkey.policy.undecided import not_known
from valetkey.policy.variables import template


def encode(condition: Condition, keys: Keys, *, unsure: bool, variables: bool) -> Formula:
    """The formula that a test holds; `unsure` is the result where AWS documents nothing (`silence`)."""
    terms, row = keys.terms, condition.operator
    if silent(condition, variables=variables):
        return unsure
    _refuse_unknown(row)
    key = keys[condition.key.lower()]
    if row.family is Family.NULL and row.comparison is Comparison.ABSENT:
        wanted = {value.lower() == "true" for value in condition.values}
        return terms.or_([key.present if not absent else terms.not_(key.present) for absent in wanted])
    each = [(there, _test(condition, value, keys, unsure, variables)) for there, value in key.values]
    absent = terms.not_(key.present)
    if condition.set_operator == "ForAllValues":
        held = [terms.or_((terms.not_(there), test)) for there, test in each]
        return terms.or_((null_set(terms, key), terms.and_(held)))
    if condition.set_operator == "ForAnyValue":
        some = terms.or_([terms.and_(pair) for pair in each])
        there = terms.and_((key.present, terms.not_(null_set(terms, key)), some))
        return terms.or_((terms.and_((absent, condition.if_exists and unsure)), there))
    one = terms.and_((key.present, terms.not_(key.several), each[0][1])) if each else False
    several = terms.and_((key.several, unsure))  # without a set operator, which AWS requires
    return terms.or_((terms.and_((absent, condition.if_exists or row.negated)), one, several))


def _test(condition: Condition, value: Value, keys: Keys, unsure: bool, variables: bool) -> Formula:
    terms = keys.terms
    yes, unread, doubt = compare(condition.operator, condition.values, value, keys, variables)
    if not condition.operator.negated:
        return terms.or_((yes, doubt)) if unsure else yes
    return terms.not_(yes) if unsure else terms.not_(terms.or_((yes, unread, doubt)))


def compare(row: Operator, wanted: Sequence[str], value: Value, keys: Keys, variables: bool) -> Fit:
    """Whether `value` matches one of `wanted` under the operator without its negation. Raises Beyond and NotDecided."""
    match value:
        case Text():
            return _with_text(row, wanted, value, keys, variables)
        case Address():
            return _with_address(row, wanted, value, keys, variables)
        case Moment(epoch=False):
            return _with_moment(row, wanted, value, keys, variables)
        case Moment() | Number():
            return _with_number(row, wanted, value, keys, variables)
        case never:
            raise not_known(never)


def _beyond(row: Operator, what: str) -> Beyond:
    return Beyond(f"{row.name} compares {what} as {row.family}")


def _unread(row: Operator, wanted: Sequence[str]) -> Fit:
    """A value that its operator cannot read; for some ARN patterns the result is also in doubt."""
    return Fit(False, unread=True, doubt=row.family is Family.ARN and any(map(short_pattern, wanted)))


def _refuse_unknown(row: Operator) -> None:
    """Raise NotDecided for an operator that is not known here, also if no value is compared."""
    match row.family:
        case Family.TEXT:
            known = {Comparison.EQUAL, Comparison.EQUAL_IGNORING_CASE, Comparison.LIKE}
        case Family.ARN:
            known = {Comparison.LIKE}
        case Family.NUMBER | Family.DATE:
            known = _ORDERS
        case Family.BOOL | Family.BYTES:
            known = {Comparison.EQUAL}
        case Family.ADDRESS:
            known = {Comparison.WITHIN}
        case Family.NULL:
            known = {Comparison.ABSENT}
        case never:
            raise not_known(never)
    if row.comparison not in known:
        raise row.unknown()


_ORDERS = {
    Comparison.EQUAL,
    Comparison.LESS,
    Comparison.LESS_OR_EQUAL,
    Comparison.GREATER,
    Comparison.GREATER_OR_EQUAL,
}


def _with_text(row: Operator, wanted: Sequence[str], value: Text, keys: Keys, variables: bool) -> Fit:
    terms = keys.terms
    match row.family:
        case Family.TEXT:
            return text_fit(row, wanted, value, keys, variables)
        case Family.ARN if row.comparison is Comparison.LIKE:
            return arn_fit(wanted, value, keys, variables)
        case Family.BOOL if row.comparison is Comparison.EQUAL:
            return Fit(terms.or_([any_case(terms, value, item).yes for item in wanted]))
        case Family.BYTES if row.comparison is Comparison.EQUAL:
            plain = [base64.b64encode(base64.b64decode(item)).decode() for item in wanted]
            return Fit(terms.or_([terms.same(value.term, item) for item in plain]))
        case Family.ARN | Family.BOOL | Family.BYTES:
            raise row.unknown()
        case Family.NUMBER | Family.DATE | Family.ADDRESS | Family.NULL:
            raise _beyond(row, "a text")
        case never:
            raise not_known(never)


def _with_address(row: Operator, wanted: Sequence[str], value: Address, keys: Keys, variables: bool) -> Fit:
    match row.family:
        case Family.ADDRESS if row.comparison is Comparison.WITHIN:
            return Fit(keys.terms.or_([_in_network(keys.terms, value, item) for item in wanted]))
        case Family.TEXT:
            return Fit(_spelt_as(row, wanted, value, keys.terms, variables))
        case Family.BOOL if row.comparison is Comparison.EQUAL:
            return Fit(False)
        case Family.ARN | Family.NUMBER | Family.DATE:
            return _unread(row, wanted)
        case Family.ADDRESS | Family.BOOL:
            raise row.unknown()
        case Family.BYTES | Family.NULL:
            raise _beyond(row, "an address")
        case never:
            raise not_known(never)


def _with_moment(row: Operator, wanted: Sequence[str], value: Moment, keys: Keys, variables: bool) -> Fit:
    match row.family:
        case Family.DATE:
            return Fit(_ordered(keys.terms, row, wanted, value.term, _micros))
        case Family.TEXT:
            return Fit(_spelt_as(row, wanted, value, keys.terms, variables))
        case Family.BOOL if row.comparison is Comparison.EQUAL:
            return Fit(False)
        case Family.ARN | Family.NUMBER | Family.ADDRESS:
            return _unread(row, wanted)
        case Family.BOOL:
            raise row.unknown()
        case Family.BYTES | Family.NULL:
            raise _beyond(row, "a time")
        case never:
            raise not_known(never)


def _with_number(row: Operator, wanted: Sequence[str], value: Number | Moment, keys: Keys, variables: bool) -> Fit:
    """Compare a number, also as a time in epoch seconds, or a time in epoch seconds as a number."""
    unit = value.unit if isinstance(value, Number) else 1_000_000
    match row.family:
        case Family.NUMBER:
            return Fit(_ordered(keys.terms, row, wanted, value.term, lambda text: Decimal(text) * unit))
        case Family.DATE:
            return Fit(_ordered(keys.terms, row, wanted, value.term, lambda text: _micros(text) / 1_000_000 * unit))
        case Family.TEXT:
            return text_fit(row, wanted, Text(digits(keys.terms, value), ascii=True), keys, variables)
        case Family.BOOL if row.comparison is Comparison.EQUAL:
            return Fit(False)
        case Family.ARN | Family.ADDRESS:
            return _unread(row, wanted)
        case Family.BOOL:
            raise row.unknown()
        case Family.BYTES | Family.NULL:
            raise _beyond(row, "a number")
        case never:
            raise not_known(never)


def _micros(text: str) -> Decimal:
    read = read_date(text)
    assert read is not None
    return Decimal(read)


def _ordered(terms: Terms, row: Operator, wanted: Sequence[str], term: Term, read: Callable[[str], Decimal]) -> Formula:
    """Compare a whole number with decimal bounds, which are rounded to the next whole number."""
    return terms.or_([_against(terms, row, term, read(item)) for item in wanted])


def _against(terms: Terms, row: Operator, term: Term, bound: Decimal) -> Formula:
    match row.comparison:
        case Comparison.EQUAL:
            whole = bound == bound.to_integral_value()
            return terms.compare(terms.kind.EQUAL, term, terms.number(int(bound))) if whole else False
        case Comparison.LESS:
            return terms.compare(terms.kind.LEQ, term, terms.number(math.ceil(bound) - 1))
        case Comparison.LESS_OR_EQUAL:
            return terms.compare(terms.kind.LEQ, term, terms.number(math.floor(bound)))
        case Comparison.GREATER:
            return terms.compare(terms.kind.GEQ, term, terms.number(math.floor(bound) + 1))
        case Comparison.GREATER_OR_EQUAL:
            return terms.compare(terms.kind.GEQ, term, terms.number(math.ceil(bound)))
        case Comparison.EQUAL_IGNORING_CASE | Comparison.LIKE | Comparison.WITHIN | Comparison.ABSENT:
            raise row.unknown()
        case never:
            raise not_known(never)


def _in_network(terms: Terms, value: Address, text: str) -> Formula:
    network = read_network(text)
    assert network is not None
    version, base, mask = network
    width, bits = (32, value.v4) if version == 4 else (128, value.v6)
    masked = terms.tm.mkTerm(terms.kind.BITVECTOR_AND, bits, terms.bits(width, mask))
    inside = terms.compare(terms.kind.EQUAL, masked, terms.bits(width, base))
    return terms.and_((inside, value.six if version == 6 else terms.not_(value.six)))


def _spelt_as(row: Operator, wanted: Sequence[str], value: Address | Moment, terms: Terms, variables: bool) -> Formula:
    """Compare an address or a time with texts: only AWS's spelling matches."""
    how = text_comparison(row)
    parts: list[Formula] = []
    for text in wanted:
        read = template(text, variables=variables, wildcards=how is Comparison.LIKE)
        if not isinstance(read, str) or (read != STAR and (STAR in read or ANY in read)):
            raise Beyond(f"{row.name} compares an address or a time with a pattern")
        if read == STAR:
            parts.append(True)
        elif isinstance(value, Moment):
            when = read_date(text)
            if when is not None and 0 <= when <= LAST_MOMENT and iso(when) == text:
                parts.append(terms.compare(terms.kind.EQUAL, value.term, terms.number(when)))
        else:
            spelling = text.lower() if how is Comparison.EQUAL_IGNORING_CASE else text
            try:
                address = ipaddress.ip_address(spelling)
            except ValueError:
                continue
            if str(address) == spelling:
                parts.append(_in_network(terms, value, text))
    return terms.or_(parts)
