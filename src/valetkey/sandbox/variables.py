"""Policy variables, and patterns as AWS matches them.

AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html (variables in Resource and in
string and ARN conditions; `${key, 'default'}`; `${*}`, `${?}`, `${$}`; only in documents of Version 2012-10-17, literal
text in others; a variable without a value matches nothing) and .../reference_policies_elements_condition_operators.html
(ArnEquals and ArnLike compare the six components of an ARN one by one).

Replaces in ministack's `core.iam_evaluator`: `parse_policy_document`, `evaluate_resource_policy`,
`evaluate_trust_policy` (which lose the Version), `_conditions_met` and `_first_match`, which are still called;
`_fnmatch_compile` and the ARN operators.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_NAMED = re.compile(r"\s*([^,\s']+)\s*(?:,\s*'([^']*)'\s*)?")
# A wildcard character in the value of a variable is not a wildcard: one of these replaces it until it is matched.
_QUOTE = {"*": "\ue000", "?": "\ue001"}
_UNQUOTE = {quoted: plain for plain, quoted in _QUOTE.items()}
_NOTHING = "\ue002"
_PATTERNS = ("stringlike", "stringnotlike", "arnequals", "arnlike", "arnnotequals", "arnnotlike")


class _Ready(dict[str, Any]):
    """A statement whose variables follow the rules of 2012-10-17."""


def install() -> None:
    from ministack.core import iam_evaluator as ev

    parse, trust, resource = ev.parse_policy_document, ev.evaluate_trust_policy, ev.evaluate_resource_policy
    first_match, conditions_met = ev._first_match, ev._conditions_met

    @lru_cache(512)
    def parsed(text: str) -> Any:
        # ReadOnlyAccess alone is 98 kB, and every request parses it again.
        return parse(_ready(text))

    ev.parse_policy_document = lambda document: (
        parsed(document) if isinstance(document, str) else parse(_ready(document))
    )
    ev.evaluate_trust_policy = lambda document, arn, ctx=None: trust(_ready(document), arn, ctx)
    ev.evaluate_resource_policy = lambda document, *rest, **more: resource(_ready(document), *rest, **more)
    ev._first_match = lambda ctx, statements, effect: first_match(ctx, [_expand(s, ctx) for s in statements], effect)
    ev._conditions_met = lambda conditions, ctx: conditions_met(_filled(conditions, ctx), ctx)
    ev._fnmatch_compile = _compile
    ev._CONDITION_OPS.update(arnequals=_arn_like, arnlike=_arn_like, arnnotequals=_arn_unlike, arnnotlike=_arn_unlike)


def _ready(document: Any) -> Any:
    """The document with every statement marked. `${` becomes literal if the document's Version has no variables."""
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except (ValueError, RecursionError):
            return document
    if not isinstance(document, dict):
        return document
    statements = document.get("Statement", [])
    statements = [statements] if isinstance(statements, dict) else statements
    if not isinstance(statements, list):
        return document
    literal = document.get("Version") != "2012-10-17"
    return {**document, "Statement": [_marked(statement, literal) for statement in statements]}


def _marked(statement: Any, literal: bool) -> Any:
    if isinstance(statement, _Ready) or not isinstance(statement, dict):
        return statement
    if not literal:
        return _Ready(statement)
    names = ("Resource", "NotResource", "Condition")
    return _Ready({name: _literal(value) if name in names else value for name, value in statement.items()})


def _literal(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("${", "${$}{")
    if isinstance(value, list):
        return [_literal(item) for item in value]
    if isinstance(value, dict):
        return {name: _literal(item) for name, item in value.items()}
    return value


def _expand(statement: Any, ctx: Any) -> Any:
    """A parsed statement with the variables of its resources filled in."""
    if not any("${" in item for item in (*statement.resources, *statement.not_resources)):
        return statement
    return replace(
        statement,
        resources=[_fill(resource, ctx) or _NOTHING for resource in statement.resources],
        not_resources=[_fill(resource, ctx) or _NOTHING for resource in statement.not_resources],
    )


def _filled(conditions: Any, ctx: Any) -> Any:
    """A Condition with the variables of its string and ARN tests filled in. Values with an undefined variable are left
    out."""
    if not isinstance(conditions, dict) or "${" not in str(conditions):
        return conditions
    return {
        operator: {key: _values(operator, expected, ctx) for key, expected in tests.items()}
        if isinstance(tests, dict)
        else tests
        for operator, tests in conditions.items()
    }


def _values(operator: str, expected: Any, ctx: Any) -> Any:
    base = operator.lower().rpartition(":")[2].removesuffix("ifexists")
    if not base.startswith(("string", "arn")):
        return expected
    values = expected if isinstance(expected, list) else [expected]
    filled = [_fill(str(value), ctx) for value in values]
    kept = [item for item in filled if item is not None]
    return kept if base in _PATTERNS else [_plain(item) for item in kept]


def _fill(text: str, ctx: Any) -> str | None:
    """The text with its variables replaced and their wildcards quoted, or None if one has no value."""
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        inside = match[1]
        if inside in ("*", "?", "$"):
            return _QUOTE.get(inside, inside)
        named = _NAMED.fullmatch(inside)
        result = _key(named[1], ctx) if named else None
        if result is None or isinstance(result, list):
            result = named[2] if named else None
        if result is None:
            missing = True
            return ""
        return "".join(_QUOTE.get(character, character) for character in str(result))

    filled = _VARIABLE.sub(value, text)
    return None if missing else filled


def _key(name: str, ctx: Any) -> Any:
    from ministack.core import iam_evaluator as ev

    return ev._resolve_condition_key(name, ctx)


def _plain(text: str) -> str:
    return "".join(_UNQUOTE.get(character, character) for character in text)


@lru_cache(8192)
def _compile(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    """Compile a pattern that costs at most its length times the text's: each `*` takes the first place that fits."""
    parts = [
        "".join("." if ch == "?" else re.escape(_UNQUOTE.get(ch, ch)) for ch in part) for part in pattern.split("*")
    ]
    middle = "".join(f"(?>.*?{part})" for part in parts[1:-1])
    tail = f".*{parts[-1]}" if len(parts) > 1 else ""
    return re.compile(f"{parts[0]}{middle}{tail}\\Z", re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _arn_like(actual: str, expected: str) -> bool:
    given, wanted = actual.split(":", 5), expected.split(":", 5)
    match: Callable[[str, str], Any] = lambda text, pattern: _compile(pattern, False).match(text)  # noqa: E731
    if expected == "*":
        return True
    return len(given) == len(wanted) == 6 and all(
        match(text, pattern) is not None for text, pattern in zip(given, wanted, strict=True)
    )


def _arn_unlike(actual: str, expected: str) -> bool:
    return not _arn_like(actual, expected)
