"""The options for terms of `grant` and `prove`, made from the table of terms: the same for both."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import field, fields, make_dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, assert_never

from cyclopts import Parameter

from valetkey.cli import _owning
from valetkey.trust.term_rows import OptionKind, Term
from valetkey.trust.terms import TERMS, DraftTerms


class Given:
    """Terms as given on the command line."""

    def flags(self) -> tuple[str, ...]:
        """Return the options that were given, without those that equal the default."""
        by_field = {field_name(term.flag): term.flag for term in TERMS if term.flag}
        by_field |= {field_name(term.without): term.without for term in TERMS if term.without}
        by_field |= {
            field_name(term.flag): f"--no-{field_name(term.flag)}" for term in TERMS if term.kind is OptionKind.SWITCH
        }
        return tuple(by_field[item.name] for item in fields(self) if getattr(self, item.name) != item.default)  # type: ignore[arg-type]

    def draft(self, *, now: datetime) -> DraftTerms:
        """Return the given terms. Raises ValetkeyError for one that cannot be parsed."""
        own = {item.name for item in fields(DraftTerms)}
        return DraftTerms(**{term.name: self._value(term, now) for term in TERMS if term.flag and term.name in own})

    def _value(self, term: Term, now: datetime) -> Any:
        given = getattr(self, field_name(term.flag))
        match term.kind:
            case OptionKind.SECONDS:
                return _owning.length(given, term.flag)
            case OptionKind.END:
                return _owning.end(given, now=now)[0]
            case OptionKind.TEXT | OptionKind.SWITCH | OptionKind.FLAG | OptionKind.NAMES:
                return given
            case _:
                assert_never(term.kind)


def field_name(flag: str) -> str:
    """Return the field name of an option: "mfa_max_age" for "--mfa-max-age"."""
    return flag.removeprefix("--").replace("-", "_")


def options(name: str, base: type, terms: Iterable[Term], option: Callable[[Term], tuple[Any, Any]]) -> Any:
    """Return a dataclass for cyclopts with one field per option of these terms. `option` returns the type and the field
    of a term."""
    made: list[tuple[str, Any, Any]] = []
    for term in terms:
        if term.flag:
            made.append((field_name(term.flag), *option(term)))
        if term.without:
            off = Annotated[bool, Parameter(negative="", help=term.without_help)]
            made.append((field_name(term.without), off, field(default=False)))
    own = {"__module__": __name__}  # cyclopts does not inspect a class of the module `types`
    return Parameter(name="*")(make_dataclass(name, made, bases=(base,), frozen=True, namespace=own))


def option_of(term: Term, *, about: str = "") -> tuple[Any, Any]:
    """Return the type and the field of a term's option. `about` replaces the help of the term."""
    about = about or term.help
    match term.kind:
        case OptionKind.TEXT | OptionKind.SECONDS | OptionKind.END:
            return Annotated[str | None, Parameter(help=about)], field(default=None)
        case OptionKind.SWITCH:
            return Annotated[bool, Parameter(help=about)], field(default=term.default)
        case OptionKind.FLAG:
            return Annotated[bool, Parameter(negative="", help=about)], field(default=False)
        case OptionKind.NAMES:
            many = Parameter(consume_multiple=True, negative="", help=about)
            return Annotated[tuple[str, ...], many], field(default=())
        case _:
            assert_never(term.kind)


if TYPE_CHECKING:

    class TermOptions(Given):
        """The options that the two commands also read directly."""

        to: str | None
        external_id: str | None
        no_external_id: bool
        until: str | None

else:
    TermOptions = options("TermOptions", Given, TERMS, option_of)
