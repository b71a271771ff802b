"""The AWS config on disk: what is written, what is refused, and that a refusal loses nothing."""

from __future__ import annotations

import json
import pathlib
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor

import boto3
import botocore.configloader
import pytest

from valetkey.awsfiles import parse
from valetkey.credentials.profiles import awsconfig
from valetkey.credentials.profiles.awsconfig import (
    ConfigError,
    check_free,
    is_ours,
    process_command,
    region_of,
    with_profile,
    write_profile,
)
from valetkey.errors import ValetkeyError

COMMAND = process_command(["/opt/valet key/bin/valetkey"], "acme")


@pytest.fixture
def env(home: pathlib.Path) -> dict[str, str]:
    (home / ".aws").mkdir()
    return {"HOME": str(home)}


@pytest.fixture
def config(home: pathlib.Path, env: dict[str, str]) -> pathlib.Path:
    return home / ".aws" / "config"


def test_a_new_file_is_private(config: pathlib.Path, env: dict[str, str]) -> None:
    written = write_profile("acme", COMMAND, env, region="eu-west-1")
    assert (written.changed, written.backup) == (True, None)
    assert config.read_text() == (
        '[profile acme]\ncredential_process = "/opt/valet key/bin/valetkey" credential-process acme\n'
        "region = eu-west-1\n"
    )
    assert stat.S_IMODE(config.stat().st_mode) == 0o600


def test_the_directory_is_made_private(home: pathlib.Path) -> None:
    write_profile("acme", COMMAND, {"HOME": str(home)})
    assert stat.S_IMODE((home / ".aws").stat().st_mode) == 0o700


def test_mode_is_kept_and_the_first_state_is_backed_up_once(config: pathlib.Path, env: dict[str, str]) -> None:
    config.write_text("[default]\nregion = us-east-1")
    config.chmod(0o644)
    written = write_profile("acme", COMMAND, env)
    backup = config.with_name("config.valetkey-backup")
    assert written.backup == backup
    assert stat.S_IMODE(config.stat().st_mode) == 0o644
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert write_profile("other", process_command(["/x/valetkey"], "other"), env).backup is None
    assert backup.read_text() == "[default]\nregion = us-east-1"
    assert config.read_text().startswith("[default]\nregion = us-east-1\n\n[profile acme]\n")


def test_writing_twice_writes_once(config: pathlib.Path, env: dict[str, str]) -> None:
    config.write_text("# mine\n")
    write_profile("acme", COMMAND, env, region="eu-west-1")
    before = config.stat()
    assert not write_profile("acme", COMMAND, env, region="eu-west-1").changed
    assert config.stat().st_mtime_ns == before.st_mtime_ns
    assert config.stat().st_ino == before.st_ino


def test_a_symbolic_link_stays_one(home: pathlib.Path, config: pathlib.Path, env: dict[str, str]) -> None:
    target = home / "dotfiles" / "aws-config"
    target.parent.mkdir()
    target.write_text("[default]\n")
    config.symlink_to("../dotfiles/aws-config")
    write_profile("acme", COMMAND, env)
    assert config.is_symlink()
    assert "[profile acme]" in target.read_text()
    assert sorted(item.name for item in target.parent.iterdir()) == ["aws-config"]


def test_own_keys_and_region_in_our_section_stay(config: pathlib.Path, env: dict[str, str]) -> None:
    write_profile("acme", process_command(["/old/valetkey"], "acme"), env, region="eu-west-1")
    config.write_text(config.read_text().replace("eu-west-1", "eu-north-1") + "output = text\n# mine\n\n[default]\n")
    write_profile("acme", COMMAND, env, region="eu-west-1")
    assert config.read_text() == (
        f"[profile acme]\ncredential_process = {COMMAND}\nregion = eu-north-1\noutput = text\n# mine\n\n[default]\n"
    )
    write_profile("acme", COMMAND, env, region="eu-west-1", new_region=True)
    assert "region = eu-west-1\n" in config.read_text()


_SECTIONS = {
    "foreign": "[profile acme]\ncredential_process = /usr/bin/other acme\n",
    "another name's": "[profile acme]\ncredential_process = valetkey credential-process other\n",
    "a role": "[profile acme]\nrole_arn = arn:aws:iam::111122223333:role/x\nsource_profile = default\n",
    "a region only": "[profile acme]\nregion = us-east-1\n",
    "empty": '[profile "acme"]',
    "quoted twin": f'[profile acme]\ncredential_process = {COMMAND}\n[profile "acme"]\nregion = us-east-1\n',
    "ours with a role": f"[profile acme]\ncredential_process = {COMMAND}\nrole_arn = x\n",
    "a role for all": "[DEFAULT]\nrole_arn = arn:aws:iam::111122223333:role/x\n",
    "twice": "[profile x]\n[profile x]\n",
    "no section": "region = us-east-1\n",
    "no setting": "[default]\nregion us-east-1 SECRETVALUE\n",
    "setting twice": "[default]\naws_secret_access_key = SECRETVALUE\naws_secret_access_key = SECRETVALUE\n",
    "byte order mark": "\ufeff[default]\n",
}


@pytest.mark.parametrize("text", _SECTIONS.values(), ids=_SECTIONS)
def test_what_is_not_ours_or_not_sound_is_left_alone(text: str, config: pathlib.Path, env: dict[str, str]) -> None:
    config.write_bytes(text.encode())
    with pytest.raises(ConfigError) as caught:
        write_profile("acme", COMMAND, env)
    assert config.read_bytes() == text.encode()
    assert [item.name for item in config.parent.iterdir()] == ["config"]
    assert caught.value.do
    assert caught.value.exit_code == 2
    assert "SECRETVALUE" not in str(caught.value)


def test_a_line_number_is_told(config: pathlib.Path, env: dict[str, str]) -> None:
    config.write_text("[default]\nregion us-east-1\n")
    with pytest.raises(ConfigError, match=r"config: line 2"):
        write_profile("acme", COMMAND, env)


@pytest.mark.parametrize("bad", [b"[default]\nregion = \xff\n", b"\xff\xfe[\x00d\x00"])
def test_text_that_is_not_utf8_is_left_alone(bad: bytes, config: pathlib.Path, env: dict[str, str]) -> None:
    config.write_bytes(bad)
    with pytest.raises(ConfigError, match="UTF-8"):
        write_profile("acme", COMMAND, env)
    assert config.read_bytes() == bad


def test_a_directory_or_a_device_is_no_config(config: pathlib.Path, env: dict[str, str]) -> None:
    config.mkdir()
    with pytest.raises(ConfigError, match="not a file"):
        write_profile("acme", COMMAND, env)
    with pytest.raises(ConfigError, match="not a file"):
        write_profile("acme", COMMAND, {**env, "AWS_CONFIG_FILE": "/dev/null"})


@pytest.mark.parametrize(
    "text",
    [
        "[acme]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = SECRETVALUE\n",
        "[ acme ]\naws_access_key_id = AKIAEXAMPLE\n",
        "[profile acme]\naws_access_key_id = AKIAEXAMPLE\n",
        "[acme]\ncredential_process = /bin/other\n",
    ],
)
def test_keys_of_that_name_are_refused(
    text: str, home: pathlib.Path, config: pathlib.Path, env: dict[str, str]
) -> None:
    (home / ".aws" / "credentials").write_text(text)
    for refused in (lambda: check_free("acme", env), lambda: write_profile("acme", COMMAND, env)):
        with pytest.raises(ConfigError, match="instead of the customer's role") as caught:
            refused()
        assert "SECRETVALUE" not in str(caught.value)
    assert not config.exists()
    check_free("acme2", env)


def test_both_files_can_be_elsewhere(home: pathlib.Path, env: dict[str, str]) -> None:
    elsewhere = {**env, "AWS_CONFIG_FILE": "~/my.config", "AWS_SHARED_CREDENTIALS_FILE": str(home / "keys")}
    (home / "keys").write_text("[acme]\naws_access_key_id = AKIAEXAMPLE\n")
    with pytest.raises(ConfigError):
        check_free("acme", elsewhere)
    assert write_profile("other", process_command(["valetkey"], "other"), elsewhere).path == home / "my.config"
    assert not (home / ".aws" / "config").exists()


def test_indented_headers_are_values(config: pathlib.Path) -> None:
    text = "[default]\nx =\n  [profile acme]\n"
    new = with_profile(text, "acme", COMMAND, path=config)
    assert new == f"{text}\n[profile acme]\ncredential_process = {COMMAND}\n"


@pytest.mark.parametrize("header", ["[ profile acme]", "[\tprofile acme ]"])
def test_a_header_that_botocore_does_not_read_is_no_profile(header: str, config: pathlib.Path) -> None:
    text = f"{header}\ncredential_process = {COMMAND}\n"
    new = with_profile(text, "acme", COMMAND, path=config)
    config.write_text(new)
    assert botocore.configloader.load_config(str(config))["profiles"]["acme"] == {"credential_process": COMMAND}
    assert new.startswith(text)


@pytest.mark.parametrize("region", ["", "eu west", "eu-west-1\nrole_arn = x", "x" * 41])
def test_a_region_cannot_bring_lines(region: str, config: pathlib.Path) -> None:
    if region:
        with pytest.raises(ConfigError):
            with_profile("", "acme", COMMAND, region=region, path=config)


@pytest.mark.parametrize("path", ["/a'b", '/a"b', "/a$b", "/a`b", "/a\\b", "/a\nb", "/a #b", "/a ;b"])
def test_a_path_that_sdks_read_differently_is_refused(path: str) -> None:
    with pytest.raises(ConfigError):
        process_command([path], "acme")


def test_ours_or_not() -> None:
    assert is_ours(process_command(["/venv/bin/python", "-P", "-m", "valetkey"], "acme"), "acme")
    assert is_ours(COMMAND, "acme")
    assert not is_ours(COMMAND, "acm")
    assert not is_ours('"unbalanced', "acme")
    assert not is_ours("", "acme")
    assert not is_ours("/bin/sh -c valetkey credential-process acme", "acme")


def test_region_of_a_profile(config: pathlib.Path, env: dict[str, str]) -> None:
    assert region_of(None, env) is None
    config.write_text('[default]\nregion = eu-west-1\n[profile "a b"]\nregion=us-east-1\n[profile bad]\nregion = e w\n')
    assert [region_of(item, env) for item in (None, "a b", "bad", "none")] == ["eu-west-1", "us-east-1", None, None]
    config.write_bytes(b"\xff")
    assert region_of(None, env) is None


def test_the_line_works_in_boto3_and_in_a_shell(
    home: pathlib.Path, config: pathlib.Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """boto3 splits the line by itself; the SDKs for Go and JavaScript give it to `sh -c`."""
    script = home / "my tools (new)" / "valetkey"
    script.parent.mkdir()
    script.write_text(
        """#!/bin/sh
        [ "$*" = "credential-process acme" ] || exit 1
        echo '{"Version": 1, "AccessKeyId": "ASIATEST", "SecretAccessKey": "s", "SessionToken": "t"}'
        """
    )
    script.chmod(0o755)
    command = process_command([str(script)], "acme")
    write_profile("acme", command, env)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    result = boto3.Session(profile_name="acme").get_credentials()
    assert result.access_key == "ASIATEST"
    ran = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout)["AccessKeyId"] == "ASIATEST"


def test_many_at_once_lose_nothing(config: pathlib.Path, env: dict[str, str]) -> None:
    config.write_text("# mine\n[default]\nregion = us-east-1\n")
    names = [f"customer-{number}" for number in range(12)]
    with ThreadPoolExecutor(len(names)) as pool:
        for done in [pool.submit(write_profile, name, process_command(["/v"], name), env) for name in names]:
            done.result()
    text = config.read_text()
    assert text.startswith("# mine\n[default]\nregion = us-east-1\n")
    assert all(f"[profile {name}]\n" in text for name in names)
    assert sorted(item.name for item in config.parent.iterdir()) == ["config", "config.valetkey-backup"]


def test_a_directory_that_cannot_be_written_is_told(config: pathlib.Path, env: dict[str, str]) -> None:
    config.write_text("[default]\n")
    config.parent.rename(config.parent.with_name("real"))
    config.parent.write_text("not a directory")
    with pytest.raises(ValetkeyError) as caught:
        write_profile("acme", COMMAND, env)
    assert caught.value.what


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[default]\nregion = a\n", "[default]\nregion = b\n"),
        ("[default]\n[profile x]\n", "[default]\n"),
        ("[default]\n", "[DEFAULT]\noutput = text\n[default]\n"),
    ],
)
def test_an_edit_after_which_another_profile_means_something_else_is_refused(old: str, new: str) -> None:
    """The edits that are made here do not do that; this holds for any that may come."""
    path, settings = pathlib.Path("/config"), {"credential_process": COMMAND}
    own = f"[profile acme]\ncredential_process = {COMMAND}\n"
    awsconfig._check_meaning(parse(old, path), parse(old + own, path), "acme", settings, path)
    with pytest.raises(ConfigError, match="without changing what else is in it"):
        awsconfig._check_meaning(parse(old, path), parse(new + own, path), "acme", settings, path)
