"""Checks whether the signing date of a request is close enough to now.

AWS's pages say five minutes (AWS Knowledge Center, "security token included in the request is expired"; S3's own limit
is 15: Amazon S3 API Reference, "Authenticating Requests"). STS has been seen to name 15 in its message. The stricter
limit is the default, so that what works here works on AWS; the other is a variant (variants.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

_STAMP = "%Y%m%dT%H%M%SZ"
_MINUTES = {"s3": 15}


def skewed(service: str, headers: Mapping[str, str], now: datetime, *, sts_minutes: int = 5) -> tuple[str, str] | None:
    """Return AWS's error code and message for a signed request whose date is too far from `now` (aware, UTC), else
    None.

    `headers` have lower-case names. A request without a readable date is left to the signature check.
    """
    if not headers.get("authorization", "").startswith("AWS4-"):
        return None
    stamp = headers.get("x-amz-date", "")
    try:
        signed = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
    minutes = sts_minutes if service == "sts" else _MINUTES.get(service, 5)
    limit, now = timedelta(minutes=minutes), now.replace(microsecond=0)
    if service == "s3":
        too_far = abs(now - signed) > limit
        text = "The difference between the request time and the current time is too large."
        return ("RequestTimeTooSkewed", text) if too_far else None
    ours = f"{now:{_STAMP}}"
    if signed < now - limit:
        text = f"Signature expired: {stamp} is now earlier than {now - limit:{_STAMP}} ({ours} - {minutes} min.)"
    elif signed > now + limit:
        text = (
            f"Signature not yet current: {stamp} is still later than {now + limit:{_STAMP}} ({ours} + {minutes} min.)"
        )
    else:
        return None
    # Services with a JSON protocol use another code for it.
    is_json = "x-amz-target" in headers or "json" in headers.get("content-type", "")
    return ("InvalidSignatureException" if is_json else "SignatureDoesNotMatch"), text
