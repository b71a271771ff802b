"""What is printed of grants."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.grants.fake_iam import ALLOW_ALL_READS, FakeIam

from valetkey.grants.grant import Grant
from valetkey.grants.listing import listed
from valetkey.grants.plan import plan
from valetkey.grants.role import Owner, read_role
from valetkey.grants.status import read_standing
from valetkey.report.listing import say_list
from valetkey.trust import Terms


def test_no_policy_but_the_grants_own_denies_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    iam = FakeIam("111111111111")
    grant = Grant(
        name="audit",
        account=iam.account,
        terms=Terms(contractor="222222222222", until=datetime(2030, 1, 1, tzinfo=UTC)),
        managed=("arn:aws:iam::aws:policy/SecurityAudit",),
    )
    for call in plan(grant, None):
        iam(call)
    iam.roles["audit"]["inline"]["valetkey-more"] = ALLOW_ALL_READS
    role = read_role(iam, "audit")
    assert role is not None
    owner = Owner(iam.account, "aws", f"arn:aws:iam::{iam.account}:user/owner")
    for as_json in (True, False):
        now = datetime(2029, 1, 1, tzinfo=UTC)
        say_list([listed(owner, [read_standing(role)], (), now=now, within=timedelta(0))], now=now, as_json=as_json)
    as_object, table = capsys.readouterr().out.split("\n}\n", 1)
    assert json.loads(as_object + "}")["grants"][0]["inline"] == ["valetkey-more"]
    assert "valetkey-more" in table
    assert "valetkey-own-role" not in table
