"""The values of a stack's parameters, in every format that AWS accepts or returns.

- `create-stack --parameters`, `deploy --parameter-overrides` (AWS CLI): [{"ParameterKey": .., "ParameterValue": ..}],
  or ["Name=value"]
- CodePipeline's template configuration file, and `deploy --parameter-overrides`: {"Parameters": {"Name": "value"}}
- `create-stack --cli-input-json`, and the output of `describe-stacks`: "Parameters" as a list
- the stack deployment file of CloudFormation's Git sync: `parameters` (YAML or JSON)

Sources: AWS CLI reference, cloudformation create-stack and deploy; CloudFormation User Guide,
continuous-delivery-codepipeline-cfn-artifacts and git-sync-concepts-terms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from valetkey.account.loaded import SourceError, is_list, is_object, pairs
from valetkey.policy.policy_json import JsonNumber, member


def stack_parameters(loaded: Any, name: str) -> dict[str, str | None] | None:
    """The values by name (None: unknown); None instead of a dict where the file contains no parameters.

    Raises SourceError with the place.
    """
    if is_list(loaded):
        if not loaded or not all(isinstance(item, str) or _is_parameter(item) for item in loaded[:1]):
            return None
        return _listed(loaded, name, "$")
    if not is_object(loaded):
        return None
    members = dict(pairs(loaded))
    if "Resources" in members:
        return None
    parts: list[tuple[Any, str]] = []
    if is_list(stacks := members.get("Stacks")):
        for number, stack in enumerate(stacks or []):
            where = f"$.Stacks[{number}]"
            inner = _once(stack, name, where).get("Parameters", []) if is_object(stack) else []
            parts.append((inner, f"{where}.Parameters"))
    if "Parameters" in members:
        parts.append((members["Parameters"], "$.Parameters"))
    # Many other tools' files have this key too, with other content.
    given = members.get("parameters")
    if is_object(given) and all(isinstance(item, str | bool | JsonNumber) for _, item in pairs(given or {})):
        parts.append((given, "$.parameters"))
    if not parts and not is_list(stacks):
        return None
    _once(loaded, name, "$")
    every: dict[str, str | None] = {}
    for part, where in parts:
        every = both(every, _given(part, name, where))
    return every


def both(one: Mapping[str, str | None], other: Mapping[str, str | None]) -> dict[str, str | None]:
    """Merge two sets of values. INVARIANT: a name with two different values becomes unknown (None)."""
    return {**one, **{key: value if one.get(key, value) == value else None for key, value in other.items()}}


def add_given(values: dict[str, str | None], key: str, value: str | None) -> None:
    """Add one value to `values`; None if it contains another value for the key, as in `both`."""
    values[key] = value if values.get(key, value) == value else None


def _once(value: Any, name: str, where: str) -> dict[str, Any]:
    """The members of an object. Raises SourceError for a duplicate key."""
    result = dict(pairs(value))
    if len(result) != len(value):
        raise SourceError(
            "a key is given twice: it is unknown which of the two applies", do="give it once", where=f"{name}: {where}"
        )
    return result


def _is_parameter(value: Any) -> bool:
    return is_object(value) and "ParameterKey" in dict(pairs(value))


def _given(value: Any, name: str, where: str) -> dict[str, str | None]:
    if is_list(value):
        return _listed(value, name, where)
    if not is_object(value):
        raise _wrong(name, where)
    result: dict[str, str | None] = {}
    for key, item in pairs(value):
        add_given(result, key, _text(item, name, member(where, key)))
    return result


def _listed(values: list[Any], name: str, where: str) -> dict[str, str | None]:
    result: dict[str, str | None] = {}
    for number, item in enumerate(values):
        place = f"{where}[{number}]"
        if isinstance(item, str):
            key, equals, value = item.partition("=")
            if not equals:
                raise _wrong(name, place)
            add_given(result, key, value)
            continue
        entry = _once(item, name, place) if is_object(item) else {}
        if not isinstance(entry.get("ParameterKey"), str):
            raise _wrong(name, f"{place}.ParameterKey")
        # Without a value the one that the stack has is kept (UsePreviousValue), which valetkey does not know.
        keeps = entry.get("UsePreviousValue") in (True, "true")
        given = None if keeps else entry.get("ResolvedValue", entry.get("ParameterValue"))
        text = None if given is None else _text(given, name, f"{place}.ParameterValue")
        add_given(result, entry["ParameterKey"], text)
    return result


def _text(value: Any, name: str, where: str) -> str:
    if isinstance(value, JsonNumber):
        return value.text
    if isinstance(value, bool):
        return str(value).lower()
    if is_list(value):
        return ",".join(_text(item, name, where) for item in value)
    if not isinstance(value, str):
        raise _wrong(name, where)
    return value


def _wrong(name: str, where: str) -> SourceError:
    return SourceError(
        f"{name} does not hold parameters of a stack: a name and a string are expected here",
        do='write [{"ParameterKey": "Name", "ParameterValue": "text"}] or {"Parameters": {"Name": "text"}}',
        where=f"{name}: {where}",
    )
