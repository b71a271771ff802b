"""Which texts are numbers, dates, addresses, ARNs; written apart from the product, which must not judge itself."""

from __future__ import annotations

import datetime
import ipaddress
import re

NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
ARN = re.compile(r"arn:[^:]*:[^:]*:[^:]*:[^:]*:.*", re.DOTALL)


def is_number(text: str) -> bool:
    return NUMBER.fullmatch(text) is not None


def is_date(text: str) -> bool:
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError:
        return is_number(text)
    return True


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
