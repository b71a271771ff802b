"""`valetkey use` in real shells; the chooser; which profile and which region a command takes when none is named."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from valetkey.cli import _default_name
from valetkey.cli._choosing import Choice, choose, matching
from valetkey.cli._machine import open_profile
from valetkey.cli._run import run
from valetkey.credentials.delivery.regions import region_here, region_to_set
from valetkey.credentials.delivery.shells import INTERFERING, SET, SHELLS, function
from valetkey.credentials.profiles import awsconfig, customers
from valetkey.credentials.profiles.last_use import last_file, note_use
from valetkey.credentials.profiles.names import file_id
from valetkey.credentials.profiles.profile import Profile, save
from valetkey.credentials.sessions.cache import Cache, Session
from valetkey.credentials.sessions.values import Credentials
from valetkey.errors import ValetkeyError

ACCOUNT, OWNER = "123456789012", "210987654321"
ODD = "Audit/Power $(touch x)'"
KEYS = {"AWS_ACCESS_KEY_ID": "ASIAFORMER", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t", "AWS_ROLE_ARN": "r"}
SHOW = (
    """echo "$?|${AWS_PROFILE-}|${VALETKEY_PROFILE-}|${AWS_REGION-}|${AWS_ACCESS_KEY_ID-}${AWS_ROLE_ARN-}" """.strip()
)
SHOW_FISH = 'echo "$status|$AWS_PROFILE|$VALETKEY_PROFILE|$AWS_REGION|$AWS_ACCESS_KEY_ID$AWS_ROLE_ARN"'


def put(name: str, region: str | None, number: int = 0) -> None:
    """A customer's profile with a kept session."""
    profile = Profile(
        name=name,
        role_arn=f"arn:aws:iam::{OWNER}:role/work{number}",
        contractor=ACCOUNT,
        source_profile="default",
        base_arn=f"arn:aws:iam::{ACCOUNT}:user/ann",
        base_files=("~/.aws/config", "~/.aws/credentials"),
        mfa=True,
        mfa_serial=f"arn:aws:iam::{ACCOUNT}:mfa/ann",
        max_session=3600,
        region=region,
        customer="ACME Inc",
    )
    path = save(profile, os.environ)
    os.utime(path, (path.stat().st_mtime - 600,) * 2)
    awsconfig.write_profile(name, awsconfig.process_command(["/opt/valetkey"], name), os.environ, region=region)


def keep(name: str) -> None:
    now = datetime.now(UTC)
    keys = Credentials(
        access_key_id="ASIAKEPT",
        secret_access_key="hush",
        session_token="t",
        expires=now + timedelta(hours=1),
        account=OWNER,
    )
    Cache(os.environ).put(open_profile(name).key, Session(keys, now - timedelta(seconds=5)))


@pytest.fixture
def person(home: pathlib.Path) -> pathlib.Path:
    (home / ".aws").mkdir()
    (home / ".aws/credentials").write_text("[default]\naws_access_key_id = AKIA\naws_secret_access_key = hush\n")
    (home / ".aws/config").write_text("[default]\nregion = us-east-1\n")
    for number, (name, region) in enumerate((("acme", "eu-west-1"), ("globex", None), (ODD, "eu-west-3"))):
        put(name, region, number)
    for name in ("acme", "globex", ODD):
        keep(name)
    return home


def in_shell(shell: str, *lines: str, **env: str) -> tuple[list[list[str]], str]:
    """What SHOW printed after each of these lines, and standard error; the function is there."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    show, options = (SHOW_FISH, ["--no-config"]) if shell == "fish" else (SHOW, ["-f"] if shell == "zsh" else [])
    start = "valetkey shell-init fish | source" if shell == "fish" else f'eval "$(valetkey shell-init {shell})"'
    script = "\n".join([start, *(f"{line}; {show}" for line in lines)])
    path = f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [shell, *options, "-c", script],
        env={**os.environ, "PATH": path, **KEYS, **env},
        capture_output=True,
        text=True,
        timeout=100,
        start_new_session=True,
    )
    return [line.split("|") for line in done.stdout.splitlines() if line.count("|") == 4], done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_use_switches_ends_and_leaves_nothing_after_a_failure(shell: str, person: pathlib.Path) -> None:
    odd = {"fish": "'Audit/Power $(touch x)\\''"}.get(shell, "'Audit/Power $(touch x)'\\'")
    result, err = in_shell(
        shell,
        "valetkey use acme",
        f"valetkey use {odd}",
        "valetkey use globex",
        "valetkey use acme --region ap-south-1",
        "valetkey use nobody",
        "valetkey use acme",
        "valetkey use --unset",
        AWS_PROFILE="former",
    )
    assert result == [
        ["0", "acme", "acme", "eu-west-1", ""],
        ["0", ODD, ODD, "eu-west-3", ""],
        ["0", "globex", "globex", "", ""],  # nor the region of the one before
        ["0", "acme", "acme", "ap-south-1", ""],
        ["2", "", "", "", ""],
        ["0", "acme", "acme", "eu-west-1", ""],
        ["0", "", "", "", ""],
    ], err
    assert f"acme: account {OWNER} of ACME Inc, region eu-west-1" in err
    assert not (person / "x").exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_other_commands_go_to_valetkey_and_strict_shells_go_on(shell: str, person: pathlib.Path) -> None:
    strict = [] if shell == "fish" else ["set -eu"]
    result, err = in_shell(shell, *strict, "valetkey use acme", "valetkey --version")
    assert result[-1] == ["0", "acme", "acme", "eu-west-1", ""], err
    # A person's own region stays when no customer's shell was there before.
    result, _ = in_shell(shell, "valetkey use --help >/dev/null", "valetkey use globex", AWS_REGION="eu-north-1")
    assert result[0] == ["0", "", "", "eu-north-1", "ASIAFORMERr"]
    assert result[1] == ["0", "globex", "globex", "eu-north-1", ""]


def test_a_universal_variable_of_fish_does_not_come_back(person: pathlib.Path) -> None:
    result, err = in_shell("fish", "set -Ux AWS_PROFILE old; valetkey use nobody")
    assert result == [["2", "", "", "", ""]], err


def test_every_shell_removes_what_env_removes() -> None:
    for shell in SHELLS:
        text = function(shell)
        assert all(f"{name}" in text.replace("'", " ").split() for name in (*INTERFERING, *SET)), shell
        assert "@" not in text.replace("$@", "").replace("@args", "").replace("@rest", "").replace("@($args", "")


def test_without_the_function_it_says_what_is_missing(
    person: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from valetkey.cli import _evaluated

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert _evaluated.run_env(["use", "acme"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "shell-init" in err


def test_a_profile_that_tools_would_not_find_is_not_used(
    person: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from valetkey.cli._run import run

    (person / ".aws/config").write_text("[default]\nregion = us-east-1\n")
    assert run(["use", "acme"]) == 2
    assert "acme is not in" in capsys.readouterr().err


CHOICES = tuple(Choice(f"{item}-prod", OWNER, whose) for item, whose in (("beta", "Ink"), ("acme", ""), ("axe", "")))


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("acme-prod", ["acme-prod"]),
        ("INK", ["beta-prod"]),
        ("ae", ["acme-prod", "axe-prod"]),
        ("zz", []),
        ("cme", ["acme-prod"]),
    ],
)
def test_a_part_of_a_name_is_enough(typed: str, names: list[str]) -> None:
    assert [choice.name for choice in matching(typed, CHOICES)] == names


def test_the_chooser_narrows_down_and_gives_up() -> None:
    asked: list[str] = []

    def answers(*given: str) -> Any:
        left = list(given)
        return lambda question: (asked.append(question), left.pop(0))[1]

    assert choose(CHOICES, answers("2")) == "acme-prod"
    assert choose(CHOICES, answers("ae", "2")) == "axe-prod"
    assert "beta" not in asked[-1]
    assert choose(CHOICES, answers("zz", "beta")) == "beta-prod"
    assert "No profile matches 'zz'" in asked[-1]
    with pytest.raises(ValetkeyError, match="no customer was chosen"):
        choose(CHOICES, answers(""))


def test_the_one_used_last_comes_first(person: pathlib.Path) -> None:
    for age, name in enumerate(("globex", ODD, "acme")):
        profile = next(item for item in customers.by_last_use(os.environ) if item.name == name)
        customers.note(profile, datetime.now(UTC), os.environ)
        path = last_file(name, os.environ)
        os.utime(path, (1_000_000 - age,) * 2)
    assert [item.name for item in customers.by_last_use(os.environ)] == ["globex", ODD, "acme"]
    note_use("acme", os.environ)
    assert customers.by_last_use(os.environ)[0].name == "acme"


def test_the_default_name(person: pathlib.Path) -> None:
    env = dict(os.environ)
    assert _default_name.default_name(env) is None
    assert _default_name.default_name({**env, "AWS_PROFILE": "default"}) is None
    assert _default_name.default_name({**env, "AWS_PROFILE": ODD}) == ODD
    assert _default_name.default_name({**env, "AWS_PROFILE": "acme", "VALETKEY_PROFILE": "globex"}) == "globex"
    here = {**env, "VALETKEY_PROFILE": "acme"}
    for words, wanted in (
        ("exec -- aws s3", "exec acme -- aws s3"),
        ("exec --region eu-west-1 --long -- aws", "exec acme --region eu-west-1 --long -- aws"),
        ("exec globex -- aws", "exec globex -- aws"),
        ("exec --all -- aws", "exec --all -- aws"),
        ("exec --profile=globex -- aws", "exec --profile=globex -- aws"),
        ("exec", "exec"),
    ):
        assert _default_name.with_default_name(words.split(), here) == wanted.split()
    with pytest.raises(ValetkeyError, match="no command is given"):  # a script whose command came out empty
        _default_name.with_default_name(["exec", "acme", "--"], here)
    with pytest.raises(ValetkeyError, match="no profile is named"):
        _default_name.with_default_name(["exec", "--", "aws"], env)


def test_terraform_and_serve_are_for_the_shells_profile(
    person: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for words in (["terraform"], ["serve"]):
        assert run(words) == 2
        assert f"valetkey {words[0]} NAME" in capfd.readouterr().err
    wanted: list[tuple[str, ...]] = []

    def enter_all(names: tuple[str, ...]) -> None:
        wanted.append(names)
        raise ValetkeyError("far enough", do="nothing")

    monkeypatch.setattr("valetkey.cli._serving.enter_all", enter_all)
    monkeypatch.setenv("AWS_PROFILE", "globex")
    assert run(["terraform"]) == 0
    by_aws = capfd.readouterr().out
    assert run(["terraform", "globex"]) == 0
    assert capfd.readouterr().out == by_aws
    monkeypatch.setenv("VALETKEY_PROFILE", "acme")
    assert run(["terraform"]) == 0
    assert capfd.readouterr().out != by_aws
    run(["serve"])
    run(["serve", "globex"])
    assert wanted == [("acme",), ("globex",)]


def test_exec_names_the_profile_and_opens_a_shell(
    person: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from valetkey.cli._run import run

    shell = person / "shell"
    shell.write_text('#!/bin/sh\necho "$VALETKEY_PROFILE $AWS_REGION $AWS_ACCESS_KEY_ID"\n')
    shell.chmod(0o700)
    monkeypatch.setenv("SHELL", str(shell))
    assert run(["exec", "acme"]) == 0
    out, err = capfd.readouterr()
    assert out == "acme eu-west-1 ASIAKEPT\n"
    assert f"A shell for acme, account {OWNER}. `exit` ends it." in err
    monkeypatch.setenv("VALETKEY_PROFILE", "acme")
    assert run(["exec", "--region", "ap-south-1", "--", str(shell)]) == 0
    assert run(["exec", "--", str(shell)]) == 0
    assert capfd.readouterr().out == "acme ap-south-1 ASIAKEPT\nacme eu-west-1 ASIAKEPT\n"
    # Nested: what the outer customer's shell has is not the inner one's.
    assert run(["exec", "acme", "--", sys.executable, "-m", "valetkey", "exec", ODD, "--", str(shell)]) == 0
    assert capfd.readouterr().out == f"{ODD} eu-west-3 ASIAKEPT\n"
    assert run(["exec", "acme", "--region", "no/region", "--", str(shell)]) == 125
    assert "--region" in capfd.readouterr().err


def test_which_region_wins() -> None:
    here = {"AWS_DEFAULT_REGION": "eu-west-1"}
    assert region_here("acme", "us-east-1", {}) == "us-east-1"
    assert region_here("acme", "us-east-1", here) == "eu-west-1"
    assert region_here("acme", "us-east-1", {**here, "AWS_REGION": "eu-west-2"}) == "eu-west-2"
    assert region_to_set("acme", "us-east-1", here) is None  # it stands as it is
    others = {**here, "VALETKEY_PROFILE": "globex"}
    assert region_here("acme", "us-east-1", others) == "us-east-1"
    assert region_here("acme", None, others) == "eu-west-1"
    assert region_here("acme", "us-east-1", {**here, "VALETKEY_PROFILE": "acme"}) == "eu-west-1"


def test_env_names_the_profile_too(person: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    from valetkey.cli._run import run

    for _ in range(2):  # opened, and as noted
        assert run(["env", "acme"]) == 0
        assert "export VALETKEY_PROFILE='acme'\n" in capsys.readouterr().out
    assert run(["env", "acme", "--region", "ap-south-1"]) == 0
    assert "export AWS_REGION='ap-south-1'\n" in capsys.readouterr().out


def test_a_kept_session_is_used_without_heavy_imports(person: pathlib.Path) -> None:
    for expected in ("botocore", ""):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "valetkey", "use", "acme"],
            capture_output=True,
            text=True,
            timeout=60,
            start_new_session=True,
        )
        assert "export AWS_PROFILE='acme'\n" in done.stdout
        imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "|" in line}
        heavy = {"botocore", "boto3", "cyclopts", "rich", "msgspec", "configparser"} & imported
        assert (heavy == set()) if not expected else (expected in heavy), heavy


def test_accept_asks_for_a_region_only_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    from valetkey.cli import _questions

    monkeypatch.setattr(_questions, "at_terminal", lambda: False)
    assert _questions.ask_region() is None
    monkeypatch.setattr(_questions, "at_terminal", lambda: True)
    for typed, wanted in (("eu-west-1", "eu-west-1"), ("", None)):
        monkeypatch.setattr(_questions, "answer", lambda question, typed=typed: typed)
        assert _questions.ask_region() == wanted


def test_the_id_on_the_credential_process_line_stands_for_the_name(person: pathlib.Path) -> None:
    words = [sys.executable, "-m", "valetkey", "credential-process", file_id(ODD)]
    answers = [
        subprocess.run(words, capture_output=True, text=True, timeout=60, start_new_session=True, check=True).stdout
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert '"AccessKeyId": "ASIAKEPT"' in answers[0]
    hot = person / ".cache/valetkey/hot"
    assert [path.name for path in hot.iterdir()] == [file_id(ODD)]  # the second one came from there
