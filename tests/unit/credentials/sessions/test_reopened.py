"""The note of an opened profile: it comes back whole, or not at all."""

from __future__ import annotations

import pathlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.credentials.sts_world import Calls

from valetkey import INSIDE
from valetkey.credentials.sessions.cache import Cache, Session
from valetkey.credentials.sessions.reopened import SessionNote, recall, remember, way_name
from valetkey.credentials.sessions.values import Credentials
from valetkey.errors import ValetkeyError

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
HEAD = b"head\n"
NOTE = SessionNote(
    session_key="role-x",
    account="210987654321",
    region="eu-west-1",
    config="/home/ann/.aws/config",
    limit="an hour at most",
    until=NOW + timedelta(days=9),
    customer="acme",
    is_in_config=True,
)
MADE = Credentials(
    access_key_id="ASIA1",
    secret_access_key="hush",
    session_token="token",
    expires=NOW + timedelta(hours=1),
    account=NOTE.account,
)


@pytest.fixture
def env(home: pathlib.Path) -> dict[str, str]:
    kept = {"HOME": str(home)}
    Cache(kept).put("role-x", Session(MADE, NOW))
    return kept


@pytest.mark.parametrize("note", [NOTE, replace(NOTE, until=None), replace(NOTE, region=None, is_in_config=False)])
def test_a_note_comes_back_whole_with_its_session(note: SessionNote, env: dict[str, str]) -> None:
    remember("acme", "usual", note, head=HEAD, env=env)
    assert recall("acme", "usual", head=HEAD, env=env, now=NOW) == (note, Session(MADE, NOW))


def test_any_difference_takes_the_long_way(env: dict[str, str]) -> None:
    remember("acme", "usual", NOTE, head=HEAD, env=env)
    for inside in ("acme", "globex", ""):
        assert recall("acme", "usual", head=HEAD, env={**env, INSIDE: inside}, now=NOW) is None
    for name, way, head in (("acme", "long", HEAD), ("other", "usual", HEAD), ("acme", "usual", b"h2\n")):
        assert recall(name, way, head=head, env=env, now=NOW) is None
    # Of another account than the session, before and behind it.
    for account in ("111111111111", "999999999999"):
        remember("acme", "usual", replace(NOTE, account=account), head=HEAD, env=env)
        assert recall("acme", "usual", head=HEAD, env=env, now=NOW) is None


def test_a_session_is_used_while_three_quarters_are_left(env: dict[str, str]) -> None:
    remember("acme", "usual", NOTE, head=HEAD, env=env)
    assert recall("acme", "usual", head=HEAD, env=env, now=NOW + timedelta(minutes=15)) is not None
    assert recall("acme", "usual", head=HEAD, env=env, now=NOW + timedelta(minutes=15, microseconds=1)) is None
    assert recall("acme", "usual", head=HEAD, env=env, now=NOW + timedelta(hours=1)) is None


def test_a_note_whose_session_is_kept_no_more_is_none(env: dict[str, str]) -> None:
    remember("acme", "usual", NOTE, head=HEAD, env=env)
    Cache(env).drop("role-x")
    assert recall("acme", "usual", head=HEAD, env=env, now=NOW) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"until": 1}', '{"until": "tomorrow"}', '{"until": null}', "[" * 100_000]
)
def test_a_note_that_cannot_be_read_takes_the_long_way(text: str, env: dict[str, str], home: pathlib.Path) -> None:
    remember("acme", "usual", NOTE, head=HEAD, env=env)
    path = home / ".cache/valetkey/opened/acme:usual"
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(HEAD + text.encode())
    assert recall("acme", "usual", head=HEAD, env=env, now=NOW) is None


@pytest.mark.parametrize("problem", [OSError("a disk that fails"), ValetkeyError("no home")])
def test_a_disk_that_fails_only_costs_time(
    problem: Exception, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    remember("acme", "usual", NOTE, head=HEAD, env=env)
    monkeypatch.setattr("valetkey.credentials.sessions.reopened.files.read", Calls(problem))
    assert recall("acme", "usual", head=HEAD, env=env, now=NOW) is None
    monkeypatch.setattr("valetkey.credentials.sessions.reopened.files.write", Calls(problem))
    remember("acme", "usual", replace(NOTE, limit="changed"), head=HEAD, env=env)
    monkeypatch.undo()
    assert recall("acme", "usual", head=HEAD, env=env, now=NOW) == (NOTE, Session(MADE, NOW))


def test_each_way_into_the_role_has_a_note_of_its_own(env: dict[str, str]) -> None:
    names = {
        (long, read_only): way_name(long=long, read_only=read_only)
        for long in (False, True)
        for read_only in (False, True)
    }
    assert names == {
        (False, False): "usual",
        (False, True): "usual-read-only",
        (True, False): "long",
        (True, True): "long-read-only",
    }
