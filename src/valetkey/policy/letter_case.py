"""Texts compared without case, as `StringEqualsIgnoreCase` does it.

AWS documents "ignoring case" and no more (reference_policies_elements_condition_operators). Of A to Z there is one
meaning. Of other letters there are several: Unicode folds the Kelvin sign (U+212A) to k and the long s (U+017F) to s,
`str.lower` in Python does the first and not the second, and others do neither. So two texts are equal, different, or
`alike`: equal by some way of ignoring case and not by A to Z alone.
"""

from __future__ import annotations

from collections.abc import Iterator

_A_TO_Z = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def fold(text: str) -> str:
    """The text with A to Z in lower case, and nothing else changed."""
    return text.lower() if text.isascii() else text.translate(_A_TO_Z)


def loose(text: str) -> str:
    """The same for all texts that some way of ignoring case (lower, upper, title or folded case) may call equal."""
    if text.isascii():
        return text.lower()
    return text.replace("\u0130", "i").upper().casefold().replace("i\u0307", "i")


ODD = {"k": "\u212a", "s": "\u017f", "i": "\u0131\u0130"}
"""Letters that are not ASCII and `loose` makes an ASCII letter of, by that letter."""
LIGATURES = {
    "ss": "\u00df\u1e9e",
    "ffi": "\ufb03",
    "ffl": "\ufb04",
    "ff": "\ufb00",
    "fi": "\ufb01",
    "fl": "\ufb02",
    "st": "\ufb05\ufb06",
}
"""Letters that `loose` makes several ASCII letters of, by those."""


def spellings(text: str) -> Iterator[str]:
    """Texts that are alike to `text` and not equal to it, each with one letter spelt otherwise. None when every text
    that is not equal is different."""
    letters = text.lower()
    for place in range(len(letters)):
        for plain, odd in (*ODD.items(), *LIGATURES.items()):
            if letters.startswith(plain, place) and len(letters) == len(text):
                yield from (text[:place] + char + text[place + len(plain) :] for char in odd)
        char = text[place : place + 1]
        if not char.isascii():
            yield from (
                text[:place] + other + text[place + 1 :]
                for other in dict.fromkeys((char.lower(), char.upper(), char.casefold()))
                if other != char
            )
