"""Keys that a dump or a plan gives twice."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.account.documents import OWN, detail, trust

from valetkey.account.files import read_files
from valetkey.account.loaded import SourceError

OPEN, SAFE = json.dumps(trust("*")), json.dumps(trust(OWN))
ROLE = json.dumps(detail(AssumeRolePolicyDocument=trust(OWN)))
BAD = json.dumps(detail("bad", AssumeRolePolicyDocument=trust("*")))


def _planned(name: str, document: str) -> str:
    values = {"name": name, "assume_role_policy": document}
    return json.dumps({"address": f"aws_iam_role.{name}", "type": "aws_iam_role", "values": values})


def _plan(inner: str) -> str:
    return f'{{"format_version": "1.2", "planned_values": {{"root_module": {inner}}}}}'


def _read(text: str) -> Any:
    return read_files(["f.json"], read=lambda _: text.encode())


TRUSTS = f'{{"AssumeRolePolicyDocument": {OPEN}, {ROLE[1:]}'
POLICIES = f'{ROLE[:-1]}, "\\u0052olePolicyList": []}}'
NAMES = _planned("x", OPEN).replace('"name"', '"name": "z", "name"')


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (f'{{"RoleDetailList": [{BAD}], "RoleDetailList": [{ROLE}]}}', "$.RoleDetailList"),
        (f'{{"Roles": [{BAD}], "Roles": [{ROLE}]}}', "$.Roles"),
        (f'[{{"Roles": []}}, {{"Roles": [{ROLE}, {TRUSTS}]}}]', "$[1].Roles[1].AssumeRolePolicyDocument"),
        (f'{{"RoleDetailList": [{POLICIES}]}}', "$.RoleDetailList[0].RolePolicyList"),
        (f'{{"RoleDetailList": [{ROLE}], "x": [[{{"sts:a": 1, "sts:a": 1}}]]}}', "$.x[0][0]['sts:a']"),
        (
            _plan(f'{{"resources": [{_planned("x", OPEN)}], "resources": [{_planned("y", SAFE)}]}}'),
            "$.planned_values.root_module.resources",
        ),
        (_plan("{}")[:-1] + ', "planned_values": {"root_module": {}}}', "$.planned_values"),
        (_plan(f'{{"resources": [{NAMES}]}}'), "$.planned_values.root_module.resources[0].values.name"),
    ],
)
def test_a_file_with_a_key_twice_is_refused_with_the_place(text, where):
    with pytest.raises(SourceError, match="a key is given twice") as refused:
        _read(text)
    assert refused.value.where == f"f.json: {where}"


def test_a_key_twice_in_a_policy_document_is_kept_for_who_judges_the_document():
    text = f'{{"RoleDetailList": [{ROLE.replace(SAFE, SAFE[:-1] + ", " + OPEN[1:])}]}}'
    (role,) = _read(text).roles
    assert role.trust is not None
    assert role.trust.count('"Statement"') == 2


@pytest.mark.parametrize(
    "odd", ['"a": ' + "9" * 5000, '"é": 1, "e\u0301": 1', '"A": 1, "a": 2'], ids=["number", "accent", "case"]
)
def test_what_is_no_key_given_twice_is_read(odd):
    (role,) = _read(f'{{{odd}, "RoleDetailList": [{ROLE}]}}').roles
    assert role.trust is not None
