"""The grant's own denies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from valetkey.catalog.actions import expand, level
from valetkey.policy import Policy, Request, decide, parse_policy
from valetkey.prover.effective_permissions import opening
from valetkey.trust.self_denies import dated_deny, kill_deny, own_role_deny

ROLE = "arn:aws:iam::111111111111:role/partners/auditor"
SESSION = "arn:aws:sts::111111111111:assumed-role/auditor/alice"


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


def _policy(*statements: dict[str, Any], kind: Any = "identity") -> Policy:
    return parse_policy({"Version": "2012-10-17", "Statement": list(statements)}, kind)


def _allow(action: str | list[str], resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


OWN = parse_policy(own_role_deny(ROLE), "identity")


# What own_role_deny spares, by AWS's own levels: IAM's reads and lists, and nothing else of IAM.
@pytest.mark.parametrize(
    "action", [each for each in expand("iam:*") if level(each) in ("Write", "Permissions management", "Tagging")]
)
def test_own_role_deny_denies_every_write_of_iam_on_the_role(action: str) -> None:
    admin = _policy(_allow("*"))
    request = Request(principal=SESSION, action=action, resource=ROLE)
    decision = decide(request, identity=(admin, OWN))
    assert decision.outcome == "explicit_deny"


@pytest.mark.parametrize("action", ["iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListRoleTags"])
def test_own_role_deny_lets_the_role_be_read_and_others_alone(action: str) -> None:
    admin = _policy(_allow("*"))
    assert decide(Request(principal=SESSION, action=action, resource=ROLE), identity=(admin, OWN)).allowed
    other = ROLE.replace("auditor", "other")
    assert decide(Request(principal=SESSION, action="iam:PutRolePolicy", resource=other), identity=(admin, OWN)).allowed


@pytest.mark.parametrize(
    ("now", "allowed"),
    [("2026-12-31T23:59:59Z", True), ("2027-01-01T00:00:00Z", False), ("2027-01-01T00:00:01Z", False)],
)
def test_the_dated_deny_decides_by_the_second(now: str, allowed: bool) -> None:
    both = (_policy(_allow("*")), parse_policy(dated_deny(datetime(2027, 1, 1, tzinfo=UTC)), "identity"))
    request = Request(
        principal=SESSION, action="s3:GetObject", resource="arn:aws:s3:::b/k", context={"aws:CurrentTime": now}
    )
    assert decide(request, identity=both).allowed is allowed


def test_the_kill_deny_denies_everything() -> None:
    both = (_policy(_allow("*")), parse_policy(kill_deny(), "identity"))
    assert not decide(Request(principal=SESSION, action="sts:GetCallerIdentity"), identity=both).allowed
    assert opening([("Test", both[0])], boundary=None, role_arn=ROLE, own_denies=both[1:]).levels["List"] == 0
