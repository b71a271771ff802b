"""A role as AWS shows it, by both ways of reading, with all that may be left out of an answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.grants.fake_iam import ALLOW_ALL_READS, FakeIam
from tests.unit.grants.handmade import made, trust
from tests.unit.grants.whole_errors import refuse

from valetkey.account.calls import CallError
from valetkey.grants.role import (
    NOT_SHOWN,
    LiveRole,
    Owner,
    compact,
    instance_profiles,
    is_unchanged,
    read_owner,
    read_policy,
    read_role,
    read_roles,
)
from valetkey.grants.stacks import Stack, stack_of

READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"
USED = datetime(2026, 11, 20, tzinfo=UTC)
WHOLE = LiveRole(
    name="puppeteers",
    arn="arn:aws:iam::111111111111:role/shows/puppeteers",
    path="/shows/",
    trust=trust(),
    tags={"team": "shows"},
    managed=(READ, "arn:aws:iam::aws:policy/SecurityAudit"),
    inline={"a": ALLOW_ALL_READS, "b": {"text": "not a document"}},
    boundary=READ,
    created=datetime(2024, 5, 1, tzinfo=UTC),
    last_used=USED,
    description="by hand",
    max_session=7200,
)


@pytest.fixture
def role(iam: FakeIam) -> dict[str, Any]:
    result = made(iam, trust(), path="/shows/")
    result["inline"] = {"a": ALLOW_ALL_READS, "b": "not a document"}
    result["managed"].append("arn:aws:iam::aws:policy/SecurityAudit")
    result["MaxSessionDuration"] = 7200
    result["PermissionsBoundary"] = {"PermissionsBoundaryArn": READ}
    result["RoleLastUsed"] = {"LastUsedDate": USED}
    return result


def test_one_role_is_read_whole(iam: FakeIam, role: Any) -> None:
    live_role = read_role(iam, "puppeteers")
    assert live_role == WHOLE
    assert live_role.account == "111111111111"
    assert read_role(iam, "nobody") is None


def test_all_roles_are_read_in_one_call_without_what_that_does_not_tell(iam: FakeIam, role: Any) -> None:
    calls: list[Any] = []
    iam.before = calls.append
    assert list(read_roles(iam)) == [replace(WHOLE, description=None, max_session=None)]
    assert {call.operation for call in calls} == {"get_account_authorization_details"}
    assert {call.params["MaxItems"] for call in calls} == {1000}


def test_what_an_answer_leaves_out_is_not_there(iam: FakeIam, role: Any) -> None:
    for key in ("Tags", "PermissionsBoundary", "Description", "MaxSessionDuration"):
        del role[key]
    role["RoleLastUsed"] = {}
    role["AssumeRolePolicyDocument"] = "nonsense"
    bare = replace(
        WHOLE,
        tags={},
        boundary=None,
        last_used=None,
        description="",
        max_session=3600,
        trust={"text": "nonsense"},
    )
    assert read_role(iam, "puppeteers") == bare
    del role["RoleLastUsed"]
    assert read_role(iam, "puppeteers") == bare


def test_a_list_of_roles_may_lack_policies(iam: FakeIam, role: Any) -> None:
    def perform(call: Any, /) -> dict[str, Any]:
        shown = {key: value for key, value in role.items() if key not in ("inline", "managed", "Tags")}
        return {"RoleDetailList": [shown]}

    (live_role,) = read_roles(perform)
    assert (live_role.tags, live_role.inline, live_role.managed) == ({}, {}, ())


def test_a_role_that_may_not_be_read_is_not_called_missing(iam: FakeIam, role: Any) -> None:
    iam.before = refuse("AccessDenied", "get_role")
    with pytest.raises(CallError, match="AccessDenied"):
        read_role(iam, "puppeteers")
    iam.before = refuse("NoSuchEntity", "list_attached_role_policies")
    with pytest.raises(CallError, match="NoSuchEntity"):
        read_role(iam, "puppeteers")


def test_a_role_is_unchanged_but_for_its_use(iam: FakeIam, role: Any) -> None:
    assert is_unchanged(iam, WHOLE)
    role["RoleLastUsed"] = {}
    assert is_unchanged(iam, WHOLE)
    role["Description"] = "other"
    assert not is_unchanged(iam, WHOLE)
    iam.roles.clear()
    assert not is_unchanged(iam, WHOLE)


def test_the_owner_is_whoever_calls(iam: FakeIam) -> None:
    china = FakeIam("111111111111", "aws-cn")
    assert read_owner(china) == Owner("111111111111", "aws-cn", "arn:aws-cn:iam::111111111111:user/owner")


def test_the_default_version_of_a_policy_is_read(iam: FakeIam) -> None:
    iam.versions[READ] = {"v1": {}, "v12": {"Statement": []}}
    assert read_policy(iam, READ) == ("v12", {"Statement": []})


def test_every_instance_profile_is_read(iam: FakeIam, role: Any) -> None:
    iam.profiles = {"one": "puppeteers", "other": "machines", "two": "puppeteers"}
    assert instance_profiles(iam, "puppeteers") == ("one", "two")


def test_a_policy_that_is_hidden_is_refused_or_gone() -> None:
    assert {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NoSuchEntity"} == NOT_SHOWN


def test_a_document_is_sent_without_whitespace_and_in_ascii() -> None:
    assert compact({"b": [1, "ü"], "a": {"c": None}}) == '{"b":[1,"\\u00fc"],"a":{"c":null}}'


OTHER = {"ResourceType": "AWS::IAM::Policy", "StackName": "x"}


@pytest.mark.parametrize(
    ("resources", "stack"),
    [
        ([], Stack()),
        ([OTHER], Stack()),
        ([OTHER, {"ResourceType": "AWS::IAM::Role", "StackName": "y"}], Stack("y")),
        ([{"ResourceType": "AWS::IAM::Role"}], Stack("")),
        (None, Stack()),
    ],
)
def test_the_stack_of_a_role_is_the_one_that_keeps_the_role(resources: Any, stack: Stack) -> None:
    assert stack_of(lambda call, /: {} if resources is None else {"StackResources": resources}, "r") == stack


@pytest.mark.parametrize(
    ("code", "stack"),
    [("ValidationError", Stack()), ("AccessDenied", Stack(unread="AccessDenied")), ("ZZ", Stack(unread="ZZ"))],
)
def test_that_a_stack_is_not_known_is_said(iam: FakeIam, code: str, stack: Stack) -> None:
    iam.before = refuse(code, "describe_stack_resources", PhysicalResourceId="r")
    assert stack_of(iam, "r") == stack
