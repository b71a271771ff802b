"""Which roles may be revoked without a record, whom that meets, and what is kept of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from tests.unit.grants.fake_iam import FakeIam
from tests.unit.grants.handmade import MFA, ROOT, allow, made, trust
from tests.unit.grants.whole_errors import refuse, whole_error

from valetkey.account.calls import Call, CallError
from valetkey.errors import ValetkeyError
from valetkey.grants.grant import REVOKED, Grant
from valetkey.grants.plan import plan
from valetkey.grants.revoke import revoke, shut
from valetkey.grants.role import read_owner, read_role, read_roles
from valetkey.grants.status import read_grants
from valetkey.grants.unmanaged import Unmanaged, judge_unmanaged, snapshot, undo
from valetkey.grants.waiting import Waiting

OWN = {"AWS": "arn:aws:iam::111111111111:root"}
SERVICE = {"Service": "ec2.amazonaws.com"}
CONTRACTOR = trust(allow(ROOT, MFA))


def judged(iam: FakeIam, name: str = "puppeteers", **owner: Any) -> Unmanaged:
    role = read_role(iam, name)
    assert role is not None
    return judge_unmanaged(role, owner=replace(read_owner(iam), **owner), perform=iam)


@pytest.mark.parametrize(
    ("document", "outside", "uses"),
    [
        (CONTRACTOR, "account 222222222222", 0),
        # The role's own account is one of them, and "*" is read as services too.
        (trust(allow({"AWS": "*"})), "every AWS account", 2),
        (trust(allow(ROOT), allow(SERVICE)), "account 222222222222", 1),
        (trust(allow(ROOT), allow(OWN)), "account 222222222222", 1),
        ({"Version": "2012-10-17", "Statement": "nonsense"}, "not decided", 0),
    ],
)
def test_whoever_comes_in_from_outside_decides_and_unknown_counts(
    iam: FakeIam, document: Any, outside: str, uses: int
) -> None:
    made(iam, document)
    role = judged(iam)
    assert outside in " ".join(role.outsiders)
    assert len(role.uses) == uses


@pytest.mark.parametrize("document", [trust(allow(OWN)), trust(allow(SERVICE)), trust()])
def test_a_role_for_nobody_outside_is_refused(iam: FakeIam, document: Any) -> None:
    made(iam, document)
    with pytest.raises(ValetkeyError, match="nobody outside") as refused:
        judged(iam)
    assert refused.value.exit_code == 1


def test_the_role_of_the_caller_and_roles_of_aws_are_refused(iam: FakeIam) -> None:
    made(iam, CONTRACTOR)
    with pytest.raises(ValetkeyError, match="signed in"):
        judged(iam, arn="arn:aws:sts::111111111111:assumed-role/PUPPETEERS/me")
    assert judged(iam, arn="arn:aws:sts::111111111111:assumed-role/puppeteers2/me").uses == ()
    for path in ("/aws-reserved/sso.amazonaws.com/", "/aws-service-role/x.amazonaws.com/"):
        made(iam, CONTRACTOR, path=path)
        with pytest.raises(ValetkeyError, match="AWS creates and manages"):
            judged(iam)


def test_instance_profiles_are_users_and_so_is_not_knowing(iam: FakeIam) -> None:
    made(iam, CONTRACTOR)
    iam.profiles["machines"] = "puppeteers"
    assert judged(iam).uses == ("the instance profile machines",)

    def refuse(call: Call) -> None:
        if call.operation == "list_instance_profiles_for_role":
            raise CallError(call, "AccessDenied", "no")

    iam.before = refuse
    assert "AccessDenied" in judged(iam).uses[0]


def test_it_is_closed_undone_by_hand_and_deleted(iam: FakeIam, waiting: Waiting, now: datetime) -> None:
    role = made(iam, CONTRACTOR)
    result = judged(iam)
    kept = snapshot(result, at=now)
    assert (kept["trust"], kept["tags"], kept["boundary"]) == (CONTRACTOR, {"team": "shows"}, None)
    assert kept["managed"] == role["managed"]
    assert set(kept["inline"]) == {"a,b"}
    done = shut(result.standing, perform=iam, now=lambda: now, waiting=waiting)
    assert done.trust_closed
    assert iam.log == ["put_role_policy", "update_assume_role_policy"]
    trust_back, deny_off = undo("puppeteers", "/x/a file.json")
    assert "'/x/a file.json'" in trust_back
    assert deny_off.endswith(f"--policy-name {REVOKED}")
    # The closed role is taken again, to delete it.
    again = judged(iam)
    assert again.outsiders == ()
    revoke(again.standing, perform=iam, now=lambda: now, waiting=waiting)
    assert iam.roles == {}


@pytest.mark.parametrize("loss", ["version", "all", "damaged"])
def test_a_lost_or_damaged_record_disables_nothing_and_is_listed(
    iam: FakeIam, grant: Grant, waiting: Waiting, now: datetime, loss: str
) -> None:
    for call in plan(grant, None):
        iam(call)
    role = iam.roles["audit"]
    if loss == "damaged":
        role["Tags"] = [
            {**tag, "Value": "x" if tag["Key"] == "valetkey:session" else tag["Value"]} for tag in role["Tags"]
        ]
    else:
        role["Tags"] = [tag for tag in role["Tags"] if loss == "version" and tag["Key"] != "valetkey:version"]
    assert read_grants(read_roles(iam)) == ((), ("audit",))
    revoke(judged(iam, "audit").standing, perform=iam, now=lambda: now, waiting=waiting)
    assert iam.roles == {}


# -- whole

ARN = "arn:aws:iam::111111111111:role/puppeteers"
DO = "nothing was changed"


@pytest.mark.parametrize(
    ("document", "outsiders", "uses", "contractor"),
    [
        (CONTRACTOR, ("account 222222222222",), (), "222222222222"),
        (
            trust(allow(ROOT), allow({"AWS": "arn:aws:iam::333333333333:root"})),
            ("account 222222222222", "account 333333333333"),
            (),
            "",
        ),
        (
            trust(allow(ROOT), allow(SERVICE), allow(OWN)),
            ("account 222222222222",),
            ("the role's own account", "the service ec2.amazonaws.com"),
            "222222222222",
        ),
        (
            trust(allow({"AWS": "*"})),
            ("every AWS account",),
            ("the role's own account", "any AWS service"),
            "",
        ),
    ],
)
def test_whom_it_meets_is_told(
    iam: FakeIam, document: Any, outsiders: tuple[str, ...], uses: tuple[str, ...], contractor: str
) -> None:
    made(iam, document)
    role = judged(iam)
    assert (role.outsiders, role.uses, role.profiles) == (outsiders, uses, ())
    assert role.standing.record.contractor == contractor
    assert [(difference.what, difference.found) for difference in role.standing.drift] == [("record", "not asked for")]


def test_what_is_not_decided_is_told(iam: FakeIam) -> None:
    made(iam, {"Version": "2012-10-17", "Statement": "nonsense"})
    (said,) = judged(iam).outsiders
    assert said.startswith("not decided: ")


def test_each_refusal_says_what_to_do(iam: FakeIam) -> None:
    def refusal(**owner: Any) -> tuple[str, str, str, int]:
        with pytest.raises(ValetkeyError) as refused:
            judged(iam, **owner)
        return whole_error(refused)

    arn = made(iam, CONTRACTOR, path="/aws-reserved/x/")["Arn"]
    what = "puppeteers is a role that AWS creates and manages"
    assert refusal() == (what, f"remove it in the service that created it; {DO}", arn, 1)
    made(iam, CONTRACTOR)
    assert refusal(arn="arn:aws:sts::111111111111:assumed-role/Puppeteers/me") == (
        "you are signed in with puppeteers",
        f"sign in with another identity; {DO}",
        ARN,
        1,
    )
    made(iam, trust(allow(OWN)))
    who = "`valetkey who` shows who is admitted; remove a role that only your own account uses in the IAM console"
    assert refusal() == ("puppeteers admits nobody outside account 111111111111", f"{who}; {DO}", ARN, 1)
    # One that an earlier run has closed is taken.
    iam.roles["puppeteers"]["inline"][REVOKED] = {}
    assert judged(iam).outsiders == ()


def test_profiles_and_that_they_may_not_be_listed_are_told(iam: FakeIam) -> None:
    made(iam, trust(allow(ROOT), allow(SERVICE)))
    iam.profiles = {"one": "puppeteers", "two": "puppeteers"}
    role = judged(iam)
    assert role.profiles == ("one", "two")
    assert role.uses == ("the service ec2.amazonaws.com", "the instance profile one", "the instance profile two")
    iam.before = refuse("AccessDenied", "list_instance_profiles_for_role")
    role = judged(iam)
    unknown = "instance profiles, if there are any: AccessDenied for iam:ListInstanceProfilesForRole"
    assert (role.profiles, role.uses) == ((), ("the service ec2.amazonaws.com", unknown))
    iam.before = refuse("Unreachable", "list_instance_profiles_for_role")
    with pytest.raises(CallError, match="Unreachable"):
        judged(iam)


def test_what_the_role_was_is_kept_whole(iam: FakeIam, now: datetime) -> None:
    role = made(iam, CONTRACTOR, path="/p/")
    iam.profiles = {"one": "puppeteers"}
    role["PermissionsBoundary"] = {"PermissionsBoundaryArn": "b"}
    assert snapshot(judged(iam), at=now) == {
        "valetkey": "role/v1",
        "at": "2026-11-23T12:00:00Z",
        "name": "puppeteers",
        "role_arn": "arn:aws:iam::111111111111:role/p/puppeteers",
        "path": "/p/",
        "description": "by hand",
        "max_session": 3600,
        "boundary": "b",
        "tags": {"team": "shows"},
        "trust": CONTRACTOR,
        "managed": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        "inline": {"a,b": role["inline"]["a,b"]},
        "instance_profiles": ["one"],
    }


def test_how_it_is_undone() -> None:
    assert undo("puppeteers", "role.json") == (
        'aws iam update-assume-role-policy --role-name puppeteers --policy-document "$(jq -c .trust role.json)"',
        f"aws iam delete-role-policy --role-name puppeteers --policy-name {REVOKED}",
    )
