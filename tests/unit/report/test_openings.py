"""What policies open, as `grant` says it before it asks."""

from __future__ import annotations

from valetkey.catalog.outliving_credentials import OUTLIVES
from valetkey.policy import parse_policy
from valetkey.prover.effective_permissions import Opening, opening
from valetkey.report.openings import opening_lines


def opens(*actions: str) -> Opening:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    policy = parse_policy({"Version": "2012-10-17", "Statement": [statement]}, "identity")
    return opening([("Vendor", policy)], boundary=None, role_arn="arn:aws:iam::111111111111:role/audit")


def test_what_outlives_a_revocation_is_said_with_its_life_and_the_policy() -> None:
    lines = list(opening_lines(opens("s3:GetDataAccess", "rds-db:connect")))
    at = lines.index("They allow obtaining what a deny on the role, and so `revoke`, does not end:")
    assert lines[at + 1] == (
        "  - S3 Access Grants: credentials of the role of the S3 location, up to 12 h: s3:GetDataAccess (Vendor)"
    )
    assert lines[at + 2] == (
        "  - RDS and Aurora: open database connections, no limit named by AWS: rds-db:connect (Vendor)"
    )


def test_nothing_is_said_where_nothing_outlives_it() -> None:
    assert not any("does not end" in line for line in opening_lines(opens("s3:ListBucket")))


def test_a_long_list_is_cut_and_counted() -> None:
    lines = list(opening_lines(opens("*")))
    at = next(number for number, line in enumerate(lines) if "does not end" in line)
    assert lines[at + 9] == f"  - and {len(OUTLIVES) - 8} more (all of them with --json)"
