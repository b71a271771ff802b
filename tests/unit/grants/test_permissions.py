"""The grant's own denies, and what policies open after them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from valetkey.grants.permissions import dated_deny, kill_deny, own_role_deny

ROLE = "arn:aws:iam::111111111111:role/partners/auditor"


def test_own_role_deny_leaves_only_reads_of_that_one_role() -> None:
    (statement,) = own_role_deny(ROLE)["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Resource"] == ROLE
    assert "Condition" not in statement
    assert all(
        action.startswith(("iam:Get", "iam:List", "iam:Generate", "iam:Simulate")) for action in statement["NotAction"]
    )


def test_own_role_deny_takes_the_path_literally() -> None:
    (statement,) = own_role_deny("arn:aws:iam::111111111111:role/a*b/${aws:username}/auditor")["Statement"]
    assert statement["Resource"] == "arn:aws:iam::111111111111:role/a${*}b/${$}{aws:username}/auditor"


def test_dated_deny_begins_at_the_very_second_in_utc() -> None:
    zone = timezone(timedelta(hours=2))
    (statement,) = dated_deny(datetime(2027, 1, 1, 1, 30, 5, 999_999, tzinfo=zone))["Statement"]
    assert statement == {
        "Sid": "DenyAfterTheEnd",
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"DateGreaterThanEquals": {"aws:CurrentTime": "2026-12-31T23:30:05Z"}},
    }


def test_dated_deny_refuses_a_time_without_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        dated_deny(datetime(2027, 1, 1, tzinfo=UTC).replace(tzinfo=None))


def test_kill_deny_has_no_condition() -> None:
    (statement,) = kill_deny()["Statement"]
    assert statement == {"Sid": "DenyEverything", "Effect": "Deny", "Action": "*", "Resource": "*"}
