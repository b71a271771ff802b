"""Exit codes and errors of the command line."""

import subprocess
import sys

import pytest

from valetkey.cli import _app as table
from valetkey.cli._run import run


def test_every_listed_command_loads_and_shows_help(capsys):
    for name, _, _, summary in table.COMMANDS:
        assert run([name, "--help"]) == 0, name
        out = " ".join(capsys.readouterr().out.split())
        assert f"Usage: valetkey {name}" in out
        assert summary.split(":")[0][:20] in out


@pytest.mark.parametrize("words", [["nonsense"], ["grant", "--nonsense"], ["decide"], ["list", "--format", "xml"]])
def test_wrong_use_is_exit_code_2_with_advice(words, capsys):
    assert run(words) == 2
    err = capsys.readouterr().err
    assert err.startswith("valetkey: ")
    assert "--help" in err
    assert "Traceback" not in err


def test_exec_without_dashes_says_what_is_missing(capsys):
    assert run(["exec", "acme", "aws", "s3", "ls", "--recursive"]) == 125
    assert "valetkey exec NAME -- COMMAND" in capsys.readouterr().err


def test_help_lists_the_panels(capsys):
    assert run(["--help"]) == 0
    out = capsys.readouterr().out
    assert out.index("Owner") < out.index("Contractor") < out.index("Audit") < out.index("Try it")


def test_a_closed_pipe_is_no_error():
    done = subprocess.run(
        f"{sys.executable} -m valetkey --help | head -c 10", shell=True, capture_output=True, text=True, timeout=30
    )
    assert done.stderr == ""


def test_debug_shows_the_traceback(capsys):
    from valetkey.errors import ValetkeyError

    assert run(["decide", "/nonexistent.json"]) == 2
    assert "/nonexistent.json" in capsys.readouterr().err
    with pytest.raises(ValetkeyError):
        run(["decide", "/nonexistent.json", "--debug"])
