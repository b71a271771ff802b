"""The process: loopback only, ended with its owner, and clear about why it cannot start."""

from __future__ import annotations

import inspect
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import pytest

from valetkey.sandbox import rules, server
from valetkey.sandbox.client import Control
from valetkey.sandbox.errors import SandboxError
from valetkey.sandbox.process import end, spawn

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def gone(pid: int, within: float = 10) -> bool:
    """Whether the process has ended (or is only waiting to be collected) in time."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def test_it_binds_loopback_and_nothing_else() -> None:
    with server.bind(0) as sock:
        assert sock.getsockname()[0] == "127.0.0.1"
    assert list(inspect.signature(server.bind).parameters) == ["port"]
    with pytest.raises(SystemExit):
        server.main(["--host", "0.0.0.0"])


@linux
def test_the_running_server_listens_on_loopback_only() -> None:
    with spawn(owner=os.getpid()) as running:
        port = int(running.url.rpartition(":")[2])
        assert running.url == f"http://127.0.0.1:{port}"
        with open("/proc/net/tcp") as v4, open("/proc/net/tcp6") as v6:
            lines = [line.split() for line in (*v4, *v6)]
        listening = [item[1] for item in lines if item[3] == "0A" and item[1].endswith(f":{port:04X}")]
        assert listening == [f"0100007F:{port:04X}"]
        assert Control(running.url).pid() == running.pid
    assert gone(running.pid)


def test_a_taken_port_is_a_clear_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SandboxError, match=f"port {port} on 127.0.0.1 is already in use") as caught:
            spawn(port, owner=os.getpid())
    assert "--port" in caught.value.do
    assert caught.value.exit_code == 2


def test_without_the_extra_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> str:
        raise rules.PackageNotFoundError

    monkeypatch.setattr(rules, "version", missing)
    with pytest.raises(rules.ValetkeyError) as caught:
        spawn(owner=os.getpid())
    assert "pip install 'valetkey[sandbox]'" in caught.value.do
    assert caught.value.exit_code == 2


@linux
def test_it_ends_when_its_owner_is_killed() -> None:
    script = (
        "import os, time; from valetkey.sandbox.process import spawn;"
        "print(spawn(owner=os.getpid()).pid, flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    with owner.stdout:
        pid = int(owner.stdout.readline())
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    assert gone(pid)


@linux
def test_no_setting_of_the_caller_reaches_it() -> None:
    env = {**os.environ, "AUTH": "false", "SERVICES": "s3", "LOCALSTACK_PERSISTENCE": "1", "BIND_HOST": "0.0.0.0"}
    with spawn(owner=os.getpid(), env=env) as running, open(f"/proc/{running.pid}/environ") as file:
        names = {part.partition("=")[0] for part in file.read().split("\0") if part}
    assert names <= {"PATH", "HOME", "TMPDIR", "LANG", "PYTHONPATH"}


def test_ending_a_process_that_has_ended_is_fine() -> None:
    running = spawn(owner=os.getpid())
    running.stop()
    running.stop()
    end(running.pid)
    assert Control(running.url).pid() is None
    with pytest.raises(SandboxError, match="no sandbox answers") as caught:
        Control(running.url).requests()
    assert caught.value.exit_code == 3


CONFINED = """
import os, socket, subprocess, sys
from valetkey.sandbox.server import bind, confine
confine()
tries = {
    "connect": lambda: socket.create_connection(("192.0.2.1", 80), 1),
    "resolve": lambda: socket.getaddrinfo("example.com", 80),
    "datagram": lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)),
    "process": lambda: subprocess.run([sys.executable, "--version"]),
    "shell": lambda: os.system("true"),
    "fork": lambda: os.fork(),
    "exec": lambda: os.execv(sys.executable, [sys.executable, "--version"]),
}
for name, act in tries.items():
    try:
        act()
    except PermissionError as error:
        assert "the sandbox" in str(error), error
    else:
        sys.exit(name)
with bind(0) as sock:
    socket.create_connection(sock.getsockname(), 1).close()
print("confined")
"""


def test_a_confined_process_reaches_nothing_and_starts_nothing() -> None:
    ran = subprocess.run([sys.executable, "-c", CONFINED], capture_output=True, text=True, timeout=30)
    assert (ran.returncode, ran.stdout) == (0, "confined\n"), ran.stderr


def test_it_keeps_its_files_in_a_folder_that_goes_with_it(tmp_path: pathlib.Path) -> None:
    with spawn(owner=os.getpid(), env={**os.environ, "TMPDIR": str(tmp_path)}) as running:
        (folder,) = tmp_path.glob("valetkey-sandbox-*")
        assert folder.stat().st_mode & 0o777 == 0o700
        Control(running.url).reset()  # loads every service of the emulator, some of which write files
    assert not folder.exists()
