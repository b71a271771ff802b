"""`can` and `show --permissions`, `--from-use`: words, formats, exit codes, and the calls that they make."""

from __future__ import annotations

import json
import pathlib
from datetime import UTC, datetime, timedelta
from typing import Any

import fastjsonschema
import pytest
from tests.trails.records import Maker, trail
from tests.unit.grants.fake_iam import FakeIam
from tests.unit.grants.test_effective import Advisor
from tests.unit.grants.test_permissions_page import listed
from tools.schemas import TARGET

from valetkey.account.calls import Call, CallError
from valetkey.cli._options import OwnerAccount
from valetkey.cli._run import run
from valetkey.grants.grant import Grant
from valetkey.grants.plan import plan
from valetkey.grants.waiting import Waiting
from valetkey.trust import Terms

OFFICE = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
MORE = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*", "Condition": OFFICE},
        {"Effect": "Allow", "Action": ["ec2:Describe*", "iam:ListUsers", "s3:ListBucket"], "Resource": "*"},
    ],
}


@pytest.fixture
def iam(monkeypatch: pytest.MonkeyPatch) -> FakeIam:
    """An account with two grants, `audit` and `other`."""
    advisor = Advisor("111111111111")
    for name, inline in (("audit", MORE), ("other", {**MORE, "Statement": MORE["Statement"][1:]})):
        terms = Terms(contractor="222222222222", external_id="an-external-id", until=datetime.now(UTC).replace(
            microsecond=0) + timedelta(days=30))  # fmt: skip
        grant = Grant(name=name, account="111111111111", terms=terms, managed=(), inline=(("policy-more", inline),))
        for call in plan(grant, None):
            advisor(call)
    monkeypatch.setattr(OwnerAccount, "connect", lambda self: advisor)
    monkeypatch.setattr("valetkey.cli._owning.waiting", lambda: Waiting(clock=lambda: 0.0, sleep=lambda _: None))
    return advisor


def said(capsys: pytest.CaptureFixture[str], schema: str, *words: str, code: int = 0) -> Any:
    assert run([*words, "--json"]) == code
    value = json.loads(capsys.readouterr().out)
    fastjsonschema.compile(json.loads((TARGET / f"{schema}.json").read_text()))(value)
    return value


def test_can_says_yes_no_and_on_what_it_depends(iam: FakeIam, capsys: pytest.CaptureFixture[str]) -> None:
    seen: set[str] = set()
    iam.before = lambda call: seen.add(call.action)
    answer = said(capsys, "can", "can", "audit", "iam:ListUsers")
    assert (answer["verdict"], answer["listed"]) == ("allowed", True)
    assert answer["allowed"]["decided_by"][0]["policy"] == "policy-more"
    assert seen - {"sts:GetCallerIdentity"} <= listed("can")
    assert said(capsys, "can", "can", "audit", "iam:CreateUser", code=1)["verdict"] == "denied"
    asked = ("can", "audit", "s3:GetObject", "arn:aws:s3:::data/x")
    assert said(capsys, "can", *asked, code=1)["depends_on"] == ["aws:SourceIp"]
    assert said(capsys, "can", *asked, "--context", "aws:SourceIp=192.0.2.7")["verdict"] == "allowed"
    assert run(list(asked)) == 1
    out = capsys.readouterr().out
    for words in ("it depends: audit s3:GetObject", "depends on aws:SourceIp", "with aws:SourceIp = 192.0.2.", "SCPs"):
        assert words in out
    assert run(["can", "audit", "iam:ListUsers"]) == 0
    out = capsys.readouterr().out
    assert "yes: audit iam:ListUsers" in out
    assert "the end of the grant" in out
    assert run(["can", "audit", "iam:ListUzers"]) == 1
    assert "AWS lists no action iam:ListUzers" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ("can", "audit", "s3:*"),
        ("can", "audit", "s3:GetObject", "bucket"),
        ("can", "audit", "s3:GetObject", "--context", "aws:SourceIp"),
        ("can", "audit", "s3:GetObject", "--context", "aws:x=1", "--context", "AWS:X=2"),
        ("can", "nobody", "s3:GetObject"),
        ("show", "audit", "--from", "folder"),
        ("show", "audit", "--compare", "other"),
        ("show", "audit", "--permissions", "--from-use"),
    ],
)
def test_wrong_use_is_refused(iam: FakeIam, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(list(words)) == 2
    assert capsys.readouterr().err


def test_permissions_are_shown_and_compared(
    iam: FakeIam, capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path
) -> None:
    result = said(capsys, "permissions", "show", "audit", "--permissions")
    assert result["services"]["s3"] == {"list": ["s3:ListBucket"], "read data": ["s3:GetObject"]}
    assert result["covers"]["holds"]
    assert result["exact"]["holds"]
    assert run(["show", "audit", "--permissions"]) == 0
    assert "Proved: it allows exactly" in capsys.readouterr().out
    against = said(capsys, "permissions", "show", "audit", "--permissions", "--compare", "other")["compared"]
    assert against["relation"] == "more"
    assert against["only_one"] == {"s3": {"read data": ["s3:GetObject"]}}
    file = tmp_path / "wide.json"
    file.write_text(json.dumps({"Version": "2012-10-17", "Statement": {**MORE["Statement"][1], "Action": "*"}}))
    assert run(["show", "audit", "--permissions", "--compare", str(file)]) == 0
    assert "allows nothing that" in capsys.readouterr().out
    seen: set[str] = set()
    iam.before = lambda call: seen.add(call.action)
    by_name = said(capsys, "permissions", "show", "audit", "--permissions", "--compare", "Batch")
    assert by_name["compared"]["relation"] == "neither"
    assert seen - {"sts:GetCallerIdentity"} <= listed("show --permissions")


def test_what_was_not_read_fails(iam: FakeIam, capsys: pytest.CaptureFixture[str]) -> None:
    iam.roles["audit"]["managed"].append("arn:aws:iam::aws:policy/SecurityAudit")

    def refuse(call: Call) -> None:
        if call.operation == "get_policy":
            raise CallError(call, "AccessDenied", "not authorized")

    iam.before = refuse
    result = said(capsys, "permissions", "show", "audit", "--permissions", code=1)
    assert "SecurityAudit" in result["unread"][0]
    assert said(capsys, "can", "can", "audit", "iam:ListUsers", code=1)["verdict"] == "unknown"
    assert run(["show", "audit", "--from-use"]) == 1


def test_a_smaller_policy_from_service_last_accessed(iam: Advisor, capsys: pytest.CaptureFixture[str]) -> None:
    role = "arn:aws:iam::111111111111:role/audit"
    iam.services = ({"ServiceNamespace": "ec2", "LastAuthenticated": datetime.now(UTC)},)
    seen: set[str] = set()
    iam.before = lambda call: seen.add(call.action)
    result = said(capsys, "from-use", "show", "audit", "--from-use")
    assert result["role_arn"] == role
    assert result["policy"]["Statement"] == [{"Effect": "Allow", "Action": ["ec2:Describe*"], "Resource": ["*"]}]
    assert result["lost"] == {"iam": {"list": ["iam:ListUsers"]}, "s3": {
        "list": ["s3:ListBucket"], "read data": ["s3:GetObject"]}}  # fmt: skip
    assert result["smaller"]["holds"]
    assert {item["action"] for item in result["rest"]["beyond"]} >= {"iam:ListUsers"}
    assert seen - {"sts:GetCallerIdentity"} <= listed("show --from-use")
    assert run(["show", "audit", "--from-use"]) == 0
    out = capsys.readouterr().out
    for words in (
        "What would be lost",
        "Proved: it allows nothing",
        "valetkey change audit --policy",
        "denied attempts",
    ):
        assert words in out


def test_a_smaller_policy_from_a_trail_counts_no_denied_call(
    iam: FakeIam, capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path
) -> None:
    maker = Maker("111111111111", "222222222222")
    at = datetime(2026, 11, 3, 10, tzinfo=UTC)
    who = maker.identity("carol", at, "ASIAEXAMPLEEXAMPLE12")
    records = [
        maker.record(at + timedelta(minutes=1), "iam", "ListUsers", who),
        maker.record(
            at + timedelta(minutes=2), "ec2", "DescribeInstances", who, errorCode="Client.UnauthorizedOperation"
        ),
    ]
    (tmp_path / "events.json").write_bytes(trail(records))
    result = said(capsys, "from-use", "show", "audit", "--from-use", "--from", str(tmp_path))
    assert result["used"] == ["iam:listusers"]
    assert result["policy"]["Statement"] == [{"Effect": "Allow", "Action": ["iam:ListUsers"], "Resource": ["*"]}]
    assert any("data events" in note for note in result["notes"])


def test_a_file_of_the_trail_that_is_not_read_is_named_and_ends_with_1(
    iam: FakeIam, capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path
) -> None:
    maker = Maker("111111111111", "222222222222")
    at = datetime(2026, 11, 3, 10, tzinfo=UTC)
    record = maker.record(at, "iam", "ListUsers", maker.identity("carol", at, "ASIAEXAMPLEEXAMPLE12"))
    (tmp_path / "events.json").write_bytes(trail([record]))
    (tmp_path / "cut.json").write_bytes(trail([record])[:-3])
    assert run(["show", "audit", "--from-use", "--from", str(tmp_path)]) == 1
    assert "cut.json is cut off" in capsys.readouterr().out


def test_evidence_says_what_cloudtrail_shows_of_the_grant(
    iam: FakeIam, capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path
) -> None:
    maker = Maker("111111111111", "222222222222")
    at = datetime(2026, 11, 3, 10, tzinfo=UTC)
    who = maker.identity("carol", at, "ASIAEXAMPLEEXAMPLE12")
    folder = tmp_path / "trail"
    folder.mkdir()
    denied = maker.record(at, "ec2", "DescribeInstances", who, errorCode="Client.UnauthorizedOperation")
    (folder / "events.json").write_bytes(trail([maker.record(at, "iam", "ListUsers", who), denied]))
    words = ["show", "audit", "--evidence", "--from", str(folder), "-o"]
    whole = run([*words, str(tmp_path / "first.json")])
    said = json.loads((tmp_path / "first.json").read_text())["activity"]
    assert "1 session by carol" in said[0]
    assert "1 action used, 0 changes, 1 denied" in said[0]
    assert any("data events" in item for item in said)
    (folder / "cut.json").write_bytes(trail([denied])[:-3])
    assert (whole, run([*words, str(tmp_path / "second.json")])) == (0, 1)
    assert any("cut.json is cut off" in item for item in json.loads((tmp_path / "second.json").read_text())["activity"])
