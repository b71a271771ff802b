"""Progress of reading and proving: on stderr, and only on a terminal."""

from __future__ import annotations

import sys


def reading(done: int, of: int | None) -> None:
    """Show the progress of reading an account."""
    _progress("roles read", done, of)


def proving(done: int, of: int) -> None:
    """Show the progress of proving; nothing for up to 500 policies."""
    if of > 500:
        _progress("trust policies proved", done, of)


def _progress(what: str, done: int, of: int | None) -> None:
    if sys.stderr.isatty():
        text = f"{done}{f' of {of}' if of else ''} {what}"
        sys.stderr.write(f"\r{text}" if done != of else f"\r{' ' * len(text)}\r")  # erases the finished line
        sys.stderr.flush()
