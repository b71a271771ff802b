"""How long a tool waits for cached credentials: whole processes, paired runs, on a sandbox.

Goals: `credential-process` under 3 times a bare interpreter, and at least 5 times faster than awsume and the AWS CLI
with the same role, MFA session and role session cached where the peer caches them.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import pexpect
from tests.peers import PLACE

from valetkey.credentials.profiles.profile import Profile, save
from valetkey.sandbox.accounts import Root
from valetkey.sandbox.client import Control
from valetkey.sandbox.process import spawn

ROUNDS = 15
OWNER, CONTRACTOR = "210987654321", "123456789012"
EXTERNAL_ID = "vk-bench-0123456789"
BIN = pathlib.Path(sys.executable).parent
AWS2 = PLACE / "aws-cli/dist/aws"


def run() -> None:
    """Print the median of every command, and the medians of the ratios within each round."""
    with spawn() as running, tempfile.TemporaryDirectory() as folder:
        env = furnish(running.url, pathlib.Path(folder))
        device = f"arn:aws:iam::{CONTRACTOR}:mfa/ann"
        control = Control(running.url)
        hit = [sys.executable, "-m", "valetkey", "credential-process", "acme"]
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "python -m valetkey credential-process": hit,
        }
        on_terminal(hit, env, lambda: control.totp(device)[0])
        if (script := BIN / "valetkey").exists():
            commands["valetkey credential-process"] = [str(script), "credential-process", "acme"]
        peers = {}
        if (awsume := BIN / "awsumepy").exists():
            first = [str(awsume), "peer", "--mfa-token", control.totp(device)[0]]
            subprocess.run(first, env=env, check=True, capture_output=True)
            peers["awsume (MFA session cached)"] = [str(awsume), "peer"]
        else:
            print("awsume is not installed: not compared")
        if (aws := shutil.which("aws", path=str(BIN))) is not None:
            caller = [aws, "sts", "get-caller-identity", "--profile", "peer"]
            on_terminal(caller, env, lambda: control.totp(device)[0])
            peers["aws configure list (role cached, no call)"] = [aws, "configure", "list", "--profile", "peer"]
            peers["aws sts get-caller-identity (role cached)"] = caller
        else:
            print("the AWS CLI is not installed: not compared")
        if AWS2.exists():
            # The same job: cached credentials, printed as a credential process does. Both versions share a cache.
            words = ["configure", "export-credentials", "--profile", "peer", "--format", "process"]
            peers["aws v2 configure export-credentials (role cached)"] = [str(AWS2), *words]
        else:
            print("AWS CLI v2 is not installed (`make peers`): not compared")
        calls = len(control.requests())
        times = _measure({**commands, **peers}, env)
        _say(times, peers)
        made = [request["call"] for request in control.requests()[calls:]]
        print(f"calls made by the peers meanwhile: { ({name: made.count(name) for name in sorted(set(made))}) }")


def furnish(url: str, home: pathlib.Path) -> dict[str, str]:
    """Create a role that requires ExternalId and MFA, a user with a device, and one profile for each tool. Returns the
    environment."""
    owner, contractor = Root(url, OWNER), Root(url, CONTRACTOR)
    may = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}}
    user = contractor.user("ann", may, mfa=True)
    trust = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{CONTRACTOR}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"sts:ExternalId": EXTERNAL_ID},
                "Bool": {"aws:MultiFactorAuthPresent": "true"},
            },
        },
    }
    made = owner("iam", "create_role", RoleName="Audit", AssumeRolePolicyDocument=json.dumps(trust))
    role = made["Role"]["Arn"]
    (home / ".aws").mkdir()
    (home / ".aws/credentials").write_text(
        f"[default]\naws_access_key_id = {user.access_key_id}\naws_secret_access_key = {user.secret_access_key}\n"
    )
    (home / ".aws/config").write_text(
        "[default]\nregion = us-east-1\n[profile peer]\nregion = us-east-1\nsource_profile = default\n"
        f"role_arn = {role}\nexternal_id = {EXTERNAL_ID}\nmfa_serial = {user.mfa_serial}\n"
    )
    env = {
        **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
        "HOME": str(home),
        "AWS_ENDPOINT_URL": url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    save(
        Profile(
            name="acme",
            role_arn=role,
            external_id=EXTERNAL_ID,
            contractor=CONTRACTOR,
            source_profile="default",
            mfa=True,
            mfa_serial=user.mfa_serial,
            max_session=3600,
            user_name="ann",
            region="us-east-1",
        ),
        env,
    )
    return env


def on_terminal(words: list[str], env: dict[str, str], code: Callable[[], str]) -> None:
    """Run a command once on a terminal and answer the prompt for the code, so that the sessions are cached."""
    child = pexpect.spawn(words[0], words[1:], env=env, timeout=40, encoding="utf-8")
    child.expect("(?i)MFA code for [^\r\n]*: ")
    child.sendline(code())
    child.expect(pexpect.EOF)
    child.close()
    if child.exitstatus != 0:
        raise SystemExit(f"{words[0]} failed:\n{child.before}")


def _measure(commands: dict[str, list[str]], env: dict[str, str]) -> dict[str, list[float]]:
    """Return the seconds of every command in every round. The order rotates, so that none always runs after the same
    other."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    names = list(commands)
    for turn in range(ROUNDS + 1):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            began = time.perf_counter()
            done = subprocess.run(commands[name], env=env, capture_output=True)
            took = time.perf_counter() - began
            if done.returncode != 0:
                raise SystemExit(f"{name} failed:\n{done.stderr.decode()}")
            if turn:  # the first round only warms the disk
                times[name].append(took)
    return times


def _say(times: dict[str, list[float]], peers: dict[str, list[str]]) -> None:
    bare, hit = times["python -c pass"], times["python -m valetkey credential-process"]
    print(f"{'median ms':>9}  {'x bare':>6}  {'x cached':>8}  command ({ROUNDS} rounds)")
    for name, item in times.items():
        to_bare = statistics.median(a / b for a, b in zip(item, bare, strict=True))
        to_hit = statistics.median(a / b for a, b in zip(item, hit, strict=True))
        print(f"{statistics.median(item) * 1000:9.1f}  {to_bare:6.1f}  {to_hit:8.1f}  {name}")
    ratio = statistics.median(a / b for a, b in zip(hit, bare, strict=True))
    print(f"cached credential-process: {ratio:.1f} times a bare interpreter (goal under 3): {verdict(ratio < 3)}")
    for name in peers:
        faster = statistics.median(a / b for a, b in zip(times[name], hit, strict=True))
        print(f"{faster:.1f} times faster than {name} (goal at least 5): {verdict(faster >= 5)}")


def verdict(holds: bool) -> str:
    return "holds" if holds else "MISSED"


if __name__ == "__main__":
    run()
