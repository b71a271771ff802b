"""Killed at every line of a write: what was there before or what was written is there afterwards, whole and private."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Any

import pytest

from valetkey import files, hot_file, hot_head
from valetkey.__main__ import _stored
from valetkey.credentials.profiles.awsconfig import Written, write_profile
from valetkey.credentials.profiles.profile import Profile, load, save
from valetkey.credentials.sessions import process_cache
from valetkey.credentials.sessions.cache import Cache, Session
from valetkey.credentials.sessions.values import Credentials

pytestmark = pytest.mark.slow

NOW = datetime.now(UTC).replace(microsecond=0)
ROOM = str(pathlib.Path(files.__file__).parent)
READING = ("_lines", "<genexpr>", "<listcomp>", "<dictcomp>", "_profile_of", "_with_settings", "_check_meaning")
"""Functions that only look: killed in them, nothing has been written since."""
MOST = 600
"""Lines that a write may have: more, and this test waits for nothing."""


def session(number: int) -> Session:
    keys = Credentials(
        access_key_id=f"ASIA{number}",
        secret_access_key=f"hush{number}",
        session_token=f"token{number}" * 200,
        expires=NOW + timedelta(hours=1),
        account="210987654321",
    )
    return Session(keys, NOW)


def killed_at(line: int, work: Callable[[], object]) -> bool:
    """Do the work in a child that is killed before its `line`th line in the room; whether it got that far."""
    child = os.fork()
    if child == 0:
        try:
            seen = 0

            def trace(frame: FrameType, event: str, _: Any) -> Any:
                nonlocal seen
                code = frame.f_code
                if not code.co_filename.startswith(ROOM) or code.co_name in READING:
                    return None
                if event == "line":
                    seen += 1
                    if seen == line:
                        os.kill(os.getpid(), signal.SIGKILL)
                return trace

            sys.settrace(trace)
            work()
            sys.settrace(None)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), "the work itself failed"
    return status != 0


def at_every_line(work: Callable[[], object], check: Callable[[], object], again: Callable[[], object]) -> list[object]:
    """What `check` answered after a kill at each line in turn; `again` puts back what was there before."""
    answers = []
    for line in range(1, MOST):
        again()
        was_killed = killed_at(line, work)
        answers.append(check())
        if not was_killed:
            assert line > 10
            return answers
    raise AssertionError("the work has too many lines")


def private_only(root: pathlib.Path) -> None:
    for path in (root, *root.rglob("*")):
        assert path.lstat().st_mode & 0o077 == 0, path


@pytest.fixture(autouse=True)
def _open_umask() -> Any:
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_session(home: pathlib.Path) -> None:
    cache = Cache({"HOME": str(home)})

    def check() -> object:
        private_only(home / ".cache/valetkey")
        result = Cache({"HOME": str(home)}).get("role-x")
        assert result in (session(1), session(2))
        return result

    answers = at_every_line(
        lambda: cache.put("role-x", session(2)), check, again=lambda: cache.put("role-x", session(1))
    )
    assert (answers[0], answers[-1]) == (session(1), session(2))


def test_the_first_session_of_all(home: pathlib.Path) -> None:
    cache = Cache({"HOME": str(home)})

    def check() -> object:
        result = cache.get("role-x")
        assert result in (None, session(1))
        if (home / ".cache/valetkey").exists():
            private_only(home / ".cache/valetkey")
        cache.put("role-x", session(2))  # what was left behind is in nobody's way
        assert cache.get("role-x") == session(2)
        return result

    answers = at_every_line(
        lambda: cache.put("role-x", session(1)), check, again=lambda: shutil.rmtree(home / ".cache", ignore_errors=True)
    )
    assert (answers[0], answers[-1]) == (None, session(1))


def test_the_answer_that_is_printed(home: pathlib.Path) -> None:
    path = pathlib.Path(hot_file("acme"))

    def keep(number: int) -> None:
        process_cache.store(path, hot_head("acme"), session(number), b'{"answer": %d}\n' % number)

    def check() -> object:
        result = _stored("acme")
        assert result in (b'{"answer": 1}\n', b'{"answer": 2}\n')
        private_only(home / ".cache/valetkey")
        return result

    answers = at_every_line(lambda: keep(2), check, again=lambda: keep(1))
    assert (answers[0], answers[-1]) == (b'{"answer": 1}\n', b'{"answer": 2}\n')


def test_a_profile(home: pathlib.Path) -> None:
    env = {"HOME": str(home)}
    answers = at_every_line(
        lambda: save(_profile("new"), env),
        lambda: load("acme", env).external_id,
        again=lambda: save(_profile("old"), env),
    )
    assert (answers[0], answers[-1]) == ("old", "new")
    assert set(answers) == {"old", "new"}


def test_the_aws_config(home: pathlib.Path) -> None:
    """It is the person's: before and after, and nothing between."""
    path = home / ".aws/config"
    path.parent.mkdir()
    path.touch(0o600)
    mine = "# mine\n[default]\nregion = eu-west-1\n"

    def change() -> Written:
        return write_profile("acme", "/usr/bin/valetkey credential-process acme", {"HOME": str(home)})

    path.write_text(mine)
    change()
    changed = path.read_text()
    assert changed.startswith(mine)

    def check() -> object:
        result = path.read_text()
        assert result in (mine, changed)
        backup = path.with_name("config.valetkey-backup")
        assert not backup.exists() or backup.read_text() == mine
        return result

    answers = at_every_line(change, check, again=lambda: path.write_text(mine))
    assert (answers[0], answers[-1]) == (mine, changed)


def _profile(external_id: str = "id") -> Profile:
    return Profile(
        name="acme",
        role_arn="arn:aws:iam::210987654321:role/Audit",
        external_id=external_id,
        contractor="123456789012",
        source_profile=None,
        mfa=False,
        max_session=3600,
    )
