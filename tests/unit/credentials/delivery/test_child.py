"""What a child gets, and what it must not."""

from __future__ import annotations

import configparser
import pathlib
from datetime import UTC, datetime
from typing import Any

import botocore.configloader
import pytest

from valetkey.credentials.delivery.child import Served, config_text, environment
from valetkey.credentials.delivery.regions import region_to_set
from valetkey.credentials.sessions.values import Credentials

CREDENTIALS = Credentials(
    access_key_id="ASIA1",
    secret_access_key="hush",
    session_token="token",
    expires=datetime(2026, 5, 1, 12, tzinfo=UTC),
    account="210987654321",
)


def made(env: dict[str, str], region: str | None = "eu-central-1") -> dict[str, str]:
    region = region_to_set("acme", region, env)
    config, empty = pathlib.Path("/p/config"), pathlib.Path("/p/none")
    return environment("acme", env, CREDENTIALS, region=region, config=config, empty=empty)


@pytest.mark.parametrize(
    "name",
    [
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_SECURITY_TOKEN",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "AWS_LOGIN_CACHE_DIRECTORY",
        "AWS_BEARER_TOKEN_BEDROCK",
        "AWS_ACCESS_KEY",
        "AWS_SECRET_KEY",
        "AWS_VAULT",
        "AWS_SOMETHING_NEW",
    ],
)
def test_other_ways_to_credentials_are_gone(name: str) -> None:
    assert name not in made({name: "x", "PATH": "/bin"})


@pytest.mark.parametrize(
    "name",
    [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_ACCOUNT_ID",
        "AWS_CONFIG_FILE",
        "BOTO_CONFIG",
    ],
)
def test_what_was_set_is_replaced(name: str) -> None:
    assert made({name: "theirs"})[name] != "theirs"


def test_settings_that_are_no_credentials_stay() -> None:
    kept = {
        "AWS_CA_BUNDLE": "/ca.pem",
        "AWS_ENDPOINT_URL": "http://localhost:1",
        "AWS_ENDPOINT_URL_S3": "http://localhost:2",
        "AWS_PAGER": "",
        "AWS_RETRY_MODE": "adaptive",
        "PATH": "/bin",
        "HOME": "/home/ann",
    }
    assert made(kept).items() >= kept.items()
    assert made(kept)["AWS_EC2_METADATA_DISABLED"] == "true"


def test_a_region_that_the_person_set_wins() -> None:
    assert made({})["AWS_REGION"] == made({})["AWS_DEFAULT_REGION"] == "eu-central-1"
    assert made({"AWS_DEFAULT_REGION": "us-west-2"})["AWS_DEFAULT_REGION"] == "us-west-2"
    assert "AWS_REGION" not in made({"AWS_DEFAULT_REGION": "us-west-2"})
    assert "AWS_REGION" not in made({}, region=None)


def test_the_config_keeps_settings_and_drops_every_way_to_credentials(tmp_path: pathlib.Path) -> None:
    settings: dict[str, Any] = {
        "region": "eu-central-1",
        "ca_bundle": "/ca.pem",
        "endpoint_url": "http://localhost:1",
        "s3": {"addressing_style": "path"},
        "services": {"sts": {"endpoint_url": "http://localhost:2"}},
        "credential_process": "/bin/evil",
        "role_arn": "arn:aws:iam::1:role/x",
        "source_profile": "y",
        "sso_session": "z",
        "aws_access_key_id": "AKIA",
        "aws_secret_access_key": "hush",
        "login_session": "arn",
        "web_identity_token_file": "/t",
        "credential_source": "Environment",
    }
    file = tmp_path / "config"
    file.write_text(config_text(settings))
    read = botocore.configloader.load_config(str(file))
    assert read["profiles"] == {
        "default": {
            "region": "eu-central-1",
            "ca_bundle": "/ca.pem",
            "endpoint_url": "http://localhost:1",
            "s3": {"addressing_style": "path"},
            "services": "kept",
        }
    }
    assert read["services"] == {"kept": {"sts": {"endpoint_url": "http://localhost:2"}}}


def test_a_value_cannot_add_a_line(tmp_path: pathlib.Path) -> None:
    text = config_text({"region": "x\n[profile y]\naws_access_key_id = AKIA"})
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    assert parser.sections() == ["default"]
    assert list(parser["default"]) == ["region"]


def test_a_region_stands_in() -> None:
    assert "region = a" in config_text({}, region="a")
    assert "region = b" in config_text({"region": "b"}, region="a")


def test_a_child_that_is_served_gets_an_address_and_no_keys() -> None:
    served = Served("http://127.0.0.1:1/acme", pathlib.Path("/p/acme.token"), "210987654321")
    before = {
        "AWS_ACCESS_KEY_ID": "theirs",
        "AWS_SECRET_ACCESS_KEY": "theirs",
        "AWS_SESSION_TOKEN": "theirs",
        "AWS_PROFILE": "theirs",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/theirs",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "theirs",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "theirs",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "theirs",
        "PATH": "/bin",
    }
    config, empty = pathlib.Path("/p/config"), pathlib.Path("/p/none")
    assert environment("acme", before, served, region="eu-central-1", config=config, empty=empty) == {
        "PATH": "/bin",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/acme",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/p/acme.token",
        "AWS_ACCOUNT_ID": "210987654321",
        "VALETKEY_PROFILE": "acme",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_CONFIG_FILE": "/p/config",
        "AWS_SHARED_CREDENTIALS_FILE": "/p/none",
        "AWS_CREDENTIAL_PROFILES_FILE": "/p/none",
        "BOTO_CONFIG": "/p/none",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
