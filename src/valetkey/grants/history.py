"""The last changes of a grant, in words, as tags on its role: `valetkey:change:1` is the newest.

A value is `TIME CALLER WORDS`: when, who called (without the account, which is the role's own), and field, old and new
value of everything that was changed. A tag takes 256 characters and few signs (IAM API reference, Tag): what does not
fit is cut, and a sign that a tag cannot hold becomes `_`. It is a note for people; nothing is decided by it, and
`activity` marks calls by the suspensions in it.
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
    """One change as the role tells it."""

    at: str
    """ "2026-11-29T12:00:00Z"; whoever may tag the role may have written any text."""
    by: str
    what: str

    def names(self, word: str) -> bool:
        """Whether the change is about something of this name, or may be: a line that was cut does not tell."""
        return word in self.what.split(" ") or self.what.endswith(_CUT)


def entry(what: str, *, at: datetime, caller: str) -> str:
    """The value of a tag. `caller` is an ARN."""
    who = caller.split(":", 5)[-1]
    text = "".join(each if _fits(each) else "_" for each in f"{instant(at)} {who} {what}")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - len(_CUT)]}{_CUT}"


def pushed(entries: Sequence[str], newest: str) -> dict[str, str]:
    """The tags with one more entry: the oldest is dropped."""
    kept = (newest, *entries)[:CHANGES]
    return {f"{PREFIX}change:{number}": each for number, each in enumerate(kept, 1)}


def read(entries: Sequence[str]) -> tuple[Change, ...]:
    """The changes, the newest first."""
    return tuple(Change(*(*text.split(" ", 2), "", "")[:3]) for text in entries)


def is_change(key: str) -> bool:
    """Whether a tag is one of the history's."""
    return re.fullmatch(rf"{PREFIX}change:[1-9]", key) is not None


def _fits(sign: str) -> bool:
    try:
        limits.check("tag value", sign)
    except limits.LimitError:
        return False
    return True
