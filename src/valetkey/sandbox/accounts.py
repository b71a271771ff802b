"""Users with keys, policies and MFA devices for an empty account of the sandbox."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config

from valetkey.sandbox import mfa
from valetkey.sandbox.client import Control
from valetkey.sandbox.process import Running, spawn

REGION = "us-east-1"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
PEOPLE = ("carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy")
MOST = len(PEOPLE) + 1
"""Maximum number of accounts in a furnished sandbox."""

PERSON: Mapping[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": [
                "iam:GetUser",
                "iam:GetUserPolicy",
                "iam:ListAttachedUserPolicies",
                "iam:ListGroupsForUser",
                "iam:ListMFADevices",
                "iam:ListUserPolicies",
            ],
            "Resource": "arn:aws:iam::*:user/${aws:username}",
        },
    ],
}
"""Permissions of a contractor's user in its own account: assume roles, and read its own user, MFA devices and
policies."""


@dataclass(frozen=True)
class User:
    """An IAM user with an access key, and a virtual MFA device if it has one."""

    name: str
    arn: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    mfa_serial: str | None = None
    session_token: None = None


class Root:
    """An account of the sandbox at `url`, with all permissions.

    The emulator treats an access key that is a 12-digit account id as that account's root user, with any secret.
    """

    def __init__(self, url: str, account: str) -> None:
        self.account = account
        self._url = url
        self._clients: dict[str, Any] = {}

    def __call__(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """Perform one call as root, with boto3's names. Raises botocore's ClientError."""
        client = self._clients.get(service)
        if client is None:
            client = self._clients[service] = boto3.client(
                service,
                endpoint_url=self._url,
                region_name=REGION,
                aws_access_key_id=self.account,
                aws_secret_access_key="root",  # noqa: S106 - any secret will do
                config=Config(connect_timeout=2, read_timeout=30, retries={"mode": "standard", "max_attempts": 3}),
            )
        answer: dict[str, Any] = getattr(client, operation)(**params)
        return answer

    def user(self, name: str, *policies: str | Mapping[str, Any], mfa: bool = False) -> User:
        """Create a user with an access key. A policy is the ARN of a managed policy or an inline document. `mfa` adds a
        virtual MFA device, enabled with two consecutive codes."""
        arn = self("iam", "create_user", UserName=name)["User"]["Arn"]
        for number, policy in enumerate(policies):
            if isinstance(policy, str):
                self("iam", "attach_user_policy", UserName=name, PolicyArn=policy)
            else:
                self(
                    "iam",
                    "put_user_policy",
                    UserName=name,
                    PolicyName=f"inline-{number}",
                    PolicyDocument=json.dumps(policy),
                )
        key = self("iam", "create_access_key", UserName=name)["AccessKey"]
        serial = self._enable_mfa(name) if mfa else None
        return User(name, arn, key["AccessKeyId"], key["SecretAccessKey"], serial)

    def _enable_mfa(self, name: str) -> str:
        device = self("iam", "create_virtual_mfa_device", VirtualMFADeviceName=name)["VirtualMFADevice"]
        seed = device["Base32StringSeed"].decode()
        step = int(Control(self._url).now(self.account)) // mfa.STEP
        serial: str = device["SerialNumber"]
        self(
            "iam",
            "enable_mfa_device",
            UserName=name,
            SerialNumber=serial,
            AuthenticationCode1=mfa.code_of(seed, step - 1),
            AuthenticationCode2=mfa.code_of(seed, step),
        )
        return serial


@dataclass(frozen=True)
class Seat:
    """One ready profile of a furnished sandbox: an account and its user."""

    account: str
    profile: str
    user: User


def furnish(url: str, accounts: int = 2) -> tuple[Seat, ...]:
    """Create users in an empty sandbox: 111111111111 is the owner's account, the others are contractors'.

    Every account has a user `admin` with AdministratorAccess; each contractor's account also has a person (carol, dave,
    ...) with an MFA device. `accounts` is 1 to MOST.
    """
    seats = []
    for number in range(1, accounts + 1):
        root = Root(url, str(number) * 12)
        admin = root.user("admin", ADMINISTRATOR)
        if number == 1:
            seats.append(Seat(root.account, "owner", admin))
            continue
        profile = "contractor" if number == 2 else f"contractor{number}"
        person = root.user(PEOPLE[number - 2], PERSON, mfa=True)
        seats += [Seat(root.account, profile, person), Seat(root.account, f"{profile}-admin", admin)]
    return tuple(seats)


@dataclass
class Furnished(Running):
    """A running sandbox with users in it."""

    seats: tuple[Seat, ...] = ()
    """The ready profiles."""


def start(port: int = 0, accounts: int = 2) -> Furnished:
    """Start a sandbox furnished with `accounts` accounts (see `furnish`). It ends with this process at the latest:
    `with start() as running: ...`. Raises SandboxError."""
    running = spawn(port, owner=os.getpid())
    try:
        return Furnished(running.url, running.pid, running.child, furnish(running.url, accounts))
    except BaseException:
        running.stop()
        raise
