"""Faults that people reported of other tools: each test fails if valetkey had that fault.

The reports are public issues on GitHub; a name has the repository and the number.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import sys

import boto3
import pytest
from tests.unit.cli import test_import as importing
from tests.unit.cli import test_use as using
from tests.unit.credentials.doctor import test_doctor as doctor
from tests.unit.trust.test_vendors import ROLE, VENDOR

from valetkey.credentials.delivery.shells import INTERFERING, SET
from valetkey.credentials.profiles import awsconfig
from valetkey.credentials.profiles.profile import load
from valetkey.trust import admits_only, write_trust

config, person = importing.config, using.person
"""Fixtures: a config that was written by hand; two customers with kept sessions."""

VALETKEY = str(pathlib.Path(sys.executable).with_name("valetkey"))
LEFT = r"""env | sed -n 's/=.*//p' | grep -E '^(AWS_|VALETKEY_PROFILE)' | sort | tr '\n' ' '"""


def test_aws_vault_589_another_customer_in_the_same_shell(person: pathlib.Path) -> None:
    """99designs/aws-vault 589: who wants the next profile has to leave the subshell, or unset a variable, first."""
    result, err = using.in_shell("bash", "valetkey use acme", "valetkey use globex", "valetkey use acme")
    assert [(item[0], item[1]) for item in result] == [("0", "acme"), ("0", "globex"), ("0", "acme")], err


def test_aws_vault_812_exec_within_exec(person: pathlib.Path, capfd: pytest.CaptureFixture[str]) -> None:
    """99designs/aws-vault 812: `exec` within the shell of another `exec` is refused ("should be nested with care")."""
    inner = [sys.executable, "-m", "valetkey", "exec", "globex", "--", "sh", "-c", 'echo "$VALETKEY_PROFILE"']
    assert using.run(["exec", "acme", "--", *inner]) == 0
    assert capfd.readouterr().out == "globex\n"


def test_aws_vault_905_unset_forgets_the_profile_too(person: pathlib.Path) -> None:
    """99designs/aws-vault 905: after `clear` the variable with the profile's name stays, and the next `exec` is
    refused."""
    result, err = using.in_shell("bash", "valetkey use acme", "valetkey use --unset", "valetkey use globex")
    assert [item[2] for item in result] == ["acme", "", "globex"], err


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_granted_522_unset_leaves_no_variable(person: pathlib.Path, shell: str) -> None:
    """fwdcloudsec/granted 522: `assume --unset` leaves AWS_DEFAULT_REGION in the shell."""
    path = person / "left"
    _, err = using.in_shell(shell, "valetkey use acme", f"valetkey use --unset; {LEFT} > {path}", AWS_PROFILE="former")
    left = set(path.read_text().split())
    assert not left & {*INTERFERING, *SET, "AWS_REGION", "AWS_DEFAULT_REGION"}, err


def test_granted_466_two_profiles_at_once_and_no_variable(
    person: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """fwdcloudsec/granted 466: `assume` always sets variables; `--profile` and AWS_PROFILE for one command are
    enough."""
    for name in (*INTERFERING, *SET):
        monkeypatch.delenv(name, raising=False)
    before = dict(os.environ)
    for name in ("acme", "globex"):
        awsconfig.write_profile(name, awsconfig.process_command([VALETKEY], name), os.environ)
        keys = boto3.Session(profile_name=name).get_credentials()
        assert keys is not None
        assert keys.access_key == "ASIAKEPT"
    assert dict(os.environ) == before


def test_aws_cli_3304_keys_in_the_environment_do_not_win_over_the_profile(person: pathlib.Path) -> None:
    """aws/aws-cli 3304: with keys in the environment AWS_PROFILE is ignored, and nobody says so."""
    result, err = using.in_shell("bash", "valetkey use acme")  # in_shell sets AWS_ACCESS_KEY_ID
    assert result == [["0", "acme", "acme", "eu-west-1", ""]], err
    facts = dataclasses.replace(doctor.FACTS, env={"AWS_ACCESS_KEY_ID": "AKIAX", "AWS_PROFILE": "acme"})
    answer = doctor.answers(facts)["environment"]
    assert (answer.result, "overrides AWS_PROFILE=acme" in answer.says) == ("blocks", True)
    assert "unset AWS_ACCESS_KEY_ID" in answer.do


@pytest.mark.parametrize("name", ["acme", "Audit/PowerUser", "with space", "größe", "a;b", "$(x)"])
def test_aws_toolkit_jetbrains_3322_no_quotation_marks_where_none_are_needed(name: str) -> None:
    """aws/aws-toolkit-jetbrains 3322: a credential_process with quotation marks is not read."""
    command = awsconfig.process_command(["/opt/valetkey/bin/valetkey"], name)
    assert not set(command) & set("\"'\\")
    assert len(command.split()) == 3
    # Where the path has a blank there is no way without them.
    assert awsconfig.process_command(["/opt/valet key/valetkey"], name).startswith('"/opt/valet key/valetkey" ')


def test_aws_vault_1236_what_is_there_is_imported_at_once(
    config: pathlib.Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """99designs/aws-vault 1236: every profile that exists has to be added by hand; one that is there already should
    not stop the others. Keys in the credentials file stay where every tool finds them."""
    keys = config.with_name("credentials")
    keys.write_text("[default]\naws_access_key_id = AKIA\naws_secret_access_key = s\n")
    before = keys.read_text()
    assert importing.run(capfd, "import", "acme", "--yes")[0] == 0
    code, out, err = importing.run(capfd, "import", "--all", "--yes", "--json")
    assert code == 0, err
    assert [item["profile"] for item in json.loads(out)["imported"]] == ["globex"]
    assert load("globex", os.environ).external_id == "x-globex-1"
    assert keys.read_text() == before


def test_terraform_aws_iam_90_an_external_id_in_place_of_mfa() -> None:
    """terraform-aws-modules/terraform-aws-iam 90: a vendor's service sends an ExternalId and can send no MFA; there was
    no way to ask for the one without the other."""
    document = write_trust(VENDOR)
    conditions = [item.get("Condition", {}) for item in document["Statement"] if item["Effect"] == "Allow"]
    assert all(condition["StringEquals"]["sts:ExternalId"] == VENDOR.external_id for condition in conditions)
    assert "MultiFactorAuth" not in json.dumps(document)
    assert admits_only(document, VENDOR, role_arn=ROLE).holds
    assert not admits_only(document, dataclasses.replace(VENDOR, external_id="another-9f2c"), role_arn=ROLE).holds
