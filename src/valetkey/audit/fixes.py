"""Corrected trust policies. Each function takes a document and returns a changed one, or None where there is none.

Values that the owner has to fill in are written in angle brackets. STS refuses such an ExternalId, so a corrected
document that was not filled in admits nobody.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from valetkey.audit.required import EXTERNAL_ID, MFA, sendable
from valetkey.catalog import key_names
from valetkey.catalog.shared_issuers import GUESTS, Issuer

PLACEHOLDER = "<the ExternalId agreed with the contractor>"

JsonDocument = dict[str, Any]
_PARTS = {name.lower(): name for name in ("Effect", "Principal", "Action", "NotAction", "Condition")}


def load(text: str) -> JsonDocument | None:
    """Parse a document, with its statements as a list. Return None where AWS refuses its structure (a key that is given
    twice or in wrong case, a statement that is not an object): only its author knows the intended meaning."""
    try:
        document = json.loads(text, object_pairs_hook=_once)
    except ValueError:
        return None
    statements = many(document.get("Statement")) if isinstance(document, dict) else []
    if not statements or not all(isinstance(statement, dict) and _well_named(statement) for statement in statements):
        return None
    return {**document, "Statement": statements}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a key is given twice")
    return dict(pairs)


def _well_named(statement: Mapping[str, Any]) -> bool:
    return not any(name.lower() in _PARTS and name != _PARTS[name.lower()] for name in statement)


def many(value: Any) -> list[Any]:
    """One value or a list, as a list."""
    return list(value) if isinstance(value, list) else [] if value is None else [value]


def _one(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def _changed(
    text: str, statements: Collection[int], change: Callable[[dict[str, Any]], dict[str, Any] | None]
) -> JsonDocument | None:
    """The document with some statements changed, or removed where `change` returns None."""
    document = load(text)
    if document is None:
        return None
    kept = []
    for index, item in enumerate(document["Statement"]):
        new = change(item) if index in statements else item
        if new is not None:
            kept.append(new)
    return {**document, "Statement": kept} if kept else None


def require(text: str, statements: Collection[int], *, external_id: bool, mfa: bool) -> JsonDocument | None:
    """Require an ExternalId, MFA, or both in these statements, replacing their conditions on these keys."""

    def change(statement: dict[str, Any]) -> dict[str, Any]:
        condition = _condition(statement)
        if external_id:
            known = sorted(
                {
                    value
                    for operator, keys in condition.items()
                    if "not" not in operator.lower() and operator.lower() != "null"
                    for key, values in keys.items()
                    if key.lower() == EXTERNAL_ID
                    for value in map(str, many(values))
                    if sendable(value)
                }
            )
            condition = _without(condition, EXTERNAL_ID)
            condition.setdefault("StringEquals", {})[key_names.EXTERNAL_ID] = _one(known) if known else PLACEHOLDER
        if mfa:
            condition = _without(condition, MFA)
            condition.setdefault("Bool", {})[key_names.MFA_PRESENT] = "true"
        return {**statement, "Condition": condition}

    return _changed(text, statements, change)


def _condition(statement: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    result = statement.get("Condition")
    if not isinstance(result, dict):
        return {}
    return {operator: dict(keys) for operator, keys in result.items() if isinstance(keys, dict)}


def _without(condition: Mapping[str, Mapping[str, Any]], key: str) -> dict[str, dict[str, Any]]:
    left = {
        operator: {name: values for name, values in keys.items() if name.lower() != key}
        for operator, keys in condition.items()
    }
    return {operator: keys for operator, keys in left.items() if keys}


def strict(text: str, statements: Collection[int], keys: Iterable[str], operator: str) -> JsonDocument | None:
    """Test these condition keys (in lower case) with this operator, replacing the operators that test them now."""
    wanted = set(keys)

    def change(statement: dict[str, Any]) -> dict[str, Any]:
        condition = _condition(statement)
        moved: dict[str, list[Any]] = {}
        for result in condition.values():
            for name, values in result.items():
                if name.lower() in wanted:
                    moved.setdefault(name, []).extend(many(values))
        for name in wanted:
            condition = _without(condition, name)
        for name, values in moved.items():
            condition.setdefault(operator, {})[name] = _one(list(dict.fromkeys(values)))
        return {**statement, "Condition": condition}

    return _changed(text, statements, change)


def only_actions(text: str, statements: Collection[int], actions: Collection[str]) -> JsonDocument | None:
    """Allow only these actions in these statements."""
    return _changed(
        text,
        statements,
        lambda item: {
            **{key: value for key, value in item.items() if key != "NotAction"},
            "Action": _one(sorted(actions)),
        },
    )


def without_principals(text: str, unwanted: Collection[str]) -> JsonDocument | None:
    """Remove these AWS principals, and statements without principals after that."""
    gone = set(unwanted)

    def change(statement: dict[str, Any]) -> dict[str, Any] | None:
        principal = statement.get("Principal")
        if not isinstance(principal, dict) or "AWS" not in principal:
            return statement
        left = [item for item in many(principal["AWS"]) if item not in gone]
        rest = {kind: value for kind, value in principal.items() if kind != "AWS"}
        if left:
            rest["AWS"] = _one(left)
        return {**statement, "Principal": rest} if rest else None

    document = load(text)
    return None if document is None else _changed(text, range(len(document["Statement"])), change)


def without_statements(text: str, unwanted: Collection[int]) -> JsonDocument | None:
    """Remove these statements."""
    return _changed(text, unwanted, lambda _: None)


def fix_tenant(text: str, statements: Collection[int], spelt: str, issuer: Issuer) -> JsonDocument | None:
    """Require the claim that names the tenant of a shared issuer; also the audience, where IAM would not save the
    document without it; for an identity pool, also a signed-in identity. `spelt` is the issuer as spelt in the
    provider's ARN."""
    claim = issuer.claims[0].key
    key, audience = claim if ":" in claim else f"{spelt}:{claim}", f"{spelt}:aud"
    operator = "StringLike" if "*" in issuer.example else "StringEquals"

    def change(statement: dict[str, Any]) -> dict[str, Any]:
        condition = _without(_condition(statement), key.lower())
        condition.setdefault(operator, {})[key] = issuer.example
        tested = {test.lower() for tests in condition.values() for test in tests}
        if issuer.audience and audience.lower() not in tested:
            condition.setdefault("StringEquals", {})[audience] = issuer.audience
        return {**statement, "Condition": _signed_in(condition) if spelt == GUESTS[0] else condition}

    return _changed(text, statements, change)


def without_guests(text: str, statements: Collection[int]) -> JsonDocument | None:
    """Require a signed-in identity of an identity pool."""
    return _changed(text, statements, lambda item: {**item, "Condition": _signed_in(_condition(item))})


def _signed_in(condition: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    host, claim, _, signed_in = GUESTS
    left = _without(condition, f"{host}:{claim}")
    left.setdefault("ForAnyValue:StringEquals", {})[f"{host}:{claim}"] = signed_in
    return left
