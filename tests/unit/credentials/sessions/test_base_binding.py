"""The base identity is fixed: what is recorded, what a file of an earlier version is bound to, what is never one."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
from datetime import UTC, datetime

import pytest
from tests.unit.credentials.sts_world import OURS, OWNER, profile

from valetkey.credentials.profiles.identity import parse_identity
from valetkey.credentials.profiles.profile import ProfileError, load, path_of, save
from valetkey.credentials.sessions.base_binding import (
    NotBound,
    OwnSession,
    bind,
    elsewhere,
    files_of,
    refuse_accepted_role,
    refuse_other,
    with_files,
)
from valetkey.credentials.sessions.cache import Cache, Session
from valetkey.credentials.sessions.refusals import WrongCaller
from valetkey.credentials.sessions.values import credentials_of

ANN = parse_identity(f"arn:aws:iam::{OURS}:user/team/ann")
BOB = parse_identity(f"arn:aws:iam::{OURS}:user/bob")
STRANGER = parse_identity(f"arn:aws:iam::{OWNER}:user/ann")
INSIDE = parse_identity(f"arn:aws:sts::{OWNER}:assumed-role/Audit/ann")


def test_a_file_of_an_earlier_version_is_read_and_bound_to_the_recorded_user(home: pathlib.Path) -> None:
    env = {"HOME": str(home)}
    path = path_of("acme", env)
    path.parent.mkdir(parents=True)
    plain = {
        "valetkey": "profile/v1",
        "name": "acme",
        "role_arn": f"arn:aws:iam::{OWNER}:role/team/Audit",
        "contractor": OURS,
        "mfa": False,
        "max_session": 3600,
        "user_name": "ann",
    }
    path.write_text(json.dumps(plain))
    path.chmod(0o600)
    old = load("acme", env)
    assert not old.is_bound
    found = bind(old, [("default", BOB), (None, ANN)], env)
    assert (found.source_profile, found.base_from_environment, found.base_arn) == (None, True, ANN.arn)
    found = bind(old, [("default", ANN), (None, BOB)], env)
    assert (found.source_profile, found.base_from_environment, found.base_arn) == ("default", False, ANN.arn)
    assert found.base_files == ("~/.aws/config", "~/.aws/credentials")
    save(found, env)
    assert load("acme", env) == found
    # What is not set is not written.
    assert "base_from_environment" not in json.loads(path.read_text())["local"]


@pytest.mark.parametrize("found", [[], [("default", BOB)], [("default", STRANGER), (None, INSIDE)]])
def test_nobody_else_is_bound(found: list[tuple[str | None, object]]) -> None:
    with pytest.raises(NotBound, match="accepted as the user ann") as caught:
        bind(profile(), found, {"HOME": "/h"})  # type: ignore[arg-type]
    assert "accept again" in caught.value.do
    with pytest.raises(NotBound, match="accepted as no IAM user"):
        bind(profile(user_name=None), [("default", ANN)], {"HOME": "/h"})


def test_a_profile_cannot_say_both(home: pathlib.Path) -> None:
    with pytest.raises(ProfileError, match="base_from_environment"):
        save(profile(source_profile="work", base_from_environment=True), {"HOME": str(home)})
    with pytest.raises(ProfileError, match="base_files"):
        save(profile(source_profile="work", base_files=("x",)), {"HOME": str(home)})


def test_a_session_of_an_accepted_role_is_recognised_by_what_aws_says() -> None:
    acme = profile()
    with pytest.raises(OwnSession, match="a session of acme"):
        refuse_accepted_role(INSIDE, [acme])
    for other in (ANN, STRANGER, parse_identity(f"arn:aws:sts::{OURS}:assumed-role/Audit/ann")):
        refuse_accepted_role(other, [acme])
    refuse_accepted_role(INSIDE, [dataclasses.replace(acme, role_arn=f"arn:aws:iam::{OWNER}:role/Other")])


def test_a_session_that_was_made_here_is_remembered_by_a_digest(home: pathlib.Path) -> None:
    runtime = home / "run"
    runtime.mkdir(mode=0o700)
    for keep in (True, False):
        cache = Cache({"HOME": str(home), "XDG_RUNTIME_DIR": str(runtime)}, keep=keep)
        made, other = f"ASIA{keep}", "ASIA2"
        assert not cache.was_issued(made)
        cache.note_issued(made)
        assert cache.was_issued(made)
        assert not cache.was_issued(other)
        assert not any(made in str(each) for each in home.rglob("*"))


def test_the_aws_files_are_those_of_the_acceptance_while_they_are_there(home: pathlib.Path) -> None:
    env = {"HOME": str(home)}
    (home / ".aws").mkdir()
    for name in ("config", "credentials"):
        (home / ".aws" / name).write_text("")
    usual = files_of(env)
    assert usual == ("~/.aws/config", "~/.aws/credentials")
    foreign = {**env, "AWS_CONFIG_FILE": str(home / "c"), "AWS_SHARED_CREDENTIALS_FILE": str(home / "k")}
    found = {
        "AWS_CONFIG_FILE": str(home / ".aws/config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / ".aws/credentials"),
    }
    assert with_files(usual, foreign) == found
    assert not elsewhere(usual, env)
    assert elsewhere(usual, foreign)
    # Moved: the environment says where to.
    (home / ".aws/credentials").unlink()
    assert "AWS_SHARED_CREDENTIALS_FILE" not in with_files(usual, foreign)
    assert files_of(foreign) == (str(home / "c"), str(home / "k"))
    assert with_files((), foreign) == {}


def test_whose_a_long_term_key_is_stays_known_and_what_was_issued_is_forgotten(home: pathlib.Path) -> None:
    cache = Cache({"HOME": str(home)})
    cache.note_caller("caller-x", ANN.arn)
    cache.note_issued("ASIA1")
    for each in (home / ".cache/valetkey/sessions").iterdir():
        os.utime(each, (0, 0))
    session = Session(credentials_of(ANSWER, OWNER), datetime.now(UTC))
    cache.put("role-x", session)
    assert cache.caller("caller-x") == ANN.arn
    assert not cache.was_issued("ASIA1")


ANSWER = {
    "Credentials": {
        "AccessKeyId": "ASIA2",
        "SecretAccessKey": "hush",
        "SessionToken": "t",
        "Expiration": datetime(2100, 1, 1, tzinfo=UTC),
    }
}


@pytest.mark.parametrize(
    ("base", "named"),
    [
        ({"source_profile": "work"}, "the profile work now is"),
        ({"base_from_environment": True}, "the environment now is"),
    ],
)
def test_another_caller_is_refused_by_the_name_of_its_place(base: dict[str, object], named: str) -> None:
    mine = profile(base_arn=ANN.arn, **base)
    refuse_other(mine, ANN)
    with pytest.raises(WrongCaller, match=named):
        refuse_other(mine, BOB)
