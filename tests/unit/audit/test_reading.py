"""Files of shapes that were misread once, each with what is right for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.audit.roles import NOW, OWN

from valetkey.account import SourceError
from valetkey.account.files import read_files
from valetkey.audit import Audit, Scope, audit
from valetkey.cli._run import run

FILES = Path(__file__).with_name("reading")
ANSWERS: dict[str, tuple[str, str, set[str]]] = {
    # file: exposure, reason, checks of medium and above (and what is unknown)
    "external-id.yaml": ("guarded", "if ExternalId is not guessable", set()),
    "mixed.yaml": ("unguarded", "", {"T4"}),
    "account.yaml": ("unknown", "not decided: unguarded unless Partner is your own account", {"unknown"}),
    "service-source.yaml": ("internal", "", set()),
    "github.yaml": ("guarded", "if Owner names one tenant", set()),
    "function.yaml": ("unguarded", "", {"T4"}),
    "stack-set.yaml": ("unguarded", "", {"T4"}),
    "flow.template": ("unguarded", "", {"T4"}),
    "twice.yaml": ("unguarded", "", {"T4"}),
    "import.yaml": (
        "guarded",
        'if the import of vendor is not "*", unless the import of vendor is your own account',
        set(),
    ),
    "data-source.json": ("unguarded", "", {"T19"}),
    "awscc.json": ("unguarded", "", {"T4"}),
    "get-role.json": ("unguarded", "", {"T4"}),
}
REFUSED = {
    "scp.json": "scp.json is not a trust policy",
    "raw.tfstate": "raw.tfstate is Terraform's raw state",
}


def _audit(name: str) -> Audit:
    account = read_files([name], read=lambda name: (FILES / name).read_bytes(), owner=OWN)
    return audit(account, scope=Scope(), now=NOW)


def test_every_file_has_its_answer():
    assert {item.name for item in FILES.iterdir()} == {*ANSWERS, *REFUSED}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_file_is_answered_right(name):
    exposure, reason, checks = ANSWERS[name]
    answer = _audit(name)
    (role,) = answer.roles
    assert (role.exposure, role.reason) == (exposure, reason)
    assert checks <= {finding.check for finding in answer.failing("medium")}
    assert checks or not answer.failing("medium")


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_is_no_account_is_refused(name):
    with pytest.raises(SourceError, match=REFUSED[name]):
        _audit(name)
    assert run(["audit", str(FILES / name)]) == 2


def test_what_is_given_twice_is_named_with_its_line():
    (twice,) = _audit("twice.yaml").incomplete
    assert "Call is given twice (the second time in line 9)" in twice
