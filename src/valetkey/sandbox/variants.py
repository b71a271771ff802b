"""Where AWS has been seen to behave in more than one way: which of them the sandbox shows.

By account of the caller; what is set for no account is for all those that have no setting of their own.

| setting | values |
| --- | --- |
| `refusals` | what the text of a refusal says beyond who, what and on what. `bare`: an AssumeRole that is refused names no policy (aws-cli issue 7216, and most public logs across accounts). `reasons`: it names the kind of policy (IAM User Guide, troubleshoot_access-denied). `ids`: the same, and refusals by IAM carry an authorization id and a link to the console (.../troubleshoot_access-denied-authorization-id, preview) |
| `sts_minutes` | how far the date of a request to STS may be off: 5 (AWS's pages), or 15 (texts of STS itself) |
"""  # noqa: E501 - a table

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from valetkey.policy.problem import Problem

Refusals = Literal["bare", "reasons", "ids"]
_MINUTES = (5, 15)


class VariantProblem(Problem):
    """A setting that there is not."""


@dataclass(frozen=True)
class Variants:
    """How AWS behaves towards one account."""

    refusals: Refusals = "bare"
    sts_minutes: int = 5


_set: dict[str | None, Variants] = {}


def of(account: str | None) -> Variants:
    """The variants in force for a caller's account."""
    return _set.get(account) or _set.get(None) or Variants()


def vary(plain: Mapping[str, Any]) -> Variants:
    """Change settings of `account` (left out: of all that have none of their own). Raises VariantProblem."""
    changes = {name: value for name, value in plain.items() if name != "account"}
    account = plain.get("account")
    if account is not None and not isinstance(account, str):
        raise VariantProblem("account is a string", where="$.account")
    known = {"refusals": get_args(Refusals), "sts_minutes": _MINUTES}
    for name, value in changes.items():
        if name not in known:
            raise VariantProblem(f"there is no setting {name!r}", do=f"set {' or '.join(known)}", where=f"$.{name}")
        if isinstance(value, bool) or value not in known[name]:
            allowed = ", ".join(map(str, known[name]))
            raise VariantProblem(f"{value!r} is not a value of {name}", do=f"use {allowed}", where=f"$.{name}")
    found = _set[account] = dataclasses.replace(of(account), **changes)
    return found


def reset() -> None:
    """Everything as at the start."""
    _set.clear()
