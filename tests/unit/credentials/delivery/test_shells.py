"""Every value arrives in the shell as it was, whatever is in it."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.credentials.delivery.shells import FAILED, INTERFERING, SET, SHELLS, cleared, lines, shell_of, stamp
from valetkey.credentials.sessions.values import Credentials
from valetkey.errors import ValetkeyError

NASTY = "a'b\"c$(touch x)`d`\\e !f%G%;#&|<>{}[]*?~ \u2019\u2018 '' \\' $'x' \\\\"


def credentials(secret: str = "s3cr/et+", token: str = "tok==") -> Credentials:
    return Credentials(
        access_key_id="ASIA1",
        secret_access_key=secret,
        session_token=token,
        expires=datetime(2026, 5, 1, 12, tzinfo=UTC),
        account="210987654321",
    )


def run(shell: list[str], script: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run([*shell], input=script, capture_output=True, text=True, env=env or {}, timeout=20, check=True)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "sh", "dash"])
def test_a_posix_shell_sets_and_unsets(shell: str) -> None:
    result = shutil.which(shell)
    if result is None:
        pytest.skip(f"{shell} is not installed")
    kind = "zsh" if shell == "zsh" else "bash"
    script = cleared(kind) + lines(kind, NASTY, credentials(NASTY), NASTY)
    script = (
        "set -eu\n" + script + 'printf "%s\\0" "$AWS_SECRET_ACCESS_KEY" "$AWS_REGION" "$AWS_CREDENTIAL_EXPIRATION"\n'
    )
    script += 'printf "%s" "${AWS_PROFILE-gone}"\n'
    out = run([result], script, {"AWS_PROFILE": "other"})
    assert out.split("\0") == [NASTY, NASTY, "2026-05-01T12:00:00Z", "gone"]


def test_fish_sets_and_unsets() -> None:
    fish = shutil.which("fish")
    if fish is None:
        pytest.skip("fish is not installed; its quoting is checked by test_fish_and_powershell_quoting_reads_back")
    script = cleared("fish") + lines("fish", NASTY, credentials(NASTY)) + 'printf "%s" "$AWS_SECRET_ACCESS_KEY"\n'
    assert run([fish, "--no-config"], script) == NASTY


def test_powershell_sets_and_unsets() -> None:
    pwsh = shutil.which("pwsh")
    if pwsh is None:
        pytest.skip("pwsh is not installed; its quoting is checked by test_fish_and_powershell_quoting_reads_back")
    script = (
        cleared("powershell")
        + lines("powershell", NASTY, credentials(NASTY))
        + "[Console]::Out.Write($Env:AWS_SECRET_ACCESS_KEY)\n"
    )
    assert run([pwsh, "-NoProfile", "-Command", "-"], script) == NASTY


def read_fish(quoted: str) -> str:
    """A single-quoted word, by fish's rules; what is left over is an error."""
    assert quoted[0] == "'"
    value, rest = "", quoted[1:]
    while rest:
        if rest[:2] in ("\\\\", "\\'"):
            value, rest = value + rest[1], rest[2:]
        elif rest[0] == "'":
            assert rest == "'", rest
            return value
        else:
            value, rest = value + rest[0], rest[1:]
    raise AssertionError("not closed")


def read_powershell(quoted: str) -> str:
    """A single-quoted word, by PowerShell's rules: any of its five single quotes ends it unless doubled."""
    marks = "'\u2018\u2019\u201a\u201b"
    value, rest = "", quoted[1:]
    while rest:
        if rest[0] in marks:
            if rest[1:2] and rest[1] in marks:
                value, rest = value + rest[0], rest[2:]
                continue
            assert len(rest) == 1, rest
            return value
        value, rest = value + rest[0], rest[1:]
    raise AssertionError("not closed")


@given(st.one_of(st.just(NASTY), st.text(st.characters(exclude_categories=["C", "Zl", "Zp", "Zs"]), min_size=1)))
def test_fish_and_powershell_quoting_reads_back(value: str) -> None:
    for shell, read, begin in (
        ("fish", read_fish, "set -gx AWS_SECRET_ACCESS_KEY "),
        ("powershell", read_powershell, "$Env:AWS_SECRET_ACCESS_KEY = "),
    ):
        [line] = [part for part in lines(shell, "acme", credentials(value)).split("\n") if part.startswith(begin)]
        assert read(line[len(begin) :]) == value


@pytest.mark.parametrize("shell", SHELLS)
def test_everything_that_interferes_goes_first(shell: str) -> None:
    result = cleared(shell).splitlines()
    assert [line.split()[-1].removeprefix("Env:") for line in result] == [*INTERFERING, *SET]
    assert "AWS_REGION" not in lines(shell, "acme", credentials())
    assert "AWS_REGION" in lines(shell, "acme", credentials(), "eu-central-1")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b", "a\x1bb", "a\u202eb"])
def test_what_no_line_can_hold_is_refused(shell: str, value: str) -> None:
    with pytest.raises(ValetkeyError) as caught:
        lines(shell, "acme", credentials(value))
    assert value not in str(caught.value)


def test_times_are_utc() -> None:
    assert stamp(datetime.fromisoformat("2026-05-01T14:00:00+02:00")) == "2026-05-01T12:00:00Z"


POSIX = ("bash", "zsh", "sh", "dash")


@pytest.mark.parametrize("shell", [*POSIX, "fish"])
@pytest.mark.parametrize("strict", [False, True])
def test_a_failure_leaves_no_credentials_and_a_false_status(shell: str, strict: bool, tmp_path: pathlib.Path) -> None:
    """Evaluated by the real shell, which had another customer's."""
    result = shutil.which(shell)
    if result is None:
        pytest.skip(f"{shell} is not installed")
    kind = shell if shell in SHELLS else "bash"
    answer = tmp_path / "answer"
    answer.write_text(cleared(kind) + FAILED[kind])
    env = {**dict.fromkeys((*INTERFERING, *SET), "former"), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    if shell == "fish":
        script = f"cat {answer} | source; and echo true; or echo false; env | string match 'AWS_*'; true"
        assert run([result, "--no-config"], script, env).split() == ["false"]
        return
    take = f'eval "$(cat {answer})" && echo true || echo false; env | grep ^AWS_'
    if strict:
        # With `set -e` a failed switch ends the script.
        take = f'set -eu; eval "$(cat {answer})"; echo went on'
    done = subprocess.run([result], input=take, capture_output=True, text=True, env=env, timeout=20)
    assert (done.stdout.split(), done.stderr) == ([] if strict else ["false"], "")
    assert done.returncode == 1


def test_powershell_removes_every_variable_and_throws() -> None:
    text = cleared("powershell") + FAILED["powershell"]
    assert "Remove-Item -ErrorAction Ignore Env:AWS_SESSION_TOKEN\n" in text
    assert text.splitlines()[-1].startswith("throw '")


@pytest.mark.parametrize(
    ("words", "shell"),
    [
        ("env acme", "bash"),
        ("env acme --shell fish", "fish"),
        ("env acme --shell=fish", "fish"),
        ("env --shell powershell acme", "powershell"),
        ("env acme --shell zsh", "zsh"),
        # Wrong use is answered in the form that is meant.
        ("env acme --shell pwsh", "powershell"),
        ("env acme --shel fish", "fish"),
        ("env acme -s PowerShell", "powershell"),
        ("env acme --shell csh", "bash"),
        ("env acme --shell", "bash"),
        ("env fish", "bash"),
        ("env", "bash"),
    ],
)
def test_the_form_of_a_failure_is_the_one_that_was_asked_for(words: str, shell: str) -> None:
    assert shell_of(words.split()) == shell
