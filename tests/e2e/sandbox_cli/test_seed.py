"""`valetkey sandbox seed`: the account that it creates is read back."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from valetkey.account import CallError, read_live
from valetkey.aws import connect
from valetkey.sandbox.errors import SandboxError
from valetkey.sandbox.local import finish
from valetkey.sandbox.seeds import SEEDS

if TYPE_CHECKING:
    from tests.e2e.conftest import Stage

OWNER, PARTNER = "1" * 12, "2" * 12


def test_the_seeded_account_is_read_as_it_was_made(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    person = stage.owner
    person.env.pop("AWS_ENDPOINT_URL")
    try:
        assert person.run("sandbox", "seed").returncode == 2
        assert person.run("sandbox", "start", "--detach").returncode == 0
        seeded = json.loads(person.run("sandbox", "seed", "--json").stdout)
        again = person.run("sandbox", "seed")
        assert (again.returncode, "seeded already" in again.stderr) == (2, True)
        status = json.loads(person.run("sandbox", "status", "--json").stdout)
        for name, value in status["environment"].items():
            monkeypatch.setenv(name, value)
        told: list[tuple[int, int | None]] = []
        perform = connect(profile="owner")
        account = read_live(perform, wait=time.sleep, progress=lambda done, of: told.append((done, of)))
    finally:
        finish(person.home / ".local" / "state" / "valetkey" / "sandbox")
    assert (account.id, account.unknown) == (OWNER, ())
    assert told[-1] == (len(SEEDS), len(SEEDS))
    assert {item["arn"]: item["checks"] for item in seeded["roles"]} == {
        f"arn:aws:iam::{OWNER}:role{seed.path}{seed.name}": list(seed.checks) for seed in SEEDS
    }
    roles = {role.name: role for role in account.roles}
    assert set(roles) == {seed.name for seed in SEEDS}
    assert all(role.unknown == () and role.last_use_known and role.tags is not None for role in roles.values())

    def statements(name: str) -> list[dict[str, Any]]:
        return json.loads(roles[name].trust or "")["Statement"]

    orphan = statements("t13-orphan")[1]["Principal"]["AWS"]
    assert orphan.startswith("AROA")
    assert statements("t18-not-principal")[0]["NotPrincipal"] == {"AWS": f"arn:aws:iam::{PARTNER}:root"}
    assert statements("t18-resource")[0]["Resource"] == "*"
    assert statements("t05-anyone-externalid")[0]["Principal"] == {"AWS": "*"}
    old = roles["t25-never-used"]
    assert old.last_used is None
    now = datetime.now(UTC)
    assert timedelta(days=199) < now - (old.created or now) < timedelta(days=201)
    assert now - (roles["t20-unknown-party"].created or old.created or now) < timedelta(days=1)
    assert roles["t23-session-too-long"].max_session == 14400
    assert roles["t27-console"].description == "For the console: Switch Role"
    assert roles["t30-hidden-path"].path == "/service-role/"
    assert roles["ok-grant"].tags["valetkey:contractor"] == PARTNER
    assert "arn:aws:iam::aws:policy/AdministratorAccess" in account.policies
    assert roles["t22-admin"].attached == ("arn:aws:iam::aws:policy/AdministratorAccess",)
    assert json.loads(roles["t22-own-trust"].inline["more"])["Statement"][0]["Resource"].endswith("role/t22-own-trust")
    assert len(account.providers or ()) == 2
    assert account.quotas["AssumeRolePolicySizeQuota"] >= 2048


def test_a_person_who_may_only_list_roles_is_told_what_is_missing(stage: Stage) -> None:
    owner = stage.owner
    lister = owner.user("lister", {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*"}]})  # fmt: skip
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}  # fmt: skip
    owner.root("iam", "create_role", RoleName="door", AssumeRolePolicyDocument=json.dumps(trust))
    monkeypatch = pytest.MonkeyPatch()
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", stage.sandbox.url)
        account = read_live(connect(keys=lister, region="us-east-1"), wait=time.sleep)
        nobody = owner.user("nobody")
        with pytest.raises(CallError, match="GetAccountAuthorizationDetails"):
            read_live(connect(keys=nobody, region="us-east-1"), wait=time.sleep)
    (role,) = account.roles
    assert json.loads(role.trust or "") == trust
    assert role.why_unknown("policies") is not None
    assert [part.where for part in account.unknown] == [
        "iam:GetAccountSummary",
        "iam:GetAccountAuthorizationDetails",
        "iam:ListSAMLProviders",
    ]


def test_throttling_of_a_large_account_is_waited_out(stage: Stage) -> None:
    owner = stage.owner
    admin = owner.user("admin", "arn:aws:iam::aws:policy/AdministratorAccess")
    stage.sandbox.control.fault(
        kind="throttle", service="iam", operation="GetAccountAuthorizationDetails", account=owner.account, times=4
    )
    waited: list[float] = []
    with pytest.MonkeyPatch().context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", stage.sandbox.url)
        patch.setenv("AWS_MAX_ATTEMPTS", "2")
        account = read_live(connect(keys=admin, region="us-east-1"), wait=waited.append)
    assert (account.unknown, account.roles) == ((), ())
    assert waited == [1, 2]


def test_a_trust_policy_is_planted_as_it_is_and_only_on_a_role(stage: Stage) -> None:
    owner, control = stage.owner, stage.sandbox.control
    trust = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}}'
    owner.root("iam", "create_role", RoleName="door", AssumeRolePolicyDocument=trust)
    control.plant(owner.account, "door", '{"Statement": []}')
    result = owner.root("iam", "get_role", RoleName="door")["Role"]["AssumeRolePolicyDocument"]
    assert result == {"Statement": []}
    with pytest.raises(SandboxError, match="has no role other"):
        control.plant(owner.account, "other", trust)
    with pytest.raises(SandboxError, match="has no role door"):
        control.plant(stage.contractor.account, "door", trust)
