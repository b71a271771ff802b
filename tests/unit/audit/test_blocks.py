"""Findings by role, what was not read, and advice on well-known roles."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.audit.roles import BOTH, NOW, OWN, ROOT, A, B, account, allow, role, run, trust

from valetkey.account.values import UnknownPart
from valetkey.audit import Accepted, Scope, audit
from valetkey.catalog.known_accounts import known_accounts, known_accounts_date
from valetkey.policy.arns import is_account


def test_a_block_is_a_role_with_its_findings_and_the_gravest_comes_first() -> None:
    answer = run(trust(allow(OWN)), trust(allow(ROOT, BOTH)), trust(allow("*")), trust(allow(ROOT)))
    blocks = answer.blocks()
    assert [findings.role.arn[-1] for findings in blocks if findings.role] == ["2", "3", "1", "0"]
    for findings in blocks:
        assert findings.role is not None
        assert {finding.role for finding in findings.findings} <= {findings.role.arn}
    assert sorted(id(finding) for findings in blocks for finding in findings.findings) == sorted(
        map(id, answer.findings)
    )


def test_two_roles_of_one_arn_keep_their_findings_apart() -> None:
    one, other = role(trust(allow(ROOT)), where="a.yaml: $"), role(trust(allow(B)), where="b.yaml: $")
    first, second = run(one, other).blocks()
    assert {finding.source for finding in first.findings} == {"a.yaml: $"}
    assert {finding.source for finding in second.findings} == {"b.yaml: $"}


def test_what_a_baseline_accepts_is_in_no_block() -> None:
    answer = run(trust(allow(ROOT)), baseline=[Accepted("T1", "*", "OPS-1", NOW + timedelta(days=1))])
    assert "T1" not in {finding.check for block in answer.blocks() for finding in block.findings}


HIDES = [
    "roles",
    "policies",
    "the role of X",
    "what Y is attached to",
    "policies, tags, boundaries and last use",
    "new",
]
SHARPENS = ["quotas", "identity providers", "tags", "last use", "descriptions and session limits", "account"]


@pytest.mark.parametrize("part", HIDES)
def test_what_may_hide_a_way_in_is_a_finding_that_fails(part: str) -> None:
    given = replace(account(role(trust(allow(OWN)))), unknown=(UnknownPart(part, "because", "x.yaml: $.Resources.X"),))
    answer = audit(given, scope=Scope(), now=NOW, line_of=lambda place: 7 if place == "x.yaml: $.Resources.X" else None)
    (finding,) = answer.failing("critical")
    assert (finding.check, finding.role, finding.line) == ("incomplete", f"arn:aws:iam::{OWN}:root", 7)
    assert finding.text == f"not read: {part}: because"
    assert answer.failing("critical", allow_incomplete=True) == ()
    (block,) = [findings for findings in answer.blocks() if findings.role is None]
    assert block.findings == (finding,)


@pytest.mark.parametrize("part", [*SHARPENS, "policy arn:aws:iam::111111111111:policy/x"])
def test_what_only_sharpens_an_answer_does_not_fail(part: str) -> None:
    given = replace(account(role(trust(allow(OWN)))), unknown=(UnknownPart(part, "because", "iam:X"),))
    answer = audit(given, scope=Scope(), now=NOW)
    assert answer.findings == ()
    assert answer.incomplete == (f"{part}: because (iam:X)",)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"unknown": (UnknownPart("inline policy a", "!Ref X", "a.yaml: $"),)}, "inline policy a: !Ref X (a.yaml: $)"),
        (
            {"unknown": (UnknownPart("attached policies", "later", "p.json: x"),)},
            "attached policies: later (p.json: x)",
        ),
        ({"attached": (f"arn:aws:iam::{OWN}:policy/mine",)}, "mine: its document is not in the source"),
        ({"inline": {"odd": "{"}}, "odd: its document is not in the source, or cannot be read"),
    ],
)
def test_a_permission_that_is_not_known_is_a_finding_where_outsiders_get_it(more: dict[str, object], said: str) -> None:
    answer = run(role(trust(allow(ROOT, BOTH)), **more))
    (finding,) = answer.failing("critical")
    assert finding.check == "incomplete"
    assert said in finding.text
    assert run(role(trust(allow(OWN)), **more)).failing("info") == ()


def test_a_boundary_that_is_not_known_only_takes_away() -> None:
    given = role(trust(allow(ROOT, BOTH)), unknown=(UnknownPart("boundary", "later", "p.json: x"),))
    assert run(given).failing("critical") == ()
    assert run(role(trust(allow(ROOT, BOTH)), boundary="arn:aws:iam::aws:policy/Nowhere")).failing("critical") == ()


def test_a_trust_that_is_not_known_is_said_once() -> None:
    given = role(None, unknown=(UnknownPart("trust", "!Ref X", "a.yaml: $"),))
    assert [finding.check for finding in run(given).failing("critical")] == ["unknown"]


NAMES = [
    "OrganizationAccountAccessRole",
    "stacksets-exec-0123456789abcdef",
    "AWSCloudFormationStackSetExecutionRole",
    "AWSControlTowerExecution",
    "aws-controltower-AdministratorExecutionRole",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_well_known_role_gets_the_right_advice_and_stays_a_finding(name: str) -> None:
    answer = run(role(trust(allow(ROOT)), name))
    assert answer.roles[0].exposure == "unguarded"
    assert f"if {A} is " in answer.roles[0].advice
    assert f"--own-accounts {A}" in answer.roles[0].advice
    result = next(finding for finding in answer.findings if finding.check == "T1")
    assert f"--own-accounts {A}; if not, require an ExternalId" in result.fix
    assert run(role(trust(allow(ROOT)), name), scope=Scope(own=frozenset({A}))).findings == ()
    assert answer.roles[0].advice not in run(role(trust(allow(ROOT)), "partner")).findings[0].fix


def test_a_role_of_identity_center_with_another_accounts_provider_gets_advice() -> None:
    provider = {"Federated": f"arn:aws:iam::{A}:saml-provider/AWSSSO_0_DO_NOT_DELETE"}
    text = trust(allow(provider, action="sts:AssumeRoleWithSAML"))
    answer = run(role(text, "AWSReservedSSO_Admin_0123456789abcdef", path="/aws-reserved/sso.amazonaws.com/"))
    assert f"--own-accounts {A}" in answer.roles[0].advice


@pytest.mark.parametrize(
    ("name", "principal"), [("partner", ROOT), (NAMES[0], "*"), (NAMES[0], OWN), ("stacksets-executive", ROOT)]
)
def test_no_advice_without_a_well_known_name_and_an_account(name: str, principal: str) -> None:
    assert run(role(trust(allow(principal)), name)).roles[0].advice == ""


def test_the_list_of_known_accounts_is_whole_and_dated() -> None:
    known = known_accounts()
    assert len(known) > 450
    assert all(map(is_account, known))
    assert all(known.values())
    assert known["464622532012"] == "Datadog"
    page = (Path(__file__).parents[3] / "docs" / "auditing.md").read_text()
    assert f"as of {known_accounts_date()}" in page
