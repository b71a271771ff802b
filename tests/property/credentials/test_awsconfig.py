"""For any AWS config: everything except our section stays unchanged, byte for byte."""

from __future__ import annotations

import pathlib
import tempfile

import botocore.configloader
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from valetkey.credentials.profiles.awsconfig import ConfigError, process_command, with_profile

NAME = "acme-audit"
COMMAND = process_command(["/opt/valet key/bin/valetkey"], NAME)
OTHER = process_command(["/usr/local/bin/valetkey"], NAME)
PATH = pathlib.Path("config")

_names = st.sampled_from(
    ["default", "profile dev", 'profile "my team"', "sso-session x", "profile acme", "services s3"]
)
_comment = st.sampled_from(["# kept", "; kept too", "  # indented", "", "   ", "\t", "#", "# [profile acme-audit]"])
_setting = st.sampled_from(
    [
        "region = eu-central-1",
        "region=us-east-1",
        "output : json",
        "role_arn = arn:aws:iam::111122223333:role/x ; not a comment",
        "s3 =\n  max_concurrent_requests = 20\n  addressing_style = path",
        "credential_process = /bin/other --x",
        "ca_bundle = /etc/ssl/Bündel.pem",
        "  duration_seconds = 3600",
        "text = one\n\n   [profile acme-audit]\n   two",
    ]
)


@st.composite
def _section(draw: st.DrawFn, header: str) -> str:
    lines = [f"[{header}]"]
    options = draw(st.lists(_setting, max_size=3, unique_by=lambda item: item.split("=")[0].split(":")[0].strip()))
    for option in options:
        lines += [option, *draw(st.lists(_comment, max_size=2))]
    return "\n".join(lines)


@st.composite
def configs(draw: st.DrawFn, names: st.SearchStrategy[str] = _names) -> str:
    """A realistic config: comments anywhere, nested settings, either line ending, perhaps no final newline."""
    parts = draw(st.lists(_comment, max_size=2))
    for header in draw(st.lists(names, max_size=4, unique=True)):
        parts += [draw(_section(header)), *draw(st.lists(_comment, max_size=2))]
    text = "\n".join(parts) + draw(st.sampled_from(["", "\n", "\n\n"]))
    return text.replace("\n", draw(st.sampled_from(["\n", "\n", "\r\n"])))


def botocore_reads(text: str) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "config"
        path.write_bytes(text.encode())
        profiles = botocore.configloader.load_config(str(path))["profiles"]
    assert isinstance(profiles, dict)
    return profiles


@given(configs())
def test_a_new_section_is_appended_and_read_by_botocore(text: str) -> None:
    new = with_profile(text, NAME, COMMAND, region="eu-west-1", path=PATH)
    assert new.startswith(text)
    profiles = botocore_reads(new)
    assert profiles.pop(NAME) == {"credential_process": COMMAND, "region": "eu-west-1"}
    assert profiles == botocore_reads(text)
    assert with_profile(new, NAME, COMMAND, region="eu-west-1", path=PATH) == new
    if "\r\n" in text:
        assert "\n" not in new[len(text) :].replace("\r\n", "")


@given(
    configs(st.sampled_from(["default", "profile dev", "sso-session x"])),
    configs(st.sampled_from(['profile "my team"', "profile acme", "services s3"])),
    st.sampled_from(["\n", "\r\n"]),
)
def test_updating_changes_our_line_alone(before: str, rest: str, end: str) -> None:
    head = before if not before or before.endswith("\n") else before + end
    section = f"[profile {NAME}]{end}# mine{end}credential_process={OTHER}{end}output = text{end}{end}"
    text = head + section + rest
    new = with_profile(text, NAME, COMMAND, region=None, path=PATH)
    assert new == head + section.replace(f"credential_process={OTHER}", f"credential_process = {COMMAND}") + rest
    assert with_profile(new, NAME, COMMAND, region=None, path=PATH) == new


@given(st.text(alphabet=st.sampled_from("[]profileacm-udt =:#;\n\r\t \"'\\x\ufeff\x00\x0b\x85\u2028é"), max_size=80))
def test_any_text_is_refused_or_kept(text: str) -> None:
    try:
        new = with_profile(text, NAME, COMMAND, region=None, path=PATH)
    except ConfigError:
        event("refused")
        return
    event("kept")
    assert new.startswith(text)
    assert botocore_reads(new)[NAME]["credential_process"] == COMMAND  # type: ignore[index]


@given(st.text(min_size=1, max_size=30))
def test_a_command_line_is_read_alike_by_every_sdk_or_refused(folder: str) -> None:
    import shlex
    import subprocess

    word = f"/opt/{folder}/valetkey"
    try:
        command = process_command([word], NAME)
    except ConfigError:
        event("refused")
        return
    event("kept")
    assert shlex.split(command) == [word, "credential-process", NAME]
    if "\ud800" <= max(folder) <= "\udfff":
        pytest.skip("no file name")
    if word.isascii():  # sh is slow to start, and its special characters are ASCII
        words = subprocess.run(
            ["sh", "-c", f"printf '%s\\n' {command}"], capture_output=True, text=True, check=True
        ).stdout
        assert words == f"{word}\ncredential-process\n{NAME}\n"
