"""The base identity is fixed: what is recorded, what a file of an earlier version is bound to, what is never one."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
from datetime import UTC, datetime
from typing import Any

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
    is_recorded,
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
    result = bind(old, [("default", BOB), (None, ANN)], env)
    assert (result.source_profile, result.base_from_environment, result.base_arn) == (None, True, ANN.arn)
    result = bind(old, [("default", ANN), (None, BOB)], env)
    assert (result.source_profile, result.base_from_environment, result.base_arn) == ("default", False, ANN.arn)
    assert result.base_files == ("~/.aws/config", "~/.aws/credentials")
    save(result, env)
    assert load("acme", env) == result
    # What is not set is not written.
    assert "base_from_environment" not in json.loads(path.read_text())["local"]


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
        assert not any(made in str(item) for item in home.rglob("*"))


def test_the_aws_files_are_those_of_the_acceptance_while_they_are_there(home: pathlib.Path) -> None:
    env = {"HOME": str(home)}
    (home / ".aws").mkdir()
    for name in ("config", "credentials"):
        (home / ".aws" / name).write_text("")
    usual = files_of(env)
    assert usual == ("~/.aws/config", "~/.aws/credentials")
    foreign = {**env, "AWS_CONFIG_FILE": str(home / "c"), "AWS_SHARED_CREDENTIALS_FILE": str(home / "k")}
    result = {
        "AWS_CONFIG_FILE": str(home / ".aws/config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / ".aws/credentials"),
    }
    assert with_files(usual, foreign) == result
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
    for item in (home / ".cache/valetkey/sessions").iterdir():
        os.utime(item, (0, 0))
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
    ("recorded", "caller", "is_same"),
    [
        ({"base_arn": ANN.arn}, ANN.arn, True),
        # Another in the same order of the alphabet, before and behind.
        ({"base_arn": ANN.arn}, f"arn:aws:iam::{OURS}:user/team/amy", False),
        ({"base_arn": ANN.arn}, BOB.arn, False),
        ({"base_arn": f"arn:aws:sts::{OURS}:assumed-role/Ops/x"}, f"arn:aws:sts::{OURS}:assumed-role/Ops/y", True),
        ({"base_arn": f"arn:aws:sts::{OURS}:assumed-role/Ops/x"}, f"arn:aws:sts::{OURS}:assumed-role/Dev/x", False),
        ({"base_arn": f"arn:aws:sts::{OURS}:assumed-role/Ops/x"}, f"arn:aws:sts::{OURS}:assumed-role/Qa/x", False),
        # Without an ARN: an IAM user of this account and name.
        ({}, ANN.arn, True),
        ({}, f"arn:aws:iam::{OURS}:user/amy", False),
        ({}, BOB.arn, False),
        ({}, STRANGER.arn, False),
        ({}, f"arn:aws:sts::{OURS}:assumed-role/ann/x", False),
        ({"base_arn": f"arn:aws:sts::{OURS}:federated-user/ann"}, f"arn:aws:sts::{OURS}:federated-user/ann", True),
        # Nothing is recorded.
        ({"user_name": None}, STRANGER.arn, True),
    ],
)
def test_who_the_recorded_person_is(recorded: dict[str, str], caller: str, is_same: bool) -> None:
    assert is_recorded(profile(**recorded), parse_identity(caller)) is is_same


@pytest.mark.parametrize(
    ("recorded", "what"),
    [
        ({"base_arn": ANN.arn, "source_profile": "work"}, f"{ANN.arn}; the profile work now is {BOB.arn}"),
        ({"base_from_environment": True}, f"the user ann; the environment now is {BOB.arn}"),
    ],
)
def test_another_caller_is_refused_with_both_names(recorded: dict[str, object], what: str) -> None:
    refuse_other(profile(**recorded), ANN)
    with pytest.raises(WrongCaller) as caught:
        refuse_other(profile(**recorded), BOB)
    caller = caught.value
    assert caller.what == f"the base identity of acme is {what}"
    assert caller.do == (
        "sign in as that user; to work as the other one, accept the handoff again: `valetkey accept FILE --name acme`"
    )
    assert (caller.code, caller.where, caller.exit_code) == ("AccessDenied", "sts:GetCallerIdentity", 3)


def test_only_a_session_of_the_very_role_is_one_of_the_role_s() -> None:
    acme = profile()
    permission_set = f"arn:aws:iam::{OWNER}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Audit_0"
    center = parse_identity(f"arn:aws:sts::{OWNER}:assumed-role/AWSReservedSSO_Audit_0/ann")
    with pytest.raises(OwnSession) as caught:
        refuse_accepted_role(center, [acme, dataclasses.replace(acme, name="globex", role_arn=permission_set)])
    assert caught.value.what == (
        f"the credentials are {center.arn}, a session of globex, which valetkey made: such a session is never a base "
        "identity"
    )
    assert caught.value.exit_code == 1
    # A user who is called like the role, and roles before and behind it.
    for other in (
        f"arn:aws:iam::{OWNER}:user/Audit",
        f"arn:aws:sts::{OWNER}:assumed-role/Admin/ann",
        f"arn:aws:sts::{OWNER}:assumed-role/Zoo/ann",
        f"arn:aws:sts::{OWNER}:federated-user/Audit",
    ):
        refuse_accepted_role(parse_identity(other), [acme])


@pytest.mark.parametrize(
    ("user", "found", "what"),
    [
        ("ann", [], f"the user ann of {OURS}, and you are not signed in"),
        (
            "ann",
            [("default", BOB), (None, INSIDE)],
            f"the user ann of {OURS}, and the profile default is {BOB.arn}; the environment is {INSIDE.arn}",
        ),
        (
            "ann",
            [("default", STRANGER)],
            f"the user ann of {OURS}, and the profile default is {STRANGER.arn}",
        ),
        (None, [("default", ANN)], f"no IAM user, and the profile default is {ANN.arn}"),
    ],
)
def test_what_is_said_where_nobody_is_bound(user: str | None, found: list[Any], what: str) -> None:
    with pytest.raises(NotBound) as caught:
        bind(profile(user_name=user), found, {"HOME": "/h"})
    assert caught.value.what == (
        f"the file of acme does not say where its base identity comes from; it was accepted as {what}"
    )
    assert caught.value.do == (
        "accept again, with --profile or with --base-from-environment: accept the handoff again: `valetkey accept FILE "
        "--name acme`"
    )
    assert caught.value.exit_code == 1


def test_the_files_that_are_recorded_are_those_that_are_named(home: pathlib.Path) -> None:
    env = {"HOME": str(home)}
    here = pathlib.Path.cwd()
    assert files_of({**env, "AWS_CONFIG_FILE": "mine"}) == (str(here / "mine"), "~/.aws/credentials")
    assert files_of({**env, "AWS_SHARED_CREDENTIALS_FILE": "mine"}) == ("~/.aws/config", str(here / "mine"))
    assert files_of({**env, "AWS_CONFIG_FILE": ""}) == ("~/.aws/config", "~/.aws/credentials")


def test_a_recorded_file_is_below_the_home_of_now_and_no_variable_moves_it(home: pathlib.Path) -> None:
    (home / ".aws").mkdir()
    (home / ".aws/config").write_text("")
    usual = ("~/.aws/config", "~/.aws/credentials")
    for name in ("HOME", "USERPROFILE"):
        env = {name: str(home), "AWS_CONFIG_FILE": "/elsewhere"}
        assert with_files(usual, env) == {"AWS_CONFIG_FILE": str(home / ".aws/config")}
    # Only one of the two is elsewhere.
    (home / ".aws/credentials").write_text("")
    env = {"HOME": str(home)}
    assert elsewhere(usual, {**env, "AWS_CONFIG_FILE": "/elsewhere"})
    assert elsewhere(usual, {**env, "AWS_SHARED_CREDENTIALS_FILE": "/elsewhere"})
    assert not elsewhere((), {**env, "AWS_CONFIG_FILE": "/elsewhere"})
