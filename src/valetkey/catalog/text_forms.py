"""The well-formed values of a condition key: which characters, in which order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple


class Stage(NamedTuple):
    """A run of characters in a Form."""

    chars: str
    least: int = 0
    most: int | None = None
    """None: no limit."""


Where = tuple[int, int]
"""The position of a text in its Form: the stage (in a path: whether the text may end in this segment), and a count."""


@dataclass(frozen=True)
class Form:
    """The well-formed values of a key: a sequence of runs of characters. Each run ends where the next begins."""

    stages: tuple[Stage, ...]
    longest: int = 2048
    """Characters in total."""
    likely: tuple[str, ...] = ()
    """Readable values. They represent an equivalence class that contains them."""
    start: Where = (0, 0)

    def step(self, where: Where, char: str) -> Where | None:
        """Return the position after one more character, or None if no well-formed text continues like this."""
        at, count = where
        chars, least, most = self.stages[at]
        if char in chars and (most is None or count < most):
            return at, min(count + 1, least if most is None else most)
        if count < least:
            return None
        for later in range(at + 1, len(self.stages)):
            chars, least, most = self.stages[later]
            if char in chars and (most is None or most):
                return later, min(1, least if most is None else most)
            if least:
                return None
        return None

    def ends(self, where: Where) -> bool:
        """Return whether a text may end at this position."""
        at, count = where
        return count >= self.stages[at].least and not any(stage.least for stage in self.stages[at + 1 :])

    def groups(self) -> tuple[str, ...]:
        """Return the characters, grouped by equal treatment in the form; readable ones first."""
        return _groups(tuple(stage.chars for stage in self.stages))

    def holds(self, text: str) -> bool:
        """Return whether the text is well-formed."""
        where: Where | None = self.start
        for char in text:
            where = where and self.step(where, char)
            if where is None:
                return False
        return where is not None and len(text) <= self.longest and self.ends(where)


@lru_cache(maxsize=64)
def _groups(alphabets: tuple[str, ...]) -> tuple[str, ...]:
    result: dict[tuple[bool, ...], str] = {}
    for char in dict.fromkeys("".join(alphabets)):
        key = tuple(char in chars for chars in alphabets)
        result[key] = result.get(key, "") + char
    return tuple(result.values())


@dataclass(frozen=True)
class PathForm(Form):
    """The part of an ARN after `user/` or `role/`: a path of any segments, then a name (API reference, CreateRole)."""

    name: str = ""
    """The characters of a name."""

    def step(self, where: Where, char: str) -> Where | None:
        if char == "/":
            return 1, 0
        if char not in self.stages[0].chars:
            return None
        named, count = where
        return (1, 1) if named and char in self.name else (0, min(count + 1, 1))

    def ends(self, where: Where) -> bool:
        return where == (1, 1)

    def groups(self) -> tuple[str, ...]:
        rest = "".join(char for char in self.stages[0].chars if char not in self.name and char != "/")
        return (self.name, "/", rest)
