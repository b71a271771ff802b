"""Handle ^C at any moment: print one line with what was and was not done, and exit with code 130.

Rules:
- A command records each permanent change with `done`, directly after it was made; `line` repeats these.
- Writes that belong together and take milliseconds run inside `whole`: ^C takes effect after them.
- A room that performs several calls on AWS reports the result of an interruption itself (grants.make.Interrupted).
"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator

from valetkey.errors import ValetkeyError

_done: list[str] = []


def begin() -> None:
    """Start a command: forget what earlier ones did."""
    _done.clear()


def done(what: str) -> None:
    """Record a change that ^C does not undo, as a sentence without a full stop."""
    _done.append(what)


def line() -> str:
    """Return one line with what was done before ^C."""
    return f"interrupted: {'; '.join(_done) or 'nothing was changed'}"


def say_interrupted() -> None:
    """Print the line on stderr."""
    from valetkey.report.text import say

    with contextlib.suppress(OSError):
        say(f"valetkey: {line()}", stderr=True)


def leave_interrupts() -> None:
    """Ignore SIGINT: nothing is left to interrupt, and ^C while the interpreter exits would only show a traceback."""
    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextlib.contextmanager
def whole(what: str) -> Iterator[None]:
    """Delay ^C until the block ends. `what` is a sentence that is true then. Raises ValetkeyError (130) after the block
    for a ^C that arrived during it."""
    came: list[int] = []
    usual = signal.getsignal(signal.SIGINT)
    try:
        signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    except ValueError:  # not in the main thread: ^C does not reach it
        yield
        return
    try:
        yield
        done(what)
    finally:
        signal.signal(signal.SIGINT, usual)
        if came and sys.exc_info()[0] is None:
            raise ValetkeyError(line(), exit_code=130)
