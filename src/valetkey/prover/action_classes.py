"""The equivalence classes of actions under a set of Action elements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from valetkey.catalog.actions import every, expand
from valetkey.policy.globs import has_wildcard, wild
from valetkey.prover.automata import Glob


@lru_cache(maxsize=512)
def _covered(patterns: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """The listed actions that an Action element covers, and one action for each of its patterns that covers none of
    them: the action itself, or one that matches."""
    listed: set[str] = set()
    beyond: set[str] = set()
    for spelt in dict.fromkeys(patterns):
        pattern = spelt.lower()
        known = (every()[pattern],) if pattern in every() else expand(pattern) if has_wildcard(pattern) else ()
        listed.update(known)
        if not known:
            text = spelt.replace("*", "Unlisted").replace("?", "x")
            beyond.add(text if ":" in text else "")
    return frozenset(listed), frozenset(beyond - {""})


def classes(
    elements: Sequence[tuple[str, ...]], apart: Sequence[str], *, only: bool
) -> tuple[list[str], dict[tuple[str, ...], int]]:
    """The first action of every equivalence class under the Action elements, and for each element a bit mask of the
    classes that it covers.

    Each action of `apart` is a separate class; with `only` there are no others. Otherwise the universe is the actions
    that AWS lists, and those that an element names and AWS does not list (yet). Actions of KMS are in separate classes,
    because a key's policy must allow them.
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
    result: dict[tuple[int, str], str] = {}
    for action in apart if only else (*named, *every().values()):
        kind = action if action in apart else action[:4] * action.startswith("kms:")
        result.setdefault((rows.get(action, 0), kind), action)
    covered = {
        element: sum(1 << bit for bit, (row, _) in enumerate(result) if row >> place & 1)
        for place, element in enumerate(elements)
    }
    return list(result.values()), covered


def _fits(patterns: Sequence[str]) -> Callable[[str], bool]:
    lowered = [pattern.lower() for pattern in patterns]
    plain = frozenset(pattern for pattern in lowered if not has_wildcard(pattern))
    globs = [Glob(wild(pattern)) for pattern in lowered if has_wildcard(pattern)]
    return lambda action: action in plain or any(glob.fits(action) for glob in globs)
