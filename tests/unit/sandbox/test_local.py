"""Where the sandbox of a person is kept, and what its names mean."""

from __future__ import annotations

import json
import os
import pathlib

import pytest

from valetkey.sandbox.errors import SandboxError
from valetkey.sandbox.local import Local, Profile, begin, find, finish, place

CAROL = Profile("contractor", "222222222222", "carol", "arn:aws:iam::222222222222:user/carol", "arn:…:mfa/carol")
LOCAL = Local("http://127.0.0.1:9", 1, "/state", (Profile("owner", "111111111111", "admin", "arn:…:user/admin"), CAROL))


def test_the_folder_follows_xdg_and_home() -> None:
    assert place({"HOME": "/h"}) == pathlib.Path("/h/.local/state/valetkey/sandbox")
    assert place({"HOME": "/h", "XDG_STATE_HOME": "/s"}) == pathlib.Path("/s/valetkey/sandbox")
    assert place({"HOME": "/h", "XDG_STATE_HOME": "relative"}) == pathlib.Path("/h/.local/state/valetkey/sandbox")
    with pytest.raises(SandboxError):
        place({})


def test_a_device_is_named_by_user_profile_or_arn() -> None:
    assert LOCAL.device("carol") == LOCAL.device("contractor") == CAROL.mfa_serial
    assert LOCAL.device("arn:aws:iam::999999999999:user/new") == "arn:aws:iam::999999999999:user/new"
    with pytest.raises(SandboxError, match="admin has no MFA device"):
        LOCAL.device("admin")
    with pytest.raises(SandboxError, match="no user mallory"):
        LOCAL.device("mallory")


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "null", '{"valetkey": "sandbox/v2"}', '{"valetkey": "sandbox/v1", "profiles": [{"x": 1}]}'],
)
def test_a_folder_that_is_not_ours_to_read_is_no_sandbox(tmp_path: pathlib.Path, text: str) -> None:
    (tmp_path / "sandbox.json").write_text(text)
    assert find(tmp_path) is None
    assert find(tmp_path / "missing") is None


@pytest.mark.parametrize(("port", "accounts"), [(-1, 2), (65536, 2), (0, 0), (0, 10)])
def test_bad_numbers_are_refused_before_anything_starts(tmp_path: pathlib.Path, port: int, accounts: int) -> None:
    with pytest.raises(SandboxError):
        begin(tmp_path / "state" / "sandbox", port=port, accounts=accounts)
    assert not (tmp_path / "state").exists()


def test_a_sandbox_is_begun_found_and_finished(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "state" / "sandbox"
    begun, running = begin(folder, accounts=3, owner=os.getpid())
    try:
        assert find(folder) == begun
        assert [profile.name for profile in begun.profiles] == [
            "owner", "contractor", "contractor-admin", "contractor3", "contractor3-admin",
        ]  # fmt: skip
        for path in folder.iterdir():
            assert path.stat().st_mode & 0o777 == 0o600, path
        assert folder.stat().st_mode & 0o777 == 0o700
        plain = (folder / "sandbox.json").read_text()
        assert json.loads(plain)["valetkey"] == "sandbox/v1"
        secrets = [
            line.split(" = ")[1] for line in (folder / "credentials").read_text().split("\n") if "secret" in line
        ]
        assert len(secrets) == 5
        assert not any(secret in plain for secret in secrets)
        with pytest.raises(SandboxError, match="already running"):
            begin(folder, owner=os.getpid())
        assert find(folder) == begun
        finished = finish(folder, running)
    finally:
        running.stop()
    assert finished == begun
    assert not folder.exists()
    assert finish(folder) is None
