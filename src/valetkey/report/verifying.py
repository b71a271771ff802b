"""Verification results of all customers, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from valetkey.errors import ValetkeyError
from valetkey.report.results import contractor as results
from valetkey.report.results.shape import shaped
from valetkey.report.text import say, say_json, say_table

if TYPE_CHECKING:
    from valetkey.credentials.doctor.verification import Verification


@dataclass(frozen=True)
class Tried:
    """The result for one customer's profile, or why there is none."""

    name: str
    verification: Verification | None
    problem: ValetkeyError | None


def say_all(result: Sequence[Tried], *, as_json: bool) -> None:
    """Print the results. docs/reference/verify.md has the schema."""
    if as_json:
        say_json(results.Verifications(profiles=[_tried(item) for item in result]))
        return
    if not result:
        say("There are no customers yet. Add one with `valetkey accept` or `valetkey import`.")
        return
    say_table(
        ("profile", "account", "lets you in", "without ExternalId", "without MFA"), [_row(item) for item in result]
    )
    for item in result:
        if item.problem is not None:
            say(f"{item.name}: {item.problem.what}", stderr=True)
            if item.problem.do:
                say(f"  do: {item.problem.do}", stderr=True)
        elif item.verification is not None:
            for probe in item.verification.probes:
                if probe.applies and probe.result != "right" and not probe.says.startswith("not tried: a refusal"):
                    say(f"{item.name}: {probe.way}: {probe.says}", stderr=True)
    if any(item.verification is not None and item.verification.profile.unknown for item in result):
        say(
            "Of unknown terms only the ExternalId and MFA can be tested: not the end, the people or the session length."
        )


def count(number: int, one: str, many: str) -> str:
    """Return "1 try" or "2 tries"."""
    return f"{number} {one if number == 1 else many}"


def _row(tried: Tried) -> tuple[str, ...]:
    if tried.verification is None:
        return tried.name, "unknown", "unknown", "unknown", "unknown"
    by_way = {probe.way: probe for probe in tried.verification.probes}
    right, *_ = tried.verification.probes
    is_in = {"right": "yes", "wrong": "no"}.get(right.result, "unknown")
    without_id = _cell(by_way["no ExternalId"].result, applies=by_way["no ExternalId"].applies)
    if by_way["wrong ExternalId"].result in ("wrong", "learned"):
        without_id = "YES" if without_id == "YES" else "with any"
    no_mfa = by_way["no MFA"]
    return (
        tried.name,
        tried.verification.profile.account,
        is_in,
        without_id,
        _cell(no_mfa.result, applies=no_mfa.applies),
    )


def _cell(result: str, *, applies: bool) -> str:
    """Return whether the role admits the caller without a condition. "as agreed": the owner's terms do not require
    it."""
    if not applies:
        return "yes, as agreed"
    return {"right": "no", "wrong": "YES", "learned": "YES"}.get(result, "unknown")


def _tried(tried: Tried) -> results.Tried:
    verification, problem = tried.verification, tried.problem
    return results.Tried(
        profile=tried.name,
        account=verification.profile.account if verification else None,
        role_arn=verification.profile.role_arn if verification else None,
        holds=verification.exit_code == 0 if verification else None,
        likely=(verification.likely or None) if verification else None,
        probes=[shaped(results.Probe, probe) for probe in verification.probes] if verification else [],
        problem=problem.what if problem else None,
        do=(problem.do or None) if problem else None,
    )
