"""The options of `grant` and `prove` that are terms: made once from the table of terms, the same for both."""

from __future__ import annotations

from dataclasses import field, fields, make_dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, assert_never

from cyclopts import Parameter

from valetkey.cli import _owning
from valetkey.trust.terms import TERMS, DraftTerms, Kind, Term


class Given:
    """Terms as they were given on the command line."""

    def flags(self) -> tuple[str, ...]:
        """The options that were given, apart from those that say the default."""
        by_field = {_field(each.flag): each.flag for each in TERMS if each.flag}
        by_field |= {_field(each.without): each.without for each in TERMS if each.without}
        by_field |= {_field(each.flag): f"--no-{_field(each.flag)}" for each in TERMS if each.kind is Kind.SWITCH}
        return tuple(by_field[each.name] for each in fields(self) if getattr(self, each.name) != each.default)  # type: ignore[arg-type]

    def draft(self, *, now: datetime) -> DraftTerms:
        """The terms that were given. Raises ValetkeyError for one that cannot be read."""
        own = {each.name for each in fields(DraftTerms)}
        return DraftTerms(**{each.name: self._value(each, now) for each in TERMS if each.flag and each.name in own})

    def _value(self, term: Term, now: datetime) -> Any:
        given = getattr(self, _field(term.flag))
        match term.kind:
            case Kind.SECONDS:
                return _owning.length(given, term.flag)
            case Kind.END:
                return _owning.end(given, now=now)[0]
            case Kind.TEXT | Kind.SWITCH | Kind.FLAG | Kind.NAMES:
                return given
            case _:
                assert_never(term.kind)


def _field(flag: str) -> str:
    return flag.removeprefix("--").replace("-", "_")


def _options(terms: tuple[Term, ...]) -> Any:
    """A dataclass with one field for each option, as cyclopts reads it."""
    made: list[tuple[str, Any, Any]] = []
    for term in terms:
        if term.flag:
            made.append((_field(term.flag), *_option(term)))
        if term.without:
            off = Annotated[bool, Parameter(negative="", help=term.without_help)]
            made.append((_field(term.without), off, field(default=False)))
    own = {"__module__": __name__}  # cyclopts does not look into a class of the module `types`
    return Parameter(name="*")(make_dataclass("TermOptions", made, bases=(Given,), frozen=True, namespace=own))


def _option(term: Term) -> tuple[Any, Any]:
    match term.kind:
        case Kind.TEXT | Kind.SECONDS | Kind.END:
            return Annotated[str | None, Parameter(help=term.help)], field(default=None)
        case Kind.SWITCH:
            return Annotated[bool, Parameter(help=term.help)], field(default=term.default)
        case Kind.FLAG:
            return Annotated[bool, Parameter(negative="", help=term.help)], field(default=False)
        case Kind.NAMES:
            many = Parameter(consume_multiple=True, negative="", help=term.help)
            return Annotated[tuple[str, ...], many], field(default=())
        case _:
            assert_never(term.kind)


if TYPE_CHECKING:

    class TermOptions(Given):
        """The options that the two commands also read by themselves."""

        to: str | None
        external_id: str | None
        no_external_id: bool
        until: str | None

else:
    TermOptions = _options(TERMS)
