"""A handoff that names a wrong account or role, on the sandbox: nothing is written, with any answer to the prompt."""

from __future__ import annotations

import json
import pathlib
import shlex
from typing import Any

import pytest
from tests.e2e.contractor.conftest import Customer, documented

from valetkey.exchange import files
from valetkey.trust import Terms


@pytest.fixture
def alice(stage: Any) -> Any:
    user = stage.contractor.user("alice", documented("accept", stage.contractor.account), mfa=True)
    stage.contractor.login(user)
    return user


def request(party: Any, customer: str) -> dict[str, Any]:
    ran = party.run("request", customer, "--json")
    assert ran.returncode == 0, ran.stderr
    return dict(json.loads(ran.stdout))


def everything_written(party: Any) -> dict[pathlib.Path, bytes]:
    return {item: item.read_bytes() for item in party.home.rglob("*") if item.is_file() and "handoff" not in item.name}


def refuses(party: Any, path: pathlib.Path, says: str, *words: str) -> str:
    """Assert that accept refuses with exit code 1, also with --yes, and writes nothing."""
    before = everything_written(party)
    ran = party.run("accept", str(path), *words, "--yes")
    assert (ran.returncode, ran.stdout) == (1, ""), ran.stderr
    assert says in ran.stderr
    assert everything_written(party) == before
    return str(ran.stderr)


def test_no_role_in_ones_own_account(stage: Any, alice: Any, terms: Terms) -> None:
    """Also if the handoff matches a request in every point, and if another account is signed in."""
    party = stage.contractor
    asked = request(party, "acme")
    customer = Customer(stage, terms)
    own = customer.handoff.role_arn.replace(stage.owner.account, party.account)
    fits = {"external_id": asked["external_id"], "request": asked["fingerprint"]}
    path = customer.hand_over(role_arn=own, **fits)
    for words in ((), ("--customer", "acme"), ("--name", "x")):
        refuses(party, path, "which is your own account", *words)
    code, shown = party.run_tty("accept", str(path))
    assert (code, "which is your own account" in shown, "[y/N]" in shown) == (1, True, False)
    second = stage.party("second")
    second.login(second.user("alice", mfa=True))
    second.env["XDG_CONFIG_HOME"] = str(party.home / ".config")  # the same person, signed in to another own account
    path = customer.hand_over(role_arn=own, contractor=second.account, external_id="of-nobody")
    refuses(second, path, "which is your own account")


def test_no_role_of_another_customer(stage: Any, alice: Any) -> None:
    party = stage.contractor
    acme, hostile = request(party, "acme"), request(party, "hostile")
    customer = Customer(stage, Terms(contractor=party.account, external_id=acme["external_id"]))
    path = customer.hand_over(request=acme["fingerprint"])
    assert party.run("accept", str(path), "--name", "acme").returncode == 0
    answer = {"external_id": hostile["external_id"], "request": hostile["fingerprint"]}
    role = customer.handoff.role_arn
    for arn in (role.replace("/audit", "/ops"), role.replace("/audit", "/x/Audit")):
        path = customer.hand_over(role_arn=arn, **answer)
        code, shown = party.run_tty("accept", str(path))
        assert (code, "of the customer acme" in shown, "[y/N]" in shown) == (1, True, False)
        for words in ((), ("--customer", "hostile"), ("--customer", stage.owner.account)):
            said = refuses(party, path, "of the customer acme", *words)
            do = next(line for line in said.splitlines() if line.startswith("  do: "))
            assert shlex.split(do.partition(" say ")[2].partition(";")[0]) == ["--customer", "acme"]
    unasked = customer.hand_over(role_arn=role.replace("/audit", "/ops"), external_id=acme["external_id"])
    ran = party.run("accept", str(unasked), "--name", "acme-ops", "--customer", "acme", "--json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["customer"] == "acme"


def test_no_role_where_a_profile_was_set_up_by_hand(stage: Any, alice: Any, terms: Terms) -> None:
    party = stage.contractor
    with (party.home / ".aws" / "config").open("a") as config:
        config.write(f"[profile globex]\nrole_arn = arn:aws:iam::{stage.owner.account}:role/by-hand\n")
    path = Customer(stage, terms).hand_over()
    refuses(party, path, "where your profile globex is")
    refuses(party, path, "where your profile globex is", "--customer", "hostile")
    ran = party.run("accept", str(path), "--customer", "globex", "--name", "new", "--yes")
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("sign", ["*", "`id`", "../", "\x1b[2J\n"])
def test_a_role_that_is_more_than_one(stage: Any, alice: Any, terms: Terms, sign: str) -> None:
    party = stage.contractor
    path = Customer(stage, terms).hand_over()
    plain = json.loads(path.read_text())
    del plain["fingerprint"]
    plain["role_arn"] = plain["role_arn"].replace("/audit", f"/{sign}/audit")
    path.write_text(json.dumps({**plain, "fingerprint": files._fingerprint(plain)}))
    ran = party.run("accept", str(path), "--yes")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert f"{path}: $.role_arn" in ran.stderr
    assert all(line.isprintable() for line in ran.stderr.splitlines())


def test_a_file_with_a_hostile_name(stage: Any, alice: Any, terms: Terms) -> None:
    """The file's name appears in a command for `age`."""
    party = stage.contractor
    name = "-x; touch pwned $(touch pwned) `touch pwned` 'y'.age"
    (party.home / "key").write_text("-----BEGIN AGE ENCRYPTED FILE-----\n")
    (party.home / name).write_text("-----BEGIN AGE ENCRYPTED FILE-----\n")
    ran = party.run("accept", "--identity", "key", "--", name)
    assert ran.returncode == 2
    do = next(line for line in ran.stderr.splitlines() if line.startswith("  do: "))
    command = do.partition(" with `")[2].rpartition("`, and")[0]
    assert shlex.split(command) == ["age", "-d", "-i", "key", f"./{name}"]
