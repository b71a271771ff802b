"""What is kept is believed only if it is whole, ours and private; a lock dies with its process."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta

import pytest

from valetkey.credentials.sessions.cache import REMEMBER, Busy, Cache, Session, key
from valetkey.credentials.sessions.values import Credentials
from valetkey.errors import ValetkeyError

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SESSION = Session(
    Credentials(
        access_key_id="ASIA1",
        secret_access_key="hush",
        session_token="token",
        expires=NOW + timedelta(hours=1),
        account="210987654321",
    ),
    NOW,
)


@pytest.fixture
def cache(home: pathlib.Path) -> Cache:
    return Cache({"HOME": str(home)})


@pytest.fixture
def file(cache: Cache, home: pathlib.Path) -> pathlib.Path:
    cache.put("role-x", SESSION)
    return home / ".cache/valetkey/sessions/role-x.json"


def busy() -> ValetkeyError:
    return Busy("busy")


def test_comes_back(cache: Cache, file: pathlib.Path) -> None:
    assert cache.get("role-x") == SESSION
    assert cache.get("role-y") is None
    for path, mode in ((file, 0o600), (file.parent, 0o700), (file.parent.parent, 0o700)):
        assert path.stat().st_mode & 0o777 == mode, path
    cache.drop("role-x")
    cache.drop("role-x")
    assert cache.get("role-x") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        json.dumps({"valetkey": "session/v1"}),
        "cut",
        "v2",
        "no zone",
        "empty key",
        "number",
        "null token",
    ],
)
def test_a_corrupt_entry_is_as_good_as_none(text: str, cache: Cache, file: pathlib.Path) -> None:
    whole = file.read_text()
    plain = json.loads(whole)
    changed = {
        "cut": lambda: whole[:-5],
        "v2": lambda: json.dumps({**plain, "valetkey": "session/v2"}),
        "no zone": lambda: json.dumps({**plain, "expires": "2030-01-01T00:00:00"}),
        "empty key": lambda: json.dumps({**plain, "secret_access_key": ""}),
        "number": lambda: json.dumps({**plain, "expires": 1e99}),
        "null token": lambda: json.dumps({**plain, "session_token": None}),
    }.get(text, lambda: text)()
    file.write_text(changed)
    assert cache.get("role-x") is None
    cache.put("role-x", SESSION)
    assert cache.get("role-x") == SESSION


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o666])
def test_an_entry_that_others_can_open_is_not_believed(mode: int, cache: Cache, file: pathlib.Path) -> None:
    file.chmod(mode)
    assert cache.get("role-x") is None
    cache.put("role-x", SESSION)
    assert file.stat().st_mode & 0o777 == 0o600


def test_an_entry_of_another_user_is_not_believed(
    cache: Cache, file: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    assert cache.get("role-x") is None
    with pytest.raises(ValetkeyError, match="belongs to another user"):
        cache.put("role-x", SESSION)


def test_a_link_or_a_pipe_in_the_place_of_an_entry_is_not_followed(
    cache: Cache, file: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    target = tmp_path / "elsewhere"
    file.rename(target)
    file.symlink_to(target)
    assert cache.get("role-x") is None
    before = target.read_bytes()
    cache.put("role-x", Session(SESSION.credentials, NOW + timedelta(minutes=1)))
    assert target.read_bytes() == before
    assert not file.is_symlink()
    file.unlink()
    os.mkfifo(file)
    assert cache.get("role-x") is None


@pytest.mark.parametrize("where", ["valetkey", "valetkey/sessions"])
def test_a_linked_or_open_directory_is_refused(
    where: str, cache: Cache, file: pathlib.Path, home: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    directory = home / ".cache" / where
    directory.chmod(0o777)
    for use in (lambda: cache.put("role-x", SESSION), lambda: cache.lock("role-x", 1, busy=busy).__enter__()):
        with pytest.raises(ValetkeyError, match="written by other users"):
            use()
    directory.chmod(0o700)
    directory.rename(tmp_path / "moved")
    directory.symlink_to(tmp_path / "moved")
    for use in (lambda: cache.put("role-x", SESSION), lambda: cache.lock("role-x", 1, busy=busy).__enter__()):
        with pytest.raises(ValetkeyError, match="symbolic link"):
            use()


def test_a_readable_directory_is_closed(cache: Cache, file: pathlib.Path) -> None:
    file.parent.chmod(0o755)
    cache.put("role-x", SESSION)
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_a_place_that_cannot_be_written_is_a_problem_not_a_crash(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache({"HOME": "/", "XDG_CACHE_HOME": str(tmp_path / "file")})
    assert cache.get("role-x") is None
    with pytest.raises(ValetkeyError):
        cache.put("role-x", SESSION)
    with pytest.raises(ValetkeyError, match="HOME"):
        Cache({})


def test_keys_differ_with_every_part() -> None:
    names = {
        key("role", base="a", device="b"),
        key("mfa", base="a", device="b"),
        key("role", base="ab", device=""),
        key("role", base="a", device=None),
        key("role", base="a", device="None"),
        key("role", base="a", device="b", external="c"),
    }
    assert len(names) == 6
    assert key("role", base="a", device="b") == key("role", device="b", base="a")


def test_a_refusal_is_remembered_for_a_while(cache: Cache) -> None:
    assert cache.refused("mfa-x", NOW) == 0
    cache.remember_refusal("mfa-x", NOW)
    assert cache.refused("mfa-x", NOW + timedelta(seconds=3)) == REMEMBER - 3
    assert cache.refused("mfa-x", NOW + timedelta(seconds=REMEMBER)) == 0
    assert cache.refused("mfa-x", NOW - timedelta(days=1)) == 0


def test_a_code_is_sent_once_and_a_clock_set_back_does_not_keep_it_for_ever(cache: Cache) -> None:
    assert cache.spend("code-x", "123456", NOW)
    assert not cache.spend("code-x", "123456", NOW)
    assert not cache.spend("code-x", "123456", NOW + timedelta(seconds=299))
    assert cache.spend("code-x", "123456", NOW + timedelta(seconds=300))
    # Six digits come again. What was sent "in the future" says nothing about them: the clock was wrong.
    assert cache.spend("code-x", "654321", NOW)
    assert cache.spend("code-x", "654321", NOW - timedelta(seconds=1))


def test_a_killed_holder_holds_no_lock(cache: Cache, home: pathlib.Path) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent(
                """
                import sys, time
                from valetkey.credentials.sessions.cache import Cache
                with Cache({"HOME": sys.argv[1]}).lock("role-x", 5, busy=RuntimeError):
                    print("held", flush=True)
                    time.sleep(60)
                """
            ),
            str(home),
        ],
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        # Also where no time is left at all: a lock that is held is never waited for without a limit.
        for seconds in (0.1, -1):
            with pytest.raises(Busy), cache.lock("role-x", seconds, busy=busy):
                pass
        with cache.lock("role-y", 0.1, busy=busy):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with cache.lock("role-x", 5, busy=busy):
            pass
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()  # type: ignore[union-attr]


def test_what_is_too_old_to_be_good_is_removed(cache: Cache, file: pathlib.Path) -> None:
    with cache.lock("role-x", 1, busy=busy):
        pass
    half = file.with_name(".role-x.json.0123")
    half.write_text("hush")
    lock = file.with_suffix(".lock")
    young = file.with_name("role-z.json")
    young.write_text("{}")
    hot = file.parent.parent / "hot"
    hot.mkdir()
    for name in ("acme", ".acme.0123", "other"):
        (hot / name).write_text("hush")
    for each in (file, half, lock, hot / "acme", hot / ".acme.0123"):
        os.utime(each, (NOW.timestamp() - 3 * 86400,) * 2)
    os.utime(young, (NOW.timestamp() - 86400,) * 2)
    cache.put("role-y", SESSION)
    assert {each.name for each in file.parent.iterdir()} == {"role-x.lock", "role-y.json", "role-z.json"}
    assert [each.name for each in hot.iterdir()] == ["other"]
