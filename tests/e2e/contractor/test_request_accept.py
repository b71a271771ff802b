"""request and accept as people run them, on the sandbox."""

from __future__ import annotations

import json
import pathlib
import re
import stat
from typing import Any

import pytest
from tests.e2e.contractor.conftest import DOCS, Customer, documented

from valetkey.exchange.files import AccessRequest, Handoff, dump, fingerprint, load
from valetkey.trust import Terms, write_trust


@pytest.fixture
def alice(stage: Any) -> Any:
    user = stage.contractor.user("alice", documented("accept", stage.contractor.account), mfa=True)
    stage.contractor.login(user)
    return user


def ask(party: Any, *words: str) -> dict[str, Any]:
    ran = party.run("request", *words, "--json")
    assert ran.returncode == 0, ran.stderr
    said = dict(json.loads(ran.stdout))
    assert set(said) == keys("request")
    return said


def keys(command: str) -> set[str]:
    """The keys of --json that a command's page lists."""
    text = (DOCS.parent / f"{command}.md").read_text()
    listed = text[text.index("`--json` prints one object") :].split(".\n")[0]
    return set(re.findall(r"`(\w+)`", listed))


def accept(party: Any, path: pathlib.Path, *words: str) -> dict[str, Any]:
    ran = party.run("accept", str(path), *words, "--json")
    assert ran.returncode == 0, ran.stderr
    said = dict(json.loads(ran.stdout))
    assert set(said) == keys("accept")
    return said


def test_request_needs_no_permission_and_is_repeatable(stage: Any) -> None:
    party = stage.contractor
    party.login(party.user("nobody"))
    first = ask(party, "acme", "--policy", "SecurityAudit", "--policy", "ViewOnlyAccess", "--session", "2h")
    path = party.home / "valetkey-request-acme.json"
    assert first["file"] == path.name
    received = load(path.read_bytes(), AccessRequest, name="x")
    made = received.value
    assert (made.account, made.partition, made.customer) == (party.account, "aws", "acme")
    assert (made.identity, made.policies, made.session) == ("iam-user", ("SecurityAudit", "ViewOnlyAccess"), 7200)
    assert received.fingerprint == first["fingerprint"]
    before = path.read_bytes()
    assert ask(party, "acme", "--policy", "SecurityAudit", "--policy", "ViewOnlyAccess", "--session", "2h") == first
    assert path.read_bytes() == before
    kept = party.home / ".config" / "valetkey" / "requests" / f"{first['fingerprint']}.json"
    assert kept.read_bytes() == before
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600

    changed = party.run("request", "acme", "--reason", "audit 2026")
    assert changed.returncode == 2
    assert "is not this request" in changed.stderr
    assert path.read_bytes() == before
    other = ask(party, "acme", "--reason", "audit 2026", "--yes")
    assert other["external_id"] == first["external_id"]
    assert other["fingerprint"] != first["fingerprint"]
    assert ask(party, "acme", "--new", "-o", "new.json")["external_id"] != first["external_id"]


def test_what_a_person_sees(stage: Any, alice: Any) -> None:
    ran = stage.contractor.run("request", "Acme Corp")
    made = load((stage.contractor.home / "valetkey-request-Acme-Corp.json").read_bytes(), AccessRequest, name="x").value
    assert fingerprint(made) in ran.stdout
    # The contractor passes it on, so it is printed in full.
    assert made.external_id is not None
    assert made.external_id in ran.stdout
    assert "\x1b" not in ran.stdout


def test_root_is_advised(stage: Any) -> None:
    party = stage.contractor
    party.env |= {"AWS_ACCESS_KEY_ID": party.account, "AWS_SECRET_ACCESS_KEY": "any"}
    ran = party.run("request", "acme")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "root" in ran.stderr
    assert "IAM user" in ran.stderr
    assert not list(party.home.glob("*.json"))


@pytest.mark.parametrize("path", ["/aws-reserved/sso.amazonaws.com/", "/aws-reserved/sso.amazonaws.com/eu-west-1/"])
def test_the_kind_of_a_role_session(stage: Any, path: str) -> None:
    party = stage.contractor
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": party.account}, "Action": "sts:AssumeRole"}],
    }
    name = "AWSReservedSSO_Audit_0123456789abcdef"
    party.root("iam", "create_role", RoleName=name, Path=path, AssumeRolePolicyDocument=json.dumps(trust))
    arn = f"arn:aws:iam::{party.account}:role{path}{name}"
    see = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:GetRole", "Resource": arn}]}
    user = party.user(
        "sso",
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]},
    )
    keys = party.client("sts", user).assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
    party.env |= {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }
    without = ask(party, "acme")
    assert without["identity"] == "identity-center"
    assert without["identity_arn"] == f"arn:aws:iam::{party.account}:role/{name}"
    party.root("iam", "put_role_policy", RoleName=name, PolicyName="see", PolicyDocument=json.dumps(see))
    assert ask(party, "acme", "--yes")["identity_arn"] == arn


def test_a_handoff_becomes_a_profile(stage: Any, alice: Any, terms: Terms) -> None:
    party = stage.contractor
    request = ask(party, "acme")
    customer = Customer(stage, Terms(contractor=party.account, external_id=request["external_id"]))
    path = customer.hand_over(request=request["fingerprint"], mfa_max_age=7200)
    config = party.home / ".aws" / "config"
    before = config.read_bytes()

    said = accept(party, path, "--name", "acme")
    assert said["fingerprint"] == fingerprint(load(path.read_bytes(), Handoff, name="x").value)
    assert said["mfa_serial"] == alice.mfa_serial
    assert said["customer"] == "acme"
    enter, read = said["policy"]["Statement"]
    assert (enter["Action"], enter["Resource"]) == ("sts:AssumeRole", customer.handoff.role_arn)
    assert read["Resource"][0] == alice.arn
    after = config.read_bytes()
    assert after.startswith(before)
    assert pathlib.Path(said["backup"]).read_bytes() == before
    session = party.session(profile="acme")._session
    own = session.full_config["profiles"]["acme"]
    assert set(own) == {"credential_process", "region"}
    assert own["credential_process"].startswith("/")

    again = accept(party, path)
    assert (again["profile"], again["changed"], again["backup"]) == ("acme", False, None)
    assert config.read_bytes() == after


def test_the_callers_policy_is_enough_and_needed(stage: Any, alice: Any, terms: Terms) -> None:
    """The credential_process line works in boto3 only with the policy that accept prints. With that policy `verify` is
    conclusive, although AWS's message names no policy."""
    party = stage.contractor
    customer = Customer(stage, terms)
    said = accept(party, customer.hand_over(), "--name", "acme", "--yes")
    code, shown = party.run_tty("exec", "acme", "--", "true", code=alice.code)
    assert code != 0
    assert "AWS refused" in shown
    party.root("iam", "put_user_policy", UserName="alice", PolicyName="in", PolicyDocument=json.dumps(said["policy"]))
    code, shown = party.run_tty("exec", "acme", "--", "true", code=alice.code)
    assert code == 0, shown
    who = party.session(profile="acme").client("sts").get_caller_identity()
    assert who["Account"] == stage.owner.account
    assert ":assumed-role/audit/alice" in who["Arn"]
    ran = party.run("verify", "acme", "--wait", "0", "--json")
    assert ran.returncode == 0, ran.stdout
    assert {probe["result"] for probe in json.loads(ran.stdout)["probes"]} == {"right"}


def test_without_a_request_a_person_is_asked(stage: Any, alice: Any, terms: Terms) -> None:
    party = stage.contractor
    path = Customer(stage, terms).hand_over()
    ran = party.run("accept", str(path))
    assert ran.returncode == 2
    assert "--yes" in ran.stderr
    assert "[profile" not in (party.home / ".aws" / "config").read_text()
    code, shown = party.run_tty("accept", str(path), answers=[(r"\[y/N\] $", "n")], redirect="</dev/null >out 2>log")
    assert code == 1, shown
    assert f"arn:aws:iam::{stage.owner.account}:role/audit, fingerprint " in shown
    assert terms.external_id not in shown
    code, shown = party.run_tty("accept", str(path), answers=[(r"\[y/N\] $", "y")])
    assert code == 0, shown
    assert "fingerprint" in shown


def test_another_external_id_than_requested(stage: Any, alice: Any, terms: Terms) -> None:
    party = stage.contractor
    request = ask(party, "acme")
    path = Customer(stage, terms).hand_over(request=request["fingerprint"])
    for words in ((), ("--yes",), ("--customer", "acme", "--yes")):
        ran = party.run("accept", str(path), *words)
        assert ran.returncode == 1
        assert "another ExternalId" in ran.stderr


def test_a_tampered_handoff(stage: Any, alice: Any, terms: Terms) -> None:
    party = stage.contractor
    path = Customer(stage, terms).hand_over()
    path.write_text(path.read_text().replace(stage.owner.account, "999999999999"))
    ran = party.run("accept", str(path), "--yes")
    assert ran.returncode == 2
    assert "fingerprint" in ran.stderr


def test_a_handoff_for_another_account(stage: Any, terms: Terms) -> None:
    other = stage.party("other")
    other.login(other.user("eve", documented("accept", other.account), mfa=True))
    path = Customer(stage, terms).hand_over()
    ran = other.run("accept", str(path), "--yes")
    assert ran.returncode == 1
    assert stage.contractor.account in ran.stderr


def test_two_clients_never_share(stage: Any, alice: Any, terms: Terms) -> None:
    party = stage.contractor
    customer = Customer(stage, terms)
    accept(party, customer.hand_over(), "--name", "one", "--yes")
    twice = party.run("accept", "handoff.json", "--name", "two", "--yes")
    assert twice.returncode == 1
    assert "uses this role already" in twice.stderr
    third = stage.party("third")
    foreign = customer.handoff.role_arn.replace(stage.owner.account, third.account)
    same_id = party.run("accept", str(customer.hand_over(role_arn=foreign)), "--name", "two", "--yes")
    assert same_id.returncode == 1
    assert "uses this ExternalId already" in same_id.stderr


def test_devices(stage: Any, terms: Terms) -> None:
    """Without the permission to list devices, the serial is prompted for or given; a user without a device gets a
    message."""
    party = stage.contractor
    path = Customer(stage, terms).hand_over()
    party.login(party.user("bare", documented("accept", party.account)))
    ran = party.run("accept", str(path), "--yes")
    assert ran.returncode == 1
    assert "no MFA device" in ran.stderr

    hidden = party.user("hidden", mfa=True)
    party.login(hidden)
    ran = party.run("accept", str(path), "--yes")
    assert ran.returncode == 1
    assert "--mfa-serial" in ran.stderr
    code, shown = party.run_tty(
        "accept", str(path), "--yes", "--name", "asked", answers=[(r"MFA device: $", hidden.mfa_serial)]
    )
    assert code == 0, shown
    assert accept(party, path, "--yes", "--mfa-serial", hidden.mfa_serial)["mfa_serial"] == hidden.mfa_serial
    fido = f"arn:aws:iam::{party.account}:u2f/user/hidden/key"
    ran = party.run("accept", str(path), "--yes", "--mfa-serial", fido)
    assert ran.returncode == 1
    assert "FIDO" in ran.stderr


def test_names_that_are_taken(stage: Any, alice: Any, terms: Terms) -> None:
    party = stage.contractor
    path = Customer(stage, terms).hand_over()
    party.login(alice, profile="keys")
    with (party.home / ".aws" / "config").open("a") as config:
        config.write("[profile mine]\nregion = us-east-1\n")
    for name, says in (("keys", "aws_access_key_id"), ("mine", "did not write"), ("default", "every tool"), ("-x", "")):
        ran = party.run("accept", str(path), "--yes", f"--name={name}")
        assert ran.returncode == 2, name
        assert says in ran.stderr
    assert not (party.home / ".config" / "valetkey" / "profiles").exists()
    assert dump(load(path.read_bytes(), Handoff, name="x").value) == path.read_text()


@pytest.mark.parametrize("how", ["option", "environment"])
def test_the_base_identity_can_be_any_profile(stage: Any, terms: Terms, how: str) -> None:
    """Every later call uses the base identity with which accept was run."""
    party = stage.contractor
    customer = Customer(stage, terms)
    said = documented("console", party.account, customer.handoff.role_arn)
    user = party.user("alice", said, mfa=True)
    party.login(user, profile="work")
    words = ("accept", str(customer.hand_over()), "--name", "acme", "--yes", "--mfa-serial", user.mfa_serial)
    if how == "environment":
        other = party.user("bob")  # his keys in the environment would override AWS_PROFILE
        keys = {"AWS_ACCESS_KEY_ID": other.access_key_id, "AWS_SECRET_ACCESS_KEY": other.secret_access_key}
        party.env |= {"AWS_PROFILE": "work", **keys}
        assert party.run(*words).returncode == 0
        party.env["AWS_PROFILE"] = "acme"  # the profile whose credentials come from valetkey
        for name in keys:
            del party.env[name]
    else:
        assert party.run(*words).returncode == 3  # there are no credentials without it
        assert party.run(*words, "--profile", "work").returncode == 0
    code, shown = party.run_tty("exec", "acme", "--", "true", code=user.code)
    assert code == 0, shown
    who = party.session(profile="acme").client("sts").get_caller_identity()
    assert ":assumed-role/audit/alice" in who["Arn"]


def saved(party: Any, name: str = "acme") -> dict[str, Any]:
    """The profile's file, with its terms and local settings merged into one dict."""
    path = party.home / ".config" / "valetkey" / "profiles" / f"{name}.json"
    plain = dict(json.loads(path.read_text()))
    return {**plain, **plain["terms"], **plain["local"]}


def test_the_base_identity_is_recorded(stage: Any, alice: Any, terms: Terms) -> None:
    """A key of [default] is recorded as that profile, also in a shell with another person's keys."""
    party = stage.contractor
    path = Customer(stage, terms).hand_over()
    bob = party.user("bob")
    party.env |= {"AWS_ACCESS_KEY_ID": bob.access_key_id, "AWS_SECRET_ACCESS_KEY": bob.secret_access_key}
    said = accept(party, path, "--name", "acme", "--yes")
    assert (said["base"], said["base_arn"]) == ("default", alice.arn)
    result = saved(party)
    assert (result["source_profile"], result["base_arn"], result["user_name"]) == ("default", alice.arn, "alice")
    assert "base_from_environment" not in result
    # Accepting again in a shell with another AWS_PROFILE keeps the recorded one.
    party.login(bob, profile="bob")
    party.env["AWS_PROFILE"] = "bob"
    assert accept(party, path, "--name", "acme", "--yes")["base_arn"] == alice.arn
    ran = party.run("accept", str(path), "--name", "acme", "--yes", "--profile", "bob", "--mfa-serial", "GAHT12345678")
    assert f"Base identity: {bob.arn}, the AWS profile bob." in ran.stdout


def test_keys_of_the_environment_are_taken_only_when_it_is_said(stage: Any, alice: Any, terms: Terms) -> None:
    party = stage.contractor
    path = Customer(stage, terms).hand_over()
    (party.home / ".aws" / "credentials").write_text("")
    party.env |= {"AWS_ACCESS_KEY_ID": alice.access_key_id, "AWS_SECRET_ACCESS_KEY": alice.secret_access_key}
    ran = party.run("accept", str(path), "--name", "acme", "--yes")
    assert (ran.returncode, ran.stdout) == (3, "")
    assert "AWS_ACCESS_KEY_ID is not a fixed base identity" in ran.stderr
    assert "--base-from-environment" in ran.stderr
    ran = party.run("accept", str(path), "--yes", "--profile", "default", "--base-from-environment")
    assert ran.returncode == 2
    said = accept(party, path, "--name", "acme", "--yes", "--base-from-environment")
    assert (said["base"], said["base_arn"]) == (None, alice.arn)
    assert saved(party)["base_from_environment"] is True
    # Accepting again uses the recorded base identity.
    assert accept(party, path, "--name", "acme", "--yes")["base_arn"] == alice.arn


def test_a_customers_session_is_nobody_to_accept_or_to_request_with(stage: Any, alice: Any, terms: Terms) -> None:
    party = stage.contractor
    customer = Customer(stage, terms)
    said = accept(party, customer.hand_over(), "--name", "acme", "--yes")
    party.root("iam", "put_user_policy", UserName="alice", PolicyName="in", PolicyDocument=json.dumps(said["policy"]))
    code, shown = party.run_tty("credential-process", "acme", code=alice.code)
    assert code == 0, shown
    keys = json.loads(shown[shown.index("{") :])
    party.env |= {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }
    other = stage.party("other")
    other.root("iam", "create_role", RoleName="theirs", AssumeRolePolicyDocument=json.dumps(write_trust(terms)))
    handed = {"role_arn": f"arn:aws:iam::{other.account}:role/theirs", "external_id": "vk-theirs"}
    path = customer.hand_over(**handed)
    ran = party.run("accept", str(path), "--name", "theirs", "--yes", "--base-from-environment")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "such a session is never a base identity" in ran.stderr
    # Also without the local record that valetkey issued the session.
    for item in (party.home / ".cache" / "valetkey" / "sessions").glob("*.issued"):
        item.unlink()
    ran = party.run("accept", str(path), "--name", "theirs", "--yes", "--base-from-environment")
    assert "a session of acme" in ran.stderr
    ran = party.run("request", "theirs")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "a session of acme" in ran.stderr
    # In a shell that is set up for acme, accept still uses the person's identity, and reports it.
    party.env["AWS_PROFILE"] = "acme"
    ran = party.run("accept", str(path), "--name", "theirs", "--yes")
    assert ran.returncode == 0, ran.stderr
    assert "AWS_PROFILE=acme is a customer's profile" in ran.stderr
    assert saved(party, "theirs")["base_arn"] == alice.arn
