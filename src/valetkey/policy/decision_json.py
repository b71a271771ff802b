"""One JSON object with a request and the policies to decide it against.

    {"request": {"principal": "...", "action": "...", "resource": "...", "resource_account": "...", "context": {...}},
     "trust": {...}, "identity": {...} or [{...}], "boundary": {...}, "session": {...},
     "scps": [[{...}]], "rcps": [[{...}]], "resource": {...}}

Only `request` with `principal` and `action` is required. A policy is an object, or its JSON text as a string.
"""

from __future__ import annotations

from typing import Any

from valetkey.errors import PolicyError, shown
from valetkey.policy.decision import Decision
from valetkey.policy.documents import DOCUMENT_MAX, read_policy
from valetkey.policy.evaluation import decide
from valetkey.policy.policy_json import JsonObject, load_json, member, members
from valetkey.policy.requests import Request
from valetkey.policy.statements import Policy, PolicyKind

QUESTION_MAX = 1_048_576
"""Maximum length of the input, in characters."""

_SIDES: dict[str, PolicyKind] = {
    "trust": "trust",
    "resource": "resource",
    "identity": "identity",
    "boundary": "boundary",
    "session": "session",
}
_LEVELS: dict[str, PolicyKind] = {"scps": "scp", "rcps": "rcp"}
_REQUEST = ("principal", "action", "resource", "resource_account", "context")


def answer(text: str) -> Decision:
    """Parse the input and decide its request. Raises PolicyError, whose `where` is the JSON path in the input."""
    given = members(load_json(text, QUESTION_MAX), "$")
    for name in given:
        if name not in ("request", *_SIDES, *_LEVELS):
            known = ", ".join(("request", *_SIDES, *_LEVELS))
            raise PolicyError(
                f"{shown(name)} is not a known part of the input", do=f"known: {known}", where=member("$", name)
            )
    if "request" not in given:
        raise PolicyError("the input has no request", do='add "request": {"principal": ..., "action": ...}', where="$")
    request = _request(given["request"])
    sides: dict[str, Any] = {
        name: _policies(given[name], kind, f"$.{name}") for name, kind in _SIDES.items() if given.get(name) is not None
    }
    for name, kind in _LEVELS.items():
        if given.get(name) is not None:
            sides[name] = [
                _policies(level, kind, f"$.{name}[{index}]")
                for index, level in enumerate(_list(given[name], f"$.{name}"))
            ]
    return decide(request, **sides)


def _request(value: Any) -> Request:
    where = "$.request"
    given = members(value, where)
    for name in given:
        if name not in _REQUEST:
            known = ", ".join(_REQUEST)
            raise PolicyError(
                f"{shown(name)} is not a known part of a request", do=f"known: {known}", where=member(where, name)
            )
    for name in ("principal", "action"):
        if name not in given:
            raise PolicyError(f"the request has no {name}", do="add it", where=where)
    parts = {name: item for name, item in given.items() if item is not None}
    if "context" in parts:
        parts["context"] = context = members(parts["context"], f"{where}.context")
        for name, item in context.items():
            if isinstance(item, JsonObject):
                at = member(f"{where}.context", name)
                raise PolicyError(
                    "the value of a condition key cannot be an object", do="write a string or a list", where=at
                )
    try:
        return Request(**parts)
    except PolicyError as error:
        place = f"{where}.{error.where}" if error.where else where
        raise PolicyError(error.what, do=error.do, where=place) from None


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list) or isinstance(value, JsonObject):
        raise PolicyError("expected a list", do="write [ ... ]", where=where)
    return value


def _policies(value: Any, kind: PolicyKind, where: str) -> list[Policy]:
    """Parse one policy or a list of policies."""
    if isinstance(value, list) and not isinstance(value, JsonObject):
        return [_policy(item, kind, f"{where}[{index}]") for index, item in enumerate(value)]
    return [_policy(value, kind, where)]


def _policy(value: Any, kind: PolicyKind, where: str) -> Policy:
    return read_policy(load_json(value, DOCUMENT_MAX, where) if isinstance(value, str) else value, kind, where)
