"""A sandbox as a child process: started, waited for, and always ended."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from valetkey.sandbox.errors import SandboxError
from valetkey.sandbox.rules import check_version
from valetkey.sandbox.server import TAKEN, ended

START_LIMIT = 30.0
"""Seconds to wait for a sandbox to answer before giving up."""


@dataclass
class Running:
    """A running sandbox. As a context manager it ends with the block."""

    url: str
    pid: int
    child: subprocess.Popen[str] | None = field(default=None, repr=False)

    def stop(self, limit: float = 5.0) -> None:
        """End the process: SIGTERM, after `limit` seconds SIGKILL. Stopping twice is fine."""
        if self.child is None or self.child.poll() is not None:
            return
        self.child.terminate()
        try:
            self.child.wait(limit)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait(limit)

    def wait(self) -> int:
        """Wait until the process ends by itself; its exit code."""
        assert self.child is not None
        return self.child.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def spawn(port: int = 0, *, owner: int | None = None, env: Mapping[str, str] | None = None) -> Running:
    """Start an empty sandbox (no accounts) and return when it answers.

    `owner` is the process id the sandbox lives with (None: it lives on until stopped, and is detached from this
    terminal). Of `env` only what Python itself needs reaches it, no AWS setting. Raises SandboxError.
    """
    check_version()
    # -P: no module of the current directory gets in.
    words = [sys.executable, "-P", "-m", "valetkey.sandbox.server", "--port", str(port)]
    if owner is not None:
        words += ["--owner", str(owner)]
    # A file, not a pipe: nobody reads it later, and a full pipe would stop the server.
    with tempfile.TemporaryFile("w+") as log:
        child = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env=_environment(os.environ if env is None else env),
            # Ctrl-C in our terminal is ours to handle: the sandbox ends when we say so, or when we have ended.
            start_new_session=True,
            text=True,
        )
        try:
            ready = _ready(child)
        except BaseException:
            child.kill()
            child.wait()
            raise
        if ready is None:
            code = child.wait()
            log.seek(0)
            raise _failed(code, port, log.read())
    return Running(url=ready["url"], pid=child.pid, child=child)


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    return {name: env[name] for name in ("PATH", "HOME", "TMPDIR", "LANG", "PYTHONPATH") if name in env}


def _ready(child: subprocess.Popen[str]) -> dict[str, Any] | None:
    """The child's ready line, or None when it ended without one."""
    assert child.stdout is not None
    with child.stdout as out:
        readable, _, _ = select.select([out], [], [], START_LIMIT)
        if not readable:
            raise SandboxError(
                f"the sandbox did not answer within {START_LIMIT:.0f} s",
                do="try again on a less busy machine",
                exit_code=3,
            )
        line = out.readline()
    return json.loads(line) if line else None


def _failed(code: int, port: int, log: str) -> SandboxError:
    if code == TAKEN:
        return SandboxError(
            f"port {port} on 127.0.0.1 is already in use",
            do="stop what uses it (`valetkey sandbox stop` if it is a sandbox), or choose another with --port",
        )
    last = next((line for line in reversed(log.splitlines()) if line.strip()), f"exit code {code}")
    return SandboxError(f"the sandbox could not start: {last}", exit_code=3)


def end(pid: int, limit: float = 5.0) -> None:
    """End a sandbox that another process started: SIGTERM, after `limit` seconds SIGKILL."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        if ended(pid, limit):
            return
