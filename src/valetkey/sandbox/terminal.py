"""Run a command that may prompt for an MFA code on its terminal, and answer the prompt. For the demo.

stdout and stderr are pipes, as in a script; only the controlling terminal (/dev/tty) is provided here. POSIX only.
"""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import selectors
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ran:
    """Result of a finished command. `prompts` counts the prompts answered on its terminal."""

    code: int
    out: str
    err: str
    prompts: int


def run(
    words: Sequence[str], *, env: Mapping[str, str], cwd: Path, answer: Callable[[], str], limit: float = 60
) -> Ran:
    """Run one command to its end, answering every prompt on its terminal with `answer()`.

    After `limit` seconds the command is killed and its code is 124.
    """
    master, slave = pty.openpty()
    with os.fdopen(slave, "rb"):
        child = subprocess.Popen(
            list(words),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            # Make this the controlling terminal of the new session: the one that /dev/tty opens.
            preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0),
            pass_fds=(slave,),
        )
        try:
            texts, prompts, late = _talk(child, master, answer, time.monotonic() + limit)
        finally:
            if child.poll() is None:
                child.kill()
            code = child.wait()
            os.close(master)
            for pipe in (child.stdout, child.stderr):
                assert pipe is not None
                pipe.close()
    return Ran(124 if late else code, texts[0], texts[1], prompts)


def _talk(
    child: subprocess.Popen[bytes], master: int, answer: Callable[[], str], deadline: float
) -> tuple[tuple[str, str], int, bool]:
    assert child.stdout is not None
    assert child.stderr is not None
    texts: dict[int, bytearray] = {child.stdout.fileno(): bytearray(), child.stderr.fileno(): bytearray()}
    asked = bytearray()
    prompts = 0
    with selectors.DefaultSelector() as ready:
        for item in (*texts, master):
            ready.register(item, selectors.EVENT_READ)
        while len(ready.get_map()) > 1 and time.monotonic() < deadline:
            for key, _ in ready.select(timeout=0.2):
                chunk = _read(key.fd)
                if key.fd == master:
                    asked += chunk
                    if asked.rstrip(b"\r\n").endswith((b": ", b":")):
                        asked.clear()
                        prompts += 1
                        os.write(master, answer().encode() + b"\n")
                elif chunk:
                    texts[key.fd] += chunk
                else:
                    ready.unregister(key.fd)
    out, err = (bytes(text).decode(errors="replace") for text in texts.values())
    return (out, err), prompts, time.monotonic() >= deadline


def _read(handle: int) -> bytes:
    try:
        return os.read(handle, 65536)
    except OSError as error:
        if error.errno == errno.EIO:  # Linux: no process has the terminal open at the moment
            time.sleep(0.02)
            return b""
        raise
