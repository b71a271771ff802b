"""A profile is saved whole, private and inside its directory, and read back only when it is sound."""

from __future__ import annotations

import json
import os
import pathlib
import stat
from datetime import UTC, datetime

import pytest

from valetkey.credentials.profiles import profile as profiles
from valetkey.credentials.profiles.profile import Profile, ProfileError, load, names, path_of, save
from valetkey.errors import ValetkeyError


def profile(**changes: object) -> Profile:
    given: dict[str, object] = {
        "name": "acme",
        "role_arn": "arn:aws:iam::210987654321:role/team/Audit",
        "external_id": "vk-0123456789",
        "contractor": "123456789012",
        "mfa": True,
        "mfa_serial": "arn:aws:iam::123456789012:mfa/ann",
        "max_session": 3600,
        "until": datetime(2027, 1, 1, tzinfo=UTC),
        "user_name": "ann",
        "principals": ("arn:aws:iam::123456789012:user/ann",),
        **changes,
    }
    return Profile(**given)  # type: ignore[arg-type]


@pytest.fixture
def env(home: pathlib.Path) -> dict[str, str]:
    return {"HOME": str(home)}


def test_comes_back_as_it_was(env: dict[str, str]) -> None:
    wanted = profile()
    path = save(wanted, env)
    assert load("acme", env) == wanted
    assert (wanted.account, wanted.partition) == ("210987654321", "aws")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["acme.json"]
    assert names(env) == ("acme",)


def test_xdg_directory_is_used_and_a_relative_one_ignored(tmp_path: pathlib.Path, env: dict[str, str]) -> None:
    assert (
        save(profile(), {**env, "XDG_CONFIG_HOME": str(tmp_path / "x")}) == tmp_path / "x/valetkey/profiles/acme.json"
    )
    assert path_of("acme", {**env, "XDG_CONFIG_HOME": "x"}) == path_of("acme", env)


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", ".hidden", "-x", "a b", "a\n", "ä", "x" * 65, "a\\b", "a]"])
def test_a_name_cannot_leave_the_directory(name: str, env: dict[str, str]) -> None:
    with pytest.raises(ProfileError, match="cannot name a profile"):
        load(name, env)
    with pytest.raises(ProfileError):
        save(profile(name=name), env)


def test_absent_names_those_that_are_there(env: dict[str, str]) -> None:
    with pytest.raises(ProfileError, match="no profile") as none:
        load("other", env)
    assert "accept" in none.value.do
    save(profile(), env)
    with pytest.raises(ProfileError) as one:
        load("other", env)
    assert "acme" in one.value.do


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"valetkey": "profile/v2"}, "profile/v2"),
        ({"valetkey": None}, "null"),
        ({"surprise": 1}, "unknown key"),
        ({"role_arn": "arn:aws:iam::1:role/x"}, "role_arn"),
        ({"role_arn": "arn:aws:iam::210987654321:user/x"}, "role_arn"),
        ({"contractor": "12345678901\uff12"}, "contractor"),
        ({"source_profile": "acme"}, "own source"),
        ({"until": "2027-01-01T00:00:00"}, "zone"),
        ({"max_session": 60}, "max_session"),
        ({"mfa": "yes"}, "mfa"),
        ({"name": "other"}, "says it is"),
        ({"mfa_serial": "x y z x y z"}, "mfa_serial"),
        ({"mfa_max_age": 0}, "mfa_max_age"),
    ],
)
def test_an_unsound_file_is_refused(change: dict[str, object], says: str, env: dict[str, str]) -> None:
    path = save(profile(), env)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ProfileError, match=says) as caught:
        load("acme", env)
    assert str(path) in caught.value.where


@pytest.mark.parametrize("text", ["", "[]", "{", '"x"', "[" * 100_000, "\xff"])
def test_not_json_is_refused(text: str, env: dict[str, str]) -> None:
    save(profile(), env).write_text(text, encoding="latin-1")
    with pytest.raises(ProfileError):
        load("acme", env)


def test_a_file_that_others_can_write_is_refused(env: dict[str, str]) -> None:
    path = save(profile(), env)
    path.chmod(0o644)
    assert load("acme", env).name == "acme"
    path.chmod(0o620)
    with pytest.raises(ProfileError, match="only you can write"):
        load("acme", env)


def test_a_directory_that_others_can_write_or_that_is_a_link_is_refused(
    env: dict[str, str], tmp_path: pathlib.Path
) -> None:
    directory = path_of("acme", env).parent
    save(profile(), env)
    directory.chmod(0o777)
    with pytest.raises(ValetkeyError, match="written by other users"):
        save(profile(), env)
    directory.chmod(0o755)
    save(profile(), env)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    moved = tmp_path / "elsewhere"
    directory.rename(moved)
    directory.symlink_to(moved)
    with pytest.raises(ValetkeyError, match="symbolic link"):
        save(profile(), env)


def test_a_failed_write_leaves_the_old_file(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(profile(), env)
    before = path.read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ValetkeyError, match="No space"):
        save(profile(customer="new"), env)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["acme.json"]


def test_unsound_values_are_not_saved(env: dict[str, str]) -> None:
    with pytest.raises(ProfileError, match="own source"):
        save(profile(source_profile="acme"), env)
    assert profiles.names(env) == ()
