"""Run a child in the foreground and return its exit code.

The child shares this process's group and terminal, so that it receives Ctrl-C and Ctrl-Z from the terminal itself;
signals sent to this process alone are passed on.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Self

from valetkey.errors import ValetkeyError

if TYPE_CHECKING:
    from valetkey.cli._childenv import PreparedCommand

CANNOT_EXECUTE, NOT_FOUND = 126, 127
"""Exit codes for a child that could not start, as in env(1)."""

PASSED = tuple(
    getattr(signal, name)
    for name in ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
)
"""The signals that are passed on to a child."""
_TYPED = frozenset(getattr(signal, name) for name in ("SIGINT", "SIGQUIT") if hasattr(signal, name))


def run_child(words: Sequence[str], env: Mapping[str, str]) -> int:
    """Return the child's exit code, or 128 + the signal that ended it. Raises ValetkeyError (126, 127) when it cannot
    start."""
    with _ToTheChild() as signals:
        try:
            child = subprocess.Popen(words, env=dict(env), restore_signals=True)
        except FileNotFoundError:
            raise ValetkeyError(f"{words[0]}: the command was not found", exit_code=NOT_FOUND) from None
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise ValetkeyError(f"{words[0]} cannot be executed: {why}", exit_code=CANNOT_EXECUTE) from None
        signals.started(child)
        code = child.wait()
    return 128 - code if code < 0 else code


def own_shell(env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the person's shell, as a command."""
    return (env.get("SHELL") or env.get("COMSPEC") or "/bin/sh",)


def may_be_lost(code: int) -> bool:
    """Return whether a child with this exit code may have failed because of its credentials: not after success, and not
    after a signal (128 + its number)."""
    return code != 0 and not 128 < code < 160


def run_prepared(name: str, words: Sequence[str], prepared: PreparedCommand) -> int:
    """Run a command for one customer, and check its session if it fails. Returns the exit code of the command. Raises
    ValetkeyError as run_child does."""
    code = run_child(words, prepared.env)
    _look_back(name, code, prepared)
    return code


def _look_back(name: str, code: int, prepared: PreparedCommand) -> None:
    """After a failed command, report whether AWS no longer knows its session. The command is not run again: it may have
    done half of its work."""
    if not may_be_lost(code):
        return
    with contextlib.suppress(KeyboardInterrupt):
        if prepared.is_lost():
            from valetkey.report.text import say

            say(
                f"valetkey: AWS no longer knows the session of {name}. valetkey dropped it. If the owner has ended "
                "the grant, the next run says so.",
                "valetkey: the role was recreated: run it again",
                stderr=True,
            )


class Signals:
    """Receives every signal of PASSED inside the block."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        for number in PASSED:
            self._stack.enter_context(handled(number, self._got))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _got(self, number: int, _: FrameType | None) -> None:
        raise NotImplementedError


class _ToTheChild(Signals):
    """Passes signals on to the child while it runs; this process does not end before it."""

    def __init__(self) -> None:
        super().__init__()
        self._child: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []

    def started(self, child: subprocess.Popen[bytes]) -> None:
        """Pass signals on to this child from now on, and those that arrived while it started."""
        self._child = child
        for number in self._early:
            self._pass_on(child, number)

    def _got(self, number: int, _: FrameType | None) -> None:
        if self._child is None:
            self._early.append(number)
        elif passes_on(number):
            self._pass_on(self._child, number)

    @staticmethod
    def _pass_on(child: subprocess.Popen[bytes], number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(number)


def passes_on(number: int) -> bool:
    """Return whether a received signal must be sent to the children; if not, the terminal has sent it to them too."""
    return not (number in _TYPED and _is_foreground())


@contextlib.contextmanager
def handled(number: int, handler: object) -> Iterator[None]:
    """Handle a signal inside the block."""
    if signal.getsignal(number) in (signal.SIG_IGN, None):
        yield  # nohup: an ignored signal stays ignored, here and in the child
        return
    before = signal.signal(number, handler)  # type: ignore[arg-type]
    try:
        yield
    finally:
        signal.signal(number, before)


def _is_foreground() -> bool:
    try:
        tty = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(tty) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(tty)
