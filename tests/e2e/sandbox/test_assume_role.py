"""Who can assume a role: trust policies, conditions, parameters and limits. Matrix B of the emulators' comparison."""

from __future__ import annotations

import time
import urllib.parse
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

HOUR = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"


def date(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_session_in_the_other_account(doors: Any, probe: Any) -> None:
    user = doors.user()
    role = doors.role(
        probe.allow(f"arn:aws:iam::{doors.contractor.account}:root"), Path="/out/", MaxSessionDuration=7200
    )
    answer = doors.assume(user, role, DurationSeconds=7200)
    assert answer.value["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{doors.owner.account}:assumed-role/door/probe"
    me = doors.client("sts", answer.keys).get_caller_identity()
    assert (me["Account"], me["Arn"]) == (doors.owner.account, answer.value["AssumedRoleUser"]["Arn"])
    assert me["UserId"].startswith("AROA")
    assert me["UserId"].endswith(":probe")
    assert abs(answer.keys["Expiration"].timestamp() - time.time() - 7200) < 5


def test_the_wrong_people_are_refused_alike(doors: Any, probe: Any) -> None:
    user, other = doors.user(), doors.user("dave")
    third = doors.stage.party()
    stranger = third.user("eve", "arn:aws:iam::aws:policy/AdministratorAccess")
    account = doors.role(probe.allow(doors.contractor.account))
    person = doors.role(probe.allow(user.arn), name="person")
    missing = account.replace("door", "no-such-role")
    assert doors.assume(user, account).code == "ok"
    assert doors.assume(user, person).code == "ok"
    for keys, arn, role in ((stranger, stranger.arn, account), (other, other.arn, person), (user, user.arn, missing)):
        answer = doors.assume(keys, role)
        assert (answer.code, answer.status) == ("AccessDenied", 403)
        assert answer.message == f"User: {arn} is not authorized to perform: sts:AssumeRole on resource: {role}"


def test_the_arn_must_carry_the_roles_path(doors: Any, probe: Any) -> None:
    user = doors.user()
    role = doors.role(probe.allow(doors.contractor.account), Path="/out/")
    assert doors.assume(user, role.replace("/out/", "/")).code == "AccessDenied"


def test_both_accounts_must_allow(doors: Any, probe: Any) -> None:
    role = doors.role(probe.allow("*"))
    nobody = doors.user(
        "nobody", {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}}
    )
    elsewhere = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/other"}
    misled = doors.user("misled", {"Version": "2012-10-17", "Statement": elsewhere})
    denied = doors.user(
        "denied", {"Version": "2012-10-17", "Statement": {**elsewhere, "Effect": "Deny", "Resource": "*"}}
    )
    doors.contractor.root(
        "iam", "attach_user_policy", UserName="denied", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    )
    assert [doors.assume(item, role).code for item in (nobody, misled, denied)] == ["AccessDenied"] * 3
    assert doors.assume(denied, role).message.endswith(f"on resource: {role}")
    doors.stage.sandbox.control.vary(doors.contractor.account, refusals="reasons")
    assert doors.assume(denied, role).message.endswith("with an explicit deny in an identity-based policy")
    exact = {**elsewhere, "Resource": role}
    assert doors.assume(doors.user("exact", {"Version": "2012-10-17", "Statement": exact}), role).code == "ok"


def test_external_id(doors: Any, probe: Any) -> None:
    user = doors.user()
    role = doors.role(probe.allow(doors.contractor.account, {"StringEquals": {"sts:ExternalId": "Right-1"}}))
    for given, code in (
        ({"ExternalId": "Right-1"}, "ok"),
        ({}, "AccessDenied"),
        ({"ExternalId": "right-1"}, "AccessDenied"),
    ):
        assert doors.assume(user, role, **given).code == code
    changed = probe.document(probe.allow(doors.contractor.account, {"StringEquals": {"STS:externalid": ["a2", "b2"]}}))
    doors.owner.root("iam", "update_assume_role_policy", RoleName="door", PolicyDocument=changed)
    assert doors.assume(user, role, ExternalId="Right-1").code == "AccessDenied"
    assert doors.assume(user, role, ExternalId="b2").code == "ok"


CONDITIONS: list[tuple[dict[str, Any], str]] = [
    ({"DateLessThan": {"aws:CurrentTime": "+3600"}}, "ok"),
    ({"DateLessThan": {"aws:CurrentTime": "-3600"}}, "AccessDenied"),
    ({"DateGreaterThan": {"aws:CurrentTime": "+3600"}}, "AccessDenied"),
    ({"NumericGreaterThan": {"aws:EpochTime": "1000000000"}}, "ok"),
    ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, "ok"),
    ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, "AccessDenied"),
    ({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, "ok"),
    ({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}, "AccessDenied"),
    ({"StringEquals": {"aws:PrincipalType": "User"}}, "ok"),
    ({"StringEquals": {"aws:username": "carol"}}, "ok"),
    ({"StringEquals": {"aws:username": "CAROL"}}, "AccessDenied"),
    ({"StringEqualsIgnoreCase": {"aws:username": "CAROL"}}, "ok"),
    ({"StringEquals": {"aws:PrincipalAccount": "CONTRACTOR"}}, "ok"),
    ({"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::CONTRACTOR:user/carol"}}, "ok"),
    ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::CONTRACTOR:user/c*"}}, "ok"),
    ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/d*"}}, "AccessDenied"),
    ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*CONTRACTOR:user/carol"}}, "ok"),
    ({"ArnLike": {"aws:PrincipalArn": "arn:*:user/carol"}}, "AccessDenied"),
    ({"StringLike": {"aws:PrincipalArn": "arn:*:user/carol"}}, "ok"),
    ({"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::CONTRACTOR:user/carol"}}, "AccessDenied"),
    ({"StringEquals": {"sts:RoleSessionName": "probe"}}, "ok"),
    ({"StringNotEquals": {"sts:ExternalId": "x1"}}, "ok"),
    ({"StringLike": {"sts:ExternalId": "*"}}, "AccessDenied"),
    ({"Null": {"sts:ExternalId": "true"}}, "ok"),
    ({"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}}, "AccessDenied"),
    ({"ForAllValues:StringEquals": {"aws:TagKeys": "a"}}, "ok"),
    ({"StringEquals": {"aws:username": "carol", "sts:RoleSessionName": "other"}}, "AccessDenied"),
]


@pytest.mark.parametrize(("condition", "code"), CONDITIONS, ids=[str(each[0]) for each in CONDITIONS])
def test_conditions(doors: Any, probe: Any, condition: dict[str, Any], code: str) -> None:
    user = doors.user()
    text = probe.document(probe.allow(doors.contractor.account, condition))
    text = (
        text.replace("CONTRACTOR", doors.contractor.account).replace("+3600", date(3600)).replace("-3600", date(-3600))
    )
    doors.owner.root("iam", "create_role", RoleName="door", AssumeRolePolicyDocument=text)
    assert doors.assume(user, f"arn:aws:iam::{doors.owner.account}:role/door").code == code


def test_a_deny_in_the_trust_wins(doors: Any, probe: Any) -> None:
    user = doors.user()
    deny = {**probe.allow("*", {"StringNotEquals": {"sts:ExternalId": "right"}}), "Effect": "Deny"}
    role = doors.role(probe.allow(doors.contractor.account), deny)
    assert doors.assume(user, role, ExternalId="right").code == "ok"
    assert doors.assume(user, role).code == "AccessDenied"


def test_the_end_date_follows_the_owners_clock_alone(doors: Any, probe: Any) -> None:
    user = doors.user()
    role = doors.role(probe.allow(doors.contractor.account, {"DateLessThan": {"aws:CurrentTime": date(7200)}}))
    doors.shift(doors.contractor, 10_000)
    assert doors.assume(user, role).code == "ok"
    doors.shift(doors.owner, 7300)
    assert doors.assume(user, role).code == "AccessDenied"


VARIABLES: list[tuple[str | None, str, str]] = [
    ("2012-10-17", "${aws:username}", "carol"),
    ("2012-10-17", "${AWS:UserName}", "carol"),
    ("2012-10-17", "x-${aws:username}-y", "x-carol-y"),
    ("2012-10-17", "${aws:PrincipalTag/team, 'none'}", "none"),
    ("2012-10-17", "${aws:PrincipalTag/job}", "audit"),
]


@pytest.mark.parametrize(("version", "pattern", "name"), VARIABLES)
def test_policy_variables(doors: Any, probe: Any, version: str, pattern: str, name: str) -> None:
    user = doors.user()
    doors.contractor.root("iam", "tag_user", UserName="carol", Tags=[{"Key": "job", "Value": "audit"}])
    for number, operator in enumerate(("StringEquals", "StringLike")):
        statement = probe.allow(doors.contractor.account, {operator: {"sts:RoleSessionName": pattern}})
        role = doors.role(statement, name=f"door{number}")
        assert doors.assume(user, role, RoleSessionName=name).code == "ok"
        assert doors.assume(user, role, RoleSessionName="other").code == "AccessDenied"


def test_variables_without_a_value_and_in_old_documents(doors: Any, probe: Any) -> None:
    user = doors.user()
    for number, (version, condition, code) in enumerate(
        (
            ("2012-10-17", {"StringLike": {"sts:RoleSessionName": "*${aws:PrincipalTag/none}*"}}, "AccessDenied"),
            ("2012-10-17", {"StringNotEquals": {"sts:RoleSessionName": "${aws:PrincipalTag/none}"}}, "ok"),
            ("2012-10-17", {"StringLike": {"sts:RoleSessionName": "${*}"}}, "AccessDenied"),
            ("2012-10-17", {"StringLike": {"sts:RoleSessionName": "car*"}}, "ok"),
            ("2008-10-17", {"StringEquals": {"sts:RoleSessionName": "${aws:username}"}}, "AccessDenied"),
            (None, {"StringEquals": {"sts:RoleSessionName": "${aws:username}"}}, "AccessDenied"),
        )
    ):
        text = probe.document(probe.allow(doors.contractor.account, condition), version=version)
        name = f"door{number}"
        role = doors.owner.root("iam", "create_role", RoleName=name, AssumeRolePolicyDocument=text)["Role"]["Arn"]
        assert doors.assume(user, role, RoleSessionName="carol").code == code, condition


def test_variables_in_resources_of_the_caller(doors: Any, probe: Any) -> None:
    own = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/for-${aws:username}"}
    user = doors.user("carol", {"Version": "2012-10-17", "Statement": own})
    old = doors.user("dave", {"Version": "2008-10-17", "Statement": own})
    roles = {name: doors.role(probe.allow(doors.contractor.account), name=f"for-{name}") for name in ("carol", "dave")}
    assert doors.assume(user, roles["carol"]).code == "ok"
    assert doors.assume(user, roles["dave"]).code == "AccessDenied"
    assert doors.assume(old, roles["dave"]).code == "AccessDenied"


def test_source_identity_needs_permission_on_both_sides(doors: Any, probe: Any) -> None:
    user = doors.user()
    only = doors.user(
        "dave", {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}}
    )
    closed = doors.role(probe.allow(doors.contractor.account), name="closed")
    both = ["sts:AssumeRole", "sts:SetSourceIdentity"]
    named = {"StringEquals": {"sts:SourceIdentity": "${aws:username}"}}
    opened = doors.role(probe.allow(doors.contractor.account, named, both))
    refused = doors.assume(user, closed, SourceIdentity="carol")
    assert refused.message.endswith(f"is not authorized to perform: sts:SetSourceIdentity on resource: {closed}")
    assert doors.assume(user, opened).code == "AccessDenied"
    assert doors.assume(user, opened, SourceIdentity="dave").code == "AccessDenied"
    assert "sts:SetSourceIdentity" in doors.assume(only, opened, SourceIdentity="dave").message
    answer = doors.assume(user, opened, SourceIdentity="carol")
    assert answer.value["SourceIdentity"] == "carol"
    # It is passed to the next role, which must allow it too, and cannot be changed there.
    doors.allow(opened, Action="sts:*")
    plain = doors.role(probe.allow(opened), name="plain")
    onward = doors.role(probe.allow(opened, {"StringEquals": {"aws:SourceIdentity": "carol"}}, both), name="onward")
    assert "sts:SetSourceIdentity" in doors.assume(answer.keys, plain).message
    assert doors.assume(answer.keys, onward).value["SourceIdentity"] == "carol"
    assert doors.assume(answer.keys, onward, SourceIdentity="other").code == "AccessDenied"


def test_session_tags_need_permission_on_both_sides(doors: Any, probe: Any) -> None:
    user = doors.user()
    only = doors.user(
        "dave", {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}}
    )
    closed = doors.role(probe.allow(doors.contractor.account), name="closed")
    opened = doors.role(
        probe.allow(doors.contractor.account),
        probe.allow(doors.contractor.account, {"StringEquals": {"aws:RequestTag/job": "audit"}}, "sts:TagSession"),
    )
    tags = [{"Key": "job", "Value": "audit"}]
    assert "sts:TagSession" in doors.assume(user, closed, Tags=tags).message
    assert "sts:TagSession" in doors.assume(only, opened, Tags=tags).message
    assert doors.assume(user, opened, Tags=[{"Key": "job", "Value": "other"}]).code == "AccessDenied"
    assert doors.assume(user, opened, Tags=tags).code == "ok"


def test_in_the_same_account(doors: Any, probe: Any) -> None:
    """A trust policy that names the user is sufficient; with one that names the account, the user's policies decide."""
    user = doors.owner.user(
        "olga", {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
    )
    denied = doors.owner.user(
        "otto", {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "sts:*", "Resource": "*"}}
    )
    granted = doors.owner.user("oona", "arn:aws:iam::aws:policy/AdministratorAccess")
    direct = doors.role(probe.allow([user.arn, denied.arn]), name="direct")
    account = doors.role(probe.allow(doors.owner.account), name="account")
    right = doors.role(probe.allow(user.arn, {"StringEquals": {"sts:ExternalId": "x1"}}), name="right")
    assert doors.assume(user, direct).code == "ok"
    assert doors.assume(user, account).code == "AccessDenied"
    assert doors.assume(denied, direct).code == "AccessDenied"
    assert doors.assume(granted, account).code == "ok"
    assert doors.assume(granted, direct).code == "AccessDenied"
    assert doors.assume(user, right).code == "AccessDenied"
    assert doors.assume(user, right, ExternalId="x1").code == "ok"


def test_the_arn_of_a_role_session_is_its_roles(doors: Any, probe: Any) -> None:
    user = doors.user()
    first = doors.role(probe.allow(doors.contractor.account), name="first", Path="/path/")
    doors.allow(first, Action="sts:AssumeRole")
    session = doors.assume(user, first).keys
    account = doors.owner.account
    for number, (statement, code) in enumerate(
        (
            (probe.allow(account, {"ArnEquals": {"aws:PrincipalArn": first}}), "ok"),
            (probe.allow(account, {"StringEquals": {"aws:PrincipalArn": first}}), "ok"),
            (
                probe.allow(account, {"ArnLike": {"aws:PrincipalArn": f"arn:aws:sts::{account}:assumed-role/*"}}),
                "AccessDenied",
            ),
            (probe.allow(first), "ok"),
            (probe.allow(f"arn:aws:sts::{account}:assumed-role/first/probe"), "ok"),
            (probe.allow(f"arn:aws:sts::{account}:assumed-role/first/other"), "AccessDenied"),
        )
    ):
        assert doors.assume(session, doors.role(statement, name=f"next{number}")).code == code, statement


def test_root_may_not_assume(doors: Any, probe: Any) -> None:
    role = doors.role(probe.allow(doors.contractor.account))
    answer = doors.assume({"AccessKeyId": doors.contractor.account, "SecretAccessKey": "any"}, role)
    assert (answer.code, answer.message) == ("AccessDenied", "Roles may not be assumed by root accounts.")


def test_length_of_sessions(doors: Any, probe: Any) -> None:
    user = doors.user(mfa=True)
    short, long = (
        doors.role(probe.allow("*"), name=name, MaxSessionDuration=most)
        for name, most in (("short", 3600), ("long", 43200))
    )
    over = doors.assume(user, short, DurationSeconds=3601)
    assert (over.code, over.status) == ("ValidationError", 400)
    assert over.message == "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    assert doors.assume(user, long, DurationSeconds=43200).code == "ok"
    assert doors.assume(user, long, DurationSeconds=43201).code == "ValidationError"
    assert "greater than or equal to 900" in doors.assume(user, long, DurationSeconds=899).message
    assert doors.assume(user, long, DurationSeconds=900).code == "ok"
    doors.allow(long, Action="sts:AssumeRole")
    for keys in (doors.assume(user, long).keys, doors.mfa_session(user), doors.session(user).keys):
        refused = doors.assume(keys, long, DurationSeconds=3601)
        assert (refused.code, refused.message) == ("ValidationError", HOUR)
        assert doors.assume(keys, long, DurationSeconds=3600).code == "ok"


def test_the_maximum_is_told_to_those_who_may_enter_only(doors: Any, probe: Any) -> None:
    role = doors.role(probe.allow("111122223333"))
    assert doors.assume(doors.user(), role, DurationSeconds=7200).code == "AccessDenied"


@pytest.mark.parametrize(
    ("params", "said"),
    [
        (
            {"ExternalId": "x"},
            "'externalId' failed to satisfy constraint: Member must have length greater than or equal to 2",
        ),
        ({"ExternalId": "x" * 1225}, "less than or equal to 1224"),
        ({"ExternalId": "with space"}, r"Member must satisfy regular expression pattern: [\w+=,.@:\/-]*"),
        ({"RoleSessionName": "x"}, "'roleSessionName'"),
        ({"RoleSessionName": "a b"}, "'roleSessionName'"),
        ({"RoleSessionName": "x" * 65}, "less than or equal to 64"),
        ({"SourceIdentity": "a:b"}, "'sourceIdentity'"),
        ({"SerialNumber": "12345678", "TokenCode": "123456"}, "'serialNumber'"),
        ({"SerialNumber": "arn:aws:iam::111122223333:mfa/x", "TokenCode": "12345"}, "'tokenCode'"),
        ({"SerialNumber": "arn:aws:iam::111122223333:mfa/x", "TokenCode": "12345a"}, "'tokenCode'"),
        ({"ExternalId": "x", "RoleSessionName": "y"}, "2 validation errors detected"),
        ({"RoleArn": "arn:aws:iam::1:x"}, "'roleArn'"),
        ({"RoleArn": "arn:aws:iam::111122223333:user/somebody"}, "arn:aws:iam::111122223333:user/somebody is invalid"),
        ({"RoleArn": "no arn, but long enough"}, "no arn, but long enough is invalid"),
    ],
)
def test_parameters_are_checked(doors: Any, probe: Any, params: dict[str, str], said: str) -> None:
    answer = doors.assume(doors.user(), **{"role": doors.role(probe.allow("*")), **params})
    assert (answer.code, answer.status) == ("ValidationError", 400)
    assert said in answer.message


def test_unsigned_requests_are_refused(doors: Any, probe: Any) -> None:
    role = doors.role(probe.allow("*"))
    form = {"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": role, "RoleSessionName": "probe"}
    request = urllib.request.Request(
        doors.stage.sandbox.url,
        urllib.parse.urlencode(form).encode(),
        {"Content-Type": "application/x-www-form-urlencoded"},
    )
    with pytest.raises(urllib.request.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    assert refused.value.code in (400, 403)
    assert b"AccessKeyId" not in refused.value.read()
