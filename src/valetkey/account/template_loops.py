"""Expand the `Fn::ForEach` loops of AWS::LanguageExtensions.

Source: CloudFormation User Guide, intrinsic-function-reference-foreach: "Fn::ForEach::Name": [Identifier, Collection,
{OutputKey: OutputValue}]; `${Identifier}` is replaced by the value, `&{Identifier}` by its letters and digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from valetkey.account.loaded import is_list, is_object, pairs
from valetkey.account.place import Unresolved
from valetkey.policy.policy_json import JsonObject

LOOP_VALUES_MAX = 200_000
"""Values that one `Loops` may produce."""
_PREFIX = "Fn::ForEach::"


class Loops:
    """Expands loops within one budget. `collection` resolves the list of a loop, or raises Unresolved."""

    def __init__(self, collection: Callable[[Any], Any]) -> None:
        self._collection = collection
        self._left = LOOP_VALUES_MAX

    def expanded(self, value: Any) -> Any:
        """Expand every loop in a value. Raises Unresolved."""
        return self._expanded(value, {})

    def _expanded(self, value: Any, names: Mapping[str, str]) -> Any:
        self._left -= 1
        if self._left < 0:
            raise Unresolved("the loops of the template produce too much")
        if is_list(value):
            return [self._expanded(item, names) for item in value]
        if is_object(value):
            if names and len(value) == 1:
                key, given = next(iter(pairs(value)))
                if key == "Ref" and isinstance(given, str) and given in names:
                    return names[given]
            made = self._pairs(value, names)
            plain = dict(made)
            return plain if len(plain) == len(made) else JsonObject(made)
        return _put(value, names) if names and isinstance(value, str) else value

    def _pairs(self, value: dict[str, Any] | JsonObject, names: Mapping[str, str]) -> list[tuple[str, Any]]:
        made: list[tuple[str, Any]] = []
        for key, item in pairs(value):
            if key.startswith(_PREFIX):
                made += self._loop(item, names)
            else:
                made.append((_put(key, names), self._expanded(item, names)))
        return made

    def _loop(self, given: Any, names: Mapping[str, str]) -> list[tuple[str, Any]]:
        match given:
            case [str(name), collection, dict(body)]:
                elements = self._collection(self._expanded(collection, names))
                if not is_list(elements) or not all(isinstance(item, str) for item in elements):
                    raise Unresolved("Fn::ForEach needs a list of strings")
                made: list[tuple[str, Any]] = []
                for item in elements:
                    made += self._pairs(body, {**names, name: item})
                return made
        raise Unresolved("Fn::ForEach needs a name, a list and an object")


def _put(text: str, names: Mapping[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(f"${{{name}}}", value).replace(f"&{{{name}}}", re.sub("[^A-Za-z0-9]", "", value))
    return text


def has_loops(template: Mapping[str, Any]) -> bool:
    """Whether a template contains a loop in its resources or conditions."""
    left = [template.get("Resources"), template.get("Conditions")]
    while left:
        item: Any = left.pop()
        if is_object(item):
            for key, value in pairs(item):
                if key.startswith(_PREFIX):
                    return True
                left.append(value)
        elif is_list(item):
            left += item
    return False
