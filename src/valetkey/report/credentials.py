"""Credentials in the form that the recipient reads. Only these functions print secrets on stdout."""

from __future__ import annotations

import json
import sys

from valetkey.credentials.delivery.shells import lines, stamp
from valetkey.credentials.sessions.values import Credentials


def process_answer(credentials: Credentials) -> bytes:
    """Return the line that a `credential_process` prints (SDKs and Tools Reference Guide, Process provider)."""
    answer = {
        "Version": 1,
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key,
        "SessionToken": credentials.session_token,
        "Expiration": stamp(credentials.expires),
        "AccountId": credentials.account,
    }
    return json.dumps(answer).encode("ascii") + b"\n"


def write_answer(answer: bytes) -> None:
    """Print the bytes unchanged: an SDK reads them."""
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()


def write_exports(shell: str, name: str, credentials: Credentials, region: str | None) -> None:
    """Print the lines unchanged: a shell evaluates them."""
    write_lines(lines(shell, name, credentials, region))


def write_lines(text: str) -> None:
    """Print lines for a shell unchanged."""
    sys.stdout.write(text)
    sys.stdout.flush()
