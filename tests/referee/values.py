"""Condition keys as terms: whether the key is present, how many values it has, and the possible values.

A multivalued key has as many places as its tests can distinguish: one for each test that some value has to match or not
to match, and two more, for "several" and for "not only empty ones". The bound is therefore not a restriction.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from tests.referee.formulas import Formula, Term, Terms

from valetkey.catalog.text_forms import Form


@dataclass(frozen=True)
class Text:
    """A text; `parts` are the six parts of an ARN, if they are known separately."""

    term: Term
    parts: tuple[Term, ...] | None = None
    ascii: bool = False


@dataclass(frozen=True)
class Number:
    """A decimal number as a whole number of fractions 1/`unit`."""

    term: Term
    unit: int = 1


@dataclass(frozen=True)
class Moment:
    """Microseconds since 1970; spelt in ISO 8601, or as epoch seconds."""

    term: Term
    epoch: bool


@dataclass(frozen=True)
class Address:
    """An IP address: whether it is IPv6, and its bits in each version."""

    six: Term
    v4: Term
    v6: Term


Value = Text | Number | Moment | Address


@dataclass(frozen=True)
class Key:
    """One condition key of the request."""

    present: Formula
    values: tuple[tuple[Formula, Value], ...]
    """Each value with the formula that it is present; the first one is present if the key is."""
    rules: tuple[Formula, ...] = ()
    """The formulas that make it well-formed."""

    @property
    def several(self) -> Formula:
        return self.values[1][0] if len(self.values) > 1 else False


ABSENT = Key(False, ())


def fixed(terms: Terms, text: str) -> Key:
    """A present key with one known value."""
    return Key(True, ((True, Text(terms.text(text), ascii=text.isascii())),))


def places(terms: Terms, name: str, make: Callable[[], tuple[Value, list[Formula]]], count: int) -> Key:
    """A key with up to `count` values, each created by `make`."""
    made = [make() for _ in range(count)]
    there = [terms.flag(f"{name}?") for _ in range(count)]
    # The rules of a place apply whether it is used or not; an unused place can always satisfy them.
    order = [terms.or_((before, terms.not_(after))) for before, after in pairwise(there)]
    rules = [*order, *(rule for _, item in made for rule in item)]
    return Key(there[0], tuple((flag, value) for flag, (value, _) in zip(there, made, strict=True)), tuple(rules))


def read(key: Key, value_of: Callable[[Term], Any]) -> str | list[str] | None:
    """A key's value in a model; None if it is absent."""
    result = [
        _spell(value, value_of)
        for there, value in key.values
        if (there if isinstance(there, bool) else value_of(there).getBooleanValue())
    ]
    return None if not result else result[0] if len(result) == 1 else result


def _spell(value: Value, value_of: Callable[[Term], Any]) -> str:
    match value:
        case Text(term):
            return str(value_of(term).getStringValue())
        case Number(term, unit):
            return f"{(Decimal(int(value_of(term).getIntegerValue())) / unit).normalize():f}"
        case Moment(term, epoch):
            moment = int(value_of(term).getIntegerValue())
            return f"{(Decimal(moment) / 1_000_000).normalize():f}" if epoch else iso(moment)
        case Address(six, v4, v6):
            if value_of(six).getBooleanValue():
                return str(ipaddress.IPv6Address(int(value_of(v6).getBitVectorValue(10))))
            return str(ipaddress.IPv4Address(int(value_of(v4).getBitVectorValue(10))))


def iso(moment: int) -> str:
    """Microseconds since 1970 as AWS spells aws:CurrentTime."""
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment)
    return when.isoformat().replace("+00:00", "Z")


def empty(terms: Terms, value: Value) -> Formula:
    """Whether it is the empty text."""
    return terms.same(value.term, "") if isinstance(value, Text) else False


def null_set(terms: Terms, key: Key) -> Formula:
    """No key, or only empty texts."""
    filled = [terms.and_((there, terms.not_(empty(terms, value)))) for there, value in key.values]
    return terms.not_(terms.or_(filled))


def shaped(terms: Terms, name: str, form: Form, expression: Term | None = None) -> tuple[Text, list[Formula]]:
    """A text of a Form; `expression` replaces the Form's stages."""
    term = terms.fresh(terms.text_sort, name)
    terms.longest.append((term, form.longest))
    rule = terms.fits(term, expression if expression is not None else terms.form(form))
    return Text(term, ascii=all(stage.chars.isascii() for stage in form.stages)), [rule]


def one_of(terms: Terms, name: str, texts: Sequence[str]) -> tuple[Text, list[Formula]]:
    """One of these texts."""
    term = terms.fresh(terms.text_sort, name)
    return Text(term, ascii=all(map(str.isascii, texts))), [terms.or_([terms.same(term, text) for text in texts])]
