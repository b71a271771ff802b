"""An audit of trusts in which AWS does not document everything: unknown, or what holds whatever AWS does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.audit.roles import BOTH, OTHER, ROOT, A, allow, deny, run, trust
from tests.unit.policy.silent import EXPOSURES, TRUSTS

from valetkey.cli._run import run as command
from valetkey.policy import decide, parse_policy

EXT, MFA = "sts:ExternalId", "aws:MultiFactorAuthPresent"
REPORTED: dict[str, list[dict[str, Any]]] = {
    "empty-notequals": [allow("*", {"StringNotEquals": {"aws:PrincipalAccount": []}})],
    "empty-deny": [allow(A), {**deny({"StringEquals": {"aws:PrincipalAccount": []}}), "Principal": "*"}],
    "deny-foranyifexists": [
        allow(A),
        {**deny({"ForAnyValue:StringNotEqualsIfExists": {EXT: "Example-7f3c9d21"}}), "Principal": "*"},
    ],
    "silent-DenyBoolVar": [allow(ROOT), {**deny({"Bool": {MFA: "${aws:x}"}}), "Principal": "*"}],
}
"""Trusts that were called unreachable, internal or guarded, and by which the referees let everybody in."""


@pytest.mark.parametrize("name", REPORTED)
def test_trusts_that_both_referees_open_are_unknown(name: str) -> None:
    (role,) = run(trust(*REPORTED[name])).roles
    assert role.exposure == "unknown"
    assert "AWS does not document" in role.reason
    assert f"statement {len(REPORTED[name])}" in role.reason


@pytest.mark.parametrize("name", TRUSTS)
def test_every_form(name: str) -> None:
    case = TRUSTS[name]
    (role,) = run(json.dumps(case.document)).roles
    assert role.exposure == EXPOSURES.get(name, "unknown"), role
    if role.exposure == "unknown" and case.form != "several-in-variable":
        assert "AWS does not document" in role.reason
    if role.exposure != "unknown":
        assert any("AWS does not document" in note for note in role.notes)
        policy = parse_policy(case.document, kind="trust")
        assert all(decide(way.witness, trust=policy).allowed for outsider in role.outsiders for way in outsider.ways)


@pytest.mark.parametrize("name", TRUSTS)
def test_a_certain_door_stays_a_finding(name: str) -> None:
    case = TRUSTS[name]
    door = allow(OTHER)
    statements = [statement for statement in case.statements if statement["Effect"] == "Allow"]
    answer = run(trust(*statements, door))
    (role,) = answer.roles
    if case.form != "several-in-variable":
        assert role.exposure == "unguarded"
        assert OTHER.split(":")[4] in {outsider.name for outsider in role.outsiders}
        assert any(finding.check == "T1" for finding in answer.findings)


def test_a_statement_that_may_let_somebody_in_is_not_called_dead() -> None:
    answer = run(trust(allow(ROOT, BOTH), allow(OTHER, {"StringNotEquals": {EXT: []}, "Bool": {MFA: "true"}})))
    assert answer.roles[0].exposure == "guarded"
    assert not [finding for finding in answer.findings if finding.check == "T14"]
    assert any("more may get in" in note for note in answer.roles[0].notes)


def test_an_end_that_has_no_values_is_no_end() -> None:
    (role,) = run(trust(allow(ROOT, {"DateLessThan": {"aws:CurrentTime": []}}))).roles
    assert role.exposure == "unknown"


@pytest.mark.parametrize("name", REPORTED)
def test_the_commands_do_not_end_in_success(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "trust.json"
    path.write_text(trust(*REPORTED[name]))
    whole = tmp_path / "whole.json"
    whole.write_text(trust(allow(f"arn:aws:iam::{A}:root", {})))
    for words in (
        ["audit", str(path), "--owner", "111111111111"],
        ["who", "--trust", str(path), "--owner", "111111111111"],
        ["prove", "--trust", str(path), "--owner", "111111111111", "--within", str(whole)],
    ):
        code = command(words)
        out = capsys.readouterr()
        assert "AWS does not document" in out.out + out.err or name == "deny-foranyifexists", words
        assert code == 1 or (words[0] == "prove" and name != "empty-notequals"), words
