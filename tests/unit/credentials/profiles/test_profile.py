"""A profile is saved whole, private and inside its directory, and read back only when it is sound."""

from __future__ import annotations

import json
import os
import pathlib
import stat
from datetime import UTC, datetime

import pytest

from valetkey.credentials.profiles.profile import (
    TERM_FIELDS,
    Profile,
    ProfileError,
    TermsOrigin,
    load,
    names,
    path_of,
    save,
)
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
    assert [item.name for item in path.parent.iterdir()] == ["acme.json"]
    assert names(env) == ("acme",)


def test_xdg_directory_is_used_and_a_relative_one_ignored(tmp_path: pathlib.Path, env: dict[str, str]) -> None:
    assert (
        save(profile(), {**env, "XDG_CONFIG_HOME": str(tmp_path / "x")}) == tmp_path / "x/valetkey/profiles/acme.json"
    )
    assert path_of("acme", {**env, "XDG_CONFIG_HOME": "x"}) == path_of("acme", env)


@pytest.mark.parametrize("name", ["", "-x", " a", "a ", "a\n", "a\x1b[m", "a\u202eb", "a\ud800", "x" * 129, "[a]"])
def test_a_name_that_cannot_be_shown_or_typed_is_refused(name: str, env: dict[str, str]) -> None:
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
        ({"valetkey": "profile/v3"}, "profile/v3"),
        ({"valetkey": None}, "null"),
        ({"surprise": 1}, "unknown key"),
        ({"terms": {"surprise": 1}}, "unknown key"),
        ({"local": {"surprise": 1}}, "unknown key"),
        ({"terms": None}, "two objects"),
        ({"local": {"external_id": "vk-0123456789"}}, "unknown key"),
        ({"local": {"mfa": True}}, "known already"),
        ({"role_arn": "arn:aws:iam::1:role/x"}, "role_arn"),
        ({"role_arn": "arn:aws:iam::210987654321:user/x"}, "role_arn"),
        ({"origin": "rumour"}, "origin"),
        ({"local": {"contractor": "12345678901\uff12"}}, "contractor"),
        ({"local": {"source_profile": "acme"}}, "own source"),
        ({"terms": {"until": "2027-01-01T00:00:00"}}, "zone"),
        ({"terms": {"max_session": 60}}, "max_session"),
        ({"terms": {"mfa": "yes"}}, "mfa"),
        ({"name": "other"}, "says it is"),
        ({"local": {"mfa_serial": "x y z x y z"}}, "mfa_serial"),
        ({"terms": {"mfa_max_age": 0}}, "mfa_max_age"),
    ],
)
def test_an_unsound_file_is_refused(change: dict[str, object], says: str, env: dict[str, str]) -> None:
    path = save(profile(), env)
    plain = json.loads(path.read_text())
    for key, value in change.items():
        plain[key] = {**plain[key], **value} if isinstance(value, dict) else value
    path.write_text(json.dumps(plain))
    with pytest.raises(ProfileError, match=says) as caught:
        load("acme", env)
    assert str(path) in caught.value.where


def test_a_term_that_nobody_told_is_unknown_and_changes_no_call(env: dict[str, str]) -> None:
    unknown = frozenset(TERM_FIELDS)
    typed = profile(
        origin=TermsOrigin.TYPED,
        unknown=unknown,
        external_id=None,
        until=None,
        principals=(),
        source_identity=True,
        session_tags=True,
    )
    path = save(typed, env)
    plain = json.loads(path.read_text())
    assert plain["terms"] == {}
    assert (plain["local"]["mfa"], plain["local"]["max_session"]) == (True, 3600)  # what valetkey sends
    assert load("acme", env) == typed
    assert not any(load("acme", env).knows(field) for field in TERM_FIELDS)


def test_known_not_to_be_asked_for_is_not_unknown(env: dict[str, str]) -> None:
    none = profile(external_id=None, until=None, mfa=False, mfa_serial=None, principals=())
    terms = json.loads(save(none, env).read_text())["terms"]
    assert sorted(terms) == sorted(TERM_FIELDS)
    assert (terms["external_id"], terms["until"], terms["mfa"], terms["principals"]) == (None, None, False, [])
    assert load("acme", env) == none


def test_an_address_limit_is_an_optional_term(env: dict[str, str]) -> None:
    """A file without one is what it was before the term was known, and such a file is read."""
    plain = json.loads(save(profile(), env).read_text())
    assert "from_ip" not in {**plain["terms"], **plain["local"]}
    limited = profile(from_ip=("198.51.100.0/24", "2001:db8::/32"))
    path = save(limited, env)
    assert json.loads(path.read_text())["terms"]["from_ip"] == ["198.51.100.0/24", "2001:db8::/32"]
    assert load("acme", env) == limited
    with pytest.raises(ProfileError, match=r"from_ip\[0\]: not an address range"):
        save(profile(from_ip=("office",)), env)
    path.write_text(path.read_text().replace("198.51.100.0/24", "198.51.100.1/24"))
    with pytest.raises(ProfileError, match="not an address range"):
        load("acme", env)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"origin": TermsOrigin.TYPED, "unknown": frozenset({"until"})}, "it has a value"),
        ({"unknown": frozenset({"mfa"})}, "a profile from a handoff knows every term"),
        ({"origin": TermsOrigin.TYPED, "unknown": frozenset({"region"})}, "not the name of a term"),
    ],
)
def test_what_is_unknown_has_no_value(changes: dict[str, object], says: str, env: dict[str, str]) -> None:
    with pytest.raises(ProfileError, match=says):
        save(profile(**changes), env)


@pytest.mark.parametrize("name", ["acme", "no-mfa"])
def test_a_recorded_file_of_version_1_is_read_and_rewritten(name: str, env: dict[str, str]) -> None:
    """The files were written by the version before profile/v2."""
    recorded = (pathlib.Path(__file__).with_name("recorded") / f"{name}.json").read_bytes()
    path = path_of(name, env)
    path.parent.mkdir(parents=True)
    path.write_bytes(recorded)
    path.chmod(0o600)
    old = load(name, env)
    assert (old.origin, old.unknown) == (TermsOrigin.HANDOFF, frozenset())
    plain = json.loads(recorded)
    for key, value in plain.items():
        if key != "valetkey":
            result = getattr(old, key)
            result = list(result) if isinstance(result, tuple) else result
            result = result.isoformat().replace("+00:00", "Z") if isinstance(result, datetime) else result
            assert result == value
    assert path.read_bytes() == recorded  # reading writes nothing
    save(old, env)
    assert json.loads(path.read_text())["valetkey"] == "profile/v2"
    assert load(name, env) == old


def test_version_1_has_none_of_the_new_keys(env: dict[str, str]) -> None:
    path = save(profile(), env)
    plain = json.loads((pathlib.Path(__file__).with_name("recorded") / "acme.json").read_bytes())
    path.write_text(json.dumps({**plain, "origin": "typed"}))
    with pytest.raises(ProfileError, match="unknown key"):
        load("acme", env)


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
    assert [item.name for item in path.parent.iterdir()] == ["acme.json"]


def test_unsound_values_are_not_saved(env: dict[str, str]) -> None:
    with pytest.raises(ProfileError, match="own source"):
        save(profile(source_profile="acme"), env)
    assert names(env) == ()
