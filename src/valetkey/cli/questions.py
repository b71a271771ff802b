"""Questions to a person at the terminal. Without a terminal nobody is asked and nothing is assumed."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from valetkey.report.text import clean


def at_terminal() -> bool:
    """Whether somebody can answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def answer(question: str) -> str:
    """One line from the person; the question goes to stderr, so that stdout holds the result alone."""
    sys.stderr.write(clean(question))
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def agree(question: str) -> bool:
    """Whether the person says yes. No, an empty line and no terminal are no."""
    return at_terminal() and answer(f"{question} [y/N] ").lower() in ("y", "yes")


def choose_device(serials: Sequence[str]) -> str | None:
    """The MFA device to use: one of these, or typed when there is no list. None when nobody can be asked."""
    if not at_terminal():
        return None
    if not serials:
        return answer("Serial number or ARN of your MFA device: ") or None
    for number, serial in enumerate(serials, 1):
        sys.stderr.write(f"  {number}  {clean(serial)}\n")
    given = answer(f"Which MFA device? [1-{len(serials)}] ")
    return serials[int(given) - 1] if given.isdigit() and 1 <= int(given) <= len(serials) else None
