"""The owner's second day through the commands: what reviews and evidence say of grants that are suspended, rotated or
adopted, and what `grant` says of console sessions. IAM in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.grants.fake_iam import FakeIam
from tests.unit.grants.handmade import ROOT, WEAK_MFA, allow, made, trust

from valetkey.cli import _owning
from valetkey.cli._options import OwnerAccount
from valetkey.cli._run import run
from valetkey.grants.waiting import Waiting

Capture = pytest.CaptureFixture[str]
CONTRACTOR = "222222222222"
AUDIT = "arn:aws:iam::aws:policy/SecurityAudit"


@pytest.fixture
def iam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeIam:
    """The account, in a directory of its own; waiting costs no time, and nobody is at a terminal."""
    account = FakeIam("111111111111")
    passed = [0.0]
    waiting = Waiting(clock=lambda: passed[0], sleep=lambda seconds: passed.__setitem__(0, passed[0] + seconds))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(OwnerAccount, "connect", lambda self: account)
    monkeypatch.setattr(_owning, "waiting", lambda: waiting)
    monkeypatch.setattr("valetkey.cli._terminal._TTY", str(tmp_path / "no-terminal"))
    return account


def done(*words: str) -> None:
    assert run([*words, "--yes"]) == 0


def granted(iam: FakeIam) -> None:
    done("grant", "a", "--to", CONTRACTOR, "--policy", "SecurityAudit", "--until", "30d", "--external-id", "the-first")


def suspended(iam: FakeIam) -> None:
    granted(iam)
    done("suspend", "a")


def rotated(iam: FakeIam) -> None:
    granted(iam)
    done("rotate", "a", "--external-id", "the-second")


def adopted(iam: FakeIam) -> None:
    made(iam, trust(allow(ROOT, WEAK_MFA)), name="a")
    done("adopt", "a")


EXACT = "the trust policy admits exactly what the terms allow"
AT_MOST = "that it admits all who meet them is not claimed"


@pytest.mark.parametrize(
    ("make", "state", "notes", "claims", "history"),
    [
        (granted, "open", (), EXACT, ()),
        (suspended, "suspended", (), EXACT, ("suspended",)),
        (rotated, "open", ("the previous ExternalId is accepted until",), EXACT, ("ExternalId the-.. to the-..",)),
        (adopted, "open", ("no end", "adopted: made by other means"), AT_MOST, ()),
    ],
)
def test_review_and_evidence_of_a_grant_on_its_second_day(
    iam: FakeIam,
    make: Callable[[FakeIam], None],
    state: str,
    notes: tuple[str, ...],
    claims: str,
    history: tuple[str, ...],
) -> None:
    make(iam)
    assert run(["show", "a", "--evidence", "-o", "a.json"]) == 0
    evidence: dict[str, Any] = json.loads(Path("a.json").read_text())
    assert (evidence["state"], evidence["drift"], evidence["proof"]["holds"]) == (state, [], True)
    assert claims in evidence["proof"]["claim"]
    assert [item["what"].startswith(one) for item, one in zip(evidence["history"], history, strict=True)] == [
        True
    ] * len(history)
    names = {document["name"] for document in evidence["documents"] if document["kind"] == "inline"}
    assert ("valetkey-sessions" in names) is (state == "suspended")
    if make is rotated:
        assert (evidence["terms"]["external_id"], evidence["terms"]["previous_external_id"]) == (
            "the-second",
            "the-first",
        )
    assert run(["review", "-o", "review.json"]) == 0
    (entry,) = json.loads(Path("review.json").read_text())["population"]["entries"]
    assert (entry["kind"], entry["state"], entry["who"]) == ("grant", state, [f"account {CONTRACTOR}"])
    assert [item.startswith(one) for item, one in zip(entry["notes"], notes, strict=True)] == [True] * len(notes)


@pytest.mark.parametrize("make", [suspended, rotated, adopted])
def test_such_a_grant_is_kept_and_ended_by_a_review(iam: FakeIam, make: Callable[[FakeIam], None]) -> None:
    make(iam)
    for decision, outcome in (("keep", "kept"), ("end", "ended")):
        assert run(["review", "-o", f"{decision}.json"]) == 0
        review = json.loads(Path(f"{decision}.json").read_text())
        review["population"]["entries"][0] |= {"decision": decision, "reason": "as agreed", "reviewer": "Rita"}
        Path(f"{decision}.json").write_text(json.dumps(review))
        assert run(["review", "apply", f"{decision}.json", "--yes"]) == 0
        (result,) = json.loads(Path(f"{decision}.json").read_text())["applied"]["results"]
        assert result["outcome"] == outcome
    assert iam.roles == {}


@pytest.mark.parametrize("dry_run", [True, False])
def test_grant_says_when_policies_let_a_console_session_become_cli_credentials(
    iam: FakeIam, dry_run: bool, capsys: Capture
) -> None:
    says = (
        "They allow turning a console session into credentials for the CLI and for agents (signin:CreateOAuth2Token)."
    )
    words = [
        "grant",
        "a",
        "--to",
        CONTRACTOR,
        "--policy",
        "SecurityAudit",
        "--until",
        "30d",
        "--external-id",
        "the-first",
    ]
    how = "--dry-run" if dry_run else "--yes"
    assert run([*words, how]) == 0
    assert says not in "".join(capsys.readouterr())
    both = ["signin:CreateOAuth2Token", "signin:AuthorizeOAuth2Access"]
    statement = {"Effect": "Allow", "Action": both, "Resource": "*"}
    iam.policies[AUDIT] = {"Version": "2012-10-17", "Statement": [statement]}
    iam.roles.clear()
    assert run([*words, how]) == 0
    assert says in "".join(capsys.readouterr())
