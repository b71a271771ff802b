"""The finitely many kinds of values of one condition key, as one value of each kind (a cell), and tests on them.

Written apart from `valetkey.policy.conditions`, which it is checked against; shared is only how a document is read.
Values are well-formed (`keys`): what AWS would do with a malformed one is documented nowhere.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from valetkey.policy import operands
from valetkey.policy.asked import Asked, Cell, Keys, NotDecided, kind_of, lone_variables, patterns
from valetkey.policy.automata import Form, Glob, Stage, texts
from valetkey.policy.boxes import Budget
from valetkey.policy.globs import STAR
from valetkey.policy.keys import ARN, TEXT, Key, key_of
from valetkey.policy.spans import addresses, iso, moments, numbers
from valetkey.policy.variables import Variable

_SUBSETS = 6
"""Of a key with several values: kinds of value whose combinations are all tried."""


def cells(
    name: str, asked: Sequence[Asked], *, budget: Budget, related: Sequence[Glob] = (), each: int = 1
) -> list[Cell]:
    """A cell for every kind of value that the conditions tell apart, absent first where that may be.

    `related` are patterns that matter too, because a variable compares this key with another; `each` is how many
    values of each kind are wanted. Raises NotDecided, TooMany.
    """
    key = key_of(name)
    families = {kind_of(one.condition.operator.name) for one in asked} - {"null"}
    kind = _type(name, key, families)
    if kind in ("text", "arn"):
        found = _texts(key, kind, asked, related, budget, each)
    elif kind == "bool":
        found = [Cell("true"), Cell("false")]
    elif kind == "number":
        found = numbers(asked, whole=key.type == "number")
    elif kind == "date":
        found = [Cell(iso(moment), span) for moment, span in moments(asked)]
    elif kind == "bytes":
        known = dict.fromkeys(v for one in asked for v in one.condition.values)
        other = next(text for n in itertools.count(1) if (text := "b3Ro" * n) not in known)
        found = [Cell(value) for value in (*known, other) if operands.read_bytes(value) is not None]
    else:
        found = addresses(asked)
    if key.type == "text" and kind not in ("text", "arn"):
        found.append(Cell("something-else"))  # a key of which nothing is known may hold what is no such value
    if key.many or (key.many is None and any(one.condition.set_operator for one in asked)):
        found = _several(found, name)
    return found if key.always else [Cell(None), *found]


def _type(name: str, key: Key, families: set[str]) -> str:
    """How the key's values are to be taken. Text operators on numbers and the like are decided for plain texts only."""
    if key.type not in ("text", "arn"):
        if name == "aws:epochtime":  # "works with date operators and numeric operators" (global condition keys)
            families = families - {"number"}
        if families - {key.type} and (key.type in ("date", "address") or families - {key.type, "text"}):
            raise NotDecided(f"{name} is compared as {' and as '.join(sorted(families))}, and it is a {key.type}")
        return key.type
    typed = families - {"text", "arn", "bool"}
    if len(typed) > 1 or (typed and len(families) > 1) or (typed and key.form is not TEXT):
        raise NotDecided(f"{name} is compared as {' and as '.join(sorted(families))}")
    if typed:
        return typed.pop()
    return "arn" if "arn" in families or key.type == "arn" else "text"


def _texts(
    key: Key, kind: str, asked: Sequence[Asked], related: Sequence[Glob], budget: Budget, each: int
) -> list[Cell]:
    globs = list(dict.fromkeys([*(glob for one in asked for glob in patterns(one)), *related]))
    form = key.form if kind == "text" or key.form is not TEXT else ARN
    if form is TEXT:
        form = _wider(form, globs)
    elif kind == "arn" and form is not ARN:
        globs.append(_IS_ARN)  # what is no ARN, ARN operators cannot read
    found = samples(globs, form, budget=budget, each=each)
    if form is ARN and key.type != "arn":
        texts_only = [*(glob for glob in globs if glob.scope != "arn"), _IS_ARN]
        no_arns = samples(texts_only, _wider(TEXT, texts_only), budget=budget, each=each)
        found += (text for text in no_arns if not _IS_ARN.fits(text))
    if form is TEXT and any(one.condition.set_operator for one in asked):
        found.append("")  # of no characters, hence no value for a set operator
    return [Cell(text) for text in dict.fromkeys(found)]


_IS_ARN = Glob(f"arn:{STAR}:{STAR}:{STAR}:{STAR}:{STAR}")


def _wider(form: Form, globs: Iterable[Glob]) -> Form:
    """The form with the letters that the patterns name besides."""
    chars = form.stages[0].chars
    more = "".join(sorted({char for glob in globs for char in glob.text if char not in chars and char < "\ud800"}))
    beyond = "".join(sorted({char for glob in globs for char in glob.text if char > "\udfff"}))
    return replace(form, stages=(Stage(chars + more + beyond),)) if more or beyond else form


def samples(globs: Sequence[Glob], form: Form, *, budget: Budget, each: int = 1, prefix: str = "") -> list[str]:
    """The texts that are named in full, and one (or more) of every class that the patterns cut out of the others."""
    asked = (tuple(globs), form, each, prefix)
    if asked in budget.known:
        return list(budget.known[asked])
    plain = list(dict.fromkeys(glob.text for glob in globs if glob.plain and glob.scope != "name"))
    if prefix:
        plain = [text.removeprefix(prefix) for text in plain if text.startswith(prefix)]
    named = [text for text in plain if form.holds(text)]
    open_ = [glob for glob in globs if not (glob.plain and glob.scope != "name")]
    found: list[str] = []
    for _ in range(each):
        avoid = frozenset([*named, *found])
        found += texts(open_, form, avoid=avoid, most=budget.limits.states, prefix=prefix, check=budget.check)
    budget.known[asked] = [*named, *found]
    return [*named, *found]


def _several(single: list[Cell], name: str) -> list[Cell]:
    """Every combination of the kinds of value. What counts is which kinds occur."""
    values = [cell.value for cell in single if isinstance(cell.value, str)]
    if len(values) > _SUBSETS:
        raise NotDecided(f"{name} may have several values, and {len(values)} kinds of them are told apart")
    sets: list[tuple[str, ...]] = []
    for size in range(1, len(values) + 1):
        sets += itertools.combinations(values, size)
    return [*single, *(Cell(each * 2 if len(each) == 1 else each) for each in sets)]


def test(asked: Asked, known: frozenset[str], unsure: bool) -> tuple[Callable[[Keys], bool], bool]:
    """A condition as a test on the keys of a cell, and whether it is exact.

    `known` are the keys of the cell; a variable of another key, or inside a text, is not decided: the test answers
    `unsure` then.
    """
    condition = asked.condition
    row, key = condition.operator, condition.key.lower()
    constant = asked.deny  # what AWS documents for no value: `valetkey.policy.conditions`
    if not condition.values or (row.reads is not None and any(row.reads(value) is None for value in condition.values)):
        return lambda keys: constant, True
    if row.name == "Null":
        wanted = {value.lower() == "true" for value in condition.values}
        return lambda keys: (key not in keys) in wanted, True
    lone, exact = lone_variables(asked)
    if not exact or any(each.key not in known for each in lone):
        return lambda keys: unsure, False
    fits = _fits(asked, lone)
    missing = condition.if_exists or row.negated
    if condition.set_operator is None:
        return _single(fits, key, row.negated, constant, missing), True
    if condition.set_operator == "ForAllValues":
        return lambda keys: all(_one(fits, v, keys, row.negated, constant) for v in _list(keys.get(key))), True
    missing = condition.if_exists and constant
    return (
        lambda keys: (
            any(_one(fits, v, keys, row.negated, constant) for v in _list(keys[key])) if key in keys else missing
        ),
        True,
    )


_Fits = Callable[[str, Keys], bool | None]


def _single(fits: _Fits, key: str, negated: bool, constant: bool, missing: bool) -> Callable[[Keys], bool]:
    def holds(keys: Keys) -> bool:
        value = keys.get(key)
        if value is None:
            return missing
        return isinstance(value, str) and _one(fits, value, keys, negated, constant)

    return holds


def _one(fits: _Fits, value: str, keys: Keys, negated: bool, constant: bool) -> bool:
    found = fits(value, keys)
    if negated:
        return constant if found is None else not found
    return found is True


def _list(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    values = (value,) if isinstance(value, str) else value or ()
    return values if any(values) else ()


def _fits(asked: Asked, lone: Sequence[Variable]) -> _Fits:
    """Whether one value fits any of the condition's, None when it is none that the operator can read."""
    condition = asked.condition
    name, family = condition.operator.name, kind_of(condition.operator.name)
    if family in ("text", "arn"):
        return _fits_text(patterns(asked), lone, family == "arn")
    if family == "bool":
        truths = {value.lower() for value in condition.values}
        return lambda value, keys: value.lower() in truths
    if family == "address":
        networks = [network for value in condition.values if (network := operands.read_network(value))]
        return lambda value, keys: _in_networks(value, networks)
    read: Callable[[str], Any] = {"number": operands.read_number, "date": operands.read_date}.get(
        family, operands.read_bytes
    )
    wanted = [read(value) for value in condition.values]
    holds = _COMPARE[name.removeprefix("Numeric").removeprefix("Date").removeprefix("Binary")]
    return lambda value, keys: None if (have := read(value)) is None else any(holds(have, each) for each in wanted)


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": lambda have, want: bool(have == want),
    "NotEquals": lambda have, want: bool(have == want),
    "LessThan": lambda have, want: bool(have < want),
    "LessThanEquals": lambda have, want: bool(have <= want),
    "GreaterThan": lambda have, want: bool(have > want),
    "GreaterThanEquals": lambda have, want: bool(have >= want),
}


def _fits_text(globs: list[Glob], lone: Sequence[Variable], arn: bool) -> _Fits:
    plain = frozenset(glob.text for glob in globs if glob.plain)
    open_ = [glob for glob in globs if not glob.plain]
    broken = arn and any(glob.text != STAR and glob.text.count(":") < 5 for glob in globs)

    def fits(value: str, keys: Keys) -> bool | None:
        if arn and not (value.startswith("arn:") and value.count(":") >= 5):
            return None
        if value in plain:
            return True
        if any(glob.fits(value) for glob in open_):
            return True
        for variable in lone:
            if keys.get(variable.key, variable.default) == value:
                return True
        return None if broken else False

    return fits


def _in_networks(value: str, networks: Sequence[operands.Network]) -> bool | None:
    have = operands.read_address(value)
    if have is None:
        return None
    return any(have[0] == version and have[1] & mask == base for version, base, mask in networks)
