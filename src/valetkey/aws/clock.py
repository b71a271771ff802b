"""The clock skew, from the Date header of a response to an unsigned request, and the partition of a region."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import Any

import boto3
import botocore.exceptions as wrong
from botocore import UNSIGNED
from botocore.config import Config

from valetkey.account.calls import Call, CallError
from valetkey.aws.opening import QUICK, bare_session, core_session, named, region_for


def clock_skew(profile: str | None, *, region: str | None = None, partition: str = "aws") -> float:
    """Return how many seconds this computer's clock is ahead of AWS's (negative: behind), accurate to about a second.
    AWS may refuse signed calls that are more than 5 minutes off; STS refuses those more than 15 minutes off.

    Makes one unsigned call to STS. STS refuses it, and the response has a Date header: this works without keys and with
    a wrong clock. Raises CallError; NoBase and ConfigError for problems on this computer.
    """
    call = Call("sts", "get_caller_identity")
    try:
        name = f"the profile {profile}" if profile else "the base identity"
        core = core_session(profile)
        with named(core, name, profile):
            where = region_for(core, partition, region)
            config = Config(**QUICK, signature_version=UNSIGNED)
            client = boto3.Session(botocore_session=core).client("sts", region_name=where, config=config)
        before = time.time()
        headers = _headers(client)
        after = time.time()
        stamp = parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        raise CallError(call, "Garbled", "the answer has no date", do="check for a proxy or sign-in page") from None
    except (wrong.HTTPClientError, wrong.BotoCoreError) as error:
        raise CallError(
            call, "Unreachable", str(error), do="check the network, the region and AWS_ENDPOINT_URL"
        ) from None
    # The Date header has whole seconds, so on average it is half a second behind.
    return (before + after) / 2 - (stamp + 0.5)


def partition_of(region: str) -> str | None:
    """Return the partition of a region, from botocore's table and its patterns for new regions; None if none
    matches."""
    try:
        result: str = bare_session().get_partition_for_region(region)
        return result
    except wrong.BotoCoreError:
        return None


def _headers(client: Any) -> dict[str, str]:
    try:
        answer = client.get_caller_identity()
    except wrong.ClientError as error:
        answer = error.response
    headers: dict[str, str] = answer["ResponseMetadata"]["HTTPHeaders"]
    return headers
