"""Sections are rewritten in place, put back byte for byte, and nothing else in the file changes."""

from __future__ import annotations

import pathlib
import stat
from datetime import UTC, datetime

import pytest

from valetkey.awsfiles import ConfigError
from valetkey.credentials.profiles.sections import (
    Rewrite,
    replace_config,
    restored,
    rewritten,
    section_texts,
    without,
)

NOW = datetime(2026, 11, 29, 12, 0, 0, tzinfo=UTC)
PATH = pathlib.Path("config")
TEXT = """\
# mine
[default]
region = eu-west-1

[profile acme]  ; the first customer
# ask Bob before you touch this
role_arn = arn:aws:iam::111111111111:role/audit
source_profile = default
s3 =
    max_concurrent_requests = 20
region = eu-central-1
external_id = x-1

# the second customer
[profile globex]
role_arn=arn:aws:iam::222222222222:role/audit
source_profile=default
output=json
"""
NEW = Rewrite({"credential_process": "valetkey credential-process acme"})


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_section_is_rewritten_in_place(end: str) -> None:
    result = rewritten(TEXT.replace("\n", end), {"acme": NEW}, PATH)
    wanted = TEXT.replace(
        "[profile acme]  ; the first customer\n",
        "[profile acme]  ; the first customer\ncredential_process = valetkey credential-process acme\n",
    )
    for line in (
        "role_arn = arn:aws:iam::111111111111:role/audit\n",
        "external_id = x-1\n",
        "source_profile = default\n",
    ):
        wanted = wanted.replace(line, "")
    assert result == wanted.replace("\n", end)


def test_several_in_one_text_in_any_order() -> None:
    two = {"globex": Rewrite({"credential_process": "g", "region": "us-east-1"}), "acme": NEW}
    result = rewritten(TEXT, two, PATH)
    assert section_texts(result)["globex"] == (
        "[profile globex]\ncredential_process = g\nregion = us-east-1\noutput=json\n"
    )
    assert section_texts(result)["acme"].startswith("[profile acme]  ; the first customer\ncredential_process")
    assert "# the second customer\n[profile globex]" in result


@pytest.mark.parametrize("text", [TEXT, TEXT.rstrip("\n"), TEXT.replace("\n", "\r\n")])
@pytest.mark.parametrize("name", ["acme", "globex"])
def test_restored_is_the_file_as_it_was(text: str, name: str) -> None:
    original = section_texts(text)[name]
    changed = rewritten(text, {name: Rewrite({"credential_process": "x"})}, PATH)
    assert changed != text
    assert restored(changed, name, original, PATH) == text


def test_a_section_is_taken_out_and_what_follows_it_stays() -> None:
    result = without(TEXT, "acme", PATH)
    assert "acme" not in result
    assert "# the second customer\n[profile globex]" in result
    assert result.startswith("# mine\n[default]\nregion = eu-west-1\n\n")


@pytest.mark.parametrize("name", ["missing", "twice"])
def test_what_is_not_one_section_is_left(name: str) -> None:
    text = TEXT + '[profile twice]\nregion = a\n[profile "twice"]\nregion = b\n'
    with pytest.raises(ConfigError, match="exactly one section"):
        rewritten(text, {name: NEW}, PATH)
    with pytest.raises(ConfigError, match="exactly one section"):
        without(text, name, PATH)
    assert "twice" not in section_texts(text)


@pytest.mark.parametrize("text", ["", "# nothing yet\n"])
def test_a_config_without_a_section_has_none(text: str) -> None:
    assert section_texts(text) == {}
    with pytest.raises(ConfigError, match="exactly one section"):
        rewritten(text, {"acme": NEW}, PATH)


def test_a_setting_that_goes_on_in_a_comment_changes_nothing_else() -> None:
    """A value that spans lines belongs to its setting, also when that is dropped."""
    text = "[profile acme]\nrole_arn =\n  arn:aws:iam::111111111111:role/audit\nregion = a\n[profile b]\nregion = c\n"
    assert rewritten(text, {"acme": NEW}, PATH) == (
        "[profile acme]\ncredential_process = valetkey credential-process acme\nregion = a\n[profile b]\nregion = c\n"
    )


def test_the_file_is_replaced_with_a_private_dated_copy(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "config"
    path.write_text(TEXT)
    path.chmod(0o644)
    env = {"HOME": str(tmp_path), "AWS_CONFIG_FILE": str(path)}
    called: list[str] = []
    first = replace_config(TEXT, TEXT + "#1\n", env, now=NOW, first=lambda: called.append(path.read_text()))
    assert called == [TEXT]  # before the file is replaced
    second = replace_config(TEXT + "#1\n", TEXT, env, now=NOW)
    assert (first.name, second.name) == ("config.valetkey-20261129T120000Z", "config.valetkey-20261129T120000Z-2")
    assert (first.read_text(), second.read_text()) == (TEXT, TEXT + "#1\n")
    assert {stat.S_IMODE(item.stat().st_mode) for item in (first, second)} == {0o600}
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == (TEXT, 0o644)


def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "config"
    path.write_text(TEXT + "[profile new]\nregion = eu-west-1\n")
    env = {"HOME": str(tmp_path), "AWS_CONFIG_FILE": str(path)}

    def never() -> None:
        raise AssertionError

    with pytest.raises(ConfigError, match="changed by something else"):
        replace_config(TEXT, "", env, now=NOW, first=never)
    assert path.read_text().startswith(TEXT)
    assert [item.name for item in tmp_path.iterdir() if "valetkey-" in item.name] == []
