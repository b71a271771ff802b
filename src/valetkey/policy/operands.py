"""The values that condition operators compare: numbers, dates, addresses, booleans, bytes, ARN patterns.

Each `read_…` returns None for a text that is not such a value. Source: IAM User Guide,
reference_policies_elements_condition_operators.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from valetkey.policy.globs import ANY, STAR, compiled

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,3})?")
_EPOCH = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,18}))?")
_ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})(?:-([0-9]{2})"
    r"(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,18}))?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?)?"
)
_START = datetime(1970, 1, 1, tzinfo=UTC)
_ADDRESS = re.compile(r"([0-9A-Fa-f.:]{2,45})(?:/([0-9]{1,3}))?")


def read_number(text: str) -> Decimal | None:
    """Parse an exact decimal number: no NaN, no infinity, no blanks."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def read_date(text: str) -> int | None:
    """Parse an ISO 8601 date or time (UTC without a zone) or epoch seconds. Returns microseconds since 1970 (UTC)."""
    if epoch := _EPOCH.fullmatch(text):
        return int(epoch[1]) * 1_000_000 + int((epoch[2] or "")[:6].ljust(6, "0"))
    iso = _ISO.fullmatch(text)
    if not iso:
        return None
    year, month, day, hour, minute, second = (
        int(part or default) for part, default in zip(iso.groups(), "001000", strict=False)
    )
    zone = iso[8]
    offset = timedelta(0)
    if zone and zone != "Z":
        sign = -1 if zone[0] == "-" else 1
        offset = sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=timezone(offset))
    except ValueError:
        return None
    return (moment - _START) // timedelta(microseconds=1) + int((iso[7] or "")[:6].ljust(6, "0"))


def read_bool(text: str) -> bool | None:
    """Parse "true" or "false", in any case."""
    return {"true": True, "false": False}.get(text.lower())


def read_bytes(text: str) -> bytes | None:
    """Decode a base64 text."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


Network = tuple[int, int, int]
"""IP version, address and mask as integers; `(v, address & mask, mask)`."""


def read_network(text: str) -> Network | None:
    """Parse an IP address (a network of one address) or a CIDR range. Host bits may be set, as in AWS."""
    match = _ADDRESS.fullmatch(text)
    try:
        address = ipaddress.ip_address(match[1]) if match else None
    except ValueError:
        return None
    if match is None or address is None:
        return None
    width = address.max_prefixlen
    prefix = int(match[2]) if match[2] else width
    if prefix > width:
        return None
    mask = ((1 << prefix) - 1) << (width - prefix)
    return address.version, int(address) & mask, mask


def read_address(text: str) -> tuple[int, int] | None:
    """Parse an IP address. Returns its version and its value as an integer."""
    network = read_network(text) if "/" not in text else None
    return None if network is None else network[:2]


def is_arn(text: str) -> bool:
    """Whether a text has the six parts of an ARN."""
    return text.startswith("arn:") and text.count(":") >= 5


def compile_arn(pattern: str) -> Callable[[str], bool] | None:
    """Compile an ArnLike pattern with STAR and ANY to a test of an ARN. Returns None for a pattern of fewer than six
    parts. The parts are compared one by one, so that no wildcard in the first five crosses a colon.
    """
    wanted = pattern.split(":", 5)
    if len(wanted) < 6:
        return None
    if STAR not in pattern and ANY not in pattern:
        return pattern.__eq__
    tests = [compiled(part) for part in wanted]

    def test(text: str) -> bool:
        return all(fits(part) for fits, part in zip(tests, text.split(":", 5), strict=True))

    return test
