"""The base identity: which keys, which region, and never AWS_PROFILE."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest
from botocore.compat import EC
from botocore.credentials import ProcessProvider

from valetkey.account.base_identity import NoBase
from valetkey.aws.opening import opened, tell_children
from valetkey.aws.signin import sign_in
from valetkey.awsfiles import ConfigError, settings
from valetkey.errors import ValetkeyError


@pytest.fixture
def aws(home: pathlib.Path) -> pathlib.Path:
    (home / ".aws").mkdir()
    (home / ".aws/credentials").write_text(
        "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = hush\n"
        "[work]\naws_access_key_id = AKIAWORK\naws_secret_access_key = hush\n"
    )
    (home / ".aws/config").write_text(
        "[default]\nregion = eu-west-1\n[profile work]\nregion = cn-northwest-1\nca_bundle = /x\nservices = here\n"
        "s3 =\n  addressing_style = path\n[services here]\nsts =\n  endpoint_url = http://localhost:1\n"
    )
    return home / ".aws"


def test_the_profile_and_otherwise_the_usual_chain(aws: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sign_in("work").access_key_id == "AKIAWORK"
    assert sign_in(None).access_key_id == "AKIADEFAULT"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    assert sign_in(None).access_key_id == "AKIAENV"
    assert sign_in("work").access_key_id == "AKIAWORK"


def test_where_the_keys_come_from_is_told(aws: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = """echo '{"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "hush"}'"""
    with (aws / "config").open("a") as config:
        config.write(f"[profile process]\ncredential_process = {process}\n[profile keys]\n")
        config.write("aws_access_key_id = AKIACONFIG\naws_secret_access_key = hush\n")
    assert sign_in("work").source == "shared-credentials-file"
    assert sign_in("keys").source == "config-file"
    result = sign_in("process")
    assert (result.source, result.access_key_id, result.session_token) == ("custom-process", "AKIAPROCESS", None)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    assert sign_in(None).source == "env"


@pytest.mark.parametrize(
    "section",
    [
        "login_session = arn:aws:iam::123456789012:user/ann\n",
        "sso_start_url = https://x.awsapps.com/start\nsso_region = eu-west-1\nsso_account_id = 1\nsso_role_name = Dev",
    ],
    ids=["aws login", "Identity Center"],
)
def test_a_sign_in_of_the_browser_that_is_not_there_is_told(section: str, aws: pathlib.Path) -> None:
    with (aws / "config").open("a") as config:
        config.write(f"[profile browser]\nregion = eu-west-1\n{section}")
    with pytest.raises(NoBase, match="the base profile browser") as caught:
        sign_in("browser")
    if "login_session" in section and EC is None:
        assert "valetkey[aws-login]" in caught.value.do
        assert caught.value.exit_code == 2
    else:
        assert "sign in with it again: aws" in caught.value.do
        assert caught.value.do.endswith("login --profile browser")


def test_no_secret_shows(aws: pathlib.Path) -> None:
    assert "hush" not in repr(sign_in("work"))


@pytest.mark.parametrize("name", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])
@pytest.mark.parametrize("value", ["work", "nowhere"])
def test_aws_profile_is_left_aside(name: str, value: str, aws: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    assert sign_in(None).access_key_id == "AKIADEFAULT"
    assert sign_in("default").access_key_id == "AKIADEFAULT"


@pytest.mark.parametrize(
    ("profile", "region", "partition", "endpoint"),
    [
        ("default", None, "aws", "https://sts.eu-west-1.amazonaws.com"),
        ("default", "us-west-2", "aws", "https://sts.us-west-2.amazonaws.com"),
        ("default", None, "aws-cn", "https://sts.cn-north-1.amazonaws.com.cn"),
        ("default", None, "aws-us-gov", "https://sts.us-gov-west-1.amazonaws.com"),
        ("default", None, "aws-eusc", "https://sts.eusc-de-east-1.amazonaws.eu"),
        ("default", "xx-new-1", "aws", "https://sts.xx-new-1.amazonaws.com"),
        ("default", "us-east-1", "aws-us-gov", "https://sts.us-gov-west-1.amazonaws.com"),
    ],
)
def test_the_endpoint_is_regional_and_of_the_roles_partition(
    profile: str, region: str | None, partition: str, endpoint: str, aws: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    # The global endpoint's tokens do not work in every region, whatever the setting says.
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    assert sign_in(profile, region=region, partition=partition).endpoint == endpoint


def test_without_a_customer_the_partition_is_the_regions(aws: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert sign_in("default", partition=None).endpoint == "https://sts.eu-west-1.amazonaws.com"
    with (aws / "config").open("a") as config:
        config.write("[profile china]\nregion = cn-north-1\naws_access_key_id = A\naws_secret_access_key = hush\n")
    assert sign_in("china", partition=None).endpoint == "https://sts.cn-north-1.amazonaws.com.cn"
    (aws / "config").write_text("")
    assert sign_in("default", partition=None).endpoint == "https://sts.us-east-1.amazonaws.com"


def test_customers_in_many_regions_share_one_mfa_session(aws: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert {sign_in("default", region=item).realm for item in ("eu-west-1", "us-west-2", None)} == {
        "https://sts.*.amazonaws.com"
    }
    assert sign_in("default", partition="aws-cn").realm == "https://sts.*.amazonaws.com.cn"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert sign_in("default").realm == "http://127.0.0.1:9"


def test_an_endpoint_of_the_environment_or_the_profile_is_used(
    aws: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://localhost:2")
    assert sign_in("default").endpoint == "http://localhost:2"
    monkeypatch.delenv("AWS_ENDPOINT_URL_STS")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert sign_in("work", partition="aws-cn").endpoint == "http://localhost:1"


def test_what_cannot_be_resolved_is_a_problem(aws: pathlib.Path) -> None:
    with pytest.raises(NoBase, match="base profile nowhere is not in your AWS config"):
        sign_in("nowhere")
    (aws / "credentials").write_text("[default]\naws_access_key_id = AKIA\n")
    with pytest.raises(NoBase, match="cannot be used"):
        sign_in("default")
    (aws / "credentials").write_text("")
    with pytest.raises(NoBase, match="has no credentials"):
        sign_in("default")
    (aws / "config").write_text("not an ini file")
    with pytest.raises(ConfigError, match="setting before its first") as caught:
        sign_in("default")
    assert caught.value.where.endswith("/config: line 1")


def test_a_base_profile_with_mfa_of_its_own_asks_as_valetkey_asks(aws: pathlib.Path) -> None:
    """Not by getpass, which has no end and falls back to stdin."""
    with (aws / "config").open("a") as config:
        config.write(
            "[profile own]\nrole_arn = arn:aws:iam::111122223333:role/own\nsource_profile = default\n"
            "mfa_serial = arn:aws:iam::111122223333:mfa/ann\n"
        )
    with pytest.raises(NoBase, match="base profile own asks for an MFA code itself"):
        sign_in("own")
    asked = []

    def nobody(what: str) -> str:
        asked.append(what)
        raise ValetkeyError("nobody is here")

    with pytest.raises(ValetkeyError, match="nobody is here"):
        sign_in("own", ask=nobody)
    assert asked == ["the base profile own"]


def test_settings_are_those_of_the_first_profile_that_is_there(aws: pathlib.Path) -> None:
    env = {"AWS_CONFIG_FILE": str(aws / "config")}
    assert settings(("nowhere", "work", None), env) == {
        "region": "cn-northwest-1",
        "ca_bundle": "/x",
        "s3": {"addressing_style": "path"},
        "services": {"sts": {"endpoint_url": "http://localhost:1"}},
    }
    assert settings(("nowhere", None), env) == {"region": "eu-west-1"}
    assert settings((None, "work"), env) == {"region": "eu-west-1", "ca_bundle": "/x"}
    assert settings(("nowhere",), env) == {}
    assert settings((None,), {"AWS_CONFIG_FILE": "/nowhere"}) == {}
    (aws / "config").write_text("not an ini file")
    with pytest.raises(ConfigError, match="setting before its first"):
        settings((None,), env)


def test_signing_in_with_keys_makes_no_call(aws: pathlib.Path) -> None:
    """The endpoint points nowhere (tests/conftest.py), and a socket would be refused."""
    script = "import socket; socket.socket.connect = None; from valetkey.aws.signin import sign_in; sign_in('work')"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)


def test_programs_of_the_aws_files_see_for_whom_they_run(aws: pathlib.Path) -> None:
    """The profile's own program, and that of the profile which a role is entered from; this process sees nothing."""
    script = aws / "process"
    script.write_text(
        "#!/bin/sh\n"
        """printf '{"Version": 1, "AccessKeyId": "AKIA%s", "SecretAccessKey": "%s"}' "$VALETKEY_INSIDE" "$HOME"\n"""
    )
    script.chmod(0o700)
    with (aws / "config").open("a") as config:
        config.write(f"[profile process]\ncredential_process = {script}\n")
        config.write("[profile role]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = process\n")
    result = sign_in("process", child_env={"VALETKEY_INSIDE": "ACME"})
    assert (result.access_key_id, result.secret_access_key) == ("AKIAACME", os.environ["HOME"])
    assert sign_in("process").access_key_id == "AKIA"
    core = opened("role", "files", None)
    tell_children(core, {"VALETKEY_INSIDE": "ACME"})
    chained = core.get_component("credential_provider").get_provider("assume-role")
    behind = chained._profile_provider_builder.providers("process")
    (process,) = (item for item in behind if isinstance(item, ProcessProvider))
    assert process.load().access_key == "AKIAACME"
    assert "VALETKEY_INSIDE" not in os.environ
