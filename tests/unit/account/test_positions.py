"""A JSON path is found on its line, in JSON as in YAML, and never on a line of another statement."""

from __future__ import annotations

import json

import pytest

from valetkey.account import read_files
from valetkey.account.positions import FILE_MAX, Lines

YAML = """\
# a remark
Resources:
  'Odd-Name':
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal: {Service: lambda.amazonaws.com}
          - Effect: Allow
            Principal:
              AWS: '222222222222'
  Text:
    Properties:
      AssumeRolePolicyDocument: !Sub |
        {"Statement": [
          {}]}
  Chosen:
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          - !If [Some, {Effect: Allow}, !Ref AWS::NoValue]
          - Effect: Allow
"""


def line_in(data: bytes, path: str) -> int | None:
    return Lines({"a: b.yaml": data})(f"a: b.yaml: {path}")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("$", 2),
        ("$.Resources", 2),
        ("$.Resources['Odd-Name']", 3),
        ("$.Resources['Odd-Name'].Properties.AssumeRolePolicyDocument.Statement[0]", 9),
        ("$.Resources['Odd-Name'].Properties.AssumeRolePolicyDocument.Statement[1].Principal.AWS", 13),
        ("$.Resources['Odd-Name'].Properties.AssumeRolePolicyDocument.Statement[7]", 8),
        ("$.Resources.Text.Properties.AssumeRolePolicyDocument.Statement[0]", 16),
        # What a condition may remove has another number in the document that was made: the list is as far as it goes.
        ("$.Resources.Chosen.Properties.AssumeRolePolicyDocument.Statement[0]", 22),
        ("$.Resources.Chosen.Properties.AssumeRolePolicyDocument.Statement[1]", 22),
        ("$.Nowhere.At.All", 2),
    ],
)
def test_yaml(path: str, line: int) -> None:
    assert line_in(YAML.encode(), path) == line


@pytest.mark.parametrize("blank", ["\n", "\r\n"])
def test_json(blank: str) -> None:
    text = json.dumps({"Resources": {"a.b": {"Trust": {"Statement": [1, {"Sid": 'x"]}'}, {"Ref": "X"}, 4]}}}}, indent=1)
    lines = text.split("\n")

    def at(path: str) -> str:
        line = line_in(text.replace("\n", blank).encode(), path)
        assert line is not None
        return lines[line - 1].strip()

    assert at("$.Resources['a.b']") == '"a.b": {'
    assert at("$.Resources['a.b'].Trust.Statement[0]") == "1,"
    assert line_in(text.encode(), "$.Resources['a.b'].Trust.Statement[1].Sid") == 1 + next(
        number for number, line in enumerate(lines) if '"Sid"' in line
    )
    assert at("$.Resources['a.b'].Trust.Statement[3]") == '"Statement": ['
    assert line_in(b"\xef\xbb\xbf" + text.encode(), "$.Resources") == 2


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"{", b"", b"{a: [1", b'{"a" 1}', b" " * (FILE_MAX + 1)])
def test_what_cannot_be_read_has_no_line(data: bytes) -> None:
    assert line_in(data, "$.a[0]") in (None, 1)


def test_flow_yaml_that_begins_like_json() -> None:
    assert line_in(b"{\n  Resources: {\n    A: {Type: x},  # one\n  },\n}", "$.Resources.A") == 3


@pytest.mark.parametrize("place", ["plan.json: aws_iam_role.a", "other.json: $.a", "iam:ListRoles", "plan.json", ""])
def test_a_place_that_is_no_path_in_a_file_has_no_line(place: str) -> None:
    assert Lines({"plan.json": b"{}"})(place) is None


def test_a_file_is_taken_apart_once() -> None:
    text = json.dumps({"RoleDetailList": [{"Trust": {"Statement": [{}]}} for _ in range(800)]}, indent=1)
    lines, steps = Lines({"dump.json": text.encode()}), 0

    def count(frame: object, event: str, arg: object) -> None:
        nonlocal steps
        steps += event == "call"

    import sys

    sys.setprofile(count)
    try:
        result = [lines(f"dump.json: $.RoleDetailList[{number}].Trust.Statement[0]") for number in range(800)]
    finally:
        sys.setprofile(None)
    assert result == [6 + 7 * number for number in range(800)]
    assert steps < 80_000


def test_every_reader_says_where_the_trust_policy_is() -> None:
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "sts:AssumeRole"}]}
    role = {"Arn": "arn:aws:iam::111111111111:role/a", "RoleName": "a", "AssumeRolePolicyDocument": trust}
    planned = {
        "address": "aws_iam_role.a",
        "type": "aws_iam_role",
        "values": {"name": "a", "assume_role_policy": json.dumps(trust)},
    }
    made = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}}
    files = {
        "dump.json": ({"RoleDetailList": [role]}, "$.RoleDetailList[0].AssumeRolePolicyDocument"),
        "roles.json": ({"Roles": [role]}, "$.Roles[0].AssumeRolePolicyDocument"),
        "app.json": ({"Resources": {"A": made}}, "$.Resources.A.Properties.AssumeRolePolicyDocument"),
        "trust.json": (trust, "$"),
        "plan.json": (
            {"format_version": "1.0", "planned_values": {"root_module": {"resources": [planned]}}},
            "aws_iam_role.a.assume_role_policy",
        ),
    }
    for name, (value, where) in files.items():
        (read,) = read_files([name], read=lambda _, value=value: json.dumps(value).encode()).roles  # type: ignore[misc]
        assert read.trust_where == f"{name}: {where}"
