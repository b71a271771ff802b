"""Kinds of role sessions on the sandbox: long, read-only, with session tags and a source identity, chained roles."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.e2e.use.conftest import EXTERNAL_ID

from valetkey.sandbox.accounts import REGION
from valetkey.trust import Terms, write_trust

Make = Callable[..., Any]
WHO = (sys.executable, "-c", "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])")
END = ("sh", "-c", "echo $AWS_CREDENTIAL_EXPIRATION")


def left(text: str) -> timedelta:
    return datetime.fromisoformat(text.strip().splitlines()[-1]) - datetime.now(UTC)


def long_role(it: Any, seconds: int = 43200) -> None:
    it.role("Long", max_session=seconds)
    it.save(role="Long", max_session=seconds)


def test_long_takes_a_code_of_its_own_and_lasts_as_long_as_the_role(way: Make) -> None:
    it = way()
    long_role(it)
    it.first()
    code, shown = it.person.run_tty("exec", "acme", "--long", "--", *END, code=it.user.code)
    assert code == 0, shown
    assert timedelta(hours=11, minutes=50) < left(shown) < timedelta(hours=12, minutes=5)
    assert "12 h at most: the role's own limit (MaxSessionDuration)" in shown
    # Cached: the next command makes no prompt, and the usual kind has its own session.
    done = it.person.run("exec", "acme", "--long", "--", *WHO)
    assert done.stdout.strip() == f"arn:aws:sts::{it.owner.account}:assumed-role/Long/ann", done.stderr
    assert left(it.person.run("exec", "acme", "--", *END).stdout) < timedelta(hours=1, minutes=5)
    assert (it.asked("sts:GetSessionToken"), it.asked("sts:AssumeRole")) == (1, 2)
    done = it.person.run("env", "acme", "--long")
    assert "export AWS_SESSION_TOKEN=" in done.stdout
    assert "the role's own limit" in done.stderr


def test_a_long_console_lasts_twelve_hours_whatever_the_roles_limit(way: Make) -> None:
    it = way()
    code, shown = it.person.run_tty("console", "acme", "--long", "--print", code=it.user.code)
    assert code == 0, shown
    url = next(line for line in shown.splitlines() if line.startswith("http"))
    page = it.python(
        "import sys, urllib.request, http.cookiejar as j;"
        "o = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(j.CookieJar()));"
        f"print(o.open({url!r}, timeout=20).read().decode())"
    ).stdout
    _, _, until = page.partition("Signed in until</th><td>")
    ends = datetime.strptime(until[:19], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    assert timedelta(hours=11, minutes=50) < ends - datetime.now(UTC) < timedelta(hours=12, minutes=5)
    assert it.asked("sts:GetSessionToken") == 0


def test_no_long_way_without_a_users_key(way: Make) -> None:
    it = way()
    it.first()
    session = it.person.client("sts", it.user).get_session_token()["Credentials"]
    it.person.env |= {
        "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
    }
    it.save(source_profile=None, base_from_environment=True)
    done = it.person.run("exec", "acme", "--long", "--", "true")
    assert done.returncode == 125
    assert "limits sessions from one to an hour" in done.stderr


def test_a_code_from_standard_input_and_the_rest_for_the_command(way: Make) -> None:
    it = way()
    done = it.person.run("exec", "acme", "--mfa-code-stdin", "--", "cat", input=f"{it.user.code()}\nfor the command\n")
    assert (done.returncode, done.stdout) == (0, "for the command\n"), done.stderr
    done = it.person.run("exec", "acme", "--mfa-code-stdin", "--no-cache", "--", "true", input="hello\n")
    assert done.returncode == 125
    assert "not an MFA code" in done.stderr
    assert "hello" not in done.stderr


def test_no_cache_keeps_nothing(way: Make) -> None:
    it = way()
    for count in (1, 2):
        done = it.person.run(
            "exec", "acme", "--no-cache", "--mfa-code-stdin", "--", "true", input=f"{it.user.code()}\n"
        )
        assert done.returncode == 0, done.stderr
        assert it.asked("sts:GetSessionToken") == count
    cache = it.person.home / ".cache/valetkey/sessions"
    assert not list(cache.glob("*.json"))
    it.first()
    before = {item: item.read_bytes() for item in cache.glob("*.json")}
    assert it.person.run("credential-process", "acme", "--no-cache").returncode == 3
    assert {item: item.read_bytes() for item in cache.glob("*.json")} == before


def test_read_only_takes_away_what_the_role_may(way: Make) -> None:
    it = way()
    it.owner.root(
        "iam", "attach_role_policy", RoleName="Audit", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    )
    it.first()
    make = (sys.executable, "-c", "import boto3; boto3.client('iam').create_user(UserName='made')")
    look = (sys.executable, "-c", "import boto3; print(len(boto3.client('iam').list_roles()['Roles']))")
    restricted = it.person.run("exec", "acme", "--read-only", "--", *make)
    assert "AccessDenied" in restricted.stderr
    served = it.person.run("exec", "acme", "--server", "--read-only", "--", *make)
    assert "AccessDenied" in served.stderr
    for flag in ("--long", "--no-cache"):
        done = it.person.run("exec", "acme", "--server", flag, "--", "true")
        assert (done.returncode, "--server" in done.stderr) == (125, True)
    assert it.person.run("exec", "acme", "--read-only", "--", *look).returncode == 0
    assert it.person.run("exec", "acme", "--", *make).returncode == 0
    assert it.asked("sts:GetSessionToken") == 1


def opened(it: Any, name: str = "Audit") -> None:
    """Allow a SourceIdentity and session tags, as `grant --source-identity --session-tags` does."""
    role = it.owner.root("iam", "get_role", RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    extra = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{it.person.account}:root"},
        "Action": ["sts:SetSourceIdentity", "sts:TagSession"],
    }
    document = {**role, "Statement": [*role["Statement"], extra]}
    it.owner.root("iam", "update_assume_role_policy", RoleName=name, PolicyDocument=json.dumps(document))
    own = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["sts:SetSourceIdentity", "sts:TagSession"],
                "Resource": it.profile.role_arn,
            }
        ],
    }
    it.person.root("iam", "put_user_policy", UserName="ann", PolicyName="carry", PolicyDocument=json.dumps(own))


def configure(it: Any, name: str, **settings: str) -> None:
    config = it.person.home / ".aws/config"
    lines = "".join(f"{key} = {value}\n" for key, value in settings.items())
    config.write_text(config.read_text() + f"[profile {name}]\nregion = {REGION}\n{lines}")


def test_source_identity_and_tags_reach_the_owner(way: Make) -> None:
    it = way()
    configure(
        it, "acme", source_identity="ann.of.ours", session_tags="project=blue,ticket=OPS-7", role_session_name="a.b"
    )
    done = it.person.run("credential-process", "acme")
    assert done.returncode == 2
    assert "does not admit a SourceIdentity" in done.stderr
    assert "--source-identity" in done.stderr
    assert it.asked("sts:AssumeRole") == 0
    opened(it)
    it.save(source_identity=True, session_tags=True)
    answer = it.first()
    assert it.person.client("sts", answer).get_caller_identity()["Arn"].endswith(":assumed-role/Audit/a.b")
    events = it.owner.client("cloudtrail", _admin(it)).lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "AssumeRole"}]
    )["Events"]
    sent = json.loads(events[0]["CloudTrailEvent"])["requestParameters"]
    assert sent["sourceIdentity"] == "ann.of.ours"
    assert {(tag["key"], tag["value"]) for tag in sent["tags"]} == {("project", "blue"), ("ticket", "OPS-7")}


def _admin(it: Any) -> Any:
    return it.owner.user("admin", "arn:aws:iam::aws:policy/AdministratorAccess")


def test_a_role_behind_the_grants_role(way: Make, stage: Any) -> None:
    it = way()
    other = stage.party("other")
    other.root(
        "iam",
        "create_role",
        RoleName="Work",
        AssumeRolePolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": it.profile.role_arn},
                        "Action": "sts:AssumeRole",
                        "Condition": {"StringEquals": {"sts:ExternalId": "vk-of-the-second"}},
                    }
                ],
            }
        ),
    )
    role = f"arn:aws:iam::{other.account}:role/Work"
    it.owner.root(
        "iam",
        "put_role_policy",
        RoleName="Audit",
        PolicyName="on",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role}],
            }
        ),
    )
    it.aws_profile()
    configure(it, "prod", role_arn=role, source_profile="acme", external_id="vk-of-the-second")
    code, shown = it.person.run_tty("exec", "prod", "--", *WHO, code=it.user.code)
    assert (code, shown.strip().splitlines()[-1]) == (0, f"arn:aws:sts::{other.account}:assumed-role/Work/ann"), shown
    calls = it.asked("sts:AssumeRole")
    assert it.person.run("exec", "prod", "--", *WHO).stdout.strip().endswith(":assumed-role/Work/ann")
    assert it.asked("sts:AssumeRole") == calls
    # An SDK reads the same section, and calls valetkey for the first role only.
    done = it.python(
        "import boto3; print(boto3.Session(profile_name='prod').client('sts').get_caller_identity()['Arn'])"
    )
    assert f":{other.account}:assumed-role/Work/" in done.stdout, done.stderr
    done = it.person.run("exec", "prod", "--long", "--", "true")
    assert "limits such a session to an hour (role chaining)" in done.stderr
    assert "name the grant: acme" in it.person.run("verify", "prod").stderr
    configure(it, "shut", role_arn=f"arn:aws:iam::{other.account}:role/Other", source_profile="acme")
    done = it.person.run("exec", "shut", "--", "true")
    assert done.returncode == 125
    assert f"it has to admit {it.profile.role_arn}" in done.stderr


@pytest.mark.parametrize("sees_names", [True, False])
def test_a_role_that_asks_for_the_users_name_is_entered_either_way(way: Make, sees_names: bool) -> None:
    """AWS does not document whether `${aws:username}` has a value in an MFA session (fact U1)."""
    it = way()
    it.stage.sandbox.control.vary(it.person.account, username_in_sessions=sees_names)
    terms = Terms(contractor=it.person.account, external_id=EXTERNAL_ID, name_people=True)
    it.owner.root("iam", "update_assume_role_policy", RoleName="Audit", PolicyDocument=json.dumps(write_trust(terms)))
    it.save(session_name="username")
    code, shown = it.person.run_tty("exec", "acme", "--", *WHO, code=it.user.code)
    assert code == 0, shown
    assert f"arn:aws:sts::{it.owner.account}:assumed-role/Audit/ann" in shown
    assert (it.asked("sts:GetSessionToken"), it.asked("sts:AssumeRole")) == (1, 1 if sees_names else 2)
    assert ("a code of its own" in shown) is not sees_names
    # The session and the working method are cached: the next session needs one call, and at most one code.
    assert it.person.run("exec", "acme", "--", *WHO).returncode == 0
    for account in (it.owner.account, it.person.account):
        it.stage.sandbox.control.shift(account, 3600)
    before = it.asked("sts:AssumeRole")
    code, shown = it.person.run_tty("exec", "acme", "--no-cache", "--", *WHO, code=it.user.code)
    assert code == 0, shown
    assert it.asked("sts:AssumeRole") == before + 1
