"""`valetkey audit` of a live account with one role for each check: it reports every expected finding and no other."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.e2e.owner.conftest import permissions

from valetkey.aws import connect
from valetkey.cli._owning import fresh_id
from valetkey.grants.grant import Grant
from valetkey.grants.make import make
from valetkey.grants.waiting import Waiting
from valetkey.sandbox.seed import seed
from valetkey.sandbox.seeds import SEEDS
from valetkey.trust import Terms


@pytest.fixture
def audited(stage: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs `valetkey audit` in a seeded account, as a user with only the permissions for it."""
    owner = stage.owner
    admin = owner.user("admin", "arn:aws:iam::aws:policy/AdministratorAccess")
    monkeypatch.setenv("AWS_ENDPOINT_URL", stage.sandbox.url)
    perform = connect(keys=admin, region="us-east-1")

    def grant(name: str, person: str, until: datetime) -> None:
        terms = Terms(contractor=person.split(":")[4], external_id=fresh_id(), only=(person,), until=until)
        read_only = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
        wanted = Grant(name=name, account=owner.account, terms=terms, managed=(read_only,))
        waiting = Waiting(clock=time.monotonic, sleep=time.sleep)
        make(wanted, None, perform=perform, now=datetime.now(UTC), waiting=waiting)

    seed(stage.sandbox.url, owner=owner.account, partner=stage.contractor.account, grant=grant)
    owner.login(owner.user("auditor", permissions("audit", owner.account)))
    return lambda *words: owner.run("audit", *words)


def test_each_is_found_and_none_is_invented(stage: Any, audited: Any) -> None:
    ran = audited("--json")
    assert ran.returncode == 1, ran.stderr
    answer = json.loads(ran.stdout)
    assert (answer["account"], answer["incomplete"]) == (stage.owner.account, [])
    result: dict[str, set[str]] = {role["arn"].rsplit("/", 1)[-1]: set() for role in answer["roles"]}
    for finding in answer["findings"]:
        result[finding["role"].rsplit("/", 1)[-1]].add(finding["check"])
    assert result == {item.name: set(item.checks) for item in SEEDS}
    exposures = {role["arn"].rsplit("/", 1)[-1]: role["exposure"] for role in answer["roles"]}
    assert exposures == {item.name: item.exposure for item in SEEDS}
    assert {f"T{number}" for number in range(1, 32)} == set().union(*result.values())
    assert "vk-seed-t03" not in ran.stdout
    wrong = audited("--owner", stage.contractor.account)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert stage.owner.account in wrong.stderr
    table = audited("--owner", stage.owner.account)
    assert table.returncode == 1
    assert f"Account {stage.owner.account}: {len(SEEDS)} roles" in table.stdout
    assert table.stderr == ""
