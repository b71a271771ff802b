"""`valetkey login`: one code in advance, for tools without a terminal; the key and the seed in the OS keyring."""

from __future__ import annotations

import json
import os
import pathlib
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.e2e.contractor.conftest import documented

from valetkey.credentials.sessions.totp import code_at

Make = Callable[..., Any]

RING = '''
import json, os, pathlib
from keyring.backend import KeyringBackend

class Ring(KeyringBackend):
    """A keyring in a file: every process of a test sees the same one."""
    priority = 5

    def _all(self):
        path = pathlib.Path(os.environ["TEST_RING"])
        return json.loads(path.read_text()) if path.exists() else {}

    def get_password(self, service, username):
        return self._all().get(f"{service} {username}")

    def set_password(self, service, username, password):
        path = pathlib.Path(os.environ["TEST_RING"])
        path.write_text(json.dumps({**self._all(), f"{service} {username}": password}))

    def delete_password(self, service, username):
        found = self._all()
        del found[f"{service} {username}"]
        pathlib.Path(os.environ["TEST_RING"]).write_text(json.dumps(found))
'''


def with_keyring(it: Any, folder: pathlib.Path) -> Callable[[], dict[str, str]]:
    """Give the contractor's computer a keyring; return a function that returns its content."""
    (folder / "testring.py").write_text(RING)
    path = folder / "ring.json"
    it.person.env |= {
        "PYTHONPATH": os.pathsep.join(filter(None, [str(folder), it.person.env.get("PYTHONPATH")])),
        "PYTHON_KEYRING_BACKEND": "testring.Ring",
        "TEST_RING": str(path),
    }
    return lambda: json.loads(path.read_text()) if path.exists() else {}


def test_one_code_now_and_tools_without_a_terminal_find_a_session(way: Make, tmp_path: pathlib.Path) -> None:
    it = way()
    alone = it.person.run("credential-process", "acme")
    assert alone.returncode == 3
    assert "run `valetkey login acme`" in alone.stderr
    code, shown = it.person.run_tty("login", "acme", code=it.user.code)
    assert code == 0, shown
    assert "this computer has no keyring; your MFA session is kept in a file" in shown
    assert f"In arn:aws:iam::{it.owner.account}:role/Audit until " in shown
    assert "Each session lasts 1 h at most: AWS allows no more through an MFA session." in shown
    answer = json.loads(it.person.run("credential-process", "acme").stdout)
    assert answer["AccountId"] == it.owner.account
    assert (it.asked("sts:GetSessionToken"), it.asked("sts:AssumeRole")) == (1, 1)
    # A second login: a new session, without repeating the hint.
    code, shown = it.person.run_tty("login", code=it.user.code)
    assert code == 0, shown
    assert "no keyring" not in shown
    assert it.asked("sts:GetSessionToken") == 2


def test_a_grant_that_was_ended_is_seen_although_its_session_is_kept(way: Make) -> None:
    it = way()
    it.first()
    for policy in it.owner.root("iam", "list_attached_role_policies", RoleName="Audit")["AttachedPolicies"]:
        it.owner.root("iam", "detach_role_policy", RoleName="Audit", PolicyArn=policy["PolicyArn"])
    it.owner.root("iam", "delete_role", RoleName="Audit")
    done = it.person.run("exec", "acme", "--server", "--", "echo", "started")
    assert (done.returncode, done.stdout) == (125, "")
    assert "AWS refused to let you assume the role" in done.stderr
    assert "most likely:" in done.stderr
    code, shown = it.person.run_tty("login", "acme", code=it.user.code)
    assert code == 3, shown
    assert "AWS refused to let you assume the role" in shown
    assert "most likely:" in shown


def test_for_36_hours_and_as_json(way: Make) -> None:
    it = way()
    done = it.person.run("login", "--for", "36h", "--json", "--mfa-code-stdin", input=f"{it.user.code()}\n")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    left = datetime.fromisoformat(result.pop("until")) - datetime.now(UTC)
    assert timedelta(hours=35) < left < timedelta(hours=37)
    assert result == {
        "base": "default",
        "mfa_serial": it.user.mfa_serial,
        "kept_in": "file",
        "profile": None,
        "account": None,
        "role_until": None,
        "limit": None,
    }
    assert it.person.run("login", "--for", "37h").returncode == 2


def test_a_base_profile_that_no_customer_has_yet(way: Make) -> None:
    it = way()
    bob = it.person.user("bob", "arn:aws:iam::aws:policy/IAMReadOnlyAccess", mfa=True)
    it.person.login(bob, "bob")
    code, shown = it.person.run_tty("login", "--base", "bob", code=bob.code)
    assert code == 0, shown
    assert "MFA session of bob until" in shown


def test_what_login_cannot_do_says_what_does(way: Make) -> None:
    it = way()
    # A damaged profile of another customer is ignored.
    (it.person.home / ".config/valetkey/profiles/damaged.json").write_text("{}")
    it.save("globex", source_profile="other")
    done = it.person.run("login")
    assert (done.returncode, "several base identities: default, other" in done.stderr) == (2, True)
    it.person.env |= {"AWS_ACCESS_KEY_ID": "ASIAX", "AWS_SECRET_ACCESS_KEY": "x", "AWS_SESSION_TOKEN": "t"}
    it.save("globex", source_profile=None, base_from_environment=True)
    done = it.person.run("login", "globex")
    assert done.returncode == 2
    assert "temporary session" in done.stderr
    assert "AWS_SESSION_TOKEN" in done.stderr
    done = it.person.run("login", "acme", "--rotate-key", "--yes")
    assert (done.returncode, "--store-key` first" in done.stderr) == (2, True)
    done = it.person.run("login", "acme", "--store-key")
    assert (done.returncode, "no keyring" in done.stderr) == (3, True)


def test_the_key_moves_into_the_keyring_and_everything_goes_on(way: Make, tmp_path: pathlib.Path) -> None:
    it = way()
    ring = with_keyring(it, tmp_path)
    done = it.person.run("login", "--store-key")
    assert done.returncode == 0, done.stderr
    credentials = it.person.home / ".aws/credentials"
    assert it.user.secret_access_key not in credentials.read_text()
    assert ring() == {f"valetkey key:{it.user.access_key_id}": it.user.secret_access_key}
    assert it.person.run("login", "--store-key").returncode == 2
    # It opens the role session; the MFA session is stored only in the keyring.
    answer = it.first()
    assert answer["AccountId"] == it.owner.account
    assert any(name.startswith("valetkey mfa-") for name in ring())
    for item in it.person.home.rglob("*"):
        if item.is_file():
            text = item.read_text(errors="replace")
            assert it.user.secret_access_key not in text, item
            assert not item.name.startswith("mfa-") or item.suffix != ".json"
    # The other commands find it too.
    asked = it.person.run("request", "globex", "--json")
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)["identity_arn"] == it.user.arn
    # A tool that uses the base profile directly does not.
    script = "import boto3; print(boto3.Session(profile_name='default').get_credentials())"
    assert it.python(script).stdout.strip() == "None"


def test_a_key_in_the_keyring_is_changed_for_a_new_one(way: Make, tmp_path: pathlib.Path) -> None:
    it = way()
    ring = with_keyring(it, tmp_path)
    policy = documented("login-rotate-key", it.person.account)
    # As AWS advises for people who manage their own keys.
    policy["Statement"][0]["Condition"] = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    it.person.root("iam", "put_user_policy", UserName="ann", PolicyName="keys", PolicyDocument=json.dumps(policy))
    assert it.person.run("login", "--store-key").returncode == 0
    code, shown = it.person.run_tty("login", "--rotate-key", code=it.user.code, answers=[(r"\[y/N\] $", "y")])
    assert code == 0, shown
    assert f"{it.user.access_key_id} is deleted" in shown
    listed = it.person.root("iam", "list_access_keys", UserName="ann")["AccessKeyMetadata"]
    [new] = [item["AccessKeyId"] for item in listed]
    assert new != it.user.access_key_id
    assert [name for name in ring() if " key:" in name] == [f"valetkey key:{new}"]
    assert it.first()["AccountId"] == it.owner.account


@pytest.fixture
def device(way: Make) -> tuple[Any, str]:
    """A person with a known MFA seed, whose current code is unused."""
    it = way(mfa=True)
    made = it.person.root("iam", "create_virtual_mfa_device", VirtualMFADeviceName="app")["VirtualMFADevice"]
    seed = made["Base32StringSeed"]
    seed = seed.decode() if isinstance(seed, bytes) else seed
    if time.time() % 30 > 28:
        time.sleep(30 - time.time() % 30)  # or AWS would see the codes as too old
    now = time.time()
    it.person.root(
        "iam",
        "enable_mfa_device",
        UserName="ann",
        SerialNumber=made["SerialNumber"],
        AuthenticationCode1=code_at(seed, now - 60),
        AuthenticationCode2=code_at(seed, now - 30),
    )
    it.save(mfa_serial=made["SerialNumber"])
    return it, seed


def test_a_seed_in_the_keyring_answers_where_nobody_can_be_asked(
    device: tuple[Any, str], tmp_path: pathlib.Path
) -> None:
    it, seed = device
    ring = with_keyring(it, tmp_path)
    wrong = it.person.run("login", "acme", "--store-seed", input="not a seed\n")
    assert (wrong.returncode, ring()) == (2, {})
    done = it.person.run("login", "acme", "--store-seed", input=f"{seed}\n")
    assert done.returncode == 0, done.stderr
    assert "has both factors" in done.stderr
    assert seed not in done.stdout + done.stderr
    assert seed in ring().values()
    # Without the MFA session and without a terminal: it waits for the next code, because each works once.
    it.person.env["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    kept = {name: value for name, value in ring().items() if " mfa-" not in name}
    (tmp_path / "ring.json").write_text(json.dumps(kept))
    done = it.person.run("credential-process", "acme", timeout=55)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["AccountId"] == it.owner.account


def test_a_dialog_asks_where_there_is_no_terminal(way: Make, tmp_path: pathlib.Path) -> None:
    """A program with pinentry's protocol. The next call does not open a closed dialog again."""
    it = way()
    code, log, program = tmp_path / "code", tmp_path / "log", tmp_path / "pinentry"
    program.write_text(
        f"""#!/bin/sh
        echo OK
        while read -r word rest; do
            echo "$word" >> {log}
            if [ "$word" = GETPIN ] && [ ! -s {code} ]; then echo "ERR 83886179 Operation cancelled"; continue; fi
            [ "$word" = GETPIN ] && echo "D $(cat {code})"
            echo OK
        done
        """
    )
    program.chmod(0o755)
    it.person.env["VALETKEY_PINENTRY"] = str(program)
    for _ in range(3):
        done = it.person.run("credential-process", "acme")
        assert (done.returncode, done.stdout) == (3, "")
    assert log.read_text().count("GETPIN") == 1
    # With a terminal, the prompt is there, at once.
    assert it.person.run_tty("login", code=it.user.code)[0] == 0
    assert log.read_text().count("GETPIN") == 1
    other = it.person.home / "other-cache"
    it.person.env["XDG_CACHE_HOME"] = str(other)
    code.write_text(it.user.code())
    done = it.person.run("credential-process", "acme")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["AccountId"] == it.owner.account
    assert log.read_text().count("GETPIN") == 2


def test_base_identities_of_every_kind(way: Make, stage: Any) -> None:
    """A user's keys from a credential_process, a role session, and keys in the environment."""
    it = way()
    keys = {"Version": 1, "AccessKeyId": it.user.access_key_id, "SecretAccessKey": it.user.secret_access_key}
    (it.person.home / "keys.json").write_text(json.dumps(keys))
    config = it.person.home / ".aws/config"
    config.write_text(f"[profile vault]\nregion = us-east-1\ncredential_process = cat {it.person.home}/keys.json\n")
    (it.person.home / ".aws/credentials").write_text("")
    it.save(source_profile="vault")
    assert it.first()["AccountId"] == it.owner.account
    # A role session has no MFA, which is reported with what to do.
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": it.user.arn}, "Action": "sts:AssumeRole"}],
    }
    it.person.root("iam", "create_role", RoleName="Own", AssumeRolePolicyDocument=json.dumps(trust))
    own = f"arn:aws:iam::{it.person.account}:role/Own"
    it.allow(it.user, own)
    config.write_text(f"{config.read_text()}[profile own]\nrole_arn = {own}\nsource_profile = vault\n")
    it.save(source_profile="own", external_id="vk-3f9a6c1e7b2d4850", max_session=3600)
    done = it.person.run("credential-process", "acme")
    assert done.returncode == 3
    assert "carries no MFA that AWS sees" in done.stderr
    # The environment, for a profile without a base profile.
    it.person.env |= {"AWS_ACCESS_KEY_ID": keys["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"]}
    it.save(source_profile=None)
    assert json.loads(it.person.run("credential-process", "acme").stdout)["AccountId"] == it.owner.account


def test_a_command_gives_the_code(device: tuple[Any, str]) -> None:
    it, seed = device
    script = it.person.home / "otp"
    script.write_text(
        f"#!{sys.executable}\nimport time\nfrom valetkey.credentials.sessions.totp import code_at\n"
        f"print(code_at({seed!r}, time.time()))\n"
    )
    script.chmod(0o700)
    config = it.person.home / ".aws/config"
    config.write_text(config.read_text().replace("[default]\n", f"[default]\nmfa_process = {script}\n"))
    done = it.person.run("credential-process", "acme")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["AccountId"] == it.owner.account
