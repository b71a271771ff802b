"""A unique id in Principal: a live user or role of any account until IAM has read the document, a deleted one after."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.audit.roles import BOTH, BY_ID, NOW, OWN, ROOT, A, account, allow, checks, deny, role, trust
from tests.unit.audit.test_records import TERMS, granted
from tests.unit.cli.test_audit import dump

from valetkey.account import read_files
from valetkey.account.values import Account, Role
from valetkey.audit import Audit, Scope, audit
from valetkey.cli._run import run as command
from valetkey.policy import Origin
from valetkey.trust import write_trust

IDS = ("AROAQAAAAAAAAAAAAAAAA", "AIDAQAAAAAAAAAAAAAAAA")
ORG = "aws:PrincipalOrgID"
HOME = "aws:PrincipalAccount"
Capture = pytest.CaptureFixture[str]


def _template(text: str) -> Any:
    return {
        "Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": json.loads(text)}}}
    }


def _yaml(text: str) -> str:
    inner = json.dumps(json.loads(text))
    return f"Resources:\n  R:\n    Type: AWS::IAM::Role\n    Properties:\n      AssumeRolePolicyDocument: {inner}\n"


def _values(text: str) -> Any:
    role = {"name": "r", "assume_role_policy": text}
    resource = {"address": "aws_iam_role.r", "mode": "managed", "type": "aws_iam_role", "values": role}
    return {"root_module": {"resources": [resource]}}


def _plan(text: str) -> Any:
    return {"format_version": "1.2", "terraform_version": "1.9.0", "planned_values": _values(text)}


def _state(text: str) -> Any:
    return {"format_version": "1.0", "terraform_version": "1.9.0", "values": _values(text)}


def _listed(text: str) -> Any:
    return {"Roles": dump(r=text)["RoleDetailList"]}


SENT: dict[str, Callable[[str], Any]] = {
    "template": _template,
    "YAML": _yaml,
    "plan": _plan,
    "state": _state,
    "trust policy": json.loads,
}
RETURNED: dict[str, Callable[[str], Any]] = {"details": lambda text: dump(r=text), "list-roles": _listed}


def _read(*values: Any) -> Account:
    files = {f"file{n}": value if isinstance(value, str) else json.dumps(value) for n, value in enumerate(values)}
    return read_files(list(files), read=lambda name: files[name].encode(), owner=OWN)


def _audit(*values: Any, scope: Scope | None = None) -> Audit:
    return audit(_read(*values), scope=scope or Scope(), now=NOW)


@pytest.mark.parametrize("id_", IDS)
@pytest.mark.parametrize("reader", SENT)
def test_in_a_document_to_be_sent_it_is_an_outsider_who_gets_in(reader: str, id_: str) -> None:
    answer = _audit(SENT[reader](trust(allow(id_))))
    assert [item.origin for item in _read(SENT[reader](trust(allow(id_)))).roles] == [Origin.SENT]
    (judged,) = answer.roles
    assert judged.exposure == "unguarded"
    assert [(outsider.kind, outsider.name) for outsider in judged.outsiders] == [("unique id", id_)]
    assert judged.outsiders[0].witness.keys["aws:userid"].split(":")[0] == id_  # type: ignore[union-attr]
    assert {"T1", "T20", "T28"} <= checks(answer)
    assert not {"T13", "T14"} & checks(answer)
    (said,) = [finding for finding in answer.findings if finding.check == "T28"]
    assert id_ in said.text
    assert "IAM resolves it when the document is saved" in said.text
    assert answer.failing("medium")


@pytest.mark.parametrize("id_", IDS)
@pytest.mark.parametrize("reader", RETURNED)
def test_in_a_document_that_iam_returned_nobody_is_behind_it(reader: str, id_: str) -> None:
    answer = _audit(RETURNED[reader](trust(allow(id_))))
    (judged,) = answer.roles
    assert judged.exposure == "unreachable"
    assert judged.outsiders == ()
    assert {"T13", "T14"} <= checks(answer)
    assert "T28" not in checks(answer)


def test_a_role_cannot_be_made_without_saying_which() -> None:
    given = {item.name: getattr(role("{}"), item.name) for item in dataclasses.fields(Role) if item.name != "origin"}
    with pytest.raises(TypeError, match="origin"):
        Role(**given)


def test_one_text_from_both_is_judged_twice() -> None:
    text = trust(allow(IDS[0]))
    answer = _audit(dump(r=text), _template(text))
    assert sorted(item.exposure for item in answer.roles) == ["unguarded", "unreachable"]


@pytest.mark.parametrize(
    ("statements", "exposure", "outsiders"),
    [
        ([allow(IDS[0], BOTH)], "guarded", [("unique id", IDS[0])]),
        ([allow(IDS[0], BY_ID)], "guarded", [("unique id", IDS[0])]),
        ([allow(IDS[1]), allow(ROOT, BOTH)], "unguarded", [("unique id", IDS[1]), ("account", A)]),
        ([allow(list(IDS))], "unguarded", [("unique id", IDS[0]), ("unique id", IDS[1])]),
        # A condition that says of which account it must be.
        ([allow(IDS[0], {"StringEquals": {HOME: OWN}})], "internal", []),
        ([allow(IDS[0], {"StringEquals": {HOME: "${aws:ResourceAccount}"}})], "internal", []),
        ([allow(IDS[0], {"StringEquals": {HOME: A}})], "unguarded", [("account", A)]),
        ([allow(IDS[0], {"StringEquals": {ORG: "o-ourown1234"}})], "internal", []),
        # What can let nobody in lets nobody in by an id either.
        ([allow(IDS[0], {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}})], "unreachable", []),
        ([allow(IDS[0]), deny(None, "*")], "unreachable", []),
    ],
)
def test_its_conditions_count(statements: list[Any], exposure: str, outsiders: list[Any]) -> None:
    text = trust(*({k: v for k, v in statement.items() if v is not None} for statement in statements))
    (judged,) = _audit(_template(text), scope=Scope(org_id="o-ourown1234")).roles
    assert (judged.exposure, sorted((outsider.kind, outsider.name) for outsider in judged.outsiders)) == (
        exposure,
        sorted(outsiders),
    )


def test_in_a_deny_it_shuts_out_nobody_else_and_is_said() -> None:
    text = trust(allow(ROOT), {**allow(IDS[0]), "Effect": "Deny"})
    answer = _audit(_template(text))
    assert answer.roles[0].exposure == "unguarded"
    assert "T28" in checks(answer)


@pytest.mark.parametrize("form", ["table", "json", "sarif", "html"])
def test_every_format_says_it_and_the_command_fails(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.json").write_text(json.dumps(_template(trust(allow(IDS[0])))))
    assert command(["audit", "app.json", "--owner", OWN, "--format", form]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert IDS[0] in out
    assert "resolves it" in out


def test_a_template_of_a_grant_with_an_id_has_no_deleted_principal() -> None:
    pinned = dataclasses.replace(TERMS, only=(), pin=TERMS.only)
    written = json.dumps(write_trust(pinned)).replace(TERMS.only[0], IDS[1])
    made = dataclasses.replace(granted(pinned), trust=written)
    for origin, word in ((Origin.RETURNED, "deleted"), (Origin.SENT, "not in a form that valetkey writes")):
        answer = audit(account(dataclasses.replace(made, origin=origin)), scope=Scope(), now=NOW)
        (drift,) = [finding for finding in answer.findings if finding.check == "T26"]
        assert word in drift.text
