"""The parameters that a stack or stack set passes to its nested template.

Source: CloudFormation User Guide, AWS::CloudFormation::StackSet (Parameters, StackInstancesGroup).
"""

from __future__ import annotations

from typing import Any

from valetkey.account.intrinsics import Resolver
from valetkey.account.loaded import is_list, is_object, pairs
from valetkey.account.place import NOTHING, Unresolved
from valetkey.account.stack_parameters import add_given
from valetkey.policy.policy_json import JsonNumber


def given_parameters(listed: Any, resolver: Resolver) -> dict[str, str | None] | None:
    """Parameter values by name; a value is None if it cannot be resolved. Returns None if some name is unknown."""
    try:
        listed = _chosen(listed, resolver)
        if listed is NOTHING:
            return {}
        if is_object(listed):
            return _together([(key, value) for key, value in pairs(listed)], resolver)
        if not is_list(listed):
            return None
        given: list[tuple[str, Any]] = []
        for item in listed:
            entry = _chosen(item, resolver)
            if entry is NOTHING:
                continue
            if not isinstance(entry, dict) or not isinstance(key := entry.get("ParameterKey"), str | dict):
                return None
            given.append((resolver.text(key, lambda _: None), entry.get("ParameterValue")))
        return _together(given, resolver)
    except Unresolved:
        return None


def every_unknown(template: Any) -> dict[str, str | None]:
    """The declared parameters of a template, all with unknown values."""
    sections = [value for key, value in pairs(template) if key == "Parameters"] if is_object(template) else []
    return {name: None for section in sections if is_object(section) for name, _ in pairs(section)}


def has_overrides(groups: Any, resolver: Resolver) -> bool:
    """Whether a stack set may pass different parameters to some of its accounts. True if unknown."""
    try:
        groups = _chosen(groups, resolver)
    except Unresolved:
        return True
    if is_list(groups):
        return any(has_overrides(group, resolver) for group in groups)
    if groups is NOTHING:
        return False
    return not is_object(groups) or "ParameterOverrides" in dict(pairs(groups))


def _chosen(value: Any, resolver: Resolver) -> Any:
    """Evaluate a value if it is an intrinsic function; otherwise return it. Raises Unresolved."""
    keys = [key for key, _ in pairs(value)] if is_object(value) else []
    if not any(key == "Ref" or key.startswith("Fn::") for key in keys):
        return value
    if len(keys) > 1:
        raise Unresolved("a function stands beside other keys")
    return resolver.value(value, lambda _: None)


def _together(given: list[tuple[str, Any]], resolver: Resolver) -> dict[str, str | None]:
    result: dict[str, str | None] = {}
    for key, value in given:
        try:
            text = resolver.value(value, lambda _: None)
        except Unresolved:
            text = None
        text = text.text if isinstance(text, JsonNumber) else text
        add_given(result, key, text if isinstance(text, str) else None)
    return result
