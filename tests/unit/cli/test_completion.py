"""The shells complete names of profiles and grants by themselves: valetkey is not on the PATH of these tests."""

from __future__ import annotations

import functools
import pathlib
import shutil
import subprocess
import time
from collections.abc import Callable

import pexpect
import pytest

from valetkey.cli._app import build
from valetkey.cli._completion import named, remember_grants

FISH, ZSH = shutil.which("fish"), shutil.which("zsh")


@pytest.fixture
def place(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / ".config/valetkey/profiles"
    folder.mkdir(parents=True)
    for name in ("acme", "acme.prod", "globex", "$(touch evil)", "`touch evil`"):
        (folder / f"{name}.json").write_text("{}")
    (folder / "p-0123456789abcdef.json").write_text("{}")  # an id of a name, and no name
    remember_grants(["audit", "ops", "x\n$(touch evil)", "*"], env(tmp_path))
    return tmp_path


def env(place: pathlib.Path) -> dict[str, str]:
    return {"HOME": str(place), "PATH": "/usr/bin:/bin", "TERM": "dumb", "LANG": "C.UTF-8"}


@functools.cache
def script(shell: str) -> str:
    return str(build().generate_completion(shell=shell))  # type: ignore[arg-type]


def bash(place: pathlib.Path, line: str) -> list[str]:
    """What bash would offer for the last word of a line."""
    (place / "script").write_text(script("bash"))
    words = line.split(" ")
    ask = f"""
        cd {place}; . ./script
        COMP_WORDS=({" ".join(f"'{word}'" for word in words)}); COMP_CWORD={len(words) - 1}
        COMP_LINE='{line}'; COMP_POINT={len(line)}
        entry=$(complete -p valetkey); entry=${{entry#*-F }}; ${{entry%% *}} valetkey
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", ask], env=env(place), capture_output=True, text=True, timeout=20)
    assert done.stderr == ""
    return [item for item in done.stdout.splitlines() if item]


def fish(place: pathlib.Path, line: str) -> list[str]:
    (place / "script").write_text(script("fish"))
    ask = f"cd {place}; source ./script; complete -C '{line}'"
    done = subprocess.run([str(FISH), "-c", ask], env=env(place), capture_output=True, text=True, timeout=20)
    assert done.stderr == ""
    return [item.split("\t")[0] for item in done.stdout.splitlines()]


def zsh(place: pathlib.Path, line: str) -> list[str]:
    """A person presses TAB twice; the list is shown below the line. The script is found as its installer leaves it."""
    folder = place / "functions"
    folder.mkdir(exist_ok=True)
    (folder / "_cyclopts_valetkey").write_text(script("zsh"))
    (place / ".zshrc").write_text(
        f"PS1='> '; fpath=({folder} $fpath); autoload -U compinit; compinit -u -D; unsetopt beep zle_bracketed_paste\n"
        "setopt no_list_ambiguous auto_list; zstyle ':completion:*' list-prompt ''; LISTMAX=1000\n"
    )
    child = pexpect.spawn(str(ZSH), ["-i"], env=env(place), cwd=str(place), timeout=15, encoding="utf-8", echo=False)
    try:
        child.expect("> ")
        child.send(f"{line}\t\t")
        shown, end = "", time.monotonic() + 10
        while time.monotonic() < end:
            child.expect(pexpect.TIMEOUT, timeout=1)
            before, shown = shown, str(child.before)
            if len(shown) > len(line) + 10 and shown == before:
                break  # more than the line itself, and no more comes
        return shown.replace("\r", "\n").split()
    finally:
        child.close(force=True)


SHELLS = [
    pytest.param(bash, id="bash"),
    pytest.param(fish, id="fish", marks=pytest.mark.skipif(FISH is None, reason="fish is not installed")),
    pytest.param(zsh, id="zsh", marks=pytest.mark.skipif(ZSH is None, reason="zsh is not installed")),
]
Offer = Callable[[pathlib.Path, str], list[str]]


@pytest.mark.parametrize("offers", SHELLS)
def test_names_are_offered_where_a_name_belongs(offers: Offer, place: pathlib.Path) -> None:
    lines: tuple[tuple[str, set[str], set[str]], ...] = (
        ("valetkey exec a", {"acme", "acme.prod"}, {"globex", "audit"}),
        ("valetkey serve acme g", {"globex"}, set()),
        ("valetkey show ", {"audit", "ops"}, {"acme"}),
        ("valetkey exec --profile a", {"acme", "acme.prod"}, {"globex"}),
        ("valetkey env acme --shell f", {"fish"}, {"acme"}),
        ("valetkey ex", {"exec"}, {"audit"}),
    )
    for line, wanted, unwanted in lines[:4] if offers is zsh else lines:  # each takes a zsh two seconds
        result = {word for offer in offers(place, line) for word in (offer, offer.rsplit(" ", 1)[-1])}
        # What is unique is put into the line at once.
        assert all(any(word == name for word in result) for name in wanted), (line, result)
        assert not unwanted & (result - set(line.split())), (line, result)
    assert not list(place.glob("**/evil"))


@pytest.mark.parametrize("offers", [*SHELLS[:2]])
def test_a_list_of_profiles_and_the_command_after_the_dashes(offers: Offer, place: pathlib.Path) -> None:
    assert offers(place, "valetkey exec --profile acme,g") == ["acme,globex"]
    assert "uname" in offers(place, "valetkey exec acme -- unam")
    (place / "a-file").write_text("")
    assert "a-file" in offers(place, "valetkey exec acme -- cat a-fil")


def test_without_any_names(tmp_path: pathlib.Path) -> None:
    assert bash(tmp_path, "valetkey exec ") == []
    assert bash(tmp_path, "valetkey show ") == []


def test_the_directories_can_be_elsewhere(place: pathlib.Path) -> None:
    elsewhere = place / "else"
    (place / ".config").rename(elsewhere)
    (place / "script").write_text(script("bash"))
    ask = (
        ". ./script; XDG_CONFIG_HOME=$PWD/else _valetkey_names profiles; XDG_CONFIG_HOME=else _valetkey_names profiles"
    )
    done = subprocess.run(["bash", "-c", ask], env=env(place), cwd=place, capture_output=True, text=True, timeout=20)
    assert done.stdout.split() == ["acme", "acme.prod", "globex"]


def test_every_command_that_takes_a_name_is_known() -> None:
    names = named()
    assert {"exec", "env", "console", "serve", "verify", "terraform"} <= set(names.profiles)
    assert {"show", "revoke", "handoff"} <= set(names.grants)
    assert {"serve", "terraform"} <= set(names.several)


def test_powershell_has_cyclopts_own() -> None:
    assert "valetkey" in script("powershell")
