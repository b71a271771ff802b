"""What surrounds the checks: who is us, known accounts, the baseline, powers, thresholds."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.audit.roles import ADMIN, BOTH, LOOK, NOW, OTHER, OWN, ROOT, A, B, account, allow, role, run, trust

from valetkey.audit import Accepted, Scope, audit, own_accounts, read_baseline, read_known
from valetkey.audit.issuers import fixed
from valetkey.audit.workers import verdicts
from valetkey.catalog.shared_issuers import SHARED
from valetkey.errors import ValetkeyError

KNOWN = """
# a remark
- name: 'Vendor'
  source: ['https://vendor.example/docs']
  accounts: ['333333333333', '012345670123']
- name: 'Gone'
  source: 'https://gone.example'
  accounts: ['222222222222']
  enabled: false
- name: 'No accounts'
  source: []
"""


def test_known_accounts_are_read_with_their_sources() -> None:
    known = read_known(KNOWN, name="accounts.yaml")
    assert set(known) == {"333333333333", "012345670123"}
    assert known[B].name == "Vendor"
    assert known[B].sources == ("https://vendor.example/docs",)


@pytest.mark.parametrize("text", ["a: b", "- [", "- {accounts: []}", "- text", ""])
def test_what_is_no_list_of_known_accounts_is_refused(text: str) -> None:
    with pytest.raises(ValetkeyError) as caught:
        read_known(text, name="accounts.yaml")
    assert "accounts.yaml" in caught.value.where


def test_a_label_changes_nothing_but_the_label() -> None:
    known = read_known(KNOWN, name="k")
    plain, named = run(trust(allow(OTHER))), run(trust(allow(OTHER)), scope=Scope(known=known))
    assert named.roles[0].exposure == plain.roles[0].exposure == "unguarded"
    assert named.roles[0].outsiders[0].label == "Vendor"
    assert {finding.check for finding in plain.findings} - {finding.check for finding in named.findings} == {"T20"}


@pytest.mark.parametrize(
    "text",
    [
        f"{A},{B}",
        f"{A} {B}",
        f"# ours\n{A}  # one\n\n{B}\n",
        json.dumps([A, B]),
        json.dumps({"Accounts": [{"Id": A, "Name": "x"}, {"Id": B}]}),
    ],
)
def test_own_accounts_in_every_form(text: str) -> None:
    assert own_accounts(text, name="x") == {A, B}


@pytest.mark.parametrize("text", ["12345", f"{A},x", "[1]", "[", json.dumps({"Accounts": [{}]})])
def test_own_accounts_that_are_none(text: str) -> None:
    with pytest.raises(ValetkeyError):
        own_accounts(text, name="x")


def baseline(*entries: Any, **more: Any) -> str:
    return json.dumps({"valetkey": "baseline/v1", "accepted": list(entries), **more})


LINE = {"check": "T1", "role": f"arn:aws:iam::{OWN}:role/*", "reason": "OPS-1", "until": "2027-01-31"}


def test_a_baseline_accepts_for_a_time() -> None:
    accepted, unknown = read_baseline(baseline(LINE), name="b.json")
    assert unknown == ()
    assert accepted == (Accepted("T1", LINE["role"], "OPS-1", datetime(2027, 2, 1, tzinfo=UTC)),)
    answer = run(trust(allow(ROOT)), baseline=accepted)
    (result,) = [finding for finding in answer.findings if finding.check == "T1"]
    assert result.accepted == accepted[0]
    assert result not in answer.failing("info")
    assert answer.stale == ()


def test_what_has_ended_or_does_not_fit_accepts_nothing() -> None:
    ended = Accepted("T1", "*", "old", NOW)
    other_check = Accepted("T30", "*", "old", NOW + timedelta(days=1))
    other_role = Accepted("T1", f"arn:aws:iam::{OWN}:role/else", "old", NOW + timedelta(days=1))
    answer = run(trust(allow(ROOT)), baseline=(ended, other_check, other_role))
    assert all(finding.accepted is None for finding in answer.findings)
    assert answer.stale == (ended, other_check, other_role)
    assert "T1" in {finding.check for finding in answer.failing("high")}


def test_unknown_keys_of_a_baseline_are_reported() -> None:
    _, unknown = read_baseline(baseline({**LINE, "ticket": "x"}, note="y"), name="b")
    assert unknown == ("note", "accepted[0].ticket")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("{", "b"),
        ("[]", "b: $.valetkey"),
        (json.dumps({"valetkey": "baseline/v2", "accepted": []}), "b: $.valetkey"),
        (json.dumps({"valetkey": "baseline/v1"}), "b: $.accepted"),
        (baseline("x"), "b: $.accepted[0]"),
        (baseline({**LINE, "reason": " "}), "b: $.accepted[0]"),
        (baseline({key: value for key, value in LINE.items() if key != "until"}), "b: $.accepted[0]"),
        (baseline({**LINE, "until": "soon"}), "b: $.accepted[0].until"),
        (baseline({**LINE, "until": "2027-01-31T10:00:00"}), "b: $.accepted[0].until"),
        (baseline({**LINE, "check": "T99"}), "b: $.accepted[0].check"),
        ('{"valetkey": "baseline/v1", "valetkey": "x", "accepted": []}', "b"),
    ],
)
def test_a_baseline_that_cannot_be_used_says_where(text: str, where: str) -> None:
    with pytest.raises(ValetkeyError) as caught:
        read_baseline(text, name="b")
    assert caught.value.where == where
    assert caught.value.do


def test_thresholds() -> None:
    answer = run(trust(allow(ROOT)), trust(allow("*")))
    assert {finding.severity for finding in answer.failing("critical")} == {"critical"}
    assert {finding.severity for finding in answer.failing("high")} == {"critical", "high"}
    assert answer.failing("info") == answer.findings


def test_powers_are_told_from_the_surest_to_the_widest() -> None:
    own = f"arn:aws:iam::{OWN}:role/partner"
    itself = {"a": json.dumps({"Statement": {"Effect": "Allow", "Action": "iam:*Role*", "Resource": own}})}
    cases = {"admin": {"a": ADMIN}, "itself": itself, "look": {"a": LOOK}}
    powers = {
        name: run(role(trust(allow(ROOT, BOTH)), inline=inline)).roles[0].powers for name, inline in cases.items()
    }
    admin, changes, look = powers["admin"], powers["itself"], powers["look"]
    assert admin is not None
    assert changes is not None
    assert look is not None
    assert admin.admin
    assert not changes.admin
    assert "iam:UpdateAssumeRolePolicy" in [request.action for request in changes.itself]
    assert all(request.resource == own for request in changes.itself)
    assert (look.admin, look.itself, look.opening.escalations, look.opening.reads_data) == (False, (), (), ())
    assert look.opening.levels["List"] == 1


def test_a_policy_that_is_not_known_is_said() -> None:
    unknown = f"arn:aws:iam::{OWN}:policy/elsewhere"
    powers = run(role(trust(allow(ROOT, BOTH)), attached=(unknown,), boundary=unknown)).roles[0].powers
    assert powers is not None
    assert powers.unread == ("elsewhere", unknown)


def test_nobody_from_outside_no_powers() -> None:
    assert run(role(trust(allow(OWN)), inline={"a": ADMIN})).roles[0].powers is None


@pytest.mark.parametrize(
    ("host", "value", "right"),
    [
        ("token.actions.githubusercontent.com", "repo:acme/site:ref:refs/heads/main", True),
        ("token.actions.githubusercontent.com", "repo:acme/*", True),
        ("token.actions.githubusercontent.com", "repo:acme*", False),
        ("token.actions.githubusercontent.com", "repo:*/site:*", False),
        ("token.actions.githubusercontent.com", "repo:?cme/site", False),
        ("token.actions.githubusercontent.com", "*", False),
        ("token.actions.githubusercontent.com", "repository_owner:acme:*", True),
        ("token.actions.githubusercontent.com", "repository_owner:acme*", False),
        ("token.actions.githubusercontent.com", "environment:prod", False),
        ("gitlab.com", "project_path:acme/site:ref_type:branch:ref:main", True),
        ("gitlab.com", "project_path:acme*", False),
        ("app.terraform.io", "organization:acme:project:*", True),
        ("app.terraform.io", "organization:*:project:p", False),
        ("accounts.google.com", "112233445566778899001", True),
        ("accounts.google.com", "1122334455*", False),
        ("cognito-identity.amazonaws.com", "eu-west-1:0b9f4c9e-7f5d-4a2b-9a0a-6f1c2d3e4f50", True),
        ("cognito-identity.amazonaws.com", "eu-west-1:*", False),
    ],
)
def test_whose_subject_it_is(host: str, value: str, right: bool) -> None:
    assert fixed(SHARED[host].claims[0], value) is right


def test_on_two_cores_it_is_the_same() -> None:
    roles = [role(trust(allow(ROOT, BOTH), allow(f"arn:aws:iam::{B}:user/u{n}")), f"r{n}") for n in range(12)]
    scope = Scope(known=read_known(KNOWN, name="k"))
    there = account(*roles, role(None, "x"))
    told: list[tuple[int, int]] = []
    result = verdicts(there, scope=scope, now=NOW, cores=2, worth=2, progress=lambda done, of: told.append((done, of)))
    assert len(result) == 12
    assert told == [(12, 12)]

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("judged twice")

    assert audit(there, scope=scope, now=NOW, verdicts=result, who=never) == audit(there, scope=scope, now=NOW)


def test_few_documents_are_not_worth_a_process() -> None:
    there = account(*(role(trust(allow(ROOT, BOTH)), f"r{n}") for n in range(5000)))
    assert verdicts(there, scope=Scope(), now=NOW, cores=2) == {}
    assert verdicts(there, scope=Scope(), now=NOW, cores=1, worth=0) == {}


@pytest.mark.parametrize("text", ["[" * 100_000, '{"Accounts": 5}', '{"Accounts": {}}', "{}", "[5]"])
def test_accounts_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValetkeyError, match="ours"):
        own_accounts(text, name="ours")


@pytest.mark.parametrize("text", ["- " * 50_000, "[" * 100_000, "name: x", "- name: [x", "- {accounts: []}"])
def test_known_accounts_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValetkeyError, match="known"):
        read_known(text, name="known")
