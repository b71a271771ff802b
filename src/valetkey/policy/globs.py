"""IAM wildcards: `*` matches any sequence of characters, `?` any one character, newlines included.

No pattern becomes a regular expression: a trust policy can be hostile, and `*a*a*a*b` makes a backtracking engine
run for minutes. Matching here does not backtrack, so the time is at most len(pattern) x len(text). The piece between
two stars is found by `str.find`, or with a bit mask when it contains `?`.

Inside this room the two wildcards are STAR and ANY, two lone surrogates, so that a `*` from the value of a policy
variable stays a plain character.
INVARIANT: no document and no request holds a lone surrogate; `parse_policy` and `Request` reject them.
"""

from __future__ import annotations

from collections.abc import Callable

STAR = "\udc2a"
ANY = "\udc3f"


def has_wildcard(pattern: str) -> bool:
    """Whether the pattern contains `*` or `?`."""
    return "*" in pattern or "?" in pattern


def wild(pattern: str) -> str:
    """Convert the `*` and `?` of a pattern from a document to STAR and ANY."""
    return pattern.replace("*", STAR).replace("?", ANY)


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text matches the pattern. Case-sensitive."""
    return compiled(wild(pattern))(text)


def compiled(pattern: str) -> Callable[[str], bool]:
    """Compile a pattern with STAR and ANY to a test. The usual shapes cost one string method call."""
    if STAR not in pattern and ANY not in pattern:
        return pattern.__eq__
    if not pattern.strip(STAR):
        return lambda text: True
    pieces = pattern.split(STAR)
    if len(pieces) == 1:
        return lambda text: len(text) == len(pattern) and _fits(pattern, text, 0)
    first, *between, last = pieces
    least = sum(map(len, pieces))
    if ANY not in pattern and len(pieces) == 2:
        if not last:
            return lambda text: text.startswith(first)
        return lambda text: len(text) >= least and text.startswith(first) and text.endswith(last)
    middle = [piece for piece in between if piece]

    def test(text: str) -> bool:
        end = len(text) - len(last)
        if len(text) < least or not _fits(first, text, 0) or not _fits(last, text, end):
            return False
        at = len(first)
        for piece in middle:
            at = _find(piece, text, at, end)
            if at < 0:
                return False
            at += len(piece)
        return True

    return test


def _fits(piece: str, text: str, at: int) -> bool:
    """Whether a piece without `*` matches the text at this position."""
    if ANY not in piece:
        return text.startswith(piece, at)
    return at + len(piece) <= len(text) and all(
        want in (ANY, have) for want, have in zip(piece, text[at : at + len(piece)], strict=True)
    )


def _find(piece: str, text: str, at: int, end: int) -> int:
    """The first position of a piece without `*` between `at` and `end`, or -1."""
    if ANY not in piece:
        return text.find(piece, at, end)
    places = end - at - len(piece) + 1  # none is left where this is below 1
    if len(piece) * places <= _SMALL:
        return next((place for place in range(at, at + places) if _fits(piece, text, place)), -1)
    # One bit for each position that is still possible, one shift and one AND for each character of the piece. This
    # handles 64 positions at a time; trying them one by one takes minutes on a hostile pair.
    window = text[at:end]
    alive = (1 << places) - 1
    where: dict[str, int] = {}
    for offset, char in enumerate(piece):
        if char == ANY:
            continue
        if char not in where:
            where[char] = int("".join("1" if have == char else "0" for have in reversed(window)), 2)
        alive &= where[char] >> offset
        if not alive:
            return -1
    return at + (alive & -alive).bit_length() - 1


_SMALL = 4096
