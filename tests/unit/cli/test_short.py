"""`exec` and `env` hand out a kept session without heavy imports, and only while it is right."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from valetkey.cli._machine import open_profile
from valetkey.credentials.profiles.profile import Profile, save
from valetkey.credentials.sessions.cache import Cache, Session
from valetkey.credentials.sessions.values import Credentials
from valetkey.credentials.sessions.ways import Way

ACCOUNT, OWNER = "123456789012", "210987654321"
HEAVY = ("boto3", "botocore", "cyclopts", "rich", "msgspec", "configparser")
IMPORTED = f"""
import atexit, sys
atexit.register(lambda: print("imported:", [each for each in {HEAVY!r} if each in sys.modules], file=sys.stderr))
from valetkey.__main__ import main
sys.argv = ["valetkey", *sys.argv[1:]]
main()
"""
PRINT = "import os; print(os.environ['AWS_ACCESS_KEY_ID'], os.environ['AWS_REGION'])"


def role_session(*, age: float = 10, account: str = OWNER, key: str = "ASIAKEPT") -> Session:
    issued = datetime.now(UTC) - timedelta(seconds=age)
    credentials = Credentials(
        access_key_id=key,
        secret_access_key="hush",
        session_token="hush too",
        expires=issued + timedelta(hours=1),
        account=account,
    )
    return Session(credentials, issued)


@pytest.fixture
def aws(home: pathlib.Path) -> pathlib.Path:
    """A contractor with a customer `acme`."""
    (home / ".aws").mkdir()
    (home / ".aws/credentials").write_text("[default]\naws_access_key_id = AKIA\naws_secret_access_key = hush\n")
    (home / ".aws/config").write_text("[default]\nregion = eu-west-1\nmax_attempts = 5\n")
    profile = Profile(
        name="acme",
        role_arn=f"arn:aws:iam::{OWNER}:role/acme",
        contractor=ACCOUNT,
        source_profile="default",
        base_arn=f"arn:aws:iam::{ACCOUNT}:user/ann",
        base_files=("~/.aws/config", "~/.aws/credentials"),
        mfa=True,
        mfa_serial=f"arn:aws:iam::{ACCOUNT}:mfa/ann",
        max_session=3600,
        region="eu-west-1",
    )
    save(profile, os.environ)
    path = home / ".config/valetkey/profiles/acme.json"
    os.utime(path, (path.stat().st_mtime - 600,) * 2)
    return home / ".aws"


@pytest.fixture
def keep(aws: pathlib.Path) -> Callable[..., str]:
    """Keeps a role session; answers its name in the cache."""

    def put(session: Session | None = None, way: Way | None = None) -> str:
        entry = open_profile("acme", way)
        Cache(os.environ).put(entry.key, session or role_session())
        return entry.key

    return put


def run(*words: str, **changes: str) -> tuple[int, str, list[str]]:
    """Exit code, standard output, and what of HEAVY was imported."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *words],
        env={**os.environ, **changes},
        capture_output=True,
        text=True,
        timeout=60,
        start_new_session=True,
    )
    last = [line for line in done.stderr.splitlines() if line.startswith("imported:")][-1]
    return done.returncode, done.stdout, json.loads(last.partition(": ")[2].replace("'", '"'))


WORDS = [
    ("exec", "acme", "--", sys.executable, "-c", PRINT),
    ("env", "acme"),
    ("env", "acme", "--shell", "fish"),
    ("env", "--shell=powershell", "acme"),
]


@pytest.mark.parametrize("words", WORDS)
def test_a_kept_session_is_handed_out_without_heavy_imports(words: tuple[str, ...], keep: Callable[..., str]) -> None:
    keep()
    code, first, imported = run(*words)
    assert code == 0
    assert "ASIAKEPT" in first
    assert "eu-west-1" in first
    assert "botocore" in imported  # the first time, the profile is opened
    assert run(*words) == (0, first, [])


def test_the_ways_have_sessions_of_their_own(keep: Callable[..., str]) -> None:
    keep(role_session(key="ASIAUSUAL"))
    keep(role_session(key="ASIAREADER"), Way(read_only=True))
    for _ in range(2):
        assert "ASIAUSUAL" in run("env", "acme")[1]
        assert "ASIAREADER" in run("env", "acme", "--read-only")[1]
    assert run("env", "acme", "--read-only")[2] == []


@pytest.mark.parametrize(
    "change",
    ["config", "credentials", "profile", "environment", "no session", "old session", "another account", "inside"],
)
def test_whatever_differs_takes_the_long_way(
    change: str, keep: Callable[..., str], aws: pathlib.Path, home: pathlib.Path
) -> None:
    name, env = keep(), {}
    run("env", "acme")
    assert run("env", "acme")[2] == []
    match change:
        case "config":
            (aws / "config").write_text("[default]\nregion = eu-west-3\n")
        case "credentials":
            (aws / "credentials").write_text("[default]\naws_access_key_id = B\naws_secret_access_key = hush\n")
        case "profile":
            path = home / ".config/valetkey/profiles/acme.json"
            path.write_text(path.read_text().replace("eu-west-1", "eu-west-3"))
        case "environment":
            env = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
        case "no session":
            Cache(os.environ).drop(name)
        case "old session":
            keep(role_session(age=1000))
        case "another account":
            keep(role_session(account="310987654321"))
        case "inside":
            env = {"VALETKEY_INSIDE": "globex"}
    assert "cyclopts" in run("env", "acme", **env)[2]


@pytest.mark.parametrize("words", ["exec", "exec --jobs 2 acme -- true", "env acme --shell tcsh", "env"])
def test_wrong_use_is_refused_as_before(words: str, keep: Callable[..., str]) -> None:
    keep()
    run("env", "acme")
    code, out, _ = run(*words.split())
    assert code == (125 if words.startswith("exec") else 2)
    assert "ASIAKEPT" not in out


def test_nothing_secret_is_in_the_note(keep: Callable[..., str], home: pathlib.Path) -> None:
    keep()
    run("env", "acme")
    note = home / ".cache/valetkey/opened/acme:usual"
    assert "hush" not in note.read_text()
    assert note.stat().st_mode & 0o777 == 0o600
    note.write_text(note.read_text()[:-9])
    assert "ASIAKEPT" in run("env", "acme")[1]


def test_a_command_gets_the_same_environment_both_ways(keep: Callable[..., str]) -> None:
    keep()
    script = (
        "import os; print(sorted((k, v) for k, v in os.environ.items() if k.startswith('AWS_') and '/' not in v));"
        "print(open(os.environ['AWS_CONFIG_FILE']).read())"
    )
    words = ("exec", "acme", "--", sys.executable, "-c", script)
    first, again = run(*words), run(*words)
    assert again[:2] == first[:2]
    assert "max_attempts = 5" in again[1]
    assert again[2] == []


def test_the_childs_exit_code_and_a_command_that_is_not_there(keep: Callable[..., str]) -> None:
    keep()
    run("env", "acme")
    assert (
        run("exec", "acme", "--", "no-such-command-here") == (127, "", ["rich"])
        or run("exec", "acme", "--", "no-such-command-here")[0] == 127
    )
    assert run("exec", "acme", "--", sys.executable, "-c", "raise SystemExit(7)")[0] == 7
