"""No secret that a run uses is in a command line, a log, a temporary file or an error, with any fault."""

from __future__ import annotations

import pathlib
import sys
from typing import Any

import pytest

IN = "import boto3; boto3.client('sts').get_caller_identity()"


LEAKS = {
    "a program's words": "import os, time; os.execlp('sh', 'sh', '-c', 'sleep 0.3', {0!r})",
    "a short program's words": "import subprocess; subprocess.run(['true', {0!r}])",
    "a temporary file": "import tempfile; tempfile.NamedTemporaryFile('w', delete=False).write({0!r})",
    "a file of the user's": "open('.notes', 'w').write({0!r})",
    "an error": "raise ValueError({0!r})",
}


@pytest.mark.parametrize("leak", LEAKS)
def test_the_watch_sees(leak: str, watch: Any) -> None:
    if leak == "a program's words" and not pathlib.Path("/proc/self/cmdline").exists():
        pytest.skip("there is no /proc: programs that are not Python are not seen")
    it = watch.it
    assert watch.run("credential-process", "acme").code == 0
    script = watch.home / "leak.py"
    script.write_text(LEAKS[leak].format(it.user.secret_access_key))
    ran = watch.program(sys.executable, "leak.py")
    script.unlink()
    watch.shown.append(ran.err)
    with pytest.raises(AssertionError, match=r"secret key is in |temporary file was left|notes was written"):
        watch.check()


@pytest.mark.slow
def test_every_command_that_touches_a_secret(watch: Any) -> None:
    it, run = watch.it, watch.run
    it.aws_profile()
    # The first code is wrong: it is a secret too, and AWS's error may quote it.
    codes = iter(["000000", *(None for _ in range(9))])

    def code() -> str:
        watch.codes.append(next(codes) or it.user.code())
        return str(watch.codes[-1])

    assert run("credential-process", "acme", code=code).code == 0
    assert run("credential-process", "acme").code == 0
    assert run("exec", "acme", "--", "sh", "-c", "exit 0").code == 0
    assert run("exec", "acme", "--", sys.executable, "-c", IN).code == 0
    assert run("env", "acme").code == 0
    run("verify", "acme")
    console = run("console", "acme", "--print")
    assert console.code == 0
    # The sign-in URL is a secret, and is printed here on request: only there.
    watch.shown.remove(console.out)
    watch.answers.append(f'"session_token": "{console.out.strip()}"')
    assert watch.program(sys.executable, "-m", "awscli", "sts", "get-caller-identity", "--profile", "acme").code == 0
    watch.check()


@pytest.mark.parametrize("kind", ["throttle", "deny", "lose"])
@pytest.mark.parametrize("operation", ["GetSessionToken", "AssumeRole"])
def test_an_error_and_its_traceback(operation: str, kind: str, watch: Any) -> None:
    it = watch.it
    assert watch.run("credential-process", "acme").code == 0
    watch.forget("role" if operation == "AssumeRole" else "*")
    it.stage.sandbox.control.fault(kind=kind, service="sts", operation=operation, account=it.person.account, times=None)
    ran = watch.run("--debug", "credential-process", "acme")
    assert ran.code != 0
    assert "Traceback" in ran.err
    assert ran.out == ""
    watch.check()
