"""The SARIF log passes the official schema of SARIF 2.1.0 and follows what GitHub's code scanning asks for."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest
from tests.unit.audit.roles import BOTH, NOW, OWN, ROOT, A, allow, role, trust

from valetkey.account import read_files
from valetkey.account.positions import Lines
from valetkey.account.values import Account, UnknownPart
from valetkey.audit import Accepted, Audit, Scope, audit
from valetkey.report.formats import How
from valetkey.report.formats.sarif import sarif

SCHEMA = Path(__file__).parents[2] / "data" / "sarif-schema-2.1.0.json"
HOW = How(fail_on="medium", allow_incomplete=False, show_ids=False, version="1.2.3")
TEMPLATE = """\
Resources:
  Vendor:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - {Effect: Allow, Principal: {AWS: '222222222222'}, Action: sts:AssumeRole}
          - {Effect: Allow, Principal: '*', Action: sts:AssumeRole}
  Nested: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: x}}
"""


@cache
def schema() -> Any:
    return fastjsonschema.compile(json.loads(SCHEMA.read_text()))


def of_files(**files: str) -> Audit:
    data = {name.replace("_", "."): text.encode() for name, text in files.items()}
    account = read_files(data, read=data.__getitem__, owner=OWN)
    return audit(account, scope=Scope(), now=NOW, line_of=Lines(data))


NAMES = ("accepted", "hostile", "live", "nothing", "template")


@cache
def audits() -> dict[str, Audit]:
    roles = (role(trust(allow(ROOT)), "bare", where=f"account {OWN}"), role(trust(allow(ROOT, BOTH)), "good"))
    missing = (
        UnknownPart("roles", "it was refused", "iam:ListRoles"),
        UnknownPart("quotas", "it was refused", "iam:X"),
    )
    live = Account(id=OWN, partition="aws", roles=roles, unknown=missing, sources=(f"account {OWN}",))
    accepted = Accepted("T1", "*", "OPS-7", NOW + timedelta(days=1))
    hostile = role(trust(allow({"AWS": [ROOT, "\x1b[31m‮\ud800 <b>"]})), "odd", where='a "b"%.json: $.RoleDetailList[0]')
    return {
        "nothing": audit(Account(id=None, partition="aws", roles=()), scope=Scope(), now=NOW),
        "live": audit(live, scope=Scope(), now=NOW),
        "accepted": audit(live, scope=Scope(), now=NOW, baseline=[accepted]),
        "template": of_files(app_yaml=TEMPLATE, package_json='{"name": "x"}'),
        "hostile": audit(
            Account(id=OWN, partition="aws", roles=(hostile,), sources=('a "b"%.json',)), scope=Scope(), now=NOW
        ),
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_log_passes_the_official_schema(name: str) -> None:
    schema()(json.loads(json.dumps(sarif(audits()[name], HOW))))


def test_the_schema_can_refuse() -> None:
    log = sarif(audits()["live"], HOW)
    log["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(fastjsonschema.JsonSchemaException):
        schema()(log)


@pytest.mark.parametrize("name", NAMES)
def test_it_follows_githubs_rules(name: str) -> None:
    """GitHub, "SARIF support for code scanning": the properties that it asks for or displays."""
    (run,) = sarif(audits()[name], HOW)["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len(rules) == len({item["id"] for item in rules}) <= 25_000
    for rule in rules:
        for text in (rule["shortDescription"], rule["fullDescription"]):
            assert 0 < len(text["text"]) <= 1024
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert len(rule["name"]) <= 255
        assert rule["helpUri"].startswith("https://")
        assert 0 <= float(rule["properties"]["security-severity"]) <= 10
        assert "security" in rule["properties"]["tags"]
        assert len(rule["properties"]["tags"]) <= 20
    results = run["results"]
    seen = set()
    for result in results:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        (location,) = result["locations"]
        physical = location["physicalLocation"]
        assert physical["artifactLocation"]["uri"]
        assert " " not in physical["artifactLocation"]["uri"]
        assert not physical["artifactLocation"]["uri"].startswith("/")
        assert physical["region"]["startLine"] >= 1
        seen.add(result["partialFingerprints"]["primaryLocationLineHash"])
    assert len(seen) == len(results)


def test_a_result_names_its_role_its_file_and_its_line() -> None:
    (run,) = sarif(audits()["template"], HOW)["runs"]
    value = {
        (result["ruleId"], result["locations"][0]["physicalLocation"]["region"]["startLine"]): result
        for result in run["results"]
    }
    assert {("T1", 8), ("T4", 9), ("incomplete", 10)} <= value.keys()
    for (check, _), item in value.items():
        assert item["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "app.yaml"
        assert item["message"]["text"].startswith("Vendor: " if check != "incomplete" else f"arn:aws:iam::{OWN}:root: ")
    assert value["T1", 8]["properties"]["place"].endswith("AssumeRolePolicyDocument.Statement[0]")


def test_the_results_of_a_role_are_together() -> None:
    roles = tuple(role(trust(allow(ROOT), allow("*")), f"r{number}") for number in range(5))
    answer = audit(Account(id=OWN, partition="aws", roles=roles), scope=Scope(), now=NOW)
    names = [
        result["locations"][0]["logicalLocations"][0]["name"] for result in sarif(answer, HOW)["runs"][0]["results"]
    ]
    assert names == sorted(names)
    assert len(names) > 10


def test_fingerprints_survive_other_lines_and_other_words() -> None:
    def prints(text: str) -> list[str]:
        results = sarif(of_files(app_yaml=text), HOW)["runs"][0]["results"]
        return [result["partialFingerprints"]["primaryLocationLineHash"] for result in results]

    assert (
        prints(TEMPLATE)
        == prints("# a remark\n\n" + TEMPLATE)
        == prints(TEMPLATE.replace("222222222222", "999988887777"))
    )


def test_what_was_not_read_is_an_invocation_that_failed_and_a_result() -> None:
    answer = audits()["live"]
    (run,) = sarif(answer, HOW)["runs"]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    told = {
        (notification["level"], notification["message"]["text"])
        for notification in invocation["toolExecutionNotifications"]
    }
    assert told == {
        ("error", f"arn:aws:iam::{OWN}:root: not read: roles: it was refused"),
        ("note", "quotas: it was refused (iam:X)"),
    }
    assert [result["ruleId"] for result in run["results"]].count("incomplete") == 1
    accepted = sarif(answer, replace(HOW, allow_incomplete=True))["runs"][0]
    assert accepted["invocations"][0]["executionSuccessful"] is True
    assert accepted["invocations"][0]["toolExecutionNotifications"] == invocation["toolExecutionNotifications"]
    assert accepted["results"] == run["results"]


def test_skipped_files_are_said() -> None:
    (run,) = sarif(audits()["template"], HOW)["runs"]
    texts = [notification["message"]["text"] for notification in run["invocations"][0]["toolExecutionNotifications"]]
    assert "package.json is not a file that an account can be read from" in texts


@pytest.mark.parametrize(
    ("name", "uri"),
    [("/srv/a b.json", "file:///srv/a%20b.json"), ("in/a b.json", "in/a%20b.json"), ("-", "stdin")],
)
def test_files_are_uris(name: str, uri: str) -> None:
    one = role(trust(allow(A)), where=f"{name}: $.RoleDetailList[0]")
    answer = audit(Account(id=OWN, partition="aws", roles=(one,), sources=(name,)), scope=Scope(), now=NOW)
    for result in sarif(answer, HOW)["runs"][0]["results"]:
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_the_time_is_utc() -> None:
    answer = audit(
        Account(id=OWN, partition="aws", roles=()), scope=Scope(), now=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    )
    assert sarif(answer, HOW)["runs"][0]["invocations"][0]["endTimeUtc"] == "2026-01-02T03:04:05Z"
