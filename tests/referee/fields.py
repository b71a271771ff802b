"""Well-formed condition keys that cannot be derived from the caller, as terms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from tests.referee.formulas import Beyond, Formula, Terms
from tests.referee.values import ABSENT, Address, Key, Moment, Number, Text, Value, one_of, places, shaped

from valetkey.catalog import condition_keys as table
from valetkey.catalog.text_forms import Form
from valetkey.policy.conditions import Condition
from valetkey.policy.globs import STAR
from valetkey.policy.operands import read_number
from valetkey.policy.operators import Family
from valetkey.policy.statements import Statement
from valetkey.policy.undecided import not_known

LAST_MOMENT = 253_402_300_799_000_000
"""9999-12-31T23:59:59Z in microseconds: years have four digits."""
MOST_PLACES = 12
TIME = frozenset({"aws:currenttime", "aws:epochtime"})


class Fields:
    """The keys of one request, created on first use."""

    def __init__(self, terms: Terms, statements: Iterable[Statement], given: Mapping[str, Key]) -> None:
        self.terms = terms
        self.rules: list[Formula] = [rule for key in given.values() for rule in key.rules]
        self.made: dict[str, Key] = dict(given)
        self.own = frozenset(given)
        self.touched: set[str] = set()
        self.time: Key = ABSENT
        self._asked: dict[str, list[Condition]] = {}
        for statement in statements:
            for condition in statement.conditions:
                self._asked.setdefault(condition.key.lower(), []).append(condition)

    def __getitem__(self, key: str) -> Key:
        self.touched.add(key)
        if key not in self.made:
            made = self._moment_of_call(key) if key in TIME else self._make(key)
            self.made[key] = made
            self.rules += made.rules
        return self.made[key]

    def _moment_of_call(self, key: str) -> Key:
        """aws:CurrentTime and aws:EpochTime are the same moment, and always there."""
        if self.time is ABSENT:
            value, rules = self._moment("time", epoch=False)
            self.time = Key(True, ((True, value),), tuple(rules))
            self.rules += rules
        value = self.time.values[0][1]
        assert isinstance(value, Moment)
        return Key(True, ((True, Moment(value.term, key == "aws:epochtime")),))

    def _make(self, name: str) -> Key:
        known, asked = table.key_of(name), self._asked.get(name, [])
        kind = self._type(name, known, {condition.operator.family for condition in asked} - {Family.NULL})
        count, sets = 1, sum(condition.set_operator is not None for condition in asked)
        if known.many or (sets and known.many is None):
            count = sets + 2
            if count > MOST_PLACES:
                raise Beyond(f"{name} is tested by {sets} set operators")
        made = places(self.terms, name, self._maker(name, known, kind), count)
        return Key(True, ((True, made.values[0][1]), *made.values[1:]), made.rules) if known.always else made

    def _maker(self, name: str, known: table.ConditionKey, kind: Family) -> Callable[[], tuple[Value, list[Formula]]]:
        """Return a function that creates one value of a key of type `kind`."""
        match kind:
            case Family.BOOL:
                return lambda: one_of(self.terms, name, ("true", "false"))
            case Family.NUMBER:
                return lambda: self._number(name, whole=known.type == "number")
            case Family.DATE:
                return lambda: self._moment(name, epoch=False)
            case Family.ADDRESS:
                return lambda: self._address(name)
            case Family.ARN:
                return lambda: self._arn(name) if known.type == "arn" else self._perhaps_arn(name, known)
            case Family.BYTES:
                return lambda: self._bytes(name)
            case Family.TEXT:
                return lambda: self._text(name, known)
            case Family.NULL:
                raise AssertionError("Null compares no values")
            case never:
                raise not_known(never)

    def _type(self, name: str, known: table.ConditionKey, families: set[Family]) -> Family:
        own = Family(known.type)
        if own not in (Family.TEXT, Family.ARN):
            return own
        typed = families - {Family.TEXT, Family.ARN, Family.BOOL}
        if len(typed) > 1 or (typed and families - typed):
            raise Beyond(f"{name} is compared as {' and as '.join(sorted(families))}")
        if typed:
            return typed.pop()
        return Family.ARN if Family.ARN in families or own is Family.ARN else Family.TEXT

    def _text(self, name: str, known: table.ConditionKey) -> tuple[Value, list[Formula]]:
        if known.form is table.TEXT:
            return Text(self.terms.fresh(self.terms.text_sort, name)), []
        return shaped(self.terms, name, known.form)

    def _number(self, name: str, *, whole: bool) -> tuple[Value, list[Formula]]:
        term = self.terms.whole(name)
        if whole:
            return Number(term), [self.terms.compare(self.terms.kind.GEQ, term, self.terms.number(0))]
        # One digit more than in the documents, so that every gap contains a number.
        values = [item for asked in self._asked.get(name, []) for item in asked.values]
        digits = [-int(Decimal(value).as_tuple().exponent) for value in values if _is_number(value)]
        if max(digits, default=0) > 30:
            raise Beyond(f"{name} is compared with a number of many digits")
        return Number(term, 10 ** (max([0, *digits]) + 1)), []

    def _moment(self, name: str, *, epoch: bool) -> tuple[Value, list[Formula]]:
        terms, term = self.terms, self.terms.whole(name)
        return Moment(term, epoch), [
            terms.compare(terms.kind.GEQ, term, terms.number(0)),
            terms.compare(terms.kind.LEQ, term, terms.number(LAST_MOMENT)),
        ]

    def _address(self, name: str) -> tuple[Value, list[Formula]]:
        terms = self.terms
        bits = [terms.fresh(terms.tm.mkBitVectorSort(width), f"{name}.{width}") for width in (32, 128)]
        return Address(terms.flag(f"{name}.six"), *bits), []

    def _arn(self, name: str) -> tuple[Value, list[Formula]]:
        return free_arn(self.terms)

    def _perhaps_arn(self, name: str, known: table.ConditionKey) -> tuple[Value, list[Formula]]:
        """A text that may or may not be an ARN; an ARN is well-formed."""
        value, rules = self._text(name, known)
        assert isinstance(value, Text)
        arn = self.terms.pattern([f"arn:{STAR}:{STAR}:{STAR}:{STAR}:{STAR}"])
        well = self.terms.or_(
            (
                self.terms.not_(self.terms.fits(value.term, arn)),
                self.terms.fits(value.term, self.terms.form(table.ARN)),
            )
        )
        return value, [*rules, well]

    def _bytes(self, name: str) -> tuple[Value, list[Formula]]:
        """Base64 as an encoder writes it: unused bits are 0."""
        terms, sign = self.terms, self.terms.chars(_BASE64)
        two = terms.then((sign, terms.chars("AQgw"), terms.literal("==")))
        three = terms.then((sign, sign, terms.chars("AEIMQUYcgkosw048"), terms.literal("=")))
        term = terms.fresh(terms.text_sort, name)
        whole = terms.many(terms.times(sign, 4, 4))
        rule = terms.fits(term, terms.then((whole, terms.either((terms.literal(""), two, three)))))
        return Text(term, ascii=True), [rule]


def free_arn(terms: Terms, partition: str | None = None) -> tuple[Text, list[Formula]]:
    """Any well-formed ARN, in one partition if it is given."""
    parts, rules = [], []
    for stage in table.ARN.stages[4::2]:
        part = terms.fresh(terms.text_sort, "arn")
        parts.append(part)
        rules.append(terms.fits(part, terms.form(Form((stage,)))))
    if partition is not None:
        parts[0] = terms.text(partition)
    joined = [item for one in parts for item in (":", one)]
    return Text(terms.concat(("arn", *joined)), (terms.text("arn"), *parts)), rules


_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def _is_number(text: str) -> bool:
    return read_number(text) is not None
