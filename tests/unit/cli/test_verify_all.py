"""verify --all: it says first what it will do, asks, and shows who lets in without ExternalId or MFA."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.credentials.doctor.test_verification import TYPED, World
from tests.unit.credentials.doctor.test_verification import profile as verified_profile

from valetkey.cli import _run, _verifying
from valetkey.credentials.doctor.verification import Verification
from valetkey.credentials.profiles.profile import Profile, load, path_of, save
from valetkey.errors import ValetkeyError

Run = Callable[..., tuple[int, str, str]]


def customer(number: int, **changes: Any) -> Profile:
    return verified_profile(
        name=f"customer-{number}", role_arn=f"arn:aws:iam::30000000000{number}:role/x/audit", **changes
    )


@pytest.fixture
def run(home: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(home)
    save(customer(1), os.environ)
    save(customer(2, **TYPED), os.environ)
    save(customer(3, external_id=None), os.environ)

    def go(*words: str, each: Callable[[Profile], Verification] | None = None) -> tuple[int, str, str]:
        def verified(name: str, **_: Any) -> Verification:
            assert each is not None, "nothing may be tried"
            return each(load(name, os.environ))

        monkeypatch.setattr(_verifying, "verified", verified)
        code = _run.run(["verify", *words])
        shown = capfd.readouterr()
        return code, shown.out, shown.err

    return go


def strict(profile: Profile) -> Verification:
    of = verified_profile(unknown=profile.unknown, origin=profile.origin, external_id=profile.external_id)
    return World(needs_id=profile.external_id is not None).verify(of)


def loose(profile: Profile) -> Verification:
    of = verified_profile(unknown=profile.unknown, origin=profile.origin, external_id=profile.external_id)
    return World(needs_id=False, needs_mfa=False).verify(of)


def test_it_says_how_many_tries_and_needs_a_yes(run: Run) -> None:
    code, out, err = run("--all")
    assert (code, out) == (2, "")
    assert "10 tries at most in the accounts of 3 customers" in err
    assert "--yes" in err
    for words in ((), ("customer-1", "--all")):
        assert run(*words)[0] == 2
    code, _, err = run("custmer-1")
    assert (code, "Did you mean" in err, "CloudTrail" in err) == (2, True, False)


def test_who_holds(run: Run) -> None:
    code, out, _ = run("--all", "--yes", each=strict)
    rows = {line.split()[0]: line.split()[2:] for line in out.splitlines() if "customer-" in line}
    assert rows["customer-1"] == rows["customer-2"] == ["yes", "no", "no"]
    assert rows["customer-3"] == ["yes", "yes,", "as", "agreed", "no"]
    assert code == 0
    assert "only the ExternalId and MFA can be tested" in out


def test_who_lets_in(run: Run) -> None:
    code, out, err = run("--all", "--yes", each=loose)
    rows = {line.split()[0]: line.split()[2:] for line in out.splitlines() if "customer-" in line}
    assert rows["customer-1"] == ["yes", "YES", "YES"]
    assert code == 1
    assert "customer-1: no MFA: this role admits you without MFA" in err
    plain = json.loads(run("--all", "--yes", "--json", each=loose)[1])["profiles"]
    assert [(item["profile"], item["holds"]) for item in plain] == [
        ("customer-1", False),
        ("customer-2", False),
        ("customer-3", False),
    ]


def test_one_that_cannot_be_tried_stops_no_other_and_is_said(run: Run) -> None:
    def each(profile: Profile) -> Verification:
        if profile.name == "customer-2":
            raise ValetkeyError("the base identity is gone", do="sign in")
        return strict(profile)

    path_of("customer-3", os.environ).write_text("{")
    code, out, err = run("--all", "--yes", each=each)
    assert code == 3
    assert "customer-2: the base identity is gone" in err
    assert "customer-3:" in err
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if "customer-" in line}
    assert rows["customer-2"] == rows["customer-3"] == ["unknown"] * 4


def test_an_interrupt_shows_what_was_done(run: Run) -> None:
    def each(profile: Profile) -> Verification:
        if profile.name == "customer-2":
            raise KeyboardInterrupt
        return strict(profile)

    code, out, err = run("--all", "--yes", each=each)
    assert (code, "1 of 3 profiles were tried" in err, "customer-1" in out) == (130, True, True)
