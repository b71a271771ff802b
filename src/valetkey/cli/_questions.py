"""Questions to a person, and consent to a change. One place for every command that asks.

Rules:
- INVARIANT: the terminal itself (/dev/tty) is asked, whatever stdin, stdout and stderr are. Where nobody can be asked
  nothing is assumed: `consent` then needs --yes, and refuses otherwise.
- Only "y" and "yes" are a yes. Enter, the end of input, silence until the limit and ^C are a no.
- What was typed before the question was shown is not an answer to it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Protocol

from valetkey.cli import _terminal
from valetkey.credentials.sessions.protocols import Dismissed, NoTerminal
from valetkey.errors import ValetkeyError
from valetkey.report.text import clean

LIMIT = 600.0
"""Seconds for one answer: long enough to call the other side and compare a fingerprint."""
UNCHANGED = "nothing was changed"


class NobodyToAsk(ValetkeyError):
    """A change needs a yes, and there is neither a terminal nor --yes."""

    exit_code = 2


class Declined(ValetkeyError):
    """The person said no, or did not say yes."""

    exit_code = 1


class Ask(Protocol):
    """Shows a question and answers what the person types. Raises NobodyToAsk, Declined."""

    def __call__(self, question: str, /) -> str: ...


def at_terminal() -> bool:
    """Whether somebody can be asked."""
    return _terminal.is_there()


def answer(question: str) -> str:
    """One line from the person; "" for the Enter key. Raises NobodyToAsk, Declined; ValetkeyError (130) for ^C."""
    return _answer(question, fresh=False, otherwise=UNCHANGED)


def need_somebody(*, yes: bool, flags: str = "--yes") -> None:
    """Raise NobodyToAsk, before anything is called, when a change can be agreed to in no way."""
    if not yes and not at_terminal():
        raise NobodyToAsk(
            "this command asks for confirmation, and there is no terminal",
            do=f"run it at a terminal, or say {flags} to confirm in advance; {UNCHANGED}",
        )


def consent(question: str, *, yes: bool, about: Sequence[str] = (), flags: str = "--yes") -> None:
    """Return when a person agrees, or has agreed with --yes. Raises NobodyToAsk, Declined; ValetkeyError (130) for ^C.

    `about` is what the person must know to answer; it is on stderr already, and shown on the terminal as well where
    stderr goes elsewhere.
    """
    if yes:
        return
    need_somebody(yes=yes, flags=flags)
    if not _agrees(question, about):
        raise Declined(f"the answer was not yes: {UNCHANGED}", do="run it again when you are ready")


def types_name(name: str, question: str, *, about: Sequence[str] = (), otherwise: str) -> bool:
    """Whether the person types exactly this name. `otherwise` says what holds when they do not answer.

    Raises NobodyToAsk, Declined; ValetkeyError (130) for ^C.
    """
    return _answer(_seen(about) + question, fresh=True, otherwise=otherwise) == name


def ask_region() -> str | None:
    """The region to work in, where none is known; None for the Enter key, and when nobody can be asked."""
    if not at_terminal():
        return None
    return answer("No region is known. In which one will you work, like eu-central-1? (Enter: none) ") or None


def choose_device(serials: Sequence[str]) -> str | None:
    """The MFA device to use: one of these, or typed when there is no list. None when nobody can be asked."""
    if not at_terminal():
        return None
    if not serials:
        return answer("Serial number or ARN of your MFA device: ") or None
    listed = "".join(f"  {number}  {_line(serial)}\n" for number, serial in enumerate(serials, 1))
    given = answer(f"{listed}Which MFA device? [1-{len(serials)}] ")
    return serials[int(given) - 1] if given.isdecimal() and 1 <= int(given) <= len(serials) else None


def _agrees(question: str, about: Sequence[str]) -> bool:
    text = f"{_seen(about)}{question} [y/N] "
    return _answer(text, fresh=True, otherwise=UNCHANGED).lower() in ("y", "yes")


def _seen(about: Sequence[str]) -> str:
    """What the person has not seen, since stderr goes elsewhere."""
    return "" if sys.stderr.isatty() else "".join(f"{each}\n" for each in about)


def _answer(question: str, *, fresh: bool, otherwise: str) -> str:
    try:
        return _terminal.line(question, seconds=LIMIT, fresh=fresh)
    except NoTerminal as nobody:
        raise NobodyToAsk(f"{nobody.what}: {otherwise}", do=nobody.do) from None
    except Dismissed as silent:
        raise Declined(f"{silent.what}: {otherwise}", do="run it again when you are ready") from None
    except KeyboardInterrupt:
        raise ValetkeyError(f"interrupted at the question: {otherwise}", exit_code=130) from None


def _line(text: str) -> str:
    """Text from outside, which cannot begin a line of its own."""
    return clean(text, keep=frozenset())
