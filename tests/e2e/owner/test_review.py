"""An access review over HTTP, each command with exactly its documented permissions."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="OpenSSH is not installed")


def test_a_review_and_the_evidence_of_a_grant(stage: Any, owner: Any) -> None:
    contractor, home = stage.contractor.account, stage.owner.home
    for name in ("ends", "stays"):
        assert owner("grant", name, "--to", contractor, "--until", "30d", "--yes").returncode == 0
    trust = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{contractor}:root"},
            "Action": "sts:AssumeRole",
        },
    }
    stage.owner.root("iam", "create_role", RoleName="by-hand", AssumeRolePolicyDocument=json.dumps(trust))
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", home / "key"], check=True)
    (home / "trusted").mkdir()
    (home / "trusted" / "signers").write_text(f"rita@example.com {(home / 'key.pub').read_text()}")

    read = owner("review", "-o", "review.json", "--csv", "review.csv")
    assert read.returncode == 0, read.stderr
    review = json.loads((home / "review.json").read_text())
    entries = {item["role_arn"].rpartition("/")[2]: item for item in review["population"]["entries"]}
    assert {name: entry["state"] for name, entry in entries.items()} == {
        "by-hand": "unguarded",
        "ends": "open",
        "stays": "open",
    }
    for name, entry in entries.items():
        entry |= {"decision": "end" if name == "ends" else "keep", "reason": "Q4", "reviewer": "Rita"}
    (home / "review.json").write_text(json.dumps(review))
    done = owner("review", "apply", "review.json", "--sign", "key", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    outcomes = {
        result["role_arn"].rpartition("/")[2]: result["outcome"] for result in json.loads(done.stdout)["results"]
    }
    assert outcomes == {"by-hand": "kept", "ends": "ended", "stays": "kept"}
    names = {role["RoleName"] for role in stage.owner.root("iam", "list_roles")["Roles"]}
    assert names == {"by-hand", "stays"}

    shown = owner("show", "stays", "--evidence", "-o", "stays.json", "--sign", "key")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    for file in ("review.json", "stays.json"):
        verified = stage.owner.run("review", "verify", file, "--allowed-signers", "trusted/signers")
        assert verified.returncode == 0, verified.stderr
        assert "by rita@example.com" in verified.stdout
