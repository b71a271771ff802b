"""The base identity is fixed when a handoff is accepted: nothing in the environment changes customer or person."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., Any]
BY_PROFILE = (
    "import subprocess, sys; words = 'sts get-caller-identity --query Arn --output text --profile globex'.split();"
    "sys.exit(subprocess.run([sys.executable, '-m', 'awscli', *words]).returncode)"
)
AWS = ("-m", "awscli", "sts", "get-caller-identity", "--query", "Arn", "--output", "text")


def session_env(answer: dict[str, Any]) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": answer["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": answer["SecretAccessKey"],
        "AWS_SESSION_TOKEN": answer["SessionToken"],
        "AWS_ACCOUNT_ID": answer["AccountId"],
    }


def second(it: Any, stage: Any) -> Any:
    """Add a second customer, globex; return its party."""
    owner = stage.party("globex")
    it.role("Audit", owner=owner)
    it.save("globex", owner=owner)
    it.aws_profile("acme")
    it.aws_profile("globex")
    return owner


def foreign(it: Any, answer: dict[str, Any]) -> list[dict[str, str]]:
    """Variables that another customer's shell may have in its environment."""
    bob = it.person.user("bob")
    token = it.person.home / "token"
    token.write_text("x")
    return [
        session_env(answer),
        {"AWS_PROFILE": "acme"},
        {"AWS_DEFAULT_PROFILE": "acme"},
        {"AWS_ACCESS_KEY_ID": bob.access_key_id, "AWS_SECRET_ACCESS_KEY": bob.secret_access_key},
        {
            "AWS_ROLE_ARN": f"arn:aws:iam::{it.owner.account}:role/Audit",
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
            "AWS_ROLE_SESSION_NAME": "bob",
        },
        {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/x",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "x",
        },
    ]


@pytest.mark.parametrize("number", range(6))
def test_a_shell_of_another_customer_changes_neither_customer_nor_person(number: int, way: Make, stage: Any) -> None:
    it = way()
    owner = second(it, stage)
    answer = it.first()
    changes = foreign(it, answer)[number]
    wanted = f"arn:aws:sts::{owner.account}:assumed-role/Audit/ann"
    it.person.env.update(changes)
    inside = it.person.run("exec", "globex", "--", sys.executable, *AWS)
    assert inside.stdout.strip() == wanted, inside.stderr
    # A new session, then a cached one.
    for _ in range(2):
        done = it.person.run("credential-process", "globex")
        result = it.person.client("sts", json.loads(done.stdout)).get_caller_identity()["Arn"]
        assert result == wanted
        it.person.env["AWS_MAX_ATTEMPTS"] = "2"
    done = it.python(BY_PROFILE, **changes)
    assert done.stdout.strip() == wanted, done.stderr
    assert it.asked("sts:GetSessionToken") == 1


def test_other_aws_files_change_nothing_either(way: Make, stage: Any) -> None:
    """The environment names AWS files in which `default` is another person."""
    it = way(mfa=False)
    owner = stage.party("globex")
    it.role("Audit", owner=owner)
    files = (it.person.env.pop("AWS_CONFIG_FILE"), it.person.env.pop("AWS_SHARED_CREDENTIALS_FILE"))
    assert files[0] == str(it.person.home / ".aws/config")
    ann = f"arn:aws:iam::{it.person.account}:user/ann"
    it.save("globex", owner=owner, base_files=("~/.aws/config", "~/.aws/credentials"), base_arn=ann)
    it.aws_profile("globex")
    bob = it.person.user("bob")
    it.allow(bob, f"arn:aws:iam::{owner.account}:role/Audit")
    other = it.person.home / "other"
    other.mkdir()
    (other / "config").write_text((it.person.home / ".aws/config").read_text())
    (other / "credentials").write_text(
        f"[default]\naws_access_key_id = {bob.access_key_id}\naws_secret_access_key = {bob.secret_access_key}\n"
    )
    changes = {
        "AWS_CONFIG_FILE": str(other / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(other / "credentials"),
    }
    done = it.python(BY_PROFILE, **changes)
    assert done.stdout.strip() == f"arn:aws:sts::{owner.account}:assumed-role/Audit/ann", done.stderr
    # Without recorded files, the recorded person is still checked.
    it.save("globex", owner=owner)
    it.person.env.update(changes)
    done = it.person.run("credential-process", "globex", "--no-cache")
    assert (done.returncode, done.stdout) == (3, "")
    assert "the base identity of globex is the user ann" in done.stderr
    assert f"arn:aws:iam::{it.person.account}:user/bob" in done.stderr


def test_a_file_of_an_earlier_version_is_bound_at_its_next_use(way: Make) -> None:
    it = way()
    path = it.person.home / ".config/valetkey/profiles/acme.json"
    it.save(source_profile=None)
    assert "source_profile" not in json.loads(path.read_text())["local"]
    stamp = path.stat().st_mtime_ns
    it.first()
    result = json.loads(path.read_text())["local"]
    assert (result["source_profile"], result["base_arn"]) == ("default", it.user.arn)
    assert path.stat().st_mtime_ns == stamp
    # The base identity is now fixed: another customer's shell does not matter.
    it.person.env.update(session_env(json.loads(it.person.run("credential-process", "acme").stdout)))
    assert it.person.run("exec", "acme", "--", "true").returncode == 0
    assert json.loads(path.read_text())["local"] == result


def test_one_that_was_accepted_with_keys_of_the_environment_too(way: Make) -> None:
    it = way(mfa=False)
    it.save(source_profile=None)
    (it.person.home / ".aws/credentials").write_text("")
    keys = {"AWS_ACCESS_KEY_ID": it.user.access_key_id, "AWS_SECRET_ACCESS_KEY": it.user.secret_access_key}
    it.person.env.update(keys)
    assert it.person.run("credential-process", "acme").returncode == 0
    path = it.person.home / ".config/valetkey/profiles/acme.json"
    assert json.loads(path.read_text())["local"]["base_from_environment"] is True
    # In another person's shell it is refused.
    bob = it.person.user("bob")
    it.allow(bob, it.profile.role_arn)
    it.person.env.update(AWS_ACCESS_KEY_ID=bob.access_key_id, AWS_SECRET_ACCESS_KEY=bob.secret_access_key)
    done = it.person.run("credential-process", "acme")
    assert (done.returncode, done.stdout) == (3, "")
    assert "the environment now is" in done.stderr


def test_one_of_another_user_says_accept_again(way: Make) -> None:
    it = way()
    bob = it.person.user("bob", mfa=True)
    it.person.login(bob)
    it.save(source_profile=None)
    path = it.person.home / ".config/valetkey/profiles/acme.json"
    before = path.read_text()
    done = it.person.run("credential-process", "acme")
    assert (done.returncode, done.stdout) == (1, "")
    assert "accepted as the user ann" in done.stderr
    assert "accept again" in done.stderr
    assert path.read_text() == before


def test_a_session_of_valetkeys_is_never_a_base_identity(way: Make, stage: Any) -> None:
    """In three ways: keys in the environment, an AWS profile that calls valetkey, a profile that uses such a one."""
    it = way(mfa=False)
    owner = second(it, stage)
    answer = json.loads(it.person.run("credential-process", "acme").stdout)
    it.save("globex", owner=owner, source_profile=None, base_from_environment=True)
    it.person.env.update(session_env(answer))
    done = it.person.run("credential-process", "globex")
    assert (done.returncode, done.stdout) == (1, "")
    assert "such a session is never a base identity" in done.stderr
    for name in session_env(answer):
        del it.person.env[name]
    config = it.person.home / ".aws/config"
    behind = f"[profile behind]\nrole_arn = arn:aws:iam::{it.person.account}:role/X\nsource_profile = acme\n"
    wrapped = (
        f"[profile wrapped]\ncredential_process = sh -c '\"{sys.executable}\" -m valetkey credential-process acme'\n"
    )
    config.write_text(config.read_text() + behind + wrapped)
    for source in ("acme", "behind", "wrapped"):
        it.save("globex", owner=owner, source_profile=source)
        done = it.person.run("credential-process", "globex")
        assert (done.returncode, done.stdout) == (3, ""), source
        assert "such a session is never a base identity" in done.stderr, source


def test_nor_is_an_mfa_session_of_valetkeys(way: Make, stage: Any) -> None:
    """For AWS it is the person's own session, so only its access key id shows where it comes from."""
    it = way()
    owner = second(it, stage)
    it.first()
    answer = json.loads(it.person.run("credential-process", "acme", "--mfa-session").stdout)
    it.save("globex", owner=owner, source_profile=None, base_from_environment=True)
    it.person.env.update(session_env(answer))
    done = it.person.run("credential-process", "globex")
    assert (done.returncode, done.stdout) == (1, "")
    assert "such a session is never a base identity" in done.stderr


def test_nothing_of_it_reaches_a_command(way: Make) -> None:
    it = way(mfa=False)
    done = it.person.run("exec", "acme", "--", "sh", "-c", "env | grep -c VALETKEY_INSIDE")
    assert done.stdout.strip() == "0"
    assert os.environ.get("VALETKEY_INSIDE") is None
