"""`valetkey prove` and `valetkey who`, run in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from valetkey.cli._run import run

OWNER, THEM = "111111111111", "222222222222"
ID = "vk-3f9c2a77d1e04b6f"
ROOT = {"AWS": f"arn:aws:iam::{THEM}:root"}
WHOLE = {"StringEquals": {"sts:ExternalId": ID}, "Bool": {"aws:MultiFactorAuthPresent": "true"}}
TERMS = ["--to", THEM, "--external-id", ID]


def document(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(condition: Any = WHOLE, principal: Any = ROOT, action: Any = "sts:AssumeRole") -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Condition": condition}


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def file(value: Any, name: str = "trust.json") -> str:
        path = tmp_path / name
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return str(path)

    return file


def prove(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    code = run(["prove", "--owner", OWNER, *words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_what_holds_ends_with_0_and_shows_who_gets_in(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = prove(capsys, "--trust", write(document(allow())), *TERMS)
    assert (code, said["verdict"]) == (0, "holds")
    assert said["witness"]["principal"].startswith(f"arn:aws:iam::{THEM}:user/")
    assert said["assumed"]


@pytest.mark.parametrize(
    ("condition", "missing"),
    [
        ({**WHOLE, "Bool": {"aws:SecureTransport": "true"}}, "aws:MultiFactorAuthPresent"),
        ({"StringEquals": {"sts:ExternalId": ID}, "BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}, "Multi"),
        ({"StringEqualsIfExists": {"sts:ExternalId": ID}, "Bool": WHOLE["Bool"]}, "sts:ExternalId"),
        ({"StringLike": {"sts:ExternalId": f"{ID}*"}, "Bool": WHOLE["Bool"]}, "sts:ExternalId"),
    ],
)
def test_a_hole_ends_with_1_and_is_shown(
    write: Any, capsys: pytest.CaptureFixture[str], condition: Any, missing: str
) -> None:
    code, said = prove(capsys, "--trust", write(document(allow(condition))), *TERMS)
    assert (code, said["verdict"], said["statement"]) == (1, "violated", 1)
    assert missing in said["reference"]["reason"]
    assert said["decision"]["allowed"] is True


def test_a_counterexample_can_be_put_to_decide(write: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    trust = document(allow(WHOLE | {"Bool": {"aws:SecureTransport": "true"}}))
    code, said = prove(capsys, "--trust", write(trust), *TERMS, "--show-external-id")
    question = tmp_path / "question.json"
    question.write_text(json.dumps({"request": said["witness"], "trust": trust}))
    assert code == 1
    assert run(["decide", str(question)]) == 0


def test_new_within_old_both_ways(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    old = write(document(allow(), allow({}, action="sts:TagSession")), "old.json")
    new = write(document(allow()), "new.json")
    assert prove(capsys, "--trust", new, "--within", old)[0] == 0
    code, said = prove(capsys, "--trust", old, "--within", new)
    assert (code, said["witness"]["action"]) == (1, "sts:TagSession")


def test_an_external_id_is_masked_unless_asked_for(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    loose = write(document(allow({"StringEquals": {"sts:ExternalId": ID}})))
    for words in (["prove", "--owner", OWNER, *TERMS], ["who"]):
        for form in ([], ["--json"]):
            run([*words, "--trust", loose, *form])
            out = capsys.readouterr()
            assert ID not in out.out + out.err
            run([*words, "--trust", loose, *form, "--show-external-id"])
            assert ID in capsys.readouterr().out


def test_a_policy_that_admits_nobody_holds_and_says_so(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    past = allow({**WHOLE, "DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}})
    file = write(document(past))
    assert run(["prove", "--owner", OWNER, "--trust", file, *TERMS]) == 0
    assert "It admits nobody." in capsys.readouterr().out
    assert run(["who", "--trust", file]) == 0
    assert "admits nobody" in capsys.readouterr().out


def test_what_is_not_decided_ends_with_1(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    mixed = {"StringLike": {"aws:SourceIp": "10.*"}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    file = write(document(allow({**WHOLE, **mixed, "StringLike": {"sts:RoleSessionName": "x-${aws:username}-*"}})))
    code, said = prove(capsys, "--trust", file, "--within", write(document(allow(mixed)), "other.json"))
    assert (code, said["verdict"]) == (1, "unknown")
    assert said["reason"]


def test_who_lists_every_way_in(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    other = allow({}, {"Service": "ec2.amazonaws.com"})
    assert run(["who", "--trust", write(document(allow(), other)), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    parties = {(region["party"]["kind"], region["party"]["name"], region["statement"]) for region in said["regions"]}
    assert parties == {("account", THEM, 1), ("service", "ec2.amazonaws.com", 2)}
    first = next(region for region in said["regions"] if region["statement"] == 1)
    assert first["values"]["aws:MultiFactorAuthPresent"] == {
        "binds": True,
        "absent": False,
        "free": False,
        "exact": ["true"],
        "patterns": [],
        "span": [],
    }


def test_who_in_words(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    condition = {
        "StringLike": {"sts:ExternalId": "guest-*"},
        "BoolIfExists": {"aws:MultiFactorAuthPresent": "true"},
        "NumericLessThan": {"aws:MultiFactorAuthAge": "3600"},
    }
    assert run(["who", "--trust", write(document(allow(condition))), "--show-external-id"]) == 0
    said = capsys.readouterr().out
    assert f"account {THEM}: any session or any user" in said
    assert "sts:ExternalId: like guest-*" in said
    assert "aws:MultiFactorAuthPresent: true" in said


def test_text_of_a_document_cannot_forge_a_line(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    forged = "x\n2. Holds\x1b[2J"
    file = write(document(allow({"StringEquals": {"aws:PrincipalTag/team": forged}})))
    for words in (["who"], ["prove", "--owner", OWNER, *TERMS]):
        run([*words, "--trust", file])
        said = capsys.readouterr().out
        assert "\x1b" not in said
        assert "\n2. Holds" not in said


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ([], "there is nothing to prove"),
        (["--to", THEM], "it is not clear whether the role must require an ExternalId"),
        (["--to", "12"], "ExternalId"),
        (["--to", "12", "--no-external-id"], "the account id has 2 characters"),
        ([*TERMS, "--within", "other.json"], "--within and terms were both given"),
        (["--within", "missing.json"], "missing.json cannot be read"),
        ([*TERMS, "--only", f"arn:aws:iam::{OWNER}:user/bob"], "is not in the contractor's account"),
        ([*TERMS, "--no-mfa", "--mfa-max-age", "1h"], "needs MFA to be required"),
    ],
)
def test_wrong_use_ends_with_2(write: Any, capsys: pytest.CaptureFixture[str], words: list[str], what: str) -> None:
    assert run(["prove", "--owner", OWNER, "--trust", write(document(allow())), *words]) == 2
    assert what in capsys.readouterr().err


def test_a_document_that_cannot_be_read_is_told_with_file_and_place(
    write: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = write(document({**allow(), "Resource": "*"}), "bad.json")
    for words in (["prove", "--owner", OWNER, *TERMS], ["who"]):
        assert run([*words, "--trust", bad]) == 2
        assert "bad.json: $.Statement[0].Resource" in capsys.readouterr().err
    assert run(["who", "--trust", write("{", "cut.json")]) == 2
    assert "cut.json" in capsys.readouterr().err


def test_principals_of_two_partitions_are_refused(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    both = allow(principal={"AWS": [f"arn:aws:iam::{THEM}:root", f"arn:aws-cn:iam::{THEM}:root"]})
    assert run(["who", "--trust", write(document(both))]) == 2
    assert "several partitions: aws, aws-cn" in capsys.readouterr().err


def test_another_partition_is_that_of_the_document(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    china = allow(principal={"AWS": f"arn:aws-cn:iam::{THEM}:root"})
    code, said = prove(capsys, "--trust", write(document(china)), *TERMS)
    assert (code, said["verdict"]) == (0, "holds")
    assert said["witness"]["principal"].startswith(f"arn:aws-cn:iam::{THEM}:")


UNIQUE = "AROAQAAAAAAAAAAAAAAAA"


def test_a_unique_id_in_a_file_is_a_live_principal_of_any_account(
    write: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(document(allow(principal={"AWS": UNIQUE})))
    assert run(["who", "--trust", file, "--owner", OWNER]) == 0
    said = capsys.readouterr().out
    assert f"1. the role {UNIQUE} of an account that is not named: {UNIQUE}" in said
    assert "IAM resolves it to a live user or role when the document is saved" in said
    assert "deleted" not in said
    assert run(["who", "--trust", file, "--owner", OWNER, "--json"]) == 0
    (region,) = json.loads(capsys.readouterr().out)["regions"]
    assert region["party"]["kind"] == "unique id"
    code, answer = prove(capsys, "--trust", file, *TERMS)
    assert (code, answer["verdict"]) == (1, "violated")
    code, answer = prove(capsys, "--trust", file, "--within", file)
    assert (code, answer["verdict"]) == (0, "holds")
    assert answer["witness"]["context"]["aws:userid"].startswith(f"{UNIQUE}:")


@pytest.mark.parametrize(
    "principal",
    [{"AWS": f" {THEM}"}, {"AWS": [THEM, ""]}, {"AWS": "arn:aws:iam::*:root"}, {"Service": "*"}, {"Federated": "*"}],
)
def test_an_entry_that_aws_refuses_ends_with_2_and_its_place(
    principal: Any, write: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(document(allow(), allow(principal=principal)))
    for words in (["who"], ["prove", "--owner", OWNER, *TERMS]):
        assert run([*words, "--trust", file]) == 2
        assert f"$.Statement[1].Principal.{next(iter(principal))}" in capsys.readouterr().err


def test_an_entry_of_which_nobody_can_say_whom_it_names_ends_with_1(
    write: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(document(allow(), allow(principal={"CanonicalUser": "a" * 64})))
    assert run(["who", "--trust", file]) == 1
    said = capsys.readouterr().out
    assert "Not decided" in said
    assert "statement 2 names 'aaaa" in said
    assert f"1. account {THEM}" in said
    assert run(["who", "--trust", file, "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["decided"] is False
    assert "statement 2 names" in answer["reason"]
    assert [region["party"]["name"] for region in answer["regions"]] == [THEM]
    alone = write(document(allow(principal={"CanonicalUser": "a" * 64})))
    assert run(["who", "--trust", alone]) == 1
    assert "admits nobody" not in capsys.readouterr().out


def test_who_lists_what_gets_in_whatever_aws_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    door = {"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "sts:AssumeRole"}
    silent = {**door, "Principal": "*", "Condition": {"StringNotEquals": {"aws:PrincipalAccount": []}}}
    path = tmp_path / "trust.json"
    path.write_text(json.dumps({"Version": "2012-10-17", "Statement": [door, silent]}))
    words = ["who", "--trust", str(path), "--owner", "111111111111"]
    assert run([*words, "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["decided"] is False
    assert "statement 2" in answer["reason"]
    assert [region["party"]["name"] for region in answer["regions"]] == ["222222222222"]
    assert run(words) == 1
    out = capsys.readouterr().out
    assert "Whatever AWS does, these are admitted:" in out
    assert "1. account 222222222222" in out
    path.write_text(json.dumps({"Version": "2012-10-17", "Statement": [silent]}))
    assert run(words) == 1
    assert "depends on that" in capsys.readouterr().out
