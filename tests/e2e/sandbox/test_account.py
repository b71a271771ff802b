"""Reading and changing an account: paging, details, limits, managed policies. Matrix E."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

AWS = "arn:aws:iam::aws:policy/"


def iam(doors: Any) -> Any:
    return doors.root(doors.owner, "iam")


def test_roles_come_in_pages(doors: Any, probe: Any) -> None:
    names = [f"role{number}" for number in range(7)]
    for number, name in enumerate(names):
        doors.role(probe.allow("*"), name=name, Path="/odd/" if number % 2 else "/")
    client = iam(doors)

    def pages(**more: Any) -> list[list[str]]:
        result = client.get_paginator("list_roles").paginate(**more)
        return [[role["RoleName"] for role in page["Roles"]] for page in result]

    assert pages() == [names]
    assert pages(PaginationConfig={"PageSize": 3}) == [names[:3], names[3:6], names[6:]]
    assert pages(PaginationConfig={"PageSize": 7}) == [names]
    assert pages(PathPrefix="/odd/", PaginationConfig={"PageSize": 2}) == [["role1", "role3"], ["role5"]]
    for more in ({"MaxItems": 0}, {"MaxItems": 1001}, {"Marker": "invented"}):
        assert probe.knock(client, "list_roles", **more).code == "ValidationError"


def test_other_lists_come_in_pages(doors: Any, probe: Any) -> None:
    names = ["AmazonS3ReadOnlyAccess", "SecurityAudit", "job-function/ViewOnlyAccess"]
    tags = [{"Key": f"k{number}", "Value": f"v{number}"} for number in range(3)]
    doors.role(probe.allow("*"), policies=tuple(AWS + name for name in names), Tags=tags)
    for number in range(3):
        text = probe.document({"Effect": "Deny", "Action": "*", "Resource": "*"})
        doors.owner.root("iam", "put_role_policy", RoleName="door", PolicyName=f"p{number}", PolicyDocument=text)
    client = iam(doors)
    for operation, key, wanted in (
        ("list_attached_role_policies", "AttachedPolicies", [AWS + name for name in names]),
        ("list_role_policies", "PolicyNames", ["p0", "p1", "p2"]),
        ("list_role_tags", "Tags", tags),
    ):
        first = getattr(client, operation)(RoleName="door", MaxItems=2)
        last = getattr(client, operation)(RoleName="door", MaxItems=2, Marker=first["Marker"])
        assert (first["IsTruncated"], last["IsTruncated"]) == (True, False)
        result = first[key] + last[key]
        assert [item["PolicyArn"] if key == "AttachedPolicies" else item for item in result] == wanted


def test_what_is_told_about_a_role(doors: Any, probe: Any) -> None:
    boundary = AWS + "ReadOnlyAccess"
    tags = [{"Key": "valetkey:terms", "Value": "a=b/c d"}]
    more = {
        "Description": "Audit & <review> ü",
        "MaxSessionDuration": 7200,
        "PermissionsBoundary": boundary,
        "Tags": tags,
    }
    doors.role(probe.allow(doors.contractor.account), Path="/out/", policies=(AWS + "SecurityAudit",), **more)
    client = iam(doors)
    role = client.get_role(RoleName="door")["Role"]
    assert {name: role[name] for name in ("Description", "MaxSessionDuration", "Tags", "Path", "RoleLastUsed")} == {
        **{name: more[name] for name in ("Description", "MaxSessionDuration", "Tags")},
        "Path": "/out/",
        "RoleLastUsed": {},
    }
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
    listed = client.list_roles()["Roles"][0]
    assert not {"Tags", "PermissionsBoundary", "RoleLastUsed"} & set(listed)
    assert (listed["Description"], listed["MaxSessionDuration"]) == (more["Description"], 7200)
    keys = doors.assume(doors.user(), role["Arn"]).keys
    assert client.get_role(RoleName="door")["Role"]["RoleLastUsed"] == {}, "assuming it is not using it"
    doors.client("iam", keys).list_roles()
    used = client.get_role(RoleName="door")["Role"]["RoleLastUsed"]
    assert (used["Region"], abs(used["LastUsedDate"].timestamp() - time.time()) < 10) == ("us-east-1", True)
    [detail] = client.get_account_authorization_details(Filter=["Role"])["RoleDetailList"]
    assert (detail["RoleLastUsed"], detail["Tags"]) == (used, tags)
    assert detail["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
    assert detail["AttachedManagedPolicies"] == [{"PolicyName": "SecurityAudit", "PolicyArn": AWS + "SecurityAudit"}]
    assert detail["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"AWS": doors.contractor.account}
    assert not {"Description", "MaxSessionDuration"} & set(detail)


def test_the_whole_account_in_pages(doors: Any, probe: Any) -> None:
    text = probe.document({"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"})
    local = doors.owner.root("iam", "create_policy", PolicyName="own", PolicyDocument=text)["Policy"]["Arn"]
    doors.owner.user("olga", local, json.loads(text))
    doors.owner.root("iam", "create_group", GroupName="people")
    doors.owner.root("iam", "add_user_to_group", GroupName="people", UserName="olga")
    for name in ("a1", "b1", "c1"):
        doors.role(probe.allow("*"), name=name, policies=(AWS + "ReadOnlyAccess",))
    doors.owner.root("iam", "create_instance_profile", InstanceProfileName="machine")
    doors.owner.root("iam", "add_role_to_instance_profile", InstanceProfileName="machine", RoleName="b1")
    pages = list(
        iam(doors).get_paginator("get_account_authorization_details").paginate(PaginationConfig={"PageSize": 2})
    )
    joined = {
        key: [item for page in pages for item in page[key]]
        for key in ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
    }
    assert len(pages) == 4
    assert all(sum(len(page[key]) for key in joined) <= 2 for page in pages)
    assert [item["RoleName"] for item in joined["RoleDetailList"]] == ["a1", "b1", "c1"]
    assert [policy["Arn"] for policy in joined["Policies"]] == [local, AWS + "ReadOnlyAccess"]
    assert joined["Policies"][0]["PolicyVersionList"][0]["Document"] == json.loads(text)
    profiles = [
        [held["InstanceProfileName"] for held in item["InstanceProfileList"]] for item in joined["RoleDetailList"]
    ]
    assert profiles == [[], ["machine"], []]
    [user] = joined["UserDetailList"]
    assert user["GroupList"] == ["people"]
    assert user["UserPolicyList"][0]["PolicyDocument"] == json.loads(text)
    assert [item["GroupName"] for item in joined["GroupDetailList"]] == ["people"]
    only = iam(doors).get_account_authorization_details(Filter=["LocalManagedPolicy"])
    assert [policy["Arn"] for policy in only["Policies"]] == [local]
    assert only["RoleDetailList"] == []


def test_every_aws_managed_policy_is_there(doors: Any, probe: Any) -> None:
    client = iam(doors)
    arns = {
        item["Arn"] for page in client.get_paginator("list_policies").paginate(Scope="AWS") for item in page["Policies"]
    }
    assert len(arns) > 1500
    for name in ("ReadOnlyAccess", "SecurityAudit", "job-function/ViewOnlyAccess", "job-function/Billing"):
        policy = client.get_policy(PolicyArn=AWS + name)["Policy"]
        assert AWS + name in arns
        version = client.get_policy_version(PolicyArn=AWS + name, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
        assert version["Document"]["Version"] == "2012-10-17"
        assert version["IsDefaultVersion"] is True
    assert policy["PolicyName"] == "Billing"
    assert policy["Path"] == "/job-function/"


@pytest.mark.parametrize(
    "arn", [AWS + "ReadOnlyAcces", AWS + "ViewOnlyAccess", "arn:aws-cn:iam::aws:policy/ReadOnlyAccess"]
)
def test_a_policy_that_is_not_there_cannot_be_attached(doors: Any, probe: Any, arn: str) -> None:
    doors.role(probe.allow("*"))
    answer = probe.knock(iam(doors), "attach_role_policy", RoleName="door", PolicyArn=arn)
    assert (answer.code, answer.status) == ("NoSuchEntity", 404)
    assert iam(doors).list_attached_role_policies(RoleName="door")["AttachedPolicies"] == []


def test_limits(doors: Any, probe: Any) -> None:
    client, trust = iam(doors), probe.document(probe.allow("*"))
    doors.role(probe.allow("*"))
    made = {"RoleName": "new", "AssumeRolePolicyDocument": trust}
    for more, code in (
        ({"RoleName": "x" * 65}, "ValidationError"),
        ({"RoleName": "a b"}, "ValidationError"),
        ({"RoleName": "DOOR"}, "EntityAlreadyExists"),
        ({"Path": "no/slash"}, "ValidationError"),
        ({"MaxSessionDuration": 3599}, "ValidationError"),
        ({"MaxSessionDuration": 43201}, "ValidationError"),
        ({"Description": "em — dash"}, "ValidationError"),
        ({"Tags": [{"Key": "a(b)", "Value": "x"}]}, "ValidationError"),
        ({"Tags": [{"Key": f"k{n}", "Value": "x"} for n in range(51)]}, "LimitExceeded"),
        ({"PermissionsBoundary": AWS + "Nothing"}, "NoSuchEntity"),
    ):
        assert probe.knock(client, "create_role", **{**made, **more}).code == code, more
    policies = client.list_policies(Scope="AWS", MaxItems=11)["Policies"]
    for policy in policies[:10]:
        client.attach_role_policy(RoleName="door", PolicyArn=policy["Arn"])
    more = probe.knock(client, "attach_role_policy", RoleName="door", PolicyArn=policies[10]["Arn"])
    assert more.code == "LimitExceeded"
    huge = probe.document({"Effect": "Deny", "Action": "*", "Resource": "arn:aws:s3:::" + "x" * 6144})
    assert probe.knock(client, "create_policy", PolicyName="huge", PolicyDocument=huge).code == "LimitExceeded"
    big = probe.document({"Sid": "x" * 9000, "Effect": "Deny", "Action": "*", "Resource": "*"})
    client.put_role_policy(RoleName="door", PolicyName="one", PolicyDocument=big)
    assert probe.knock(client, "put_role_policy", RoleName="door", PolicyName="one", PolicyDocument=big).code == "ok"
    assert (
        probe.knock(client, "put_role_policy", RoleName="door", PolicyName="two", PolicyDocument=big).code
        == "LimitExceeded"
    )


def test_what_stands_in_the_way_of_deleting(doors: Any, probe: Any) -> None:
    doors.role(probe.allow("*"), policies=(AWS + "ReadOnlyAccess",), PermissionsBoundary=AWS + "SecurityAudit")
    doors.allow("role/door", Action="s3:*")
    client = iam(doors)
    assert probe.knock(client, "delete_role", RoleName="door").code == "DeleteConflict"
    client.detach_role_policy(RoleName="door", PolicyArn=AWS + "ReadOnlyAccess")
    assert probe.knock(client, "delete_role", RoleName="door").code == "DeleteConflict"
    client.delete_role_policy(RoleName="door", PolicyName="allow")
    assert probe.knock(client, "delete_role", RoleName="door").code == "ok", "a boundary does not stand in the way"
    gone = probe.knock(client, "get_role", RoleName="door")
    assert (gone.code, gone.message) == ("NoSuchEntity", "The role with name door cannot be found.")


def test_a_user_takes_nothing_along_to_a_namesake(doors: Any, probe: Any) -> None:
    doors.owner.user(
        "olga", {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    )
    client = iam(doors)
    [key] = client.list_access_keys(UserName="olga")["AccessKeyMetadata"]
    client.delete_access_key(UserName="olga", AccessKeyId=key["AccessKeyId"])
    assert probe.knock(client, "delete_user", UserName="olga").code == "DeleteConflict"


def test_users_see_themselves(doors: Any, probe: Any) -> None:
    own = {"Effect": "Allow", "Action": "iam:GetUser", "Resource": "arn:aws:iam::*:user/${aws:username}"}
    user = doors.user("carol", {"Version": "2012-10-17", "Statement": own})
    client = doors.client("iam", user)
    assert client.get_user()["User"]["Arn"] == user.arn
    doors.user("dave")
    assert probe.knock(client, "get_user", UserName="dave").code == "AccessDenied"


def test_when_an_access_key_was_last_used(doors: Any) -> None:
    user = doors.user()
    ask = {"AccessKeyId": user.access_key_id}
    assert "LastUsedDate" not in doors.contractor.root("iam", "get_access_key_last_used", **ask)["AccessKeyLastUsed"]
    doors.client("sts", user).get_caller_identity()
    used = doors.contractor.root("iam", "get_access_key_last_used", **ask)["AccessKeyLastUsed"]
    assert (used["ServiceName"], used["Region"]) == ("sts", "us-east-1")
    assert used["LastUsedDate"]


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("create_user", {"UserName": "a<b>&"}),
        ("create_user", {"UserName": "x" * 65}),
        ("create_user", {"UserName": "nul\x00"}),
        ("create_user", {"UserName": "ok", "Path": "/a b/"}),
        ("create_virtual_mfa_device", {"VirtualMFADeviceName": "my phone"}),
        ("list_mfa_devices", {"UserName": "a/b"}),
        ("get_role", {"RoleName": "é"}),
        ("list_roles", {"PathPrefix": "out"}),
        ("list_roles", {"MaxItems": "²"}),
        ("list_roles", {"Marker": "²"}),
        ("list_roles", {"Marker": "ZnJvbTo5OTk5OTk5OTk5OTk5OTk5"}),
        ("update_role", {"RoleName": "door", "MaxSessionDuration": "²"}),
    ],
)
def test_names_and_numbers_that_iam_does_not_take(doors: Any, probe: Any, operation: str, params: Any) -> None:
    answer = probe.knock(iam(doors), operation, **params)
    assert (answer.code, answer.status) == ("ValidationError", 400)
    user = doors.owner.user("olga", "arn:aws:iam::aws:policy/AdministratorAccess")
    assert probe.knock(doors.client("iam", user), operation, **params).code == "ValidationError"
