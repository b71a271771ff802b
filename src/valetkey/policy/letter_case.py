"""Case-insensitive comparison, for `StringEqualsIgnoreCase`.

AWS documents only "ignoring case" (reference_policies_elements_condition_operators). For A to Z this has one meaning.
For other letters it has several: Unicode folds the Kelvin sign (U+212A) to k and the long s (U+017F) to s,
`str.lower` in Python does only the first, and other methods do neither. So two texts are equal, different, or
`alike`: equal under some case folding, but not under that of A to Z alone.
"""

from __future__ import annotations

from collections.abc import Iterator

_A_TO_Z = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def fold(text: str) -> str:
    """The text with only A to Z lower-cased."""
    return text.lower() if text.isascii() else text.translate(_A_TO_Z)


def loose(text: str) -> str:
    """A key that is equal for all texts that some case folding (lower, upper, title or folded case) makes equal."""
    if text.isascii():
        return text.lower()
    return text.replace("\u0130", "i").upper().casefold().replace("i\u0307", "i")


ODD = {"k": "\u212a", "s": "\u017f", "i": "\u0131\u0130"}
"""Non-ASCII letters that `loose` maps to one ASCII letter, by that letter."""
LIGATURES = {
    "ss": "\u00df\u1e9e",
    "ffi": "\ufb03",
    "ffl": "\ufb04",
    "ff": "\ufb00",
    "fi": "\ufb01",
    "fl": "\ufb02",
    "st": "\ufb05\ufb06",
}
"""Letters that `loose` maps to several ASCII letters, by those letters."""


def spellings(text: str) -> Iterator[str]:
    """Yield texts that are `alike` but not equal to `text`, each with one letter replaced. Yields nothing when every
    unequal text is different."""
    letters = text.lower()
    for place in range(len(letters)):
        for plain, odd in (*ODD.items(), *LIGATURES.items()):
            if letters.startswith(plain, place) and len(letters) == len(text):
                yield from (text[:place] + char + text[place + len(plain) :] for char in odd)
        char = text[place : place + 1]
        if not char.isascii():
            yield from (
                text[:place] + item + text[place + 1 :]
                for item in dict.fromkeys((char.lower(), char.upper(), char.casefold()))
                if item != char
            )
