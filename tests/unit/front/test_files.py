"""files.locked: one holder at a time, a wait that ends, and a place that cannot be locked."""

from __future__ import annotations

import pathlib

import pytest

from valetkey import files
from valetkey.errors import ValetkeyError


def _busy() -> ValetkeyError:
    return ValetkeyError("somebody else writes", do="try again")


def test_a_lock_has_one_holder_and_is_free_afterwards(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.lock"
    with (
        files.locked(path, 5, busy=_busy, setting="XDG_CONFIG_HOME"),
        pytest.raises(ValetkeyError, match="somebody else writes"),
        files.locked(path, 0.01, busy=_busy, setting="XDG_CONFIG_HOME"),
    ):
        raise AssertionError("two hold the lock")
    with pytest.raises(RuntimeError), files.locked(path, 0.01, busy=_busy, setting="XDG_CONFIG_HOME"):
        raise RuntimeError("the holder fails")
    with files.locked(path, 0.01, busy=_busy, setting="XDG_CONFIG_HOME"):
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_place_that_cannot_be_locked_is_named_with_the_variable_that_moves_it(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.lock").mkdir()
    with (
        pytest.raises(ValetkeyError, match="cannot be locked") as caught,
        files.locked(tmp_path / "a.lock", 1, busy=_busy, setting="XDG_CACHE_HOME"),
    ):
        raise AssertionError("locked a directory")
    assert caught.value.where == str(tmp_path / "a.lock")
    assert "XDG_CACHE_HOME" in (caught.value.do or "")


def test_what_fails_under_the_lock_is_not_said_of_the_lock(tmp_path: pathlib.Path) -> None:
    with pytest.raises(OSError, match="disk"), files.locked(tmp_path / "a.lock", 1, busy=_busy, setting="X"):
        raise OSError("disk")
