"""The rows of the table of terms, and the texts, JSON and handoff keys that are derived from them.

The fields themselves are in `trust.terms`: each is created with `term`, with its option, help and texts.
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
"""`trust.terms.Terms`, which imports this module and so cannot be imported here."""


class OptionKind(Enum):
    """How a term is given on the command line."""

    TEXT = "text"
    SWITCH = "switch"
    """--mfa or --no-mfa."""
    FLAG = "flag"
    SECONDS = "seconds"
    """A duration like 1h."""
    NAMES = "names"
    END = "end"
    """A date, a duration from now, or never."""


@dataclass(frozen=True, slots=True)
class Term:
    """One field of the terms, with everything that is derived from it: options, JSON, handoff, texts."""

    name: str
    """The field of _Terms, and its JSON key."""
    default: Any
    """dataclasses.MISSING for a required term."""
    kind: OptionKind
    flag: str
    """The option of `grant` and `prove`; empty for a derived term."""
    help: str
    without: str
    """The option for "none", if leaving the flag out has another meaning; otherwise empty."""
    without_help: str
    title: str
    """The name in a list of differences."""
    label: str
    """The name in a table; terms with the same label share a row."""
    words: Callable[[_Terms], str]
    """The value in a table; empty: no row."""
    clause: Callable[[_Terms], str]
    """The term as a clause of a sentence; empty: left out."""
    handoff: Callable[[_Terms], tuple[str, Any]]
    """The key in a handoff/v1, and its value."""
    handoff_by_row: bool
    """Whether the row defines that key. Otherwise it is the field's name, as an optional key of a handoff."""


def term(
    default: _T,
    kind: OptionKind,
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
    """Define a field of Terms with its row of the table. `title` and `handoff` default to the field's name."""
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
    """The rows of the table, one for each field, the parties first."""
    order = sorted(fields(terms), key=lambda item: item.name not in ("contractor", "partition"))
    return tuple(_row(item) for item in order)


def _row(item: Field[Any]) -> Term:
    def as_it_is(terms: _Terms) -> tuple[str, Any]:
        return item.name, getattr(terms, item.name)

    said = item.metadata["term"]
    return Term(
        name=item.name,
        default=item.default,
        kind=said["kind"],
        flag=said.get("flag", ""),
        help=said.get("help", ""),
        without=said.get("without", ""),
        without_help=said.get("without_help", ""),
        title=said.get("title") or item.name.replace("_", " "),
        label=said.get("label", ""),
        words=said.get("words", lambda terms: ""),
        clause=said.get("clause", lambda terms: ""),
        handoff=said.get("handoff") or as_it_is,
        handoff_by_row=said.get("handoff") is not None,
    )


def rows(terms: _Terms) -> dict[str, str]:
    """The terms as texts for a table, by label."""
    said: dict[str, str] = {}
    for item in table(type(terms)):
        words = item.words(terms)
        if words:
            said[item.label] = ", ".join((*([said[item.label]] if item.label in said else []), words))
    return said


def sentence(terms: _Terms) -> str:
    """The terms in one line: which callers are admitted, under which conditions."""
    return ", ".join(filter(None, (item.clause(terms) for item in table(type(terms)))))


def as_json(terms: _Terms) -> dict[str, Any]:
    """The terms as JSON, by field."""
    plain = {item.name: getattr(terms, item.name) for item in table(type(terms))}
    return {key: _plain(value) for key, value in plain.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return moment(value)
    return list(value) if isinstance(value, tuple) else value


def in_handoff(terms: _Terms) -> dict[str, Any]:
    """The terms by their keys in a handoff/v1."""
    return dict(item.handoff(terms) for item in table(type(terms)))
