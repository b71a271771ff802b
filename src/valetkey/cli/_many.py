"""`valetkey exec --all | --profile A --profile B -- CMD`: run one command for several customers, some in parallel.

Rules:
- Sessions are fetched one after another, so that each base identity causes at most one prompt.
- A customer whose session or command fails does not stop the others.
- No child is killed: signals are passed on, no more commands are started, and running ones are waited for.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from types import FrameType
from typing import IO

from valetkey.cli._childenv import PreparedCommand
from valetkey.cli._running import Signals, may_be_lost, passes_on
from valetkey.errors import ValetkeyError
from valetkey.report.many import Ran, Show

Environment = Callable[[str, Mapping[str, str]], AbstractContextManager[PreparedCommand]]
"""Returns the environment of a customer's command, valid inside the context. Raises ValetkeyError."""

_LINE = 65536
_LOOK = 0.5
"""Seconds between checks for a signal: a signal delivered to another thread does not end a wait of this one."""
_PIPES = 2.0
"""Seconds to wait for the rest of the output when a command has ended but a process that it started holds its pipes."""


class _Stopped(BaseException):
    """A signal was received: start no more commands."""


def run_many(
    names: Sequence[str],
    command: Sequence[str],
    before: Mapping[str, str],
    *,
    environment: Environment,
    show: Show,
    jobs: int,
) -> tuple[tuple[Ran, ...], int]:
    """Return the result for each customer, in the given order, and the signal that ended the run early (0: none)."""
    result: dict[str, Ran] = {}
    running = _Running()
    slots = threading.BoundedSemaphore(jobs)
    threads: list[threading.Thread] = []

    def follow(
        name: str, child: subprocess.Popen[bytes], prepared: PreparedCommand, stack: contextlib.ExitStack
    ) -> None:
        with stack:
            code = _follow(name, child, show)
            code = 128 - code if code < 0 else code
            running.ended(child)
            result[name] = Ran(name, code, is_lost=may_be_lost(code) and prepared.is_lost())
        slots.release()

    with running:
        try:
            for name in names:
                while not slots.acquire(timeout=_LOOK):
                    running.check()
                running.check()
                with contextlib.ExitStack() as stack:
                    try:
                        prepared = stack.enter_context(environment(name, before))
                        with running.no_stop():
                            child = _start(command, prepared.env)
                            running.started(child)
                            words = (name, child, prepared, stack.pop_all())
                            threads.append(threading.Thread(target=follow, args=words, daemon=True))
                            threads[-1].start()
                    except ValetkeyError as problem:
                        result[name] = Ran(name, None, problem)
                        slots.release()
        except _Stopped:
            pass
        for thread in threads:
            while thread.is_alive():
                with contextlib.suppress(_Stopped):
                    thread.join(_LOOK)
    return tuple(result[name] for name in names if name in result), running.signal


def _start(command: Sequence[str], env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command, env=dict(env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ValetkeyError(f"{command[0]} cannot be executed: {why}") from None


def _follow(name: str, child: subprocess.Popen[bytes], show: Show) -> int:
    """Show the lines of the child as they arrive. Return its exit status."""
    readers = [
        threading.Thread(target=_read, args=(pipe, name, show, is_error), daemon=True)
        for pipe, is_error in ((child.stdout, False), (child.stderr, True))
    ]
    for reader in readers:
        reader.start()
    code = child.wait()
    for reader in readers:
        reader.join(_PIPES)
    return code


def _read(pipe: IO[bytes], name: str, show: Show, is_error: bool) -> None:
    with pipe:
        while line := pipe.readline(_LINE):
            # Of a progress bar that is redrawn in one line, show the last state.
            show(name, line.decode("utf-8", "replace").rstrip("\r\n").rsplit("\r", 1)[-1], is_error)


class _Running(Signals):
    """Passes signals on to all running children, and stops starting more."""

    def __init__(self) -> None:
        super().__init__()
        self.signal = 0
        self._children: list[subprocess.Popen[bytes]] = []
        self._may_stop = True

    def started(self, child: subprocess.Popen[bytes]) -> None:
        self._children.append(child)

    def ended(self, child: subprocess.Popen[bytes]) -> None:
        self._children.remove(child)

    @contextlib.contextmanager
    def no_stop(self) -> Iterator[None]:
        """Delay signals between the start of a command and its registration."""
        self._may_stop = False
        try:
            self.check()
            yield
        finally:
            self._may_stop = True
        self.check()

    def check(self) -> None:
        """Raise _Stopped if a signal was received. (Python discards what a handler raises inside a finalizer.)"""
        if self.signal:
            raise _Stopped

    def _got(self, number: int, _: FrameType | None) -> None:
        if passes_on(number):
            for child in list(self._children):
                with contextlib.suppress(ProcessLookupError):
                    child.send_signal(number)
        if number not in _HARMLESS:
            self.signal = self.signal or number
            if self._may_stop:
                raise _Stopped


_HARMLESS = frozenset(getattr(signal, name) for name in ("SIGUSR1", "SIGUSR2") if hasattr(signal, name))
"""Signals that a command may handle as a request, not as its end."""
