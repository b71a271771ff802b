"""show of a role that is not as agreed: changes, who gets in now, the ways out; ExternalIds in full on demand."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.grants import test_adopt as adopting
from tests.unit.grants.fake_iam import FakeIam

from valetkey.grants.grant import Grant
from valetkey.grants.plan import plan
from valetkey.grants.role import Owner, read_role
from valetkey.grants.status import proof, read_standing
from valetkey.grants.waiting import Waiting
from valetkey.report.grants import say_show
from valetkey.trust import Terms

EXTERNAL_ID = "a-long-external-id"
END = datetime(2030, 1, 1, tzinfo=UTC)
NOW = datetime(2029, 1, 1, tzinfo=UTC)
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
STRANGER = "arn:aws:iam::999999999999:root"


def shown(change: Callable[[dict[str, Any]], object], *, as_json: bool, show_ids: bool = False) -> None:
    iam = FakeIam("111111111111")
    grant = Grant(
        name="audit",
        account=iam.account,
        terms=Terms(
            contractor="222222222222", external_id="a-long-external-id", until=datetime(2030, 1, 1, tzinfo=UTC)
        ),
        managed=("arn:aws:iam::aws:policy/SecurityAudit",),
    )
    for call in plan(grant, None):
        iam(call)
    change(iam.roles["audit"])
    role = read_role(iam, "audit")
    assert role is not None
    standing = read_standing(role)
    owner = Owner(iam.account, "aws", f"arn:aws:iam::{iam.account}:user/owner")
    say_show(owner, standing, proof(standing), now=NOW, as_json=as_json, show_ids=show_ids)


def stranger(role: dict[str, Any]) -> None:
    role["AssumeRolePolicyDocument"]["Statement"].append(
        {"Effect": "Allow", "Principal": {"AWS": STRANGER}, "Action": "sts:AssumeRole"}
    )


def unguarded(role: dict[str, Any]) -> None:
    condition = role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]
    condition["StringEquals"]["sts:ExternalId"] = "of-mallory"


def attached(role: dict[str, Any]) -> None:
    role["managed"].append(ADMIN)


def undenied(role: dict[str, Any]) -> None:
    del role["inline"]["valetkey-own-role"]


def bounded(role: dict[str, Any]) -> None:
    role["PermissionsBoundary"] = {"PermissionsBoundaryArn": ADMIN}


@pytest.mark.parametrize(
    ("change", "says", "gets_in", "way"),
    [
        (
            lambda role: role["managed"].append(ADMIN),
            f"managed policy {ADMIN} was added",
            "222222222222",
            "change audit",
        ),
        (
            lambda role: role["inline"].pop("valetkey-own-role"),
            "is missing",
            "222222222222",
            "`valetkey grant` again",
        ),
        (lambda role: role.update(MaxSessionDuration=43200), "from 3600 s to 43200 s", "222222222222", "change audit"),
        (bounded, f"permissions boundary {ADMIN} was set", "222222222222", "change audit"),
        (unguarded, "other conditions or principals", "222222222222", "`valetkey change audit` with them"),
        (stranger, "replaced by one that valetkey does not write", "999999999999", "revoke audit"),
    ],
)
def test_on_drift_it_says_what_was_changed_who_gets_in_and_the_ways_out(
    change: Callable[[dict[str, Any]], object], says: str, gets_in: str, way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shown(change, as_json=False)
    text = capsys.readouterr().out
    changed, _, rest = text.partition("Changes since the grant was agreed:")[2].partition("Who is admitted now:")
    who, _, ways = rest.partition("Ways out:")
    assert says in changed
    assert gets_in in who
    assert way in ways
    # A grant is for one account: `adopt` refuses a role that admits a second one.
    assert ("valetkey adopt audit" in ways) == (gets_in == "222222222222")
    assert "a-long-external-id" not in text
    shown(change, as_json=True)
    result = json.loads(capsys.readouterr().out)
    assert any(says in item for item in result["changed"])
    assert any(way in item for item in result["ways_out"])
    assert any(gets_in in region["party"]["name"] for region in result["who"]["regions"])


def test_a_role_as_agreed_says_nothing_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    shown(lambda role: None, as_json=False)
    text = capsys.readouterr().out
    assert ("Ways out" in text, "The role matches its record." in text) == (False, True)
    shown(lambda role: None, as_json=True)
    result = json.loads(capsys.readouterr().out)
    assert (result["who"], result["changed"], result["ways_out"]) == (None, [], [])


def test_the_end_of_an_adopted_role_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Its trust policy has no end, and a dated deny has: `until no end` beside `ends 2030-01-01` says two things."""

    iam = FakeIam("111111111111")
    adopting.made(iam, adopting.SHAPES["console"])
    standing = adopting.adopted(iam, NOW, Waiting(clock=lambda: 0.0, sleep=lambda _: None), until=END)
    owner = Owner(iam.account, "aws", f"arn:aws:iam::{iam.account}:user/owner")
    say_show(owner, standing, proof(standing), now=NOW, as_json=False)
    text = capsys.readouterr().out
    assert "made by other means, adopted" in text
    assert ("no end" in text, "ends           2030-01-01" in text) == (False, True)
    shown(lambda role: None, as_json=False)
    assert "until          2030-01-01T00:00:00Z" in capsys.readouterr().out


def test_the_trust_policy_is_the_roles_or_says_where_it_is_shortened(capsys: pytest.CaptureFixture[str]) -> None:
    shown(lambda role: None, as_json=False)
    text = capsys.readouterr().out
    assert "Trust policy (ExternalIds are shortened: --show-external-id):" in text
    shown(lambda role: None, as_json=False, show_ids=True)
    text = capsys.readouterr().out
    assert "Trust policy:\n" in text
    assert text.count("a-long-external-id") == 2
