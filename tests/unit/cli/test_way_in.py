"""What the contractor's commands refuse before anybody is asked for a code, and what they say where nobody can be."""

from __future__ import annotations

import os
import pathlib
import threading
import types
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.credentials.sts_world import Base

from valetkey import INSIDE
from valetkey.cli import _machine, _run, _signing, _terminal
from valetkey.credentials.profiles.profile import Profile, save
from valetkey.credentials.sessions import opener
from valetkey.credentials.sessions.ways import Way
from valetkey.errors import ValetkeyError

ACCOUNT = "123456789012"
PHONE, TOKEN = f"arn:aws:iam::{ACCOUNT}:mfa/phone", f"arn:aws:iam::{ACCOUNT}:mfa/token"
Accept = Callable[..., Profile]
BEHIND = "[profile acme-prod]\nrole_arn = arn:aws:iam::310987654321:role/Work\nsource_profile = acme\n"


@pytest.fixture
def accept(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Accept:
    """Accepts a grant on a computer of its own."""
    for name in [item for item in os.environ if item.startswith(("AWS_", "XDG_", "VALETKEY_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".aws").mkdir()

    def make(name: str, **changes: Any) -> Profile:
        given: dict[str, Any] = {
            "name": name,
            "role_arn": f"arn:aws:iam::210987654321:role/{name}",
            "contractor": ACCOUNT,
            "source_profile": "work",
            "mfa": True,
            "mfa_serial": PHONE,
            "max_session": 3600,
            **changes,
        }
        profile = Profile(**given)
        save(profile, os.environ)
        return profile

    return make


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("exec acme --all -- true", "acme is a profile"),
        ("exec acme --profile globex -- true", "acme is a profile"),
        ("exec acme --jobs 2 -- true", "--jobs is for several customers"),
        ("exec --all --long --mfa-code-stdin -- true", "with --long each of 2 customers takes a code"),
        ("exec --profile acme,globex --no-cache --mfa-code-stdin -- true", "with --no-cache each of 2"),
        ("console acme --print --separate", "--print opens no browser"),
        ("console acme --print --browser firefox", "--print opens no browser"),
        ("terraform acme --key net/terraform.tfstate", "the state needs a bucket and a key"),
        ("login acme --store-key --mfa-code-stdin", "--store-key needs no code"),
        ("login acme --store-seed --mfa-code-stdin", "--store-seed makes the code from the seed"),
    ],
)
def test_options_that_would_do_nothing_together_are_refused(
    words: str, said: str, accept: Accept, capsys: pytest.CaptureFixture[str]
) -> None:
    accept("acme")
    accept("globex")
    assert _run.run(words.split()) == (125 if words.startswith("exec") else 2)
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("command", ["terraform", "doctor", "verify"])
def test_what_is_about_a_grant_names_it_for_a_role_behind_it(
    command: str, accept: Accept, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    accept("acme")
    (tmp_path / ".aws/config").write_text(BEHIND)
    assert _run.run([command, "acme-prod"]) == 2
    err = capsys.readouterr().err
    assert "acme-prod is not a grant, but a role that is assumed from one" in err
    assert "name the grant: acme" in err


def test_client_takes_a_role_behind_a_grant_as_exec_does(accept: Accept, tmp_path: pathlib.Path) -> None:
    accept("acme")
    (tmp_path / ".aws/config").write_text(BEHIND)
    opener.check_known("acme", os.environ)
    opener.check_known("acme-prod", os.environ)
    with pytest.raises(ValetkeyError, match="no profile"):
        opener.check_known("nobody", os.environ)


def test_a_base_identity_that_comes_from_the_profile_itself_is_refused(
    accept: Accept, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Any] = []

    def sign_in(source: str, /, **options: Any) -> Any:
        started.append(options["child_env"])
        return Base()

    machine = replace(_machine.machine(), sign_in=sign_in)
    accept("acme")
    accept("globex")
    opener.open_profile(machine, "acme")
    assert started == [{INSIDE: "acme"}]
    assert INSIDE not in os.environ
    monkeypatch.setenv(INSIDE, "globex")  # as a credential_process of globex is started
    with pytest.raises(ValetkeyError, match="the base identity of globex comes from globex itself"):
        opener.open_profile(machine, "globex")
    with pytest.raises(ValetkeyError, match="as the base identity of globex: a session of acme, which valetkey made"):
        opener.open_profile(machine, "acme")
    assert len(started) == 1
    assert os.environ[INSIDE] == "globex"


def test_the_base_identity_of_login(accept: Accept) -> None:
    # No customer yet: the profile that is in use.
    assert _signing.source(None, {**os.environ}) is None
    assert _signing.source(None, {**os.environ, "AWS_PROFILE": "home"}) == "home"
    accept("acme")
    assert _signing.source(None, {**os.environ, "AWS_PROFILE": "acme"}) == "work"
    accept("globex", source_profile="other")
    assert _signing.source(None, {**os.environ, "AWS_PROFILE": "other"}) == "other"
    assert _signing.source("home", {**os.environ, "AWS_PROFILE": "other"}) == "home"
    with pytest.raises(ValetkeyError, match="several base identities: other, work"):
        _signing.source(None, {**os.environ, "AWS_PROFILE": "acme"})


def test_login_asks_for_the_device_that_the_role_is_entered_with(accept: Accept, tmp_path: pathlib.Path) -> None:
    acme = accept("acme")
    (tmp_path / ".aws/config").write_text(f"[profile work]\nmfa_serial = {TOKEN}\n")
    who: Any = types.SimpleNamespace()
    assert _signing.device(None, acme, "work", who) == PHONE
    assert _signing.device(PHONE, acme, "work", who) == PHONE
    assert _signing.device(TOKEN, None, "work", who) == TOKEN
    with pytest.raises(ValetkeyError, match="accepted with another MFA device, " + PHONE):
        _signing.device(TOKEN, acme, "work", who)
    # Two customers, two devices: the AWS config decides.
    accept("globex", mfa_serial=TOKEN)
    assert _signing.device(None, None, "work", who) == TOKEN
    without = accept("initech", mfa=False, mfa_serial=None)
    with pytest.raises(ValetkeyError, match="requires no MFA"):
        _signing.device(None, without, "work", who)


@pytest.mark.parametrize(
    ("way", "wanted"),
    [
        (Way(), "run `valetkey login acme` in a terminal; it asks"),
        (Way(long=True), "leave --long out here"),
        (Way(no_cache=True), "leave --no-cache out here"),
    ],
)
def test_nobody_is_sent_to_a_login_that_does_not_help(way: Way, wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_terminal, "_TTY", "/nonexistent")
    with pytest.raises(ValetkeyError) as caught:
        _terminal.asker("acme", own_code=way.own_code)(PHONE, seconds=1)
    assert wanted in (caught.value.do or "")


def test_two_servers_that_renew_at_the_same_time_are_no_circle(accept: Accept) -> None:
    """`exec --all --server`: each customer's server renews in a thread of its own."""
    acme, globex = accept("acme"), accept("globex")
    both = threading.Barrier(2)  # each is opened while the other one is
    seen: list[str] = []

    def sign_in(source: str, /, **options: Any) -> Any:
        both.wait(20)
        seen.append(options["child_env"][INSIDE])
        return Base()

    machine = replace(_machine.machine(), sign_in=sign_in)
    threads = [threading.Thread(target=opener.entry_of, args=(machine, profile)) for profile in (acme, globex)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(seen) == ["acme", "globex"]
    assert "VALETKEY_INSIDE" not in os.environ
