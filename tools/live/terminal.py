"""Messages and prompts for the person of the run."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

_TTY = Path("/dev/tty")
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupted(BaseException):
    """The person, or the system, ends the run. No step treats it as its own failure."""


def say(text: str) -> None:
    """Print one line on stderr. A lost terminal stops nothing: what was created must still be removed."""
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


def ask(question: str) -> str | None:
    """Prompt on the terminal. Returns the typed answer; None if there is no terminal. stdin may be used for something
    else."""
    try:
        # Two files: a terminal that is opened for reading and writing would have to be seekable.
        with _TTY.open("w", encoding="utf-8") as out, _TTY.open(encoding="utf-8") as back:
            out.write(question)
            out.flush()
            return back.readline().strip()
    except OSError:
        return None


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Within the block, SIGINT, SIGTERM and SIGHUP raise Interrupted."""

    def stop(_: int, __: FrameType | None) -> None:
        # One signal is enough: the next one must not stop the removal.
        for item in _SIGNALS:
            signal.signal(item, signal.SIG_IGN)
        raise Interrupted

    before = {item: signal.signal(item, stop) for item in _SIGNALS}
    try:
        yield
    finally:
        for item in _SIGNALS:
            signal.signal(item, signal.SIG_IGN)
        _before.update(before)


_before: dict[signal.Signals, object] = {}


def restore() -> None:
    """Restore the signal handlers from before `interruptible`."""
    for item, handler in _before.items():
        signal.signal(item, handler)  # type: ignore[arg-type]
    _before.clear()
