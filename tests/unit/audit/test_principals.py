"""An entry of a Principal element that cannot be read: nobody is overlooked by it, and it is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.audit.odd import STRANGE
from tests.unit.audit.roles import BOTH, BY_MFA, NOW, OTHER, OWN, ROOT, A, allow, trust

from valetkey.audit import Scope
from valetkey.audit.subjects import TrustVerdict
from valetkey.audit.trusts import judge
from valetkey.cli._run import run as command
from valetkey.policy import Origin

Capture = pytest.CaptureFixture[str]


def judged(*statements: Any, scope: Scope | None = None) -> TrustVerdict:
    text = trust(*statements)
    return judge(text, origin=Origin.SENT, account=OWN, partition="aws", scope=scope or Scope(), now=NOW)


def said(verdict: TrustVerdict) -> set[str]:
    return {check for check, _ in verdict.hits}


@pytest.mark.parametrize(("kind", "value"), STRANGE)
def test_beside_the_own_account_it_is_never_internal(kind: str, value: Any) -> None:
    for principal in ({kind: value}, {"AWS": OWN, kind: value} if kind != "AWS" else {"AWS": [OWN, value]}):
        verdict = judged({**allow(OWN), "Principal": principal})
        assert verdict.exposure in ("unknown", "unguarded"), principal
        assert said(verdict) & {"T18", "unknown"}
    apart = judged(allow(OWN), {**allow(OWN), "Principal": {kind: value}})
    assert apart.exposure in ("unknown", "unguarded")


@pytest.mark.parametrize(("kind", "value"), STRANGE)
def test_in_a_deny_it_shuts_nobody_out(kind: str, value: Any) -> None:
    denied = {"Effect": "Deny", "Principal": {kind: value}, "Action": "sts:AssumeRole"}
    verdict = judged(allow(ROOT), denied)
    assert verdict.exposure == "unguarded"
    assert [(outsider.kind, outsider.name) for outsider in verdict.found.outsiders] == [("account", A)]
    assert "T18" in said(verdict)


@pytest.mark.parametrize(
    ("kind", "value", "names"),
    [
        ("AWS", f" {A}", {A}),
        ("AWS", f"arn:aws:iam:{A}:root", {A}),
        ("AWS", f"arn:aws:iam::{A}:user/bob ", {A}),
        ("AWS", f"arn:asw:iam::{A}:root", {A}),
        ("AWS", f"{A}, 333333333333", {A, "333333333333"}),
    ],
)
def test_an_account_that_can_be_seen_in_it_is_an_outsider(kind: str, value: str, names: set[str]) -> None:
    verdict = judged({**allow(OWN), "Principal": {kind: value}})
    assert verdict.exposure == "unguarded"
    assert {outsider.name for outsider in verdict.found.outsiders} == names


def test_the_others_keep_what_was_found_of_them() -> None:
    open_ = judged(allow(OTHER), {**allow(OWN), "Principal": {"Service": "*"}})
    assert open_.exposure == "unguarded"
    assert {"T1", "T18", "unknown"} <= said(open_)
    guarded = judged(allow(OTHER, BOTH), {**allow(OWN), "Principal": {"CanonicalUser": "a" * 64}})
    assert guarded.exposure == "unknown"
    assert [(outsider.name, outsider.guarded) for outsider in guarded.found.outsiders] == [("333333333333", True)]
    mfa = judged(allow(OTHER, BY_MFA), {**allow(OWN), "Principal": {"Service": "ec2"}})
    assert "T2" in said(mfa)


def test_the_place_of_the_next_entry_does_not_shift() -> None:
    verdict = judged(allow(["", "x", f"arn:aws:iam::{A}:role/*"]))
    places = [hit.where for check, hit in verdict.hits if check == "T18"]
    assert places == [f"$.Statement[0].Principal.AWS[{index}]" for index in range(3)]


NO_PRINCIPAL: tuple[Any, ...] = (
    {},
    {"Principal": None},
    {"Principal": ""},
    {"Principal": []},
    {"Principal": 5},
    {"Principal": "nobody"},
    {"Principals": {"AWS": A}},
)


@pytest.mark.parametrize("given", NO_PRINCIPAL)
def test_an_allow_that_does_not_say_whom_is_not_passed_over(given: Any) -> None:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", **given}
    assert judged(allow(OWN), statement).exposure == "unknown"
    # Alone, and not in a list.
    text = json.dumps({"Version": "2012-10-17", "Statement": statement})
    alone = judge(text, origin=Origin.SENT, account=OWN, partition="aws", scope=Scope(), now=NOW)
    assert alone.exposure == "unknown"
    assert judged(allow(ROOT), {**statement, "Effect": "Deny"}).exposure == "unguarded"


@pytest.mark.parametrize(
    "statement",
    [
        {"Principal": {"AWS": A}, "Action": "sts:AssumeRole"},
        {"Effect": "Permit", "Principal": {"AWS": A}, "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Principal": {"AWS": A}},
        {"Effect": "Allow", "Principal": {"AWS": A}, "Action": "sts:AssumeRole "},
        "text",
    ],
)
def test_a_statement_that_cannot_be_read_is_not_passed_over(statement: Any) -> None:
    assert judged(allow(OWN), statement).exposure == "unknown"


def test_an_action_that_cannot_be_read_is_any() -> None:
    assert judged({**allow(A), "Action": ["sts:TagSession", "sts:AssumeRole "]}).exposure == "unguarded"
    assert judged({**allow(OWN), "Action": ["sts:AssumeRole", "s3:GetObject"]}).exposure == "internal"


@pytest.mark.parametrize("more", [{}, {"Principal": {"AWS": OWN}}])
@pytest.mark.parametrize("named", [{"AWS": A}, {"AWS": ""}, {"Service": "*"}, "x"])
def test_not_principal_is_everybody(named: Any, more: Any) -> None:
    verdict = judged({"Effect": "Allow", "NotPrincipal": named, "Action": "sts:AssumeRole", **more})
    assert verdict.exposure == "unguarded"
    assert {"T4", "T18"} <= said(verdict)
    denied = judged(allow(ROOT), {"Effect": "Deny", "NotPrincipal": named, "Action": "sts:AssumeRole", **more})
    assert denied.exposure == "unguarded"
    assert "T18" in said(denied)


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_a_bare_star_is_an_error_of_its_own_and_changes_no_exposure(effect: str) -> None:
    bare = judged(allow(ROOT, BOTH), {**allow("*", BOTH), "Effect": effect})
    proper = judged(allow(ROOT, BOTH), {**allow({"AWS": "*"}, BOTH), "Effect": effect})
    assert bare.exposure == proper.exposure
    assert {o.name for o in bare.found.outsiders} == {o.name for o in proper.found.outsiders}
    assert "T18" not in said(proper)
    (hit,) = [hit for check, hit in bare.hits if check == "T18"]
    assert "Access Analyzer" in hit.text
    assert hit.where == "$.Statement[1].Principal"


@pytest.mark.parametrize("form", ["table", "json", "sarif", "html"])
@pytest.mark.parametrize(("kind", "value"), [("AWS", " 111111111111"), ("Service", "*"), ("CanonicalUser", "a" * 64)])
def test_every_format_says_it_and_the_exit_code_is_1(
    form: str, kind: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    statements = [allow(ROOT, BOTH), {**allow(OWN), "Principal": {kind: value}}]
    (tmp_path / "trust.json").write_text(trust(*statements))
    assert command(["audit", "trust.json", "--owner", OWN, "--fail-on", "critical", "--format", form]) == 1
    out = "".join(capsys.readouterr().out.split()).replace("&#39;", "'").replace("│", "")
    assert "notdecided:statement2names" in out
    assert f"'{value.strip()[:20]}" in out or f"'{value[:20].replace(' ', '')}" in out
    if form == "json":
        assert '"exposure":"unknown"' in out
