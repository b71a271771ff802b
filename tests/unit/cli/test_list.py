"""`list --check --from`: what CloudTrail shows of each grant, judged by its own terms; a folder, IAM in memory."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest
from tests.trails.records import Maker, trail
from tests.unit.grants.fake_iam import FakeIam
from tools.schemas import TARGET

from valetkey.account.calls import Call, CallError
from valetkey.cli._options import OwnerAccount
from valetkey.cli._run import run
from valetkey.grants.grant import Grant
from valetkey.grants.plan import plan
from valetkey.trust import Terms
from valetkey.trust.self_denies import SessionsDeny

OWNER, CONTRACTOR = "111111111111", "222222222222"
READS = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:List*", "Resource": "*"}}
FAR = datetime(2099, 1, 1, tzinfo=UTC)
AT = datetime(2026, 11, 3, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def iam(monkeypatch: pytest.MonkeyPatch) -> FakeIam:
    made = FakeIam(OWNER)
    monkeypatch.setattr(OwnerAccount, "connect", lambda self: made)
    return made


def grant(iam: FakeIam, name: str, **terms: Any) -> None:
    agreed = Terms(**{"contractor": CONTRACTOR, "external_id": f"id-of-{name}", "until": FAR, **terms})
    for call in plan(
        Grant(name=name, account=OWNER, terms=agreed, managed=(), inline=(("policy-reads", READS),)), None
    ):
        iam(call)
    iam.roles[name]["CreateDate"] = AT - timedelta(days=30)
    iam.roles[name]["RoleLastUsed"] = {"LastUsedDate": AT}


def found(folder: Path, capsys: Capture, code: int) -> dict[str, Any]:
    assert run(["list", "--check", "--from", str(folder), "--json"]) == code
    value: dict[str, Any] = json.loads(capsys.readouterr().out)
    fastjsonschema.compile(json.loads((TARGET / "grants.json").read_text()))(value)
    return value


def by_name(said: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in said["grants"]}


def write(folder: Path, records: list[dict[str, Any]], name: str = "events.json") -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(trail(records))


def session(name: str, *, at: datetime = AT, who: str = "carol", key: str = "ASIA1") -> tuple[Maker, dict[str, Any]]:
    maker = Maker(OWNER, CONTRACTOR, name=name, seed=len(name) * 1000 + ord(name[0]))
    return maker, maker.identity(who, at, key)


def test_what_breaks_the_terms_of_each_grant_is_found_and_denied_calls_are_counted_apart(
    iam: FakeIam, tmp_path: Path, capsys: Capture
) -> None:
    grant(iam, "quiet", only=(f"arn:aws:iam::{CONTRACTOR}:user/bob",))
    grant(iam, "named", only=(f"arn:aws:iam::{CONTRACTOR}:user/bob",))
    grant(iam, "ended", until=AT - timedelta(days=1))
    grant(iam, "plain")
    records = []
    for name in ("named", "ended", "plain"):
        maker, who = session(name, key=f"ASIA{name}")
        records += [
            maker.record(AT, "iam", "ListUsers", who),
            maker.record(AT + SECOND, "iam", "CreateUser", who, readOnly=False, errorCode="AccessDenied"),
            maker.record(AT + 2 * SECOND, "ec2", "DescribeVpcs", who, errorCode="Client.UnauthorizedOperation"),
        ]
    maker, who = session("quiet", who="bob", key="ASIAquiet")
    records.append(maker.record(AT, "iam", "ListUsers", who))
    write(tmp_path / "trail", records)
    said = found(tmp_path / "trail", capsys, 1)
    grants = by_name(said)
    assert grants["quiet"]["problems"] == grants["plain"]["problems"] == []
    assert {name: item["denied"] for name, item in grants.items()} == {"quiet": 0, "named": 2, "ended": 2, "plain": 2}
    [listed] = grants["named"]["problems"]
    assert "the session name carol is not on the grant's list (event " in listed
    late = grants["ended"]["problems"]
    assert late[0] == "has ended, and the role still exists"
    assert late[1].startswith("called after the end of the grant, 1 of 3 with success (event ")
    assert (said["not_read"], bool(said["unseen"])) == ([], True)
    assert run(["list", "--check", "--from", str(tmp_path / "trail")]) == 1
    out = capsys.readouterr().out
    for words in ("not on the grant's list", "denied", "What CloudTrail cannot show", "data events"):
        assert words in out
    assert "plain" not in out.partition("What CloudTrail")[0]


@pytest.mark.parametrize(
    ("source", "name", "words"),
    [
        ("iam", "CreateUser", "changed IAM: CreateUser"),
        ("iam", "UpdateAssumeRolePolicy", "changed who may assume a role: UpdateAssumeRolePolicy"),
        ("cloudtrail", "StopLogging", "changed CloudTrail: StopLogging"),
    ],
)
def test_changes_of_iam_trust_and_cloudtrail_are_found_and_an_attempt_is_not(
    iam: FakeIam, tmp_path: Path, capsys: Capture, source: str, name: str, words: str
) -> None:
    grant(iam, "audit")
    maker, who = session("audit")
    write(tmp_path / "tried", [maker.record(AT, source, name, who, readOnly=False, errorCode="AccessDenied")])
    assert by_name(found(tmp_path / "tried", capsys, 0))["audit"]["denied"] == 1
    write(tmp_path / "done", [maker.record(AT, source, name, who, readOnly=False)])
    [problem] = by_name(found(tmp_path / "done", capsys, 1))["audit"]["problems"]
    assert problem.startswith(f"{words} (event ")


def test_calls_while_suspended_entry_without_mfa_and_a_chain_out_are_found(
    iam: FakeIam, tmp_path: Path, capsys: Capture
) -> None:
    grant(iam, "audit", mfa=False, only=(f"arn:aws:iam::{CONTRACTOR}:user/carol",))
    iam.roles["audit"]["inline"]["valetkey-sessions"] = SessionsDeny(since=AT).document
    maker, who = session("audit")
    ours, theirs = maker.entry(AT, "carol", "ASIA1")
    out = f"arn:aws:iam::{CONTRACTOR}:role/elsewhere"
    chain = maker.record(AT + SECOND, "sts", "AssumeRole", who, requestParameters={"roleArn": out})
    write(tmp_path / "trail", [ours, theirs, chain])
    problems = by_name(found(tmp_path / "trail", capsys, 1))["audit"]["problems"]
    assert any(problem.startswith("entered without MFA (event ") for problem in problems), problems
    assert any(problem.startswith("called while the grant was suspended, 1 of 1 with success") for problem in problems)
    assert any(problem.startswith(f"assumed a role of another account: {out}") for problem in problems), problems


def test_the_last_use_is_the_later_of_both_and_what_a_role_of_before_did_is_not_its_use(
    iam: FakeIam, tmp_path: Path, capsys: Capture
) -> None:
    grant(iam, "audit")
    iam.roles["audit"]["RoleLastUsed"] = {}
    maker, who = session("audit")
    denied = maker.record(AT + SECOND, "iam", "CreateUser", who, errorCode="AccessDenied")
    write(tmp_path / "denied", [denied])
    assert by_name(found(tmp_path / "denied", capsys, 1))["audit"]["problems"] == ["was never used"]
    write(tmp_path / "used", [maker.record(AT, "iam", "ListUsers", who), denied])
    assert by_name(found(tmp_path / "used", capsys, 0))["audit"]["last_used"] == "2026-11-03T10:00:00Z"
    iam.roles["audit"]["CreateDate"] = AT + timedelta(days=1)
    again = by_name(found(tmp_path / "used", capsys, 1))["audit"]
    assert (again["problems"], again["denied"], again["last_used"]) == (["was never used"], 0, None)


def test_what_was_not_read_of_the_trail_is_said_and_ends_with_1(iam: FakeIam, tmp_path: Path, capsys: Capture) -> None:
    grant(iam, "audit")
    maker, who = session("audit")
    record = maker.record(AT, "iam", "ListUsers", who)
    write(tmp_path / "trail", [record])
    assert found(tmp_path / "trail", capsys, 0)["not_read"] == []
    (tmp_path / "trail" / "cut.json").write_bytes(trail([record])[:-3])
    said = found(tmp_path / "trail", capsys, 1)
    assert by_name(said)["audit"]["problems"] == []
    assert any("cut.json is cut off" in item for item in said["not_read"])
    assert run(["list", "--check", "--from", str(tmp_path / "trail")]) == 1
    captured = capsys.readouterr()
    assert "cut.json is cut off" in captured.err
    assert "Nothing was found" not in captured.out


def test_from_goes_with_check_and_a_list_without_it_says_nothing_of_a_trail(iam: FakeIam, capsys: Capture) -> None:
    grant(iam, "audit")
    assert run(["list", "--from", "lookup-events"]) == 2
    assert "--from goes with --check" in capsys.readouterr().err
    assert run(["list", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["grants"][0]["denied"], said["not_read"], said["unseen"]) == (None, [], [])


def test_a_bucket_that_may_not_be_read_is_an_error(iam: FakeIam, capsys: Capture) -> None:
    grant(iam, "audit")

    def refuse(call: Call) -> None:
        if call.service == "s3":
            raise CallError(call, "AccessDenied", "not authorized")

    iam.before = refuse
    assert run(["list", "--check", "--from", "s3://trail-of-owner"]) == 3
    assert "AccessDenied" in capsys.readouterr().err
