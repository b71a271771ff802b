"""A request signed with a clock that is wrong is refused in AWS's words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from valetkey.sandbox.dates import skewed

NOW = datetime(2026, 5, 1, 12, 0, 0, 900_000, UTC)


def signed(stamp: str, **more: str) -> dict[str, str]:
    return {"authorization": "AWS4-HMAC-SHA256 Credential=...", "x-amz-date": stamp, **more}


@pytest.mark.parametrize(
    ("service", "stamp"),
    [
        ("sts", "20260501T115500Z"),
        ("sts", "20260501T120500Z"),
        ("s3", "20260501T114500Z"),
        ("sts", "yesterday"),
        ("sts", ""),
    ],
)
def test_near_enough_or_not_ours_to_say(service: str, stamp: str) -> None:
    assert skewed(service, signed(stamp), NOW) is None


def test_unsigned_is_not_ours_to_say() -> None:
    assert skewed("sts", {"x-amz-date": "20200101T000000Z"}, NOW) is None


def test_sts_may_take_fifteen_minutes() -> None:
    """A variant: texts of STS name 15, AWS's pages 5. Other services keep to theirs."""
    assert skewed("sts", signed("20260501T114500Z"), NOW, sts_minutes=15) is None
    late = skewed("sts", signed("20260501T114459Z"), NOW, sts_minutes=15)
    assert late is not None
    assert late[1].endswith("(20260501T120000Z - 15 min.)")
    assert skewed("iam", signed("20260501T115459Z"), NOW, sts_minutes=15) is not None


def test_too_far() -> None:
    assert skewed("sts", signed("20260501T115459Z"), NOW) == (
        "SignatureDoesNotMatch",
        "Signature expired: 20260501T115459Z is now earlier than 20260501T115500Z (20260501T120000Z - 5 min.)",
    )
    assert skewed("iam", signed("20260501T120501Z"), NOW) == (
        "SignatureDoesNotMatch",
        "Signature not yet current: 20260501T120501Z is still later than 20260501T120500Z (20260501T120000Z + 5 min.)",
    )
    json = skewed("dynamodb", signed("20260501T115459Z", **{"x-amz-target": "DynamoDB_20120810.ListTables"}), NOW)
    assert json is not None
    assert json[0] == "InvalidSignatureException"
    s3 = skewed("s3", signed("20260501T114459Z"), NOW)
    assert s3 is not None
    assert s3[0] == "RequestTimeTooSkewed"
