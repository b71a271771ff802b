"""What `exec` says when it cannot do its own part."""

import tempfile
import types

import pytest

from valetkey.cli import _machine, _run
from valetkey.credentials.sessions.ways import Way


def test_without_a_temporary_directory_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    result = types.SimpleNamespace(
        session=lambda lasting: None,
        profile=types.SimpleNamespace(source_profile=None),
        base=None,
        region=None,
        way=Way(),
        through=object(),
        root=types.SimpleNamespace(profile=types.SimpleNamespace(name="acme", until=None)),
    )
    monkeypatch.setattr(_machine, "open_profile", lambda name, way: result)
    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent")
    assert _run.run(["exec", "acme", "--", "true"]) == 125
    assert "no temporary directory" in capsys.readouterr().err
