"""Fault rules: which calls fail, how, and how often. Values and their matching; `front` applies them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from valetkey.errors import ValetkeyError

Kind = Literal["throttle", "500", "503", "latency", "deny", "drop", "lose", "hang"]
"""What happens to the call:

- throttle: refused as Throttling (400), which SDKs retry
- 500, 503: refused as InternalFailure or ServiceUnavailable, which SDKs retry
- deny: refused with `code` and `message` (403); not performed
- latency: performed after `seconds`
- drop: the connection is closed; not performed
- lose: performed, then the connection is closed: the caller does not learn the result
- hang: performed, but not answered: the connection stays open until the caller disconnects or the faults are cleared. A
  test waits for it (`Control.held`) and kills the caller, which thus stops between two calls
"""


class FaultError(ValetkeyError):
    """A fault rule that cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One rule. `service`, `operation` and `account`: None means any."""

    kind: Kind
    service: str | None = None
    """ "iam", "sts", ...: the part of the action before the colon."""
    operation: str | None = None
    """AWS's spelling ("CreateRole"); boto3's ("create_role") is accepted too."""
    account: str | None = None
    """The caller's account."""
    nth: int = 1
    """The first call that it applies to, counting matching calls from 1."""
    times: int | None = 1
    """Number of calls that it applies to; None: all from the nth on."""
    code: str = "AccessDenied"
    message: str = ""
    """For deny: AWS's message; empty: one that names the sandbox."""
    seconds: float = 0.0
    """For latency, at most 60."""


def read_fault(plain: Mapping[str, Any]) -> Fault:
    """Read a rule from JSON. Raises FaultError."""
    known = Fault.__dataclass_fields__
    unknown = sorted(set(plain) - set(known))
    if unknown:
        raise FaultError(
            f"a fault rule has no {unknown[0]!r}", do=f"it has {', '.join(known)}", where=f"$.{unknown[0]}"
        )
    if plain.get("kind") not in get_args(Kind):
        raise FaultError(
            f"{plain.get('kind')!r} is not a kind of fault", do=f"use {', '.join(get_args(Kind))}", where="$.kind"
        )
    for name, kinds, least, most in (
        ("nth", int, 1, 10**9),
        ("times", int, 1, 10**9),
        ("seconds", (int, float), 0, 60),
    ):
        value = plain.get(name)
        if value is not None and (
            not isinstance(value, kinds) or isinstance(value, bool) or not least <= value <= most
        ):
            raise FaultError(f"{name} is a number from {least} to {most}", where=f"$.{name}")
    for name in ("service", "operation", "account", "code", "message"):
        if plain.get(name) is not None and not isinstance(plain[name], str):
            raise FaultError(f"{name} is a string", where=f"$.{name}")
    given = {name: value for name, value in plain.items() if value is not None or name == "times"}
    fault = Fault(**given)
    if fault.operation and "_" in fault.operation:
        spelt = "".join(word.capitalize() for word in fault.operation.split("_"))
        return Fault(**{**given, "operation": spelt})
    return fault


class Faults:
    """The rules in force, each with the number of matching calls so far."""

    def __init__(self) -> None:
        self._rules: list[tuple[Fault, list[int]]] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Add a rule after the existing ones."""
        with self._lock:
            self._rules.append((fault, [0]))

    def clear(self, account: str | None = None) -> None:
        """Remove the rules of one account, or all of them."""
        with self._lock:
            self._rules = [rule for rule in self._rules if account is not None and rule[0].account != account]

    def strike(self, action: str, account: str) -> Fault | None:
        """Return the rule that applies to this call ("iam:CreateRole" by `account`), or None. Every matching rule
        counts the call; the first rule that is due applies."""
        service, _, operation = action.partition(":")
        hit = None
        with self._lock:
            for fault, seen in self._rules:
                wanted = ((fault.service, service), (fault.operation, operation), (fault.account, account))
                if any(want is not None and want.lower() != is_.lower() for want, is_ in wanted):
                    continue
                seen[0] += 1
                last = None if fault.times is None else fault.nth + fault.times - 1
                if hit is None and seen[0] >= fault.nth and (last is None or seen[0] <= last):
                    hit = fault
        return hit
