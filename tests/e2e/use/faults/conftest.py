"""A contractor's computer with faults, and a watch on every secret that a run uses.

The watch: an audit hook in every Python process records each command line and each file opened for writing; `/proc` is
polled for other programs; afterwards every file is searched.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from valetkey.sandbox.terminal import Ran, run

_HOOK = """
import json, os, sys
_log = os.open(os.environ["WATCH"], os.O_WRONLY)
def _note(kind, what):
    os.write(_log, (json.dumps([kind, what[:3000]]) + chr(10)).encode())
def _hook(event, args):
    if event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system"):
        _note("argv", ascii(args[:2]))
    elif event == "open" and isinstance(args[0], (str, bytes)):
        flags = args[2] or 0
        if flags & (os.O_WRONLY | os.O_RDWR):
            _note("written", os.fsdecode(args[0]))
_note("argv", ascii(sys.orig_argv))
sys.addaudithook(_hook)
"""


class Secrets:
    """The secrets of one run, and the places where they must not be."""

    def __init__(self, it: Any, folder: pathlib.Path) -> None:
        self.it = it
        self.home: pathlib.Path = it.person.home
        self.temporary = folder / "tmp"
        self.temporary.mkdir(mode=0o700)
        # A pipe, because recording must also work on a full disk.
        os.mkfifo(folder / "watch", 0o600)
        self._log = os.open(folder / "watch", os.O_RDWR | os.O_NONBLOCK)
        self._noted = b""
        hook = folder / "hook"
        hook.mkdir()
        (hook / "sitecustomize.py").write_text(_HOOK)
        path = os.pathsep.join(filter(None, (str(hook), it.person.env.get("PYTHONPATH"))))
        it.person.env |= {"PYTHONPATH": path, "WATCH": str(folder / "watch"), "TMPDIR": str(self.temporary)}
        self.codes: list[str] = []
        self.shown: list[str] = []
        """The output for people and logs: everything except the credentials that an SDK reads."""
        self.answers: list[str] = []
        self.argv: set[str] = set()
        self.elsewhere: list[pathlib.Path] = []
        """Files that simulate another store, such as a keyring, and may contain sessions."""
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def code(self) -> str:
        """A valid code."""
        self.codes.append(self.it.user.code())
        return self.codes[-1]

    def run(self, *words: str, wrap: tuple[str, ...] = (), code: Callable[[], str] | None = None) -> Ran:
        """Run `valetkey WORDS` on a terminal that answers prompts; `wrap` is a command prefix."""
        ran = self.program(*wrap, sys.executable, "-m", "valetkey", *words, code=code)
        (self.answers if words[0] in ("credential-process", "env") else self.shown).append(ran.out)
        self.shown.append(ran.err)
        return ran

    def program(self, *words: str, code: Callable[[], str] | None = None) -> Ran:
        return run(words, env=self.it.person.env, cwd=self.home, answer=code or self.code, limit=55)

    def forget(self, pattern: str) -> None:
        """Delete the cached sessions of a kind ("role", "mfa", "*") and all stored responses."""
        cache = self.home / ".cache/valetkey"
        for item in (*cache.glob(f"sessions/{pattern}-*.json"), *cache.glob("hot/*")):
            item.unlink()

    def stop(self) -> None:
        self._done.set()
        self._thread.join(10)

    def _look(self) -> None:
        mine = f"HOME={self.home}".encode()
        while not self._done.wait(0.005):
            self._read()
            for process in pathlib.Path("/proc").glob("[0-9]*"):
                try:
                    if mine in (process / "environ").read_bytes():
                        self.argv.add((process / "cmdline").read_bytes().decode(errors="replace"))
                except OSError:
                    continue

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while some := os.read(self._log, 65536):
                self._noted += some

    def all(self) -> dict[str, str]:
        """Every secret that was used, with a description."""
        result = {self.it.user.secret_access_key: "the base identity's secret key"}
        result |= dict.fromkeys(self.codes, "an MFA code")
        kept = [item.read_text(errors="replace") for item in (*self.home.rglob("*"), *self.elsewhere) if item.is_file()]
        for text in (*kept, *self.answers):
            pattern = r'"(?:secret_?access_?key|session_?token)\\?": ?\\?"([^"\\]+)\\?"'
            result |= dict.fromkeys(re.findall(pattern, text, re.IGNORECASE), "of a session")
        return result

    def check(self) -> None:
        """Assert that no secret is in a forbidden place."""
        self.stop()
        self._read()
        secrets = self.all()
        assert len(secrets) > 1, "the run used no secrets: this test shows nothing"
        log = [json.loads(line) for line in self._noted.splitlines()]
        argv = {what for kind, what in log if kind == "argv"} | self.argv
        assert any("credential-process" in item for item in argv)
        for where, texts in (("a command line", argv), ("what was shown", self.shown)):
            for text in texts:
                for secret, what in secrets.items():
                    assert not _has(text, secret), f"{what} is in {where}: {text.replace(secret, '<<HERE>>')}"
        self._check_files(secrets, {pathlib.Path(what) for kind, what in log if kind == "written"})

    def _check_files(self, secrets: dict[str, str], written: set[pathlib.Path]) -> None:
        cache, keys = self.home / ".cache/valetkey", self.home / ".aws/credentials"
        own = (".aws", ".config/valetkey")
        ours = [*self.elsewhere, cache, self.temporary, pathlib.Path("/dev"), *(self.home / item for item in own)]
        for path in written:
            if path.is_absolute() and "__pycache__" not in path.parts:  # the interpreter's, of modules alone
                # Python finds the directory for temporary files by writing to each candidate.
                is_probe = re.fullmatch("[a-z0-9_]{8}", path.name) is not None and not path.exists()
                assert is_probe or any(path.is_relative_to(item) for item in ours), f"{path} was written"
        assert list(self.temporary.iterdir()) == [], "a temporary file was left"
        for path in (item for item in self.home.rglob("*") if item.is_file() and item != keys):
            text = path.read_text(errors="replace")
            for secret, what in secrets.items():
                if _has(text, secret):
                    assert path.is_relative_to(cache), f"{what} is in {path}"
                    assert what == "of a session", f"{what} is in {path}"
                    assert path.stat().st_mode & 0o077 == 0
                    assert path.parent.stat().st_mode & 0o077 == 0


def _has(text: str, secret: str) -> bool:
    """Whether a text contains a secret. A code does not match inside a longer number."""
    return re.search(rf"(?<!\d){secret}(?!\d)", text) is not None if secret.isdigit() else secret in text


@pytest.fixture
def watch(way: Callable[..., Any], tmp_path: pathlib.Path) -> Iterator[Secrets]:
    """The watched run. The umask is 0: a file that is created without an explicit mode is readable by everyone."""
    before = os.umask(0)
    folder = tmp_path / "watched"
    folder.mkdir()
    secrets = Secrets(way(), folder)
    try:
        yield secrets
    finally:
        secrets.stop()
        os.umask(before)


@pytest.fixture
def within() -> Callable[[float], None]:
    """`within(seconds)` asserts that less time has passed since the test began."""
    begun = time.monotonic()

    def check(seconds: float) -> None:
        assert time.monotonic() - begun < seconds

    return check
