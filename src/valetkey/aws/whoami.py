"""Who the usual chain is, in a process of its own: `python -m valetkey.aws.whoami` prints the ARN.

It finds what any other program with the same environment finds. Fails with the reason on stderr and exit code 3.
The answer is about identity alone: AWS gives it under an explicit deny too (STS API reference, GetCallerIdentity).
"""

from __future__ import annotations

import sys

import boto3

from valetkey.account.calls import Call, CallError
from valetkey.aws.connect import performer


def main() -> int:
    session = boto3.Session()
    limits = {"connect_timeout": 3, "read_timeout": 8, "retries": {"mode": "standard", "total_max_attempts": 2}}
    perform = performer(session, session.region_name or "us-east-1", limits)
    try:
        print(perform(Call("sts", "get_caller_identity"))["Arn"])  # noqa: T201
    except CallError as error:
        print(error.what, file=sys.stderr)  # noqa: T201
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
