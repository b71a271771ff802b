"""The outside referee as a separate process: it receives batches over pipes, and is never imported or copied.

`Oracle` is a context manager. Every response has a time limit; a referee that does not respond, or exits, raises an
`OracleError`. The referee is not shipped: `npm ci` installs it from the lock file into `node_modules` next to this
file, which git ignores.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import queue
import shutil
import subprocess
import sys
import threading
from types import TracebackType
from typing import Any

from .cases import for_referee

HERE = pathlib.Path(__file__).parent
BATCH = 100
"""Cases per batch. As measured, larger batches are not faster."""


class OracleError(Exception):
    """The referee cannot be used: no node, no packages, no response in time."""


def installed() -> bool:
    """Whether the referee is installed in the version of the lock file."""
    name = "node_modules/@cloud-copilot/iam-simulate"
    try:
        want = json.loads((HERE / "package-lock.json").read_text())["packages"][name]["version"]
        return bool(json.loads((HERE / name / "package.json").read_text())["version"] == want)
    except FileNotFoundError:
        return False


def install(*, limit: float = 300) -> None:
    """Run `npm ci` if the referee is missing. Raises OracleError without node, npm or network."""
    if shutil.which("node") is None:
        raise OracleError("the referee needs node (version 18 or later), which is not on PATH")
    if installed():
        return
    print("installing the referee (npm ci, once)", file=sys.stderr)
    if shutil.which("npm") is None:
        raise OracleError("the referee is not installed, and npm, which would install it, is not on PATH")
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    try:
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        raise OracleError(f"`npm ci` in {HERE} took longer than {limit:.0f} s") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise OracleError(f"`npm ci` in {HERE} failed: {last}")


class Oracle:
    """One node process. `decide(cases)` returns one verdict per case, in order."""

    def __init__(self, *, limit: float = 60) -> None:
        install()
        self._limit = limit
        self._process = subprocess.Popen(
            ["node", "oracle.mjs"], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._owed = 0
        # A thread reads, so that waiting for a response can time out.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.version: str = self._ask({"ask": "version"})["version"]

    def decide(self, cases: list[dict[str, Any]]) -> list[str]:
        """`allowed`, `explicit_deny` or `implicit_deny` per case; `error: ...` where the referee itself failed."""
        verdicts: list[str] = []
        for start in range(0, len(cases), BATCH):
            verdicts += self._ask({"ask": "decide", "cases": list(map(for_referee, cases[start : start + BATCH]))})[
                "verdicts"
            ]
        return verdicts

    def send(self, cases: list[dict[str, Any]]) -> None:
        """Send cases without waiting, so that our side can work at the same time; `receive` returns the verdicts."""
        self._write({"ask": "decide", "cases": list(map(for_referee, cases))})

    def receive(self) -> list[str]:
        """The verdicts of the oldest outstanding `send`."""
        verdicts: list[str] = self._take()["verdicts"]
        return verdicts

    def rate(self, case: dict[str, Any], *, seconds: float) -> tuple[str, float]:
        """(verdict, `runSimulation` calls per second in the referee's own loop) on one case."""
        answer = self._ask({"ask": "rate", "case": for_referee(case), "seconds": seconds})
        return answer["verdict"], answer["per_second"]

    def close(self) -> None:
        """End the process; kill it if it does not end by itself."""
        with contextlib.suppress(BrokenPipeError):
            if self._process.stdin:
                self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=5)
        self._reader.join(timeout=5)
        if self._process.stdout:
            self._process.stdout.close()

    def __enter__(self) -> Oracle:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put("")

    def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        if self._owed:
            raise OracleError("an earlier question is still open")
        self._write(message)
        return self._take()

    def _write(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise OracleError("the referee has ended; its last words are above") from None
        self._owed += 1

    def _take(self) -> dict[str, Any]:
        try:
            line = self._answers.get(timeout=self._limit)
        except queue.Empty:
            self._process.kill()
            raise OracleError(f"the referee did not answer within {self._limit:.0f} s") from None
        if not line:
            raise OracleError("the referee has ended; its last words are above")
        self._owed -= 1
        answer: dict[str, Any] = json.loads(line)
        return answer
