"""The OS keyring works, is locked, or shows a dialog without getting an answer."""

from __future__ import annotations

import json
import pathlib
import time
from typing import Any

import pytest

RINGS = """
import json, os, pathlib, time
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

class Ring(KeyringBackend):
    priority = 5
    place = pathlib.Path(os.environ["RING"])
    def _all(self):
        return json.loads(self.place.read_text()) if self.place.exists() else {}
    def get_password(self, service, name):
        return self._all().get(f"{service} {name}")
    def set_password(self, service, name, secret):
        self.place.write_text(json.dumps(self._all() | {f"{service} {name}": secret}))
    def delete_password(self, service, name):
        self.place.write_text(json.dumps({k: v for k, v in self._all().items() if k != f"{service} {name}"}))

class Locked(Ring):
    def get_password(self, service, name):
        raise KeyringLocked("the text of a backend may hold anything: " + "hush" * 3)
    set_password = delete_password = lambda self, *_: self.get_password("", "")

class Silent(Ring):
    def get_password(self, service, name):
        time.sleep(100)
    set_password = delete_password = lambda self, *_: time.sleep(100)
"""


@pytest.fixture
def ring(watch: Any, tmp_path: pathlib.Path) -> Any:
    """`ring("Ring")` selects this keyring class. Its content is in a file outside HOME."""
    folder = tmp_path / "rings"
    folder.mkdir()
    (folder / "rings.py").write_text(RINGS)
    watch.it.person.env["PYTHONPATH"] += f":{folder}"
    watch.it.person.env["RING"] = str(tmp_path / "ring.json")
    watch.elsewhere.append(tmp_path / "ring.json")

    def use(name: str) -> None:
        watch.it.person.env["PYTHON_KEYRING_BACKEND"] = f"rings.{name}"

    return use


def gets_in(watch: Any, prompts: int, name: str = "acme") -> Any:
    ran = watch.run("credential-process", name)
    assert (ran.code, ran.prompts) == (0, prompts), ran
    assert "hush" not in ran.err
    json.loads(ran.out)
    return ran


def mfa_files(watch: Any) -> list[pathlib.Path]:
    return list((watch.home / ".cache/valetkey/sessions").glob("mfa-*.json"))


def test_the_mfa_session_is_in_the_keyring_and_in_no_file(watch: Any, ring: Any) -> None:
    ring("Ring")
    assert gets_in(watch, prompts=1).err == ""
    assert mfa_files(watch) == []
    assert len(json.loads(watch.elsewhere[0].read_text())) == 1
    watch.it.role("Other")
    watch.it.save("other", role="Other")
    gets_in(watch, prompts=0, name="other")
    watch.check()


def test_a_locked_keyring_is_said_once_and_nobody_is_stopped(watch: Any, ring: Any) -> None:
    ring("Locked")
    first = gets_in(watch, prompts=1)
    [kept] = mfa_files(watch)
    assert kept.stat().st_mode & 0o777 == 0o600
    watch.it.role("Other")
    watch.it.save("other", role="Other")
    assert gets_in(watch, prompts=0, name="other").err == ""
    watch.shown.append(first.err)
    watch.check()


def test_a_keyring_that_is_locked_later_costs_one_more_code(watch: Any, ring: Any) -> None:
    ring("Ring")
    gets_in(watch, prompts=1)
    ring("Locked")
    gets_in(watch, prompts=0)  # the role session needs no keyring
    watch.forget("role")
    gets_in(watch, prompts=1)
    ring("Ring")
    watch.forget("role")
    gets_in(watch, prompts=0)
    watch.check()


def test_a_key_that_has_moved_into_the_keyring_is_in_no_file_any_more(watch: Any, ring: Any) -> None:
    ring("Ring")
    assert watch.run("login", "--store-key").code == 0
    secret = watch.it.user.secret_access_key
    assert secret in watch.elsewhere[0].read_text()
    assert not [item for item in watch.home.rglob("*") if item.is_file() and secret in item.read_text()]
    ran = watch.run("login", "acme")
    assert (ran.code, ran.prompts) == (0, 1), ran
    gets_in(watch, prompts=0)
    watch.check()


@pytest.mark.slow
def test_a_dialog_that_nobody_answers_does_not_hang(watch: Any, ring: Any) -> None:
    ring("Silent")
    begun = time.monotonic()
    gets_in(watch, prompts=1)
    assert time.monotonic() - begun < 45
    assert len(mfa_files(watch)) == 1
    gets_in(watch, prompts=0)
    watch.check()
