"""An account in memory, a grant with everything in it, and a clock that costs no time."""

from __future__ import annotations

import copy
from datetime import UTC, datetime

import pytest
from tests.unit.grants.fake_iam import ALLOW_ALL_READS, FakeIam

from valetkey.grants.grant import Grant
from valetkey.grants.waiting import Waiting
from valetkey.trust import Terms


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def iam() -> FakeIam:
    """Nothing is shared between two of them, so that the accounts may be the same in every test."""
    return FakeIam("111111111111")


@pytest.fixture
def grant(iam: FakeIam) -> Grant:
    """Everything there is in a grant, so that nothing is forgotten in what a test compares."""
    return Grant(
        name="audit",
        account=iam.account,
        terms=Terms(
            contractor="222222222222",
            external_id="ext,id:with=/signs",
            mfa_max_age=3600,
            until=datetime(2026, 12, 31, tzinfo=UTC),
        ),
        managed=(
            "arn:aws:iam::aws:policy/SecurityAudit",
            "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess",
        ),
        inline=(("policy-more", copy.deepcopy(ALLOW_ALL_READS)),),
        max_session=7200,
        boundary="arn:aws:iam::aws:policy/ReadOnlyAccess",
        tags=(("ticket", "OPS-1"),),
        description="The yearly audit",
        path="/partners/",
        request="arrow-forest-endless-ceiling-link-girl",
        user_id="AIDACKCEVSQ6C2EXAMPLE",
    )


@pytest.fixture
def waiting() -> Waiting:
    """Waits a minute in no time."""
    passed = [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += seconds

    return Waiting(clock=lambda: passed[0], sleep=sleep)
