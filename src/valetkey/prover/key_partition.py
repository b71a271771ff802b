"""The partition of a condition key's values into equivalence classes, one value of each (a cell), and tests on them.

Independent of `valetkey.policy.conditions`, against which it is checked; only the parsing of documents is shared.
Values are well-formed (`condition_keys`): AWS does not document what it does with malformed ones.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from valetkey.catalog.condition_keys import ARN, TEXT, ConditionKey, key_of
from valetkey.catalog.text_forms import Form, Stage
from valetkey.policy import operands
from valetkey.policy.conditions import silent
from valetkey.policy.globs import STAR
from valetkey.policy.letter_case import loose, spellings
from valetkey.policy.operators import Comparison, Family, Operator
from valetkey.policy.undecided import NotDecided, not_known
from valetkey.policy.variables import Keys, Variable
from valetkey.prover.automata import Glob, texts
from valetkey.prover.boxes import Budget
from valetkey.prover.intervals import addresses, iso, moments, numbers
from valetkey.prover.key_tests import Cell, KeyTest, lone_variables, patterns

_YEAR_ONE = datetime(1, 1, 1, tzinfo=UTC)
"""The first date that a value can be."""
_SUBSETS = 6
"""For a key with several values: the maximum number of classes whose combinations are all tried."""


def cells(
    name: str, asked: Sequence[KeyTest], *, budget: Budget, related: Sequence[Glob] = (), count: int = 1
) -> list[Cell]:
    """One cell for every equivalence class of values under the conditions; absent first if the key may be absent.

    `related` are further patterns, of keys that a variable compares with this one. `count` is the number of values
    wanted of each class. Raises NotDecided, TooMany.
    """
    key = key_of(name)
    families = {key_test.condition.operator.family for key_test in asked} - {Family.NULL}
    kind = _type(name, key, families)
    match kind:
        case Family.TEXT | Family.ARN:
            result = _texts(key, kind, asked, related, budget, count)
        case Family.BOOL:
            result = [Cell("true"), Cell("false")]
        case Family.NUMBER:
            result = numbers(asked, whole=key.type == "number")
        case Family.DATE:
            result = [Cell(iso(moment), span) for moment, span in moments(asked, earliest=_YEAR_ONE)]
        case Family.BYTES:
            known = dict.fromkeys(v for key_test in asked for v in key_test.condition.values)
            other = next(text for n in itertools.count(1) if (text := "b3Ro" * n) not in known)
            result = [Cell(value) for value in (*known, other) if operands.read_bytes(value) is not None]
        case Family.ADDRESS:
            result = addresses(asked)
        case Family.NULL:
            raise AssertionError("Null compares no values")
        case never:
            raise not_known(never)
    if key.type == "text" and kind not in (Family.TEXT, Family.ARN):
        result.append(Cell("something-else"))  # a key of unknown type may have a value of another type
    if key.many or (key.many is None and any(key_test.condition.set_operator for key_test in asked)):
        result = _several(result, name)
    return result if key.always else [Cell(None), *result]


def _type(name: str, key: ConditionKey, families: set[Family]) -> Family:
    """The family that the key's values are treated as. Text operators on numbers and the like are decided for plain
    texts only. Raises NotDecided."""
    own = Family(key.type)
    if own not in (Family.TEXT, Family.ARN):
        if name == "aws:epochtime":  # "works with date operators and numeric operators" (global condition keys)
            families = families - {Family.NUMBER}
        if families - {own} and (own in (Family.DATE, Family.ADDRESS) or families - {own, Family.TEXT}):
            raise NotDecided(f"{name} is compared as {' and as '.join(sorted(families))}, and it is a {key.type}")
        return own
    typed = families - {Family.TEXT, Family.ARN, Family.BOOL}
    if len(typed) > 1 or (typed and len(families) > 1) or (typed and key.form is not TEXT):
        raise NotDecided(f"{name} is compared as {' and as '.join(sorted(families))}")
    if typed:
        return typed.pop()
    return Family.ARN if Family.ARN in families or own is Family.ARN else Family.TEXT


def _texts(
    key: ConditionKey, kind: Family, asked: Sequence[KeyTest], related: Sequence[Glob], budget: Budget, count: int
) -> list[Cell]:
    globs = list(dict.fromkeys([*(glob for key_test in asked for glob in patterns(key_test)), *related]))
    form = key.form if kind is Family.TEXT or key.form is not TEXT else ARN
    if form is TEXT:
        form = _wider(form, globs)
    elif kind is Family.ARN and form is not ARN:
        globs.append(_IS_ARN)  # ARN operators cannot parse a value that is not an ARN
    result = samples(globs, form, budget=budget, count=count)
    if form is ARN and key.type != "arn":
        texts_only = [*(glob for glob in globs if glob.scope != "arn"), _IS_ARN]
        no_arns = samples(texts_only, _wider(TEXT, texts_only), budget=budget, count=count)
        result += (text for text in no_arns if not _IS_ARN.fits(text))
    if key.form is TEXT and key.type == "text":
        result += _alike(globs, result, count)
    if key.form is TEXT and kind is Family.TEXT and any(key_test.condition.set_operator for key_test in asked):
        result.append("")  # the empty text is no value for a set operator
    return [Cell(text) for text in dict.fromkeys(result)]


def _alike(globs: Sequence[Glob], result: Sequence[str], count: int) -> Iterator[str]:
    """For every text that is compared without case, yield texts that equal it only by the case of letters other than A
    to Z. Raises NotDecided where other patterns would have to distinguish these."""
    folded = [glob.text for glob in globs if glob.fold]
    odd = {text: list(spellings(text)) for text in folded}
    wild = [glob for glob in globs if not glob.plain and not glob.fold and glob.text.strip(STAR)]
    if wild and any(odd.values()):
        raise NotDecided("a key is compared ignoring case, and with a pattern")
    for several in odd.values():
        yield from [text for text in several if text not in result][:count]


_IS_ARN = Glob(f"arn:{STAR}:{STAR}:{STAR}:{STAR}:{STAR}")


def _wider(form: Form, globs: Iterable[Glob]) -> Form:
    """The form, extended by the characters of the patterns that it does not have."""
    chars = form.stages[0].chars
    more = "".join(sorted({char for glob in globs for char in glob.text if char not in chars and char < "\ud800"}))
    beyond = "".join(sorted({char for glob in globs for char in glob.text if char > "\udfff"}))
    return replace(form, stages=(Stage(chars + more + beyond),)) if more or beyond else form


def samples(globs: Sequence[Glob], form: Form, *, budget: Budget, count: int = 1, prefix: str = "") -> list[str]:
    """The texts that the patterns name in full, and `count` texts of every equivalence class of the others. Raises
    TooMany, TooLong."""
    other = [glob._replace(text=loose(glob.text)) for glob in globs if glob.fold and not glob.text.isascii()]
    globs = [*globs, *other]  # texts equal by the case of other letters form separate classes
    asked = (tuple(globs), form, count, prefix)
    if asked in budget.known:
        return list(budget.known[asked])
    plain = list(dict.fromkeys(glob.text for glob in globs if glob.plain and glob.scope != "name"))
    if prefix:
        plain = [text.removeprefix(prefix) for text in plain if text.startswith(prefix)]
    named = [text for text in plain if form.holds(text)]
    wildcards = [glob for glob in globs if not (glob.plain and glob.scope != "name")]
    result: list[str] = []
    for _ in range(count):
        avoid = frozenset([*named, *result])
        result += texts(wildcards, form, avoid=avoid, most=budget.limits.states, prefix=prefix, check=budget.check)
    budget.known[asked] = [*named, *result]
    return [*named, *result]


def _several(single: list[Cell], name: str) -> list[Cell]:
    """Add a cell for every combination of the values: only the set of classes that occur matters. Raises
    NotDecided."""
    values = [cell.value for cell in single if isinstance(cell.value, str)]
    if len(values) > _SUBSETS:
        raise NotDecided(f"{name} may have several values, and they fall into {len(values)} classes")
    sets: list[tuple[str, ...]] = []
    for size in range(1, len(values) + 1):
        sets += itertools.combinations(values, size)
    return [*single, *(Cell(item * 2 if len(item) == 1 else item) for item in sets)]


Truth = bool | None
"""The result of a test. None: AWS does not document it, or it is not decided here."""
_Fit = bool | Literal["unreadable"] | None
_Fits = Callable[[str, Keys], _Fit]
"""Whether one value matches any of a condition's values; "unreadable" when the operator cannot parse it."""


def test(asked: KeyTest, known: frozenset[str]) -> tuple[Callable[[Keys], Truth], bool]:
    """Compile a condition to a test on the keys of a cell. Returns the test, and whether it is decided here.

    `known` are the keys of the cell. The test returns None where it is not decided (a variable of another key or inside
    a text), and where AWS documents nothing (`undocumented`). Raises NotDecided for an unknown operator.
    """
    condition = asked.condition
    row, key = condition.operator, condition.key.lower()
    if silent(condition, variables=asked.variables):
        return lambda keys: None, True
    if row.family is Family.NULL and row.comparison is Comparison.ABSENT:
        wanted = {value.lower() == "true" for value in condition.values}
        return lambda keys: (key not in keys) in wanted, True
    lone, exact = lone_variables(asked)
    if not exact or any(variable.key not in known for variable in lone):
        return lambda keys: None, False
    fits = _fits(asked, lone)
    if condition.set_operator is None:
        return _single(fits, key, row.negated, condition.if_exists or row.negated), True
    if condition.set_operator == "ForAllValues":
        return lambda keys: _all(_one(fits, v, keys, row.negated) for v in _list(keys.get(key))), True
    missing = None if condition.if_exists else False
    return (
        lambda keys: (
            _not(_all(_not(_one(fits, v, keys, row.negated)) for v in _list(keys[key]))) if key in keys else missing
        ),
        True,
    )


def _all(answers: Iterable[Truth]) -> Truth:
    several = list(answers)
    return False if False in several else None if None in several else True


def _not(answer: Truth) -> Truth:
    return None if answer is None else not answer


def _single(fits: _Fits, key: str, negated: bool, missing: bool) -> Callable[[Keys], Truth]:
    def holds(keys: Keys) -> Truth:
        value = keys.get(key)
        if value is None:
            return missing
        return _one(fits, value, keys, negated) if isinstance(value, str) else None

    return holds


def _one(fits: _Fits, value: str, keys: Keys, negated: bool) -> Truth:
    result = fits(value, keys)
    if result == "unreadable":
        return None if negated else False
    return result is not negated if result is not None else None


def _list(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    values = (value,) if isinstance(value, str) else value or ()
    return values if any(values) else ()


def _fits(asked: KeyTest, lone: Sequence[Variable]) -> _Fits:
    row, values = asked.condition.operator, asked.condition.values
    match row.family:
        case Family.TEXT | Family.ARN:
            return _fits_text(patterns(asked), lone, row.family is Family.ARN)
        case Family.BOOL:
            if row.comparison is Comparison.EQUAL:
                truths = {value.lower() for value in values}
                return lambda value, keys: value.lower() in truths
        case Family.ADDRESS:
            if row.comparison is Comparison.WITHIN:
                networks = [network for value in values if (network := operands.read_network(value))]
                return lambda value, keys: _in_networks(value, networks)
        case Family.NUMBER:
            return _fits_order(operands.read_number, row, values)
        case Family.DATE:
            return _fits_order(operands.read_date, row, values)
        case Family.BYTES:
            return _fits_order(operands.read_bytes, row, values)
        case Family.NULL:
            pass
        case never:
            raise not_known(never)
    raise row.unknown()


def _fits_order(read: Callable[[str], Any], row: Operator, values: Sequence[str]) -> _Fits:
    wanted, holds = [read(value) for value in values], _order(row)
    return lambda value, keys: (
        "unreadable" if (have := read(value)) is None else any(holds(have, item) for item in wanted)
    )


def _order(row: Operator) -> Callable[[Any, Any], bool]:
    match row.comparison:
        case Comparison.EQUAL:
            return lambda have, want: bool(have == want)
        case Comparison.LESS:
            return lambda have, want: bool(have < want)
        case Comparison.LESS_OR_EQUAL:
            return lambda have, want: bool(have <= want)
        case Comparison.GREATER:
            return lambda have, want: bool(have > want)
        case Comparison.GREATER_OR_EQUAL:
            return lambda have, want: bool(have >= want)
        case Comparison.EQUAL_IGNORING_CASE | Comparison.LIKE | Comparison.WITHIN | Comparison.ABSENT:
            raise row.unknown()
        case never:
            raise not_known(never)


def _fits_text(globs: list[Glob], lone: Sequence[Variable], arn: bool) -> _Fits:
    # A lone star has fewer than six parts too.
    short = arn and any(not _six_parts(glob.text) for glob in globs)
    whole = [glob for glob in globs if not arn or _six_parts(glob.text)]
    plain = frozenset(glob.text for glob in whole if glob.plain)
    wildcards = [glob for glob in whole if not glob.plain]
    alike = frozenset(loose(glob.text) for glob in globs if glob.fold)

    def listed(value: str, keys: Keys) -> _Fit:
        if value in plain or any(glob.fits(value) for glob in wildcards):
            return True
        filled = [keys.get(variable.key, variable.default) for variable in lone]
        if value in filled:
            return True
        return None if any(isinstance(item, tuple) for item in filled) else False

    def fits(value: str, keys: Keys) -> _Fit:
        readable = not arn or operands.is_arn(value)
        result = listed(value, keys) if readable else "unreadable"
        if result is True or result is None:
            return result
        return None if short or (alike and loose(value) in alike) else result

    return fits


def _six_parts(pattern: str) -> bool:
    return pattern.count(":") >= 5


def _in_networks(value: str, networks: Sequence[operands.Network]) -> _Fit:
    have = operands.read_address(value)
    if have is None:
        return "unreadable"
    return any(have[0] == version and have[1] & mask == base for version, base, mask in networks)
