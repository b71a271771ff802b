"""The file for the browser goes after the command has ended."""

from __future__ import annotations

import pathlib
import sys
import time
import urllib.parse
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from valetkey.cli._browsing import page_folder, remove_later
from valetkey.cli._run import run
from valetkey.credentials.delivery.browsers import NoBrowser
from valetkey.credentials.delivery.federation import redirect_file


def test_a_process_of_its_own_removes_the_directory(tmp_path: pathlib.Path) -> None:
    with redirect_file("https://x", tmp_path, later=lambda directory: remove_later(directory, 0.0)) as page:
        directory = page.parent
    end = time.monotonic() + 60
    while directory.exists():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_without_such_a_process_it_goes_at_once(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with redirect_file("https://x", tmp_path, later=lambda directory: remove_later(directory, 0.0)) as page:
        pass
    assert not page.parent.exists()


def test_without_a_cache_the_page_is_not_below_home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, runtime = tmp_path / "nobody", tmp_path / "run"
    runtime.mkdir()
    monkeypatch.setenv("HOME", str(home))
    env = {"HOME": str(home), "XDG_RUNTIME_DIR": str(runtime)}
    assert page_folder(env, no_cache=False) == home
    assert page_folder(env, no_cache=True) == runtime / "valetkey"
    with pytest.raises(NoBrowser, match="XDG_RUNTIME_DIR"):
        page_folder({"HOME": str(home)}, no_cache=True)
    assert not home.exists()


class Entry:
    """A profile that is opened, and a session that nobody is asked for."""

    region = "eu-west-1"
    limit = "1 h"
    root = SimpleNamespace(profile=SimpleNamespace(name="acme", until=None))
    profile = SimpleNamespace(
        name="acme", source_profile="default", partition="aws", account="210987654321", role_arn="arn"
    )

    def session(self, *, lasting: bool) -> SimpleNamespace:
        return SimpleNamespace(credentials=SimpleNamespace(expires=datetime(2026, 11, 29, tzinfo=UTC)))


@pytest.fixture
def page(home: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> list[pathlib.Path]:
    """The pages that a browser was given."""
    pages: list[pathlib.Path] = []

    def look(uri: str) -> bool:
        pages.append(pathlib.Path(urllib.parse.urlparse(uri).path))
        assert "https://signin.example/" in pages[-1].read_text()
        return True

    monkeypatch.setattr(
        "valetkey.credentials.delivery.federation.login_url", lambda *_, **__: "https://signin.example/"
    )
    monkeypatch.setattr("webbrowser.open", look)
    monkeypatch.setattr("valetkey.cli._browsing.remove_later", lambda *_: False)
    monkeypatch.setattr("valetkey.cli.commands.console._end_in_order", lambda: None)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    return pages


def test_console_without_a_cache_writes_its_page_outside_home(
    page: list[pathlib.Path], home: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways: list[bool] = []
    monkeypatch.setattr("valetkey.cli._machine.open_profile", lambda _, way: (ways.append(way.no_cache), Entry())[1])
    runtime = tmp_path / "run"
    runtime.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    before = sorted(home.rglob("*"))
    assert run(["console", "acme", "--no-cache"]) == 0
    assert sorted(home.rglob("*")) == before
    assert run(["console", "acme"]) == 0
    without, usual = page
    assert without.is_relative_to(runtime / "valetkey")
    assert usual.is_relative_to(home)
    assert (without.exists(), usual.exists()) == (False, False)
    assert ways == [True, False]


def test_console_without_a_cache_is_refused_before_anybody_is_asked(
    page: list[pathlib.Path], home: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def opened(*_: Any) -> None:
        raise AssertionError("the profile is opened, and a code may be asked for")

    monkeypatch.setattr("valetkey.cli._machine.open_profile", opened)
    assert run(["console", "acme", "--no-cache"]) == 2
    err = capfd.readouterr().err
    assert ("XDG_RUNTIME_DIR" in err, "--print" in err, page) == (True, True, [])
    # --print opens no browser, so that it needs no place for a page.
    monkeypatch.setattr("valetkey.cli._machine.open_profile", lambda *_: Entry())
    assert run(["console", "acme", "--no-cache", "--print"]) == 0
    assert capfd.readouterr().out == "https://signin.example/\n"
    assert list(home.iterdir()) == []
