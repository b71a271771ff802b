"""Talking to the person of the run."""

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
    """The person, or the system, ends the run. No step takes it for its own failure."""


def say(text: str) -> None:
    """One line on stderr. A terminal that has gone stops nothing: what was made must still be removed."""
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


def ask(question: str) -> str | None:
    """The answer typed at the terminal; None where there is no terminal. stdin may be used for something else."""
    try:
        # Two of them: a terminal that is opened for both must be one that seeks.
        with _TTY.open("w", encoding="utf-8") as out, _TTY.open(encoding="utf-8") as back:
            out.write(question)
            out.flush()
            return back.readline().strip()
    except OSError:
        return None


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Within the block SIGINT, SIGTERM and SIGHUP raise Interrupted."""

    def stop(_: int, __: FrameType | None) -> None:
        # One is enough: what is removed then is not to be stopped by the next.
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted

    before = {each: signal.signal(each, stop) for each in _SIGNALS}
    try:
        yield
    finally:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        _before.update(before)


_before: dict[signal.Signals, object] = {}


def restore() -> None:
    """Signals do again what they did before `interruptible`."""
    for each, handler in _before.items():
        signal.signal(each, handler)  # type: ignore[arg-type]
    _before.clear()
