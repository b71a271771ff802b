"""Conditions that seem to require something but do not: which of them apply to a way in, and why they fail."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from valetkey.audit.exposure import WayIn
from valetkey.audit.guesses import met_by_chance
from valetkey.audit.required import EXTERNAL_ID
from valetkey.audit.subjects import Trust
from valetkey.policy.conditions import Condition
from valetkey.policy.principals import NamedBy
from valetkey.policy.statements import Statement


def conditions_on(trust: Trust, way: WayIn, keys: Collection[str]) -> Iterator[tuple[Statement, Condition]]:
    """The conditions on these keys that apply to a way in: those of its Allow, and of each Deny that covers its caller
    and action."""
    for statement in trust.policy.statements:
        if statement.effect == "Allow":
            concerned = statement.index == way.statement
        else:
            concerned = statement.covers_action(way.witness.actions[0]) and bool(
                statement.covers_caller(way.witness, False) is not NamedBy.NONE
            )
        if concerned:
            yield from ((statement, condition) for condition in statement.conditions if condition.key.lower() in keys)


def why_not_required(statement: Statement, condition: Condition) -> str:
    """Why a condition accepts requests that it seems to refuse; empty where the condition itself is correct."""
    name, values = condition.name, condition.values
    plain = condition.operator.name
    deny = statement.effect == "Deny"
    if plain == "Null":
        return "" if deny else f"{name} says whether the key is there, not what it holds"
    if deny:
        if not condition.operator.negated and not condition.if_exists:
            return f"a Deny with {name} {values_of(condition)} does not stop a request in which the key is absent"
        return ""
    if condition.if_exists:
        return f"{name} lets a request pass in which the key is absent"
    if condition.set_operator == "ForAllValues":
        return f"{name} is true when the key is absent"
    if condition.operator.negated:
        return f"{name} lets every other value pass, and no value at all"
    if any(not value.strip("*?") for value in values) and "Like" in plain:
        return f"{name} {values_of(condition)} takes any value"
    if condition.key.lower() == EXTERNAL_ID and "Like" in plain and met_by_chance(values):
        return f"{name} takes values that ExternalIds of others fit by chance"
    if any("${" in value for value in values):
        return f"{name} compares it with a variable, which takes what the caller brings"
    if plain == "Bool" and any(value.lower() == "false" for value in values):
        return f"{name} {values_of(condition)} asks for a request without it"
    return ""


def values_of(condition: Condition) -> str:
    """A condition's values as text (at most three); an ExternalId is never shown."""
    if condition.key.lower() == EXTERNAL_ID:
        return '"*"' if any(not value.strip("*?") for value in condition.values) else "…"
    return " or ".join(f'"{value}"' for value in condition.values[:3])
