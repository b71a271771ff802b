"""Errors for a command line that cannot be parsed: what is wrong, and the nearest existing name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from valetkey.commandline import word
from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from cyclopts import CycloptsError


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the most similar name; empty if none is similar."""
    return next(iter(difflib.get_close_matches(name, list(names), n=1, cutoff=0.7)), "")


def suggestion(name: str, names: Iterable[str]) -> str:
    """Return ` Did you mean "grant"?` with a leading blank, or an empty string."""
    near = nearest(name, names)
    return f' Did you mean "{near}"?' if near else ""


def misuse(error: CycloptsError, words: Sequence[str]) -> tuple[str, str]:
    """Return what is wrong with a command line, and what to do about it."""
    from cyclopts import UnknownOptionError
    from cyclopts.exceptions import UnknownCommandError, UnusedCliTokensError

    inner = _inner(words)
    if words[:1] == ["exec"] and "--" not in words:
        do = "write the command after two dashes: valetkey exec NAME -- COMMAND"
    else:
        do = f"see `{_help_of(words, inner)}`"
    if inner and words[1:] and not words[1].startswith("-") and words[1] not in inner:
        # `review` also runs without a subcommand, so that cyclopts would blame an option of the subcommand.
        return f'unknown command "{words[1]}".{suggestion(words[1], inner)}', do
    given = next(iter(error.unused_tokens or ()), "")
    match error:
        case UnknownCommandError() if given.startswith("-"):
            return f"unknown option {given}.", do
        case UnknownCommandError():
            return f'unknown command "{given}".{suggestion(given, _names())}', do
        case UnknownOptionError():
            option = (error.token.keyword or error.token.value or "").partition("=")[0]
            near = nearest(option, (name for item in error.argument_collection for name in item.names if item.parse))
            return f"unknown option {option}." + (f" Did you mean {near}?" if near else ""), do
        case UnusedCliTokensError():
            return f'too many arguments: "{given}" is not expected here.', do
        case _:
            return str(error), do


def refuse_options(files: Sequence[str], command: str) -> None:
    """Raise ValetkeyError for a file name that is a misspelt option. (Commands that accept `-` as a file receive
    those.)"""
    from valetkey.cli._app import build

    for given in files:
        if given.startswith("-") and given != "-":
            known = build()[command].assemble_argument_collection()
            near = nearest(given.partition("=")[0], (name for item in known for name in item.names if item.parse))
            raise ValetkeyError(
                f"unknown option {given.partition('=')[0]}." + (f" Did you mean {near}?" if near else ""),
                do=f"see `valetkey {word(command)} --help`; a file with such a name is written ./NAME",
            )


def _names() -> tuple[str, ...]:
    from valetkey.cli._commands import COMMANDS

    return tuple(name for name, *_ in COMMANDS)


def _inner(words: Sequence[str]) -> tuple[str, ...]:
    """Return the subcommands of a command, like those of `sandbox` and `review`."""
    from valetkey.cli._app import build

    if not words or words[0] not in _names():
        return ()
    return tuple(name for name in build()[words[0]] if not name.startswith("-"))


def _help_of(words: Sequence[str], inner: Sequence[str]) -> str:
    known = [item for item in words[:1] if item in _names()]
    known += [item for item in words[1:2] if item in inner]
    return " ".join(["valetkey", *map(word, known), "--help"])
