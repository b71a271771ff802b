"""Changes, suspensions and what ends on the contractor's side as JSON: the keys, their order and their schemas."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.unit.grants.fake_iam import FakeIam
from tests.unit.grants.test_change import prepared
from tests.unit.report.test_results import checker

from valetkey.credentials.doctor.verification import Probe, Verification
from valetkey.credentials.profiles.importing import Left, Plan
from valetkey.credentials.profiles.profile import Profile, TermsOrigin
from valetkey.credentials.sessions.dropping import Dropped
from valetkey.errors import ValetkeyError
from valetkey.grants.change import change
from valetkey.grants.grant import Grant
from valetkey.grants.plan import plan
from valetkey.grants.role import read_owner, read_role
from valetkey.grants.status import read_standing
from valetkey.grants.suspend import resume, suspend
from valetkey.grants.waiting import Waiting
from valetkey.report import changing, dropping, importing, verifying
from valetkey.trust import Terms

A = "222222222222"
CAROL, XENIA = f"arn:aws:iam::{A}:user/carol", f"arn:aws:iam::{A}:user/xenia"
AUDIT = "arn:aws:iam::aws:policy/SecurityAudit"
READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"
NOW = datetime(2026, 11, 29, 9, tzinfo=UTC)
CHANGED = (
    *("valetkey", "name", "role_arn", "account", "adds", "removes", "policies", "fields", "sessions"),
    *("sessions_before", "paused", "resumed", "opens", "previous_until", "waited_seconds", "proof", "calls", "dry_run"),
)
POLICIES = ("adds", "removes", "same_actions", "unread", "undecided")
PROFILE = Profile(
    name="acme",
    role_arn="arn:aws:iam::111111111111:role/audit",
    origin=TermsOrigin.IMPORTED,
    contractor=A,
    customer="Acme",
    source_profile="work",
    mfa=True,
    max_session=3600,
)


@pytest.fixture
def iam() -> FakeIam:
    made = FakeIam("111111111111")
    terms = Terms(contractor=A, external_id="the-first", mfa=False, only=(CAROL, XENIA))
    for call in plan(Grant(name="audit", account=made.account, terms=terms, managed=(AUDIT,)), None):
        made(call)
    return made


@pytest.fixture
def waiting() -> Waiting:
    seconds = iter(range(0, 100_000, 5))
    return Waiting(sleep=lambda _: None, clock=lambda: float(next(seconds)))


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Callable[[str], Any]:
    def read(schema: str) -> Any:
        said = json.loads(capsys.readouterr().out)
        checker(schema)(said)
        return said

    return read


def test_a_change_that_is_planned_and_made(iam: FakeIam, waiting: Waiting, printed: Callable[[str], Any]) -> None:
    planned = prepared(iam, NOW, only=(CAROL,), add_policies=(READ,))
    changing.say_change_plan(planned, as_json=True)
    said = printed("change-plan")
    assert tuple(said) == CHANGED
    assert tuple(said["policies"]) == POLICIES
    assert all(tuple(field) == ("what", "old", "new") for field in said["fields"])
    assert all(tuple(call) == ("action", "params") for call in said["calls"])
    assert (said["dry_run"], said["sessions"], said["sessions_before"], said["waited_seconds"]) == (
        True,
        "denied",
        None,
        0.0,
    )
    assert tuple(said["opens"]) == ("levels", "reads_data", "escalations", "outlives", "undecided")
    done = change(planned, perform=iam, now=lambda: NOW, waiting=waiting)
    changing.say_changed(done, as_json=True)
    made = printed("changed")
    assert tuple(made) == CHANGED
    assert made["calls"] == [call.action for call in done.calls]
    assert done.cut is not None
    assert made["sessions_before"] == f"{done.cut:%Y-%m-%dT%H:%M:%SZ}"
    differing = ("calls", "dry_run", "sessions_before", "waited_seconds")
    assert {**said, **{key: made[key] for key in differing}} == made


def test_an_end_alone_opens_nothing(iam: FakeIam, printed: Callable[[str], Any]) -> None:
    changing.say_change_plan(prepared(iam, NOW, until=NOW + timedelta(days=30)), as_json=True)
    said = printed("change-plan")
    assert (said["policies"], said["opens"], said["previous_until"]) == (None, None, None)


def test_a_suspension_and_its_end(iam: FakeIam, waiting: Waiting, printed: Callable[[str], Any]) -> None:
    def standing() -> Any:
        role = read_role(iam, "audit")
        assert role is not None
        return read_standing(role)

    owner = read_owner(iam)
    done = suspend(standing(), until=None, owner=owner, perform=iam, now=NOW, waiting=waiting)
    changing.say_suspended(done, as_json=True)
    said = printed("suspended")
    assert tuple(said) == ("valetkey", "name", "role_arn", "since", "until", "calls")
    assert (said["since"], said["until"], bool(said["calls"])) == ("2026-11-29T09:00:00Z", None, True)
    later = NOW + timedelta(minutes=10)
    ended = resume(standing(), owner=owner, perform=iam, now=lambda: later, waiting=waiting)
    for resumed in (ended, replace(ended, may_live_until=later)):
        changing.say_resumed(resumed, as_json=True)
        said = printed("resumed")
        assert tuple(said) == ("valetkey", "name", "role_arn", "sessions_before", "may_live_until", "note", "calls")
        assert (said["note"] is None) == (resumed.may_live_until is None)


def test_what_is_dropped(printed: Callable[[str], Any]) -> None:
    dropping.say_logged_out(Dropped(roles=2, mfa=1, keyring=""), PROFILE, as_json=True)
    assert list(printed("logged-out").items()) == [
        ("profile", "acme"),
        ("role_sessions", 2),
        ("mfa_sessions", 1),
        ("keyring", None),
    ]
    config = Path("config")
    for profile, backup in ((PROFILE, Path("config.bak")), (None, None)):
        dropping.say_forgotten(
            *("acme", profile, "", config, backup), restored=False, foreign=False, broken=("b",), as_json=True
        )
        assert list(printed("forgotten").items()) == [
            ("profile", "acme"),
            ("role_arn", profile and PROFILE.role_arn),
            ("restored", False),
            ("config", "config"),
            ("backup", backup and "config.bak"),
            ("behind", ["b"]),
        ]


def test_an_import(printed: Callable[[str], Any]) -> None:
    left = Left("other", "it has no role_arn", fine=True)
    text = "[profile acme]\nrole_arn = a\n"
    made = Plan((PROFILE,), (left,), text, text.replace("= a", "= b"), {"vk-1": ("acme", "b")})
    importing.say_imported(made, Path("config"), None, as_json=True)
    said = printed("imported")
    assert tuple(said) == ("config", "written", "backup", "imported", "left", "shared_external_ids", "changes")
    assert [list(item.items()) for item in said["imported"]] == [
        [
            ("profile", "acme"),
            ("customer", "Acme"),
            ("account", "111111111111"),
            ("role_arn", PROFILE.role_arn),
            ("base", "work"),
            ("base_arn", None),
            ("mfa_serial", None),
            ("shares_external_id", False),
        ]
    ]
    assert [list(item.items()) for item in said["left"]] == [
        [("profile", "other"), ("why", "it has no role_arn"), ("do", ""), ("fine", True)]
    ]
    assert said["shared_external_ids"] == [["acme", "b"]]


def test_all_customers_verified(printed: Callable[[str], Any]) -> None:
    probe = Probe("right way", "right", "you are in")
    tried = (
        verifying.Tried("acme", Verification(PROFILE, (probe,)), None),
        verifying.Tried("b", None, ValetkeyError("no such file", do="look")),
    )
    verifying.say_all(tried, as_json=True)
    said = printed("verifications")
    shown = {"way": "right way", "result": "right", "says": "you are in", "applies": True, "failed": False}
    assert [list(profile.items()) for profile in said["profiles"]] == [
        [
            *(("profile", "acme"), ("account", "111111111111"), ("role_arn", PROFILE.role_arn), ("holds", True)),
            *(("likely", None), ("probes", [shown]), ("problem", None), ("do", None)),
        ],
        [
            *(("profile", "b"), ("account", None), ("role_arn", None), ("holds", None)),
            *(("likely", None), ("probes", []), ("problem", "no such file"), ("do", "look")),
        ],
    ]
