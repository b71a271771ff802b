"""Texts and ARNs as formulas: patterns, policy variables, letter case.

A comparison has four results, as three formulas: the value matches, it cannot be read, or AWS does not document whether
it matches; otherwise it does not match.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from tests.referee.formulas import Beyond, Formula, Term, Terms
from tests.referee.values import Key, Moment, Number, Text

from valetkey.policy.globs import ANY, STAR
from valetkey.policy.letter_case import LIGATURES, ODD, fold
from valetkey.policy.operators import Comparison, Operator
from valetkey.policy.undecided import not_known
from valetkey.policy.variables import Template, template


class Keys(Protocol):
    """A request's condition keys by lower-cased name."""

    terms: Terms

    def __getitem__(self, key: str) -> Key: ...


class Fit(NamedTuple):
    """The result of a comparison."""

    yes: Formula
    unread: Formula = False
    """It cannot be read."""
    doubt: Formula = False
    """AWS does not document whether it matches. `yes` has precedence."""


def digits(terms: Terms, value: Number | Moment) -> Term:
    """A whole number as decimal text."""
    if isinstance(value, Moment) or value.unit != 1:
        raise Beyond("a number that need not be whole, or a time in seconds, is compared as text")
    return terms.spelt(value.term)


def text_comparison(row: Operator) -> Literal[Comparison.EQUAL, Comparison.EQUAL_IGNORING_CASE, Comparison.LIKE]:
    """The comparison of an operator on texts. Raises NotDecided for any other comparison."""
    match row.comparison:
        case Comparison.EQUAL | Comparison.EQUAL_IGNORING_CASE | Comparison.LIKE as how:
            return how
        case Comparison.LESS | Comparison.LESS_OR_EQUAL | Comparison.GREATER | Comparison.GREATER_OR_EQUAL:
            raise row.unknown()
        case Comparison.WITHIN | Comparison.ABSENT:
            raise row.unknown()
        case never:
            raise not_known(never)


def text_fit(row: Operator, wanted: Sequence[str], value: Text, keys: Keys, variables: bool) -> Fit:
    terms, how = keys.terms, text_comparison(row)
    match how:
        case Comparison.EQUAL_IGNORING_CASE:
            parts = []
            for text in wanted:
                read = template(text, variables=variables, wildcards=False)
                parts.append(any_case(terms, value, read) if isinstance(read, str) else Fit(_fold(value, read, keys)))
            return Fit(terms.or_([fit.yes for fit in parts]), doubt=terms.or_([fit.doubt for fit in parts]))
        case Comparison.EQUAL:
            plain = [template(text, variables=variables, wildcards=False) for text in wanted]
            return Fit(terms.or_([_equal(value.term, item, keys) for item in plain]))
        case Comparison.LIKE:
            wild = [template(text, variables=variables, wildcards=True) for text in wanted]
            return Fit(terms.or_([_like(value.term, item, keys) for item in wild]))
        case never:
            raise not_known(never)


def _equal(term: Term, read: str | Template, keys: Keys) -> Formula:
    if isinstance(read, str):
        return keys.terms.same(term, read)
    known, parts = resolve(read, keys)
    return keys.terms.and_((known, keys.terms.same(term, keys.terms.concat(parts))))


def _like(term: Term, read: str | Template, keys: Keys) -> Formula:
    """Match a text against a pattern with STAR and ANY."""
    known, parts = (True, [read]) if isinstance(read, str) else resolve(read, keys)
    return keys.terms.and_((known, glob(keys.terms, term, parts)))


def glob(terms: Terms, term: Term, parts: Sequence[Term | str], *, inside: str = "") -> Formula:
    signs = "".join(part for part in parts if isinstance(part, str))
    if STAR not in signs and ANY not in signs:
        return terms.same(term, terms.concat(parts))
    if not inside and all(isinstance(part, str) for part in parts) and not signs.strip(STAR):
        return True
    return terms.fits(term, terms.pattern(parts, inside=inside))


def resolve(read: Template, keys: Keys) -> tuple[Formula, list[Term | str]]:
    """The formula that every variable has a value (or a default), and the text with the values. Raises Beyond for a key
    that may have several values: AWS does not allow it in a variable, and does not document the result."""
    terms = keys.terms
    known: list[Formula] = []
    parts: list[Term | str] = []
    for part in read:
        if isinstance(part, str):
            parts.append(part)
            continue
        key = keys[part.key]
        term = _text_of(terms, key)
        if key.several is not False:
            raise Beyond("a policy variable may have several values")
        if part.default is None:
            known.append(key.present)
            parts.append(term if term is not None else "")
        elif term is None or key.present is False:
            parts.append(part.default)
        elif key.present is True:
            parts.append(term)
        else:
            default = terms.text(part.default)
            parts.append(terms.tm.mkTerm(terms.kind.ITE, key.present, term, default))
    return terms.and_(known), parts


def _text_of(terms: Terms, key: Key) -> Term | None:
    if not key.values:
        return None
    value = key.values[0][1]
    match value:
        case Text(term):
            return term
        case Number():
            return digits(terms, value)
    raise Beyond("a policy variable is an address or a time")


def any_case(terms: Terms, value: Text, text: str) -> Fit:
    """The text with any case of A to Z; in doubt if it contains other letters (`case`)."""
    if not text.isascii():
        raise Beyond("a text that is not ASCII is compared without case")
    if text.lower() == text.upper():
        return Fit(terms.same(value.term, text))
    yes = _in_case(terms, value, text, {})
    if value.ascii:
        return Fit(yes)
    if any(several in fold(text) for several in LIGATURES):
        raise Beyond("a text is compared without case, and some letter is several of its letters at once")
    odd = any(char in ODD for char in fold(text))
    return Fit(yes, doubt=_in_case(terms, value, text, ODD) if odd else False)


def _in_case(terms: Terms, value: Text, text: str, also: Mapping[str, str]) -> Formula:
    """The text with any case of A to Z; `also` adds other spellings of letters."""
    signs = [
        terms.chars("".join(sorted({char, char.upper(), *also.get(char, "")}))) if char.isalpha() else char
        for char in text.lower()
    ]
    expression = terms.then([terms.literal(sign) if isinstance(sign, str) else sign for sign in signs])
    return terms.fits(value.term, expression)


def _fold(value: Text, read: Template, keys: Keys) -> Formula:
    terms = keys.terms
    plain = all(part.isascii() if isinstance(part, str) else _is_ascii(keys[part.key]) for part in read)
    if not value.ascii or not plain:
        raise Beyond("a policy variable is compared without case")
    known, parts = resolve(read, keys)
    lower = terms.kind.STRING_TO_LOWER
    both = [terms.tm.mkTerm(lower, item) for item in (value.term, terms.concat(parts))]
    return terms.and_((known, terms.compare(terms.kind.EQUAL, *both)))


def _is_ascii(key: Key) -> bool:
    return all(not isinstance(value, Text) or value.ascii for _, value in key.values)


# ARNs


def arn_fit(wanted: Sequence[str], value: Text, keys: Keys, variables: bool) -> Fit:
    """ArnEquals and ArnLike: compare the six parts one by one. A text with fewer parts is not an ARN and cannot be
    read; a pattern with fewer parts, including `*` alone, is in doubt."""
    terms = keys.terms
    yes: list[Formula] = []
    doubt: list[Formula] = []
    for text in wanted:
        read = template(text, variables=variables, wildcards=True)
        fit, short = (False, True) if read == STAR else arn_like(read, value, keys)
        yes.append(fit)
        doubt.append(short)
    known = is_arn(terms, value)
    return Fit(terms.and_((known, terms.or_(yes))), unread=terms.not_(known), doubt=terms.or_(doubt))


def short_pattern(text: str) -> bool:
    """Whether an ARN pattern has fewer than six parts. One with a variable may have."""
    return text.count(":") < 5 or "${" in text


def is_arn(terms: Terms, value: Text) -> Formula:
    if value.parts is not None:
        return True
    return terms.fits(value.term, terms.pattern([f"arn:{STAR}:{STAR}:{STAR}:{STAR}:{STAR}"]))


def arn_like(read: str | Template, value: Text, keys: Keys) -> tuple[Formula, Formula]:
    """Match an ARN against a pattern: whether it matches, and whether the pattern has fewer than six parts."""
    terms = keys.terms
    if isinstance(read, str):
        wanted = read.split(":", 5)
        if len(wanted) < 6:
            return False, True
        return _by_parts([[part] for part in wanted], value, True, keys), False
    cut = _cut(read)
    if cut is not None:
        known, tail = resolve(cut[1], keys)
        return _by_parts([*([part] for part in cut[0]), tail], value, known, keys), False
    known, parts = resolve(read, keys)
    if any(STAR in part or ANY in part for part in read if isinstance(part, str)):
        raise Beyond("a policy variable stands before the resource of an ARN pattern")
    whole = terms.concat(parts)
    enough = terms.fits(whole, terms.pattern([f"{STAR}:{STAR}:{STAR}:{STAR}:{STAR}:{STAR}"]))
    return (
        terms.and_((known, enough, terms.same(value.term, whole))),
        terms.and_((known, terms.not_(enough))),
    )


def _cut(read: Template) -> tuple[list[str], Template] | None:
    """Split a pattern into its first five parts and the rest, if its variables are only in the rest."""
    first = read[0]
    if not isinstance(first, str) or first.count(":") < 5:
        return None
    *parts, rest = first.split(":", 5)
    return parts, (*((rest,) if rest else ()), *read[1:])


def _by_parts(wanted: Sequence[Sequence[Term | str]], value: Text, known: Formula, keys: Keys) -> Formula:
    terms = keys.terms
    if value.parts is not None:
        pairs = zip(value.parts, wanted, strict=True)
        return terms.and_((known, *(glob(terms, part, want) for part, want in pairs)))
    pieces = [terms.pattern(want, inside=":" if place < 5 else "") for place, want in enumerate(wanted)]
    colons = [item for piece in pieces[1:] for item in (terms.literal(":"), piece)]
    return terms.and_((known, terms.fits(value.term, terms.then([pieces[0], *colons]))))


def resource_like(read: str | Template, value: Text, keys: Keys) -> Formula:
    """Match a pattern of Resource: wildcards stay within a segment, but a `*` at its end may match beyond it."""
    if isinstance(read, str):
        inner = any(STAR in segment[:-1] for segment in read.split(":", 5)[:5])
        if not inner:
            return glob(keys.terms, value.term, [read])
        yes, short = arn_like(read, value, keys)
        return keys.terms.and_((is_arn(keys.terms, value), yes, keys.terms.not_(short)))
    cut = _cut(read)
    if cut is not None and any(STAR in segment[:-1] for segment in cut[0]):
        return keys.terms.and_((is_arn(keys.terms, value), arn_like(read, value, keys)[0]))
    if cut is None and any(STAR in part for part in read if isinstance(part, str)):
        raise Beyond("a policy variable stands before the resource of an ARN pattern")
    return _like(value.term, read, keys)
