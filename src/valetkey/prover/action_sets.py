"""Sets of actions as bit masks: the actions that AWS lists, and those of the catalogue that it does not list (yet)."""

from __future__ import annotations

import re
from functools import lru_cache

from valetkey.catalog.actions import every_level, expand, level
from valetkey.catalog.outliving_credentials import UNLISTED
from valetkey.policy.globs import compiled, wild

LEVELS = ("List", "Read", "Tagging", "Write", "Permissions management")

_UNLISTED = frozenset(action.lower() for action in UNLISTED)


@lru_cache(maxsize=1024)
def covered(patterns: tuple[str, ...], negated: bool) -> int:
    if not patterns:
        return everything() if negated else 0
    numbers = index()
    marks = bytearray(len(numbers) // 8 + 1)
    named = [action.lower() for pattern in patterns for action in expand(pattern)]
    fits = [compiled(wild(pattern.lower())) for pattern in patterns]
    named += [action for action in _UNLISTED if any(fit(action) for fit in fits)]
    for action in named:
        number = numbers[action]
        marks[number >> 3] |= 1 << (number & 7)
    covered = int.from_bytes(marks, "little")
    return everything() & ~covered if negated else covered


@lru_cache(maxsize=1)
def index() -> dict[str, int]:
    """The bit number of every known action (lower-cased), from 1."""
    listed = dict.fromkeys(action.lower() for action in expand("*"))
    return {action: number for number, action in enumerate([*listed, *sorted(_UNLISTED - listed.keys())], 1)}


@lru_cache(maxsize=1024)
def numbered(actions: tuple[str, ...]) -> tuple[int, dict[str, int]]:
    """The bit mask of some actions, and the bit number of each. Actions that are not in `index` are left out."""
    numbers = {action: index()[action.lower()] for action in actions if action.lower() in index()}
    return sum(1 << number for number in set(numbers.values())), numbers


@lru_cache(maxsize=1)
def _of_level() -> dict[str, int]:
    """The bit mask of the actions of each access level."""
    marks = {name: bytearray(len(index()) // 8 + 1) for name in LEVELS}
    given = every_level()
    for action, number in index().items():
        marks[given.get(action) or "Write"][number >> 3] |= 1 << (number & 7)
    return {name: int.from_bytes(item, "little") for name, item in marks.items()}


@lru_cache(maxsize=1)
def listed_by_aws() -> int:
    return everything() & ~sum(1 << index()[item] for item in _UNLISTED)


@lru_cache(maxsize=1)
def everything() -> int:
    return (1 << len(index()) + 1) - 2


_FEW = 1_500


@lru_cache(maxsize=1024)
def levels(actions: int) -> dict[str, int]:
    """The number of these actions with each access level. An action without one counts as "Write"."""
    if actions.bit_count() > _FEW:
        return {name: (actions & those).bit_count() for name, those in _of_level().items()}
    names, result = _names(), dict.fromkeys(LEVELS, 0)
    for place in re.finditer("1", f"{actions:b}"[::-1]):
        result[level(names[place.start()]) or "Write"] += 1
    return result


@lru_cache(maxsize=1)
def _names() -> tuple[str, ...]:
    return ("", *index())
