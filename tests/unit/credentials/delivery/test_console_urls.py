"""Which pages a sign-in may lead to, and how one is signed out before."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from valetkey.credentials.delivery.console_urls import ConsoleError, check_url, logout_url
from valetkey.errors import ValetkeyError

LOGIN = "https://signin.aws.amazon.com/federation?Action=login&SigninToken=x%2By"


@pytest.mark.parametrize(
    ("url", "partition"),
    [
        ("https://console.aws.amazon.com/", "aws"),
        ("https://eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1#Instances:", "aws"),
        ("https://111111111111-abc.us-east-1.console.aws.amazon.com/s3/home", "aws"),
        ("https://CONSOLE.aws.amazon.com/x", "aws"),
        ("https://console.amazonaws.cn/ec2", "aws-cn"),
        ("https://console.amazonaws-us-gov.com/ec2", "aws-us-gov"),
        ("https://eusc-de-east-1.console.amazonaws-eusc.eu/s3/home", "aws-eusc"),
    ],
)
def test_pages_of_the_console(url: str, partition: str) -> None:
    assert check_url(url, partition) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://console.aws.amazon.com/",
        "https://evil.example/",
        "https://evilconsole.aws.amazon.com/",
        "https://console.aws.amazon.com.evil.example/",
        "https://console.aws.amazon.com@evil.example/",
        "https://x@console.aws.amazon.com/",
        "https://console.aws.amazon.com:8443/",
        "https://console.aws.amazon.com:x/",
        "https://evil.example\\@console.aws.amazon.com/",
        "https://console.aws.amazon.com/a b",
        "https://console.aws.amazon.com/\x1b[2J",
        "https://console.amazonaws.cn/",
        "//console.aws.amazon.com/",
        "javascript:alert(1)//console.aws.amazon.com",
        "https://[console.aws.amazon.com/",
    ],
)
def test_nowhere_else(url: str) -> None:
    with pytest.raises(ValetkeyError, match="not a page of the console"):
        check_url(url, "aws")


def test_the_sovereign_cloud_has_no_console_without_a_region() -> None:
    with pytest.raises(ValetkeyError, match="not a page of the console") as caught:
        check_url("https://console.amazonaws-eusc.eu/s3/home", "aws-eusc")
    assert ".console.amazonaws-eusc.eu" in caught.value.do


def test_a_partition_without_public_hosts() -> None:
    with pytest.raises(ConsoleError):
        check_url("https://console.aws.amazon.com/", "aws-iso")


def test_signing_out_first() -> None:
    for endpoint in ("https://signin.aws.amazon.com/federation", "https://eu-west-1.signin.aws.amazon.com/federation"):
        made = urlsplit(logout_url(LOGIN, "aws", endpoint))
        assert (made.scheme, made.netloc, made.path) == ("https", "us-east-1.signin.aws.amazon.com", "/oauth")
        assert parse_qs(made.query) == {"Action": ["logout"], "redirect_uri": [LOGIN]}
    assert logout_url(LOGIN, "aws", "http://127.0.0.1:1/federation").startswith("http://127.0.0.1:1/oauth?")
    with pytest.raises(ValetkeyError, match="aws-eusc"):
        logout_url(LOGIN, "aws-eusc", "https://eusc-de-east-1.signin.amazonaws-eusc.eu/federation")
    with pytest.raises(ValetkeyError, match="aws-us-gov"):
        logout_url(LOGIN, "aws-us-gov", "https://signin.amazonaws-us-gov.com/federation")
