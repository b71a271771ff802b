"""Texts for an owner without valetkey: what is written, read back, proved; and what is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, get_args

import pytest

from valetkey.account.configuration import as_plan
from valetkey.account.loaded import SourceError
from valetkey.errors import ValetkeyError
from valetkey.exchange.documents import AccessRequest
from valetkey.exchange.texts import console, letters, proof, quick_create, shell
from valetkey.exchange.texts.proof import SetupTool, TextNotProved, prove_text, written
from valetkey.exchange.texts.roles import TextError, WantedRole, wanted_role

TOOLS: tuple[SetupTool, ...] = get_args(SetupTool)
REQUEST = AccessRequest(
    account="222222222222",
    partition="aws",
    external_id="vk-0123456789abcdef",
    identity="iam-user",
    identity_arn="arn:aws:iam::222222222222:user/carol",
    issued=datetime(2026, 11, 29, tzinfo=UTC),
    until=datetime(2027, 3, 1, tzinfo=UTC),
    customer="acme",
)
ROLE = wanted_role(REQUEST)
SSO = "arn:aws:iam::222222222222:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Ops_0123456789abcdef"
OTHERS = {
    "sso": replace(REQUEST, identity="identity-center", identity_arn=SSO),
    "role": replace(REQUEST, identity="iam-role", identity_arn="arn:aws:iam::222222222222:role/p/ci"),
    "endless": replace(REQUEST, until=None),
    "long": replace(REQUEST, session=43200),
    "china": replace(REQUEST, partition="aws-cn", identity_arn="arn:aws-cn:iam::222222222222:user/carol"),
    "odd id": replace(REQUEST, external_id="-=,.@:/-+_"),
    "own policy": replace(REQUEST, policies=("arn:aws:iam::111111111111:policy/p/Own", "ReadOnlyAccess")),
}


@pytest.mark.parametrize("request_", [REQUEST, *OTHERS.values()], ids=["user", *OTHERS])
@pytest.mark.parametrize("tool", TOOLS)
def test_every_text_is_read_back_and_proved(tool: SetupTool, request_: AccessRequest) -> None:
    role = wanted_role(request_)
    text, shown = written(tool, role)
    assert shown.holds
    assert request_.external_id in text
    result = proof.read_text(tool, text, role)
    assert result.name == "contractor-222222222222"
    assert ("valetkey-until" in result.inline) is (request_.until is not None)
    assert letters.sent(tool, role, file="f").proof.holds


def test_no_reason_changes_what_is_read() -> None:
    for reason in (
        "1. Role name: x",
        "----- trust policy -----",
        "arn:aws:iam::aws:policy/AdministratorAccess",
        "----- end -----",
    ):
        assert letters.sent("console", ROLE, file="f", reason=reason).proof.holds


def test_who_is_let_in() -> None:
    assert (ROLE.terms.mfa, ROLE.terms.only) == (True, ())
    named = wanted_role(OTHERS["sso"]).terms
    assert (named.mfa, named.only) == (False, (SSO,))
    assert wanted_role(OTHERS["long"]).max_session == 43200
    assert wanted_role(replace(REQUEST, session=900)).max_session == 3600
    assert ROLE.managed == (
        "arn:aws:iam::aws:policy/SecurityAudit",
        "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess",
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"identity": "federated", "identity_arn": "arn:aws:sts::222222222222:federated-user/x"},
        {"identity": "root", "identity_arn": "arn:aws:iam::222222222222:root"},
        {"identity": "identity-center", "identity_arn": "arn:aws:iam::222222222222:role/AWSReservedSSO_Ops_0123"},
        {"policies": ("own.json",)},
        {"policies": ("./own",)},
        {"policies": ("arn:aws:iam::222222222222:policy/Mine",)},
        {"policies": ("arn:aws-cn:iam::aws:policy/ReadOnlyAccess",)},
        {"policies": ("arn:aws:iam::aws:role/x",)},
        {"policies": ("arn:aws:iam::111111111111:policy/A", "arn:aws:iam::333333333333:policy/A")},
        {"policies": tuple(f"P{number}" for number in range(11))},
    ],
)
def test_what_no_text_is_written_for(changes: dict[str, Any]) -> None:
    with pytest.raises(TextError):
        wanted_role(replace(REQUEST, **changes))


# Each is a slip of a writer, or a hand on the file: the reading has to see it, whatever the tool.
SLIPS = {
    "another account": ("arn:aws:iam::222222222222:root", "arn:aws:iam::222222222223:root"),
    "another ExternalId": ("vk-0123456789abcdef", "vk-0123456789abcdee"),
    "a later end": ("2027-03-01T00:00:00Z", "2028-03-01T00:00:00Z"),
    "no MFA": ("aws:MultiFactorAuthPresent", "aws:SecureTransport"),
    "a weak operator": ("StringEquals", "StringEqualsIfExists"),
    "another policy": ("policy/SecurityAudit", "policy/AdministratorAccess"),
    "a pattern": ("StringEquals", "StringLike"),
    "no deny": ("Deny", "Allow"),
}


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("slip", [name for name in SLIPS if name != "a pattern"])
def test_a_changed_text_is_not_proved(tool: SetupTool, slip: str) -> None:
    text, _ = written(tool, ROLE)
    changed = text.replace(*SLIPS[slip])
    assert changed != text
    with pytest.raises(TextNotProved):
        prove_text(tool, changed, ROLE)


@pytest.mark.parametrize("tool", TOOLS)
def test_the_trust_alone_is_proved_too(tool: SetupTool) -> None:
    """Only the trust's end is later: the deny is as agreed, so that nothing but the proof can see it."""
    text, _ = written(tool, ROLE)
    place = text.index("2027-03-01T00:00:00Z")
    with pytest.raises(TextNotProved, match="is admitted"):
        prove_text(tool, f"{text[:place]}2028{text[place + 4 :]}", ROLE)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_text_that_makes_more_is_not_proved(tool: SetupTool) -> None:
    text, _ = written(tool, ROLE)
    more = {
        "cloudformation": text.replace('"Resources": {', '"Resources": {"U": {"Type": "AWS::IAM::User"}, '),
        "terraform": text + '\nresource "aws_iam_user" "u" {\n  name = "u"\n}\n',
        "shell": text.replace("aws iam attach", "aws iam create-user --role-name x\naws iam attach", 1),
        "console": text.replace("     arn:", "     arn:aws:iam::aws:policy/AdministratorAccess\n     arn:", 1),
    }
    assert more[tool] != text
    with pytest.raises(TextNotProved):
        prove_text(tool, more[tool], ROLE)


def test_the_shell_reads_each_value_as_one_word() -> None:
    role = replace(ROLE, description='it\'s $(id) `id` "x" \\ ;')
    text = shell.write(role)
    ran = subprocess.run(
        ["sh"],
        input='aws() { for each in "$@"; do printf "<%s>\\n" "$each" >&2; done; }\n' + text,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert '<it\'s $(id) `id` "x" \\ ;>' in ran.stderr
    assert shell.read(text)[0].params["Description"] == role.description
    order = [call.operation for call in shell.calls(ROLE)]
    assert order == ["create_role", "put_role_policy", "attach_role_policy", "attach_role_policy"]


@pytest.mark.skipif(shutil.which("cfn-lint") is None, reason="cfn-lint is not installed")
def test_cfn_lint_has_nothing_to_say(tmp_path: Any) -> None:
    for name, request in (("user", REQUEST), *OTHERS.items()):
        if request.partition == "aws":
            (tmp_path / f"{name.replace(' ', '-')}.json").write_text(written("cloudformation", wanted_role(request))[0])
    files = sorted(str(path) for path in tmp_path.glob("*.json"))
    ran = subprocess.run(["cfn-lint", *files], capture_output=True, text=True, timeout=100, check=False)
    assert (ran.returncode, ran.stdout) == (0, "")


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
def test_terraform_would_lay_it_out_the_same(tmp_path: Any) -> None:
    (tmp_path / "a.tf").write_text(written("terraform", ROLE)[0])
    ran = subprocess.run(["terraform", "fmt", "-check", "-diff", str(tmp_path)], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "")


@pytest.mark.parametrize(
    "text",
    [
        'resource "aws_iam_role" "x" {\n  name = "a${b}"\n}\n',
        'resource "aws_iam_role" "x" {\n  name = "a%{if}"\n}\n',
        'resource "aws_iam_role" "x" {\n  name = "a\\x"\n}\n',
        'resource "aws_iam_role" "x" {\n  name = var.a + 1\n}\n',
        'resource "aws_iam_role" "x" {\n  name = aws_iam_role.y.name\n}\n',
        'resource "aws_iam_role" "x" {\n  name = "a"\n  name = "b"\n}\n',
        'resource "aws_iam_role" "x" {\n  name = "a"\n}\nresource "aws_iam_role" "x" {\n  name = "b"\n}\n',
        'resource "aws_iam_role" "x" {\n  name = <<EOF\na\nEOF\n}\n',
        'resource "aws_iam_role" "x" {\n  for_each = toset(["a"])\n}\n',
        'resource "aws_iam_role" "x" {\n  count = 2\n}\n',
        'resource "aws_iam_role" "x" {\n  inline_policy {\n    name = "x"\n  }\n}\n',
        'module "x" {\n  source = "./x"\n}\n',
        'resource "aws_iam_role" "x" {\n  name = "a"\n',
        'resource "aws_iam_role" "x" {\n  assume_role_policy = jsonencode({ a = aws_iam_role.x.arn\n })\n}\n',
        "x = " + "[" * 5000,
        'resource "aws_iam_role" "x" {\n  name = ' + "[" * 5000 + "\n}\n",
    ],
)
def test_hcl_that_valetkey_does_not_write_is_refused(text: str) -> None:
    with pytest.raises(SourceError):
        as_plan(text, "x.tf")


def test_hcl_is_read_as_terraform_reads_it() -> None:
    text = (
        '# a comment\nresource "aws_iam_role" "x" {\n  name = "a$${b}%%{c}\\n\\"\\\\\\u00e9\\U0001f4a5$"\n'
        '  max_session_duration = 3600\n  description = "d"\n  assume_role_policy = jsonencode({\n'
        '    "k" = [\n      {\n        "l" = false\n      },\n    ]\n  })\n}\n'
    )
    (resource,) = json.loads(as_plan(text, "x.tf"))["planned_values"]["root_module"]["resources"]
    assert resource["values"] == {
        "name": 'a${b}%{c}\n"\\é💥$',
        "max_session_duration": 3600,
        "description": "d",
        "assume_role_policy": '{"k": [{"l": false}]}',
    }


URL = "https://bucket-1.s3.eu-central-1.amazonaws.com/a/valetkey.json?versionId=abc_DEF.123"


def link(role: WantedRole = ROLE, url: str = URL, there: bytes | None = None) -> str:
    template = written("cloudformation", role)[0]
    return quick_create.link(role, template, url, read=lambda _: template.encode() if there is None else there)


def test_a_link_carries_the_url_as_one_value() -> None:
    made = link()
    assert made == (
        "https://eu-central-1.console.aws.amazon.com/cloudformation/home?region=eu-central-1#/stacks/create/review"
        "?templateURL=https%3A%2F%2Fbucket-1.s3.eu-central-1.amazonaws.com%2Fa%2Fvaletkey.json%3FversionId%3Dabc_DEF.123"
        "&stackName=contractor-222222222222"
    )
    assert "region=us-east-1" in link(url="https://s3.amazonaws.com/bucket.dots/x.json?versionId=a")


@pytest.mark.parametrize(
    "url",
    [
        URL.replace("https", "http"),
        URL.partition("?")[0],
        URL.replace("abc_DEF.123", "null"),
        URL.replace("abc_DEF.123", ""),
        URL + "&X-Amz-Signature=abc",
        URL + "&versionId=b",
        URL + "#x",
        URL.replace("bucket-1", "user@bucket-1"),
        URL.replace(".amazonaws.com", ".amazonaws.com.evil.example"),
        URL.replace(".amazonaws.com", ".amazonaws.com:8443"),
        URL.replace("s3.eu-central-1.amazonaws.com", "example.com"),
        URL.replace("s3.", "s3x."),
        URL.replace("/a/valetkey.json", "/"),
        URL.replace("eu-central-1", "cn-north-1"),
        "https://s3.amazonaws.com/only-bucket?versionId=a",
        "https://bucket.s3-website.eu-central-1.amazonaws.com/x?versionId=a",
        "https://bucket.s3.amazonaws.com/x y?versionId=a",
        "https://[bucket/x?versionId=a",
        "",
    ],
)
def test_a_url_that_is_not_one_version_in_s3_is_refused(url: str) -> None:
    def read(_: str) -> bytes:
        raise AssertionError("it is read")

    with pytest.raises(TextError):
        quick_create.link(ROLE, "", url, read=read)


def test_another_template_or_none_gets_no_link() -> None:
    for there in (b"", written("cloudformation", ROLE)[0].encode() + b"\n", b"{}"):
        with pytest.raises(TextError, match="not the template"):
            link(there=there)

    def read(_: str) -> bytes:
        raise OSError("the status is 403")

    with pytest.raises(TextError, match="403"):
        quick_create.link(ROLE, "x", URL, read=read)
    with pytest.raises(TextError, match="no quick-create link"):
        quick_create.check_url(URL, "aws-iso")


def test_the_mail_says_what_the_owner_has_to_know() -> None:
    for tool in TOOLS:
        sent = letters.sent(tool, ROLE, file="x.txt", reason="audit")
        assert ROLE.terms.external_id in sent.mail
        for item in ("222222222222", "2027-03-01T00:00:00Z", "audit", "SecurityAudit", "ARN"):
            assert item in sent.mail
        is_attached = tool != "console"
        assert (quick_create.sha256(sent.text) in sent.mail) is is_attached
    before = letters.sent("cloudformation", ROLE, file="x")
    linked = letters.with_link(before, ROLE, file="x", reason="", quick_create=link())
    assert f"  {link()}" in linked.mail.splitlines()
    assert "stacks/create/review" not in before.mail


def test_the_steps_of_the_console_say_when_and_where_they_were_read() -> None:
    text = console.write(ROLE)
    assert console.PAGE in text
    assert f"{console.READ_ON:%Y-%m-%d}" in text
    assert date(2026, 11, 29) <= console.READ_ON
    for word in ("Create role", "Custom trust policy", "Create inline policy", "valetkey-until"):
        assert word in text


def test_errors_are_for_a_person() -> None:
    with pytest.raises(ValetkeyError) as problem:
        wanted_role(replace(REQUEST, policies=("own.json",)))
    assert problem.value.do
