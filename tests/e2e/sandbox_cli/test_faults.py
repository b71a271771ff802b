"""Fault rules over HTTP, with the AWS SDK."""

from __future__ import annotations

import http.client
import io
import json
import subprocess
import sys
import time
import zipfile
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from valetkey.sandbox.client import Control
from valetkey.sandbox.errors import SandboxError

if TYPE_CHECKING:
    from tests.e2e.conftest import Sandbox, Stage


def client(stage: Stage, service: str = "iam", attempts: int = 1) -> Any:
    """A client of the owner's root with this number of attempts."""
    return boto3.client(
        service,
        endpoint_url=stage.sandbox.url,
        region_name="us-east-1",
        aws_access_key_id=stage.owner.account,
        aws_secret_access_key="root",
        config=Config(retries={"mode": "standard", "total_max_attempts": attempts}, read_timeout=10),
    )


def seen(stage: Stage, call: str) -> list[tuple[int | None, str | None, str | None]]:
    log = stage.sandbox.control.requests(stage.owner.account)
    return [(item["status"], item["code"], item["fault"]) for item in log if item["call"] == call]


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("throttle", 400, "Throttling"), ("500", 500, "InternalFailure"), ("503", 503, "ServiceUnavailable")],
)
@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("iam", "list_users", "iam:ListUsers"),
        ("dynamodb", "list_tables", "dynamodb:ListTables"),
        ("s3", "list_buckets", "s3:ListAllMyBuckets"),
    ],
)
def test_what_sdks_try_again(
    stage: Stage, kind: str, status: int, code: str, service: str, operation: str, action: str
) -> None:
    stage.sandbox.control.fault(kind=kind, account=stage.owner.account)
    with pytest.raises(ClientError) as caught:
        getattr(client(stage, service), operation)()
    assert caught.value.response["Error"]["Code"] == code
    stage.sandbox.control.fault(kind=kind, account=stage.owner.account)
    getattr(client(stage, service, attempts=2), operation)()
    assert seen(stage, action) == [(status, code, kind), (status, code, kind), (200, None, None)]


def test_deny_carries_its_code_and_performs_nothing(stage: Stage) -> None:
    stage.sandbox.control.fault(kind="deny", code="LimitExceeded", operation="create_user", account=stage.owner.account)
    with pytest.raises(ClientError, match="LimitExceeded"):
        client(stage, attempts=3).create_user(UserName="x")
    assert client(stage).list_users()["Users"] == []
    assert client(stage).create_user(UserName="x")["User"]["UserName"] == "x"


def test_a_dropped_call_is_not_performed(stage: Stage) -> None:
    stage.sandbox.control.fault(kind="drop", operation="CreateUser", account=stage.owner.account)
    with pytest.raises(ConnectionClosedError):
        client(stage).create_user(UserName="x")
    assert client(stage).list_users()["Users"] == []


def test_a_lost_answer_leaves_the_call_performed(stage: Stage) -> None:
    stage.sandbox.control.fault(kind="lose", operation="CreateUser", account=stage.owner.account)
    with pytest.raises(ConnectionClosedError):
        client(stage).create_user(UserName="x")
    assert [user["UserName"] for user in client(stage).list_users()["Users"]] == ["x"]
    assert seen(stage, "iam:CreateUser") == [(200, None, "lose")]


def test_a_retried_lost_answer_meets_its_own_work(stage: Stage) -> None:
    stage.sandbox.control.fault(kind="lose", operation="CreateUser", account=stage.owner.account)
    with pytest.raises(ClientError, match="EntityAlreadyExists"):
        client(stage, attempts=2).create_user(UserName="x")


CREATE_TWO = """
import boto3, sys
iam = boto3.client("iam", region_name="us-east-1")
for name in ("first", "second"):
    iam.create_user(UserName=name)
"""


def test_hang_stops_a_program_between_two_calls(stage: Stage) -> None:
    """The crash tests use this: the call is performed, and the program is killed before it receives the response."""
    alice = stage.owner.user("alice", "arn:aws:iam::aws:policy/AdministratorAccess")
    stage.owner.login(alice)
    stage.sandbox.control.fault(kind="hang", operation="CreateUser", account=stage.owner.account)
    child = subprocess.Popen([sys.executable, "-c", CREATE_TWO], env=stage.owner.env)
    held = stage.sandbox.control.held(stage.owner.account)
    child.kill()
    child.wait()
    assert (held["call"], held["status"]) == ("iam:CreateUser", 200)
    assert {user["UserName"] for user in client(stage).list_users()["Users"]} == {"alice", "first"}


def test_a_held_call_is_let_go_when_the_faults_are_cleared(stage: Stage) -> None:
    stage.sandbox.control.fault(kind="hang", operation="CreateUser", account=stage.owner.account)
    child = subprocess.Popen(
        [sys.executable, "-c", CREATE_TWO],
        env={**stage.owner.env, "AWS_ACCESS_KEY_ID": stage.owner.account, "AWS_SECRET_ACCESS_KEY": "root"},
        stderr=subprocess.PIPE,
        text=True,
    )
    stage.sandbox.control.held(stage.owner.account)
    stage.sandbox.control.clear(stage.owner.account)
    _, error = child.communicate(timeout=30)
    # The SDK retries after the closed connection, and finds the user that its first attempt created.
    assert "EntityAlreadyExists" in error


def test_latency_delays_and_performs(stage: Stage) -> None:
    stage.sandbox.control.fault(kind="latency", seconds=0.3, account=stage.owner.account)
    began = time.monotonic()
    client(stage).create_user(UserName="x")
    assert time.monotonic() - began >= 0.3
    assert seen(stage, "iam:CreateUser") == [(200, None, "latency")]


def test_faults_of_one_account_leave_others_alone(stage: Stage) -> None:
    stage.sandbox.control.fault(kind="500", times=None, account=stage.contractor.account)
    assert client(stage).list_users()["Users"] == []
    stage.sandbox.control.clear(stage.contractor.account)
    assert stage.contractor.root("iam", "list_users")["Users"] == []


def test_a_rule_that_cannot_be_read_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match="not a kind of fault"):
        sandbox.control.fault(kind="explode")


def test_the_log_holds_no_secret(stage: Stage) -> None:
    carol = stage.contractor.user("carol", mfa=True)
    code = carol.code()
    stage.contractor.client("sts", carol).get_session_token(SerialNumber=carol.mfa_serial, TokenCode=code)
    log = stage.sandbox.control.requests(stage.contractor.account)
    assert [item["call"] for item in log][-1] == "sts:GetSessionToken"
    assert set(log[-1]) == {"number", "time", "account", "call", "status", "code", "fault"}
    assert carol.secret_access_key not in str(log)
    assert carol.access_key_id not in str(log)


def test_clocks_are_per_account(stage: Stage) -> None:
    control = stage.sandbox.control
    control.shift(stage.owner.account, 7200)
    assert control.now(stage.owner.account) - control.now(stage.contractor.account) == pytest.approx(7200, abs=5)


def test_a_code_is_given_once_it_can_be_used(stage: Stage) -> None:
    carol = stage.contractor.user("carol", mfa=True)
    sts = stage.contractor.client("sts", carol)
    codes = [carol.code() for _ in range(2)]
    assert codes[0] == codes[1], "an unused code stays the current one"
    sts.get_session_token(SerialNumber=carol.mfa_serial, TokenCode=codes[0])
    with pytest.raises(ClientError, match="invalid MFA"):
        sts.get_session_token(SerialNumber=carol.mfa_serial, TokenCode=codes[0])
    sts.get_session_token(SerialNumber=carol.mfa_serial, TokenCode=carol.code())


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80"])
def test_a_rebound_name_reaches_nothing(sandbox: Sandbox, host: str) -> None:
    where = urlsplit(sandbox.url)
    for path in ("/_sandbox/requests", "/_sandbox/health", "/federation?Action=login", "/"):
        connection = http.client.HTTPConnection(where.hostname or "", where.port)
        connection.request("GET", path, headers={"Host": host})
        assert connection.getresponse().status == 403, path
        connection.close()


def test_reset_empties_everything(tmp_path: Any) -> None:
    from valetkey.sandbox.accounts import start

    with start(accounts=1) as running:
        control = Control(running.url)
        carol = running.seats[0].user
        iam = boto3.client(
            "iam",
            endpoint_url=running.url,
            region_name="us-east-1",
            aws_access_key_id=carol.access_key_id,
            aws_secret_access_key=carol.secret_access_key,
        )
        assert iam.get_user()["User"]["UserName"] == "admin"
        control.shift("111111111111", 60)
        control.reset()
        assert control.requests() == []
        assert abs(control.now("111111111111") - time.time()) < 10
        with pytest.raises(ClientError, match="InvalidClientTokenId"):
            iam.get_user()


def test_nobodys_code_is_run(stage: Stage) -> None:
    """Every local user has root access to all sandbox accounts: this must not allow running code as this user."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    role = stage.owner.root("iam", "create_role", RoleName="f", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    packed = io.BytesIO()
    mark = stage.owner.home / "mark"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("m.py", f"def h(event, context): open({str(mark)!r}, 'w').close()")
    stage.owner.root(
        "lambda", "create_function", FunctionName="f", Runtime="python3.11", Handler="m.h", Role=role["Arn"],
        Code={"ZipFile": packed.getvalue()},
    )  # fmt: skip
    answer = stage.owner.root("lambda", "invoke", FunctionName="f")
    assert b"the sandbox does not start processes" in answer["Payload"].read()
    assert not mark.exists()
