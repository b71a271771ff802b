"""The second opinion tries what it says it tries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.trials import table

from valetkey.trust import Terms, write_trust

A = "222222222222"
OWNER = "111111111111"
ROLE = f"arn:aws:iam::{OWNER}:role/partners/auditor"
ALICE = f"arn:aws:iam::{A}:user/alice"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FULL = Terms(
    contractor=A,
    external_id="Example987",
    mfa_max_age=3600,
    only=(ALICE,),
    name_people=True,
    until=NOW + timedelta(days=30),
)


def test_the_rows_are_the_full_table() -> None:
    """Every kind of caller, every condition right, wrong and absent, before and after the end, every kind of call."""
    rows = table.admits_only(write_trust(FULL), FULL, role_arn=ROLE, now=NOW).rows
    who = {row.principal for row in rows}
    assert who >= {
        ALICE,
        f"arn:aws:iam::{A}:user/Alice"[:-5] + "ALICE",
        f"arn:aws:iam::{A}:user/alicex",
        f"arn:aws:iam::{A}:user/alic",
        f"arn:aws:iam::{A}:user/other/alice",
        f"arn:aws:sts::{A}:assumed-role/alice/session",
        f"arn:aws:iam::{A}:root",
        f"arn:aws:iam::999988887777:user/{A}",
        "arn:aws:iam::999988887777:user/alice",
        f"arn:aws-cn:iam::{A}:root",
        f"arn:aws:iam::{OWNER}:root",
        f"arn:aws:sts::{OWNER}:assumed-role/auditor/session",
        f"arn:aws:iam::{OWNER}:saml-provider/corp",
        "ec2.amazonaws.com",
        "accounts.google.com",
        "anonymous",
    }
    mine = [row for row in rows if row.principal == ALICE and row.action == "sts:AssumeRole"]
    tried = {key: {row.conditions.get(key) for row in mine} for key in mine[0].conditions}
    assert tried["sts:ExternalId"] >= {
        "Example987",
        None,
        "eXAMPLE987",
        "Example98",
        "Example987x",
        " Example987",
        "",
        "*",
    }
    assert tried["aws:MultiFactorAuthPresent"] >= {"true", "false", None}
    assert tried["aws:MultiFactorAuthAge"] >= {"0", "3599", "3600", "3601", None}
    assert tried["sts:RoleSessionName"] >= {"alice", "ALICE", "alic", "alicex", None}
    assert tried["aws:CurrentTime"] >= {"2026-12-23T11:59:59Z", "2026-12-23T12:00:00Z", "2026-12-23T12:00:01Z", None}
    # Every combination of right, wrong and absent: 3 x 3 x 3 x 3 for the call, before and after the end.
    coarse = {
        tuple(
            "right" if row.conditions.get(key) == right else "absent" if key not in row.conditions else "wrong"
            for key, right in _RIGHT_OF_ALICE.items()
        )
        for row in mine
    }
    assert len(coarse) >= 3 * 3 * 3 * 3 * 2
    assert {row.action for row in rows} >= {
        "sts:AssumeRole",
        "sts:TagSession",
        "sts:SetSourceIdentity",
        "sts:AssumeRole+sts:TagSession",
        "sts:AssumeRoleWithSAML",
        "sts:AssumeRoleWithWebIdentity",
    }
    passing = [row for row in rows if row.decision.allowed]
    assert {row.principal for row in passing} == {ALICE}


_RIGHT_OF_ALICE = {
    "sts:ExternalId": "Example987",
    "aws:MultiFactorAuthPresent": "true",
    "aws:MultiFactorAuthAge": "3600",
    "sts:RoleSessionName": "alice",
    "aws:CurrentTime": "2026-12-23T11:59:59Z",
}
