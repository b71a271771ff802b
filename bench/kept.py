"""How long `exec`, `env` and `use` take with a cached role session, compared with a bare interpreter in the same round.

Goals: less than 10 times a bare interpreter; less than 20 times with an AWS config of 10,000 profiles. No call is made:
the session is put into the cache.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta

from valetkey.cli._machine import open_profile
from valetkey.credentials.profiles import awsconfig
from valetkey.credentials.profiles.profile import Profile, save
from valetkey.credentials.sessions.cache import Cache, Session
from valetkey.credentials.sessions.values import Credentials

ROUNDS = 15
OWNER, CONTRACTOR = "210987654321", "123456789012"
PLAIN = "[default]\nregion = us-east-1\n"
MANY = "".join(f"[profile customer-{item}]\nregion = us-east-1\noutput = json\n" for item in range(10_000))
COMMANDS = {
    "exec acme -- true": ["exec", "acme", "--", "true"],
    "env acme": ["env", "acme"],
    "use acme": ["use", "acme"],
}


def run() -> None:
    """Print the median of every command and of its ratio to a bare interpreter within each round."""
    for what, config, goal in (("", PLAIN, 10), (", 10,000 profiles in the AWS config", PLAIN + MANY, 20)):
        with tempfile.TemporaryDirectory() as folder:
            env = furnish(pathlib.Path(folder), config)
            for name, words in COMMANDS.items():
                bare, took = measure([sys.executable, "-m", "valetkey", *words], env)
                ratio = statistics.median(a / b for a, b in zip(took, bare, strict=True))
                verdict = "holds" if ratio < goal else "MISSED"
                print(
                    f"{name}{what}: {statistics.median(took) * 1000:.1f} ms, bare {statistics.median(bare) * 1000:.1f}"
                )
                print(f"   {ratio:.1f} times a bare interpreter (goal under {goal}): {verdict}")


def furnish(home: pathlib.Path, config: str) -> dict[str, str]:
    """Create a customer with a role session in the cache. Returns the environment."""
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true"}
    (home / ".aws").mkdir()
    (home / ".aws/credentials").write_text("[default]\naws_access_key_id = AKIA\naws_secret_access_key = hush\n")
    (home / ".aws/config").write_text(config)
    profile = Profile(
        name="acme",
        role_arn=f"arn:aws:iam::{OWNER}:role/Audit",
        contractor=CONTRACTOR,
        source_profile="default",
        base_arn=f"arn:aws:iam::{CONTRACTOR}:user/ann",
        base_files=("~/.aws/config", "~/.aws/credentials"),
        mfa=True,
        mfa_serial=f"arn:aws:iam::{CONTRACTOR}:mfa/ann",
        max_session=3600,
        region="us-east-1",
    )
    save(profile, env)
    awsconfig.write_profile("acme", awsconfig.process_command(["valetkey"], "acme"), env, region="us-east-1")
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(env)
    try:
        key = open_profile("acme").key
    finally:
        os.environ.clear()
        os.environ.update(before)
    now = datetime.now(UTC)
    keys = Credentials(
        access_key_id="ASIA",
        secret_access_key="hush",
        session_token="hush",
        expires=now + timedelta(hours=1),
        account=OWNER,
    )
    Cache(env).put(key, Session(keys, now))
    return env


def measure(words: list[str], env: dict[str, str]) -> tuple[list[float], list[float]]:
    """Return the seconds of a bare interpreter and of the command, by round. The first round only warms the disk
    cache."""
    result: tuple[list[float], list[float]] = ([], [])
    for turn in range(ROUNDS + 1):
        for times, item in zip(result, ([sys.executable, "-c", "pass"], words), strict=True):
            began = time.perf_counter()
            subprocess.run(item, env=env, capture_output=True, check=True)
            if turn:
                times.append(time.perf_counter() - began)
    return result


if __name__ == "__main__":
    run()
