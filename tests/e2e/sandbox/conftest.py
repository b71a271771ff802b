"""Helpers of the sandbox's acceptance tests: calls that return errors as values, and roles to assume."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
_CONFIG = Config(parameter_validation=False, retries={"total_max_attempts": 1})


@cache
def _session() -> boto3.Session:
    return boto3.Session(region_name="us-east-1")


def _keys(user: Any) -> dict[str, str]:
    return {"AccessKeyId": user.access_key_id, "SecretAccessKey": user.secret_access_key}


@dataclass(frozen=True)
class Answer:
    """AWS's response: a value, or an error code with its message."""

    value: dict[str, Any] = field(default_factory=dict)
    code: str = "ok"
    message: str = ""
    status: int = 200

    @property
    def keys(self) -> dict[str, Any]:
        assert self.code == "ok", f"{self.code}: {self.message}"
        return self.value["Credentials"]


def knock(client: Any, operation: str, **params: Any) -> Answer:
    try:
        return Answer(getattr(client, operation)(**params))
    except ClientError as error:
        told = error.response
        return Answer({}, told["Error"]["Code"], told["Error"]["Message"], told["ResponseMetadata"]["HTTPStatusCode"])


def document(*statements: Mapping[str, Any], version: str | None = "2012-10-17") -> str:
    return json.dumps({**({"Version": version} if version else {}), "Statement": list(statements)})


def allow(principal: Any, condition: Mapping[str, Any] | None = None, action: Any = "sts:AssumeRole") -> dict[str, Any]:
    named = principal if isinstance(principal, dict) or principal == "*" else {"AWS": principal}
    return {
        "Effect": "Allow",
        "Principal": named,
        "Action": action,
        **({"Condition": condition} if condition else {}),
    }


class Doors:
    """A contractor's user who tries to assume a role of the owner."""

    def __init__(self, stage: Any) -> None:
        self.stage, self.owner, self.contractor = stage, stage.owner, stage.contractor

    def shift(self, party: Any, seconds: float) -> None:
        self.stage.sandbox.control.shift(party.account, seconds)

    def client(self, service: str, keys: Any) -> Any:
        """A client without parameter validation and retries. All clients share a session with loaded service models."""
        result = keys if isinstance(keys, Mapping) else _keys(keys)
        return _session().client(
            service,
            endpoint_url=self.stage.sandbox.url,
            config=_CONFIG,
            aws_access_key_id=result["AccessKeyId"],
            aws_secret_access_key=result["SecretAccessKey"],
            aws_session_token=result.get("SessionToken"),
        )

    def root(self, party: Any, service: str = "iam") -> Any:
        return self.client(service, {"AccessKeyId": party.account, "SecretAccessKey": "any"})

    def user(self, name: str = "carol", *policies: Any, mfa: bool = False) -> Any:
        return self.contractor.user(name, *(policies or (ADMIN,)), mfa=mfa)

    def role(
        self, *statements: Mapping[str, Any], name: str = "door", policies: tuple[str, ...] = (), **more: Any
    ) -> str:
        trust = document(*statements)
        made = self.owner.root("iam", "create_role", RoleName=name, AssumeRolePolicyDocument=trust, **more)
        for arn in policies:
            self.owner.root("iam", "attach_role_policy", RoleName=name, PolicyArn=arn)
        arn: str = made["Role"]["Arn"]
        return arn

    def allow(self, role: str, **statement: Any) -> None:
        """Put one inline policy on a role (`role` is its ARN)."""
        name = role.rpartition("/")[2]
        text = document({"Effect": "Allow", "Resource": "*", **statement})
        self.owner.root("iam", "put_role_policy", RoleName=name, PolicyName="allow", PolicyDocument=text)

    def assume(self, keys: Any, role: str, **more: Any) -> Answer:
        params = {"RoleArn": role, "RoleSessionName": "probe", **more}
        return knock(self.client("sts", keys), "assume_role", **params)

    def with_mfa(self, user: Any) -> dict[str, str]:
        return {"SerialNumber": user.mfa_serial, "TokenCode": user.code()}

    def mfa_session(self, user: Any, **more: Any) -> dict[str, Any]:
        return self.session(user, **self.with_mfa(user), **more).keys

    def session(self, user: Any, **params: Any) -> Answer:
        return knock(self.client("sts", user), "get_session_token", **params)


@pytest.fixture
def doors(stage: Any) -> Doors:
    return Doors(stage)


@pytest.fixture
def probe() -> Any:
    """The functions of this module, for test modules that cannot import it."""

    class Probe:
        knock: Callable[..., Answer] = staticmethod(knock)
        document = staticmethod(document)
        allow = staticmethod(allow)

    return Probe
