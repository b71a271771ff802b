"""Console sign-in: hosts by partition, keys in the body alone, the URL in a private file alone."""

from __future__ import annotations

import html
import json
import pathlib
import re
import stat
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from valetkey.credentials.delivery.federation import (
    ConsoleError,
    DurationRefused,
    console_end,
    destination,
    login_url,
    redirect_file,
)
from valetkey.credentials.profiles.profile import Profile
from valetkey.credentials.sessions.values import Credentials
from valetkey.errors import ValetkeyError

KEYS = Credentials(
    access_key_id="ASIAKEYID",
    secret_access_key="SECRET/KEY+1",
    session_token="TOKEN//==&x",
    expires=datetime(2026, 11, 23, tzinfo=UTC),
    account="444455556666",
)


def profile(partition: str = "aws") -> Profile:
    return Profile(
        name="acme",
        role_arn=f"arn:{partition}:iam::444455556666:role/audit",
        contractor="111122223333",
        mfa=True,
        max_session=3600,
    )


class Post:
    def __init__(self, status: int = 200, body: bytes = b'{"SigninToken": "SIGNIN&TOKEN"}') -> None:
        self.answer = status, body
        self.calls: list[tuple[str, bytes]] = []

    def __call__(self, url: str, form: bytes) -> tuple[int, bytes]:
        self.calls.append((url, form))
        return self.answer


def url_of(post: Post, partition: str = "aws", **more: object) -> str:
    options = {"service": None, "region": None, "env": {}, **more}
    return login_url(profile(partition), KEYS, post=post, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("partition", "region", "signin", "console"),
    [
        ("aws", None, "signin.aws.amazon.com", "console.aws.amazon.com"),
        ("aws", "eu-west-1", "eu-west-1.signin.aws.amazon.com", "eu-west-1.console.aws.amazon.com"),
        ("aws", "nonsense/../x", "signin.aws.amazon.com", "console.aws.amazon.com"),
        ("aws-cn", "cn-north-1", "signin.amazonaws.cn", "console.amazonaws.cn"),
        ("aws-us-gov", "us-gov-west-1", "signin.amazonaws-us-gov.com", "console.amazonaws-us-gov.com"),
        # No host without a region is there (botocore: the endpoint rules of the `signin` API).
        (
            "aws-eusc",
            "eusc-de-east-1",
            "eusc-de-east-1.signin.amazonaws-eusc.eu",
            "eusc-de-east-1.console.amazonaws-eusc.eu",
        ),
        ("aws-eusc", None, "eusc-de-east-1.signin.amazonaws-eusc.eu", "eusc-de-east-1.console.amazonaws-eusc.eu"),
        (
            "aws-eusc",
            "eusc-fr-north-2",
            "eusc-fr-north-2.signin.amazonaws-eusc.eu",
            "eusc-fr-north-2.console.amazonaws-eusc.eu",
        ),
    ],
)
def test_hosts_follow_the_roles_partition(partition: str, region: str | None, signin: str, console: str) -> None:
    post = Post()
    parts = urlsplit(url_of(post, partition, region=region, service="s3"))
    assert post.calls[0][0] == f"https://{signin}/federation"
    assert (parts.scheme, parts.netloc, parts.path) == ("https", signin, "/federation")
    query = parse_qs(parts.query, strict_parsing=True)
    known = f"?region={region}" if region and "/" not in region else ""
    assert query == {
        "Action": ["login"],
        "Issuer": ["valetkey"],
        "SigninToken": ["SIGNIN&TOKEN"],
        "Destination": [f"https://{console}/s3/home{known}"],
    }


@pytest.mark.parametrize(
    ("partition", "region", "signin"),
    [
        ("aws-eusc", "us-east-1", "eusc-de-east-1.signin.amazonaws-eusc.eu"),
        ("aws", "eusc-de-east-1", "signin.aws.amazon.com"),
        ("aws", "cn-north-1", "signin.aws.amazon.com"),
        ("aws-cn", "us-east-1", "signin.amazonaws.cn"),
    ],
)
def test_a_region_of_another_partition_is_left_aside(partition: str, region: str, signin: str) -> None:
    post = Post()
    made = url_of(post, partition, region=region)
    assert post.calls[0][0] == f"https://{signin}/federation"
    assert region not in made


def test_keys_are_in_the_body_alone() -> None:
    post = Post()
    made = url_of(post)
    url, body = post.calls[0]
    form = parse_qs(body.decode(), strict_parsing=True)
    assert form["Action"] == ["getSigninToken"]
    assert json.loads(form["Session"][0]) == {
        "sessionId": KEYS.access_key_id,
        "sessionKey": KEYS.secret_access_key,
        "sessionToken": KEYS.session_token,
    }
    assert set(form) == {"Action", "Session"}  # no SessionDuration: AWS refuses it for chained sessions
    for secret in (KEYS.access_key_id, "SECRET", "TOKEN//"):
        assert secret not in url + made


@pytest.mark.parametrize(
    ("env", "url"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566/"}, "http://127.0.0.1:4566/federation"),
        (
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_SIGNIN": "https://signin.example"},
            "https://signin.example/federation",
        ),
        (
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
            "https://signin.aws.amazon.com/federation",
        ),
    ],
)
def test_another_endpoint(env: dict[str, str], url: str) -> None:
    post = Post()
    assert url_of(post, env=env).startswith(url + "?Action=login")
    assert post.calls[0][0] == url


@pytest.mark.parametrize(
    "url", ["http://aws.example", "http://127.0.0.1.example:80", "ftp://127.0.0.1", "file:///x", "http://user@host"]
)
def test_keys_leave_this_computer_over_tls_only(url: str) -> None:
    post = Post()
    with pytest.raises(ConsoleError, match="https"):
        url_of(post, env={"AWS_ENDPOINT_URL": url})
    assert post.calls == []


@pytest.mark.parametrize("status", [302, 400, 403, 500])
def test_a_refusal_quotes_nothing(status: int) -> None:
    with pytest.raises(ConsoleError, match=f"HTTP {status}") as caught:
        url_of(Post(status, b"<html>SECRET/KEY+1</html>"))
    assert "SECRET" not in str(caught.value)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"SigninToken": ""}', b'{"SigninToken": 1}', b"<html>", b"\xff"])
def test_an_answer_without_a_token(body: bytes) -> None:
    with pytest.raises(ConsoleError, match="token"):
        url_of(Post(200, body))


@pytest.mark.parametrize("service", ["", "S3", "s3/home", "../x", "s3?x", "s3#", "x" * 41, "é", "-s3"])
def test_a_service_is_a_name(service: str) -> None:
    with pytest.raises(ValetkeyError, match="service"):
        destination("aws", service=service, region=None)


def test_destinations() -> None:
    home = "https://eu-west-1.console.aws.amazon.com"
    for service, path in (("ec2", "ec2/home"), ("cloudtrail", "cloudtrailv2/home"), ("vpc", "vpcconsole/home")):
        assert destination("aws", service=service, region="eu-west-1") == f"{home}/{path}?region=eu-west-1"
    assert destination("aws", service=None, region=None) == "https://console.aws.amazon.com/console/home"


def test_a_partition_without_a_public_console() -> None:
    with pytest.raises(ConsoleError, match="aws-iso"):
        url_of(Post(), "aws-iso")


def test_the_redirect_file_is_private_and_goes(tmp_path: pathlib.Path) -> None:
    url = 'https://x.example/federation?Action=login&SigninToken=a"b<c>&Destination=y'
    with pytest.raises(KeyboardInterrupt), redirect_file(url, tmp_path) as page:  # noqa: PT012 - what a person would see
        assert stat.S_IMODE(page.stat().st_mode) == 0o600
        assert stat.S_IMODE(page.parent.stat().st_mode) == 0o700
        assert not page.parent.name.startswith(".")
        text = page.read_text()
        match = re.search(r'http-equiv="refresh" content="0;url=([^"]*)"', text)
        assert match
        assert html.unescape(match[1]) == url
        assert '<meta name="referrer" content="no-referrer">' in text
        assert "<script" not in text
        raise KeyboardInterrupt
    assert list(tmp_path.glob("valetkey*")) == []


def test_no_place_for_the_redirect_file(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ConsoleError, match="--print"), redirect_file("https://x", tmp_path / "none"):
        pass


def test_a_longer_console_session_is_asked_for_and_its_refusal_told_apart() -> None:
    post = Post()
    url_of(post, duration=43200)
    assert parse_qs(post.calls[0][1].decode())["SessionDuration"] == ["43200"]
    url_of(post)
    assert "SessionDuration" not in parse_qs(post.calls[1][1].decode())
    with pytest.raises(DurationRefused):
        url_of(Post(status=400, body=b"no"), duration=43200)
    # Without it, or with another status, it is something else.
    for refused in (lambda: url_of(Post(status=400)), lambda: url_of(Post(status=500), duration=43200)):
        with pytest.raises(ConsoleError) as caught:
            refused()
        assert not isinstance(caught.value, DurationRefused)


def test_the_longest_console_session_is_in_awss_limits() -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    assert 43000 <= (console_end(now=now) - now).total_seconds() <= 43200
