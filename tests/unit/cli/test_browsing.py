"""The file for the browser goes after the command has ended."""

from __future__ import annotations

import pathlib
import sys
import time

import pytest

from valetkey.cli._browsing import page_folder, remove_later
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
