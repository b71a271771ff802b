"""The finitely many kinds of values of one condition key, as one value of each kind (a cell), and tests on them.

Written apart from `valetkey.policy.conditions`, which it is checked against; shared is only how a document is read.
Values are well-formed (`keys`): what AWS would do with a malformed one is documented nowhere.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from ipaddress import ip_address
from typing import Any, NamedTuple

from valetkey.policy import operands
from valetkey.policy.automata import Form, Glob, Stage, texts
from valetkey.policy.conditions import Condition
from valetkey.policy.globs import STAR
from valetkey.policy.keys import ARN, TEXT, Key, key_of
from valetkey.policy.variables import Variable, template

Value = str | tuple[str, ...] | None
Keys = Mapping[str, str | tuple[str, ...]]
Span = tuple[str | None, str | None]

_SUBSETS = 6
"""Of a key with several values: kinds of value whose combinations are all tried."""


class NotDecided(Exception):
    """The documents ask something of a key that is not decided here; its text says what."""


class Asked(NamedTuple):
    """One condition of a document."""

    condition: Condition
    variables: bool
    deny: bool


class Cell(NamedTuple):
    """One kind of value of a key, by one such value; None: absent."""

    value: Value
    span: Span | None = None
    """For numbers and dates: the interval it stands for, its ends as texts."""


def kind_of(name: str) -> str:
    """The family of an operator: text, arn, number, date, bool, bytes, address or null."""
    for start, family in _FAMILIES:
        if name.startswith(start):
            return family
    raise AssertionError(name)


_FAMILIES = (
    ("String", "text"),
    ("Arn", "arn"),
    ("Numeric", "number"),
    ("Date", "date"),
    ("Bool", "bool"),
    ("Binary", "bytes"),
    ("IpAddress", "address"),
    ("NotIpAddress", "address"),
    ("Null", "null"),
)


def patterns(asked: Asked) -> list[Glob]:
    """The values of a text or ARN condition as patterns; those with variables are left out."""
    name = asked.condition.operator.name
    family = kind_of(name)
    if family not in ("text", "arn"):
        return []
    wild = "Like" in name or family == "arn"
    found = (template(value, variables=asked.variables, wildcards=wild) for value in asked.condition.values)
    fold = name.endswith("IgnoreCase")
    return [Glob(each, "arn" if family == "arn" else "whole", fold) for each in found if isinstance(each, str)]


def told_apart(asked: Asked) -> list[Glob]:
    """`patterns`, and the defaults of variables that stand alone: what such a variable is where its key is absent."""
    defaults = [each.default for each in lone_variables(asked)[0] if each.default is not None]
    return [*patterns(asked), *(Glob(text) for text in defaults)]


def lone_variables(asked: Asked) -> tuple[list[Variable], bool]:
    """The values that are one variable and nothing else, and whether all values with variables are such."""
    condition = asked.condition
    family, lone, exact = kind_of(condition.operator.name), [], True
    if not asked.variables or family == "null":
        return [], True
    for value in condition.values:
        parts = template(value, variables=True, wildcards=True)
        if isinstance(parts, str):
            continue
        simple = family == "text" and not condition.operator.name.endswith("IgnoreCase")
        if simple and len(parts) == 1 and isinstance(parts[0], Variable):
            lone.append(parts[0])
        else:
            exact = False
    return lone, exact


def cells(name: str, asked: Sequence[Asked], *, states: int, related: Sequence[Glob] = (), each: int = 1) -> list[Cell]:
    """A cell for every kind of value that the conditions tell apart, absent first where that may be.

    `related` are patterns that matter too, because a variable compares this key with another; `each` is how many
    values of each kind are wanted. Raises NotDecided, TooMany.
    """
    key = key_of(name)
    families = {kind_of(one.condition.operator.name) for one in asked} - {"null"}
    kind = _type(name, key, families)
    if kind in ("text", "arn"):
        found = _texts(key, kind, asked, related, states, each)
    elif kind == "bool":
        found = [Cell("true"), Cell("false")]
    elif kind == "number":
        found = _numbers(asked, whole=key.type == "number")
    elif kind == "date":
        found = [Cell(iso(moment), span) for moment, span in moments(asked)]
    elif kind == "bytes":
        known = dict.fromkeys(v for one in asked for v in one.condition.values)
        found = [Cell(value) for value in (*known, "b3RoZXI=") if operands.read_bytes(value) is not None]
    else:
        found = _addresses(asked)
    if key.many or (name not in _KNOWN_SINGLE and any(one.condition.set_operator for one in asked)):
        found = _several(found, name)
    return found if key.always else [Cell(None), *found]


_KNOWN_SINGLE = frozenset(
    {"sts:externalid", "sts:rolesessionname", "sts:sourceidentity", "aws:sourceidentity", "aws:sourcearn"}
    | {"aws:sourceaccount", "aws:principalorgid", "aws:sourceip", "aws:multifactorauthage", "aws:currenttime"}
    | {"aws:epochtime", "aws:tokenissuetime", "aws:multifactorauthpresent", "aws:securetransport"}
)


def _type(name: str, key: Key, families: set[str]) -> str:
    """How the key's values are to be taken. Text operators on numbers and the like are decided for plain texts only."""
    if key.type not in ("text", "arn"):
        if name == "aws:epochtime":  # "works with date operators and numeric operators" (global condition keys)
            families = families - {"number"}
        if families - {key.type} and (key.type in ("date", "address") or families - {key.type, "text"}):
            raise NotDecided(f"{name} is compared as {' and as '.join(sorted(families))}, and it is a {key.type}")
        return key.type
    typed = families - {"text", "arn"}
    if len(typed) > 1 or (typed and families & {"text", "arn"} and typed != {"bool"}):
        raise NotDecided(f"{name} is compared as {' and as '.join(sorted(families))}")
    if typed:
        return typed.pop()
    return "arn" if "arn" in families or key.type == "arn" else "text"


def _texts(key: Key, kind: str, asked: Sequence[Asked], related: Sequence[Glob], states: int, each: int) -> list[Cell]:
    globs = list(dict.fromkeys([*(glob for one in asked for glob in told_apart(one)), *related]))
    form = key.form if kind == "text" or key.form is not TEXT else ARN
    if form is TEXT:
        form = _wider(form, globs)
    found = samples(globs, form, states=states, each=each)
    if form is ARN and key.type != "arn":  # it may hold what is no ARN, which these operators cannot read
        texts_only = [glob for glob in globs if glob.scope != "arn"]
        found += samples(texts_only, _wider(TEXT, texts_only), states=states, each=each)
    if form is TEXT and any(one.condition.set_operator for one in asked):
        found.append("")  # of no characters, hence no value for a set operator
    return [Cell(text) for text in dict.fromkeys(found)]


def _wider(form: Form, globs: Iterable[Glob]) -> Form:
    """The form with the letters that the patterns name besides."""
    chars = form.stages[0].chars
    more = "".join(sorted({char for glob in globs for char in glob.text if char not in chars and char < "\ud800"}))
    beyond = "".join(sorted({char for glob in globs for char in glob.text if char > "\udfff"}))
    return replace(form, stages=(Stage(chars + more + beyond),)) if more or beyond else form


def samples(globs: Sequence[Glob], form: Form, *, states: int, each: int = 1, prefix: str = "") -> list[str]:
    """The texts that are named in full, and one (or more) of every class that the patterns cut out of the others."""
    plain = list(dict.fromkeys(glob.text for glob in globs if glob.plain and glob.scope != "name"))
    if prefix:
        plain = [text.removeprefix(prefix) for text in plain if text.startswith(prefix)]
    named = [text for text in plain if form.holds(text)]
    open_ = [glob for glob in globs if not (glob.plain and glob.scope != "name")]
    found: list[str] = []
    for _ in range(each):
        found += texts(open_, form, avoid=frozenset([*named, *found]), most=states, prefix=prefix)
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


def moments(asked: Iterable[Asked], since: datetime | None = None) -> list[tuple[int, Span]]:
    """Moments (microseconds since 1970): each that the conditions name, one in every gap between them; from `since`
    on. With each its interval."""
    named = sorted({moment for one in asked for value in one.condition.values for moment in _moment(one, value)})
    first = _micros(since) if since is not None else None
    found: list[tuple[int, Span]] = []
    day, second = 86_400_000_000, 1_000_000
    low: int | None = None
    for high in [*named, None]:
        start = low if first is None or (low is not None and low >= first) else first - 1
        if start is None:
            inside = high - day if high is not None else _micros(datetime(2025, 1, 1, tzinfo=UTC))
        elif high is None:
            inside = start + day - start % second
        else:
            inside = start + second - start % second
            if inside >= high:
                inside = (start + high) // 2
        if (start is None or inside > start) and (high is None or inside < high):
            span = (None if low is None else iso(low), None if high is None else iso(high))
            found.append((inside, span))
        if high is not None and (first is None or high >= first):
            found.append((high, (iso(high), iso(high))))
        low = high
    return found


def _moment(one: Asked, text: str) -> list[int]:
    """A value as a moment; a number is seconds since 1970, and what is finer than a microsecond lies between two."""
    if kind_of(one.condition.operator.name) == "number":
        number = operands.read_number(text)
        micros = None if number is None else number * 1_000_000
        return (
            [] if micros is None else sorted({int(micros.to_integral_value(r)) for r in (ROUND_FLOOR, ROUND_CEILING)})
        )
    moment = operands.read_date(text)
    return [] if moment is None else [moment]


def _micros(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def iso(moment: int) -> str:
    """A moment as AWS writes it; as epoch seconds where the calendar ends."""
    whole, part = divmod(moment, 1_000_000)
    tail = f".{part:06d}" if part else ""
    try:
        return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}{tail}Z" if whole >= -59e9 else str(whole)
    except (ValueError, OverflowError, OSError):
        return f"{whole}{tail}"


def epoch(iso: str) -> str:
    """The same moment in epoch seconds."""
    moment = operands.read_date(iso) or 0
    whole, part = divmod(moment, 1_000_000)
    return f"{whole}.{part:06d}" if part else str(whole)


def _numbers(asked: Sequence[Asked], *, whole: bool) -> list[Cell]:
    """Each number that is named, and one in every gap. `whole`: the key holds whole numbers from 0 on."""
    named: set[Decimal] = set()
    for one in asked:
        for glob in patterns(one):
            if not glob.plain and glob.text != STAR:
                raise NotDecided(f"{one.condition.key} is a number, and is compared with a pattern")
        named |= {number for value in one.condition.values if (number := operands.read_number(value)) is not None}
    found: list[Cell] = []
    low: Decimal | None = None
    for high in [*sorted(named), None]:
        inside = _between(low, high, whole)
        if inside is not None:
            found.append(Cell(_plain(inside), (_text(low), _text(high))))
        if high is not None and not (whole and (high < 0 or high != int(high))):
            found.append(Cell(_plain(high), (_text(high), _text(high))))
        low = high
    return found


def _between(low: Decimal | None, high: Decimal | None, whole: bool) -> Decimal | None:
    if whole:
        least = Decimal(0) if low is None or low < 0 else Decimal(int(low) + 1)
        return least if high is None or least < high else None
    if low is None:
        return high - 1 if high is not None else Decimal(0)
    return low + 1 if high is None else (low + high) / 2


def _plain(number: Decimal) -> str:
    return f"{number:f}" if number != int(number) else str(int(number))


def _text(number: Decimal | None) -> str | None:
    return None if number is None else _plain(number)


def _addresses(asked: Sequence[Asked]) -> list[Cell]:
    """One address of every stretch that the ranges cut out, of both versions of IP."""
    edges: dict[int, set[int]] = {4: {_FREE[4]}, 6: {_FREE[6]}}
    for one in asked:
        for value in one.condition.values:
            network = operands.read_network(value)
            if network is not None:
                version, base, mask = network
                edges[version] |= {base, base + (~mask & (_SIZE[version] - 1)) + 1}
    return [
        Cell(str(ip_address(edge) if version == 4 else _six(edge)))
        for version, found in edges.items()
        for edge in sorted({0, *found})
        if edge < _SIZE[version]
    ]


_SIZE = {4: 1 << 32, 6: 1 << 128}
_FREE = {4: int(ip_address("198.51.100.7")), 6: int(ip_address("2001:db8::7"))}


def _six(value: int) -> Any:
    from ipaddress import IPv6Address

    return IPv6Address(value)


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
