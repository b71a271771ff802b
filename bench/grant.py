"""`grant --yes` on a sandbox: its calls, and its seconds compared with those of the same calls alone.

The calls of one run are recorded, and performed again, with nothing around them, on another account of the same
sandbox. There is no peer: elsewhere a role is made by hand or from a template, and nothing is proved about it.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from typing import Any

from valetkey.sandbox.accounts import Root
from valetkey.sandbox.client import Control
from valetkey.sandbox.process import spawn

RUNS = 3
CONTRACTOR = "123456789012"
_NOTED = """
import json, sys, botocore.client
from valetkey.cli._run import run
calls, real = [], botocore.client.BaseClient._make_api_call
def note(self, operation, params):
    calls.append([self.meta.service_model.service_name, operation, params])
    return real(self, operation, params)
botocore.client.BaseClient._make_api_call = note
code = run(sys.argv[2:])
open(sys.argv[1], "w").write(json.dumps(calls))
sys.exit(code)
"""


def run() -> None:
    """Print the calls of a grant, its median time, and that of its calls alone."""
    with spawn() as running, tempfile.TemporaryDirectory() as folder:
        control, home = Control(running.url), pathlib.Path(folder)
        accounts = [f"2000000000{number:02}" for number in range(RUNS)]
        whole: list[float] = []
        for account in accounts:
            began = time.perf_counter()
            _command(running.url, account, home, ["-m", "valetkey"])
            whole.append(time.perf_counter() - began)
        seen = Counter(request["call"] for request in control.requests(accounts[0]))
        noted = home / "calls.json"
        _command(running.url, "300000000000", home, ["-c", _NOTED, str(noted)])
        alone = [_replayed(running.url, noted.read_text(), f"4000000000{number:02}") for number in range(RUNS)]
        median, bare = statistics.median(whole), statistics.median(alone)
        print(f"   {seen.total()} calls: {', '.join(f'{count} {name}' for name, count in sorted(seen.items()))}")
        print(f"   grant --yes          {median:.2f} s, the whole process (min {min(whole):.2f}, max {max(whole):.2f})")
        print(f"   the same calls alone {bare:.2f} s, so {median / bare:.1f} times")


def _command(url: str, account: str, home: pathlib.Path, python: list[str]) -> None:
    env = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ} | {
        "HOME": str(home),
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "root",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    words = ["grant", "audit", "--to", CONTRACTOR, "--until", "30d", "--policy", "SecurityAudit", "--yes"]
    done = subprocess.run([sys.executable, *python, *words], env=env, cwd=home, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"grant ended with {done.returncode}: {done.stdout}{done.stderr}")


def _replayed(url: str, noted: str, account: str) -> float:
    """Return the seconds of the recorded calls on another account, without creating the clients."""
    root = Root(url, account)
    root("sts", "get_caller_identity")
    root("iam", "list_roles")
    began = time.perf_counter()
    calls: list[tuple[str, str, dict[str, Any]]] = json.loads(noted.replace("300000000000", account))
    for service, operation, params in calls:
        _perform(root, service, operation, params)
    return time.perf_counter() - began


def _perform(root: Root, service: str, operation: str, params: dict[str, Any]) -> None:
    """Perform one call. NoSuchEntity is a normal answer: the calls look for things before they create them."""
    from botocore import xform_name
    from botocore.exceptions import ClientError

    try:
        root(service, xform_name(operation), **params)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
