"""Prompt on the terminal itself: for an MFA code, a secret or an answer.

INVARIANT: only /dev/tty is read and written, never stdin, stdout or stderr: an SDK that calls `credential-process` owns
those three, hides them or pipes them.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Callable, Iterator

from valetkey.commandline import command
from valetkey.credentials.sessions.protocols import Ask, Dismissed, NoTerminal
from valetkey.report.text import clean

_TTY = "/dev/tty"
_CTRL_C = b"\x03"


def asker(
    profile: str,
    *,
    login: str = "",
    own_code: str = "",
    own_interrupt: bool = False,
    before: Callable[[], None] = lambda: None,
) -> Asker:
    """Return an `ask` for the broker. `profile` is what the prompt names as its purpose, `login` the command to run for
    the code, `own_code` an option that requires a code in any case (see Way.own_code). For `own_interrupt` and `before`
    see Asker."""
    return Asker(profile, login=login, own_code=own_code, own_interrupt=own_interrupt, before=before)


def silent(profile: str) -> Ask:
    """Return an `ask` that makes no prompt, to renew sessions in the background."""

    def refuse(device: str, /, *, seconds: float, again: str = "") -> str:
        raise Asker(profile).nobody("a new MFA code is needed, and a server cannot ask for it")

    return refuse


class Asker:
    """See valetkey.credentials.sessions.broker.Ask.

    `own_interrupt`: Ctrl-C at the prompt interrupts only this process. An interactive shell that also receives it drops
    the whole line, including `eval`, and keeps the variables that the line would have removed. `before` is called when
    a prompt is possible, before it is shown; it may raise.
    """

    def __init__(
        self,
        profile: str,
        *,
        login: str = "",
        own_code: str = "",
        own_interrupt: bool = False,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        self._profile = profile
        self._before = before
        self._own_interrupt = own_interrupt
        self._own_code = own_code
        self._login = login or command("valetkey login", profile)

    def __call__(self, device: str, /, *, seconds: float, again: str = "") -> str:
        try:
            tty = os.open(_TTY, os.O_RDWR | os.O_NOCTTY)
        except OSError:
            raise self.nobody("there is no terminal to ask for the MFA code") from None
        try:
            # A read from the background would stop this process without a message.
            if os.tcgetpgrp(tty) != os.getpgrp():
                raise self.nobody("this runs in the background and cannot ask for the MFA code")
            with _own_interrupt(tty) if self._own_interrupt else contextlib.nullcontext():
                return self._ask(tty, device, seconds, again)
        except OSError:
            raise self.nobody("the terminal was closed before an MFA code was entered") from None
        finally:
            os.close(tty)

    def nobody(self, what: str) -> NoTerminal:
        """Return the error for a prompt that is not possible."""
        if self._own_code:
            return NoTerminal(
                what, do=f"run this in a terminal; or run `{self._login}` in one, and leave {self._own_code} out here"
            )
        return NoTerminal(what, do=f"run `{self._login}` in a terminal; it asks, once for 12 hours")

    def _ask(self, tty: int, device: str, seconds: float, again: str) -> str:
        """Prompt for a code. It is shown as typed: it works once, and a killed prompt leaves the terminal's settings
        unchanged."""
        end = time.monotonic() + seconds
        if again:
            _write(tty, f"{again}\n")
        else:
            self._before()
        while True:
            _write(tty, f"MFA code for {device} (valetkey, {self._profile}): ")
            line = _line(tty, end)
            if line is None:
                _write(tty, "\n")
                raise Dismissed(f"no MFA code was given within {seconds:.0f} seconds", do="try again")
            code = line.replace(" ", "").strip()
            if not code:
                raise Dismissed("no MFA code was given", do="try again")
            if len(code) == 6 and code.isascii() and code.isdigit():
                return code
            _write(tty, "a code is 6 digits\n")


@contextlib.contextmanager
def _own_interrupt(tty: int) -> Iterator[None]:
    """Make Ctrl-C end the typed line instead of sending a signal to every process in the terminal's foreground.
    `_typed` then raises KeyboardInterrupt."""
    import termios

    try:
        before = termios.tcgetattr(tty)
        changed = termios.tcgetattr(tty)
        changed[3] &= ~termios.ISIG
        changed[6][termios.VEOL] = _CTRL_C
        termios.tcsetattr(tty, termios.TCSADRAIN, changed)
    except termios.error:
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(tty, termios.TCSADRAIN, before)


def secret(question: str, *, seconds: float) -> str:
    """Read one line without echo. Raises NoTerminal, Dismissed."""
    import termios

    with _foreground() as tty:
        before = termios.tcgetattr(tty)
        try:
            termios.tcsetattr(tty, termios.TCSAFLUSH, [*before[:3], before[3] & ~termios.ECHO, *before[4:]])
            _write(tty, question)
            line = _line(tty, time.monotonic() + seconds)
        finally:
            termios.tcsetattr(tty, termios.TCSADRAIN, before)
            _write(tty, "\n")
    if not line:
        raise Dismissed("nothing was typed" if line == "" else "nothing was typed in time", do="try again")
    return line


def is_there() -> bool:
    """Return whether a prompt is possible: a terminal exists, and this process is in its foreground."""
    try:
        with _foreground():
            return True
    except NoTerminal:
        return False


def line(question: str, *, seconds: float, fresh: bool = False) -> str:
    """Read one line, without its end and surrounding blanks; "" for the Enter key alone.

    `fresh`: discard what was typed before the question was shown. Raises NoTerminal; Dismissed after the time limit or
    at the end of input.
    """
    import termios

    with _foreground() as tty:
        if fresh:
            termios.tcflush(tty, termios.TCIFLUSH)
        _write(tty, question)
        try:
            typed = _typed(tty, time.monotonic() + seconds)
        except KeyboardInterrupt:
            _write(tty, "\n")
            raise
        if typed is None or not typed.endswith(_ENDS):
            _write(tty, "\n")
    if typed is None:
        raise Dismissed(f"no answer was given within {seconds:.0f} seconds", do="try again")
    if not typed.endswith(_ENDS):
        raise Dismissed("the input ended before an answer was given", do="try again")
    return typed.decode("utf-8", "replace").strip()


@contextlib.contextmanager
def _foreground() -> Iterator[int]:
    """Yield the open terminal, with this process in its foreground. Raises NoTerminal, also when the terminal is closed
    meanwhile."""
    import termios

    try:
        tty = os.open(_TTY, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        raise NoTerminal("this needs typed input, and there is no terminal", do="run this in a terminal") from None
    try:
        # A read from the background would stop this process without a message.
        if os.tcgetpgrp(tty) != os.getpgrp():
            raise NoTerminal("this runs in the background and cannot ask", do="run this in the foreground")
        yield tty
    except (OSError, termios.error):
        raise NoTerminal("the terminal was closed", do="run this in a terminal") from None
    finally:
        os.close(tty)


def tell(text: str) -> bool:
    """Write a message to the terminal. Return False if there is none."""
    try:
        tty = os.open(_TTY, os.O_WRONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        _write(tty, f"valetkey: {text}\n")
    except OSError:
        return False
    finally:
        os.close(tty)
    return True


def _line(tty: int, end: float) -> str | None:
    """Read one line, without its end. Return "" at the end of input, None after the time limit."""
    typed = _typed(tty, end)
    return None if typed is None else typed.decode("utf-8", "replace").rstrip("\r\n")


_ENDS = (b"\n", b"\r")
"""\\r: a program around this one has set the terminal to raw mode."""


def _typed(tty: int, end: float) -> bytes | None:
    """Read one line with its end; without one at the end of input. Return None after the time limit."""
    typed = b""
    while not typed.endswith(_ENDS):
        left = end - time.monotonic()
        if left <= 0 or not select.select([tty], [], [], left)[0]:
            return None
        some = os.read(tty, 1024)
        if not some:
            break
        typed += some
        if _CTRL_C in typed:
            raise KeyboardInterrupt
    return typed


def _write(tty: int, text: str) -> None:
    with contextlib.suppress(BlockingIOError):
        os.write(tty, clean(text).encode())
