"""The list of grants: its order, what it marks, and what `list --check` finds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.grants.fake_iam import ALLOW_ALL_READS, FakeIam
from tests.unit.grants.handmade import allow_all

from valetkey.grants.grant import Grant
from valetkey.grants.growth import read_versions
from valetkey.grants.listing import Listed, by_end, is_administrator, listed
from valetkey.grants.plan import plan
from valetkey.grants.role import Role, read_owner, read_role
from valetkey.grants.status import Standing, read_standing

MONTH = timedelta(days=30)
NOW = datetime(2026, 11, 29, tzinfo=UTC)


def standing(iam: FakeIam, wanted: Grant, *, used: bool = True) -> Standing:
    for call in plan(wanted, None):
        iam(call)
    return read_standing(role_of(iam, wanted.name, used=used))


def role_of(iam: FakeIam, name: str, *, used: bool = True) -> Role:
    found = read_role(iam, name)
    assert found is not None
    return replace(found, last_used=NOW - timedelta(days=1) if used else None)


def one(iam: FakeIam, found: Standing, *, now: datetime = NOW) -> Listed:
    return listed(read_owner(iam), [found], (), now=now, within=MONTH).listed[0]


def test_the_next_end_comes_first_and_the_endless_last(iam: FakeIam, grant: Grant) -> None:
    ends = {"b": NOW + 3 * MONTH, "a": None, "d": NOW + 2 * MONTH, "c": None}
    found = [
        standing(iam, replace(grant, name=name, terms=replace(grant.terms, until=end))) for name, end in ends.items()
    ]
    rows = by_end([listed(read_owner(iam), found, (), now=NOW, within=MONTH)])
    assert [each.standing.role.name for each in rows] == ["d", "b", "a", "c"]
    assert [each.marks for each in rows] == [(), (), ("endless",), ("endless",)]


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=31), ()),
        (MONTH, ("ends in 30 days",)),
        (timedelta(days=3, seconds=-9), ("ends in 3 days",)),
        (timedelta(hours=3), ("ends within two days",)),
    ],
)
def test_an_end_that_is_near_is_found(iam: FakeIam, grant: Grant, left: timedelta, words: tuple[str, ...]) -> None:
    assert one(iam, standing(iam, replace(grant, terms=replace(grant.terms, until=NOW + left)))).problems == words


def test_what_has_ended_is_endless_or_was_never_used_is_found(iam: FakeIam, grant: Grant) -> None:
    found = standing(iam, grant, used=False)
    assert one(iam, found, now=datetime(2027, 1, 1, tzinfo=UTC)).problems == (
        "has ended, and the role still exists",
        "was never used",
    )
    assert one(iam, found, now=found.role.created + timedelta(days=7)).problems == ()
    endless = standing(iam, replace(grant, name="x", terms=replace(grant.terms, until=None)))
    assert one(iam, endless).problems == ("has no end",)


def test_drift_a_deleted_principal_and_a_revocation_that_stopped_are_found(iam: FakeIam, grant: Grant) -> None:
    far = replace(grant.terms, until=NOW + 9 * MONTH)
    standing(iam, replace(grant, terms=far))
    iam.roles["audit"]["managed"].append("arn:aws:iam::aws:policy/ReadOnlyAccess")
    assert one(iam, read_standing(role_of(iam, "audit"))).problems == ("differs from its record (changed)",)
    iam.roles["audit"]["inline"]["valetkey-revoked"] = {}
    assert one(iam, read_standing(role_of(iam, "audit"))).problems == ("a revocation is not finished",)
    pinned = replace(far, mfa_max_age=None, pin=("arn:aws:iam::222222222222:user/carol",))
    standing(iam, replace(grant, name="pinned", terms=pinned))
    statement = iam.roles["pinned"]["AssumeRolePolicyDocument"]["Statement"][0]
    statement["Principal"]["AWS"] = "AIDAEXAMPLEEXAMPLE12"
    (problem,) = one(iam, read_standing(role_of(iam, "pinned"))).problems
    assert problem == "a principal was deleted: AIDAEXAMPLEEXAMPLE12"


def test_a_deleted_principal_is_found_in_a_trust_that_no_terms_can_be_read_from(iam: FakeIam, grant: Grant) -> None:
    standing(iam, replace(grant, terms=replace(grant.terms, until=NOW + 9 * MONTH)))
    statement = iam.roles["audit"]["AssumeRolePolicyDocument"]["Statement"][0]
    statement["Principal"] = {"AWS": ["AIDAEXAMPLEEXAMPLE12", "222222222222", "AIDAEXAMPLEEXAMPLE12"]}
    found = read_standing(role_of(iam, "audit"))
    assert found.terms is None
    assert one(iam, found).problems == ("a principal was deleted: AIDAEXAMPLEEXAMPLE12",)


def test_long_disuse_is_found_once(iam: FakeIam, grant: Grant) -> None:
    far = replace(grant, terms=replace(grant.terms, until=NOW + 99 * MONTH))

    def problems(found: Standing, days: int, unused: int) -> tuple[str, ...]:
        now = found.role.created + timedelta(days=days)
        owner, days_unused = read_owner(iam), timedelta(days=unused)
        return listed(owner, [found], (), now=now, within=MONTH, unused=days_unused).listed[0].problems

    never = standing(iam, far, used=False)
    assert problems(never, 7, 90) == ()
    assert problems(never, 90, 90) == ("was never used",)
    assert problems(never, 91, 90) == (
        f"not used since it was created {never.role.created:%Y-%m-%d}: longer than 90 days ago",
    )
    assert problems(never, 5, 4) == (
        f"not used since it was created {never.role.created:%Y-%m-%d}: longer than 4 days ago",
    )
    used = replace(never, role=replace(never.role, last_used=never.role.created + timedelta(days=10)))
    assert problems(used, 100, 90) == ()
    assert problems(used, 101, 90) == (f"last used {used.role.last_used:%Y-%m-%d}: longer than 90 days ago",)


GROWN = "SecurityAudit: granted as v9, now v10; what that adds is unknown: v9: iam:GetPolicyVersion: NoSuchEntity"
NO_RECORD = "SecurityAudit: which version was granted is not recorded"


@pytest.mark.parametrize(
    ("recorded", "adopted", "agreed", "problems"),
    [
        ("v10", False, True, ()),
        ("v9", False, True, (GROWN,)),
        ("v9", True, True, (GROWN,)),
        (None, False, True, (NO_RECORD,)),
        (None, True, True, ()),
        (None, False, False, ("differs from its record (changed)",)),
    ],
)
def test_a_policy_that_aws_has_changed_is_found(
    iam: FakeIam, grant: Grant, recorded: str | None, adopted: bool, agreed: bool, problems: tuple[str, ...]
) -> None:
    """What is not recorded is a problem of its own only where it was agreed, and by valetkey."""
    audit = "arn:aws:iam::aws:policy/SecurityAudit"
    iam.versions = {audit: {"v10": ALLOW_ALL_READS}}
    far = replace(grant.terms, until=NOW + 9 * MONTH)
    managed = (audit,) if agreed else ()
    versions = ((audit, recorded),) if recorded else ()
    found = standing(iam, replace(grant, terms=far, managed=managed, versions=versions))
    if not agreed:
        iam.roles["audit"]["managed"].append(audit)
        found = read_standing(role_of(iam, "audit"))
    if adopted:
        found = replace(found, record=replace(found.record, trust="0" * 64))
    owner, read = read_owner(iam), read_versions([found], iam)
    assert listed(owner, [found], (), now=NOW, within=MONTH, versions=read).listed[0].problems == problems
    assert one(iam, found).problems == (() if agreed else problems), "not asked without --check"


def test_damaged_records_are_found(iam: FakeIam) -> None:
    assert listed(read_owner(iam), [], (), now=NOW, within=MONTH).is_right
    assert not listed(read_owner(iam), [], ("audit",), now=NOW, within=MONTH).is_right


@pytest.mark.parametrize(
    ("managed", "inline", "is_one"),
    [
        ("arn:aws:iam::aws:policy/AdministratorAccess", {}, True),
        ("arn:aws-cn:iam::aws:policy/IAMFullAccess", {}, True),
        ("arn:aws:iam::111111111111:policy/AdministratorAccess", {}, False),
        ("arn:aws:iam::aws:policy/SecurityAudit", {"all": {"Statement": allow_all("*")}}, True),
        ("arn:aws:iam::aws:policy/SecurityAudit", {"all": {"Statement": [allow_all("IAM:*")]}}, True),
        ("arn:aws:iam::aws:policy/SecurityAudit", {"all": ALLOW_ALL_READS, "text": {"text": "x"}}, False),
    ],
)
def test_administrators_are_marked(iam: FakeIam, grant: Grant, managed: str, inline: Any, is_one: bool) -> None:
    found = standing(iam, grant)
    role = replace(found.role, managed=(managed,), inline=inline)
    assert is_administrator(role) is is_one
    assert ("administrator" in one(iam, replace(found, role=role)).marks) is is_one
