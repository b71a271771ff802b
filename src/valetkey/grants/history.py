"""The last changes of a grant, in words, as tags on its role: `valetkey:change:1` is the newest.

A value is `TIME CALLER WORDS`: the time, the caller (without the account, which is the role's own), and field, old and
new value of everything that was changed. A tag holds 256 characters of a limited set (IAM API reference, Tag): longer
text is cut, and other characters become `_`. It is a note for people: no decision uses it, except that `activity` marks
calls by the suspensions in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from valetkey.catalog import limits
from valetkey.trust.record import CHANGES, PREFIX, instant

_LONGEST = 256
_CUT = " ..."


@dataclass(frozen=True)
class Change:
    """One change, as the role's tag describes it."""

    at: str
    """A time like "2026-11-29T12:00:00Z"; anyone who can tag the role can write any text."""
    by: str
    what: str

    def names(self, word: str) -> bool:
        """Return whether the change concerns an item of this name, or may: it is unknown for a line that was cut."""
        return word in self.what.split(" ") or self.what.endswith(_CUT)


def entry(what: str, *, at: datetime, caller: str) -> str:
    """Return the value of a tag. `caller` is an ARN."""
    who = caller.split(":", 5)[-1]
    text = "".join(item if _fits(item) else "_" for item in f"{instant(at)} {who} {what}")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - len(_CUT)]}{_CUT}"


def pushed(entries: Sequence[str], newest: str) -> dict[str, str]:
    """Return the tags with one more entry; the oldest is dropped."""
    kept = (newest, *entries)[:CHANGES]
    return {f"{PREFIX}change:{number}": item for number, item in enumerate(kept, 1)}


def read(entries: Sequence[str]) -> tuple[Change, ...]:
    """Return the changes, newest first."""
    return tuple(Change(*(*text.split(" ", 2), "", "")[:3]) for text in entries)


def is_change(key: str) -> bool:
    """Return whether a tag belongs to the history."""
    return re.fullmatch(rf"{PREFIX}change:[1-9]", key) is not None


def _fits(sign: str) -> bool:
    try:
        limits.check("tag value", sign)
    except limits.LimitError:
        return False
    return True
