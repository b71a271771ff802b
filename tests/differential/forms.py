"""Which texts are numbers, dates, addresses, ARNs. Written independently of the product, which must not test itself."""

from __future__ import annotations

import datetime
import ipaddress
import re

NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
ARN = re.compile(r"arn:[^:]*:[^:]*:[^:]*:[^:]*:.*", re.DOTALL)


def is_number(text: str) -> bool:
    return NUMBER.fullmatch(text) is not None


def date(text: str) -> datetime.datetime | None:
    """A date in one of AWS's formats: ISO 8601, or seconds since 1970."""
    try:
        if is_number(text):
            return datetime.datetime.fromtimestamp(float(text), datetime.UTC)
        when = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=datetime.UTC)


def is_date(text: str) -> bool:
    return date(text) is not None


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def is_bool(text: str) -> bool:
    return text.lower() in ("true", "false")


def is_arn(text: str) -> bool:
    return ARN.fullmatch(text) is not None
