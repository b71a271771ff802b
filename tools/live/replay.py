"""Turns a result into settings of the sandbox, which then behaves as AWS was seen to behave."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tools.live.result import KIND

from valetkey.sandbox.client import Control
from valetkey.sandbox.propagation import MOST

_SIZES = range(1, 100_001)


class NotAResult(ValueError):
    """A file that is not a result of a live run."""


@dataclass(frozen=True)
class Settings:
    """Settings of the sandbox from a result. Settings that it does not determine are left out."""

    variants: Mapping[str, object]
    """For `Control.vary`."""
    delay: float | None
    """Seconds for `Control.propagation`: the longest observed delay of a change of a role."""


def settings(text: str) -> Settings:
    """Return the settings that the JSON of a result determines. Raises NotAResult."""
    try:
        plain = json.loads(text)
        if plain["valetkey"] != KIND:
            raise NotAResult(f"this is not a {KIND} file")
        done = {step["name"]: step["outcome"] for step in plain["steps"] if step["state"] == "done"}
        result = {name: value for name, value in _variants(done) if value is not None}
        waits = [float(wait) for wait in _waits(done) if isinstance(wait, int | float)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, NotAResult):
            raise
        raise NotAResult(f"this is not a result of a live run: {type(error).__name__}") from None
    return Settings(result, min(max(waits), MOST) if waits else None)


def apply(result: Settings, control: Control, account: str | None = None) -> None:
    """Apply the settings to a running sandbox, for one account or for all. Raises SandboxError."""
    if result.variants:
        control.vary(account, **result.variants)
    if result.delay is not None:
        control.propagation(account, seconds=result.delay)


def _variants(done: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    refusals = [item for name, item in done.items() if name.startswith("refusal-") and item.get("ok") is False]
    denied = done.get("revoke-under-calls", {}).get("deny", {}).get("iam", {}).get("refusal") or {}
    with_id = any(item.get("authorization_id") for item in (*refusals, denied))
    named = any(refusal.get("policy") for refusal in refusals)
    yield "refusals", ("ids" if with_id and named else "reasons" if named else "bare") if refusals else None
    named_people = done.get("name-people-session")
    yield "username_in_sessions", None if named_people is None else bool(named_people["let_in"])
    quota = done.get("trust-2100", {}).get("quota")
    yield "trust_policy_size", quota if isinstance(quota, int) and quota in _SIZES else None
    with_duration = done.get("console-federation", {}).get("mfa_session_with_duration", {})
    tokens = [item["token"] for item in with_duration.values() if isinstance(item, Mapping)]
    yield "duration_signs_in", all(tokens) if tokens else None
    # A refusal at 6 minutes means a limit of 5; the sandbox has only 5 and 15.
    clocks = done.get("clock-off", {})
    late = [clocks[key]["sts"]["ok"] for key in ("6_minutes_behind", "6_minutes_ahead") if key in clocks]
    yield "sts_minutes", (15 if all(late) else 5) if late else None


def _waits(done: Mapping[str, Any]) -> Iterator[object]:
    """Yield the observed delays of changes of roles, in seconds."""
    for name in ("refusal-ended", "refusal-closed"):
        yield done.get(name, {}).get("seconds")
    revoked = done.get("revoke-under-calls", {})
    for name, value in revoked.items():
        if name.startswith("seconds_until_"):
            yield value
    for item in revoked.get("deny", {}).values():
        yield item.get("last_success")
        yield item.get("first_refusal")
