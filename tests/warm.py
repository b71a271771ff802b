"""Commands in separate processes, without the half second that an interpreter needs to import valetkey and boto3.

One process per test process has imported everything and has run nothing (`main`). For each command it forks a child,
which gets the command's environment, directory, streams and terminal, and a new session, and runs the module as `python
-m` does. The child has everything that a test needs of a process: signals, exit codes, file descriptors, /dev/tty.

Not for tests of the interpreter's start: what is imported, argv as other processes see it, speed. A module that a
command forgets to import is present anyway: tests/e2e/test_real_processes.py runs each family in a real interpreter.
`fits` is false if the environment would change how an interpreter starts; then a real one is started.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import gc
import importlib
import io
import json
import os
import pkgutil
import pty
import random
import re
import runpy
import select
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import pexpect
from pexpect.fdpexpect import fdspawn

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_START = ("PYTHON", "LD_", "DYLD_", "LC_", "LANG", "FAKETIME")
"""Variables that an interpreter reads once, at its start. A warm process serves commands with the same values."""
_PROCESSES = 2
"""Maximum number of warm processes per test process. After that, other values of these variables get a real
interpreter."""
_MOST = 1 << 20
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


def _starts(env: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    named = (item for item in env.items() if item[0].startswith(_START) and item[0] != "PYTHONPATH")
    return tuple(sorted(named))


def fits(words: Sequence[str], env: Mapping[str, str]) -> bool:
    """Whether a forked child behaves like a real interpreter."""
    paths = [part for part in env.get("PYTHONPATH", "").split(os.pathsep) if part]
    if list(words[:3]) != [sys.executable, "-m", "valetkey"] or not all(path in sys.path for path in paths):
        return False
    return _starts(env) in _warm or len(_warm) < _PROCESSES


class Child:
    """A running command, with the methods of subprocess.Popen that are needed."""

    def __init__(self, pid: int, ended: int) -> None:
        self.pid = pid
        self.ended = ended
        self.returncode: int | None = None

    def poll(self) -> int | None:
        return self._read(0)

    def wait(self, timeout: float | None = None) -> int:
        if (code := self._read(timeout)) is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return code

    def _read(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self.ended], [], [], timeout)[0]:
            status = os.read(self.ended, 64)
            os.close(self.ended)
            self.ended = -1
            self.returncode = os.waitstatus_to_exitcode(int(status))
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def start(
    words: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: str | os.PathLike[str],
    streams: tuple[int, int, int],
    terminal: int | None = None,
) -> Child:
    """Run `python -m MODULE WORDS` in a new session. `terminal` becomes the one that /dev/tty opens."""
    key = _starts(env)
    if key not in _warm:
        _warm[key] = _Warm(dict(key))
    return _warm[key].start([*words[2:]], dict(env), os.fspath(cwd), streams, terminal)


def run(
    words: Sequence[str], *, env: Mapping[str, str], cwd: str | os.PathLike[str], input: str = "", timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Like subprocess.run with captured output, in a new session."""
    if not fits(words, env):
        return subprocess.run(
            words,
            env=dict(env),
            cwd=cwd,
            input=input,
            capture_output=True,
            text=True,
            timeout=timeout,
            start_new_session=True,
        )
    ends = [os.pipe() for _ in range(3)]
    mine = [ends[0][1], ends[1][0], ends[2][0]]
    theirs = (ends[0][0], ends[1][1], ends[2][1])
    try:
        child = start(words, env=env, cwd=cwd, streams=theirs)
    finally:
        for their in theirs:
            os.close(their)
    texts: list[bytes] = [b"", b""]

    def read(number: int) -> None:
        with open(mine[number + 1], "rb") as stream:
            texts[number] = stream.read()

    readers = [threading.Thread(target=read, args=(number,), daemon=True) for number in (0, 1)]
    for reader in readers:
        reader.start()
    with contextlib.suppress(BrokenPipeError), open(mine[0], "wb") as stream:
        stream.write(input.encode())
    until = time.monotonic() + timeout
    try:
        code = child.wait(timeout)
        for reader in readers:
            reader.join(max(until - time.monotonic(), 0.1))
            if reader.is_alive():
                raise subprocess.TimeoutExpired(list(words), timeout)
    except subprocess.TimeoutExpired:
        child.kill()
        raise
    # As subprocess reads text: line ends of every kind become one.
    out, err = (io.TextIOWrapper(io.BytesIO(text), encoding="utf-8").read() for text in texts)
    return subprocess.CompletedProcess(list(words), code, out, err)


def as_person(
    words: Sequence[str], *, env: Mapping[str, str], cwd: str | os.PathLike[str], answer: Callable[[], str]
) -> tuple[int, str]:
    """Like valetkey.sandbox.terminal.run. Returns the exit code, and standard output and error together."""
    (master, slave), (out, both) = pty.openpty(), os.pipe()
    until, shown, asked = time.monotonic() + 60, bytearray(), bytearray()
    try:
        with open(os.devnull) as nothing:
            child = start(words, env=env, cwd=cwd, streams=(nothing.fileno(), both, both), terminal=slave)
        os.close(both)
        while (left := until - time.monotonic()) > 0:
            ready, _, _ = select.select([out, master], [], [], left)
            if master in ready:
                asked += os.read(master, 65536)
                if asked.rstrip(b"\r\n").endswith((b": ", b":")):
                    asked.clear()
                    os.write(master, answer().encode() + b"\n")
            if out in ready:
                if not (chunk := os.read(out, 65536)):
                    break
                shown += chunk
        else:
            child.kill()
        return child.wait(30), shown.decode(errors="replace")
    finally:
        for item in (master, slave, out):
            os.close(item)


class _OnTerminal(fdspawn):  # type: ignore[misc]
    """A child on its own terminal, like pexpect.spawn."""

    child: Child
    kept: int | None
    """The terminal, kept open until the command ends, if the command itself opens it only for prompts."""

    def read_nonblocking(self, size: int = 1, timeout: float | None = -1) -> Any:
        limit = self.timeout if timeout == -1 else timeout
        if (
            self.kept is not None
            and self.child.ended in select.select([self.child_fd, self.child.ended], [], [], limit)[0]
        ):
            os.close(self.kept)
            self.kept = None
        return super().read_nonblocking(size, timeout)


def on_terminal(
    words: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: str | os.PathLike[str],
    timeout: float,
    dimensions: tuple[int, int],
    redirect: str = "",
) -> Any:
    """Run a command on its own terminal; `end` ends it. The result is used like pexpect's.

    `redirect` is in shell syntax, with files only ("</dev/null 2>log"); it needs a command that `fits`.
    """
    if not fits(words, env):
        assert not redirect, "a real interpreter is not redirected here"
        return pexpect.spawn(
            words[0],
            list(words[1:]),
            env=dict(env),
            cwd=os.fspath(cwd),
            timeout=timeout,
            encoding="utf-8",
            dimensions=dimensions,
        )
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, dimensions)
    streams = [slave, slave, slave]
    for sign, file in re.findall(r"(<|2>|>)(\S+)", redirect):
        path = os.path.join(cwd, file)
        number, flags = {"<": (0, os.O_RDONLY), ">": (1, _WRITE), "2>": (2, _WRITE)}[sign]
        streams[number] = os.open(path, flags, 0o644)
    try:
        child = start(words, env=env, cwd=cwd, streams=(streams[0], streams[1], streams[2]), terminal=slave)
    finally:
        for item in {slave, *streams} - ({slave} if redirect else set()):
            os.close(item)
    shown = _OnTerminal(master, timeout=timeout, encoding="utf-8")
    shown.child = child
    shown.kept = slave if redirect else None
    return shown


def end(shown: Any) -> int:
    """End a command on a terminal. Kills it if it still runs. Returns the exit code (128 + signal if killed)."""
    if isinstance(shown, _OnTerminal):
        # The command's terminal is closed, or the test has given up.
        with contextlib.suppress(subprocess.TimeoutExpired):
            shown.child.wait(10)
        shown.child.kill()
        code = shown.child.wait(5)
        if shown.kept is not None:
            os.close(shown.kept)
        shown.close()
        return code if code >= 0 else 128 - code
    shown.close(force=True)
    return shown.exitstatus if shown.exitstatus is not None else 128 + (shown.signalstatus or 0)


class _Warm:
    """The test process's end of the connection to a warm process."""

    def __init__(self, starts: dict[str, str]) -> None:
        env = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ} | starts
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with there:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.warm", str(there.fileno())],
                env={**env, "PYTHONPATH": os.pathsep.join(item for item in (ROOT, *sys.path) if item)},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                pass_fds=(there.fileno(),),
                start_new_session=True,
            )
        self._socket, self._lock = here, threading.Lock()
        atexit.register(self.stop)

    def start(
        self, words: list[str], env: dict[str, str], cwd: str, streams: tuple[int, int, int], terminal: int | None
    ) -> Child:
        ended, tell = os.pipe()
        given = [*streams, tell, *([] if terminal is None else [terminal])]
        with self._lock:
            socket.send_fds(self._socket, [json.dumps([words, env, cwd]).encode()], given)
            os.close(tell)
            answer = self._socket.recv(64)
        return Child(int(answer), ended)

    def stop(self) -> None:
        self._socket.close()
        self._process.wait(10)


_warm: dict[tuple[tuple[str, str], ...], _Warm] = {}


def main(handle: int) -> NoReturn:
    """The warm process: import all that a command may need, then fork a child for every message, until the connection
    closes."""
    _import_everything()
    wake, alarm = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(alarm, False)
    signal.set_wakeup_fd(alarm, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    running: dict[int, int] = {}
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=handle) as wishes:
        while True:
            ready, _, _ = select.select([wishes, wake], [], [])
            if wake in ready:
                os.read(wake, 4096)
                while ended := _ended():
                    os.write(running[ended[0]], str(ended[1]).encode())
                    os.close(running.pop(ended[0]))
            if wishes in ready:
                message, handles, _, _ = socket.recv_fds(wishes, _MOST, 5)
                if not message:
                    os._exit(0)
                pid = os.fork()
                if pid == 0:
                    for item in (handles[3], wake, alarm, handle, *running.values()):
                        os.close(item)
                    _become(*json.loads(message), handles[:3], *handles[4:])
                running[pid] = handles[3]
                for item in (*handles[:3], *handles[4:]):
                    os.close(item)
                wishes.send(str(pid).encode())


def _ended() -> tuple[int, int] | None:
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (pid, status) if pid else None


def _import_everything() -> None:
    import boto3
    from tests import models

    import valetkey.aws
    import valetkey.cli.commands
    from valetkey.catalog.actions import expand

    models.share()
    for package in (valetkey.cli, valetkey.cli.commands, valetkey.aws):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            if not module.ispkg:
                importlib.import_module(module.name)
    for service in ("iam", "sts"):
        boto3.Session("AKIAEXAMPLE", "x", region_name="us-east-1").client(service)
    expand("iam:*")


def _become(words: list[str], env: dict[str, str], cwd: str, streams: list[int], terminal: int | None = None) -> None:
    """Become the command. `words` are the module and its arguments."""
    code: Any = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        os.setsid()
        if terminal is not None:
            fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
        for number, item in enumerate(streams):
            os.dup2(item, number)
        for item in {*streams, *([] if terminal is None else [terminal])} - {0, 1, 2}:
            os.close(item)
        os.environ.clear()
        os.environ.update(env)
        os.chdir(cwd)
        time.tzset()
        random.seed()
        for number, name in enumerate(("stdin", "stdout", "stderr")):
            tty = os.isatty(number)
            stream = open(number, "r" if number == 0 else "w", 1 if tty or number == 2 else -1, closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
        sys.argv = [*words]
        sys.path[0] = os.getcwd()
        gc.unfreeze()
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as leaving:
        code = leaving.code
        if code is None:
            code = 0
        elif not isinstance(code, int):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
    finally:
        _leave(code)


def _leave(code: int) -> NoReturn:
    """End as an interpreter does."""
    with contextlib.suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined]
    with contextlib.suppress(BaseException):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:
            code = 120
    os._exit(code & 0xFF)


if __name__ == "__main__":
    main(int(sys.argv[1]))
