"""Grants of valetkey: audited against the record that they carry."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.audit.roles import ALICE, ID, LOOK, NOW, OWN, A, checks, role, run, trust

from valetkey.account.values import Role
from valetkey.grants.grant import Grant
from valetkey.trust import Terms, write_trust

TERMS = Terms(contractor=A, external_id=ID, only=(ALICE,), until=(NOW + timedelta(days=30)).replace(microsecond=0))


def granted(terms: Terms = TERMS, **more: Any) -> Role:
    """A role as `valetkey grant` makes it."""
    grant = Grant(name="partner", account=OWN, terms=terms, managed=(), inline=(("look", json.loads(LOOK)),))
    inline = {"look": LOOK, **{name: json.dumps(item) for name, item in grant.denies.items()}}
    made: dict[str, Any] = {"tags": grant.record, "inline": inline, "max_session": 3600, **more}
    return role(json.dumps(write_trust(terms)), **made)


def test_a_grant_as_agreed_has_nothing() -> None:
    answer = run(granted())
    assert answer.findings == ()
    assert answer.roles[0].exposure == "guarded"


def test_its_contractor_is_known_from_the_record() -> None:
    assert "T20" not in checks(run(granted()))
    assert "T20" in checks(run(granted(tags={})))


def test_the_trust_was_opened_to_the_whole_account() -> None:
    wide = json.dumps(write_trust(dataclasses.replace(TERMS, only=())))
    answer = run(dataclasses.replace(granted(), trust=wide))
    assert checks(answer) == {"T16", "T26"}
    (result,) = [finding for finding in answer.findings if finding.check == "T16"]
    assert result.witness is not None
    assert result.witness.principal != ALICE


def test_a_trust_changed_but_not_wider_is_drift_alone() -> None:
    narrow = json.dumps(write_trust(dataclasses.replace(TERMS, only=(ALICE + "x",))))
    assert checks(run(dataclasses.replace(granted(), trust=narrow))) == {"T26"}


def test_longer_sessions_than_agreed() -> None:
    answer = run(granted(max_session=7200))
    assert {"T23", "T26"} == checks(answer)
    assert "7200" in next(finding.text for finding in answer.findings if finding.check == "T23")
    assert checks(run(granted(max_session=None))) == set()


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"attached": ("arn:aws:iam::aws:policy/AdministratorAccess",)}, "managed policy"),
        ({"boundary": f"arn:aws:iam::{OWN}:policy/b"}, "boundary"),
        ({"inline": {"look": LOOK}}, "inline policy"),
    ],
)
def test_each_way_of_drifting(change: dict[str, Any], what: str) -> None:
    findings = [finding for finding in run(granted(**change)).findings if finding.check == "T26"]
    assert findings
    assert all(what in finding.text for finding in findings)


def test_a_record_that_cannot_be_read_is_said() -> None:
    answer = run(granted(tags={"valetkey:version": "1"}))
    assert "T26" in checks(answer)
    assert "damaged" in next(finding.text for finding in answer.findings if finding.check == "T26")


def test_a_trust_that_valetkey_never_wrote_is_drift() -> None:
    answer = run(
        dataclasses.replace(
            granted(), trust=trust({"Effect": "Allow", "Principal": {"AWS": A}, "Action": "sts:AssumeRole"})
        )
    )
    assert {"T1", "T26"} <= checks(answer)


def test_a_role_without_a_record_has_no_drift() -> None:
    assert not {"T16", "T23", "T26"} & checks(run(granted(tags={"team": "x"}, max_session=43200)))
