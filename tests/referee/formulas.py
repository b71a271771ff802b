"""cvc5's terms with constants folded: a formula is True, False or a term.

cvc5 is installed with the extra `dev`. Only this module imports it, when a `Terms` is created.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from valetkey.catalog.text_forms import Form
from valetkey.errors import ValetkeyError
from valetkey.policy.globs import ANY, STAR
from valetkey.policy.undecided import NotDecided

Term = Any
Formula = Any
"""True, False, or a Boolean term."""

LAST_CHAR = 0x2FFFF
"""The last code point of cvc5's strings."""


class Beyond(NotDecided):
    """The question cannot be encoded exactly; the text says why."""


class Terms:
    """Creates terms, for one question: terms of two instances cannot be combined."""

    def __init__(self) -> None:
        try:
            import cvc5
        except ImportError:
            raise ValetkeyError(
                "cvc5 is not installed, and this question needs it", do="pip install 'valetkey[dev]'", exit_code=1
            ) from None
        self.cvc5 = cvc5
        self.kind = cvc5.Kind
        self.tm = cvc5.TermManager()
        self.text_sort, self.int_sort, self.bool_sort = (
            self.tm.getStringSort(),
            self.tm.getIntegerSort(),
            self.tm.getBooleanSort(),
        )
        self._folder = cvc5.Solver(self.tm)
        self._made = 0
        self.longest: list[tuple[Term, int]] = []
        """Texts with their maximum length. It is added as a constraint only if a model exceeds it: it is expensive."""
        self._literals: dict[str, Term] = {}
        self._classes: dict[str, Term] = {}

    def solver(self, milliseconds: int) -> Any:
        """A new solver with a time limit."""
        made = self.cvc5.Solver(self.tm)
        made.setOption("produce-models", "true")
        made.setOption("strings-exp", "true")
        # Prefer short texts: they are readable, and found much faster.
        made.setOption("strings-fmf", "true")
        made.setOption("tlimit-per", str(max(1, milliseconds)))
        made.setLogic("ALL")
        return made

    # Formulas

    def and_(self, parts: Iterable[Formula]) -> Formula:
        return self._join(parts, self.kind.AND, False)

    def or_(self, parts: Iterable[Formula]) -> Formula:
        return self._join(parts, self.kind.OR, True)

    def _join(self, parts: Iterable[Formula], kind: Any, decides: bool) -> Formula:
        left = []
        for part in parts:
            if part is decides:
                return decides
            if part is not (not decides):
                left.append(part)
        if not left:
            return not decides
        return left[0] if len(left) == 1 else self.tm.mkTerm(kind, *left)

    def not_(self, part: Formula) -> Formula:
        return (not part) if isinstance(part, bool) else self.tm.mkTerm(self.kind.NOT, part)

    def if_(self, test: Formula, yes: Formula, no: Formula) -> Formula:
        if isinstance(test, bool):
            return yes if test else no
        return self.or_((self.and_((test, yes)), self.and_((self.not_(test), no))))

    def fold(self, term: Term) -> Formula:
        """Evaluate a term without variables to True or False."""
        plain = self._folder.simplify(term)
        return plain.getBooleanValue() if plain.isBooleanValue() else term

    def compare(self, kind: Any, left: Term, right: Term) -> Formula:
        return self.tm.mkTerm(kind, left, right)

    # Variables

    def fresh(self, sort: Term, name: str) -> Term:
        self._made += 1
        return self.tm.mkConst(sort, f"{name}.{self._made}")

    def flag(self, name: str) -> Term:
        return self.fresh(self.bool_sort, name)

    def whole(self, name: str) -> Term:
        return self.fresh(self.int_sort, name)

    def number(self, value: int) -> Term:
        return self.tm.mkInteger(str(value))

    def bits(self, width: int, value: int) -> Term:
        return self.tm.mkBitVector(width, str(value), 10)

    # Texts

    def text(self, value: str) -> Term:
        if value not in self._literals:
            if any(ord(char) > LAST_CHAR for char in value):
                raise Beyond("a text holds a character that cvc5 does not have")
            self._literals[value] = self.tm.mkString(value)
        return self._literals[value]

    def concat(self, parts: Sequence[Term | str]) -> Term:
        terms = [
            self.text(part) if isinstance(part, str) else part for part in parts if not isinstance(part, str) or part
        ]
        if not terms:
            return self.text("")
        return terms[0] if len(terms) == 1 else self.tm.mkTerm(self.kind.STRING_CONCAT, *terms)

    def same(self, left: Term, right: Term | str) -> Formula:
        """Equality of two texts."""
        right = self.text(right) if isinstance(right, str) else right
        if left.isStringValue() and right.isStringValue():
            return left.getStringValue() == right.getStringValue()
        return True if left is right or left == right else self.tm.mkTerm(self.kind.EQUAL, left, right)

    def length(self, text: Term) -> Term:
        return self.tm.mkTerm(self.kind.STRING_LENGTH, text)

    def spelt(self, whole: Term) -> Term:
        """A whole number as decimal digits."""
        kind = self.kind
        below = self.tm.mkTerm(kind.LT, whole, self.number(0))
        minus = self.concat(("-", self.tm.mkTerm(kind.STRING_FROM_INT, self.tm.mkTerm(kind.NEG, whole))))
        return self.tm.mkTerm(kind.ITE, below, minus, self.tm.mkTerm(kind.STRING_FROM_INT, whole))

    # Regular expressions

    def fits(self, text: Term, expression: Term) -> Formula:
        member = self.tm.mkTerm(self.kind.STRING_IN_REGEXP, text, expression)
        return self.fold(member) if text.isStringValue() else member

    def chars(self, chars: str) -> Term:
        """One of these characters."""
        if chars not in self._classes:
            codes = sorted(set(map(ord, chars)))
            starts = [code for place, code in enumerate(codes) if not place or codes[place - 1] != code - 1]
            ends = [code for place, code in enumerate(codes) if codes[place + 1 : place + 2] != [code + 1]]
            self._classes[chars] = self.either([self.range(*pair) for pair in zip(starts, ends, strict=True)])
        return self._classes[chars]

    def range(self, first: int, last: int) -> Term:
        """One character between two code points."""
        return self.tm.mkTerm(self.kind.REGEXP_RANGE, self.text(chr(first)), self.text(chr(last)))

    def form(self, form: Form, skip: int = 0) -> Term:
        """The well-formed texts of a Form, without its length limit; `skip` omits the first stages."""
        made = []
        for chars, least, most in form.stages[skip:]:
            char = self.chars(chars)
            if most is not None:
                made.append(char if least == most == 1 else self.times(char, least, most))
            else:
                made += [*[char] * least, self.many(char)]
        return self.then(made)

    def literal(self, text: Term | str) -> Term:
        return self.tm.mkTerm(self.kind.STRING_TO_REGEXP, self.text(text) if isinstance(text, str) else text)

    def either(self, parts: Sequence[Term]) -> Term:
        return parts[0] if len(parts) == 1 else self.tm.mkTerm(self.kind.REGEXP_UNION, *parts)

    def then(self, parts: Sequence[Term]) -> Term:
        if not parts:
            return self.literal("")
        return parts[0] if len(parts) == 1 else self.tm.mkTerm(self.kind.REGEXP_CONCAT, *parts)

    def many(self, part: Term) -> Term:
        return self.tm.mkTerm(self.kind.REGEXP_STAR, part)

    def some(self, part: Term) -> Term:
        return self.tm.mkTerm(self.kind.REGEXP_PLUS, part)

    def times(self, part: Term, least: int, most: int) -> Term:
        return self.tm.mkTerm(self.tm.mkOp(self.kind.REGEXP_LOOP, least, most), part)

    @property
    def anything(self) -> Term:
        return self.tm.mkTerm(self.kind.REGEXP_ALL)

    def pattern(self, parts: Sequence[Term | str], *, inside: str = "") -> Term:
        """STAR and ANY in the plain parts as a regular expression. With `inside` they do not match that character."""
        char = self.tm.mkTerm(self.kind.REGEXP_ALLCHAR)
        if inside:
            char = self.either([self.range(0, ord(inside) - 1), self.range(ord(inside) + 1, LAST_CHAR)])
        made: list[Term] = []
        for part in parts:
            if not isinstance(part, str):
                made.append(self.literal(part))
                continue
            for piece in re.findall(f"[{STAR}{ANY}]|[^{STAR}{ANY}]+", part):
                if piece == STAR:
                    made.append(self.many(char) if inside else self.anything)
                else:
                    made.append(char if piece == ANY else self.literal(piece))
        return self.then(made)
