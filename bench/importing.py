"""How long `import --all` takes for thirty profiles that were set up by hand. Goal: under 3 seconds, and no prompt.

The customers' roles are not needed: the only call is to the sandbox's STS (which base identity this is).
"""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from valetkey.sandbox.accounts import Root
from valetkey.sandbox.process import spawn

ROUNDS = 5
CONTRACTOR = "222222222222"


def run() -> None:
    """Print the median; each round begins with the same files."""
    with spawn(owner=os.getpid()) as running:
        user = Root(running.url, CONTRACTOR).user("carol", mfa=True)
        took = []
        for _ in range(ROUNDS):
            with tempfile.TemporaryDirectory() as folder:
                env = furnish(pathlib.Path(folder), running.url, user)
                began = time.perf_counter()
                words = [sys.executable, "-m", "valetkey", "import", "--all", "--yes"]
                done = subprocess.run(
                    words, env=env, capture_output=True, check=True, stdin=subprocess.DEVNULL, start_new_session=True
                )
                took.append(time.perf_counter() - began)
                assert b"Imported 30 profiles of 30 customers" in done.stdout, done.stdout
    verdict = "holds" if statistics.median(took) < 3 else "MISSED"
    print(f"import --all, 30 profiles: {statistics.median(took):.2f} s (goal under 3 s, no code asked for): {verdict}")


def furnish(home: pathlib.Path, url: str, user: object) -> dict[str, str]:
    """Write thirty sections with one base identity. Returns the environment."""
    (home / ".aws").mkdir()
    keys = f"aws_access_key_id = {user.access_key_id}\naws_secret_access_key = {user.secret_access_key}\n"
    (home / ".aws/credentials").write_text(f"[default]\n{keys}")
    (home / ".aws/config").write_text(
        "[default]\nregion = us-east-1\n"
        + "".join(
            f"\n[profile customer-{number}]\nrole_arn = arn:aws:iam::3000000000{number:02}:role/consultant\n"
            f"source_profile = default\nexternal_id = theirs-{number:02}\nmfa_serial = {user.mfa_serial}\n"
            for number in range(1, 31)
        )
    )
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_ENDPOINT_URL": url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


if __name__ == "__main__":
    run()
