"""A referee that is not installed, does not respond, or exits: an error of one line, in limited time."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from . import oracle
from .generate import case

ROOT = pathlib.Path(__file__).parents[2]


def _stand_in(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a `node` on PATH that runs `script`, with nothing to install."""
    node = folder / "node"
    node.write_text(f"#!/bin/sh\n{script}\n")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(oracle, "install", lambda: None)


def test_without_node_the_campaign_ends_with_one_line_and_2(tmp_path: pathlib.Path) -> None:
    words = [sys.executable, "-m", "tests.differential", "--cases", "10"]
    done = subprocess.run(words, cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True, timeout=50)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "needs node" in done.stderr


def test_a_referee_that_never_answers_is_given_up(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _stand_in(tmp_path, monkeypatch, "exec sleep 40")
    with pytest.raises(oracle.OracleError, match=r"did not answer within 0\.3 s|within 0 s"):
        oracle.Oracle(limit=0.3)


def test_a_referee_that_dies_is_noticed(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _stand_in(tmp_path, monkeypatch, """read line; echo '{"version": "0"}'""")
    with oracle.Oracle(limit=20) as asked, pytest.raises(oracle.OracleError, match="has ended"):
        asked.decide([case(1, 1)])


def test_an_installation_of_another_version_is_not_used(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oracle, "HERE", tmp_path)
    assert not oracle.installed()
    (tmp_path / "package-lock.json").write_text((pathlib.Path(__file__).parent / "package-lock.json").read_text())
    there = tmp_path / "node_modules/@cloud-copilot/iam-simulate"
    there.mkdir(parents=True)
    (there / "package.json").write_text('{"version": "0.0.1"}')
    assert not oracle.installed()
