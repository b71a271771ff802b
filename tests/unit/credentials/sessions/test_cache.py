"""What is kept is believed only if it is whole, ours and private; a lock dies with its process."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.credentials.sts_world import Calls

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


def test_a_file_of_yesterday_s_version_is_found_again(cache: Cache, home: pathlib.Path) -> None:
    """What is on disk is named by these hashes: with other names a code would be sent twice after an update, and a
    session of ours be taken for a base identity. (SHA-256, by `sha256sum`.)"""
    assert key("role", base="a") == "role-9ad4b8542ef2e41d78c58a7753bfb0784fe25b6f"
    root = home / ".cache/valetkey/sessions"
    cache.note_issued("ASIA1")
    assert [item.name for item in root.iterdir()] == ["bd5522010e3112acba09f162487e3fbd10b45a28.issued"]
    assert cache.spend("code-x", "123456", NOW)
    assert json.loads((root / "code-x.sent").read_text()) == [["688d1e5669d041b4ca54", NOW.isoformat()]]


@pytest.mark.parametrize(
    ("given", "after", "left"),
    [
        ({}, 0, REMEMBER),
        ({}, 3, 7),
        ({}, REMEMBER - 1, 1),
        ({}, REMEMBER, 0),
        ({}, REMEMBER + 1, 0),
        # The clock was set back: nothing is known.
        ({}, -1, 0),
        ({"seconds": 120}, 100, 20),
        ({"seconds": 0}, 0, 0),
        # No question is kept away for longer than a code is good for.
        ({"seconds": 301}, 0, 300),
        ({"seconds": 86400}, 299, 1),
        ({"seconds": 86400}, 300, 0),
    ],
)
def test_a_refusal_is_remembered_for_a_while(given: dict[str, float], after: int, left: int, cache: Cache) -> None:
    assert cache.refused("mfa-x", NOW) == 0
    cache.remember_refusal("mfa-x", NOW, **given)
    assert cache.refused("mfa-x", NOW + timedelta(seconds=after)) == left
    assert cache.refused("mfa-y", NOW) == 0


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "1", "null", '["2026-05-01T12:00:00", 10]', "[null, 10]", "[" * 100_000]
)
def test_a_memory_that_cannot_be_read_is_none(text: str, cache: Cache, file: pathlib.Path) -> None:
    for kind in ("refused", "sent"):
        path = file.with_name(f"code-x.{kind}")
        path.write_text(text)
        path.chmod(0o600)
    assert cache.refused("code-x", NOW) == 0
    assert cache.spend("code-x", "123456", NOW)
    assert not cache.spend("code-x", "123456", NOW)


def test_what_was_learned_comes_back(cache: Cache) -> None:
    assert cache.learned("way-x") is None
    cache.learn("way-x", "through")
    assert cache.learned("way-x") == "through"
    assert cache.caller("caller-x") is None
    cache.note_caller("caller-x", "arn:aws:iam::123456789012:user/ann")
    assert cache.caller("caller-x") == "arn:aws:iam::123456789012:user/ann"


def test_a_message_is_said_once_where_that_can_be_kept(cache: Cache, home: pathlib.Path) -> None:
    for here, is_said in ((Cache({"HOME": str(home)}, keep=False), False), (cache, True)):
        assert not here.said("no-keyring")
        here.say("no-keyring")
        assert here.said("no-keyring") is is_said
    assert (home / ".cache/valetkey/no-keyring.said").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("at", "left"),
    [
        (timedelta(0), 3600),
        (timedelta(hours=1), 0),
        (timedelta(hours=1, seconds=1), -1),
        # A clock that was set back by five minutes may be right; more says nothing about the session's age.
        (timedelta(minutes=-5), 3900),
        (timedelta(minutes=-5, microseconds=-1), 0),
    ],
)
def test_how_much_of_a_session_is_left(at: timedelta, left: float) -> None:
    assert SESSION.left(NOW + at) == left
    assert SESSION.life == 3600


@pytest.mark.parametrize(
    ("life", "used", "lasts"),
    [
        (3600, 900, True),
        (3600, 900.001, False),
        (3601, 900.25, True),
        (3601, 900.5, False),
        (3600, 0, True),
        (1, 1, False),
    ],
)
def test_a_session_lasts_while_three_quarters_of_it_are_left(life: float, used: float, lasts: bool) -> None:
    session = Session(dataclasses.replace(SESSION.credentials, expires=NOW + timedelta(seconds=life)), NOW)
    assert session.lasts(NOW + timedelta(seconds=used)) is lasts


@pytest.mark.parametrize(("seconds", "waited"), [(5.0, 5.0), (0.25, 0.25), (0, 0), (-1, 0)])
def test_a_lock_is_waited_for_as_long_as_there_is_time(
    seconds: float, waited: float, cache: Cache, home: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = Calls(contextlib.nullcontext())
    monkeypatch.setattr("valetkey.credentials.sessions.cache.files.locked", locked)
    with cache.lock("role-x", seconds, busy=busy):
        pass
    path = home / ".cache/valetkey/sessions/role-x.lock"
    assert locked.calls == [((path, waited), {"busy": busy, "setting": "XDG_CACHE_HOME"})]


# --- a cache that keeps nothing ---------------------------------------------------------------------------------------


def files_below(path: pathlib.Path) -> set[str]:
    return {item.name for item in path.rglob("*") if item.is_file()}


def test_a_cache_that_keeps_nothing_has_its_own_sessions_alone(
    cache: Cache, file: pathlib.Path, home: pathlib.Path
) -> None:
    before = files_below(home)
    other = Cache({"HOME": str(home)}, keep=False)
    assert other.get("role-x") is None
    other.put("role-y", SESSION)
    assert other.get("role-y") == SESSION
    assert cache.get("role-y") is None
    other.drop("role-y")
    other.drop("role-y")
    other.drop("role-x")
    assert (other.get("role-y"), cache.get("role-x")) == (None, SESSION)
    # Without a directory for this login it has no memory of its own, and no lock.
    other.remember_refusal("mfa-x", NOW)
    other.note_issued("ASIA2")
    other.learn("way-x", "through")
    assert (other.refused("mfa-x", NOW), other.was_issued("ASIA2"), other.learned("way-x")) == (0, False, None)
    assert other.spend("code-x", "123456", NOW)
    assert other.spend("code-x", "123456", NOW)
    with other.lock("role-x", 0, busy=busy), cache.lock("role-x", 0, busy=busy):
        pass
    assert files_below(home) == before | {"role-x.lock"}


def test_a_cache_that_keeps_nothing_reads_the_others_memories_and_puts_its_own_aside(
    cache: Cache, home: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    env = {"HOME": str(home), "XDG_RUNTIME_DIR": str(runtime)}
    cache.learn("way-x", "through")
    cache.learn("way-y", "through")
    aside = Cache(env, keep=False)
    before = files_below(home)
    aside.learn("way-x", "directly")
    # Its own go first; the others do not see them before they look there too.
    assert (aside.learned("way-x"), aside.learned("way-y"), cache.learned("way-x")) == (
        "directly",
        "through",
        "through",
    )
    aside.learn("way-z", "directly")
    assert (Cache(env).learned("way-z"), Cache(env).learned("way-x")) == ("directly", "through")
    assert files_below(home) == before
    assert files_below(runtime) == {"way-x.learned", "way-z.learned"}
    with aside.lock("role-x", 1, busy=busy):
        with pytest.raises(Busy), Cache(env, keep=False).lock("role-x", 0, busy=busy):
            pass
        with cache.lock("role-x", 0, busy=busy):
            pass
    assert "role-x.lock" in files_below(runtime)


def test_a_cache_that_keeps_makes_no_directory_for_the_login(home: pathlib.Path, tmp_path: pathlib.Path) -> None:
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    Cache({"HOME": str(home), "XDG_RUNTIME_DIR": str(runtime)}).put("role-x", SESSION)
    assert list(runtime.iterdir()) == []


def test_a_code_is_sent_once_and_a_clock_set_back_does_not_keep_it_for_ever(cache: Cache) -> None:
    assert cache.spend("code-x", "123456", NOW)
    assert not cache.spend("code-x", "123456", NOW)
    assert not cache.spend("code-x", "123456", NOW + timedelta(seconds=299))
    assert cache.spend("code-x", "123456", NOW + timedelta(seconds=300))
    # Six digits come again. What was sent "in the future" says nothing about them: the clock was wrong.
    assert cache.spend("code-x", "654321", NOW)
    assert cache.spend("code-x", "654321", NOW - timedelta(seconds=1))
    # Each device and each code for itself, and all of them are remembered.
    assert cache.spend("code-y", "111111", NOW)
    assert cache.spend("code-y", "222222", NOW)
    assert cache.spend("code-z", "111111", NOW)
    assert not cache.spend("code-y", "111111", NOW)
    assert not cache.spend("code-y", "222222", NOW)


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
    caller = file.with_name("caller-x.caller")
    caller.write_text("arn")
    root = file.parent.parent
    for folder in ("hot", "opened"):
        (root / folder).mkdir()
        for name in ("acme", ".acme.0123", "other"):
            (root / folder / name).write_text("hush")
    kept = root / "last"
    kept.mkdir()
    (kept / "acme.json").write_text("{}")
    old = [root / folder / name for folder in ("hot", "opened") for name in ("acme", ".acme.0123")]
    for item in (file, half, lock, caller, kept / "acme.json", *old):
        os.utime(item, (NOW.timestamp() - 2 * 86400 - 1,) * 2)
    for item in (young, root / "hot/other", root / "opened/other"):
        os.utime(item, (NOW.timestamp() - 2 * 86400,) * 2)
    (file.parent / "folder").mkdir()
    os.utime(file.parent / "folder", (0, 0))
    cache.put("role-y", SESSION)
    staying = {"role-x.lock", "caller-x.caller", "role-y.json", "role-z.json", "folder"}
    assert {item.name for item in file.parent.iterdir()} == staying
    for folder in ("hot", "opened"):
        assert [item.name for item in (root / folder).iterdir()] == ["other"]
    assert (kept / "acme.json").exists()
