"""Who is admitted or refused by other terms."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from valetkey.grants.semantics import People, people
from valetkey.trust import Terms

A, NOW = "222222222222", datetime(2026, 11, 29, tzinfo=UTC)
CAROL, DAVE = (f"arn:aws:iam::{A}:user/{name}" for name in ("carol", "dave"))
GONE = "AIDA1234567890123456"
OPEN = Terms(contractor=A, external_id="vk-1", mfa=False, until=datetime(2026, 12, 31, tzinfo=UTC))


def pinned(*names: str) -> Terms:
    return replace(OPEN, pin=names)


@pytest.mark.parametrize(
    ("old", "new", "admits", "refuses"),
    [
        (OPEN, replace(OPEN, until=None), False, False),
        (OPEN, replace(OPEN, mfa=True), False, True),
        (replace(OPEN, mfa=True), OPEN, True, False),
        (OPEN, replace(OPEN, external_id="vk-2"), True, True),
        (pinned(CAROL), pinned(CAROL, DAVE), True, False),
        (pinned(CAROL, DAVE), pinned(DAVE), False, True),
        # Nobody comes in through a principal that was deleted: there is nobody to refuse.
        (pinned(GONE), pinned(CAROL), True, False),
        (pinned(CAROL), pinned(GONE), True, True),
        (pinned(CAROL, GONE), pinned(CAROL), False, False),
        (pinned(CAROL), pinned(CAROL, GONE), False, False),
    ],
)
def test_whom_other_terms_admit_or_refuse(old: Terms, new: Terms, admits: bool, refuses: bool) -> None:
    assert people(old, new, role_arn="arn:aws:iam::111111111111:role/audit", now=NOW) == People(admits, refuses)
