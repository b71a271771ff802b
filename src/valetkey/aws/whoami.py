"""Print the ARN of the default chain's identity, in a separate process: `python -m valetkey.aws.whoami`.

It finds the same identity as any other program with this environment. On failure, prints the reason to stderr and exits
with code 3. The result is only the identity: AWS returns it even under an explicit deny (STS API Reference,
GetCallerIdentity).
"""

from __future__ import annotations

import sys

import boto3

from valetkey.account.calls import Call
from valetkey.aws.connect import performer
from valetkey.aws.opening import usual_session
from valetkey.errors import ValetkeyError


def main() -> int:
    limits = {"connect_timeout": 3, "read_timeout": 8, "retries": {"mode": "standard", "total_max_attempts": 2}}
    try:
        session = boto3.Session(botocore_session=usual_session(None))
        perform = performer(session, session.region_name or "us-east-1", limits)
        print(perform(Call("sts", "get_caller_identity"))["Arn"])  # noqa: T201
    except ValetkeyError as error:
        print(error.what, file=sys.stderr)  # noqa: T201
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
