"""CloudTrail: who assumed a role, as each side can read it."""

from __future__ import annotations

import json
from typing import Any


def events(doors: Any, party: Any, **attribute: str) -> list[dict[str, Any]]:
    wanted = [{"AttributeKey": name, "AttributeValue": value} for name, value in attribute.items()]
    result = doors.root(party, "cloudtrail").lookup_events(LookupAttributes=wanted)["Events"]
    assert all(item["EventName"] == json.loads(item["CloudTrailEvent"])["eventName"] for item in result)
    return [json.loads(item["CloudTrailEvent"]) for item in result]


def test_assume_role_is_seen_by_both_sides(doors: Any, probe: Any) -> None:
    user = doors.user(mfa=True)
    unique = doors.contractor.root("iam", "get_user", UserName="carol")["User"]["UserId"]
    condition = {"StringEquals": {"sts:ExternalId": "abc-1"}}
    both = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"]
    role = doors.role(probe.allow(doors.contractor.account, condition, both), Path="/out/")
    given = doors.with_mfa(user)
    more = {"DurationSeconds": 900, "SourceIdentity": "carol", "Tags": [{"Key": "job", "Value": "audit"}]}
    answer = doors.assume(user, role, ExternalId="abc-1", **given, **more)
    keys = answer.keys
    [theirs] = events(doors, doors.contractor, EventName="AssumeRole")
    [ours] = events(doors, doors.owner, EventName="AssumeRole")
    assert theirs["sharedEventID"] == ours["sharedEventID"]
    assert theirs["eventID"] != ours["eventID"]
    assert ours["userIdentity"] == {"type": "AWSAccount", "principalId": unique, "accountId": doors.contractor.account}
    assert (ours["recipientAccountId"], theirs["recipientAccountId"]) == (doors.owner.account, doors.contractor.account)
    assert {key: value for key, value in theirs["userIdentity"].items() if key != "sessionContext"} == {
        "type": "IAMUser",
        "principalId": unique,
        "arn": user.arn,
        "accountId": doors.contractor.account,
        "accessKeyId": user.access_key_id,
        "userName": "carol",
    }
    assert theirs["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"] == "true"
    for event in (ours, theirs):
        assert event["requestParameters"] == {
            "roleArn": role,
            "roleSessionName": "probe",
            "externalId": "abc-1",
            "durationSeconds": 900,
            "serialNumber": user.mfa_serial,
            "sourceIdentity": "carol",
            "tags": [{"key": "job", "value": "audit"}],
        }
        assert event["responseElements"]["credentials"]["accessKeyId"] == keys["AccessKeyId"]
        assert event["responseElements"]["assumedRoleUser"]["arn"] == answer.value["AssumedRoleUser"]["Arn"]
        assert (event["eventSource"], event["readOnly"], event["eventType"]) == (
            "sts.amazonaws.com",
            True,
            "AwsApiCall",
        )
        assert "errorCode" not in event
        text = json.dumps(event)
        assert not any(secret in text for secret in (keys["SecretAccessKey"], keys["SessionToken"], given["TokenCode"]))


def test_a_chain_can_be_followed_without_a_source_identity(doors: Any, probe: Any) -> None:
    """The second AssumeRole's event contains the calling session, and the key id of the next session's events."""
    user = doors.user()
    first = doors.role(probe.allow(doors.contractor.account))
    doors.allow("door", Effect="Allow", Action="sts:AssumeRole", Resource="*")
    second = doors.role(probe.allow(doors.owner.account), name="further")
    doors.allow("further", Effect="Allow", Action="iam:ListRoles", Resource="*")
    one = doors.assume(user, first).keys
    two = doors.assume(one, second).keys
    doors.client("iam", two).list_roles()
    entered = events(doors, doors.owner, EventName="AssumeRole")
    [chained] = [item for item in entered if item["requestParameters"]["roleArn"] == second]
    assert chained["userIdentity"]["accessKeyId"] == one["AccessKeyId"]
    assert chained["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] == first
    [listed] = [
        event
        for event in events(doors, doors.owner, EventName="ListRoles")
        if event["userIdentity"].get("accessKeyId") == two["AccessKeyId"]
    ]
    assert chained["responseElements"]["credentials"]["accessKeyId"] == listed["userIdentity"]["accessKeyId"]
    assert "sourceIdentity" not in str(chained)


def test_a_refused_one_is_seen_by_the_callers_side_only(doors: Any, probe: Any) -> None:
    user = doors.user()
    role = doors.role(probe.allow(doors.contractor.account, {"StringEquals": {"sts:ExternalId": "abc-1"}}))
    answer = doors.assume(user, role, ExternalId="wrong")
    [event] = events(doors, doors.contractor, EventName="AssumeRole")
    assert (event["errorCode"], event["errorMessage"]) == ("AccessDenied", answer.message)
    assert event["userIdentity"]["arn"] == user.arn
    assert "sharedEventID" not in event
    assert events(doors, doors.owner, EventName="AssumeRole") == []


def test_what_is_done_through_a_role(doors: Any, probe: Any) -> None:
    role = doors.role(probe.allow("*"), policies=("arn:aws:iam::aws:policy/ReadOnlyAccess",), Path="/out/")
    unique = doors.owner.root("iam", "get_role", RoleName="door")["Role"]["RoleId"]
    keys = doors.assume(doors.user(), role).keys
    iam = doors.client("iam", keys)
    iam.list_roles()
    probe.knock(iam, "create_user", UserName="backdoor")
    doors.client("s3", keys).list_buckets()
    probe.knock(doors.client("cloudtrail", keys), "stop_logging", Name="main")
    done = events(doors, doors.owner, AccessKeyId=keys["AccessKeyId"])
    assert [(item["eventName"], item["eventSource"], item["readOnly"]) for item in done] == [
        ("StopLogging", "cloudtrail.amazonaws.com", False),
        ("ListBuckets", "s3.amazonaws.com", True),
        ("CreateUser", "iam.amazonaws.com", False),
        ("ListRoles", "iam.amazonaws.com", True),
    ]
    assert [item.get("errorCode") for item in done] == [
        "AccessDeniedException", None, "AccessDenied", None,
    ]  # fmt: skip
    assert done[0]["requestParameters"] == {"name": "main"}
    assert done[2]["requestParameters"] == {"userName": "backdoor"}
    for event in done:
        identity = event["userIdentity"]
        assert (identity["type"], identity["principalId"]) == ("AssumedRole", f"{unique}:probe")
        assert identity["arn"] == f"arn:aws:sts::{doors.owner.account}:assumed-role/door/probe"
        issuer = {
            "type": "Role",
            "principalId": unique,
            "arn": role,
            "accountId": doors.owner.account,
            "userName": "door",
        }
        assert identity["sessionContext"]["sessionIssuer"] == issuer
        assert identity["sessionContext"]["attributes"]["mfaAuthenticated"] == "false"
    assert events(doors, doors.owner, Username="probe") == done


def test_an_event_inside_one_account_is_one_event(doors: Any, probe: Any) -> None:
    user = doors.owner.user("olga", "arn:aws:iam::aws:policy/AdministratorAccess")
    role = doors.role(probe.allow(doors.owner.account))
    assert doors.assume(user, role).code == "ok"
    [event] = events(doors, doors.owner, EventName="AssumeRole")
    assert event["userIdentity"]["type"] == "IAMUser"
    assert "sharedEventID" not in event


def test_events_carry_the_time_of_their_account(doors: Any, probe: Any) -> None:
    user, role = doors.user(), doors.role(probe.allow("*"))
    doors.shift(doors.owner, 86_400)
    doors.assume(user, role)
    [ours] = events(doors, doors.owner, EventName="AssumeRole")
    [theirs] = events(doors, doors.contractor, EventName="AssumeRole")
    assert ours["eventTime"][:10] > theirs["eventTime"][:10]


def test_strangers_are_nobodys_event(doors: Any, probe: Any) -> None:
    user, role = doors.user(), doors.role(probe.allow("*"))
    doors.assume({"AccessKeyId": user.access_key_id, "SecretAccessKey": "wrong"}, role)
    assert events(doors, doors.contractor, EventName="AssumeRole") == []


def test_events_come_in_pages(doors: Any) -> None:
    for number in range(7):
        doors.owner.root("iam", "create_user", UserName=f"user{number}")
        doors.owner.root("iam", "list_users")
    wanted = [{"AttributeKey": "EventName", "AttributeValue": "CreateUser"}]
    pages = doors.root(doors.owner, "cloudtrail").get_paginator("lookup_events")
    for size, lengths in ((3, [3, 3, 1]), (50, [7])):
        result = [
            page["Events"] for page in pages.paginate(LookupAttributes=wanted, PaginationConfig={"PageSize": size})
        ]
        assert [len(page) for page in result if page] == lengths
        names = [
            json.loads(item["CloudTrailEvent"])["requestParameters"]["userName"] for page in result for item in page
        ]
        assert names == [f"user{number}" for number in reversed(range(7))]
