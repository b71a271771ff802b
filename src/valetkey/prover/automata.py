"""The automaton of a set of patterns: which patterns can match the same text, with one text for every combination.

A policy cannot distinguish two texts that match exactly the same patterns. So the infinitely many values of a condition
key fall into few equivalence classes. A breadth-first search of the automaton (a bit set with one bit for each position
in each pattern) finds a shortest text of every nonempty class. The evaluator and this module share no code: they are
checked against each other.

INVARIANT: too many states is `TooMany`, never a shorter list.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from valetkey.catalog.text_forms import Form, Where
from valetkey.policy.globs import ANY, STAR
from valetkey.policy.letter_case import fold


class TooMany(Exception):
    """There are more equivalence classes, or states, than the limit. The text says of what."""


PatternScope = Literal["whole", "arn", "name"]
"""What a pattern is matched with: the whole text; an ARN part by part, so that wildcards of the first five parts cross
no colon; or the part after the last slash."""


class Glob(NamedTuple):
    """One pattern; `text` contains STAR and ANY for the wildcards."""

    text: str
    scope: PatternScope = "whole"
    fold: bool = False
    """Whether the case of A to Z is ignored."""

    @property
    def plain(self) -> bool:
        """Whether it matches only one text."""
        return STAR not in self.text and ANY not in self.text and not self.fold

    def fits(self, text: str) -> bool:
        """Whether the pattern matches this one text (the automaton is for all texts)."""
        if self.scope == "name":
            text = text.rsplit("/", 1)[-1]
        if self.fold:
            return fold(text) == fold(self.text)
        if self.scope == "arn" and self.text != STAR:
            wanted, have = self.text.split(":", 5), text.split(":", 5)
            return len(wanted) == len(have) == 6 and all(map(_fits, wanted, have))
        return _fits(self.text, text)


def _fits(pattern: str, text: str) -> bool:
    """Match with two pointers; backtracks to the latest star only."""
    if STAR not in pattern and ANY not in pattern:
        return pattern == text
    if pattern[-1] == STAR and STAR not in pattern[:-1] and ANY not in pattern:
        return text.startswith(pattern[:-1])
    star = -1
    at = place = mark = 0
    while place < len(text):
        if at < len(pattern) and pattern[at] == STAR:
            star, mark = at, place
            at += 1
        elif at < len(pattern) and pattern[at] in (ANY, text[place]):
            at += 1
            place += 1
        elif star >= 0:
            mark += 1
            at, place = star + 1, mark
        else:
            return False
    return not pattern[at:].strip(STAR)


@dataclass
class _Walk:
    """A set of patterns as one automaton. Each pattern has its own range of bits; bit i of that range in a state means
    that the first i characters of the pattern (stars not counted) have been matched."""

    globs: Sequence[Glob]
    first: int = 0
    accept: int = 0
    loops: int = 0
    loops_in_part: int = 0
    any_char: int = 0
    any_in_part: int = 0
    by_name: int = 0
    name_start: int = 0
    match: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        at = 0
        for glob in self.globs:
            at = self._add(glob, at)

    def _add(self, glob: Glob, at: int) -> int:
        begin, part = at, 0
        in_parts = glob.scope == "arn" and glob.text != STAR
        self.first |= 1 << at
        for char in glob.text:
            inside = in_parts and part < 5
            if char == STAR:
                if inside:
                    self.loops_in_part |= 1 << at
                else:
                    self.loops |= 1 << at
                continue
            if char == ANY:
                if inside:
                    self.any_in_part |= 1 << at
                else:
                    self.any_char |= 1 << at
            else:
                for item in {char, char.lower(), char.upper()} if glob.fold and char.isascii() else (char,):
                    self.match[item] = self.match.get(item, 0) | 1 << at
            part += char == ":"
            at += 1
        self.accept |= 1 << at
        if glob.scope == "name":
            self.name_start |= 1 << begin
            self.by_name |= ((1 << at + 1) - 1) ^ ((1 << begin) - 1)
        return at + 1

    def step(self, state: int, char: str) -> int:
        takes = self.match.get(char, 0) | self.any_char
        loops = self.loops
        if char != ":":
            takes |= self.any_in_part
            loops |= self.loops_in_part
        state = (state & takes) << 1 | (state & loops)
        return state if char != "/" else (state & ~self.by_name) | self.name_start


def texts(
    globs: Iterable[Glob],
    form: Form,
    *,
    avoid: frozenset[str] = frozenset(),
    most: int = 5000,
    prefix: str = "",
    check: Callable[[], None] = lambda: None,
) -> list[str]:
    """One well-formed text of every equivalence class under the patterns, a shortest one or one of the form's likely
    texts. No text is in `avoid`; classes with no other text are left out. The patterns match `prefix` plus the text.
    Raises TooMany over `most` states, and what `check` raises, which is called regularly."""
    walk = _Walk(tuple(dict.fromkeys(globs)))
    for char in prefix:
        walk.first = walk.step(walk.first, char)
    result: dict[int, str] = {}
    if not walk.globs:
        simple = next((text for text in form.likely if text not in avoid and form.holds(text)), None)
        if simple is not None:
            return [simple]
    missed = _search(walk, form, avoid, result, most, check, visits=1)
    if missed - result.keys():
        # The shortest text of a class is in `avoid`: search for as many more texts as `avoid` has.
        _search(walk, form, avoid, result, most * 4, check, visits=len(avoid) + 1)
    for text in reversed(form.likely):
        state = walk.first
        for char in text:
            state = walk.step(state, char)
        if state & walk.accept in result and text not in avoid and form.holds(text):
            result[state & walk.accept] = text
    return list(dict.fromkeys(result.values()))


def _search(
    walk: _Walk,
    form: Form,
    avoid: frozenset[str],
    result: dict[int, str],
    most: int,
    check: Callable[[], None],
    visits: int,
) -> set[int]:
    """Fill `result`. Returns the classes in which a text of `avoid` was found."""
    alphabet = list(_alphabet(walk, form, "".join(avoid) if visits > 1 else ""))
    missed: set[int] = set()
    seen: dict[tuple[int, Where], int] = {(walk.first, form.start): 1}
    queue: deque[tuple[int, Where, str]] = deque([(walk.first, form.start, "")])
    steps = 0
    while queue:
        steps += 1
        if not steps & 255:
            check()
        state, where, text = queue.popleft()
        if form.ends(where):
            vector = state & walk.accept
            if text in avoid:
                missed.add(vector)
            elif not result.get(vector):  # the empty text only if the class has no other
                result[vector] = text
        if len(text) >= form.longest:
            continue
        for char in alphabet:
            there = form.step(where, char)
            if there is None:
                continue
            key = (walk.step(state, char), there)
            count = seen.get(key, 0)
            if count < visits:
                seen[key] = count + 1
                queue.append((*key, text + char))
        if len(seen) > most or len(queue) > 4 * most:
            raise TooMany(f"{len(walk.globs)} patterns cut out more than {most:,} kinds of text")
    return missed


def _alphabet(walk: _Walk, form: Form, more: str) -> Iterator[str]:
    """Yield one character of each class that the patterns distinguish, and one that they do not name, for each group of
    the form."""
    for group in form.groups():
        kinds: set[int] = set()
        rest = ""
        for char in group:
            if char in more or char in ":/":  # colons and slashes separate the parts of an ARN and of a path
                yield char
            elif (mask := walk.match.get(char, 0)) == 0:
                rest = rest or char
            elif mask not in kinds:
                kinds.add(mask)
                yield char
        if rest:
            yield rest
