"""The note of an opened profile: it comes back whole, or not at all."""

from __future__ import annotations

import pathlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from valetkey import INSIDE
from valetkey.credentials.sessions.cache import Cache, Session
from valetkey.credentials.sessions.reopened import Note, recall, remember
from valetkey.credentials.sessions.values import Credentials

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
HEAD = b"head\n"
NOTE = Note(
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
def test_a_note_comes_back_whole_with_its_session(note: Note, env: dict[str, str]) -> None:
    remember("acme", "usual", note, head=HEAD, env=env)
    assert recall("acme", "usual", head=HEAD, env=env, now=NOW) == (note, Session(MADE, NOW))


def test_any_difference_takes_the_long_way(env: dict[str, str]) -> None:
    remember("acme", "usual", NOTE, head=HEAD, env=env)
    for name, way, head in (("acme", "long", HEAD), ("other", "usual", HEAD), ("acme", "usual", b"h2\n")):
        assert recall(name, way, head=head, env=env, now=NOW) is None
    assert recall("acme", "usual", head=HEAD, env={**env, INSIDE: "acme"}, now=NOW) is None
    remember("acme", "usual", replace(NOTE, account="111111111111"), head=HEAD, env=env)
    assert recall("acme", "usual", head=HEAD, env=env, now=NOW) is None


def test_a_session_is_used_while_three_quarters_are_left(env: dict[str, str]) -> None:
    remember("acme", "usual", NOTE, head=HEAD, env=env)
    assert recall("acme", "usual", head=HEAD, env=env, now=NOW + timedelta(minutes=15)) is not None
    assert recall("acme", "usual", head=HEAD, env=env, now=NOW + timedelta(minutes=15, seconds=1)) is None
