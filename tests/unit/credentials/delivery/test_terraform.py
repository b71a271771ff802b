"""Terraform's blocks: what they say, and that no value ends its quotes or begins a template."""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import subprocess
from typing import Any

import pytest

from valetkey.credentials.delivery.terraform import State, Target, aliases, blocks
from valetkey.credentials.profiles.profile import Profile
from valetkey.exchange.texts.hcl import as_json, hcl, quoted
from valetkey.policy.arns import NOBODY

TERRAFORM = shutil.which("terraform")
ENTER = {
    "RoleArn": "arn:aws:iam::210987654321:role/p/audit",
    "RoleSessionName": "carol",
    "ExternalId": "vk-1",
}


def customer(
    name: str = "acme", account: str = "210987654321", region: str | None = "eu-west-1", **more: Any
) -> Target:
    profile = Profile(
        name=name,
        role_arn=f"arn:aws:iam::{account}:role/p/audit",
        external_id="vk-1",
        contractor="123456789012",
        source_profile="work",
        mfa=more.pop("mfa", True),
        max_session=43200,
    )
    return Target(profile=profile, region=region, enter=ENTER | more)


def test_one_customer_is_the_default_provider() -> None:
    assert hcl(blocks([customer()])) == (
        "# acme: account 210987654321, role/p/audit\n"
        'provider "aws" {\n'
        '  profile             = "acme"\n'
        '  region              = "eu-west-1"\n'
        '  allowed_account_ids = ["210987654321"]\n'
        "}\n"
    )


def test_several_have_aliases_and_what_names_none_is_refused() -> None:
    text = hcl(blocks([customer("acme"), customer("4.two", "310987654321", region=None)]))
    assert re.findall(r'alias +-?= "(.*)"', text) == ["acme", "c_4_two"]
    assert re.findall(r'profile +-?= "(.*)"', text) == ["acme", "4.two"]
    assert re.findall(r'allowed_account_ids = \["(.*)"\]', text) == ["210987654321", "310987654321", NOBODY]
    default = text.rpartition("\n\n")[2]
    assert "alias" not in default
    assert "profile" not in default
    assert 'region              = "eu-west-1"' in default


def test_the_provider_enters_the_role_by_itself_with_everything_the_session_carries() -> None:
    more = {
        "SourceIdentity": "carol@example",
        "Tags": [{"Key": "team ${x}", "Value": 'a"b'}],
        "TransitiveTagKeys": ["team ${x}"],
        "PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}],
        "Policy": '{"Version": "2012-10-17"}',
    }
    text = hcl(blocks([customer(**more)], shape="assume-role"))
    assert text == (
        "# acme: account 210987654321, role/p/audit\n"
        'provider "aws" {\n'
        '  profile             = "acme-mfa"\n'
        '  region              = "eu-west-1"\n'
        '  allowed_account_ids = ["210987654321"]\n'
        "\n"
        "  assume_role {\n"
        '    role_arn        = "arn:aws:iam::210987654321:role/p/audit"\n'
        '    external_id     = "vk-1"\n'
        '    session_name    = "carol"\n'
        '    duration        = "3600s"\n'
        '    source_identity = "carol@example"\n'
        '    policy          = "{\\"Version\\": \\"2012-10-17\\"}"\n'
        '    policy_arns     = ["arn:aws:iam::aws:policy/ReadOnlyAccess"]\n'
        "    tags = {\n"
        '      "team $${x}" = "a\\"b"\n'
        "    }\n"
        '    transitive_tag_keys = ["team $${x}"]\n'
        "  }\n"
        "}\n"
    )
    # Without MFA there is no session before the role's: it begins with the base identity's own profile.
    assert 'profile             = "work"' in hcl(blocks([customer(mfa=False)], shape="assume-role"))


def test_the_backend_is_in_the_first_customers_account() -> None:
    targets = [customer("acme"), customer("other", "310987654321")]
    text = hcl(blocks(targets, state=State("acme-state", "net/terraform.tfstate")))
    assert text.startswith(
        "terraform {\n"
        '  backend "s3" {\n'
        '    bucket              = "acme-state"\n'
        '    key                 = "net/terraform.tfstate"\n'
        '    profile             = "acme"\n'
        '    region              = "eu-west-1"\n'
        '    allowed_account_ids = ["210987654321"]\n'
        "    encrypt             = true\n"
        "    use_lockfile        = true\n"
        "  }\n"
        "}\n"
        "\n"
    )
    inner = hcl(blocks(targets, shape="assume-role", state=State("b"))).partition("}\n}\n")[0]
    assert 'profile             = "acme-mfa"' in inner
    assert '    assume_role = {\n      "role_arn"     = "arn:aws:iam::210987654321:role/p/audit"\n' in inner


def test_json_says_the_same() -> None:
    result = blocks([customer("a"), customer("b", "310987654321")], shape="assume-role", state=State("s"))
    plain = json.loads(as_json(result))
    assert plain["terraform"][0]["backend"]["s3"][0]["bucket"] == "s"
    first, second, guard = plain["provider"]["aws"]
    assert (first["alias"], first["allowed_account_ids"], second["alias"]) == ("a", ["210987654321"], "b")
    assert first["assume_role"] == [
        {
            "role_arn": "arn:aws:iam::210987654321:role/p/audit",
            "external_id": "vk-1",
            "session_name": "carol",
            "duration": "3600s",
        }
    ]
    assert guard["allowed_account_ids"] == [NOBODY]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("plain", '"plain"'),
        ('a"b', r'"a\"b"'),
        ("a\\", r'"a\\"'),
        ("${x}", '"$${x}"'),
        ("%{ if }", '"%%{ if }"'),
        ("$${x}", '"$$${x}"'),
        ("$ { 5% {", '"$ { 5% {"'),
        ('"\n}\n', r'"\"\n}\n"'),
        ("\r\t\x1b\u202e", r'"\r\t\U0000001b\U0000202e"'),
    ],
)
def test_what_stands_between_quotes(text: str, wanted: str) -> None:
    """As Terraform 1.11 reads it: see the test below, where it is installed."""
    assert quoted(text) == wanted


def test_a_name_cannot_end_its_comment() -> None:
    target = customer()
    arn = 'arn:aws:iam::210987654321:role/x\n}\nresource "x" "y" {\u2028'
    from dataclasses import replace

    text = hcl(blocks([replace(target, profile=replace(target.profile, role_arn=arn))]))
    assert text.splitlines()[0] == '# acme: account 210987654321, role/x?}?resource "x" "y" {?'


def test_aliases_are_identifiers_and_differ() -> None:
    result = aliases(["a.b", "a_b", "a@b", "1", "-x", "a-b"])
    assert result == ("a_b", "a_b_2", "a_b_3", "c_1", "c_-x", "a-b")
    assert aliases(["a.b", "a_b_2", "a_b"]) == ("a_b", "a_b_2", "a_b_3")
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", item) for item in result)


@pytest.mark.skipif(
    TERRAFORM is None, reason="terraform is not installed; the expected texts were read back with 1.11.4"
)
def test_terraform_reads_back_every_character(tmp_path: pathlib.Path) -> None:
    text = 'a"b\\n${1+1}%{if}$${a}%%{b}$$$\n\t\x01\u202e é 💥 ${'
    plain, other = tmp_path / "hcl", tmp_path / "json"
    for folder in (plain, other):
        folder.mkdir()
    (plain / "x.tf").write_text(f'output "x" {{ value = {quoted(text)} }}\n')
    target = customer(name="acme")
    as_value = json.loads(as_json(blocks([customer(RoleSessionName=text)], shape="assume-role")))
    (other / "x.tf.json").write_text(
        json.dumps({"output": {"x": {"value": as_value["provider"]["aws"][0]["assume_role"][0]["session_name"]}}})
    )
    for folder in (plain, other):
        run = [str(TERRAFORM), f"-chdir={folder}"]
        subprocess.run([*run, "apply", "-auto-approve"], check=True, capture_output=True, timeout=50)
        said = subprocess.run([*run, "output", "-json"], check=True, capture_output=True, timeout=50).stdout
        assert json.loads(said)["x"]["value"] == text
    for shape in ("profile", "assume-role"):
        (tmp_path / "main.tf").write_text(hcl(blocks([target, customer("b")], shape=shape, state=State("s"))))
        subprocess.run([str(TERRAFORM), "fmt", "-check", str(tmp_path / "main.tf")], check=True, timeout=50)
