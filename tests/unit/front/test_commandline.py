"""A command in a message: a shell reads every value back as one word. No message is written another way."""

from __future__ import annotations

import ast
import pathlib
import re
import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

import valetkey
from valetkey.commandline import command, file_word, option

ROOT = pathlib.Path(valetkey.__file__).parent
HOSTILE = (
    "; rm -rf ~",
    "$(id)",
    "`id`",
    "a'b",
    'a"b',
    "a\nb",
    "\x1b[2J",
    "\u202egnp",
    "",
    "-x",
    "-",
    "--",
    "--yes",
    "~",
    "a b",
    "#",
)


@pytest.mark.parametrize("value", HOSTILE)
def test_a_shell_reads_the_value_back(value: str) -> None:
    for text in (command("echo", value), command("echo", value, then="-n"), f"echo {option('--name', value)}"):
        ran = subprocess.run(["sh", "-c", f"printf '%s\\0' {text}"], capture_output=True, check=True)
        words = ran.stdout.decode().split("\0")[:-1]
        assert words == shlex.split(text)
        assert value in words or f"--name={value}" in words


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8")))
def test_no_value_is_more_than_one_word_or_an_option(value: str) -> None:
    words = shlex.split(command("valetkey show", value, then="--json"))
    assert sorted(words, key=str) == sorted(
        ["valetkey", "show", value, "--json", *(["--"] if value.startswith("-") else [])], key=str
    )
    if value.startswith("-"):  # the last word, behind the `--`: a value may itself be `--`
        assert words[-2:] == ["--", value]
    assert shlex.split(option("--name", value)) in (["--name", value], [f"--name={value}"])
    assert shlex.split(file_word(value)) == [f"./{value}" if value.startswith("-") else value]


def test_plain_values_look_plain() -> None:
    assert command("valetkey handoff", "audit", then="-o handoff.json") == "valetkey handoff audit -o handoff.json"
    assert option("--profile", "acme") == "--profile acme"


# The end of a fixed text after which a value would be a word of a command: `valetkey show {...}`, `--name {...}`.
_COMMANDS = "|".join(
    item.stem.rstrip("_").replace("_", "-")
    for item in (ROOT / "cli" / "commands").glob("*.py")
    if item.stem != "__init__"
)
_BEGUN = re.compile(
    rf"(\bvaletkey ({_COMMANDS})( \S+)*|\baws( [a-z-]+)+|\bage -[a-z -]+|\bkeyring (get|set|del)|\bterraform [a-z]+"
    r"|(?<!\w)--[a-z][a-z-]*)[ =]$"
)
_QUOTING = {"command", "command_line", "option", "word", "file_word"}


def _raw_values(path: pathlib.Path) -> list[str]:
    result = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.JoinedStr):
            continue
        before = ""
        for part in node.values:
            if isinstance(part, ast.Constant):
                before += str(part.value)
                continue
            assert isinstance(part, ast.FormattedValue)
            call = part.value.func if isinstance(part.value, ast.Call) else None
            is_quoted = isinstance(call, ast.Name) and call.id in _QUOTING
            is_argument = re.fullmatch(r"--[a-z-]+=", before)  # of a process, which no shell reads
            if _BEGUN.search(before) and not is_quoted and not is_argument:
                result.append(f"{path.name}:{part.lineno}: {before[-40:]}{{{ast.unparse(part.value)}}}")
            before += "{}"
    return result


@pytest.mark.parametrize(
    ("line", "is_raw"),
    [
        ("f'run `valetkey show {name}` again'", True),
        ("f'x --only {arn}.'", True),
        ("f'age -d -i {key} {name}'", True),
        ("f'aws configure set x VALUE --profile {name}'", True),
        ("f'run `{command(\"valetkey show\", name)}`'", False),
        ("f'the role {name}'", False),
    ],
)
def test_the_search_below_sees_raw_values(tmp_path: pathlib.Path, line: str, is_raw: bool) -> None:
    path = tmp_path / "x.py"
    path.write_text(line)
    assert bool(_raw_values(path)) is is_raw


def test_every_command_in_a_message_is_written_here() -> None:
    files = [item for item in ROOT.rglob("*.py") if item.relative_to(ROOT).parts[0] != "sandbox"]
    assert len(files) > 150
    assert [value for path in files for value in _raw_values(path)] == []
