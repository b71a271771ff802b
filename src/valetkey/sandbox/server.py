"""The sandbox's process: the emulator with IAM enforced, behind `Front`, on loopback only.

    python -m valetkey.sandbox.server [--port N] [--owner PID]

binds 127.0.0.1, prints one JSON line `{"url": ..., "port": ..., "pid": ...}` on stdout when it answers, and serves
until SIGTERM or SIGINT, or until the owner process has ended. It reads no AWS setting, keeps nothing on disk and
connects to no service.

INVARIANT: the listening socket is made here, on 127.0.0.1, before anything else runs; there is no option for another
address.
INVARIANT: the process connects to nothing but this computer and starts no other process, whatever the emulator would do
for a Lambda function or an SNS subscription (`confine`). So no user of this computer can make it run code.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ipaddress
import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from typing import Any

HOST = "127.0.0.1"
TAKEN = 98
"""Exit code if the port is in use."""

# What the emulator reads when it is imported. Of the caller's environment it sees only what is in _KEPT.
_SETTINGS = {
    "AUTH": "true",
    "CLOUDTRAIL_RECORDING": "1",
    "BIND_HOST": HOST,
    "LOG_LEVEL": "ERROR",
    "IOT_MTLS_ENABLED": "0",
    "SFTP_ENABLED": "0",
    "DOCKER_HOST": "unix:///nonexistent/docker.sock",
    "ATHENA_ENGINE": "mock",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_KEPT = ("PATH", "HOME", "LANG", "PYTHONPATH")


def bind(port: int) -> socket.socket:
    """Return a listening socket on 127.0.0.1 (`port` 0: a free one). Raises OSError if the port is in use."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((HOST, port))
        sock.listen(128)
    except OSError:
        sock.close()
        raise
    return sock


def confine() -> None:
    """Restrict this process: from now on it may connect only to loopback and start no process. This cannot be
    undone."""

    def hook(event: str, details: tuple[Any, ...]) -> None:
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            address = details[1]
            if isinstance(address, tuple) and not _is_loopback(address[0]):
                raise PermissionError(f"the sandbox does not connect to another computer, here {address[0]}")
        elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
            if details[0] is not None and not _is_loopback(details[0]):
                raise PermissionError(f"the sandbox does not connect to another computer, here {details[0]}")
        elif event in _PROCESSES:
            raise PermissionError("the sandbox does not start processes")

    sys.addaudithook(hook)


_PROCESSES = frozenset(
    {"subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "os.system"}
)


def _is_loopback(host: Any) -> bool:
    name = host.decode("latin-1") if isinstance(host, bytes) else str(host)
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def load() -> Any:
    """Return the emulator's ASGI application with the rules installed, behind `Front`. Importing the emulator takes
    ~0.4 s."""
    from ministack import app as emulator

    # The emulator runs every script in two well-known directories of the machine.
    emulator._run_init_scripts = lambda: None
    from valetkey.sandbox import rules

    rules.install()
    from valetkey.sandbox.control import control
    from valetkey.sandbox.front import Front

    return Front(emulator.app, control)


def main(words: Sequence[str] | None = None) -> int:
    """Serve until a signal. Returns 0, or TAKEN if the port is in use."""
    parser = argparse.ArgumentParser(prog="python -m valetkey.sandbox.server")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--owner", type=int, default=None, help="end when this process has ended")
    options = parser.parse_args(words)
    try:
        sock = bind(options.port)
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return TAKEN
    os.umask(0o077)
    # The emulator writes a few files to well-known paths under /tmp, where other users could have put links.
    with tempfile.TemporaryDirectory(prefix="valetkey-sandbox-") as folder, sock:
        tempfile.tempdir = folder
        _settle(folder)
        confine()
        if options.owner is not None:
            threading.Thread(target=_follow, args=(options.owner, folder), daemon=True).start()
        asyncio.run(_serve(sock))
    return 0


async def _serve(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    application = load()
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{sock.fileno()}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 0.5
    config.shutdown_timeout = 1
    config.loglevel = "ERROR"
    config.accesslog = None
    port = sock.getsockname()[1]
    ready = {"url": f"http://{HOST}:{port}", "port": port, "pid": os.getpid()}
    async with asyncio.TaskGroup() as group:
        group.create_task(serve(application, config, shutdown_trigger=end.wait))
        # Connections queue in the listening socket from `bind` on, so the line may be printed before the first accept.
        with contextlib.suppress(OSError):
            sys.stdout.write(json.dumps(ready) + "\n")
            sys.stdout.flush()
        _silence_stdout()


def _settle(folder: str) -> None:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    os.environ.clear()
    os.environ.update(kept, **_SETTINGS, STATE_DIR=folder, S3_DATA_DIR=folder, TMPDIR=folder)


def _silence_stdout() -> None:
    """Redirect stdout to the null device. The reader of the ready line may be gone; a later write must not end the
    server."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


def _follow(owner: int, folder: str) -> None:
    """End this process at once when `owner` has ended, killed or not."""
    ended(owner, None)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def ended(pid: int, limit: float | None) -> bool:
    """Whether a process ends within `limit` seconds (None: no limit). A zombie process counts as ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    except (AttributeError, OSError):  # not available on this system
        return _polled(pid, limit)
    try:
        return bool(select.select([handle], [], [], limit)[0])
    finally:
        os.close(handle)


def _polled(pid: int, limit: float | None) -> bool:
    deadline = None if limit is None else time.monotonic() + limit
    while deadline is None or time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        time.sleep(0.05)
    return False


if __name__ == "__main__":
    sys.exit(main())
