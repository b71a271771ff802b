"""The texts that say why a statement does or does not apply."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from valetkey.policy.conditions import Condition
from valetkey.policy.operands import read_bool
from valetkey.policy.operators import Family
from valetkey.policy.principals import id_prefix, is_unique_id
from valetkey.policy.requests import Request
from valetkey.policy.statements import Policy, Statement
from valetkey.policy.variables import resolve, template

_SHOWN = 3
"""Maximum number of values shown of a list; the others are counted."""
_LONG = 200
"""Maximum number of characters shown of one value."""


@dataclass(frozen=True, slots=True)
class TestResult:
    """One test of a statement that failed, or a condition that held: its JSON path and the text of the reason."""

    where: str
    text: str


def nearest(
    policies: Sequence[Policy], request: Request, action: str
) -> tuple[int, Statement, tuple[TestResult, ...]] | None:
    """The Allow statement with the fewest failed tests: index of its policy in `policies`, statement, failures."""
    best: tuple[tuple[int, int], int, Statement, tuple[TestResult, ...]] | None = None
    for place, policy in enumerate(policies):
        for statement in policy.allows:
            failed = tuple(failures(statement, request, action))
            # Of two with as many failures, one about this caller and this action explains more.
            rank = (len(failed), (not statement.covers_caller(request, False)) + (not statement.covers_action(action)))
            if best is None or rank < best[0]:
                best = (rank, place, statement, failed)
    return best[1:] if best else None


def failures(statement: Statement, request: Request, action: str) -> Iterator[TestResult]:
    """Yield every test of a statement that the request fails."""
    where = statement.where
    if not statement.covers_action(action):
        element = "NotAction" if statement.not_action else "Action"
        verb = "applies to all actions but" if statement.not_action else "applies to"
        yield TestResult(
            f"{where}.{element}", f"{verb} {_several(statement.actions)}, the call is {spelt(request, action)}"
        )
    if not statement.covers_caller(request, False):
        element = "NotPrincipal" if statement.not_principal else "Principal"
        verb = "applies to all callers but" if statement.not_principal else "applies to"
        said = f"{verb} {statement.principals}, the caller is {request.caller.text}"
        yield TestResult(f"{where}.{element}", f"{said}{_unsaid_id(statement, request)}")
    if not statement.covers_resource(request):
        element = "NotResource" if statement.not_resource else "Resource"
        verb = "applies to all resources but" if statement.not_resource else "applies to"
        yield TestResult(
            f"{where}.{element}", f"{verb} {_several(statement.resources or ())}, the call is on {request.resource}"
        )
    for condition, test in zip(statement.conditions, statement.tests, strict=True):
        if not test(request.keys):
            text = (
                f"requires {_wish(condition, request, statement.variables)}, the "
                f"request has {_sent(condition, request)}"
            )
            yield TestResult(condition.where, text)


def _unsaid_id(statement: Statement, request: Request) -> str:
    """The note that a unique id may name the caller, when the request does not contain aws:userid."""
    prefix = id_prefix(request.caller.kind)
    ids = filter(is_unique_id, statement.principals.aws if statement.principals and prefix else ())
    result = next((id_ for id_ in ids if id_.startswith(prefix or "")), None)
    if result is None or "aws:userid" in request.keys:
        return ""
    return f", whose unique id the request does not contain: {result} is compared with aws:userid"


def conditions(statement: Statement, request: Request) -> tuple[TestResult, ...]:
    """The conditions of a statement that applies, each with the value in the request."""
    return tuple(
        TestResult(
            condition.where,
            f"{_wish(condition, request, statement.variables)} (the request has {_sent(condition, request)})",
        )
        for condition in statement.conditions
    )


def title(statement: Statement) -> str:
    """The statement's display name: its number from 1, and its Sid."""
    return f"statement {statement.index + 1}" + (f" ({statement.sid[:_LONG]})" if statement.sid else "")


def spelt(request: Request, action: str) -> str:
    """A lower-cased action as spelled in the request."""
    given = [request.action] if isinstance(request.action, str) else request.action
    return next(item for item in given if item.lower() == action)


def _wish(condition: Condition, request: Request, variables: bool) -> str:
    key = condition.key
    if condition.operator.family is Family.NULL:
        wanted = {read_bool(value) for value in condition.values}
        return f"{key} to be absent" if wanted == {True} else f"any {key}" if wanted == {False} else f"{key} or none"
    if condition.set_operator:
        key = f"{'every' if condition.set_operator == 'ForAllValues' else 'some'} value of {key}"
    values = [_quoted(value) + _resolved(value, request, variables) for value in condition.values[:_SHOWN]]
    more = len(condition.values) - len(values)
    listed = " or ".join(values) + (f" or {more} more" if more else "")
    return f"{key} {condition.operator.words} {listed or 'no value at all'}"


def _resolved(value: str, request: Request, variables: bool) -> str:
    parts = template(value, variables=variables, wildcards=False)
    if isinstance(parts, str):
        return ""
    text = resolve(parts, request.keys)
    return " (which has no value here)" if text is None else f" (here {_quoted(text)})"


def _sent(condition: Condition, request: Request) -> str:
    value = request.keys.get(condition.key.lower())
    if value is None:
        return "none"
    if isinstance(value, str):
        return _quoted(value)
    several = ", ".join(map(_quoted, value[:_SHOWN])) + (", ..." if len(value) > _SHOWN else "")
    return several if condition.set_operator else f"several ({several}), which needs ForAllValues or ForAnyValue"


def _quoted(text: str) -> str:
    return json.dumps(text if len(text) <= _LONG else f"{text[:_LONG]}...")


def _several(texts: Sequence[str]) -> str:
    more = len(texts) - _SHOWN
    shown = ", ".join(text[:_LONG] for text in texts[:_SHOWN])
    return (shown + (f" and {more} more" if more > 0 else "")) or "nothing"
