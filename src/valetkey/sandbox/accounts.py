"""What a person needs in an empty account of the sandbox: users with keys, policies and MFA devices."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config

from valetkey.sandbox.client import Control

REGION = "us-east-1"
STEP = 30
"""Seconds that a TOTP code is valid (RFC 6238)."""


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
    """An account of the sandbox at `url`, with everything allowed.

    The emulator takes an access key that is a 12-digit account id as that account's root, with any secret.
    """

    def __init__(self, url: str, account: str) -> None:
        self.account = account
        self._url = url
        self._clients: dict[str, Any] = {}

    def __call__(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """Perform one call as root, by boto3's names. Raises botocore's ClientError."""
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
        """Make a user with an access key. A policy is a managed policy's ARN or an inline document; `mfa` gives it a
        virtual MFA device, enabled as a person would with two codes in a row."""
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
        seed = base64.b32decode(device["Base32StringSeed"])
        now = Control(self._url).now(self.account)
        serial: str = device["SerialNumber"]
        self(
            "iam",
            "enable_mfa_device",
            UserName=name,
            SerialNumber=serial,
            AuthenticationCode1=totp(seed, now - STEP),
            AuthenticationCode2=totp(seed, now),
        )
        return serial


def totp(seed: bytes, now: float) -> str:
    """The six-digit code of a seed at a moment, seconds since 1970 (RFC 6238 with SHA-1 and 30 s, as AWS's devices)."""
    import hashlib
    import hmac

    digest = hmac.digest(seed, int(now // STEP).to_bytes(8), hashlib.sha1)
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4]) & 0x7FFFFFFF) % 10**6:06d}"
