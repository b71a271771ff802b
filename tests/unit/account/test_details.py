"""GetAccountAuthorizationDetails and ListRoles as files."""

from __future__ import annotations

import json
import pathlib
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from tests.unit.account.documents import OTHER, OWN, allow, compact, detail, trust

from valetkey.account.details import read_details
from valetkey.account.loaded import SourceError
from valetkey.account.parts import SourcePart, one_account
from valetkey.account.values import Account, User


def _read(*pages, name="dump.json") -> SourcePart:
    plain = pages[0] if len(pages) == 1 else list(pages)
    return read_details(json.dumps(plain).encode(), name)


def _account(*pages) -> Account:
    return one_account([_read(*pages)])


def test_everything_that_a_role_detail_tells():
    boundary = f"arn:aws:iam::{OWN}:policy/edge"
    told = detail(
        path="/service-role/",
        RolePolicyList=[{"PolicyName": "own", "PolicyDocument": allow()}],
        AttachedManagedPolicies=[{"PolicyName": "Read", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}],
        InstanceProfileList=[{"Arn": f"arn:aws:iam::{OWN}:instance-profile/p"}],
        PermissionsBoundary={"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary},
        Tags=[{"Key": "team", "Value": "ops"}],
        RoleLastUsed={"LastUsedDate": "2026-03-01T00:00:00Z", "Region": "eu-west-1"},
    )
    account = _account({"RoleDetailList": [told]})
    (role,) = account.roles
    assert (account.id, account.partition, account.sources) == (OWN, "aws", ("dump.json",))
    assert (role.name, role.path, role.account, role.partition) == ("partner", "/service-role/", OWN, "aws")
    assert role.where == "dump.json: $.RoleDetailList[0]"
    assert role.trust == compact(trust())
    assert role.inline == {"own": compact(allow())}
    assert role.attached == ("arn:aws:iam::aws:policy/ReadOnlyAccess",)
    assert role.boundary == boundary
    assert role.tags == {"team": "ops"}
    assert role.created == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (role.last_used, role.last_use_known) == (datetime(2026, 3, 1, tzinfo=UTC), True)
    assert (role.max_session, role.description, role.unknown, role.assumed) == (None, None, (), ())


def test_what_an_old_dump_does_not_tell_is_none():
    told = {key: value for key, value in detail().items() if key not in ("Tags", "RoleLastUsed")}
    (role,) = _account({"RoleDetailList": [told]}).roles
    assert (role.tags, role.last_used, role.last_use_known) == (None, None, False)
    (never,) = _account({"RoleDetailList": [detail()]}).roles
    assert (never.tags, never.last_used, never.last_use_known) == ({}, None, True)


def test_documents_as_the_api_sends_them():
    text = '{"Version": "2012-10-17", "Statement": [{"Sid": "a+b", "Sid": "é"}]}'
    (role,) = _account({"RoleDetailList": [detail(AssumeRolePolicyDocument=quote(text, safe=""))]}).roles
    assert role.trust == text


def test_a_key_given_twice_in_a_document_stays_twice():
    head = json.dumps({"RoleDetailList": [detail(AssumeRolePolicyDocument="HERE")]}, indent=4)
    document = '{\n  "Statement": [],\n  "Version": "2012-10-17", "Statement": [ {"n": 1.50} ] }'
    (role,) = one_account([read_details(head.replace('"HERE"', document).encode(), "d.json")]).roles
    assert role.trust == '{"Statement":[],"Version":"2012-10-17","Statement":[{"n":1.50}]}'


def test_equal_documents_are_one_object():
    roles = [detail(f"r{number}") for number in range(3)]
    roles[2]["AssumeRolePolicyDocument"] = quote(compact(trust()), safe="")
    account = _account({"RoleDetailList": roles})
    assert len({id(role.trust) for role in account.roles}) == 1


def test_the_default_version_of_managed_policies():
    versions = [
        {"VersionId": "v2", "IsDefaultVersion": False, "Document": allow("s3:Get*")},
        {"VersionId": "v1", "IsDefaultVersion": True, "Document": allow("s3:List*")},
    ]
    policy = {"Arn": f"arn:aws:iam::{OWN}:policy/p", "DefaultVersionId": "v1", "PolicyVersionList": versions}
    by_id = {
        **policy,
        "Arn": f"{policy['Arn']}2",
        "PolicyVersionList": [{**v, "IsDefaultVersion": None} for v in versions],
    }
    lost = {**policy, "Arn": f"{policy['Arn']}3", "PolicyVersionList": versions[:1]}
    account = _account({"Policies": [policy, by_id, lost], "RoleDetailList": [detail()]})
    assert account.policies == dict.fromkeys([policy["Arn"], by_id["Arn"]], compact(allow("s3:List*")))
    (unknown,) = account.unknown
    assert (unknown.part, unknown.where) == (f"policy {lost['Arn']}", "dump.json: $.Policies[2]")


def test_users_are_told():
    user = {"Arn": f"arn:aws:iam::{OWN}:user/a", "UserId": "AIDAEXAMPLE", "UserName": "a"}
    assert _account({"UserDetailList": [user], "RoleDetailList": [detail()]}).users == (
        User(user["Arn"], "AIDAEXAMPLE"),
    )


def test_pages_of_one_dump():
    account = _account(
        {"RoleDetailList": [detail("a")], "IsTruncated": True, "Marker": "m"},
        {"RoleDetailList": [], "IsTruncated": True, "Marker": "n"},
        {"RoleDetailList": [detail("b")], "IsTruncated": False},
    )
    assert [role.name for role in account.roles] == ["a", "b"]
    assert account.roles[1].where == "dump.json: $[2].RoleDetailList[0]"
    assert account.unknown == ()


def test_pages_in_several_files_in_any_order():
    last = _read({"RoleDetailList": [detail("b")], "IsTruncated": False}, name="2.json")
    first = _read({"RoleDetailList": [detail("a")], "IsTruncated": True}, name="1.json")
    account = one_account([last, first])
    assert [role.name for role in account.roles] == ["a", "b"]
    assert account.unknown == ()


def test_a_dump_that_ends_in_the_middle_says_so():
    (unknown,) = _account({"RoleDetailList": [detail()], "IsTruncated": True, "Marker": "m"}).unknown
    assert unknown.part == "roles"
    assert "IsTruncated" in unknown.reason


def test_list_roles_adds_description_and_session_limit():
    listed = {**detail(), "Description": "The auditor", "MaxSessionDuration": 7200}
    only = {**detail("only"), "MaxSessionDuration": 3600}
    del only["RoleLastUsed"], only["RolePolicyList"], only["AttachedManagedPolicies"]
    both = one_account([_read({"RoleDetailList": [detail()]}), _read({"Roles": [listed, only]}, name="roles.json")])
    lone, role = both.roles
    assert (role.description, role.max_session, role.unknown) == ("The auditor", 7200, ())
    assert role.where == "dump.json: $.RoleDetailList[0]"
    assert (lone.name, lone.max_session, lone.trust) == ("only", 3600, compact(trust()))
    assert lone.why_unknown("policies") is not None


@pytest.mark.parametrize("given", ["yesterday", 1e20, -1e20])
def test_a_time_that_is_none_is_said(given):
    (role,) = _account({"RoleDetailList": [detail(CreateDate=given)]}).roles
    assert role.created is None
    assert role.why_unknown("created").where == "dump.json: $.RoleDetailList[0].CreateDate"


@pytest.mark.parametrize(
    "given", ["2026-01-02 03:04:05", "2026-01-02T05:04:05+02:00", "2026-01-02T03:04:05Z", 1767323045]
)
def test_times_are_aware_and_utc(given):
    (role,) = _account({"RoleDetailList": [detail(CreateDate=given)]}).roles
    assert role.created == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("document", ["%7B%ff", None])
def test_a_trust_that_cannot_be_read_is_unknown_and_the_role_is_not_lost(document):
    (role,) = _account({"RoleDetailList": [detail(AssumeRolePolicyDocument=document)]}).roles
    assert role.trust is None
    assert role.why_unknown("trust").where.endswith("$.RoleDetailList[0].AssumeRolePolicyDocument")


def test_a_document_that_is_no_json_stays_text():
    (role,) = _account({"RoleDetailList": [detail(AssumeRolePolicyDocument="not json")]}).roles
    assert role.trust == "not json"


@pytest.mark.parametrize(
    ("text", "says", "where"),
    [
        ('{"RoleDetailList": [{"Arn": 5}]}', "Expected `str`, got `int`", "d.json: $.RoleDetailList[0].Arn"),
        ('{"RoleDetailList": [{"RoleName": "x"}]}', "missing required field `Arn`", "d.json: $.RoleDetailList[0]"),
        ('{"RoleDetailList": [{"Arn": "\\u001b[2J", "RoleName": "x"}]}', "no.* the ARN of a role|is not the ARN", ""),
        (json.dumps({"RoleDetailList": [detail(path="/" * 200_000)]}), "is not the ARN", "RoleDetailList[0].Arn"),
        ('{"RoleDetailList": {}}', "Expected `array`, got `object`", "d.json: $.RoleDetailList"),
        ('{"RoleDetailList": [', "not JSON", "d.json"),
        ('{"RoleDetailList": [{"Arn": ' + "[" * 100_000, "not JSON|Expected|deep", ""),
        ('[{"RoleDetailList": [7]}]', "Expected `object`, got `int`", "d.json: $[0].RoleDetailList[0]"),
    ],
)
def test_what_is_no_dump_is_refused_with_its_place(text, says, where):
    with pytest.raises(SourceError, match=says) as raised:
        read_details(text.encode(), "d.json")
    assert where in raised.value.where
    assert "\x1b" not in str(raised.value)


def test_a_document_nested_without_end_is_refused():
    text = json.dumps({"RoleDetailList": [detail(AssumeRolePolicyDocument="HERE")]})
    text = text.replace('"HERE"', "[" * 100_000 + "]" * 100_000)
    with pytest.raises(SourceError, match="deep"):
        read_details(text.encode(), "d.json")


def test_two_accounts_are_two():
    parts = [_read({"RoleDetailList": [detail(account=item)]}, name=f"{item}.json") for item in (OWN, OTHER)]
    account = one_account(parts)
    assert (account.id, account.ids) == (None, tuple(sorted((OWN, OTHER))))
    with pytest.raises(SourceError, match=f"of account {OTHER}, not of {OWN}"):
        one_account(parts, owner=OWN)


def test_another_owner_is_refused():
    with pytest.raises(SourceError, match=f"of account {OWN}, not of {OTHER}"):
        one_account([_read({"RoleDetailList": [detail()]})], owner=OTHER)


def test_the_same_dump_twice_is_one_and_two_states_are_refused():
    one = {"RoleDetailList": [detail()]}
    assert len(one_account([_read(one), _read(one, name="again.json")]).roles) == 1
    with pytest.raises(SourceError, match="described in two different ways"):
        one_account([_read(one), _read({"RoleDetailList": [detail(AssumeRolePolicyDocument=trust(OWN))]})])


def test_other_partitions():
    told = detail() | {"Arn": f"arn:aws-us-gov:iam::{OWN}:role/partner"}
    account = _account({"RoleDetailList": [told]})
    assert (account.partition, account.roles[0].partition) == ("aws-us-gov", "aws-us-gov")


def test_the_demo_account_of_cloudmapper():
    # BSD-3, duo-labs/cloudmapper: account-data/demo, where it is at hand.
    name = "shared/data/account_details_cloudmapper_demo.json"
    file = next((result for up in pathlib.Path(__file__).parents if (result := up / name).exists()), None)
    if file is None:
        pytest.skip("the file is not here")
    account = one_account([read_details(file.read_bytes(), "demo.json")])
    assert account.id == "123456789012"
    assert [role.name for role in account.roles] == ["bad_role", "exfiller", "level3", "level1"]
    assert [role.path for role in account.roles] == ["/", "/", "/", "/service-role/"]
    assert account.unknown == ()


ALL, LITTLE = allow("*"), allow("ec2:DescribeRegions")
INLINE = [{"PolicyName": "n", "PolicyDocument": ALL}, {"PolicyName": "n", "PolicyDocument": LITTLE}]


def _managed(*versions: tuple[object, bool | None, str], default: str = "v1") -> dict[str, object]:
    listed = [
        {"VersionId": number, "Document": document, **({} if flag is None else {"IsDefaultVersion": flag})}
        for document, flag, number in versions
    ]
    return {"Arn": f"arn:aws:iam::{OWN}:policy/p", "DefaultVersionId": default, "PolicyVersionList": listed}


ONE, OTHER_ONE = _managed((ALL, True, "v1")), _managed((LITTLE, True, "v1"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"RoleDetailList": [detail()]}, {"RoleDetailList": [detail(AssumeRolePolicyDocument=trust("*"))]}),
        ({"RoleDetailList": [detail()]}, {"RoleDetailList": [detail(RolePolicyList=None)]}),
        ({"RoleDetailList": [detail()]}, {"RoleDetailList": [detail(RolePolicyList=[{"PolicyName": "n"}])]}),
        ({"RoleDetailList": [detail()]}, {"RoleDetailList": [detail(Tags=[{"Key": "a", "Value": "b"}])]}),
        ({"Policies": [ONE]}, {"Policies": [OTHER_ONE]}),
        ({"Roles": [detail()]}, {"Roles": [detail(AssumeRolePolicyDocument=trust("*"))]}),
        ({"Role": detail(MaxSessionDuration=3600)}, {"Role": detail(MaxSessionDuration=7200)}),
    ],
    ids=["trust", "policies left out", "a document left out", "tags", "managed policy", "listed", "session limit"],
)
def test_pages_that_differ_about_a_role_or_policy_are_refused(one, other):
    both = [json.dumps(item).encode() for item in (one, other)]
    for first, second in (both, both[::-1]):
        with pytest.raises(SourceError, match="described in two different ways"):
            one_account([read_details(b"[" + first + b"," + second + b"]", "dump.json")])
        with pytest.raises(SourceError, match="described in two different ways"):
            one_account([read_details(first, "a.json"), read_details(second, "b.json")])


def test_one_page_that_tells_two_things_is_refused():
    for page in (
        {"Policies": [ONE, OTHER_ONE]},
        {"Roles": [detail(), detail(AssumeRolePolicyDocument=trust("*"))]},
        {"RoleDetailList": [detail(), detail(AssumeRolePolicyDocument=trust("*"))]},
    ):
        with pytest.raises(SourceError, match="described in two different ways"):
            _account(page)


def test_pages_that_agree_are_one():
    page = {"RoleDetailList": [detail()], "Policies": [ONE], "Roles": [detail(Tags=None)]}
    account = _account(page, page)
    assert [role.unknown for role in account.roles] == [()]
    assert account.policies == {ONE["Arn"]: compact(ALL)}


def test_two_inline_policies_of_one_name_are_not_known():
    (role,) = _account({"RoleDetailList": [detail(RolePolicyList=INLINE)]}).roles
    assert role.inline == {}
    assert [(part.part, part.reason) for part in role.unknown] == [
        ("inline policy n", "two different policies have this name")
    ]


@pytest.mark.parametrize(
    "policy",
    [
        _managed((LITTLE, True, "v1"), (ALL, True, "v2")),
        _managed((LITTLE, True, "v1"), (ALL, False, "v2"), default="v2"),
        _managed((LITTLE, False, "v1"), (ALL, False, "v2")),
        _managed((LITTLE, None, "v1"), (ALL, True, "v2")),
        _managed((LITTLE, True, "v1"), default="v2"),
    ],
)
def test_a_policy_of_which_the_default_version_is_not_clear(policy):
    account = _account({"Policies": [policy], "RoleDetailList": []})
    assert account.policies == {}
    assert [part.part for part in account.unknown] == [f"policy {policy['Arn']}"]


def test_a_dump_without_a_list_of_roles_says_so():
    policies = {"Policies": [ONE]}
    (unknown,) = _account(policies).unknown
    assert (unknown.part, unknown.where, unknown.hides) == ("roles", "dump.json", True)
    for lists in ({"RoleDetailList": []}, {"Roles": []}, {"Role": detail()}):
        assert _account(policies, lists).unknown == ()
        assert one_account([_read(policies, name="a"), _read(lists, name="b")]).unknown == ()
    assert one_account([_read(policies), SourcePart("t.yaml")]).unknown == ()


@pytest.mark.parametrize("key", ["RoleDetailList", "Roles"])
@pytest.mark.parametrize("token", ["NextToken", "Marker"])
def test_a_list_that_max_items_cut_off_says_so(key, token):
    first, last = {key: [detail("a")], token: "eyJNYXJrZXIi"}, {key: [detail("b")]}
    other = {"Roles" if key == "RoleDetailList" else "RoleDetailList": [detail("a")]}

    def unknown(*pages: object) -> list[str]:
        account = one_account([_read(page, name=f"{number}.json") for number, page in enumerate(pages)])
        return [part.reason for part in account.unknown if part.part == "roles"]

    for pages in ([first], [first, first], [first, other]):
        (why,) = unknown(*pages)
        assert "has a token for the next one" in why
    assert unknown(last, first) == unknown(first, last) == []
    assert _account(first, last).unknown == ()
    assert [part.part for part in _account(last, first).unknown] == ["roles"]
