"""How one value of a condition is read, at its edges. None: it is no such value, and its operator cannot read it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from valetkey.policy.globs import wild
from valetkey.policy.operands import (
    compile_arn,
    is_arn,
    read_address,
    read_bool,
    read_bytes,
    read_date,
    read_network,
    read_number,
)

DAY, HOUR, MINUTE, SECOND = 86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", Decimal(0)),
        ("-5", Decimal(-5)),
        ("+5", Decimal(5)),
        (".5", Decimal("0.5")),
        ("5.", Decimal(5)),
        ("1e3", Decimal(1000)),
        ("1E-999", Decimal("1E-999")),
        ("9" * 400, Decimal("9" * 400)),
        ("9" * 401, None),
        ("0." + "1" * 400, Decimal("0." + "1" * 400)),
        ("0." + "1" * 401, None),
        ("1e1000", None),
        ("", None),
        (".", None),
        ("-", None),
        ("e5", None),
        ("1 ", None),
        ("NaN", None),
        ("Infinity", None),
        ("0x10", None),
        ("1_000", None),
    ],
)
def test_a_number(text: str, number: Decimal | None) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("0", 0),
        ("1", SECOND),
        ("1.5", 1_500_000),
        ("1.000001", 1_000_001),
        ("1.0000019", 1_000_001),
        ("1.12345678", 1_123_456),
        ("9" * 18, (10**18 - 1) * SECOND),
        ("9" * 19, None),
        ("1." + "1" * 18, 1_111_111),
        ("1." + "1" * 19, None),
        ("-1", None),
        ("1.", None),
        ("1970-01-01", 0),
        ("1970-01-02", DAY),
        ("1970-02", 31 * DAY),
        ("1970-01-01T00:00", 0),
        ("1970-01-01T01:02", HOUR + 2 * MINUTE),
        ("1970-01-01T01:02Z", HOUR + 2 * MINUTE),
        ("1970-01-01T01:02:03", HOUR + 2 * MINUTE + 3 * SECOND),
        ("1970-01-01T00:00:00.5Z", 500_000),
        ("1970-01-01T00:00:00.000001", 1),
        ("1970-01-01T00:00:00.1234567Z", 123_456),
        ("1970-01-01T02:00:00+02:00", 0),
        ("1970-01-01T02:30:00+0230", 0),
        ("1970-01-01T00:00:00-02:30", 2 * HOUR + 30 * MINUTE),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("1970-01-01T23:59:59+23:59", MINUTE - SECOND),
        ("1970-01-01T00:00:00+24:00", None),
        ("1970-01-01T24:00:00Z", None),
        ("1970-01-01T00:60:00Z", None),
        ("1970-01-01T00:00:60Z", None),
        ("1970-00-01", None),
        ("1970-13-01", None),
        ("1970-02-29", None),
        ("1972-02-29", 789 * DAY),
        ("0000-01-01", None),
        ("1970", 1970 * SECOND),
        ("1970-1-1", None),
        ("1970-01-01T00", None),
        ("1970-01-01 00:00:00", None),
        ("1970-01-01T00:00:00z", None),
        ("1970-01-01T00:00:00.Z", None),
        ("", None),
    ],
)
def test_a_date_in_microseconds(text: str, moment: int | None) -> None:
    assert read_date(text) == moment


@pytest.mark.parametrize(
    ("text", "truth"),
    [("true", True), ("TRUE", True), ("False", False), ("", None), ("1", None), ("true ", None)],
)
def test_a_truth_value(text: str, truth: bool | None) -> None:
    assert read_bool(text) is truth


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("aGVsbG8=", b"hello"),
        ("", b""),
        ("aGVsbG8", None),
        ("aGVsbG8==", None),
        ("aGVs bG8=", None),
        ("hello!", None),
        ("\u00e9", None),
    ],
)
def test_bytes(text: str, value: bytes | None) -> None:
    assert read_bytes(text) == value


_ALL_4, _ALL_6 = 2**32 - 1, 2**128 - 1


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.1.2.3", (4, 0x0A010203, _ALL_4)),
        ("10.1.2.3/32", (4, 0x0A010203, _ALL_4)),
        ("10.1.2.3/8", (4, 0x0A000000, 0xFF000000)),
        ("10.1.2.3/31", (4, 0x0A010202, 0xFFFFFFFE)),
        ("10.1.2.3/1", (4, 0, 0x80000000)),
        ("10.1.2.3/0", (4, 0, 0)),
        ("10.1.2.3/33", None),
        ("::1", (6, 1, _ALL_6)),
        ("::1/128", (6, 1, _ALL_6)),
        ("::3/127", (6, 2, _ALL_6 - 1)),
        ("2001:DB8::/32", (6, 0x20010DB8 << 96, 0xFFFFFFFF << 96)),
        ("::/0", (6, 0, 0)),
        ("::/129", None),
        ("::ffff:10.1.2.3", (6, 0xFFFF0A010203, _ALL_6)),
        ("10.1.2", None),
        ("10.1.2.256", None),
        ("10.1.2.3/", None),
        ("10.1.2.3/1000", None),
        ("10.1.2.3/-1", None),
        ("::1%eth0", None),
        ("", None),
    ],
)
def test_a_range_of_addresses_and_one_address(text: str, network: tuple[int, int, int] | None) -> None:
    assert read_network(text) == network
    one = network if "/" not in text else None
    assert read_address(text) == (one[:2] if one else None)


@pytest.mark.parametrize(
    ("text", "whether"),
    [
        ("arn:aws:iam::1:x", True),
        ("arn:::::", True),
        ("arn:aws:iam::1:x:y", True),
        ("arn:aws:iam::1", False),
        ("ARN:aws:iam::1:x", False),
        ("a:aws:iam::1:x", False),
        ("aws:iam::1:x:y:z", False),
        ("", False),
    ],
)
def test_what_has_the_parts_of_an_arn(text: str, whether: bool) -> None:
    assert is_arn(text) is whether


@pytest.mark.parametrize(
    ("pattern", "text", "answer"),
    [
        ("arn:aws:iam::1:user/bob", "arn:aws:iam::1:user/bob", True),
        ("arn:aws:iam::1:user/bob", "arn:aws:iam::1:user/Bob", False),
        ("arn:aws:*::1:user/bob", "arn:aws:iam::1:user/bob", True),
        ("arn:aws:iam:?:1:user/bob", "arn:aws:iam::1:user/bob", False),
        ("arn:aws:iam:?:1:user/bob", "arn:aws:iam:x:1:user/bob", True),
        ("arn:aws:*:1:user/bob:x", "arn:aws:iam::1:user/bob:x", False),
        ("arn:aws:iam::1:*", "arn:aws:iam::1:a:b:c", True),
        ("arn:aws:iam::1:a?b", "arn:aws:iam::1:a:b", True),
        ("*:*:*:*:*:*", "arn:aws:iam::1:x", True),
    ],
)
def test_an_arn_pattern_goes_part_by_part(pattern: str, text: str, answer: bool) -> None:
    test = compile_arn(wild(pattern))
    assert test is not None
    assert test(text) is answer


@pytest.mark.parametrize("pattern", ["", "*", "arn:*", "arn:aws:iam::1"])
def test_a_pattern_of_fewer_parts_is_none(pattern: str) -> None:
    assert compile_arn(wild(pattern)) is None
