"""Exit codes and errors of the command line."""

import json
import subprocess
import sys

import pytest

from valetkey.cli import _commands as table
from valetkey.cli._run import run
from valetkey.errors import ValetkeyError
from valetkey.report.text import say_json


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
        (["review", "verfy", "x"], 'unknown command "verfy". Did you mean "verify"?'),
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


@pytest.mark.parametrize("words", [["review", "verify", "x"], ["review", "apply"], ["sandbox", "totp"]])
def test_what_a_command_of_a_command_lacks_is_in_its_own_help(words, capsys):
    assert run(words) == 2
    assert f"see `valetkey {words[0]} {words[1]} --help`" in capsys.readouterr().err


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


@pytest.mark.parametrize(
    ("words", "says", "code"),
    [
        (["show", "a b", "--json"], "role name", 2),
        (["list", "--format", "json", "--nonsense"], "unknown option --nonsense", 2),
        (["grnt", "--format=json"], 'unknown command "grnt"', 2),
        (["verify", "nobody", "--json"], "nobody", 2),
    ],
)
def test_with_json_an_error_is_json_too(words, says, code, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert run(words) == code
    out, err = capsys.readouterr()
    error = json.loads(out)["error"]
    assert says in error["what"]
    assert error["exit_code"] == code
    assert err.startswith(f"valetkey: {error['what']}")
    assert error["do"] in err


def test_a_fault_of_our_own_is_json_too_and_a_document_that_is_printed_stays_the_only_one(monkeypatch, capsys):
    def fail(*_, **__):
        raise RuntimeError("secret")

    monkeypatch.setattr("valetkey.cli._options.OwnerAccount.connect", fail)
    assert run(["list", "--json"]) == 3
    out = capsys.readouterr().out
    assert json.loads(out)["error"]["exit_code"] == 3
    assert "secret" not in out

    def half(*_, **__):
        say_json({"some": "result"})
        raise ValetkeyError("after it", exit_code=1)

    monkeypatch.setattr("valetkey.cli._options.OwnerAccount.connect", half)
    assert run(["list", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"some": "result"}
    assert run(["list"]) == 1


def test_the_details_of_a_refusal_are_in_no_json(monkeypatch, capsys):
    def refuse(*_, **__):
        raise ValetkeyError("refused", exit_code=3).with_details("https://secret.example")

    monkeypatch.setattr("valetkey.cli._options.OwnerAccount.connect", refuse)
    assert run(["list", "--json"]) == 3
    out, err = capsys.readouterr()
    assert ("secret" in out, "secret" in err) == (False, True)
