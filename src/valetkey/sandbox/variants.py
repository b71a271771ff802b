"""How the sandbox behaves where AWS has been seen to behave in several ways, documents nothing, or accounts differ.

Settings are by account of the caller; those for no account apply to all accounts without settings of their own.

| setting | values |
| --- | --- |
| `refusals` | what the message of a refusal contains beyond who, what and on what. `bare`: the refusal of an AssumeRole names no policy (aws-cli issue 7216, and most public logs across accounts). `reasons`: it names the kind of policy (IAM User Guide, troubleshoot_access-denied). `ids`: the same, and refusals by IAM carry an authorization id and a link to the console (.../troubleshoot_access-denied-authorization-id, preview) |
| `trust_policy_size` | the account's AssumeRolePolicySizeQuota: the maximum number of characters in a trust policy (2048; AWS raises it for an account) |
| `username_in_sessions` | whether `${aws:username}` has a value in a trust policy if a user of the account calls with GetSessionToken's credentials: true, or false (AWS's pages can be read either way: fact U1) |
| `duration_signs_in` | whether a role session that was requested with DurationSeconds through an MFA session, or from another role, can sign in to the console: false, as AWS's page states, or true (fact U2). By account of the role |
| `sts_minutes` | how many minutes the date of a request to STS may differ: 5 (AWS's pages), or 15 (messages of STS itself) |
"""  # noqa: E501 - a table

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from valetkey.errors import ValetkeyError

Refusals = Literal["bare", "reasons", "ids"]
_KNOWN: dict[str, tuple[object, ...] | range] = {
    "duration_signs_in": (False, True),
    "refusals": get_args(Refusals),
    "sts_minutes": (5, 15),
    "trust_policy_size": range(1, 100_001),
    "username_in_sessions": (False, True),
}


class VariantError(ValetkeyError):
    """An unknown setting, or a value that it cannot have."""


@dataclass(frozen=True)
class Variants:
    """How AWS behaves towards one account."""

    refusals: Refusals = "bare"
    sts_minutes: int = 5
    trust_policy_size: int = 2048
    username_in_sessions: bool = True
    duration_signs_in: bool = False


_set: dict[str | None, Variants] = {}


def of(account: str | None) -> Variants:
    """Return the variants in force for a caller's account."""
    return _set.get(account) or _set.get(None) or Variants()


def vary(plain: Mapping[str, Any]) -> Variants:
    """Change settings of `account` (left out: of all accounts without settings of their own). Returns the settings then
    in force. Raises VariantError."""
    changes = {name: value for name, value in plain.items() if name != "account"}
    account = plain.get("account")
    if account is not None and not isinstance(account, str):
        raise VariantError("account is a string", where="$.account")
    for name, value in changes.items():
        if name not in _KNOWN:
            raise VariantError(f"there is no setting {name!r}", do=f"set {' or '.join(_KNOWN)}", where=f"$.{name}")
        known = _KNOWN[name]
        # True equals 1 in Python: neither may be accepted for the other.
        if value not in known or isinstance(value, bool) is not isinstance(known[0], bool):
            is_range = isinstance(known, range)
            allowed = f"{known[0]} to {known[-1]}" if is_range else ", ".join(map(str, known))
            raise VariantError(f"{value!r} is not a value of {name}", do=f"use {allowed}", where=f"$.{name}")
    variants = _set[account] = dataclasses.replace(of(account), **changes)
    return variants


def reset() -> None:
    """Reset all settings to their defaults."""
    _set.clear()
