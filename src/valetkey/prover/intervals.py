"""Numbers, times and addresses: one value of every interval that the values in the documents delimit.

Independent of `valetkey.policy.conditions`; only the parsers of values are shared (`operands`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from ipaddress import ip_address
from typing import Any

from valetkey.policy import operands
from valetkey.policy.globs import STAR
from valetkey.policy.operators import Family
from valetkey.policy.undecided import NotDecided, not_known
from valetkey.prover.key_tests import Cell, KeyTest, TextSpan, patterns

_START = datetime(1970, 1, 1, tzinfo=UTC)
_DAY, _SECOND = 86_400_000_000, 1_000_000


def moments(
    asked: Iterable[KeyTest], since: datetime | None = None, *, earliest: datetime
) -> list[tuple[int, TextSpan]]:
    """Moments in microseconds since 1970, each with its interval: each one that the conditions name, and one in every
    gap between them, from `since` on and none before `earliest`. Raises NotDecided."""
    named = sorted({moment for test in asked for value in test.condition.values for moment in _moment(test, value)})
    first = _micros(earliest if since is None else max(since, earliest))
    result: list[tuple[int, TextSpan]] = []
    low: int | None = None
    for high in [*named, None]:
        start = first - 1 if low is None else max(low, first - 1)
        if low is None and since is None:
            inside = max(high - _DAY, first) if high is not None else _micros(datetime(2025, 1, 1, tzinfo=UTC))
        elif high is None:
            inside = start + _DAY - start % _SECOND
        else:
            inside = start + _SECOND - start % _SECOND
            if inside >= high:
                inside = (start + high) // 2
        if inside > start and (high is None or inside < high):
            span = (None if low is None else iso(low), None if high is None else iso(high))
            result.append((inside, span))
        if high is not None and high >= first:
            result.append((high, (iso(high), iso(high))))
        low = high
    return result


def _moment(one: KeyTest, text: str) -> list[int]:
    """Parse a value as moments. A number is seconds since 1970; one finer than a microsecond gives the two moments
    around it. Raises NotDecided."""
    family = one.condition.operator.family
    match family:
        case Family.NUMBER:
            number = operands.read_number(text)
            if number is None:
                return []
            return sorted({int((number * 1_000_000).to_integral_value(way)) for way in (ROUND_FLOOR, ROUND_CEILING)})
        case Family.DATE:
            moment = operands.read_date(text)
            return [] if moment is None else [moment]
        case Family.NULL:
            return []
        case Family.TEXT | Family.ARN | Family.BOOL | Family.BYTES | Family.ADDRESS:
            raise NotDecided(f"{one.condition.key} is a moment, and is compared as {family}")
        case never:
            raise not_known(never)


def _micros(moment: datetime) -> int:
    return (moment - _START) // timedelta(microseconds=1)


def iso(moment: int) -> str:
    """Format a moment in ISO 8601, as AWS does; as epoch seconds outside the calendar's range."""
    try:
        return (_START + timedelta(microseconds=moment)).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return epoch(moment)


def epoch(moment: int) -> str:
    """Format a moment from 1970 on in epoch seconds."""
    whole, part = divmod(moment, _SECOND)
    return f"{whole}.{part:06d}" if part else str(whole)


def numbers(asked: Sequence[KeyTest], *, whole: bool) -> list[Cell]:
    """Each number that the conditions name, and one in every gap. `whole`: only integers from 0 on. Raises
    NotDecided."""
    named: set[Decimal] = set()
    for test in asked:
        for glob in patterns(test):
            if not glob.plain and glob.text != STAR:
                raise NotDecided(f"{test.condition.key} is a number, and is compared with a pattern")
        named |= {number for value in test.condition.values if (number := operands.read_number(value)) is not None}
    result: list[Cell] = []
    low: Decimal | None = None
    for high in [*sorted(named), None]:
        inside = _between(low, high, whole)
        if inside is not None:
            result.append(Cell(_plain(inside), (_text(low), _text(high))))
        if high is not None and not (whole and (high < 0 or high != int(high))):
            result.append(Cell(_plain(high), (_text(high), _text(high))))
        low = high
    return result


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


def addresses(asked: Sequence[KeyTest]) -> list[Cell]:
    """One address of every interval that the ranges delimit, for both versions of IP."""
    edges: dict[int, set[int]] = {4: {_FREE[4]}, 6: {_FREE[6]}}
    for test in asked:
        for value in test.condition.values:
            network = operands.read_network(value)
            if network is not None:
                version, base, mask = network
                edges[version] |= {base, base + (~mask & (_SIZE[version] - 1)) + 1}
    return [
        Cell(str(ip_address(edge) if version == 4 else _six(edge)))
        for version, result in edges.items()
        for edge in sorted({0, *result})
        if edge < _SIZE[version]
    ]


_SIZE = {4: 1 << 32, 6: 1 << 128}
_FREE = {4: int(ip_address("198.51.100.7")), 6: int(ip_address("2001:db8::7"))}


def _six(value: int) -> Any:
    from ipaddress import IPv6Address

    return IPv6Address(value)
