"""`valetkey audit`, run in this process on files."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.unit.audit.roles import BOTH, BY_ID, ID, LOOK, NOW, OTHER, OWN, ROOT, A, B, allow, trust

from valetkey.account import read_files
from valetkey.audit import Scope, audit
from valetkey.cli._run import run
from valetkey.policy import Request, decide, parse_policy

Capture = pytest.CaptureFixture[str]


def dump(**trusts: str) -> dict[str, Any]:
    """GetAccountAuthorizationDetails of an account with roles of these names and trust policies."""
    roles = [
        {
            "Path": "/",
            "RoleName": name,
            "RoleId": f"AROA{number:016}",
            "Arn": f"arn:aws:iam::{OWN}:role/{name}",
            "CreateDate": "2024-01-01T00:00:00+00:00",
            "AssumeRolePolicyDocument": json.loads(text),
            "RolePolicyList": [{"PolicyName": "look", "PolicyDocument": json.loads(LOOK)}],
            "AttachedManagedPolicies": [],
            "InstanceProfileList": [],
            "Tags": [],
            "RoleLastUsed": {},
        }
        for number, (name, text) in enumerate(trusts.items())
    ]
    return {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": roles, "Policies": [], "IsTruncated": False}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path, value: Any, name: str = "dump.json") -> str:
    (folder / name).write_text(value if isinstance(value, str) else json.dumps(value))
    return name


def test_the_table_says_who_what_and_why(folder: Path, capsys: Capture) -> None:
    name = written(folder, dump(bare=trust(allow(ROOT)), good=trust(allow(ROOT, BOTH)), ours=trust(allow(OWN))))
    assert run(["audit", name]) == 1
    out = capsys.readouterr().out
    assert f"Account {OWN}: 3 roles (1 unguarded, 1 guarded, 1 internal)" in out
    for said in (
        "bare",
        "T1",
        "An outsider needs neither an ExternalId nor MFA",
        "Fix: require an ExternalId",
        "docs.aws.amazon.com",
    ):
        assert said in out
    assert ID not in out
    assert ID[:4] in out


@pytest.mark.parametrize(
    ("text", "threshold", "code"),
    [
        (trust(allow(ROOT)), "medium", 1),
        (trust(allow(ROOT)), "critical", 0),
        (trust(allow(ROOT, BOTH)), "medium", 0),
        (trust(allow(ROOT, BOTH)), "info", 1),
        (trust(allow(OWN)), "info", 0),
        ("{", "critical", 1),
    ],
)
def test_the_exit_code_follows_the_threshold(
    text: str, threshold: str, code: int, folder: Path, capsys: Capture
) -> None:
    value = {"Version": "2012-10-17", "Statement": "nonsense"} if text == "{" else json.loads(text)
    name = written(folder, value, "trust.json")
    assert run(["audit", name, "--owner", OWN, "--fail-on", threshold]) == code
    capsys.readouterr()


def test_the_json_is_as_documented_and_masks_the_id(folder: Path, capsys: Capture) -> None:
    name = written(folder, dump(vendor=trust(allow(ROOT, BY_ID), allow(B)), ours=trust(allow(OWN))))
    assert run(["audit", name, "--json"]) == 1
    text = capsys.readouterr().out
    assert ID not in text
    answer = json.loads(text)
    assert answer["valetkey"] == "audit/v1"
    assert answer["account"] == OWN
    assert answer["exposures"] == {"internal": 1, "unguarded": 1}
    ours, vendor = answer["roles"]
    assert (ours["arn"], ours["exposure"], ours["outsiders"]) == (f"arn:aws:iam::{OWN}:role/ours", "internal", [])
    assert vendor["exposure"] == "unguarded"
    by_name = {outsider["name"]: outsider for outsider in vendor["outsiders"]}
    assert by_name[A]["external_id"] is True
    assert by_name[A]["guarded"] is True
    assert by_name[A]["ways"][0]["external_ids"] == [f"{ID[:4]}…"]
    assert by_name[B]["guarded"] is False
    finding = next(item for item in answer["findings"] if item["check"] == "T1")
    assert set(finding) >= {"check", "severity", "role", "witness", "fix"}
    assert finding["role"] == vendor["arn"]
    assert finding["where"] == "$.Statement[1]"
    documented = Path(__file__).parents[3] / "docs" / "reference" / "audit.md"
    page = documented.read_text()
    for key in [*answer, *vendor, *by_name[A], *by_name[A]["ways"][0], *finding, *vendor["permissions"]]:
        assert f"`{key}`" in page, key


def test_with_the_ids_shown_every_witness_can_be_decided(folder: Path, capsys: Capture) -> None:
    text = trust(allow(ROOT, BY_ID))
    name = written(folder, dump(vendor=text))
    assert run(["audit", name, "--json", "--show-external-id"]) == 0
    answer = json.loads(capsys.readouterr().out)
    witness = answer["roles"][0]["outsiders"][0]["witness"]
    assert witness["context"]["sts:ExternalId"] == ID
    assert decide(Request(**witness), trust=parse_policy(text, "trust")).allowed


def test_own_accounts_org_known_accounts_and_baseline(folder: Path, capsys: Capture) -> None:
    name = written(folder, dump(a=trust(allow(ROOT)), b=trust(allow(B))))
    ours = written(folder, f"# ours\n{A}\n", "ours.txt")
    known = written(folder, f"- name: Vendor\n  source: ['https://v.example']\n  accounts: ['{B}']\n", "known.yaml")
    line = {"check": "T1", "role": f"arn:aws:iam::{OWN}:role/b", "reason": "OPS-7", "until": "2999-01-01"}
    accepted = written(folder, {"valetkey": "baseline/v1", "accepted": [line], "note": 1}, "baseline.json")
    words = ["audit", name, "--own-accounts", ours, "--org-id", "o-abcdefghij", "--known-accounts", known]
    assert run([*words, "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert [role["exposure"] for role in answer["roles"]] == ["internal", "unguarded"]
    assert answer["roles"][1]["outsiders"][0]["label"] == "Vendor"
    assert run([*words, "--baseline", accepted, "--json"]) == 0
    out = capsys.readouterr()
    result = next(finding for finding in json.loads(out.out)["findings"] if finding["check"] == "T1")
    assert result["accepted"]["reason"] == "OPS-7"
    assert "note" in out.err
    assert run(["audit", name, "--own-accounts", f"{A},{B}"]) == 0
    capsys.readouterr()


def test_sarif(folder: Path, capsys: Capture) -> None:
    name = written(folder, dump(bare=trust(allow(ROOT)), good=trust(allow(ROOT, BOTH))))
    assert run(["audit", name, "--format", "sarif"]) == 1
    text = capsys.readouterr().out
    assert ID not in text
    log = json.loads(text)
    assert log["version"] == "2.1.0"
    (one,) = log["runs"]
    rules = one["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules) == 33
    fingerprints = set()
    for result in one["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        place = result["locations"][0]
        assert place["physicalLocation"]["artifactLocation"]["uri"] == "dump.json"
        assert place["logicalLocations"][0]["fullyQualifiedName"].startswith(f"arn:aws:iam::{OWN}:role/")
        fingerprints.add(result["partialFingerprints"]["valetkey/v1"])
    assert len(fingerprints) == len(one["results"])
    assert {item["ruleId"] for item in one["results"]} >= {"T1", "T15", "T20"}


def test_accepted_findings_are_suppressed_in_sarif(folder: Path, capsys: Capture) -> None:
    name = written(folder, dump(bare=trust(allow(ROOT))))
    line = {"check": "T1", "role": "*", "reason": "OPS-7", "until": "2999-01-01"}
    accepted = written(folder, {"valetkey": "baseline/v1", "accepted": [line]}, "baseline.json")
    assert run(["audit", name, "--baseline", accepted, "--format", "sarif"]) == 0
    results = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    suppressed = {result["ruleId"]: result["suppressions"] for result in results}
    assert suppressed["T1"] == [{"kind": "external", "status": "accepted", "justification": "OPS-7"}]
    assert suppressed["T20"] == []


def test_standard_input(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(trust(allow(ROOT)).encode())

    monkeypatch.setattr(sys, "stdin", Stdin())
    assert run(["audit", "-", "--owner", OWN, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["roles"][0]["exposure"] == "unguarded"


@pytest.mark.parametrize(
    "words", [["missing.json"], ["good.json", "--baseline", "missing"], ["good.json", "--own-accounts", "x"]]
)
def test_what_cannot_be_read_is_wrong_use(words: list[str], folder: Path, capsys: Capture) -> None:
    written(folder, dump(a=trust(allow(OWN))), "good.json")
    assert run(["audit", *words]) == 2
    out = capsys.readouterr()
    assert out.out == ""
    assert "do:" in out.err


def test_no_text_from_outside_moves_the_cursor(folder: Path, capsys: Capture) -> None:
    evil = trust({**allow(ROOT, BOTH), "Sid": "\x1b[2J[red]"})
    name = written(folder, {**dump(a=evil)})
    run(["audit", name])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "T18" in out


def test_the_demo_account_of_cloudmapper(capsys: Capture) -> None:
    # BSD-3, duo-labs/cloudmapper: account-data/demo, where it is at hand.
    name = "shared/data/account_details_cloudmapper_demo.json"
    file = next((result for up in Path(__file__).parents if (result := up / name).exists()), None)
    if file is None:
        pytest.skip("the file is not here")
    assert run(["audit", str(file), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    exposures = {role["arn"].rsplit("/", 1)[-1]: role["exposure"] for role in answer["roles"]}
    assert exposures == {"bad_role": "unguarded", "exfiller": "internal", "level3": "internal", "level1": "internal"}
    assert {(finding["check"], finding["role"].rsplit("/", 1)[-1]) for finding in answer["findings"]} == {
        ("T4", "bad_role"),
        ("T15", "bad_role"),
        ("T21", "bad_role"),
        ("T22", "bad_role"),
    }


TEMPLATE = """
Parameters:
  Partner:
    Type: String
  Vendor:
    Type: String
    Default: '222222222222'
Resources:
  Unresolved:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          Effect: Allow
          Principal: {AWS: !Ref Partner}
          Action: sts:AssumeRole
  Resolved:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal: {AWS: !Sub 'arn:${AWS::Partition}:iam::${Vendor}:root'}
            Action: sts:AssumeRole
          - Effect: Allow
            Principal: {AWS: !Sub '${AWS::AccountId}'}
            Action: sts:AssumeRole
"""


def test_a_template_is_audited_before_the_roles_exist(folder: Path, capsys: Capture) -> None:
    name = written(folder, TEMPLATE, "app.yaml")
    for owner in ([], ["--owner", OWN]):
        assert run(["audit", name, *owner, "--json", "--fail-on", "critical"]) == 1
        answer = json.loads(capsys.readouterr().out)
        roles = {role["source"].rsplit(".", 1)[-1]: role for role in answer["roles"]}
        assert roles["Unresolved"]["exposure"] == "unknown"
        assert "Partner" in roles["Unresolved"]["reason"]
        assert roles["Resolved"]["exposure"] == "unguarded"
        assert [outsider["name"] for outsider in roles["Resolved"]["outsiders"]] == [A]
        assert any("Vendor" in item for item in roles["Resolved"]["assumed"])
        assert {
            finding["check"] for finding in answer["findings"] if finding["role"] == roles["Unresolved"]["arn"]
        } == {"unknown"}


def test_the_pre_commit_hook_calls_the_command_as_it_is(folder: Path, capsys: Capture) -> None:
    import shlex

    import yaml

    (hook,) = yaml.safe_load((Path(__file__).parents[3] / ".pre-commit-hooks.yaml").read_text())
    program, *words = shlex.split(hook["entry"])
    assert program == "valetkey"
    name = written(folder, trust(allow(ROOT)), "partner-trust.json")
    assert re.search(hook["files"], f"infra/{name}")
    assert run([*words, name]) == 1
    capsys.readouterr()


@pytest.mark.parametrize("form", ["table", "json", "sarif", "html"])
def test_an_id_in_the_wrong_place_is_masked_too(folder: Path, capsys: Capture, form: str) -> None:
    misspelt = [
        {"StringEquals": {"ExternalId": ID}},
        {"StringEquals": {"sts:External-Id": ID}},
        {"sts:ExternalId": {"StringEquals": ID}},
        {"NumericEquals": {"sts:ExternalId": ID}},
    ]
    statements = [allow(ROOT, item) for item in misspelt] + [allow(OTHER, None, ExternalId=ID)]
    name = written(folder, dump(**{f"r{number}": trust(statement) for number, statement in enumerate(statements)}))
    run(["audit", name, "--format", form])
    assert ID not in "".join(capsys.readouterr().out.split())


def test_what_is_no_organisation_is_refused(folder: Path, capsys: Capture) -> None:
    name = written(folder, dump(a=trust(allow(ROOT))))
    assert run(["audit", name, "--org-id", "acme"]) == 2
    assert "--org-id: 'acme' is not an organisation" in capsys.readouterr().err


@pytest.mark.parametrize("nothing", ["[]", "[{}]", "{}"])
def test_a_file_that_holds_nothing_is_no_clean_account(folder: Path, capsys: Capture, nothing: str) -> None:
    (folder / "nothing.json").write_text(nothing)
    assert run(["audit", "nothing.json", "--owner", OWN]) == 2
    assert "is not a file that an account can be read from" in capsys.readouterr().err


def test_an_owner_that_is_no_account_is_wrong_use(folder: Path, capsys: Capture) -> None:
    name = written(folder, trust(allow(ROOT)), "trust.json")
    assert run(["audit", name, "--owner", "1234"]) == 2
    assert "the account id has 4 characters" in capsys.readouterr().err


def test_a_reader_that_goes_away_does_not_make_findings_pass(folder: Path) -> None:
    name = written(folder, dump(**{f"r{number}": trust(allow(ROOT)) for number in range(300)}))
    command = [sys.executable, "-m", "valetkey", "audit", name, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=30) == 141


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", str(columns))


def test_the_page_shows_what_a_terminal_shows(folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[3] / "docs" / "auditing.md").read_text()
    policy = re.search(r"^```json\n(\{.*?)^```", page, re.M | re.S)
    block = re.search(r"^```text\n\$ valetkey audit partner.json --owner 111111111111\n(.*?)^```", page, re.M | re.S)
    assert policy is not None
    assert block is not None
    written(folder, policy[1], "partner.json")
    on_a_terminal(monkeypatch, 110)
    assert run(["audit", "partner.json", "--owner", OWN]) == 1
    assert capsys.readouterr().out.splitlines() == block[1].splitlines()


MADE = """\
Resources:
  Bare:
    Type: AWS::IAM::Role
    Properties:
      RoleName: bare
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - {Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: sts:AssumeRole}
          - {Effect: Allow, Principal: {AWS: '222222222222'}, Action: sts:AssumeRole}
      Policies: []
"""


def test_on_a_pipe_every_finding_is_one_line_with_its_place_and_role(folder: Path, capsys: Capture) -> None:
    trusts = {f"r{number}": trust(allow(ROOT)) for number in range(250)}
    name, made = written(folder, dump(**trusts)), written(folder, MADE, "app.yaml")
    assert run(["audit", name, made, "--owner", OWN, "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert run(["audit", name, made, "--owner", OWN]) == 1
    lines = capsys.readouterr().out.splitlines()
    for finding in findings:
        begin = f": {finding['severity']} {finding['check']} {finding['role']}: {finding['text']}"
        (line,) = [line for line in lines if begin in line]
        assert line.startswith("app.yaml:" if finding["role"].endswith("/bare") else "dump.json: $.RoleDetailList[")
    assert any(line.startswith(f"app.yaml:10: high T1 arn:aws:iam::{OWN}:role/bare: ") for line in lines)
    # A role's lines are together, and the role itself stands before its findings.
    owners = [
        line.split(" arn:aws:iam::")[1].split(":")[1] for line in lines if " arn:aws:iam::" in line.split("; ")[0]
    ]
    runs = [owner for number, owner in enumerate(owners) if number == 0 or owners[number - 1] != owner]
    assert len(runs) == len(set(runs)) == 251


def test_on_a_terminal_a_role_and_its_findings_are_one_block(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = written(folder, dump(good=trust(allow(ROOT, BOTH)), bare=trust(allow(B)), ours=trust(allow(OWN))))
    on_a_terminal(monkeypatch, 80)
    run(["audit", name])
    out = capsys.readouterr().out
    blocks = {part.split(":")[0]: part for part in out.split("\n\n")}
    assert list(blocks)[1:3] == ["bare", "good"]  # the gravest first; what is internal has nothing to say
    assert "  high      T1 " in blocks["bare"]
    assert f"account {B} gets in: no ExternalId, no MFA, no end" in blocks["bare"]
    assert "T15" in blocks["good"]
    assert "T1 " not in blocks["good"]
    assert max(map(len, blocks["bare"].splitlines())) <= 80


@pytest.mark.parametrize("columns", [20, 10_000])
def test_a_narrow_terminal_breaks_no_word(
    columns: int, folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = written(folder, dump(bare=trust(allow(ROOT))))
    on_a_terminal(monkeypatch, columns)
    run(["audit", name])
    assert f"arn:aws:iam::{A}:user/somebody" in capsys.readouterr().out


def test_what_was_not_read_fails_unless_it_is_accepted(folder: Path, capsys: Capture) -> None:
    nested = MADE + "  Nested: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: x}}\n"
    ours = nested.replace("222222222222", OWN)
    name = written(folder, ours, "app.yaml")
    words = ["audit", name, "--owner", OWN]
    for form in ("table", "json", "html", "sarif"):
        assert run([*words, "--format", form]) == 1
        assert "AWS::CloudFormation::Stack may create roles" in capsys.readouterr().out, form
        assert run([*words, "--format", form, "--fail-on", "critical"]) == 1
        capsys.readouterr()
        assert run([*words, "--format", form, "--allow-incomplete"]) == 0
        assert "AWS::CloudFormation::Stack may create roles" in capsys.readouterr().out, form
    run([*words, "--json"])
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["check"], finding["role"]) == ("incomplete", f"arn:aws:iam::{OWN}:root")
    assert (finding["place"], finding["line"]) == ("app.yaml: $.Resources.Nested", 12)
    line = {"check": "incomplete", "role": finding["role"], "reason": "OPS-7", "until": "2999-01-01"}
    accepted = written(folder, {"valetkey": "baseline/v1", "accepted": [line]}, "baseline.json")
    assert run([*words, "--baseline", accepted]) == 0
    capsys.readouterr()


def test_a_permission_that_is_not_known_fails_only_where_outsiders_get_it(folder: Path, capsys: Capture) -> None:
    unknown = MADE.replace("Policies: []", "ManagedPolicyArns: ['arn:aws:iam::aws:policy/AWSSupportAccess']")
    guarded = unknown.replace(
        "'222222222222'}", "'222222222222'}, Condition: {StringEquals: {sts:ExternalId: vk-7x3kq9}}"
    )
    for text, code in ((guarded, 1), (unknown.replace("222222222222", OWN), 0)):
        name = written(folder, text, "app.yaml")
        words = ["audit", name, "--owner", OWN, "--fail-on", "critical"]
        assert run(words) == code
        assert ("AWSSupportAccess" in capsys.readouterr().out) == bool(code)
        assert run([*words, "--allow-incomplete"]) == 0
        capsys.readouterr()


def test_what_only_sharpens_an_answer_is_said_and_does_not_fail(folder: Path, capsys: Capture) -> None:
    value = dump(good=trust(allow(ROOT, BOTH)))
    value["RoleDetailList"][0]["RoleLastUsed"] = {"LastUsedDate": "yesterday"}
    name = written(folder, value)
    for form in ("table", "json", "html", "sarif"):
        assert run(["audit", name, "--format", form, "--fail-on", "high"]) == 0
        assert "it is not a time" in capsys.readouterr().out, form


@pytest.mark.parametrize(
    "other", ['{"name": "x"}', "apiVersion: v1\nkind: Pod\n", "a: 1\n---\nb: 2\n", "[1]", "# nothing\n"]
)
def test_a_file_of_another_kind_is_skipped_among_others_and_refused_alone(
    other: str, folder: Path, capsys: Capture
) -> None:
    name, foreign = written(folder, dump(ours=trust(allow(OWN)))), written(folder, other, "other.yaml")
    for form in ("table", "json", "html", "sarif"):
        assert run(["audit", foreign, name, "--format", form]) == 0
        assert "other.yaml is not a file that an account can be read from" in capsys.readouterr().out, form
    assert run(["audit", foreign]) == 2
    assert run(["audit", foreign, foreign]) == 2
    assert "other.yaml is not a file that an account can be read from" in capsys.readouterr().err


@pytest.mark.parametrize("broken", ["{", "a: [", "Resources: {}\n---\nResources: {}\n"])
def test_a_broken_file_is_refused_among_others_too(broken: str, folder: Path, capsys: Capture) -> None:
    name = written(folder, dump(ours=trust(allow(OWN))))
    assert run(["audit", name, written(folder, broken, "broken.yaml")]) == 2
    assert "broken.yaml" in capsys.readouterr().err


def test_an_outside_account_has_its_public_name_and_no_other_exposure(folder: Path, capsys: Capture) -> None:
    vendor = "464622532012"
    name = written(folder, dump(a=trust(allow(vendor)), b=trust(allow(A))))
    assert run(["audit", name, "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert [role["outsiders"][0]["label"] for role in answer["roles"]] == ["Datadog", None]
    assert [role["exposure"] for role in answer["roles"]] == ["unguarded", "unguarded"]
    assert [finding["role"][-1] for finding in answer["findings"] if finding["check"] == "T20"] == ["b"]
    assert [finding["role"][-1] for finding in answer["findings"] if finding["check"] == "T1"] == ["a", "b"]
    known = written(folder, f"- name: Ours\n  accounts: ['{vendor}']\n", "known.yaml")
    run(["audit", name, "--known-accounts", known, "--json"])
    assert json.loads(capsys.readouterr().out)["roles"][0]["outsiders"][0]["label"] == "Ours"


def test_a_format_is_one_module(folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file beside the others is offered and called, without another line anywhere."""
    from valetkey.report import formats

    (folder / "count.py").write_text("def write(audit, how):\n    print(len(audit.findings), how.fail_on)\n")
    monkeypatch.setattr(formats, "__path__", [*formats.__path__, str(folder)])
    assert formats.names() == ("table", "count", "html", "json", "sarif")
    name = written(folder, dump(bare=trust(allow(ROOT))))
    assert run(["audit", name, "--format", "csv"]) == 2
    assert "csv" in capsys.readouterr().err
    how = formats.How(fail_on="low", allow_incomplete=False, show_ids=False, version="1")
    account = read_files([name], read=lambda file: Path(file).read_bytes())
    formats.write("count", audit(account, scope=Scope(), now=NOW), how)
    assert capsys.readouterr().out == "4 low\n"
    again = "import valetkey.report.formats as f, sys; f.__path__.append(sys.argv[1]); "
    again += "from valetkey.cli._run import run; sys.exit(run(['audit', sys.argv[2], '--format', 'count']))"
    ran = subprocess.run([sys.executable, "-c", again, str(folder), name], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.returncode) == ("4 medium\n", 1), ran.stderr


def test_dumps_of_several_accounts_are_audited_together(tmp_path: Path, capsys: Capture) -> None:
    other = "333333333333"
    one = dump(partner=trust(allow()))
    two = json.loads(json.dumps(one).replace(OWN, other))
    for name, item in (("one.json", one), ("two.json", two)):
        (tmp_path / name).write_text(json.dumps(item))
    files = [str(tmp_path / name) for name in ("one.json", "two.json")]
    run(["audit", *files])
    assert f"Accounts {OWN}, {other}: 2 roles" in capsys.readouterr().out
    run(["audit", *files, "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (told["account"], told["accounts"]) == (None, [OWN, other])
    assert {role["arn"].split(":")[4] for role in told["roles"]} == {OWN, other}
