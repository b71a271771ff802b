"""`valetkey decide`, run in this process."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from valetkey.cli._run import run

BOB, ROLE = "arn:aws:iam::222222222222:user/bob", "arn:aws:iam::111111111111:role/door"
REQUEST = {"principal": BOB, "action": "sts:AssumeRole", "resource": ROLE, "context": {"sts:ExternalId": "x-1"}}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "222222222222"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "x-1"}},
        }
    ],
}
OWN = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:*", "Resource": "*"}]}
GOOD = {"request": REQUEST, "trust": TRUST, "identity": OWN}
LESS = {"request": REQUEST | {"context": {}}, "trust": TRUST}


class Stdin:
    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


def lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *given: Any) -> tuple[int, list[Any]]:
    data = b"".join((item if isinstance(item, bytes) else json.dumps(item).encode()) + b"\n" for item in given)
    monkeypatch.setattr(sys, "stdin", Stdin(data))
    code = run(["decide", "-", "--lines"])
    out = capsys.readouterr()
    assert out.err == ""
    return code, [json.loads(line) for line in out.out.splitlines()]


@pytest.mark.parametrize(("question", "code", "outcome"), [(GOOD, 0, "allowed"), (LESS, 1, "implicit_deny")])
def test_one_file(question: Any, code: int, outcome: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "question.json"
    path.write_text(json.dumps(question))
    assert run(["decide", str(path)]) == code
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) == {"outcome", "allowed", "action", "reason", "note", "decided_by", "rests_on"}
    assert answer["outcome"] == outcome
    assert answer["allowed"] is (code == 0)
    assert answer["reason"]
    assert answer["decided_by"][0]["policy"] == "trust"
    assert answer["decided_by"][0]["statement"] == 1
    assert (
        answer["decided_by"][0]["tests"][0]["where"] == "$.trust.Statement[0].Condition.StringEquals['sts:ExternalId']"
    )


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(json.dumps(GOOD).encode()))
    assert run(["decide", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["allowed"] is True


@pytest.mark.parametrize(
    ("question", "where"),
    [
        ({}, "$"),
        ([], "$"),
        ({"request": REQUEST, "trusts": TRUST}, "$.trusts"),
        ({"request": []}, "$.request"),
        ({"request": {"action": "sts:AssumeRole"}}, "$.request"),
        ({"request": REQUEST | {"actions": []}}, "$.request.actions"),
        ({"request": REQUEST | {"principal": "bob"}}, "$.request.principal"),
        ({"request": REQUEST | {"action": "x"}}, "$.request.action"),
        ({"request": REQUEST | {"context": {"aws:x": True}}}, "$.request.context['aws:x']"),
        ({"request": REQUEST | {"context": {"aws:x": {}}}}, "$.request.context['aws:x']"),
        ({"request": REQUEST | {"context": []}}, "$.request.context"),
        ({"request": REQUEST, "trust": OWN}, "$.trust.Statement[0].Resource"),
        ({"request": REQUEST, "trust": json.dumps(OWN)}, "$.trust.Statement[0].Resource"),
        ({"request": REQUEST, "identity": [OWN, {}]}, "$.identity[1]"),
        ({"request": REQUEST, "scps": OWN}, "$.scps"),
        ({"request": REQUEST, "scps": [[OWN], ["{"]]}, "$.scps[1][0]"),
    ],
)
def test_bad_input(question: Any, where: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "question.json"
    path.write_text(json.dumps(question))
    assert run(["decide", str(path)]) == 2
    out = capsys.readouterr()
    assert out.out == ""
    assert f"at: {where}\n" in out.err
    assert "do: " in out.err


def test_a_key_given_twice_is_bad_input_wherever_it_stands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "question.json"
    path.write_text(
        json.dumps(GOOD).replace('"Effect": "Allow", "Principal"', '"Effect": "Deny", "Effect": "Allow", "Principal"')
    )
    assert run(["decide", str(path)]) == 2
    assert "$.trust.Statement[0].Effect" in capsys.readouterr().err


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["decide", str(tmp_path / "no.json")]) == 2
    assert run(["decide", str(tmp_path)]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_lines_answer_each_line_and_go_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    bad = {"request": REQUEST | {"principal": "bob"}}
    code, answers = lines(monkeypatch, capsys, GOOD, bad, b"nonsense", b"\xff", b"", b"[" * 50_000, LESS)
    assert code == 2
    assert [answer.get("outcome") for answer in answers] == ["allowed", None, None, None, None, "implicit_deny"]
    for answer in answers[1:5]:
        assert set(answer["error"]) == {"what", "where", "do", "likely", "exit_code"}
        assert all(answer["error"][item] for item in ("what", "where", "do"))
        assert answer["error"]["exit_code"] == 2
    assert answers[1]["error"]["where"] == "$.request.principal"


def test_the_code_of_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert lines(monkeypatch, capsys, GOOD, GOOD)[0] == 0
    assert lines(monkeypatch, capsys, LESS, GOOD)[0] == 1
    assert lines(monkeypatch, capsys)[0] == 0


def test_a_line_without_end_is_one_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, answers = lines(monkeypatch, capsys, b"a" * 9_000_000, GOOD)
    assert code == 2
    assert len(answers) == 2
    assert "error" in answers[0]
    assert answers[1]["allowed"]


def test_every_side_can_be_given(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    fence = {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:*", "Resource": "*"}]}
    full = {"boundary": OWN, "session": json.dumps(OWN), "scps": [[OWN], [OWN]], "rcps": [], "resource": None}
    _, answers = lines(
        monkeypatch,
        capsys,
        GOOD | full,
        GOOD | full | {"identity": [OWN, OWN]},
        GOOD | full | {"identity": []},
        GOOD | full | {"rcps": [[fence]]},
        GOOD | full | {"scps": [[OWN], []]},
        GOOD
        | {"request": REQUEST | {"action": ["sts:AssumeRole", "sts:TagSession"], "resource_account": "111111111111"}},
    )
    assert [answer["outcome"] for answer in answers] == [
        "allowed", "allowed", "implicit_deny", "explicit_deny", "implicit_deny", "implicit_deny",
    ]  # fmt: skip
    assert answers[3]["decided_by"][0]["policy"] == "rcp"
    assert answers[5]["action"] == "sts:TagSession"


@pytest.mark.parametrize(
    ("principal", "action", "said"),
    [
        ("arn:aws:iam::222222222222:root", "sts:AssumeRole", "the root user"),
        ("arn:aws:iam::222222222222:root", ["sts:TagSession", "sts:AssumeRole"], "the root user"),
        ("arn:aws:sts::222222222222:federated-user/bob", "sts:assumerole", "GetFederationToken"),
        ("arn:aws:iam::222222222222:root", "sts:GetCallerIdentity", None),
        ("arn:aws:iam::222222222222:user/bob", "sts:AssumeRole", None),
        ("arn:aws:sts::222222222222:assumed-role/a/b", "sts:AssumeRole", None),
    ],
)
def test_what_sts_refuses_is_said(
    principal: str,
    action: Any,
    said: str | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    question = json.loads(json.dumps(GOOD))
    question["request"] |= {"principal": principal, "action": action}
    question["trust"]["Statement"][0] |= {"Principal": "*", "Action": "sts:*"}
    path = tmp_path / "question.json"
    path.write_text(json.dumps(question))
    assert run(["decide", str(path)]) == 0  # the policies allow it
    answer = json.loads(capsys.readouterr().out)
    if said is None:
        assert answer["note"] is None
        assert "STS" not in answer["reason"]
    else:
        assert said in answer["note"]
        assert answer["reason"].endswith(answer["note"])


def test_the_example_in_the_documentation(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "decide.md"
    question, answer, *_ = [block.split("```")[0] for block in page.read_text().split("```json\n")[1:]]
    assert lines(monkeypatch, capsys, json.loads(question)) == (1, [json.loads(answer)])
