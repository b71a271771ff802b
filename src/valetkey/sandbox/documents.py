"""Checks of policy documents when they are saved: the rules of permission policies, and those that trust policies
share.

AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html, .../troubleshoot_policies.html.
Not checked: whether an action, a resource type or a condition key exists (AWS mostly does not check it either).

Replaces: ministack's `core.iam_evaluator.validate_policy_document`, which is called for every inline, managed and
session policy; its own rules are kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

SYNTAX = "Syntax errors in policy."
_VERSIONS = ("2008-10-17", "2012-10-17")
_SET = r"(forallvalues:|foranyvalue:)?"
_OPERATOR = re.compile(
    rf"null|{_SET}(string(not)?(equals|like)|string(not)?equalsignorecase|bool|binaryequals|(not)?ipaddress"
    r"|arn(not)?(equals|like)|(numeric|date)((not)?equals|(less|greater)than(equals)?))(ifexists)?",
    re.IGNORECASE,
)
_ELEMENTS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?-]+")
_RESOURCE = re.compile(r"\*|arn:.+")


def install() -> None:
    from ministack.core import iam_evaluator as ev

    from valetkey.sandbox.principals import everywhere

    known: Callable[[Any], str | None] = ev.validate_policy_document
    everywhere("validate_policy_document", lambda document: problem(document) or known(document))


def problem(document: Any) -> str | None:
    """Return AWS's message for a permission policy that cannot be saved, or None."""
    result = statements(document)
    if isinstance(result, str):
        return result
    return next((wrong for item in result if (wrong := _statement(item))), None)


def readable(document: Any) -> Any:
    """Parse a document. Raises ValueError for text that is not JSON, has a key twice or is nested too deeply."""
    try:
        return json.loads(document if isinstance(document, str) else json.dumps(document), object_pairs_hook=_once)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def statements(document: Any) -> list[dict[str, Any]] | str:
    """Return the statements of a document, or AWS's message if the document as a whole is invalid."""
    try:
        plain = readable(document)
    except ValueError:
        return SYNTAX
    if not isinstance(plain, dict) or set(plain) - {"Version", "Id", "Statement"}:
        return SYNTAX
    if plain.get("Version", _VERSIONS[0]) not in _VERSIONS:
        return "The policy must contain a valid version string"
    result = plain.get("Statement")
    result = [result] if isinstance(result, dict) else result
    if not isinstance(result, list) or not result or not all(isinstance(item, dict) for item in result):
        return SYNTAX
    named = [item["Sid"] for item in result if "Sid" in item]
    if not all(isinstance(name, str) and re.fullmatch("[0-9A-Za-z]*", name) for name in named):
        return (
            "Statement IDs (SID) must be alpha-numeric. "
            "Check that your input satisfies the regular expression [0-9A-Za-z]*"
        )
    named = [name for name in named if name]
    return result if len(set(named)) == len(named) else "Statement IDs (SID) in a single policy must be unique."


def conditions(result: Any) -> str | None:
    """Return AWS's message for an invalid Condition, or None."""
    if not isinstance(result, dict):
        return SYNTAX
    for operator, tests in result.items():
        if not _OPERATOR.fullmatch(operator):
            return f"Invalid Condition type : {operator}."
        if not isinstance(tests, dict):
            return SYNTAX
        for key, value in tests.items():
            values = value if isinstance(value, list) else [value]
            if ":" not in key:
                return "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
            if not all(isinstance(item, str | bool | int | float) for item in values):
                return SYNTAX
    return None


def strings(value: Any) -> list[str]:
    """A string or a list of strings as a list; empty if it is neither."""
    values = value if isinstance(value, list) else [value]
    return values if values and all(isinstance(item, str) for item in values) else []


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("duplicate key")
    return dict(pairs)


def _statement(statement: dict[str, Any]) -> str | None:
    if "Principal" in statement or "NotPrincipal" in statement:
        return "Policy document should not specify a principal."
    if set(statement) - _ELEMENTS:
        return SYNTAX
    for name in ("Action", "NotAction"):
        if name in statement and not all(_ACTION.fullmatch(text) for text in strings(statement[name]) or [""]):
            return "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
    for name in ("Resource", "NotResource"):
        for text in strings(statement[name]) or [""] if name in statement else []:
            if not _RESOURCE.fullmatch(text):
                return f'Resource {text} must be in ARN format or "*".'
    return conditions(statement.get("Condition", {}))
