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
"""Maximum seconds to wait for a sandbox to answer."""


@dataclass
class Running:
    """A running sandbox. As a context manager it ends with the block."""

    url: str
    pid: int
    child: subprocess.Popen[str] | None = field(default=None, repr=False)

    def stop(self, limit: float = 5.0) -> None:
        """End the process with SIGTERM, after `limit` seconds with SIGKILL. May be called twice."""
        if self.child is None or self.child.poll() is not None:
            return
        self.child.terminate()
        try:
            self.child.wait(limit)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait(limit)

    def wait(self) -> int:
        """Wait until the process ends. Returns its exit code."""
        assert self.child is not None
        return self.child.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def spawn(port: int = 0, *, owner: int | None = None, env: Mapping[str, str] | None = None) -> Running:
    """Start an empty sandbox (no accounts). Returns when it answers.

    `owner` is the id of the process that the sandbox ends with (None: it runs until stopped, detached from this
    terminal). Of `env` it gets only what Python itself needs, no AWS setting. Raises SandboxError.
    """
    check_version()
    # -P: no module is imported from the current directory.
    words = [sys.executable, "-P", "-m", "valetkey.sandbox.server", "--port", str(port)]
    if owner is not None:
        words += ["--owner", str(owner)]
    # A file, not a pipe: a pipe is not read later, and a full one would stop the server.
    with tempfile.TemporaryFile("w+") as log:
        child = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env=_environment(os.environ if env is None else env),
            # Ctrl-C in this terminal must not reach the sandbox: it ends when this process stops it or has ended.
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
    """The child's ready line, or None if it ended without one. Raises SandboxError after START_LIMIT."""
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
    """End a sandbox that another process started: with SIGTERM, after `limit` seconds with SIGKILL."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        if ended(pid, limit):
            return
