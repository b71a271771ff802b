"""Questions to a person, and confirmation of a change. Every command that asks uses this module.

Rules:
- INVARIANT: questions use the terminal itself (/dev/tty), whatever stdin, stdout and stderr are. Without a terminal
  nothing is assumed: `consent` then requires --yes, and refuses otherwise.
- Only "y" and "yes" confirm. Enter, end of input, a timeout and ^C decline.
- Text typed before the question was shown does not count as an answer.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Protocol

from valetkey.cli import _terminal
from valetkey.credentials.sessions.protocols import Dismissed, NoTerminal
from valetkey.errors import ValetkeyError
from valetkey.report.text import clean

ANSWER_LIMIT = 600.0
"""Time limit for one answer, in seconds: long enough to call the other party and compare a fingerprint."""
UNCHANGED = "nothing was changed"


class NobodyToAsk(ValetkeyError):
    """A change needs confirmation, and there is neither a terminal nor --yes."""

    exit_code = 2


class Declined(ValetkeyError):
    """The person declined, or did not confirm."""

    exit_code = 1


class Prompt(Protocol):
    """Shows a question and returns the typed text. Raises NobodyToAsk, Declined."""

    def __call__(self, question: str, /) -> str: ...


def at_terminal() -> bool:
    """Return whether there is a terminal to ask at."""
    return _terminal.is_there()


def answer(question: str) -> str:
    """Ask for one line; "" for the Enter key. Raises NobodyToAsk, Declined; ValetkeyError (130) for ^C."""
    return _answer(question, fresh=False, otherwise=UNCHANGED)


def need_somebody(*, yes: bool, flags: str = "--yes") -> None:
    """Raise NobodyToAsk, before any call is made, when there is no way to confirm a change."""
    if not yes and not at_terminal():
        raise NobodyToAsk(
            "this command asks for confirmation, and there is no terminal",
            do=f"run it at a terminal, or say {flags} to confirm in advance; {UNCHANGED}",
        )


def consent(question: str, *, yes: bool, about: Sequence[str] = (), flags: str = "--yes") -> None:
    """Return when a person confirms, or has confirmed with --yes. Raises NobodyToAsk, Declined; ValetkeyError (130) for
    ^C.

    `about` is the information needed to answer. It is on stderr already, and is also shown on the terminal when stderr
    is redirected.
    """
    if yes:
        return
    need_somebody(yes=yes, flags=flags)
    if not _agrees(question, about):
        raise Declined(f"the answer was not yes: {UNCHANGED}", do="run it again when you are ready")


def types_name(name: str, question: str, *, about: Sequence[str] = (), otherwise: str) -> bool:
    """Return whether the person types exactly this name. `otherwise` states the result if they do not answer.

    Raises NobodyToAsk, Declined; ValetkeyError (130) for ^C.
    """
    return _answer(_seen(about) + question, fresh=True, otherwise=otherwise) == name


def ask_region() -> str | None:
    """Ask for the region when none is known. Return None for the Enter key, and without a terminal."""
    if not at_terminal():
        return None
    return answer("No region is known. In which one will you work, like eu-central-1? (Enter: none) ") or None


def choose_device(serials: Sequence[str]) -> str | None:
    """Ask for the MFA device: one of these, or typed text when the list is empty. Return None without a terminal."""
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
    """Return the information that the person has not seen because stderr is redirected."""
    return "" if sys.stderr.isatty() else "".join(f"{item}\n" for item in about)


def _answer(question: str, *, fresh: bool, otherwise: str) -> str:
    try:
        return _terminal.line(question, seconds=ANSWER_LIMIT, fresh=fresh)
    except NoTerminal as nobody:
        raise NobodyToAsk(f"{nobody.what}: {otherwise}", do=nobody.do) from None
    except Dismissed as silent:
        raise Declined(f"{silent.what}: {otherwise}", do="run it again when you are ready") from None
    except KeyboardInterrupt:
        raise ValetkeyError(f"interrupted at the question: {otherwise}", exit_code=130) from None


def _line(text: str) -> str:
    """Clean text from outside, so that it cannot start a new line."""
    return clean(text, keep=frozenset())
