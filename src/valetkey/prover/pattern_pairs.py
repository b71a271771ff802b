"""Two resource patterns: whether one covers the other, and whether they overlap.

`covers` returns False where it is unsure, which is safe; `overlap` is exact. For most pairs the characters before the
first wildcard and after the last decide; the others need len(one) steps, with one bit for each position in the other
pattern.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from valetkey.policy.globs import compiled, has_wildcard, wild

_LITERAL = re.compile(r"\$\{([*?$])\}")
_WILD = re.compile(r"[*?]")


class _Read(NamedTuple):
    """One parsed pattern."""

    head: str
    """The text before the first wildcard."""
    tail: str
    """The text after the last wildcard."""
    plain: bool
    parts: tuple[str, ...]
    open_variable: bool
    """Whether it contains a variable other than an escaped character."""


@lru_cache(maxsize=8192)
def _read(pattern: str) -> _Read:
    first = _WILD.search(pattern)
    last = max(pattern.rfind("*"), pattern.rfind("?"))
    return _Read(
        pattern[: first.start()] if first else pattern,
        pattern[last + 1 :],
        first is None,
        tuple(pattern.split(":", 5)),
        "${" in pattern and "${" in _LITERAL.sub("", pattern),
    )


def covers(wide: str, narrow: str) -> bool:
    """Whether `wide` certainly covers every ARN that `narrow` covers. False is always a safe result."""
    if wide in ("*", narrow):
        return True
    one = _read(wide)
    if "$" not in wide and not narrow.startswith(one.head):
        return False
    if one.open_variable or ("?" in wide and "*" in narrow):
        return False
    parts = _read(narrow).parts
    if len(one.parts) == len(parts) == 6 and all(map(_piece, one.parts, parts)):
        return True
    # A star at the end also matches beyond colons.
    head = wide[:-1]
    return wide.endswith("*") and not set("*?$") & set(head) and narrow.startswith(head)


def _piece(wide: str, narrow: str) -> bool:
    """As `matches`, with the wildcards of `narrow` as plain characters: only a star of `wide` can match them."""
    if wide in ("*", narrow):
        return True
    if "$" in wide and _LITERAL.search(wide):
        return not has_wildcard(narrow) and _LITERAL.sub(r"\1", wide) == narrow
    return _test(wide)(narrow)


@lru_cache(maxsize=8192)
def _test(pattern: str) -> Callable[[str], bool]:
    return compiled(wild(pattern))


class _Places(NamedTuple):
    """A pattern as bit masks: bit i means that the first i characters have been matched. Consecutive stars are one
    star."""

    length: int
    stars: int
    anything: int
    """Positions of `?`, which matches any character."""
    chars: dict[str, int]


@lru_cache(maxsize=8192)
def _places(pattern: str) -> _Places:
    stars = anything = at = 0
    chars: dict[str, int] = {}
    for char in re.sub(r"\*+", "*", pattern):
        if char == "*":
            stars |= 1 << at
        elif char == "?":
            anything |= 1 << at
        else:
            chars[char] = chars.get(char, 0) | 1 << at
        at += 1
    return _Places(at, stars, anything, chars)


def overlap(one: str, other: str) -> bool:
    """Whether some text matches both patterns."""
    mine, theirs = _read(one), _read(other)
    if mine.plain and theirs.plain:
        return one == other
    if not (mine.head.startswith(theirs.head) or theirs.head.startswith(mine.head)):
        return False
    if not (mine.tail.endswith(theirs.tail) or theirs.tail.endswith(mine.tail)):
        return False
    places = _places(other)
    full = (1 << places.length + 1) - 1
    reached = _past(1, places.stars)
    for char in one:
        if char == "*":
            reached = full & ~((reached & -reached) - 1)
        else:
            literal = full if char == "?" else places.chars.get(char, 0) | places.anything
            reached = (reached & literal & ~places.stars) << 1 | reached & places.stars
            reached = _past(reached & full, places.stars)
        if not reached:
            return False
    return bool(reached >> places.length & 1)


def _past(reached: int, stars: int) -> int:
    """Add the positions after stars that match no characters. There are no consecutive stars."""
    return reached | (reached & stars) << 1
