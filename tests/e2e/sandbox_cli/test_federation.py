"""Console federation over HTTP, as used by a browser and a tool."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Party, Stage, User

CONSOLE = "https://us-east-1.console.aws.amazon.com/iam/home"


@dataclass
class Answer:
    status: int
    text: str
    cookie: str


def ask(url: str, method: str, path: str, params: dict[str, str] | None = None, **headers: str) -> Answer:
    """Send one request without following redirects; a POST has its parameters in the body."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
    body = urlencode(params or {})
    if method == "POST":
        connection.request(method, path, body, {"Content-Type": "application/x-www-form-urlencoded", **headers})
    else:
        connection.request(method, f"{path}?{body}" if body else path, headers=headers)
    response = connection.getresponse()
    answer = Answer(response.status, response.read().decode(), response.getheader("Set-Cookie", ""))
    connection.close()
    return answer


def session_of(credentials: dict[str, Any]) -> str:
    return json.dumps(
        {
            "sessionId": credentials["AccessKeyId"],
            "sessionKey": credentials["SecretAccessKey"],
            "sessionToken": credentials["SessionToken"],
        }
    )


def signin(stage: Stage, credentials: dict[str, Any], method: str = "POST", **more: str) -> Answer:
    params = {"Action": "getSigninToken", "Session": session_of(credentials), **more}
    return ask(stage.sandbox.url, method, "/federation", params)


def login(stage: Stage, token: str, destination: str = CONSOLE) -> Answer:
    params = {"Action": "login", "Issuer": "valetkey", "Destination": destination, "SigninToken": token}
    return ask(stage.sandbox.url, "GET", "/federation", params)


def make_role(party: Party, principal: str, name: str = "audit") -> str:
    """Create a role that trusts one principal and may assume other roles."""
    open_to = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [open_to]}
    arn: str = party.root(
        "iam", "create_role", RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), MaxSessionDuration=43200
    )["Role"]["Arn"]
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:*", "Resource": "*"}]}
    party.root("iam", "put_role_policy", RoleName=name, PolicyName="assume", PolicyDocument=json.dumps(allow))
    return arn


@pytest.fixture
def carol(stage: Stage) -> User:
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:*", "Resource": "*"}]}
    return stage.contractor.user("carol", allow, mfa=True)


@pytest.fixture
def role(stage: Stage, carol: User) -> str:
    return make_role(stage.owner, stage.contractor.account)


def assume(stage: Stage, role: str, keys: Any, **more: Any) -> dict[str, Any]:
    sts = stage.contractor.client("sts", keys)
    credentials: dict[str, Any] = sts.assume_role(RoleArn=role, RoleSessionName="carol", **more)["Credentials"]
    return credentials


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_role_session_signs_in(stage: Stage, carol: User, role: str, method: str) -> None:
    token = json.loads(signin(stage, assume(stage, role, carol), method).text)["SigninToken"]
    page = login(stage, token)
    assert page.status == 200
    arn = f"arn:aws:sts::{stage.owner.account}:assumed-role/audit/carol"
    assert f"signed in as {arn}" in page.text
    assert CONSOLE in page.text
    assert stage.owner.account in page.text
    assert "HttpOnly" in page.cookie
    assert "SameSite=Lax" in page.cookie
    again = ask(stage.sandbox.url, "GET", "/federation/console", Cookie=page.cookie.split(";")[0])
    assert (again.status, arn in again.text) == (200, True)
    assert ask(stage.sandbox.url, "GET", "/federation/console", Cookie="valetkey-sandbox-console=x").status == 403


def test_the_console_ends_with_the_credentials(stage: Stage, carol: User, role: str) -> None:
    token = json.loads(signin(stage, assume(stage, role, carol, DurationSeconds=900)).text)["SigninToken"]
    cookie = login(stage, token).cookie.split(";")[0]
    stage.sandbox.control.shift(stage.owner.account, 901)
    assert ask(stage.sandbox.url, "GET", "/federation/console", Cookie=cookie).status == 403


def test_session_duration_outlasts_the_credentials(stage: Stage, carol: User, role: str) -> None:
    credentials = assume(stage, role, carol, DurationSeconds=900)
    token = json.loads(signin(stage, credentials, SessionDuration="43200").text)["SigninToken"]
    cookie = login(stage, token).cookie.split(";")[0]
    stage.sandbox.control.shift(stage.owner.account, 43000)
    assert ask(stage.sandbox.url, "GET", "/federation/console", Cookie=cookie).status == 200
    stage.sandbox.control.shift(stage.owner.account, 300)
    assert ask(stage.sandbox.url, "GET", "/federation/console", Cookie=cookie).status == 403


@pytest.mark.parametrize("duration", ["899", "43201", "0", "-1", "", "1e4", "900.0", "٩٠٠", "9" * 5000])
def test_session_duration_out_of_range_is_refused(stage: Stage, carol: User, role: str, duration: str) -> None:
    assert signin(stage, assume(stage, role, carol), SessionDuration=duration).status == 400


def test_session_duration_is_refused_after_an_mfa_session(stage: Stage, carol: User, role: str) -> None:
    mfa = stage.contractor.client("sts", carol).get_session_token(
        SerialNumber=carol.mfa_serial, TokenCode=carol.code()
    )["Credentials"]
    credentials = assume(stage, role, mfa)
    assert signin(stage, credentials, SessionDuration="3600").status == 400
    assert signin(stage, credentials).status == 200


def test_a_session_with_a_duration_signs_in_only_when_a_long_term_key_asked_for_it(
    stage: Stage, carol: User, role: str
) -> None:
    mfa = stage.contractor.client("sts", carol).get_session_token(
        SerialNumber=carol.mfa_serial, TokenCode=carol.code()
    )["Credentials"]
    assert signin(stage, assume(stage, role, mfa, DurationSeconds=3600)).status == 400
    assert signin(stage, assume(stage, role, mfa)).status == 200
    assert signin(stage, assume(stage, role, carol, DurationSeconds=3600)).status == 200


def test_session_duration_is_refused_after_role_chaining(stage: Stage, carol: User, role: str) -> None:
    second = make_role(stage.party(), role)
    credentials = assume(stage, second, assume(stage, role, carol))
    assert signin(stage, credentials, SessionDuration="3600").status == 400
    assert signin(stage, credentials).status == 200


def test_session_token_credentials_cannot_sign_in(stage: Stage, carol: User) -> None:
    session = stage.contractor.client("sts", carol).get_session_token()["Credentials"]
    assert signin(stage, session).status == 400


def test_federation_token_credentials_sign_in_without_duration(stage: Stage, carol: User) -> None:
    session = stage.contractor.client("sts", carol).get_federation_token(Name="fred")["Credentials"]
    assert signin(stage, session, SessionDuration="3600").status == 400
    token = json.loads(signin(stage, session).text)["SigninToken"]
    assert f"signed in as arn:aws:sts::{stage.contractor.account}:federated-user/fred" in login(stage, token).text


@pytest.mark.parametrize("field", ["AccessKeyId", "SecretAccessKey", "SessionToken"])
def test_changed_credentials_are_refused(stage: Stage, carol: User, role: str, field: str) -> None:
    credentials = assume(stage, role, carol)
    answer = signin(stage, {**credentials, field: credentials[field][:-1] + "~"})
    assert answer.status == 400
    assert credentials["SecretAccessKey"] not in answer.text


def test_expired_credentials_are_refused(stage: Stage, carol: User, role: str) -> None:
    credentials = assume(stage, role, carol, DurationSeconds=900)
    stage.sandbox.control.shift(stage.owner.account, 901)
    assert signin(stage, credentials).status == 400


def test_long_term_keys_are_refused(stage: Stage, carol: User) -> None:
    keys = {"AccessKeyId": carol.access_key_id, "SecretAccessKey": carol.secret_access_key, "SessionToken": ""}
    assert signin(stage, keys).status == 400


def test_a_signin_token_is_good_for_fifteen_minutes(stage: Stage, carol: User, role: str) -> None:
    token = json.loads(signin(stage, assume(stage, role, carol)).text)["SigninToken"]
    stage.sandbox.control.shift(stage.owner.account, 14 * 60)
    assert login(stage, token).status == 200
    stage.sandbox.control.shift(stage.owner.account, 2 * 60)
    late = login(stage, token)
    assert (late.status, "expired" in late.text) == (400, True)


@pytest.mark.parametrize(
    "destination",
    ["", "https://evil.example/", "javascript:alert(1)", "https://console.aws.amazon.com.evil.example/",
     "//evil.example", "javascript://console.aws.amazon.com/%0aalert(1)", "https://evilconsole.aws.amazon.com.evil",
     "http://[", "data:text/html,x", "https://console.amazonaws-eusc.eu/s3/home",
     "https://x.console.amazonaws-eusc.eu/", "https://eusc-de-east-1.console.amazonaws-eusc.eu.evil.example/"],
)  # fmt: skip
def test_a_destination_outside_the_console_is_refused(stage: Stage, carol: User, role: str, destination: str) -> None:
    token = json.loads(signin(stage, assume(stage, role, carol)).text)["SigninToken"]
    assert login(stage, token, destination).status == 400


def test_the_sovereign_clouds_console_is_regional(stage: Stage, carol: User, role: str) -> None:
    token = json.loads(signin(stage, assume(stage, role, carol)).text)["SigninToken"]
    assert login(stage, token, "https://eusc-de-east-1.console.amazonaws-eusc.eu/s3/home").status == 200


def test_what_is_asked_wrongly_is_refused(stage: Stage) -> None:
    for params in (
        {},
        {"Action": "other"},
        {"Action": "login"},
        {"Action": "login", "SigninToken": "x", "Destination": CONSOLE},
        {"Action": "getSigninToken"},
        {"Action": "getSigninToken", "Session": "["},
        {"Action": "getSigninToken", "Session": "[" * 20000},
        {"Action": "getSigninToken", "Session": '{"sessionId": 1}'},
    ):
        assert ask(stage.sandbox.url, "POST", "/federation", params).status == 400, str(params)[:80]


def test_nothing_given_becomes_markup(stage: Stage, carol: User, role: str) -> None:
    token = json.loads(signin(stage, assume(stage, role, carol)).text)["SigninToken"]
    params = {
        "Action": "login",
        "Issuer": "<script>alert(1)</script>",
        "Destination": f'{CONSOLE}?"><img src=x>',
        "SigninToken": token,
    }
    page = ask(stage.sandbox.url, "GET", "/federation", params)
    assert page.status == 200
    assert "<script" not in page.text
    assert "<img" not in page.text


def test_a_console_of_a_removed_role_says_so(stage: Stage, carol: User, role: str) -> None:
    token = json.loads(signin(stage, assume(stage, role, carol)).text)["SigninToken"]
    cookie = login(stage, token).cookie.split(";")[0]
    stage.owner.root("iam", "delete_role_policy", RoleName="audit", PolicyName="assume")
    stage.owner.root("iam", "delete_role", RoleName="audit")
    assert "removed: every call is refused" in ask(stage.sandbox.url, "GET", "/federation/console", Cookie=cookie).text
