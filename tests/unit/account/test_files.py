"""What a file is."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Mapping

import pytest
from tests.unit.account.documents import OTHER, OWN, compact, detail, trust

from valetkey.account import Account, SourceError, read_files
from valetkey.errors import ValetkeyError
from valetkey.policy.arns import NOBODY


def _read(files: Mapping[str, bytes], **options: str) -> Account:
    return read_files(files, read=files.__getitem__, **options)


DUMP = json.dumps({"RoleDetailList": [detail("live")]}).encode()
TEMPLATE = b"Resources: {R: {Type: 'AWS::IAM::Role', Properties: {RoleName: wanted, AssumeRolePolicyDocument: x}}}"
PLAN = json.dumps(
    {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {
            "root_module": {
                "resources": [
                    {
                        "address": "aws_iam_role.r",
                        "mode": "managed",
                        "type": "aws_iam_role",
                        "values": {"name": "planned", "assume_role_policy": "x"},
                    }
                ]
            }
        },
    }
).encode()


def test_every_kind_is_told_by_what_it_holds():
    account = _read(
        {
            "a.txt": DUMP,
            "b.txt": TEMPLATE,
            "c.txt": PLAN,
            "d.txt": b' { "Statement" : [] } ',
            "e.txt": gzip.compress(json.dumps([{"RoleDetailList": [detail("packed")], "IsTruncated": False}]).encode()),
            "f.txt": json.dumps({"Roles": [{**detail("live"), "Description": "joined"}]}).encode(),
        }
    )
    assert {role.name: role.where for role in account.roles} == {
        "live": "a.txt: $.RoleDetailList[0]",
        "wanted": "b.txt: $.Resources.R",
        "planned": "c.txt: aws_iam_role.r",
        "d.txt": "d.txt: $",
        "packed": "e.txt: $[0].RoleDetailList[0]",
    }
    assert account.id == OWN
    assert next(role for role in account.roles if role.name == "live").description == "joined"
    assert account.sources == ("a.txt", "b.txt", "c.txt", "d.txt", "e.txt", "f.txt")


def test_a_bare_trust_policy_is_kept_to_the_byte():
    text = '{\n "Version": "2012-10-17", "Statement": [], "Statement": [] }\n'
    (role,) = _read({"some/where/trust policy.json": text.encode()}, owner=OWN).roles
    assert role.trust == text
    assert (role.name, role.arn) == ("trust-policy.json", f"arn:aws:iam::{OWN}:role/trust-policy.json")
    (role,) = _read({"trust.json": text.encode()}).roles
    assert (role.account, role.arn) == (None, f"arn:aws:iam::{NOBODY}:role/trust.json")


def test_two_templates_may_define_one_role_and_a_dump_does_not_hide_it():
    same = _read({"a.yaml": TEMPLATE, "b.yaml": TEMPLATE}, owner=OWN)
    assert [role.where for role in same.roles] == ["a.yaml: $.Resources.R"]
    other = TEMPLATE.replace(b"Document: x", b"Document: y")
    both = _read({"a.yaml": TEMPLATE, "b.yaml": other}, owner=OWN)
    assert [role.trust for role in both.roles] == ["x", "y"]
    dump = json.dumps({"RoleDetailList": [detail("wanted")]}).encode()
    three = _read({"d.json": dump, "a.yaml": TEMPLATE}, owner=OWN)
    assert [role.trust for role in three.roles] == ["x", compact(trust())]


def test_parameters_of_a_stack_come_from_a_file_before_or_after_it():
    template = b"""
Parameters: {Id: {Type: String}, Who: {Type: String, Default: 222222222222}, Many: {Type: CommaDelimitedList}}
Resources:
  R:
    Type: AWS::IAM::Role
    Properties: {RoleName: !Ref Id, Description: !Ref Who, AssumeRolePolicyDocument: !Ref Many}
"""
    given = [
        {"ParameterKey": "Id", "ParameterValue": "named"},
        {"ParameterKey": "Many", "ParameterValue": "a, b"},
        {"ParameterKey": "Other", "UsePreviousValue": True},
    ]
    parameters = json.dumps(given).encode()
    for files in ({"t": template, "p": parameters}, {"p": parameters, "t": template}):
        account = _read(files)
        (role,) = account.roles
        assert (role.name, role.description, role.trust) == ("named", "222222222222", '["a","b"]')
        assert "parameter Who has its default value" in role.assumed
        assert not any("Id" in item or "Many" in item for item in role.assumed)
    (role,) = _read({"t": template}).roles
    assert "no file gives its value" in role.why_unknown("name").reason


def test_parameters_that_are_none_are_refused():
    with pytest.raises(SourceError, match="does not hold parameters of a stack") as raised:
        _read({"p": b'[{"ParameterKey": "a", "ParameterValue": {}}]'})
    assert raised.value.where == "p: $[0].ParameterValue"


def test_the_owner_is_checked_against_the_dump():
    with pytest.raises(SourceError, match=OWN):
        _read({"d.json": DUMP}, owner=OTHER)


@pytest.mark.parametrize("data", [b"", b"{}", b'{"Version": 1}', b"[]x", b"just text", b"- a\n- b", b"5", b"{", b"\0"])
def test_anything_else_is_refused_by_name(data):
    with pytest.raises(SourceError) as raised:
        _read({"thing.json": data})
    assert raised.value.where.startswith("thing.json")
    assert raised.value.do


def test_broken_files_end_in_a_problem_and_nothing_else():
    # Cuts and flipped bytes of every kind of file: read, or refused with its name.
    chance = random.Random(3)
    for data in (DUMP, TEMPLATE, PLAN, gzip.compress(DUMP)):
        for _ in range(150):
            broken = bytearray(data)
            for _ in range(chance.randint(1, 4)):
                broken[chance.randrange(len(broken))] = chance.choice(b'{}[]",:\0\xffa0!&*-')
            cut = bytes(broken[: chance.randint(1, len(broken))])
            try:
                _read({"broken": cut})
            except ValetkeyError as problem:
                assert "broken" in problem.where  # noqa: PT017


@pytest.mark.parametrize(
    "parameters",
    [
        [{"ParameterKey": "Id", "ParameterValue": "named"}, {"ParameterKey": "N", "UsePreviousValue": True}],
        ["Id=named", "N=a=b"],
        {"Parameters": {"Id": "named", "N": 5}, "Tags": {"a": "b"}, "StackPolicy": {"Statement": []}},
        {"StackName": "s", "Parameters": [{"ParameterKey": "Id", "ParameterValue": "named"}]},
        {"Stacks": [{"Parameters": [{"ParameterKey": "Id", "ParameterValue": "x", "ResolvedValue": "named"}]}]},
        {"template-file-path": "t.yaml", "parameters": {"Id": "named"}, "tags": {"a": "b"}},
    ],
)
def test_parameters_come_in_every_form_that_aws_takes(parameters):
    template = b"{Parameters: {Id: {Type: String}}, Resources: {R: {Type: 'AWS::IAM::Role', Properties: "
    template += b"{RoleName: !Ref Id, AssumeRolePolicyDocument: x}}}}"
    (role,) = _read({"t": template, "p": json.dumps(parameters).encode()}).roles
    assert role.name == "named"


def test_parameters_may_be_yaml_and_need_a_template():
    template = b"{Parameters: {Id: {Type: String}}, Resources: {R: {Type: 'AWS::IAM::Role', Properties: "
    template += b"{RoleName: !Ref Id, AssumeRolePolicyDocument: x}}}}"
    given = b"template-file-path: t.yaml\nparameters:\n  Id: named\n"
    (role,) = _read({"t": template, "p": given}).roles
    assert role.name == "named"
    with pytest.raises(SourceError, match="no template"):
        _read({"p": given})


@pytest.mark.parametrize(
    "statement", [{"Effect": "Deny", "Action": ["ec2:*", "iam:*"], "Resource": "*"}, {"NotAction": "a:b"}]
)
def test_a_policy_without_principals_is_not_a_trust_policy(statement):
    document = {"Version": "2012-10-17", "Statement": [statement]}
    with pytest.raises(SourceError, match=r"scp\.json is not a trust policy"):
        _read({"scp.json": json.dumps(document).encode()})


@pytest.mark.parametrize(
    "statement",
    [{"Effect": "Allow", "principal": "*"}, {"Action": "STS:AssumeRole"}, {"NotPrincipal": {"AWS": "1"}}, 5],
)
def test_what_may_be_meant_as_a_trust_policy_is_audited(statement):
    assert _read({"t.json": json.dumps({"Statement": [statement]}).encode()}).roles


def test_get_role_and_list_roles_are_read():
    one = {**detail("one"), "Description": "the first", "MaxSessionDuration": 7200}
    account = _read(
        {
            "one.json": json.dumps({"Role": one}).encode(),
            "all.json": json.dumps({"Roles": [detail("two")], "IsTruncated": False}).encode(),
        }
    )
    first, second = account.roles
    assert (first.name, first.description, first.where) == ("one", "the first", "one.json: $.Role")
    assert first.trust is not None
    assert second.where == "all.json: $.Roles[0]"
    assert [part.part for part in first.unknown] == ["policies"]
    assert account.id == OWN


def test_raw_state_gets_advice():
    state = {"version": 4, "terraform_version": "1.9.0", "serial": 1, "lineage": "x", "outputs": {}, "resources": []}
    with pytest.raises(SourceError, match="raw state") as raised:
        _read({"terraform.tfstate": json.dumps(state).encode()})
    assert "terraform show -json" in raised.value.do


def test_several_accounts_are_audited_as_several():
    theirs = json.loads(json.dumps(detail("live")).replace(OWN, OTHER))
    merged = {"RoleDetailList": [detail("live"), theirs], "IsTruncated": False}
    for files in (
        {"merged.json": merged},
        {"a.json": {"RoleDetailList": [detail("live")]}, "b.json": {"RoleDetailList": [theirs]}},
    ):
        account = _read({name: json.dumps(value).encode() for name, value in files.items()})
        assert account.id is None
        assert set(account.ids) == {OWN, OTHER}
        assert {role.account for role in account.roles} == {OWN, OTHER}


def test_of_several_accounts_each_needs_its_last_page():
    theirs = json.loads(json.dumps(detail("live")).replace(OWN, OTHER))
    first = {"RoleDetailList": [detail("live")], "IsTruncated": True}
    second = {"RoleDetailList": [theirs], "IsTruncated": False}
    account = _read({"a.json": json.dumps(first).encode(), "b.json": json.dumps(second).encode()})
    assert [part.where for part in account.unknown] == ["a.json"]
    empty = {"RoleDetailList": [], "IsTruncated": False}
    files = {"a.json": first, "b.json": second, "c.json": empty}
    assert _read({name: json.dumps(item).encode() for name, item in files.items()}).unknown == ()


@pytest.mark.parametrize(
    "foreign",
    [
        json.dumps([detail("cut-out")]),
        json.dumps({"first": {"RoleDetailList": []}}),
        json.dumps([{"RoleDetailList": [detail()]}, 5]),
        "RoleDetailList:\n- {Arn: x}\n",
        f"{{'Statement': {json.dumps(trust()['Statement'])}}}",
        "kind: Role\nspec: {assumeRolePolicyDocument: x}\n",
        json.dumps({"resource": {"aws_iam_role": {"x": {"assume_role_policy": "x"}}}}),
    ],
)
def test_a_file_of_another_kind_with_a_trust_policy_is_not_skipped_as_if_it_held_nothing(foreign):
    account = _read({"dump.json": DUMP, "other": foreign.encode()})
    assert len(account.skipped) == 1
    (unknown,) = account.unknown
    assert (unknown.part, unknown.where, unknown.hides) == ("roles", "other", True)


@pytest.mark.parametrize("foreign", ['{"name": "x"}', "kind: Pod\n", '{"Allow": "iam:UpdateAssumeRolePolicy"}'])
def test_a_file_of_another_kind_without_one_is_skipped(foreign):
    account = _read({"dump.json": DUMP, "other": foreign.encode()})
    assert (len(account.skipped), account.unknown) == (1, ())
