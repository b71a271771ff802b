"""What becomes of a grant that nobody changes: AWS's policies grow, nobody uses it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.grants.fake_iam import FakeIam
from tests.unit.grants.whole_errors import refuse

from valetkey.account.calls import Call, CallError
from valetkey.grants import history
from valetkey.grants.change import change, prepare_change
from valetkey.grants.edit import Edit
from valetkey.grants.growth import Ahead, Versions, look_ahead, read_versions
from valetkey.grants.make import make
from valetkey.grants.options import OwnerOptions
from valetkey.grants.prepare import prepare
from valetkey.grants.role import read_owner, read_role
from valetkey.grants.status import Standing, read_standing
from valetkey.grants.waiting import Waiting

AUDIT = "arn:aws:iam::aws:policy/SecurityAudit"
OTHER = "arn:aws:iam::aws:policy/ReadOnlyAccess"
TAG = "valetkey:versions"


def allow(*actions: str, on: str = "*") -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": on}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.fixture
def iam() -> FakeIam:
    made = FakeIam("111111111111")
    made.versions = {AUDIT: {"v4": allow("s3:ListBucket"), "v9": allow("s3:ListBucket", "ec2:Describe*")}}
    return made


def grant(iam: FakeIam, waiting: Waiting, now: datetime, *policies: str) -> Standing:
    asked = OwnerOptions(name="audit", contractor="222222222222", policies=policies or (AUDIT,))
    prepared = prepare(asked, request=None, perform=iam, read=str, now=now, fresh_id="f" * 32)
    make(prepared.grant, prepared.role, perform=iam, now=now, waiting=waiting)
    return read(iam)


def read(iam: FakeIam) -> Standing:
    role = read_role(iam, "audit")
    assert role is not None
    return read_standing(role)


def ahead(iam: FakeIam, now: datetime, **options: Any) -> tuple[Ahead, ...]:
    standing = read(iam)
    return look_ahead(standing, read_versions([standing], iam), now=now, **options)


def test_the_version_is_recorded_and_nothing_has_grown(iam: FakeIam, waiting: Waiting, now: datetime) -> None:
    iam.policies[own := f"arn:aws:iam::{iam.account}:policy/own"] = allow("s3:GetObject")
    standing = grant(iam, waiting, now, own, AUDIT, OTHER)
    assert standing.record.versions == {AUDIT: "v9", OTHER: "v1"}
    assert not standing.drift
    assert ahead(iam, now) == ()


def test_new_actions_by_access_level(iam: FakeIam, waiting: Waiting, now: datetime) -> None:
    grant(iam, waiting, now)
    iam.versions[AUDIT]["v10"] = allow("s3:ListBucket", "ec2:Describe*", "s3:GetObject", "s3:PutObject", "iam:PassRole")
    (result,) = ahead(iam, now)
    assert (result.kind, result.about) == ("grown", AUDIT)
    assert result.adds == {
        "Read": ("s3:GetObject",),
        "Write": ("iam:PassRole", "s3:PutObject"),
    }
    assert result.text == "SecurityAudit: granted as v9, now v10; new actions: 1 read, 2 write"


def test_a_change_that_adds_no_action_is_said(iam: FakeIam, waiting: Waiting, now: datetime) -> None:
    grant(iam, waiting, now)
    iam.versions[AUDIT]["v10"] = allow("s3:ListBucket", "ec2:Describe*", "newservice:Open")
    assert [item.kind for item in ahead(iam, now)] == ["changed"]
    iam.versions[AUDIT]["v11"] = iam.versions[AUDIT]["v9"]
    assert ahead(iam, now) == (), "the same document again"


@pytest.mark.parametrize("lost", ["v9", "v10"])
def test_a_version_that_is_not_readable_is_unknown(iam: FakeIam, waiting: Waiting, now: datetime, lost: str) -> None:
    grant(iam, waiting, now)
    iam.versions[AUDIT]["v10"] = allow("*")

    def refuse(call: Call) -> None:
        if call.params.get("VersionId") == lost:
            raise CallError(call, "NoSuchEntity", "gone")

    iam.before = refuse
    (result,) = ahead(iam, now)
    assert result.kind == "unknown"
    assert f"{lost}: iam:GetPolicyVersion: NoSuchEntity" in result.text


def test_a_policy_that_may_not_be_read_is_unknown(iam: FakeIam, waiting: Waiting, now: datetime) -> None:
    grant(iam, waiting, now)

    def refuse(call: Call) -> None:
        if call.operation == "get_policy":
            raise CallError(call, "AccessDenied", "no")

    iam.before = refuse
    (result,) = ahead(iam, now)
    assert (result.kind, "iam:GetPolicy: AccessDenied" in result.text) == ("unknown", True)


@pytest.mark.parametrize("value", [None, "garbage", "7=v3", "1=v"])
def test_what_is_not_recorded_is_unknown(iam: FakeIam, waiting: Waiting, now: datetime, value: str | None) -> None:
    """A grant of an older valetkey, or a tag that somebody wrote over: the grant is as good as before."""
    grant(iam, waiting, now)
    tags = [tag for tag in iam.roles["audit"]["Tags"] if tag["Key"] != TAG]
    iam.roles["audit"]["Tags"] = tags + ([{"Key": TAG, "Value": value}] if value else [])
    assert [(item.kind, item.about) for item in ahead(iam, now)] == [("unknown", AUDIT)]
    assert not read(iam).drift


def test_a_grant_that_is_run_again_keeps_what_was_recorded(iam: FakeIam, waiting: Waiting, now: datetime) -> None:
    first = grant(iam, waiting, now)
    iam.versions[AUDIT]["v10"] = allow("s3:*")
    iam.log.clear()
    assert grant(iam, waiting, now).record == first.record
    assert iam.log == [], "it is there already, and does not differ"


def test_a_change_records_what_it_adds(iam: FakeIam, waiting: Waiting, now: datetime) -> None:
    grant(iam, waiting, now)
    iam.versions[AUDIT]["v10"] = allow("s3:*")
    iam.versions[OTHER] = {"v77": allow("s3:ListBucket")}

    def run(edit: Edit) -> None:
        ready = prepare_change("audit", lambda when: edit, owner=read_owner(iam), perform=iam, read=str, now=now)
        change(ready, perform=iam, now=lambda: now, waiting=waiting)

    run(Edit(asked=OwnerOptions(name="audit"), given=frozenset(), add_policies=(OTHER,)))
    assert read(iam).record.versions == {AUDIT: "v9", OTHER: "v77"}, "nothing is agreed to by another change"
    assert [item.kind for item in ahead(iam, now)] == ["grown"]
    run(Edit(asked=OwnerOptions(name="audit"), given=frozenset(), add_policies=(AUDIT,)))
    assert ahead(iam, now) == (), "--add-policy agrees to what a policy says now"
    assert history.read(read(iam).record.changes)[0].what == "version of SecurityAudit v9 to v10"
    assert read(iam).record.versions == {AUDIT: "v10", OTHER: "v77"}
    assert not read(iam).drift
    run(Edit(asked=OwnerOptions(name="audit"), given=frozenset(), remove_policies=(AUDIT,)))
    assert read(iam).record.versions == {OTHER: "v77"}


def test_unused(iam: FakeIam, waiting: Waiting, now: datetime) -> None:
    grant(iam, waiting, now)
    made = iam.roles["audit"]["CreateDate"]
    month = timedelta(days=30)
    assert ahead(iam, made + month, unused=month) == ()
    (result,) = ahead(iam, made + timedelta(days=31), unused=month)
    assert (result.kind, "not used since it was created 2026-11-01" in result.text) == ("unused", True)
    iam.roles["audit"]["RoleLastUsed"] = {"LastUsedDate": datetime(2026, 12, 1, tzinfo=UTC)}
    assert ahead(iam, datetime(2026, 12, 31, tzinfo=UTC), unused=month) == ()
    (result,) = ahead(iam, datetime(2027, 1, 1, tzinfo=UTC), unused=month)
    assert "last used 2026-12-01" in result.text
    assert ahead(iam, datetime(2030, 1, 1, tzinfo=UTC)) == (), "not asked"


@pytest.mark.parametrize(
    ("unused", "words"),
    [
        (timedelta(days=90), "90 days"),
        (timedelta(days=1), "1 day"),
        (timedelta(hours=36), "36 hours"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(seconds=61), "61 seconds"),
    ],
)
def test_disuse_is_told_as_long_as_it_was_asked_for(
    iam: FakeIam, waiting: Waiting, now: datetime, unused: timedelta, words: str
) -> None:
    made = grant(iam, waiting, now).role
    since = made.created + timedelta(days=400)
    iam.roles["audit"]["RoleLastUsed"] = {"LastUsedDate": since}
    assert ahead(iam, since + unused, unused=unused) == ()
    assert ahead(iam, since + unused + timedelta(seconds=1), unused=unused) == (
        Ahead("unused", made.arn, f"last used 2027-12-06: longer than {words} ago"),
    )


@pytest.mark.parametrize(
    ("days", "words"), [(400, "not used since it was created 2026-11-01"), (401, "no use within 400 days")]
)
def test_what_aws_does_not_remember_is_not_called_never(
    iam: FakeIam, waiting: Waiting, now: datetime, days: int, words: str
) -> None:
    made = grant(iam, waiting, now).role
    (result,) = ahead(iam, made.created + timedelta(days=days), unused=timedelta(days=90))
    assert result == Ahead("unused", made.arn, f"{words}: longer than 90 days ago")


def test_grants_of_different_versions_are_compared_each_with_its_own_and_read_once(
    iam: FakeIam, waiting: Waiting, now: datetime
) -> None:
    old = grant(iam, waiting, now)
    iam.versions[AUDIT]["v10"] = allow("s3:ListBucket", "ec2:Describe*", "s3:GetObject")
    middle = replace(old, record=replace(old.record, versions={AUDIT: "v10"}))
    iam.versions[AUDIT]["v11"] = allow("s3:ListBucket", "ec2:Describe*", "s3:GetObject", "s3:PutObject")
    calls: list[str] = []
    iam.before = lambda call: calls.append(call.operation)
    read = read_versions([old, middle, old], iam)
    assert sorted(calls) == ["get_policy", *["get_policy_version"] * 3]
    assert [item.text for one in (old, middle) for item in look_ahead(one, read, now=now)] == [
        "SecurityAudit: granted as v9, now v11; new actions: 1 read, 1 write",
        "SecurityAudit: granted as v10, now v11; new actions: 1 write",
    ]


# -- whole ---------------------------------------------------------------


def test_what_is_not_known_is_told_with_the_reason(iam: FakeIam, waiting: Waiting, now: datetime) -> None:
    standing = grant(iam, waiting, now)
    iam.versions[AUDIT]["v10"] = allow("*")
    assert look_ahead(standing, {}, now=now) == (
        Ahead("unknown", AUDIT, "SecurityAudit: whether AWS has changed it since v9 is unknown: it was not read"),
    )
    iam.before = refuse("AccessDenied", "get_policy")
    result = read_versions([standing], iam)
    assert result == {AUDIT: Versions(None, {}, "iam:GetPolicy: AccessDenied")}
    why = "iam:GetPolicy: AccessDenied"
    assert look_ahead(standing, result, now=now) == (
        Ahead("unknown", AUDIT, f"SecurityAudit: whether AWS has changed it since v9 is unknown: {why}"),
    )
    iam.before = refuse("AccessDenied", "get_policy_version")
    assert look_ahead(standing, read_versions([standing], iam), now=now) == (
        Ahead(
            "unknown",
            AUDIT,
            "SecurityAudit: granted as v9, now v10; what that adds is unknown: v10: iam:GetPolicyVersion: AccessDenied"
            "; v9: iam:GetPolicyVersion: AccessDenied",
        ),
    )
    for operation in ("get_policy", "get_policy_version"):
        iam.before = refuse("Unreachable", operation)
        with pytest.raises(CallError, match="Unreachable"):
            read_versions([standing], iam)


def test_a_version_that_cannot_be_analyzed_is_unknown(iam: FakeIam, waiting: Waiting, now: datetime) -> None:
    grant(iam, waiting, now)
    iam.versions[AUDIT]["v10"] = {"Version": "2012-10-17", "Statement": {"Effect": "x"}}
    (result,) = ahead(iam, now)
    assert (result.kind, result.about) == ("unknown", AUDIT)
    assert result.text.startswith("SecurityAudit: granted as v9, now v10; what that adds is unknown: ")
    assert result.adds == {}


def test_fewer_actions_are_a_change_and_no_growth(iam: FakeIam, waiting: Waiting, now: datetime) -> None:
    grant(iam, waiting, now)
    iam.versions[AUDIT]["v10"] = allow("s3:ListBucket")
    assert ahead(iam, now) == (
        Ahead(
            "changed", AUDIT, "SecurityAudit: granted as v9, now v10; no listed action is new; review what else changed"
        ),
    )


def test_what_nobody_has_a_record_of_is_not_read(iam: FakeIam, waiting: Waiting, now: datetime) -> None:
    own = f"arn:aws:iam::{iam.account}:policy/own"
    iam.policies[own] = allow("s3:GetObject")
    standing = grant(iam, waiting, now, AUDIT, OTHER, own)
    some = replace(standing, record=replace(standing.record, versions={OTHER: "v1", own: "v1"}))
    calls: list[Call] = []
    iam.before = calls.append
    assert read_versions([some], iam) == {OTHER: Versions("v1", {"v1": None})}
    assert [(call.operation, call.params["PolicyArn"]) for call in calls] == [("get_policy", OTHER)]
    assert look_ahead(some, read_versions([some], iam), now=now) == (
        Ahead("unknown", AUDIT, "SecurityAudit: which version was granted is not recorded"),
    )
    assert look_ahead(some, None, now=now) == ()


def test_growth_and_disuse_are_told_together(iam: FakeIam, waiting: Waiting, now: datetime) -> None:
    standing = grant(iam, waiting, now)
    iam.versions[AUDIT]["v10"] = allow("s3:*")
    later = standing.role.created + timedelta(days=91)
    assert [item.kind for item in ahead(iam, later, unused=timedelta(days=90))] == ["grown", "unused"]
