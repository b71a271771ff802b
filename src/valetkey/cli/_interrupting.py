"""^C at any moment: one line that says what was and what was not done, and exit code 130.

Rules:
- What a command has done for good it says here, with `done`, right after it was done; `line` repeats it.
- Writes of milliseconds that belong together are `whole`: ^C waits until they are made, and ends the command then.
- A room that performs several calls on AWS says itself what they have left (grants.make.Interrupted).
"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator

from valetkey.errors import ValetkeyError

_done: list[str] = []


def begin() -> None:
    """A command begins: nothing is done."""
    _done.clear()


def done(what: str) -> None:
    """Something is done that ^C does not take back: a sentence without its end."""
    _done.append(what)


def line() -> str:
    """What ^C leaves, in one line."""
    return f"interrupted: {'; '.join(_done) or 'nothing was changed'}"


def say_interrupted() -> None:
    """The line, on stderr."""
    from valetkey.report.text import say

    with contextlib.suppress(OSError):
        say(f"valetkey: {line()}", stderr=True)


def leave_interrupts() -> None:
    """Nothing is left to interrupt: ^C while the interpreter ends would only show a traceback."""
    with contextlib.suppress(ValueError):  # not the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextlib.contextmanager
def whole(what: str) -> Iterator[None]:
    """Let ^C wait until the block is done. `what` is a sentence that is true then. Raises ValetkeyError (130) after the
    block for a ^C that came meanwhile."""
    came: list[int] = []
    usual = signal.getsignal(signal.SIGINT)
    try:
        signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    except ValueError:  # not the main thread, which ^C does not reach
        yield
        return
    try:
        yield
        done(what)
    finally:
        signal.signal(signal.SIGINT, usual)
        if came and sys.exc_info()[0] is None:
            raise ValetkeyError(line(), exit_code=130)
