"""Exit codes and errors of the command line."""

import subprocess
import sys

import pytest

from valetkey.cli import _commands as table
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


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["grnt"], 'unknown command "grnt". Did you mean "grant"?'),
        (["client"], 'unknown command "client".\n'),
        (["sandbox", "strt"], 'unknown command "strt". Did you mean "start"?'),
        (["grant", "--dryrun"], "unknown option --dryrun. Did you mean --dry-run?"),
        (["grant", "--polcy=x"], "unknown option --polcy. Did you mean --policy?"),
        (["audit", "--formt", "json"], "unknown option --formt. Did you mean --format?"),
        (["decide", "--line"], "unknown option --line. Did you mean --lines?"),
        (["--profil"], "unknown option --profil.\n"),
        (["list", "a"], 'too many arguments: "a" is not expected here.'),
    ],
)
def test_an_unknown_name_gets_the_nearest(words, says, capsys):
    assert run(words) == 2
    assert capsys.readouterr().err.startswith(f"valetkey: {says}")


def test_an_unknown_profile_gets_the_nearest(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "valetkey/profiles"
    folder.mkdir(parents=True)
    for name in ("acme", "globex"):
        (folder / f"{name}.json").write_text("{}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert run(["verify", "acmee"]) == 2
    assert 'there is no profile "acmee". Did you mean "acme"?' in capsys.readouterr().err


def test_plumbing_has_no_line_in_the_help_and_works(capsys):
    assert run(["--help"]) == 0
    words = capsys.readouterr().out.split()
    assert "verify" in words
    assert not {"credential-process", "decide"} & set(words)
    assert run(["decide", "--help"]) == 0


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
