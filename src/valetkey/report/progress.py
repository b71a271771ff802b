"""How far reading and proving have come: on stderr, and on a terminal only."""

from __future__ import annotations

import sys


def reading(done: int, of: int | None) -> None:
    """How far reading an account has come."""
    _progress("roles read", done, of)


def proving(done: int, of: int) -> None:
    """How far proving has come; nothing for few roles."""
    if of > 500:
        _progress("trust policies proved", done, of)


def _progress(what: str, done: int, of: int | None) -> None:
    if sys.stderr.isatty():
        text = f"{done}{f' of {of}' if of else ''} {what}"
        sys.stderr.write(f"\r{text}" if done != of else f"\r{' ' * len(text)}\r")  # what is done is wiped away
        sys.stderr.flush()
