"""What is derived from a field of the terms: its row, and how rows are said, printed as JSON and handed over.

The fields themselves are in `trust.terms`: each is made with `term`, and says there its option, its help and its words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import Field, dataclass, field, fields
from datetime import datetime
from enum import Enum
from typing import Any, TypeAlias, TypeVar

from valetkey.times import moment

_T = TypeVar("_T")
_Terms: TypeAlias = Any
"""`trust.terms.Terms`, which is made of this module's rows and so cannot be imported here."""


class Kind(Enum):
    """How a term is given on the command line."""

    TEXT = "text"
    SWITCH = "switch"
    """--mfa or --no-mfa."""
    FLAG = "flag"
    SECONDS = "seconds"
    """A length like 1h."""
    NAMES = "names"
    END = "end"
    """A date, a length from now, or never."""


@dataclass(frozen=True, slots=True)
class Term:
    """One field of the terms, with everything that is derived from it: options, JSON, handoff, words."""

    name: str
    """The field of _Terms, and its JSON key."""
    default: Any
    """dataclasses.MISSING for a term that must be given."""
    kind: Kind
    flag: str
    """The option of `grant` and `prove`; empty for a term that follows from something else."""
    help: str
    without: str
    """The option that says that there is none, where leaving the flag out means something else; or empty."""
    without_help: str
    title: str
    """In a list of differences."""
    label: str
    """In a table; terms with one label share a row."""
    words: Callable[[_Terms], str]
    """The value in a table; empty: no row."""
    clause: Callable[[_Terms], str]
    """The term inside a sentence; empty: nothing to say."""
    handoff: Callable[[_Terms], tuple[str, Any]]
    """The key in a handoff/v1, and its value."""
    handoff_by_row: bool
    """Whether the row says that key. Otherwise it is the field's name, and a handoff gets an optional key for it."""


def term(
    default: _T,
    kind: Kind,
    *,
    flag: str = "",
    about: str = "",
    without: str = "",
    without_about: str = "",
    title: str = "",
    label: str = "",
    words: Callable[[_Terms], str] = lambda terms: "",
    clause: Callable[[_Terms], str] = lambda terms: "",
    handoff: Callable[[_Terms], tuple[str, Any]] | None = None,
) -> _T:
    """A field of Terms with its row of the table. `title` and `handoff` are by default those of the field's name."""
    row = {
        "kind": kind,
        "flag": flag,
        "help": about,
        "without": without,
        "without_help": without_about,
        "title": title,
        "label": label,
        "words": words,
        "clause": clause,
        "handoff": handoff,
    }
    made: _T = field(default=default, metadata={"term": row})
    return made


def table(terms: type[_Terms]) -> tuple[Term, ...]:
    """The rows of the table, one for each field: the parties first."""
    order = sorted(fields(terms), key=lambda each: each.name not in ("contractor", "partition"))
    return tuple(_row(each) for each in order)


def _row(each: Field[Any]) -> Term:
    def as_it_is(terms: _Terms) -> tuple[str, Any]:
        return each.name, getattr(terms, each.name)

    said = each.metadata["term"]
    return Term(
        name=each.name,
        default=each.default,
        kind=said["kind"],
        flag=said.get("flag", ""),
        help=said.get("help", ""),
        without=said.get("without", ""),
        without_help=said.get("without_help", ""),
        title=said.get("title") or each.name.replace("_", " "),
        label=said.get("label", ""),
        words=said.get("words", lambda terms: ""),
        clause=said.get("clause", lambda terms: ""),
        handoff=said.get("handoff") or as_it_is,
        handoff_by_row=said.get("handoff") is not None,
    )


def rows(terms: _Terms) -> dict[str, str]:
    """The terms for a person, by label."""
    said: dict[str, str] = {}
    for each in table(type(terms)):
        words = each.words(terms)
        if words:
            said[each.label] = ", ".join((*([said[each.label]] if each.label in said else []), words))
    return said


def sentence(terms: _Terms) -> str:
    """Who is admitted, in one line."""
    return ", ".join(filter(None, (each.clause(terms) for each in table(type(terms)))))


def as_json(terms: _Terms) -> dict[str, Any]:
    """The terms as JSON, by field."""
    plain = {each.name: getattr(terms, each.name) for each in table(type(terms))}
    return {key: _plain(value) for key, value in plain.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return moment(value)
    return list(value) if isinstance(value, tuple) else value


def in_handoff(terms: _Terms) -> dict[str, Any]:
    """The terms in a handoff/v1, by their keys there."""
    return dict(each.handoff(terms) for each in table(type(terms)))
