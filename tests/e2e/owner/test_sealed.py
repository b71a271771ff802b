"""Both files encrypted in transit: each can be decrypted only with the other side's private key."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pyrage
import pytest

from valetkey.exchange import AccessRequest, Handoff, load


def keys(party: Any, name: str) -> tuple[str, str]:
    """A key pair in the party's HOME, as age-keygen creates it: the private key's file and the public key."""
    made = pyrage.x25519.Identity.generate()
    path = party.home / name
    path.write_text(f"# public key: {made.to_public()}\n{made}\n")
    return str(path), str(made.to_public())


def test_request_and_handoff_travel_encrypted(stage: Any) -> None:
    owner, contractor = stage.owner, stage.contractor
    owner.login(owner.user("admin", "arn:aws:iam::aws:policy/AdministratorAccess"))
    contractor.login(contractor.user("carol", "arn:aws:iam::aws:policy/IAMReadOnlyAccess", mfa=True))
    owner_key, owner_public = keys(owner, "key.txt")
    own_key, own_public = keys(contractor, "key.txt")
    public_file = contractor.home / "key.pub"
    public_file.write_text(own_public + "\n")

    made = contractor.run("request", "acme", "--public-key", str(public_file), "--encrypt-to", owner_public, "--json")
    assert made.returncode == 0, made.stderr
    said = json.loads(made.stdout)
    assert (said["encrypted"], said["file"]) == (True, "valetkey-request-acme.json.age")
    sealed = contractor.home / said["file"]
    assert b"valetkey" not in sealed.read_bytes()

    shutil.copy(sealed, owner.home / "request.age")
    for words, says in (((), "is encrypted"), (("--identity", own_key), "a key other than")):
        refused = owner.run("grant", "audit", "--request", "request.age", "--yes", *words)
        assert refused.returncode == 2
        assert says in refused.stderr
    agreed = ("--until", "30d", "--yes", "--fingerprint", said["fingerprint"])
    granted = owner.run("grant", "audit", "--request", "request.age", "-i", owner_key, *agreed)
    assert granted.returncode == 0, granted.stderr
    assert said["fingerprint"] in granted.stderr

    # The contractor's public key is in the request: the owner decrypts it once and encrypts the handoff for that key.
    opened = pyrage.decrypt(sealed.read_bytes(), [pyrage.x25519.Identity.from_str(_secret(owner_key))])
    (owner.home / "request.json").write_bytes(opened)
    assert load(opened, AccessRequest, name="r").value.public_key == own_public
    handed = owner.run("handoff", "audit", "-o", "handoff.age", "--encrypt-to", "request.json", "--json")
    assert handed.returncode == 0, handed.stderr
    assert json.loads(handed.stdout)["encrypted"]
    on_stdout = owner.run("handoff", "audit", "--encrypt-to", own_public)
    assert on_stdout.stdout.startswith("-----BEGIN AGE ENCRYPTED FILE-----")

    shutil.copy(owner.home / "handoff.age", contractor.home / "handoff.age")
    for words, says in (
        ((), "is encrypted"),
        (("-i", owner_key), "a key other than"),
        (("-i", "none"), "cannot be read"),
    ):
        refused = contractor.run("accept", "handoff.age", *words)
        assert refused.returncode == 2
        assert says in refused.stderr
    accepted = contractor.run("accept", "handoff.age", "-i", own_key, "--name", "acme", "--json")
    assert accepted.returncode == 0, accepted.stderr
    assert json.loads(accepted.stdout)["fingerprint"] == json.loads(handed.stdout)["fingerprint"]


def _secret(path: str) -> str:
    with open(path) as file:
        return next(line.strip() for line in file if line.startswith("AGE-SECRET-KEY"))


@pytest.mark.skipif(shutil.which("age") is None, reason="the program age is not installed (Debian: age)")
@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
def test_a_contractor_with_an_ssh_key_and_the_program_age(stage: Any) -> None:
    """valetkey is not needed to decrypt the file: the program age can do it, and `accept` reads its output."""
    owner, contractor = stage.owner, stage.contractor
    owner.login(owner.user("admin", "arn:aws:iam::aws:policy/AdministratorAccess"))
    contractor.login(contractor.user("carol", "arn:aws:iam::aws:policy/IAMReadOnlyAccess", mfa=True))
    path = contractor.home / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True, timeout=30)
    granted = owner.run("grant", "audit", "--to", contractor.account, "--until", "30d", "--yes")
    assert granted.returncode == 0, granted.stderr
    text = owner.run("handoff", "audit", "--encrypt-to", str(path.with_suffix(".pub"))).stdout
    opened = subprocess.run(
        ["age", "-d", "-i", path], input=text, capture_output=True, text=True, timeout=30, check=True
    ).stdout
    assert load(opened, Handoff, name="h").value.contractor == contractor.account
    (contractor.home / "handoff.json").write_text(opened)
    assert contractor.run("accept", "handoff.json", "--name", "acme", "--yes").returncode == 0
