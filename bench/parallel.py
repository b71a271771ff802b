"""Fifty programs at once with an empty cache: prompts, calls to STS, and how many get credentials.

Each runs on its own terminal. One person answers all prompts with what the MFA device shows: one code, which AWS
accepts once. Goals: one prompt, one GetSessionToken, all answered. The peer is awsume, in the same run and the same
way; it has no credential process, so its exit code counts as the answer.
"""

import pathlib
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pexpect

from bench.credential_process import BIN, CONTRACTOR, furnish
from valetkey.sandbox.client import Control
from valetkey.sandbox.process import spawn

COUNT = 50
LIMIT = 90
PROMPT = r"(?i)MFA (?:code|token)[^\r\n]*: ?(?:\x1b\[[0-9;]*m)*$"


@dataclass
class Storm:
    """Figures of one tool's programs."""

    prompts: int = 0
    answered: int = 0
    asked_at: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def run() -> None:
    """Print the figures of each tool, and the goals."""
    device = f"arn:aws:iam::{CONTRACTOR}:mfa/ann"
    with spawn() as running, tempfile.TemporaryDirectory() as folder:
        env = furnish(running.url, pathlib.Path(folder))
        control = Control(running.url)
        tools = {"valetkey": [sys.executable, "-m", "valetkey", "credential-process", "acme"]}
        if (awsume := BIN / "awsumepy").exists():
            tools["awsume"] = [str(awsume), "peer"]
        else:
            print("awsume is not installed: not compared")
        print(f"{'':10}  prompts  GetSessionToken  AssumeRole  answered   seconds (last answer after the first code)")
        storms = {}
        for name, words in tools.items():
            before = len(control.requests())
            code = control.totp(device)[0]
            begun = time.perf_counter()
            storm = storms[name] = _storm(words, env, lambda code=code: code)
            whole = time.perf_counter() - begun
            after = time.perf_counter() - min(storm.asked_at, default=begun)
            made = [request["call"] for request in control.requests()[before:]]
            made_one = made.count("sts:GetSessionToken")
            print(
                f"{name:10}  {storm.prompts:7}  {made_one:15}  {made.count('sts:AssumeRole'):10}  "
                f"{storm.answered:3} of {COUNT}   {whole:.1f} ({after:.1f})"
            )
            if name == "valetkey":
                holds = (storm.prompts, made_one, storm.answered) == (1, 1, COUNT)
                print(f"one prompt, one GetSessionToken, all answered: {'holds' if holds else 'MISSED'}")


def _storm(words: list[str], env: dict[str, str], code: Callable[[], str]) -> Storm:
    storm = Storm()
    threads = [threading.Thread(target=_one, args=(words, env, code, storm)) for _ in range(COUNT)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return storm


def _one(words: list[str], env: dict[str, str], code: Callable[[], str], storm: Storm) -> None:
    child = pexpect.spawn(words[0], words[1:], env=env, timeout=LIMIT, encoding="utf-8")
    while child.expect([pexpect.EOF, PROMPT, pexpect.TIMEOUT]) == 1:
        with storm.lock:
            storm.prompts += 1
            storm.asked_at.append(time.perf_counter())
        child.sendline(code())
    child.close(force=True)
    if child.exitstatus == 0:
        with storm.lock:
            storm.answered += 1


if __name__ == "__main__":
    run()
