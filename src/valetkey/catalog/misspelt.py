"""Actions in policies that AWS does not list, each with the nearest listed one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from valetkey.catalog.actions import every, expand, listed


def unlisted(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a sentence for each Action or NotAction of a policy document that matches no listed action. IAM accepts
    such a policy silently, but no listed action matches the element."""
    return tuple(dict.fromkeys(_said(action) for action in _actions(document) if not is_listed(action)))


def _actions(document: Mapping[str, Any]) -> Iterator[str]:
    statements = document.get("Statement", ())
    for statement in statements if isinstance(statements, list) else [statements]:
        if isinstance(statement, Mapping):
            for key in ("Action", "NotAction"):
                yield from _texts(statement.get(key, ()))


def _texts(value: Any) -> Iterable[str]:
    given = [value] if isinstance(value, str) else value
    return [item for item in given if isinstance(item, str)]


def is_listed(action: str) -> bool:
    """Whether an Action element's pattern covers an action that AWS lists."""
    if "*" in action or "?" in action:
        return bool(expand(action))
    return listed(action) is not None


def _said(action: str) -> str:
    if "*" in action or "?" in action:
        return f"{action} covers no action that AWS lists"
    near = difflib.get_close_matches(action.lower(), _near(action), n=1, cutoff=0.7)
    meant = f": did you mean {every()[near[0]]}?" if near else ""
    return f"{action} is not an action that AWS lists{meant}"


def _near(action: str) -> Iterable[str]:
    """Return the actions of the same service; all actions if there is no such service."""
    service = action.lower().partition(":")[0]
    return [item for item in every() if item.startswith(f"{service}:")] or every()
