"""`valetkey review`: grants decided from a file, carried out, signed, verified; IAM in memory, the real ssh-keygen."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.trails.records import Maker, trail
from tests.unit.grants.fake_iam import FakeIam
from tests.unit.report.test_results import passes

from valetkey.account.calls import Call, CallError
from valetkey.activity import TimeSpan
from valetkey.cli import _activity, _owning
from valetkey.cli._options import OwnerAccount
from valetkey.cli._run import run
from valetkey.grants.grant import Grant
from valetkey.grants.plan import plan
from valetkey.grants.waiting import Waiting
from valetkey.trust import Terms

Capture = pytest.CaptureFixture[str]
ACCOUNT, CONTRACTOR, VENDOR = "111111111111", "222222222222", "333333333333"
POLICY = "arn:aws:iam::aws:policy/SecurityAudit"

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="OpenSSH is not installed")


@pytest.fixture
def iam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeIam:
    """The account, in a directory of its own; waiting costs no time, and nobody is at a terminal."""
    made = FakeIam(ACCOUNT)
    passed = [0.0]
    waiting = Waiting(clock=lambda: passed[0], sleep=lambda seconds: passed.__setitem__(0, passed[0] + seconds))
    folder = tmp_path / "evidence"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(OwnerAccount, "connect", lambda self: made)
    monkeypatch.setattr(_owning, "waiting", lambda: waiting)
    monkeypatch.setattr("valetkey.cli._terminal._TTY", str(tmp_path / "no-terminal"))
    return made


def granted(iam: FakeIam, *names: str) -> None:
    for name in names:
        grant = Grant(
            name=name,
            account=ACCOUNT,
            terms=Terms(contractor=CONTRACTOR, external_id=f"id-of-{name}", until=datetime(2099, 1, 1, tzinfo=UTC)),
            managed=(POLICY,),
        )
        for call in plan(grant, None):
            iam(call)


def outside(iam: FakeIam, name: str, principal: str = f"arn:aws:iam::{VENDOR}:root") -> None:
    """A role that somebody made by hand."""
    iam.roles[name] = {
        "RoleName": name,
        "Path": "/",
        "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
        "CreateDate": datetime(2025, 1, 1, tzinfo=UTC),
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}],
        },
        "Description": "",
        "MaxSessionDuration": 3600,
        "Tags": [],
        "inline": {},
        "managed": [POLICY],
    }


def entries(name: str = "review.json") -> dict[str, dict[str, Any]]:
    result = json.loads(Path(name).read_text())["population"]["entries"]
    return {item["role_arn"].rpartition("/")[2]: item for item in result}


def edit(change: Callable[[dict[str, Any]], None], name: str = "review.json") -> None:
    document = json.loads(Path(name).read_text())
    change(document)
    Path(name).write_text(json.dumps(document, indent=1))


def decide(**decisions: str) -> None:
    """Write decisions into review.json as a person does; every other role is kept."""

    def write(document: dict[str, Any]) -> None:
        for each in document["population"]["entries"]:
            name = each["role_arn"].rpartition("/")[2]
            each |= {"decision": decisions.get(name, "keep"), "reason": "as agreed in Q4", "reviewer": "Rita Reviewer"}

    edit(write)


def outcomes(name: str = "review.json") -> dict[str, str]:
    results = json.loads(Path(name).read_text())["applied"]["results"]
    return {result["role_arn"].rpartition("/")[2]: result["outcome"] for result in results}


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return new_key(tmp_path / "key")


def new_key(path: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


def signers(key: Path, options: str = "") -> Path:
    """A list of signers away from the evidence."""
    folder = key.parent / "trusted"
    folder.mkdir(exist_ok=True)
    kind, public, *_ = key.with_suffix(".pub").read_text().split()
    (folder / "signers").write_text(f"rita@example.com {options} {kind} {public}\n")
    return folder / "signers"


def test_forty_grants_decided_from_a_file_carried_out_and_verified(
    iam: FakeIam, key: Path, tmp_path: Path, capsys: Capture
) -> None:
    names = [f"grant-{number:02}" for number in range(40)]
    granted(iam, *names)
    outside(iam, "vendor")
    outside(iam, "orphaned", "AROAEXAMPLEEXAMPLE12")
    outside(iam, "own", f"arn:aws:iam::{ACCOUNT}:root")
    assert run(["review", "-o", "review.json"]) == 0
    result = entries()
    assert set(result) == {*names, "vendor", "orphaned"}, "who only admits its own account is not of the population"
    assert result["vendor"]["who"] == [f"account {VENDOR}"]
    assert result["vendor"]["state"] == "unguarded"
    assert "AROAEXAMPLEEXAMPLE12" in str(result["orphaned"]["notes"])
    assert result["grant-07"]["guards"] == ["ExternalId", "MFA"]
    assert result["grant-07"]["until"] == "2099-01-01T00:00:00Z"
    assert "id-of" not in Path("review.json").read_text()

    ended = names[::2]
    decide(**dict.fromkeys(ended, "END"))
    capsys.readouterr()
    assert run(["review", "apply", "review.json", "--sign", str(key), "--yes", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["signature"] == "review.json.sig"
    passes("review-applied", said)
    assert set(iam.roles) == {*names[1::2], "vendor", "orphaned", "own"}
    assert outcomes() == {name: "ended" if name in ended else "kept" for name in result}

    trusted = signers(key)
    verify = ["review", "verify", "review.json", "--allowed-signers", str(trusted)]
    assert run([*verify, "--json"]) == 0
    said = passes("verified", json.loads(capsys.readouterr().out))
    assert (said["signer"], said["account"]) == ("rita@example.com", ACCOUNT)
    assert said["decisions"] == {"end": 20, "keep": 22}
    assert said["outcomes"] == {"ended": 20, "kept": 22}
    assert run(verify) == 0
    assert "the signer's claim" in capsys.readouterr().out

    # OpenSSH alone says the same.
    plain = ["ssh-keygen", "-Y", "verify", "-f", trusted, "-I", "rita@example.com", "-n", "valetkey-review"]
    data = Path("review.json").read_bytes()
    assert subprocess.run([*plain, "-s", "review.json.sig"], input=data, check=False).returncode == 0

    # Any byte: in a decision, a reason, the time, white space.
    for old, new in ((b"Q4", b"Q3"), (b'"keep"', b'"end" '), (b"finished_at", b"finished_aT"), (b"\n", b" ")):
        Path("review.json").write_bytes(data.replace(old, new, 1))
        assert run(verify) == 1, old
    Path("review.json").write_bytes(data)
    assert run([*verify[:-1], str(signers(new_key(tmp_path / "other")))]) == 1
    assert "does not name" in capsys.readouterr().err
    assert run([*verify[:-1], str(signers(key))]) == 0


def test_a_second_run_does_nothing_and_may_sign(iam: FakeIam, key: Path, capsys: Capture) -> None:
    granted(iam, "a", "b")
    assert run(["review", "-o", "review.json"]) == 0
    decide(a="end")
    assert run(["review", "apply", "review.json", "--yes"]) == 0
    before = Path("review.json").read_bytes()
    assert run(["review", "verify", "review.json", "--allowed-signers", str(signers(key))]) == 1
    assert "has no signature" in capsys.readouterr().err
    iam.log.clear()
    assert run(["review", "apply", "review.json", "--sign", str(key)]) == 0
    assert (iam.log, Path("review.json").read_bytes()) == ([], before)
    assert run(["review", "verify", "review.json", "--allowed-signers", str(signers(key))]) == 0
    decide(a="keep")
    assert run(["review", "apply", "review.json", "--sign", str(key)]) == 1
    assert "was changed after it was carried out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("break_it", "code", "says"),
    [
        (lambda each: each.pop("decision"), 2, "a has no decision"),
        (lambda each: each.update(decision="maybe"), 2, "a has no decision"),
        (lambda each: each.update(reason=" "), 2, "a has no reason"),
        (lambda each: each.update(reviewer=""), 2, "a has no reviewer"),
        (lambda each: each.update(descision="keep"), 2, "unknown field"),
        (lambda each: each.update(policies=[]), 1, "population of review.json was changed"),
        (lambda each: each.update(last_used="2026-11-01T00:00:00Z"), 1, "population of review.json was changed"),
    ],
)
def test_what_is_not_decided_or_was_changed_is_refused_before_any_call(
    iam: FakeIam, break_it: Callable[[dict[str, Any]], None], code: int, says: str, capsys: Capture
) -> None:
    granted(iam, "a", "b")
    assert run(["review", "-o", "review.json"]) == 0
    decide(b="end")
    edit(lambda document: break_it(document["population"]["entries"][0]))
    iam.log.clear()
    assert run(["review", "apply", "review.json", "--yes"]) == code
    assert says in capsys.readouterr().err
    assert iam.log == []


def test_an_entry_that_was_taken_out_is_missed(iam: FakeIam, capsys: Capture) -> None:
    granted(iam, "a", "b")
    assert run(["review", "-o", "review.json"]) == 0
    decide()
    edit(lambda document: document["population"]["entries"].pop())
    assert run(["review", "apply", "review.json", "--yes"]) == 1
    assert "population of review.json was changed" in capsys.readouterr().err


def test_nobody_is_asked_and_nothing_was_agreed(iam: FakeIam, capsys: Capture) -> None:
    granted(iam, "a")
    assert run(["review", "-o", "review.json"]) == 0
    decide(a="end")
    iam.log.clear()
    assert run(["review", "apply", "review.json"]) == 2
    assert (iam.log, set(iam.roles)) == ([], {"a"})
    decide()
    assert run(["review", "apply", "review.json"]) == 0, "to keep everything changes nothing and asks nobody"


def test_a_review_of_another_account_is_refused(iam: FakeIam, capsys: Capture) -> None:
    granted(iam, "a")
    assert run(["review", "-o", "review.json"]) == 0
    decide(a="end")
    iam.account = "999999999999"
    assert run(["review", "apply", "review.json", "--yes"]) == 1
    assert "the review is of account 111111111111" in capsys.readouterr().err
    assert "a" in iam.roles


def test_what_is_not_decided_is_in_the_population_and_own_accounts_are_not(iam: FakeIam) -> None:
    outside(iam, "odd")
    iam.roles["odd"]["AssumeRolePolicyDocument"] = {"Version": "2012-10-17", "Statement": "?"}
    outside(iam, "sister", f"arn:aws:iam::{CONTRACTOR}:root")
    outside(iam, "anybody", "*")
    assert run(["review", "-o", "review.json", "--own-accounts", CONTRACTOR]) == 0
    assert {name: entry["state"] for name, entry in entries().items()} == {"anybody": "unguarded", "odd": "unknown"}
    assert json.loads(Path("review.json").read_text())["population"]["own_accounts"] == [CONTRACTOR]


def test_an_existing_file_is_not_overwritten(iam: FakeIam, capsys: Capture) -> None:
    Path("review.json").write_text("decisions")
    assert run(["review", "-o", "review.json"]) == 2
    assert run(["review", "-o", "new.json", "--csv", "review.json"]) == 2
    assert Path("review.json").read_text() == "decisions"
    assert not Path("new.json").exists()


def test_what_was_not_read_is_said_and_fails(iam: FakeIam, capsys: Capture) -> None:
    granted(iam, "a")
    outside(iam, "vendor")

    def refuse(call: Call) -> None:
        if call.operation == "list_saml_providers":
            raise CallError(call, "AccessDenied", "not authorized")

    iam.before = refuse
    assert run(["review", "-o", "review.json", "--json"]) == 1
    passes("review-written", json.loads(capsys.readouterr().out))
    assert run(["review", "-o", "other.json"]) == 1
    assert "identity providers" in str(json.loads(Path("review.json").read_text())["population"]["incomplete"])
    assert "Not read: identity providers" in capsys.readouterr().err


def test_since_the_population_was_read(iam: FakeIam, capsys: Capture) -> None:
    """What another hand did between reading and carrying out: gone, made again, changed, made by others."""
    granted(iam, "gone", "again", "changed", "opened", "plain", "forged", "untagged")
    outside(iam, "vendor")
    outside(iam, "vendor-2")
    assert run(["review", "-o", "review.json"]) == 0
    decide(gone="end", again="end", changed="keep", opened="end", forged="end", untagged="end", vendor="end")
    del iam.roles["gone"]
    iam.roles["again"]["CreateDate"] = datetime(2026, 11, 28, tzinfo=UTC)
    iam.roles["changed"]["managed"].append("arn:aws:iam::aws:policy/ReadOnlyAccess")
    iam.roles["opened"]["managed"].remove(POLICY)
    iam.roles["forged"]["inline"]["more"] = {"Version": "2012-10-17", "Statement": []}
    iam.roles["untagged"]["Tags"] = []
    iam.roles["vendor-2"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"] = "*"
    granted(iam, "new")
    assert run(["review", "apply", "review.json", "--yes"]) == 1
    assert outcomes() == {
        "again": "not ended",
        "changed": "kept, but changed since",
        "forged": "closed, not deleted",
        "gone": "gone already",
        "opened": "ended",
        "plain": "kept",
        "untagged": "not ended",
        "vendor": "not ended",
        "vendor-2": "kept, but changed since",
    }
    assert set(iam.roles) == {"again", "changed", "forged", "new", "plain", "untagged", "vendor", "vendor-2"}
    assert "valetkey-revoked" in iam.roles["forged"]["inline"]
    out = capsys.readouterr().out
    assert "role/new: granted after the population was read, not reviewed" in out
    assert "role/vendor: not ended: not a valetkey grant" in out


def test_a_grant_with_a_damaged_record_is_in_the_population_and_closed(iam: FakeIam) -> None:
    granted(iam, "a")
    iam.roles["a"]["Tags"] = [{"Key": "valetkey:version", "Value": "1"}]
    assert run(["review", "-o", "review.json"]) == 0
    assert entries()["a"]["state"] == "damaged"
    decide(a="end")
    assert run(["review", "apply", "review.json", "--yes"]) == 1
    assert outcomes() == {"a": "closed, not deleted"}


def test_control_c_says_what_was_done_and_the_next_run_goes_on(iam: FakeIam, capsys: Capture) -> None:
    granted(iam, "a", "b")
    assert run(["review", "-o", "review.json"]) == 0
    decide(a="end", b="end")

    def press(call: Call) -> None:
        if call.operation == "delete_role" and call.params["RoleName"] == "b":
            raise KeyboardInterrupt

    iam.before = press
    assert run(["review", "apply", "review.json", "--yes"]) == 130
    assert "at b: 1 decision(s) are carried out" in capsys.readouterr().err
    iam.before = lambda call: None
    assert run(["review", "apply", "review.json", "--yes"]) == 0
    assert outcomes() == {"a": "ended", "b": "ended"}


@pytest.mark.parametrize("stop_at", [1, 4, 9])
def test_an_interrupted_run_goes_on(iam: FakeIam, stop_at: int) -> None:
    """Nothing is lost of what was done, wherever AWS fails; run again it ends what is left."""
    granted(iam, "a", "b", "c")
    assert run(["review", "-o", "review.json"]) == 0
    decide(a="end", b="end", c="end")
    count = [0]

    def fail(call: Call) -> None:
        if not call.operation.startswith(("get_", "list_")):
            count[0] += 1
            if count[0] == stop_at:
                raise CallError(call, "Unreachable", "no answer")

    iam.before = fail
    assert run(["review", "apply", "review.json", "--yes"]) == 3
    done = outcomes() if json.loads(Path("review.json").read_text())["applied"] else {}
    assert set(done.values()) <= {"ended"}
    assert not set(done) & set(iam.roles)
    iam.before = lambda call: None
    assert run(["review", "apply", "review.json", "--yes"]) == 0
    assert set(outcomes().values()) == {"ended"}
    assert iam.roles == {}


def test_decisions_from_a_spreadsheet(iam: FakeIam, capsys: Capture) -> None:
    granted(iam, "=cmd", "+b", "c")
    iam.roles["c"]["Tags"].append({"Key": "x", "Value": "y"})
    assert run(["review", "-o", "review.json", "--csv", "review.csv"]) == 0
    raw = Path("review.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert all(cell[:1] not in "=+-@" for row in rows for cell in row.values() if cell)
    for row in rows:
        ends = row["role_arn"].endswith("c")
        row |= {"decision": "End" if ends else "keep", "reason": "'=because", "reviewer": "Rita; Büro"}
        row |= {"until": "1/1/99", "created": "45612.5", "policies": "#NAME?"}
    out = io.StringIO()
    writer = csv.DictWriter(out, ["decision", *(item for item in rows[0] if item != "decision")], delimiter=";")
    writer.writeheader()
    writer.writerows(reversed(rows))
    Path("review.csv").write_bytes(out.getvalue().encode("utf-16"))
    assert run(["review", "apply", "review.json", "--csv", "review.csv", "--yes"]) == 0
    assert set(iam.roles) == {"=cmd", "+b"}
    assert entries()["+b"]["reason"] == "=because"
    assert entries()["+b"]["reviewer"] == "Rita; Büro"
    assert run(["review", "apply", "review.json", "--csv", "review.csv", "--yes"]) == 1


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("p-", "p-0", "row belongs to another review"),
        (":role/a", ":role/z", "not in the review"),
        (":role/a", ":role/b", "has a row already"),
        ("decision", "verdict", "has no column decision"),
        ("\nx", '\n"', "is not CSV"),
    ],
)
def test_a_table_that_does_not_belong_is_refused(iam: FakeIam, old: str, new: str, says: str, capsys: Capture) -> None:
    granted(iam, "a", "b")
    assert run(["review", "-o", "review.json", "--csv", "review.csv"]) == 0
    text = Path("review.csv").read_text() + "x"
    Path("review.csv").write_text(text.replace(old, new))
    assert run(["review", "apply", "review.json", "--csv", "review.csv", "--yes"]) == 2
    assert says in capsys.readouterr().err


def test_signers_beside_the_evidence_are_never_used(iam: FakeIam, key: Path, capsys: Capture) -> None:
    granted(iam, "a")
    assert run(["review", "-o", "review.json"]) == 0
    decide()
    assert run(["review", "apply", "review.json", "--sign", str(key)]) == 0
    trusted = signers(key)
    Path("allowed_signers").write_text(trusted.read_text())
    Path("link").symlink_to(trusted)
    (trusted.parent / "link").symlink_to(Path("allowed_signers").absolute())
    for beside in ("allowed_signers", "./link", str(trusted.parent / "link"), "../evidence/allowed_signers"):
        assert run(["review", "verify", "review.json", "--allowed-signers", beside]) == 2, beside
        assert "next to the evidence" in capsys.readouterr().err
    assert run(["review", "verify", "review.json"]) == 2, "none is looked for"


def test_a_key_counts_as_of_the_time_that_the_file_claims(iam: FakeIam, key: Path, capsys: Capture) -> None:
    granted(iam, "a")
    assert run(["review", "-o", "review.json"]) == 0
    decide()
    assert run(["review", "apply", "review.json", "--sign", str(key)]) == 0
    verify = ["review", "verify", "review.json", "--allowed-signers"]
    assert run([*verify, str(signers(key, 'valid-after="20200101",valid-before="20990101"'))]) == 0
    assert run([*verify, str(signers(key, 'valid-before="20200101"'))]) == 1
    assert run([*verify, str(signers(key, 'namespaces="valetkey-review"'))]) == 0
    assert run([*verify, str(signers(key, 'namespaces="git"'))]) == 1
    assert "is not valid" in capsys.readouterr().err


def test_a_review_that_was_not_carried_out_is_not_verified(iam: FakeIam, key: Path, capsys: Capture) -> None:
    granted(iam, "a")
    assert run(["review", "-o", "review.json"]) == 0
    with Path("review.json").open("rb") as file:
        words = ["ssh-keygen", "-Y", "sign", "-f", key, "-n", "valetkey-review"]
        signature = subprocess.run(words, stdin=file, capture_output=True, check=True).stdout
    Path("review.json.sig").write_bytes(signature)
    assert run(["review", "verify", "review.json", "--allowed-signers", str(signers(key))]) == 1
    assert "not all carried out" in capsys.readouterr().err


def test_a_key_that_is_not_there_is_said_before_anything_is_done(iam: FakeIam, capsys: Capture) -> None:
    granted(iam, "a")
    assert run(["review", "-o", "review.json"]) == 0
    decide(a="end")
    assert run(["review", "apply", "review.json", "--yes", "--sign", "none"]) == 2
    assert "a" in iam.roles
    Path("key").write_text("no key")
    decide()
    assert run(["review", "apply", "review.json", "--sign", "key"]) == 2
    assert "could not sign" in capsys.readouterr().err


def test_evidence_of_a_grant_signed_and_verified(iam: FakeIam, key: Path, capsys: Capture) -> None:
    granted(iam, "a")
    out = ["show", "a", "--evidence", "-o", "a.json"]
    assert run([*out, "--sign", str(key), "--json"]) == 0
    said = passes("evidence-written", json.loads(capsys.readouterr().out))
    assert (said["holds"], said["signature"], said["unread"]) == (True, "a.json.sig", [])
    result = json.loads(Path("a.json").read_text())
    kinds = [document["kind"] for document in result["documents"]]
    assert kinds == ["trust", "inline", "inline", "managed"]
    assert result["documents"][3]["version"] == "v1"
    assert result["documents"][0]["document"] == iam.roles["a"]["AssumeRolePolicyDocument"]
    assert result["proof"]["holds"]
    assert len(result["proof"]["assumes"]) == 5
    verify = ["review", "verify", "a.json", "--allowed-signers", str(signers(key))]
    assert run(verify) == 0
    assert f"role        arn:aws:iam::{ACCOUNT}:role/a" in capsys.readouterr().out
    data = Path("a.json").read_bytes()
    Path("a.json").write_bytes(data.replace(b"AssumeRole", b"AssumeRolE", 1))
    assert run(verify) == 1
    Path("a.json").write_bytes(data)
    assert run(out) == 2, "it is not overwritten"


def test_evidence_says_what_was_not_read_and_what_differs(iam: FakeIam, capsys: Capture) -> None:
    granted(iam, "a")

    def refuse(call: Call) -> None:
        if call.operation == "get_policy_version":
            raise CallError(call, "AccessDenied", "not authorized")

    iam.before = refuse
    assert run(["show", "a", "--evidence", "-o", "a.json"]) == 1
    assert f"Not read: {POLICY}" in capsys.readouterr().out
    iam.before = lambda call: None
    iam.roles["a"]["managed"].append("arn:aws:iam::aws:policy/ReadOnlyAccess")
    assert run(["show", "a", "--evidence", "-o", "b.json"]) == 1
    assert "Differs from its record" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--evidence"], ["-o", "x.json"], ["--sign", "key"]])
def test_evidence_needs_a_file(iam: FakeIam, words: list[str], capsys: Capture) -> None:
    granted(iam, "a")
    assert run(["show", "a", *words]) == 2
    assert not Path("x.json").exists()


def test_a_review_says_what_cloudtrail_shows_of_each_role(iam: FakeIam, capsys: Capture, tmp_path: Path) -> None:
    outside(iam, "used")
    outside(iam, "idle")
    maker = Maker(ACCOUNT, VENDOR, name="used")
    at = datetime(2026, 11, 3, 10, tzinfo=UTC)
    who = maker.identity("carol", at, "ASIA1")
    records = [
        maker.record(at, "iam", "ListUsers", who),
        maker.record(at, "iam", "CreateUser", who, readOnly=False, errorCode="AccessDenied"),
    ]
    folder = tmp_path / "trail"
    folder.mkdir()
    (folder / "events.json").write_bytes(trail(records))
    assert run(["review", "-o", "review.json", "--csv", "review.csv", "--from", str(folder)]) == 0
    notes = {name: item["notes"][-1] for name, item in entries().items()}
    assert notes["idle"] == f"CloudTrail ({folder}), all that is there: no session"
    assert "1 session by carol, last 2026-11-03 10:00Z; 1 action used, 0 changes, 1 denied" in notes["used"]
    assert "carol" in Path("review.csv").read_text()
    (folder / "cut.json").write_bytes(trail(records)[:-3])
    assert run(["review", "-o", "second.json", "--from", str(folder)]) == 1
    assert "cut.json is cut off" in Path("second.json").read_text()


def test_a_review_judges_each_grant_by_its_own_terms_as_evidence_does(
    iam: FakeIam, capsys: Capture, tmp_path: Path
) -> None:
    for name, person in (("agreed", "carol"), ("other", "bob")):
        terms = Terms(contractor=CONTRACTOR, external_id=f"id-of-{name}", until=datetime(2099, 1, 1, tzinfo=UTC),
                      only=(f"arn:aws:iam::{CONTRACTOR}:user/{person}",))  # fmt: skip
        for call in plan(Grant(name=name, account=ACCOUNT, terms=terms, managed=(POLICY,)), None):
            iam(call)
    at = datetime(2026, 11, 3, 10, tzinfo=UTC)
    records = []
    for name in ("agreed", "other"):
        iam.roles[name]["CreateDate"] = at - timedelta(days=1)
        maker = Maker(ACCOUNT, CONTRACTOR, name=name, seed=len(name))
        records.append(maker.record(at, "iam", "ListUsers", maker.identity("carol", at, f"ASIA{name}")))
    folder = tmp_path / "trail"
    folder.mkdir()
    (folder / "events.json").write_bytes(trail(records))
    assert run(["review", "-o", "review.json", "--from", str(folder)]) == 0
    assert "What CloudTrail cannot show of it:" in capsys.readouterr().out
    notes = {name: item["notes"][-1] for name, item in entries().items()}
    assert notes["agreed"].endswith("1 action used, 0 changes, 0 denied")
    assert notes["other"].endswith("; flags not-listed")
    population = json.loads(Path("review.json").read_text())["population"]
    assert any("data events" in item for item in population["unseen"])
    assert run(["show", "other", "--evidence", "-o", "other.json", "--from", str(folder)]) == 0
    evidence = json.loads(Path("other.json").read_text())["activity"][0]
    assert evidence.partition(": ")[2] == notes["other"].partition(": ")[2]
    decide()
    assert run(["review", "apply", "review.json", "--yes"]) == 0, "the hash holds with it"


def test_a_review_of_a_bucket_reads_90_days_and_evidence_since_the_role_was_made() -> None:
    now = datetime(2026, 11, 29, tzinfo=UTC)
    for source in ("s3://bucket/prefix", "lookup-events"):
        assert _activity.lately(source, now=now) == TimeSpan(now - timedelta(days=90), None)
    assert _activity.lately("folder", now=now) == TimeSpan(None, None)
    made: Any = SimpleNamespace(role=SimpleNamespace(created=now - timedelta(days=100)))
    assert _activity.since_made(made, "s3://bucket", now=now).since == made.role.created
    assert _activity.since_made(made, "lookup-events", now=now).since == now - timedelta(days=90)
