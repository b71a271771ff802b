"""Every flag with the events that show it, and without them where there is nothing to look at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.trails.records import BROWSER, Maker, Record

from valetkey.activity import FLAGS, Expected, SessionActivity, Wanted, answer, role_key
from valetkey.activity.actions import action_of, level_of
from valetkey.activity.flags import family
from valetkey.activity.records import RECORD

AT = datetime(2026, 11, 3, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def maker(account: Any) -> Maker:
    return Maker(account(), account())


def sessions(maker: Maker, *records: Record, **expected: Any) -> tuple[SessionActivity, ...]:
    key = role_key(maker.role)
    assert key
    wanted = Wanted(roles=frozenset({key}), approvals=True)
    result = (wanted.event(RECORD.decode(msgspec.json.encode(record))) for record in records)
    return answer([event for event in result if event is not None], terms={key: Expected(**expected)}).sessions


def codes(session: SessionActivity) -> set[str]:
    return {flag.code for flag in session.flags} - {"mfa-not-shown"}


def act(maker: Maker, source: str, name: str, at: datetime = AT, key: str = "ASIA1", **more: Any) -> Record:
    return maker.record(at, source, name, maker.identity("carol", AT, key), **more)


@pytest.mark.parametrize(
    ("source", "name", "code"),
    [
        ("iam", "CreateUser", "iam-change"),
        ("iam", "PutRolePolicy", "iam-change"),
        ("iam", "UpdateAssumeRolePolicy", "trust-change"),
        ("iam", "CreateRole", "trust-change"),
        ("cloudtrail", "StopLogging", "trail-change"),
        ("cloudtrail", "PutEventSelectors", "trail-change"),
        ("s3", "PutBucketPolicy", "policy-change"),
        ("kms", "PutKeyPolicy", "policy-change"),
        ("signin", "CreateOAuth2Token", "login-export"),
    ],
)
def test_changes_of_access_are_flagged_when_they_succeeded(maker: Maker, source: str, name: str, code: str) -> None:
    record = act(maker, source, name, readOnly=False)
    [session] = sessions(maker, record)
    [flag] = [item for item in session.flags if item.code == code]
    assert (flag.events, flag.count) == ((record["eventID"],), 1)
    assert codes(session) == {code}
    assert codes(sessions(maker, {**record, "errorCode": "AccessDenied"})[0]) == set()


@pytest.mark.parametrize(("source", "name"), [("iam", "ListUsers"), ("s3", "GetBucketPolicy"), ("ec2", "CreateTags")])
def test_what_changes_no_access_is_not_flagged(maker: Maker, source: str, name: str) -> None:
    assert codes(sessions(maker, act(maker, source, name))[0]) == set()


def test_new_means_not_in_an_earlier_session(maker: Maker) -> None:
    first = act(maker, "iam", "ListUsers")
    same = maker.record(AT + HOUR, "iam", "ListUsers", maker.identity("carol", AT + HOUR, "ASIA2"))
    other = maker.record(AT + 2 * HOUR, "s3", "ListBuckets", maker.identity("carol", AT + 2 * HOUR, "ASIA3"),
                         sourceIPAddress="203.0.113.9", userAgent=BROWSER)  # fmt: skip
    served = maker.identity("carol", AT + 2 * HOUR, "ASIA3") | {"invokedBy": "x.amazonaws.com"}
    by_service = maker.record(AT + 2 * HOUR, "kms", "Decrypt", served, sourceIPAddress="x.amazonaws.com")
    one, two, three = sessions(maker, first, same, other, by_service)
    assert codes(one) == codes(two) == set()
    assert codes(three) == {"new-address", "new-agent", "new-service"}
    assert {flag.words for flag in three.flags} >= {
        "first use of the address 203.0.113.9",
        "first use of the user agent a browser",
        "first use of the service s3",
    }


def test_calls_after_the_end_and_during_a_suspension(maker: Maker) -> None:
    records = [act(maker, "iam", "ListUsers", AT + number * HOUR, f"ASIA{number}") for number in range(4)]
    records[3]["errorCode"] = "AccessDenied"
    suspended = ((AT + HOUR, AT + 2 * HOUR),)
    activities = sessions(maker, *records, until=AT + 2 * HOUR, suspended=suspended)
    assert [codes(activity) for activity in activities] == [set(), {"while-suspended"}, {"after-end"}, {"after-end"}]
    assert "0 of 1 with success" in next(flag.words for flag in activities[3].flags if flag.code == "after-end")
    assert all("while-suspended" in codes(activity) for activity in sessions(maker, *records, suspended=((AT, None),)))


def test_names_that_are_not_on_the_list(maker: Maker) -> None:
    ours, theirs = maker.entry(AT, "carol", "ASIA1", user="mallory")
    record = act(maker, "iam", "ListUsers")
    assert "not-listed" not in codes(sessions(maker, record, ours, people=("carol",))[0])
    [session] = sessions(maker, record, ours, theirs, people=("carol",))
    [flag] = [item for item in session.flags if item.code == "not-listed"]
    assert "the caller mallory" in flag.words
    assert set(flag.events) == {ours["eventID"], theirs["eventID"]}
    assert "not-listed" in codes(sessions(maker, record, people=("dave",))[0])
    assert "not-listed" not in codes(sessions(maker, record)[0])


def test_delegation_that_root_approved(maker: Maker) -> None:
    acting = maker.identity("provider", AT, "ASIA1") | {"invokedByDelegate": {"accountId": "444444444444"}}
    call = maker.record(AT, "ec2", "DescribeVpcs", acting)
    approval = maker.record(
        AT - HOUR, "iam", "SendDelegationToken", {"type": "Root", "arn": f"arn:aws:iam::{maker.owner}:root"}
    )
    [session] = sessions(maker, call, approval)
    assert (session.kind.name, session.who.caller_account) == ("delegate", "444444444444")
    [flag] = [item for item in session.flags if item.code == "root-approved"]
    assert flag.events == (approval["eventID"],)
    approval["userIdentity"] = {"type": "IAMUser"}
    assert codes(sessions(maker, call, approval)[0]) == set()


def test_every_flag_has_a_line_in_the_docs() -> None:
    import pathlib

    page = (pathlib.Path(__file__).parents[3] / "docs" / "reference" / "activity.md").read_text()
    assert [code for code in FLAGS if f"`{code}`" not in page] == []


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("aws-cli/2.31.0 md/awscrt", "aws-cli"),
        ("Boto3/1.43.1 md/Botocore#1.43", "Boto3"),
        ("APN/1.0 HashiCorp/1.0 Terraform/1.9.0 aws-sdk-go-v2/1.30", "Terraform"),
        (BROWSER, "a browser"),
        ("[S3Console/0.4]", "S3Console"),
        ("claude-code/2.1.202 (cli)", "claude-code"),
        ("", "none"),
    ],
)
def test_agents_by_family(agent: str, name: str) -> None:
    assert family(agent) == name


@pytest.mark.parametrize(
    ("source", "name", "action"),
    [
        ("iam.amazonaws.com", "CreateUser", "iam:CreateUser"),
        ("lambda.amazonaws.com", "ListFunctions20150331", "lambda:ListFunctions"),
        ("cloudfront.amazonaws.com", "CreateDistribution2020_05_31", "cloudfront:CreateDistribution"),
        ("s3.amazonaws.com", "ListBuckets", "s3:ListAllMyBuckets"),
        ("s3.amazonaws.com", "GetBucketEncryption", "s3:GetEncryptionConfiguration"),
        ("monitoring.amazonaws.com", "PutMetricAlarm", "cloudwatch:PutMetricAlarm"),
        ("tagging.amazonaws.com", "GetResources", "tag:GetResources"),
        ("signin.amazonaws.com", "ConsoleLogin", None),
        ("new-service.amazonaws.com", "DoThings", None),
    ],
)
def test_the_iam_action_of_a_call(source: str, name: str, action: str | None) -> None:
    assert action_of(source, name) == action


def test_the_level_of_a_call() -> None:
    assert level_of("iam.amazonaws.com", "CreateUser", False) == "Write"
    assert level_of("s3.amazonaws.com", "PutBucketPolicy", False) == "Permissions management"
    assert level_of("new-service.amazonaws.com", "DoThings", False) == "Write"
    assert level_of("new-service.amazonaws.com", "DoThings", True) == "Read"
    assert level_of("signin.amazonaws.com", "ConsoleLogin", False) == "Read"
