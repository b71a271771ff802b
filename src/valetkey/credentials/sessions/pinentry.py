"""Prompt for a code in a dialog if there is no terminal: GnuPG's pinentry over pipes (Assuan protocol).

Rules:
- The program is `VALETKEY_PINENTRY`, or the first graphical pinentry on PATH. There is none if that variable is empty,
  or without a display.
- INVARIANT: one dialog at a time. The dialog holds a lock while it runs, even if the process that opened it was killed:
  a program that calls valetkey repeatedly cannot stack dialogs.
- A dialog that was closed is not opened again for REMEMBER seconds. A dialog without an answer is ended at the time
  limit.
- The code passes through a pipe. The program's arguments and the commands sent to it do not contain it.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

from valetkey import files
from valetkey.credentials.sessions.protocols import Dismissed, NoTerminal
from valetkey.errors import ValetkeyError

VARIABLE = "VALETKEY_PINENTRY"
REMEMBER = 120.0
"""Seconds before the next dialog after one was closed."""
_PROGRAMS = ("pinentry-gnome3", "pinentry-qt", "pinentry-qt5", "pinentry-gtk-2", "pinentry-gtk", "pinentry-x11")
_CANCELLED, _TIMED_OUT = {99, 198}, {62}
"""GnuPG's error codes, without the bits of the error source (gpg-error.h)."""
_MOST = 65536
"""Bytes of a line; no dialog sends as many."""


def find_program(env: Mapping[str, str]) -> str | None:
    """Return the full path of the pinentry program, or None."""
    path = env.get("PATH", os.defpath)
    if VARIABLE in env:
        return shutil.which(env[VARIABLE], path=path) if env[VARIABLE] else None
    if sys.platform == "darwin":
        return shutil.which("pinentry-mac", path=path)
    if not (env.get("DISPLAY") or env.get("WAYLAND_DISPLAY")):
        return None
    return next(filter(None, (shutil.which(program, path=path) for program in _PROGRAMS)), None)


class Pinentry:
    """An Ask (see protocols.Ask) that shows a dialog. `what` is the purpose shown in it."""

    def __init__(self, what: str, env: Mapping[str, str], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._env = env
        self._clock = clock

    def __call__(self, device: str, /, *, seconds: float, again: str = "") -> str:
        program = find_program(self._env)
        if program is None or os.name != "posix":
            raise NoTerminal("no dialog program (pinentry) is available to ask for the MFA code")
        text = "\n".join([*filter(None, [again]), f"MFA code for {device} ({self._what})"])
        lines = [
            f"SETTIMEOUT {max(int(seconds), 1)}",
            "SETTITLE valetkey",
            f"SETDESC {_escaped(text)}",
            "SETPROMPT Code:",
            "GETPIN",
        ]
        end = self._clock() + seconds
        with _only_one(files.cache_dir(self._env)) as lock:
            try:
                child = subprocess.Popen(
                    [program],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env=dict(self._env),
                    pass_fds=(lock,),
                    bufsize=0,
                )
            except OSError as error:
                raise NoTerminal(f"{program} cannot be started: {error.strerror}") from None
            with child:
                try:
                    answer = self._talk(child, lines, end)
                finally:
                    child.kill()
        return _code(answer)

    def _talk(self, child: subprocess.Popen[bytes], lines: list[str], end: float) -> str:
        """Send the commands and return the response to the last one."""
        assert child.stdin is not None
        assert child.stdout is not None
        reader = _Lines(child.stdout, lambda: end - self._clock())
        try:
            reader.reply()
            answer = ""
            for line in lines:
                child.stdin.write(f"{line}\n".encode())
                answer = reader.reply()
        except (OSError, EOFError):
            raise NoTerminal("the dialog program (pinentry) ended without an answer") from None
        return answer


class _Lines:
    def __init__(self, pipe: IO[bytes], left: Callable[[], float]) -> None:
        self._pipe = pipe
        self._left = left
        self._buffer = b""

    def reply(self) -> str:
        """Read one response up to its OK and return its data. Raises Dismissed, NoTerminal, EOFError."""
        data = ""
        while True:
            line = self._line().decode("utf-8", "replace")
            word, _, rest = line.partition(" ")
            if word == "OK":
                return data
            if word == "D":
                data += re.sub("%([0-9A-Fa-f]{2})", lambda match: chr(int(match[1], 16)), rest)
            elif word == "ERR":
                raise _failure(rest)

    def _line(self) -> bytes:
        while b"\n" not in self._buffer:
            left = self._left()
            if left <= 0 or not select.select([self._pipe], [], [], left)[0]:
                raise _dismissed("the dialog for the MFA code got no answer")
            some = os.read(self._pipe.fileno(), _MOST)
            if not some or len(self._buffer) > _MOST:
                raise EOFError
            self._buffer += some
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line


def _failure(rest: str) -> ValetkeyError:
    number = re.match(r"\d{1,12}", rest)
    code = int(number[0]) & 0xFFFF if number else None
    if code in _CANCELLED:
        return _dismissed("the dialog for the MFA code was closed")
    if code in _TIMED_OUT:
        return _dismissed("the dialog for the MFA code got no answer")
    return NoTerminal("the dialog program (pinentry) cannot ask here")


def _dismissed(what: str) -> Dismissed:
    problem = Dismissed(what, do="run `valetkey login` in a terminal, or try again in two minutes")
    problem.remember = REMEMBER
    return problem


def _code(answer: str) -> str:
    code = answer.replace(" ", "").strip()
    if not code:
        raise _dismissed("no MFA code was given")
    if not re.fullmatch("[0-9]{6}", code):
        raise Dismissed("this is not an MFA code: a code has 6 digits", do="try again")
    return code


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[int]:
    """Hold the dialog's lock. Yields its descriptor, which the dialog inherits. Raises Dismissed if a dialog is
    open."""
    import fcntl

    files.make_dir(folder)
    lock = os.open(folder / "pinentry.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Dismissed("a dialog for an MFA code is open already", do="answer it, or close it") from None
        yield lock
    finally:
        os.close(lock)


def _escaped(text: str) -> str:
    return "".join(char if char.isprintable() and char != "%" else f"%{ord(char):02X}" for char in text)
