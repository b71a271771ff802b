"""A stored answer is printed without importing anything, and only while everything it depends on is the same."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from valetkey import __main__ as program
from valetkey import hot_file, hot_head
from valetkey.__main__ import _stored
from valetkey.credentials.profiles.profile import Profile, save
from valetkey.credentials.sessions import process_cache
from valetkey.credentials.sessions.cache import Session
from valetkey.credentials.sessions.values import Credentials

ANSWER = b'{"Version": 1, "SecretAccessKey": "stored"}\n'


@dataclass
class Stored:
    """A stored answer for the profile acme, and the environment it was stored in."""

    home: pathlib.Path
    env: dict[str, str]
    file: pathlib.Path = field(init=False)

    def __post_init__(self) -> None:
        self.file = self.home / ".cache/valetkey/hot/acme"

    def ask(
        self, *python: str, name: str = "acme", env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, *(python or ("-m", "valetkey")), "credential-process", name],
            env=self.env if env is None else env,
            capture_output=True,
            timeout=30,
            start_new_session=True,
        )

    def is_hit(self, **changes: str) -> bool:
        """Whether the answer is printed, and not one byte of it where the slow path is taken; in this process."""
        slow: list[list[str]] = []
        printed: list[bytes] = []
        with pytest.MonkeyPatch.context() as patch:
            for item, value in changes.items():
                patch.setenv(item, value)
            patch.setattr(sys, "argv", ["valetkey", "credential-process", "acme"])
            patch.setattr(program, "_run", lambda words: slow.append(words) or 3)
            patch.setattr(program, "_print", printed.append)
            with pytest.raises(SystemExit) as left:
                program.main()
        if printed:
            assert (printed, slow, left.value.code) == ([ANSWER], [], 0)
        else:
            assert (slow, left.value.code) == ([["credential-process", "acme"]], 3)
        return bool(printed)


@pytest.fixture
def profile(home: pathlib.Path) -> Profile:
    return Profile(
        name="acme",
        role_arn="arn:aws:iam::210987654321:role/Audit",
        contractor="123456789012",
        source_profile="default",
        mfa=True,
        mfa_serial="arn:aws:iam::123456789012:mfa/ann",
        max_session=3600,
    )


@pytest.fixture
def stored(home: pathlib.Path, profile: Profile, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Stored]:
    def store(begin: datetime | None = None, life: float = 3600) -> Stored:
        begin = begin or datetime.now(UTC)
        aws = home / ".aws"
        aws.mkdir(exist_ok=True)
        (aws / "config").write_text("[default]\nregion = us-east-1\n")
        # No keys: whatever misses the stored answer fails, and says so on stderr.
        (aws / "credentials").write_text("")
        save(profile, {"HOME": str(home)})
        credentials = Credentials(
            access_key_id="ASIA1",
            secret_access_key="hush",
            session_token="token",
            expires=begin + timedelta(seconds=life),
            account="210987654321",
        )
        process_cache.store(pathlib.Path(hot_file("acme")), hot_head("acme"), Session(credentials, begin), ANSWER)
        return Stored(home, dict(os.environ))

    return store


# Compiled into the interpreter: `time` is there at once in some versions, and costs nothing in others.
BUILT_IN = set(sys.builtin_module_names)


def imported(done: subprocess.CompletedProcess[bytes]) -> set[str]:
    lines = [line for line in done.stderr.decode().splitlines() if line.startswith("import time:")]
    return {line.rsplit("|", 1)[1].strip() for line in lines[1:]} - BUILT_IN


def test_a_hit_imports_what_a_bare_interpreter_has(stored: Callable[..., Stored], tmp_path: pathlib.Path) -> None:
    it = stored()
    bare = imported(subprocess.run([sys.executable, "-X", "importtime", "-c", "pass"], capture_output=True, env=it.env))
    assert "site" in bare
    script = tmp_path / "valetkey-script"
    script.write_text("import sys\nfrom valetkey.__main__ import main\nsys.exit(main())\n")
    done = it.ask("-X", "importtime", str(script))
    assert done.stdout == ANSWER
    assert imported(done) - bare == {"valetkey", "valetkey.__main__"}
    # `python -m` has runpy find the module; compare with a module that does nothing.
    (tmp_path / "nothing.py").write_text("")
    env = {**it.env, "PYTHONPATH": str(tmp_path)}
    runpy = imported(
        subprocess.run([sys.executable, "-X", "importtime", "-m", "nothing"], capture_output=True, env=env)
    )
    done = it.ask("-X", "importtime", "-m", "valetkey")
    assert done.stdout == ANSWER
    assert imported(done) - runpy == {"valetkey"}


def test_sys_modules_after_a_hit_are_those_of_a_bare_interpreter(stored: Callable[..., Stored]) -> None:
    it = stored()
    look = "import atexit, sys; atexit.register(lambda: sys.stderr.write(repr(sorted(sys.modules))));"
    bare = subprocess.run([sys.executable, "-c", look], capture_output=True, env=it.env)
    main = "sys.argv[0] = 'valetkey'; from valetkey.__main__ import main; main()"
    done = it.ask("-c", look + main)
    assert done.stdout == ANSWER
    assert set(eval(done.stderr)) - set(eval(bare.stderr)) - BUILT_IN == {"valetkey", "valetkey.__main__"}


def test_the_same_environment_hits_again_and_again(stored: Callable[..., Stored]) -> None:
    it = stored()
    # Not read by valetkey: an SDK sets the first to the profile's own name.
    for changes in ({}, {}, {"AWS_PROFILE": "acme", "AWS_DEFAULT_PROFILE": "x", "TERM": "dumb", "PWD": "/"}):
        assert it.is_hit(**changes)
        done = it.ask(env={**it.env, **changes})
        assert (done.returncode, done.stdout, done.stderr) == (0, ANSWER, b"")


@pytest.mark.parametrize(
    "change",
    [
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
        {"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1"},
        {"AWS_REGION": "eu-central-1"},
        {"AWS_DEFAULT_REGION": "eu-central-1"},
        {"AWS_CA_BUNDLE": "/x"},
        {"AWS_ACCESS_KEY_ID": "AKIAOTHER"},
        {"AWS_CONFIG_FILE": "/nowhere"},
        {"AWS_SHARED_CREDENTIALS_FILE": "/nowhere"},
        {"AWS_CONFIG_FILE": "$HOME/.aws/config"},
        {"XDG_CONFIG_HOME": "/nowhere"},
        {"XDG_CACHE_HOME": "/nowhere"},
        {"HOME": "/nowhere"},
    ],
)
def test_a_changed_environment_takes_the_slow_path(change: dict[str, str], stored: Callable[..., Stored]) -> None:
    it = stored()
    assert not it.is_hit(**change)
    assert it.is_hit()


@pytest.mark.parametrize("name", [".aws/config", ".aws/credentials", ".config/valetkey/profiles/acme.json"])
@pytest.mark.parametrize("change", ["touch", "edit", "replace", "remove"])
def test_a_changed_file_takes_the_slow_path(name: str, change: str, stored: Callable[..., Stored]) -> None:
    it = stored()
    path = it.home / name
    if change == "touch":
        os.utime(path)
    elif change == "edit":
        status = path.stat()
        path.write_text(path.read_text() + "\n")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    elif change == "replace":
        other = path.with_name("other")
        other.write_bytes(path.read_bytes())
        os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
        other.replace(path)
    else:
        path.unlink()
    assert not it.is_hit()


def test_a_file_that_appears_takes_the_slow_path(stored: Callable[..., Stored], home: pathlib.Path) -> None:
    it = stored()
    (home / ".aws/credentials").unlink()
    assert not it.is_hit()


@pytest.mark.parametrize(
    ("life", "seconds", "hits"),
    [
        # An hour's session is stale 20 minutes before its end, a shorter one with a third of it left.
        (3600, 2399, True),
        (3600, 2400, False),
        (900, 599, True),
        (900, 600, False),
        # A clock that was set back by more than five minutes says nothing about its age.
        (3600, -300, True),
        (3600, -301, False),
    ],
)
def test_a_stale_answer_takes_the_slow_path(
    life: float, seconds: float, hits: bool, stored: Callable[..., Stored], monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = datetime(2026, 5, 1, 12, tzinfo=UTC)
    it = stored(begin=begin, life=life)
    monkeypatch.setattr(program.time, "time", lambda: begin.timestamp() + seconds)
    assert it.is_hit() is hits


def test_parts_of_a_second_shorten_the_answer_s_time_and_never_prolong_it(stored: Callable[..., Stored]) -> None:
    it = stored(begin=datetime(2026, 5, 1, 12, 0, 0, 500_000, tzinfo=UTC), life=3600)
    times = it.file.read_bytes().removeprefix(hot_head("acme")).split(b"\n")[0]
    noon = int(datetime(2026, 5, 1, 12, tzinfo=UTC).timestamp())
    assert times == f"{noon - 299} {noon + 2400}".encode()


def test_an_answer_that_cannot_be_written_is_no_error(home: pathlib.Path, stored: Callable[..., Stored]) -> None:
    (home / ".cache").write_text("in the way")
    it = stored()
    assert not it.is_hit()
    (home / ".cache").unlink()
    assert stored().is_hit()


def test_a_dropped_answer_takes_the_slow_path(stored: Callable[..., Stored], home: pathlib.Path) -> None:
    it = stored()
    process_cache.drop("acme", {"HOME": str(home)})
    assert not it.is_hit()
    process_cache.drop("acme", {"HOME": str(home)})


def test_who_asks_for_a_base_identity_is_not_answered(stored: Callable[..., Stored]) -> None:
    """A session of valetkey's is never a base identity."""
    it = stored()
    assert not it.is_hit(VALETKEY_INSIDE="globex")
    assert it.is_hit()


@pytest.mark.parametrize(
    "spoil",
    ["empty", "cut", "longer", "bytes", "mode", "group", "link", "pipe", "directory", "times"],
)
def test_a_spoiled_file_takes_the_slow_path(spoil: str, stored: Callable[..., Stored], tmp_path: pathlib.Path) -> None:
    it = stored()
    data = it.file.read_bytes()
    if spoil in ("empty", "cut", "longer", "bytes", "times"):
        it.file.write_bytes(
            {
                "empty": b"",
                "cut": data[:-1],
                "longer": data + b"x",
                "bytes": b"\xff" * len(data),
                "times": data.replace(b"\n%d\n" % len(ANSWER), b" 1\n%d\n" % len(ANSWER)),
            }[spoil]
        )
    elif spoil == "mode":
        it.file.chmod(0o644)
    elif spoil == "group":
        it.file.chmod(0o660)
    else:
        it.file.rename(tmp_path / "moved")
        if spoil == "link":
            it.file.symlink_to(tmp_path / "moved")
        elif spoil == "pipe":
            os.mkfifo(it.file, 0o600)
        else:
            it.file.mkdir(0o700)
    # In a process of its own: a pipe that nobody writes to must not hang it.
    done = it.ask("-c", "from valetkey import __main__ as it; it._run = lambda words: 3; it.main()")
    assert (done.returncode, done.stdout, done.stderr) == (3, b"", b"")


def test_a_file_of_another_user_is_not_believed(stored: Callable[..., Stored], monkeypatch: pytest.MonkeyPatch) -> None:
    stored()
    assert _stored("acme") == ANSWER
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    assert _stored("acme") is None


@pytest.mark.parametrize("name", ["", "..", "../acme", "a/b", ".acme", "-x", "acme\n", "a\0b", "é", "x" * 65])
def test_a_name_cannot_leave_the_directory(name: str) -> None:
    with pytest.raises(ValueError):
        hot_file(name)
    assert _stored(name) is None


def test_no_secret_of_the_environment_is_written_down(
    stored: Callable[..., Stored], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_BEARER_TOKEN_BEDROCK",
        "AWS_SECRET_KEY",
        "AWS_VAULT_FILE_PASSPHRASE",
        "PASSWORD",
    ):
        monkeypatch.setenv(name, "do-not-write")
    it = stored()
    assert b"do-not-write" not in it.file.read_bytes()
    assert it.file.stat().st_mode & 0o777 == 0o600


def test_a_closed_pipe_is_no_traceback(stored: Callable[..., Stored]) -> None:
    it = stored()
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "valetkey", "credential-process", "acme"],
        env=it.env,
        stdout=write,
        stderr=subprocess.PIPE,
        timeout=20,
    )
    os.close(write)
    assert done.returncode == 3
    assert done.stderr == b""


def test_the_slow_path_says_why_on_stderr_and_nothing_on_stdout(
    stored: Callable[..., Stored], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    stored()
    monkeypatch.setattr(sys, "argv", ["valetkey", "credential-process", "other"])
    usual = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(SystemExit) as left:
            program.main()
    finally:
        signal.signal(signal.SIGINT, usual)
    said = capfd.readouterr()
    assert (left.value.code, said.out) == (2, "")
    assert "there is no profile" in said.err
