"""Names of outside accounts, as their owners publish them: labels only, never a reason to trust an account.

`known_accounts.json` is generated from fwdcloudsec/known_aws_accounts (Apache-2.0) and records commit and date. The
sources of such a list are not verified: a name changes neither an exposure nor a severity.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import msgspec


class _List(msgspec.Struct):
    date: str
    accounts: dict[str, str]


@cache
def _read() -> _List:
    data = files("valetkey.catalog").joinpath("known_accounts.json").read_bytes()
    return msgspec.json.decode(data, type=_List)


def known_accounts() -> Mapping[str, str]:
    """Return names by account id."""
    return MappingProxyType(_read().accounts)


def known_accounts_date() -> str:
    """Return the date of the list, like "2025-09-17"."""
    return _read().date
