"""Any name that the AWS CLI takes has a file of its own, one word on the credential_process line, and its section."""

from __future__ import annotations

import configparser
import os
import pathlib
import re
import subprocess
import unicodedata

import botocore.session
import pytest

from valetkey.credentials.profiles import awsconfig
from valetkey.credentials.profiles.names import ProfileError, file_id
from valetkey.credentials.profiles.profile import Profile, load, name_of, names, path_of, save

ODD = (
    "../x",
    "..",
    ".hidden",
    "a;b",
    "$(x)",
    "Audit/PowerUser",
    "two words",
    "it's",
    'say "x"',
    "back\\slash",
    "a]b",
    "#a",
    "p-0123456789abcdef",
    "x" * 65,
    unicodedata.normalize("NFC", "ärger"),
    unicodedata.normalize("NFD", "ärger"),
)
PLAIN = ("acme", "Acme", "a.b_c@d+e-f", "x" * 64)


def profile(name: str) -> Profile:
    return Profile(
        name=name,
        role_arn="arn:aws:iam::210987654321:role/Audit",
        contractor="123456789012",
        source_profile="default",
        mfa=False,
        max_session=3600,
    )


def test_ids() -> None:
    assert all(file_id(item) == item for item in PLAIN)
    ids = [file_id(item) for item in ODD]
    assert all(re.fullmatch("p-[0-9a-f]{16}", id_) for id_ in ids)
    assert len({*ids, *PLAIN}) == len(ids) + len(PLAIN)


def test_every_name_has_a_file_and_a_section_of_its_own(home: pathlib.Path) -> None:
    for item in (*PLAIN, *ODD):
        save(profile(item), os.environ)
        line = awsconfig.process_command(["/opt/valetkey"], item)
        assert line == f"/opt/valetkey credential-process {file_id(item)}"
        awsconfig.write_profile(item, line, os.environ, region="eu-west-1")
        assert awsconfig.is_profile(item, os.environ)
    assert {item.parent for item in home.rglob("*.json")} == {home / ".config/valetkey/profiles"}
    assert names(os.environ) == tuple(sorted((*PLAIN, *ODD)))
    for item in (*PLAIN, *ODD):
        assert load(item, os.environ).name == item
        assert name_of(file_id(item), os.environ) == item
    # As every AWS tool finds them.
    there = botocore.session.Session().full_config["profiles"]
    assert set(there) == {*PLAIN, *ODD}
    assert all(item["region"] == "eu-west-1" for item in there.values())


def test_the_line_is_the_same_words_for_a_shell(home: pathlib.Path) -> None:
    line = awsconfig.process_command(["/bin/echo"], "$(touch x);a")
    out = subprocess.run(["sh", "-c", line], cwd=home, capture_output=True, text=True, check=True).stdout
    assert out == f"credential-process {file_id('$(touch x);a')}\n"
    assert not (home / "x").exists()


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/opt/valetkey/bin/valetkey", "/opt/valetkey/bin/valetkey"),
        ("/home/ann/.local/bin/valetkey", "/home/ann/.local/bin/valetkey"),
        ("/opt/valet key/valetkey", '"/opt/valet key/valetkey"'),
        ("/opt/(x)/valetkey", '"/opt/(x)/valetkey"'),
    ],
)
def test_the_path_is_quoted_only_where_it_must_be(path: str, written: str) -> None:
    line = awsconfig.process_command([path], "acme")
    assert line == f"{written} credential-process acme"
    assert awsconfig.is_ours(line, "acme")


def test_a_file_that_says_another_name_is_not_believed(home: pathlib.Path) -> None:
    save(profile("a b"), os.environ)
    path = path_of("a b", os.environ)
    path.write_text(path.read_text().replace("a b", "a c"))
    assert names(os.environ) == ()
    assert name_of(file_id("a b"), os.environ) is None
    with pytest.raises(ProfileError, match="it says it is"):
        load("a b", os.environ)


def test_a_disk_that_knows_no_case_loses_no_profile(home: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(profile("Acme"), os.environ)
    path_of("Acme", os.environ).rename(path_of("acme", os.environ))  # as such a disk answers
    with pytest.raises(ProfileError, match='there is a profile "Acme" already'):
        save(profile("acme"), os.environ)


def test_an_existing_section_is_found_however_it_is_quoted(home: pathlib.Path) -> None:
    rest = f"valetkey credential-process {file_id('two words')}"
    text = f'[profile "two words"]\ncredential_process = /opt/{rest}\n'
    new = awsconfig.with_profile(text, "two words", f"/new/{rest}", path=home / "config")
    parsed = configparser.RawConfigParser()
    parsed.read_string(new)
    assert len(parsed.sections()) == 1
    assert "/new/valetkey" in new
